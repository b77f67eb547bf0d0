// Where the reader is. The address holds a Scenario as its query and, where that is not the part
// itself, the view as its fragment: ?track=titan&part=2&seed=7#ledger

import { partIn } from "./record.js";

const OURS = ["embed", "only", "lecture", "theme"]; // keys of the page, kept in its every address
const kept = pairs(location.search).filter((pair) => OURS.includes(nameOf(pair)));

const root = document.documentElement; // <html data-track data-part data-view>

let here = new URL(location.href); // also where history may not say so
const queries = new Map(); // by part, on this track: the query it was left with

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

/** Keeps the query with which a part is left, for when the reader comes back to it. */
export const keepQuery = (part, query) => queries.set(part, query);

/** Forgets how the parts were left: another track has begun. */
export const forgetQueries = () => queries.clear();

const queryOf = (part) => queries.get(part) ?? `?track=${root.dataset.track}&part=${part}`;

/**
 * Returns the query of where the reader is. A fragment that names another part than the query
 * does (#part2) wins over it, and the address then says so.
 */
export function queryHere() {
  const search = scenarioIn(here.search);
  const part = Number(root.dataset.part);
  if (!root.dataset.track || (partIn(search) ?? 1) === part) return search;
  const meant = queryOf(part);
  remember("replaceState", addressOf(meant, root.dataset.view));
  return meant;
}

/** Returns where a link of this page leads from a query: a part as it was left, or a view of it. */
export function addressOfLink(link, query) {
  const { search, hash } = new URL(link.href);
  if (!link.getAttribute("href").startsWith("#")) return addressOf(withPartHere(search), "");
  const [, part] = /^#part(\d)$/.exec(hash) ?? [];
  return addressOf(part ? queryOf(Number(part)) : query, hash.slice(1));
}

// Who came by a link to one part and then chooses a track goes on to that part.
function withPartHere(search) {
  const part = partIn(here.search);
  return part && !root.dataset.track && !partIn(search) ? `${search}&part=${part}` : search;
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
