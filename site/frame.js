// The lab in a frame of another page: it starts when it is asked to, and tells how tall it is.

const root = document.documentElement;
const framed = globalThis.parent !== globalThis;

/**
 * Returns a promise of the reader's wish to start. In a frame that is a press of the button that
 * `ask` shows, so that a chapter with several labs starts none of them by itself.
 */
export function whenAsked(ask) {
  if (!framed || !("embed" in root.dataset)) return Promise.resolve();
  return new Promise((resolve) => ask(resolve));
}

/** Tells the page around, whichever it is, how tall this one is, now and whenever that changes. */
export function tellHeight() {
  if (!framed) return;
  const tell = () => {
    const height = Math.ceil(document.body.getBoundingClientRect().height);
    parent.postMessage({ fleetlab: "height", height }, "*"); // no secret, and to be checked there
  };
  new ResizeObserver(tell).observe(document.body);
  tell();
}
