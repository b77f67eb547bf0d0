// Where the reader is. The address holds a Scenario as its query and, where that is not the part
// itself, the view as its fragment: ?track=titan&part=2&seed=7#ledger

import { partIn } from "./record.js";

const OURS = ["embed", "lecture", "theme"]; // keys of the page, kept in its every address
const kept = pairs(location.search).filter((pair) => OURS.includes(nameOf(pair)));

let here = new URL(location.href); // also where history may not say so

/** Returns where the reader is, as a URL. */
export const placeNow = () => here;

/** Returns the Scenario in an address's query: the query without what is the page's own. */
export function scenarioIn(search) {
  const rest = pairs(search).filter((pair) => !OURS.includes(nameOf(pair)));
  return rest.length ? `?${rest.join("&")}` : "";
}

/** Returns the address of a view ("choose", "brief", "part1", "ledger") with a Scenario's query. */
export function addressOf(query, view) {
  const search = [...pairs(query), ...kept].join("&");
  const meant = partIn(query) ? `part${partIn(query)}` : "brief";
  return `?${search}` + (["", "choose", meant].includes(view) ? "" : `#${view}`);
}

/** Moves to an address: `how` is pushState or replaceState. */
export function remember(how, address) {
  here = new URL(address, here);
  try {
    history[how](null, "", here);
  } catch {
    // A sandboxed frame may not change its address; the page works without.
  }
}

/** Takes over where the browser's own buttons have led. */
export function rememberLocation() {
  here = new URL(location.href);
}

function pairs(search) {
  return search.replace(/^\?/, "").split("&").filter(Boolean);
}

function nameOf(pair) {
  return pair.split("=")[0];
}
