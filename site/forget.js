// BokehJS listens to the window for every plot it draws and never stops, so that a plot which is
// gone would be kept with all its nodes. Here its listeners are noted, and taken away with it.

const heard = [];
const { visualViewport: view } = globalThis;

if (view) {
  view.addEventListener = (...listener) => {
    heard.push(listener);
    EventTarget.prototype.addEventListener.apply(view, listener);
  };
}

/** Takes away what plots that are gone have listened to. */
export function forgetPlots() {
  for (const listener of heard.splice(0)) view.removeEventListener(...listener);
}
