// What one reader did on one track, as a value: nothing here touches the page or the disk.

import { CONFIDENCES, QUESTIONS, guessOf, questionOf, surenessOf, textOf } from "./questions.js";

export const SCHEMA = "fleetlab-ledger/1";
export const RUNS_KEPT = 200;
export const TRACKS = ["titan", "guardian", "nomad", "pioneer"];
const LONGEST_TEXT = 20_000; // characters of a reflection, as in the page's own field
const LARGEST_RUN = 50_000; // characters of one run as JSON

/** Returns an empty record of a track. `generation` counts how often it was started afresh. */
export function newRecord(track, version, generation = 0) {
  return {
    schema: SCHEMA,
    track,
    seed: null,
    version,
    generation,
    predictions: [],
    runs: [],
    reflections: {},
    reflected_at: {},
  };
}

export const predictionOf = (record, part) =>
  record.predictions.find((prediction) => prediction.part === part);

/** Returns the part whose evidence a run is: runs of the first versions do not say. */
export const partOf = (run) => run.part ?? 1;

export const runsOf = (record, part) => record.runs.filter((run) => partOf(run) === part);

export const isEmpty = ({ predictions, runs, reflections }) =>
  !predictions.length && !runs.length && !Object.values(reflections).some(Boolean);

/** Returns the record with a run at its end, unless it repeats the run before it. */
export function withRun(record, run) {
  const last = record.runs.at(-1);
  if (last && last.digest === run.digest && sameValue(last.scenario, run.scenario)) return record;
  return { ...record, seed: run.seed ?? record.seed, runs: [...record.runs, run].slice(-RUNS_KEPT) };
}

/**
 * Returns what two copies of one track's record hold together, whichever is asked first: of each
 * part's predictions the earliest, all runs, of each reflection the newest. A copy that was
 * started afresh more often than the other stands alone.
 */
export function merge(a, b) {
  if (a.generation !== b.generation) return a.generation > b.generation ? a : b;
  const runs = new Map([...a.runs, ...b.runs].map((run) => [`${run.at} ${run.digest}`, run]));
  const merged = {
    ...newest(a, b),
    predictions: [...a.predictions, ...b.predictions]
      .sort(byTime)
      .filter(({ part }, i, all) => all.findIndex((other) => other.part === part) === i),
    runs: [...runs.values()].sort(byTime).slice(-RUNS_KEPT),
    reflections: {},
    reflected_at: {},
  };
  for (const { reflections, reflected_at: times } of [a, b]) {
    for (const [part, text] of Object.entries(reflections)) {
      const at = times[part] ?? "";
      const [known, since] = [merged.reflections[part], merged.reflected_at[part]];
      if (known !== undefined && (at < since || (at === since && text < known))) continue;
      merged.reflections[part] = text;
      merged.reflected_at[part] = at;
    }
  }
  return merged;
}

/**
 * Returns the record with what an imported one adds. A prediction that was locked here stays,
 * whatever the file says; other tabs take the result over as it is.
 */
export function withImport(record, imported) {
  const both = merge(record, { ...imported, generation: record.generation });
  const own = (prediction) => predictionOf(record, prediction.part) ?? prediction;
  return { ...both, generation: record.generation + 1, predictions: both.predictions.map(own) };
}

/** Says whether a value read from storage has the shape of a record of the track. */
export function isRecord(value, track) {
  return isObject(value) && value.schema === SCHEMA && value.track === track &&
    Number.isInteger(value.generation) && Array.isArray(value.predictions) &&
    Array.isArray(value.runs) && isObject(value.reflections) && isObject(value.reflected_at);
}

const byTime = (a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
const newest = (a, b) => ((a.runs.at(-1)?.at ?? "") > (b.runs.at(-1)?.at ?? "") ? a : b);
const sameValue = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Returns the record as it leaves the browser: what only merging needs stays here. */
export function exported({ generation, reflected_at, ...record }) {
  return record;
}

/**
 * Returns the record that a file holds, taken apart and put together again so that nothing but
 * the fields of the schema gets in. Throws an Error with one sentence for the reader.
 */
export function readRecord(text, name) {
  const refuse = (reason) => {
    throw new Error(`${name} was not imported: ${reason}`);
  };
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("it is not complete JSON. Choose a ledger exported by this page.");
  }
  if (!isObject(value)) refuse("it is not a ledger. Choose a file exported by this page.");
  if (value.schema !== SCHEMA) {
    refuse(`its schema is ${quoted(value.schema)} and this page reads "${SCHEMA}".`);
  }
  if (!TRACKS.includes(value.track)) {
    refuse(`its track is ${quoted(value.track)}; it must be one of ${TRACKS.join(", ")}.`);
  }
  const record = newRecord(value.track, String(value.version ?? "").slice(0, 40));
  record.seed = Number.isSafeInteger(value.seed) ? value.seed : null;
  for (const [index, entry] of listOf(value.predictions, "predictions", refuse)) {
    const fault = faultOfPrediction(entry);
    if (fault) refuse(`prediction ${index + 1} ${fault}.`);
    if (predictionOf(record, entry.part)) refuse(`part ${entry.part} is predicted twice.`);
    const { part, choice, number, confidence, at } = entry;
    record.predictions.push({ part, choice, number, confidence, at });
  }
  for (const [index, run] of listOf(value.runs, "runs", refuse)) {
    if (!isObject(run) || !isTime(run.at) || typeof run.digest !== "string") {
      refuse(`run ${index + 1} lacks its time or its digest.`);
    }
    if (JSON.stringify(run).length > LARGEST_RUN) refuse(`run ${index + 1} is too large to be one.`);
    record.runs.push(run);
  }
  record.runs = record.runs.sort(byTime).slice(-RUNS_KEPT);
  const reflections = value.reflections ?? {};
  if (!isObject(reflections)) refuse("its reflections are not texts by part.");
  for (const part of QUESTIONS.map(({ part: number }) => `part${number}`)) {
    const written = reflections[part] ?? "";
    if (typeof written !== "string" || written.length > LONGEST_TEXT) {
      refuse(`the reflection of ${part} is not a text of at most ${LONGEST_TEXT} characters.`);
    }
    if (written) record.reflections[part] = written;
  }
  return record;
}

function faultOfPrediction(entry) {
  if (!isObject(entry)) return "is not an object";
  const question = questionOf(entry.part);
  if (!question) return "names no part";
  if (!textOf(entry.part, entry.choice)) return "has a choice that was never offered";
  const wanted = question.number;
  if (wanted && !(entry.number >= wanted.low && entry.number <= wanted.high)) {
    return `has no number from ${wanted.low} to ${wanted.high}`;
  }
  if (!CONFIDENCES[entry.confidence - 1]) return "has no confidence from 1 to 5";
  if (!isTime(entry.at)) return "has no time";
  return "";
}

function listOf(value, field, refuse) {
  if (value !== undefined && !Array.isArray(value)) refuse(`its ${field} are not a list.`);
  return (value ?? []).entries();
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isTime = (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) &&
  !Number.isNaN(Date.parse(value));
const quoted = (value) => JSON.stringify(value === undefined ? null : value).slice(0, 60);

/** Returns what a ledger of part 1 still lacks, in words; an empty list when it is complete. */
export function missingFrom(record) {
  const wanted = [
    [predictionOf(record, 1), "a prediction"],
    [record.runs.length, "a run"],
    [record.reflections.part1?.trim(), "the reflection"],
  ];
  return wanted.filter(([there]) => !there).map(([, name]) => name);
}

/** Returns the record as Markdown; what the reader wrote can bring in no markup of its own. */
export function toMarkdown(record, trackName) {
  const lines = [`# Fleet Orchestration, ledger: ${trackName}`, ""];
  const missing = missingFrom(record);
  if (missing.length) lines.push(`Not complete: it lacks ${missing.join(", ")}.`, "");
  lines.push(`Version ${plain(record.version || "unknown")}, seed ${record.seed ?? "not set"}.`, "");
  lines.push("## Predictions", "", row(["part", "choice", "number", "confidence", "made"]), rule(5));
  for (const prediction of record.predictions) {
    const { part, choice, at } = prediction;
    lines.push(row([part, textOf(part, choice), guessOf(prediction), surenessOf(prediction), at]));
  }
  const names = figureNames(record.runs);
  lines.push("", "## Runs", "", row(["time", "scenario", ...names, "digest"]), rule(names.length + 3));
  for (const run of record.runs) {
    const figures = names.map((name) => run.figures?.[name] ?? "");
    lines.push(row([run.at, asText(run.scenario), ...figures, run.digest]));
  }
  lines.push("", "## Reflections", "");
  for (const [part, text] of Object.entries(record.reflections)) {
    lines.push(`### ${part.replace("part", "Part ")}`, "");
    lines.push(...text.split("\n").map((line) => `> ${plain(line)}`), "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Returns the names of the figures that any of the runs has, in the order they were met. */
export function figureNames(runs) {
  return [...new Set(runs.flatMap((run) => (isObject(run.figures) ? Object.keys(run.figures) : [])))];
}

export const asText = (value) => (typeof value === "string" ? value : JSON.stringify(value ?? ""));

const row = (cells) => `| ${cells.map((cell) => plain(asText(cell))).join(" | ")} |`;
const rule = (count) => `|${" --- |".repeat(count)}`;
const plain = (text) => text.replace(/[\\`*_{}[\]<>#|!~]/g, "\\$&").replace(/[\r\n]+/g, " ");
