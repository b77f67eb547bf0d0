// The ledger on the page: what the record holds, and the fields in which the reader concludes.

import { figureName, figureNames, figureText } from "./figures.js";
import { guessOf, surenessOf, textOf } from "./questions.js";
import {
  EVIDENCE, PARTS, asText, divergenceIn, evidenceOf, isEmpty, missingFrom, runWith, runsOf, withWritten,
  writtenIn,
} from "./record.js";
import { policyWords, scenarioWords } from "./settings.js";
import { clock, find, made, showTable, tableOf, timeElement, write } from "./view.js";

const RUNS_SHOWN = 10; // of each part; all are in the export
const list = (name) => find(`[data-list="${name}"]`);
let shown = {}; // what each list was made of: an open choice is not made anew under the reader

/** Shows the record in the ledger. */
export function showLedger(record) {
  showStatus(record);
  showTable(find('[data-table="predictions"]'), [
    ["part", "prediction", "number", "confidence", "made"],
    ...record.predictions.map((prediction) => {
      const { part, choice, at } = prediction;
      return [part, textOf(part, choice), guessOf(prediction), surenessOf(prediction), timeElement(at)];
    }),
  ]);
  showChoices(record);
  showPolicy(record);
  showParadox(record);
  showFields(record);
  anew("reflections", record.reflections, () => PARTS.flatMap((part) => reflection(record, part)));
  anew("runs", record.runs, () => PARTS.flatMap((part) => runsTable(record, part)));
}

/** Returns the record with the run that stands for a part's policy, or none of that part. */
export function withPolicyRun(record, part, digest, at) {
  const others = record.evidence.runs.filter((other) => runWith(record, other)?.part !== part);
  const digests = [...others, digest].filter(Boolean)
    .sort((a, b) => runWith(record, a).part - runWith(record, b).part);
  return withWritten(record, "evidence", evidenceOf(record, digests), at);
}

/** Returns the record with one of the two runs that the paradox answer cites. */
export function withParadoxRun(record, which, digest, at) {
  const { text, runs } = record.paradox_answer;
  const cited = [...runs];
  cited[which] = digest;
  return withWritten(record, "paradox_answer", { text, runs: cited.filter(Boolean) }, at);
}

function anew(name, value, make) {
  const key = JSON.stringify(value ?? null);
  if (shown[name] === key) return;
  shown[name] = key;
  list(name).replaceChildren(...make());
}

function showStatus(record) {
  const missing = missingFrom(record);
  write("ledger_status", missing.length ? "Not complete yet" : "Complete");
  write("ledger_status_detail", isEmpty(record) ? "Nothing is recorded on this track yet."
    : missing.length ? "It can be exported as it is. It still lacks:" : "Nothing is missing.");
  find(".status").toggleAttribute("data-complete", !missing.length);
  anew("missing", isEmpty(record) ? [] : missing, () =>
    (isEmpty(record) ? [] : missing).map((name) => made("li", name)));
}

// ---- runs to choose from

function showChoices(record) {
  for (const choice of document.querySelectorAll("[data-choose]")) {
    const { choose, which } = choice.dataset;
    const parts = choose === "policy" ? [Number(which)] : PARTS;
    const chosen = choose === "policy"
      ? record.evidence.runs.find((digest) => runWith(record, digest)?.part === Number(which))
      : record.paradox_answer.runs[Number(which)];
    const groups = parts.map((part) => [part, distinct(runsOf(record, part))]).filter(([, runs]) => runs.length);
    const key = JSON.stringify(groups.map(([, runs]) => runs.map(({ digest, at }) => [digest, at])));
    if (shown[choice.id] !== key) {
      shown[choice.id] = key;
      const first = new Option(groups.length ? "choose a run" : "no run yet", "");
      choice.replaceChildren(first, ...groups.flatMap(([part, runs]) => optionsOf(part, runs, parts)));
    }
    choice.value = chosen ?? "";
  }
}

function optionsOf(part, runs, parts) {
  const options = runs.map((run) => new Option(runWords(run), run.digest));
  if (parts.length === 1) return options;
  const group = made("optgroup", ...options);
  group.label = `Part ${part}`;
  return [group];
}

// The newest first, and of runs that are the same one only.
function distinct(runs) {
  return runs.filter((run, i) => runs.findLastIndex(({ digest }) => digest === run.digest) === i).reverse();
}

function runWords(run) {
  const utilisations = ["allocated", "mfu", "productive"].filter((name) => run.figures?.[name] !== undefined)
    .slice(0, 2).map((name) => `${figureName(name)} ${figureText(name, run.figures[name])}`);
  return [clock(run.at), wordsOf(run), ...utilisations].join(", ");
}

const wordsOf = ({ scenario, rule }) => `${rule ? "your rule, " : ""}${scenarioWords(scenario)}`;

// ---- what the reader concludes

function showPolicy(record) {
  const figures = Object.entries(EVIDENCE).filter(([name]) => typeof record.evidence[name] === "number");
  anew("evidence", record.evidence, () => figures.map(([name, figure]) =>
    made("div", made("dt", figureName(figure)), made("dd", figureText(figure, record.evidence[name])))));
  const words = policyWords(record);
  write("policy_words", words && `The policy: ${words}.`);
  for (const choice of document.getElementsByName("priority")) choice.checked = choice.value === record.priority;
}

function showParadox(record) {
  const { runs } = record.paradox_answer;
  const parted = divergenceIn(record);
  const verdict = find('[data-text="paradox_check"]');
  verdict.toggleAttribute("data-holds", Boolean(parted));
  if (parted) {
    const { busy, idle, useful } = parted;
    const change = (name) => `${figureName(name)} ${figureText(name, idle.figures[name])} against ` +
      `${figureText(name, busy.figures[name])}`;
    write("paradox_check", `These two diverge: ${change("allocated")}, and ${change(useful)}. ` +
      "The busier one did less work.");
  } else {
    write("paradox_check", runs.length < 2 ? ""
      : runs[0] === runs[1] ? "This is the same run twice. Choose two."
      : runWith(record, runs[0])?.part !== runWith(record, runs[1])?.part
        ? "These two are of different parts, whose fleets say nothing of each other. Choose two of one part."
        : "These two do not diverge: the one with more GPUs allocated also got more work done, or the same.");
  }
}

function showFields(record) {
  for (const field of document.querySelectorAll(".ledger [data-field]")) {
    if (document.activeElement === field) continue;
    const value = writtenIn(record, field.dataset.field);
    field.value = value.text ?? value;
  }
}

function reflection(record, part) {
  const link = made("a", record.reflections[`part${part}`] ? "change it" : "write it");
  link.href = `#part${part}`;
  const text = record.reflections[`part${part}`]?.trim() || "Nothing written yet.";
  const quote = made("p", text);
  quote.className = "reflection";
  return document.querySelector(`.part[data-part="${part}"]`)
    ? [made("h3", `Part ${part} `, link), quote] : [];
}

function runsTable(record, part) {
  const runs = runsOf(record, part);
  if (!runs.length) return [];
  const names = figureNames(runs);
  const rows = runs.slice(-RUNS_SHOWN).reverse().map((run) => [timeElement(run.at), scenarioLink(run),
    ...names.map((name) => figureText(name, run.figures?.[name])), run.digest.slice(0, 12)]);
  const title = `Part ${part}`;
  const region = made("div", tableOf([["time", "scenario", ...names.map(figureName), "digest"], ...rows]));
  Object.assign(region, { className: "scroll", tabIndex: 0, role: "region", ariaLabel: `Runs of ${title}` });
  const older = runs.length - rows.length;
  const hint = made("p", older ? `${older} older runs are in the export.` : "");
  hint.className = "hint";
  return [made("h3", title), region, hint];
}

// A run's scenario leads back to it; anything that is not a query of this page stays text.
function scenarioLink(run) {
  const { scenario } = run;
  if (typeof scenario !== "string" || !scenario.startsWith("?")) return asText(scenario);
  const link = made("a", wordsOf(run));
  link.href = scenario;
  return link;
}

/** Asks whether the ledger is to be started afresh, or no longer asks. */
export function askAfresh(asked) {
  find(".confirm").hidden = !asked;
  find('[data-do="afresh"]').hidden = asked;
  find(asked ? '[data-do="afresh-no"]' : '[data-do="afresh"]').focus();
}
