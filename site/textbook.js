// The textbook series keeps a ledger of its own over all its labs:
// {track, current_step, history: {step: design}, last_updated}. This lab is its step "v2_08".

import { isObject } from "./record.js";

export const STEP = "v2_08";
const LARGEST_OTHERS = 2_000_000; // characters of the other steps as JSON

/** Says whether parsed JSON is the textbook's ledger. */
export const isTextbook = (value) =>
  isObject(value) && value.schema === undefined && "history" in value && "current_step" in value;

/** Returns our step of a textbook's ledger, or undefined where it has none yet. */
export const stepOf = (book) => historyOf(book)[STEP];

/** Returns a textbook's ledger with our step in it; what it held besides stays. */
export function withStep(book, design, at) {
  return {
    track: design.track,
    ...book,
    current_step: STEP,
    history: { ...historyOf(book), [STEP]: design },
    last_updated: at,
  };
}

/** Returns a textbook's ledger as it may be kept here, or null when that would be too much. */
export function asTextbook(value) {
  const { [STEP]: _, ...history } = historyOf(value);
  const book = { track: asWord(value.track), history };
  return JSON.stringify(book).length <= LARGEST_OTHERS ? book : null;
}

const asWord = (value) => (typeof value === "string" ? value.slice(0, 40) : null);

// Its older form is a list of {step, design}.
function historyOf(book) {
  const history = book?.history ?? {};
  if (!Array.isArray(history)) return isObject(history) ? history : {};
  return Object.fromEntries(history.filter(isObject).map(({ step, design }) => [String(step), design]));
}
