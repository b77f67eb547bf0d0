// What a screen reader is told without being asked: one sentence at a time, once it stands still.
// Who scrubs or plays passes hundreds of instants and wants to hear of the one they stop at.

import { write } from "./view.js";

const STILL_MS = 800;
let timer = 0;
let said = "";

/** Says why the job asked about waits, if that is news in a frame of the part that is open. */
export function sayMoment(before, frame) {
  if (frame.playing) clearTimeout(timer);
  else if (frame.why && (before.playing || frame.why !== before.why)) say(frame.why);
}

/** Says that the run of a frame is finished, and what it came to. */
export function sayRun({ title, why }) {
  say(["The run is finished.", title && `${title}.`, why].filter(Boolean).join(" "));
}

function say(sentence) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (sentence !== said) write("announcement", (said = sentence));
  }, globalThis.fleetlabStillMs ?? STILL_MS);
}
