// Reads a ledger that comes from outside: a file exported here, perhaps edited, perhaps broken.

import { questionOf, textOf, CONFIDENCES } from "./questions.js";
import {
  FIRST_SCHEMA, PARTS, PRIORITIES, SCHEMA, TRACKS, byTime, isObject, newRecord, predictionOf, withPart,
  withWritten,
} from "./record.js";

const LONGEST_TEXT = 20_000; // characters, as in the page's own fields
const LARGEST_RUN = 50_000; // characters of one run as JSON
const MOST_RUNS = 1000;
const HEX = /^[0-9a-f]{64}$/;

/**
 * Returns the record that a ledger holds, taken apart and put together again so that nothing but
 * the fields of the schema gets in. `value` is parsed JSON, `name` what a sentence calls it, `at`
 * the time at which its texts count as written. Throws an Error with one sentence for the reader.
 */
export function readRecord(value, name, at) {
  const refuse = (reason) => {
    throw new Error(`${name} was not imported: ${reason}`);
  };
  if (!isObject(value)) refuse("it is not a ledger. Choose a file exported by this page.");
  if (![SCHEMA, FIRST_SCHEMA].includes(value.schema)) {
    refuse(`its schema is ${quoted(value.schema)} and this page reads "${SCHEMA}".`);
  }
  if (!TRACKS.includes(value.track)) {
    refuse(`its track is ${quoted(value.track)}; it must be one of ${TRACKS.join(", ")}.`);
  }
  let record = newRecord(value.track, String(value.version ?? "").slice(0, 40));
  record.seed = Number.isSafeInteger(value.seed) ? value.seed : null;
  record.predictions = readPredictions(value.predictions, refuse);
  record.runs = readRuns(value.runs, refuse);
  const write = (field, written) => {
    record = withWritten(record, field, written, at);
  };
  const text = (field, place, words) => {
    if (place === undefined || place === null || place === "") return;
    if (typeof place !== "string" || place.length > LONGEST_TEXT) {
      refuse(`${words} is not a text of at most ${LONGEST_TEXT} characters.`);
    }
    write(field, place);
  };
  const reflections = objectOf(value.reflections, "reflections", refuse);
  for (const part of PARTS) {
    text(`part${part}`, reflections[`part${part}`], `the reflection of part ${part}`);
  }
  text("rejected_alternative", value.rejected_alternative, "the rejected alternative");
  text("residual_risk", value.residual_risk, "the residual risk");
  text("rule", value.rule, "the placement rule");
  if (PRIORITIES.includes(value.priority)) write("priority", value.priority);
  else if (value.priority) refuse(`its priority is ${quoted(value.priority)}, not density or locality.`);
  const answer = objectOf(value.paradox_answer, "paradox answer", refuse);
  const cited = digestsOf(answer.runs, "paradox answer", refuse).slice(0, 2);
  if (cited.length || answer.text) {
    text("paradox_answer", answer.text, "the paradox answer");
    write("paradox_answer", { text: answer.text ?? "", runs: cited });
  }
  const evidence = objectOf(value.evidence, "evidence", refuse);
  const defended = digestsOf(evidence.runs, "evidence", refuse);
  if (defended.length) {
    write("evidence", { ...onlyPlain(evidence), runs: defended });
    write("policy", onlyPlain(objectOf(value.policy, "policy", refuse)));
  }
  return record;
}

function readPredictions(value, refuse) {
  const found = [];
  for (const [index, entry] of listOf(value, "predictions", refuse)) {
    const fault = faultOfPrediction(entry);
    if (fault) refuse(`prediction ${index + 1} ${fault}.`);
    const { part, choice, number, confidence, at } = entry;
    if (predictionOf({ predictions: found }, part)) refuse(`part ${part} is predicted twice.`);
    found.push({ part, choice, number: number ?? null, confidence, at });
  }
  return found;
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

function readRuns(value, refuse) {
  const runs = listOf(value, "runs", refuse);
  const found = [];
  for (const [index, run] of runs) {
    const whole = isObject(run) && isTime(run.at) && HEX.test(run.digest);
    if (!whole) refuse(`run ${index + 1} lacks its time or its digest.`);
    if (JSON.stringify(run).length > LARGEST_RUN) refuse(`run ${index + 1} is too large to be one.`);
    const { seal, ...rest } = withPart(run);
    if (!PARTS.includes(rest.part)) refuse(`run ${index + 1} names no part.`);
    if (typeof (rest.rule ?? "") !== "string") refuse(`the rule of run ${index + 1} is not a text.`);
    found.push({ ...rest, figures: onlyPlain(objectOf(run.figures, `figures of run ${index + 1}`, refuse)) });
  }
  return found.sort(byTime).slice(-MOST_RUNS);
}

function listOf(value, field, refuse) {
  if (value !== undefined && value !== null && !Array.isArray(value)) {
    refuse(`its ${field} are not a list.`);
  }
  return (value ?? []).entries();
}

function objectOf(value, field, refuse) {
  if (value !== undefined && value !== null && !isObject(value)) {
    refuse(`its ${field} is not an object.`);
  }
  return value ?? {};
}

function digestsOf(value, field, refuse) {
  const digests = [...listOf(value, `runs of the ${field}`, refuse)].map(([, digest]) => digest);
  if (!digests.every((digest) => HEX.test(digest))) refuse(`the ${field} cites what is no digest.`);
  return digests.slice(0, 10);
}

// Texts, numbers and yes or no by name; what is nested is not a policy's or a figure's.
const onlyPlain = (value) => Object.fromEntries(Object.entries(value).slice(0, 100)
  .filter(([, item]) => !(typeof item === "object" || String(item).length > 200)));

const isTime = (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) &&
  !Number.isNaN(Date.parse(value));
const quoted = (value) => JSON.stringify(value === undefined ? null : value).slice(0, 60);
