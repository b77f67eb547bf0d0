// Files of the site as the page itself fetches them: each checked against the build's list.

import { bytesOf } from "./source.js";

const PLACE = "openings/";

/** An error that names the file at fault. */
export function fileError(file, sentence) {
  return Object.assign(new Error(sentence), { file });
}

/** Returns the build's list of its files, which the build writes into the page. */
export function readManifest() {
  const element = document.getElementById("fleetlab-manifest");
  if (!element) throw fileError("index.html", "The page lacks its list of files: build it again.");
  return JSON.parse(element.textContent);
}

/** Returns a file's bytes, unpacked if its name ends in .gz; an error names the file. */
export async function fetchFile(file, manifest, cache = "default") {
  const facts = manifest[file];
  if (!facts) throw fileError(file, `The build's list of files lacks ${file}.`);
  let bytes = await bytesOf(file, cache).catch((error) => {
    throw fileError(file, `The file ${file} could not be loaded: ${error.message}.`);
  });
  try {
    if (isPacked(file, bytes)) bytes = await unpack(bytes);
  } catch {
    throw fileError(file, `The file ${file} is damaged: it arrived incomplete.`);
  }
  if (await differs(bytes, facts.content_sha256 ?? facts.sha256)) {
    throw fileError(file, `The file ${file} is damaged: its bytes are not the build's.`);
  }
  return bytes;
}

// A server may have unpacked it already.
function isPacked(file, bytes) {
  const [first, second] = new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength));
  return file.endsWith(".gz") && first === 0x1f && second === 0x8b;
}

function unpack(bytes) {
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

async function differs(bytes, sha256) {
  if (!globalThis.crypto?.subtle) return false; // only on plain http from another machine
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("") !== sha256;
}

// ---- openings: what the build has rendered for a track's part (fleetlab/app/openings.py)

/**
 * Returns the opening of a Scenario's query, or null: {kind, query, told, looks, moments, run}; `run`
 * is a promise of the finished run's bytes, or of null, and `loadMoments` fetches its recording.
 *
 * kind "open" or "locked": the very Scenario's finished run. kind "bare": the part's instruments
 * without a run, since the query asks for one that the build has not made.
 */
export async function loadOpening(query, locked, manifest) {
  const asked = new URLSearchParams(query);
  const track = asked.get("track");
  const stem = `${PLACE}${track}-${asked.get("part") ?? 1}`;
  const read = async (file) => JSON.parse(new TextDecoder().decode(await fetchFile(file, manifest)));
  const load = async (kind) => ({ kind, ...(await read(`${stem}-${kind}.json.gz`)) });
  if (!track || !manifest[`${stem}-bare.json.gz`]) return null;
  let opening = await load(locked ? "locked" : "open");
  if (!answers(opening.query, asked)) opening = await load("bare");
  const name = opening.run && `${PLACE}${opening.run}.run.gz`;
  const run = name ? fetchFile(name, manifest) : Promise.resolve(null);
  run.catch(() => {}); // whoever asks for it hears of it
  return { ...opening, stem, run, loadMoments: () => read(`${stem}.moments.gz`) };
}

/** Returns the query of a Scenario's track and part alone. */
export function plain(query) {
  const asked = new URLSearchParams(query);
  return `?track=${asked.get("track")}&part=${asked.get("part") ?? 1}`;
}

// Whether an opening is the run that is asked for: by its track and part alone, or choice by choice.
function answers(query, asked) {
  const made = new URLSearchParams(query);
  const keys = [...asked.keys()];
  if (keys.every((key) => key === "track" || key === "part")) return true;
  const same = (key) => made.get(key) === asked.get(key);
  return keys.every(same) && [...made.keys()].every((key) => key === "part" || same(key));
}
