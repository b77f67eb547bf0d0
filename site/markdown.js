// The ledger as Markdown.

import { figureName, figureNames, figureText } from "./figures.js";
import { guessOf, surenessOf, textOf } from "./questions.js";
import { EVIDENCE, PARTS, asText, divergenceIn, missingFrom, runWith, runsOf } from "./record.js";

const NOTHING = "Nothing written yet.";

/** Returns the record as Markdown; what the reader wrote can bring in no markup of its own. */
export function toMarkdown(record, trackName) {
  const missing = missingFrom(record);
  return [
    `# Fleet Orchestration, ledger: ${trackName}`,
    missing.length ? `Not complete: it lacks ${missing.join(", ")}.` : "Complete.",
    `Version ${plain(record.version || "unknown")}, seed ${record.seed ?? "not set"}.`,
    "## Predictions", predictions(record),
    "## Final policy", policy(record),
    "### The alternative that was rejected", quote(record.rejected_alternative),
    "### Density or locality", record.priority ? `First came ${record.priority}.` : "Not chosen yet.",
    "### The paradox", paradox(record), quote(record.paradox_answer.text),
    "### What can still go wrong", quote(record.residual_risk),
    "## Reflections", ...PARTS.flatMap((part) => [`### Part ${part}`, quote(record.reflections[`part${part}`])]),
    ...(record.rule ? ["## The placement rule", quote(record.rule)] : []),
    "## Runs", ...PARTS.flatMap((part) => runs(record, part)),
  ].filter(Boolean).join("\n\n") + "\n";
}

function predictions(record) {
  const rows = record.predictions.map((made) =>
    [made.part, textOf(made.part, made.choice), guessOf(made), surenessOf(made), made.at]);
  return table(["part", "choice", "number", "confidence", "made"], rows);
}

function policy(record) {
  const { evidence } = record;
  if (!evidence.runs.length) return "Not chosen yet.";
  const figures = Object.entries(EVIDENCE).filter(([name]) => typeof evidence[name] === "number")
    .map(([name, figure]) => [figureName(figure), figureText(figure, evidence[name])]);
  const scenarios = evidence.runs.map((digest) => `- ${plain(scenarioOf(record, digest))}`);
  return [...scenarios, "", table(["choice", "value"], Object.entries(record.policy)), "",
    table(["evidence", "value"], figures)].join("\n");
}

function paradox(record) {
  const parted = divergenceIn(record);
  const { runs: cited } = record.paradox_answer;
  if (!parted) return cited.length ? cited.map((digest) => `- ${plain(scenarioOf(record, digest))}`).join("\n") : "";
  const { useful } = parted;
  const line = (run) => [asText(run.scenario), ...["allocated", useful].map((name) => figureText(name, run.figures[name]))];
  return table(["run", "allocated", figureName(useful)], [line(parted.busy), line(parted.idle)]);
}

function runs(record, part) {
  const made = runsOf(record, part);
  if (!made.length) return [];
  const names = figureNames(made);
  const rows = made.map((run) =>
    [run.at, scenarioWith(run), ...names.map((name) => run.figures?.[name] ?? ""), run.digest]);
  return [`### Part ${part}`, table(["time", "scenario", ...names, "digest"], rows)];
}

const scenarioWith = ({ scenario, rule }) => asText(scenario) + (rule ? ", placed by the rule" : "");
const scenarioOf = (record, digest) => scenarioWith(runWith(record, digest) ?? { scenario: digest });
const quote = (text) => (text?.trim() ? text.split("\n").map((line) => `> ${plain(line)}`).join("\n") : NOTHING);
const table = (heads, rows) => [row(heads), `|${" --- |".repeat(heads.length)}`, ...rows.map(row)].join("\n");
const row = (cells) => `| ${cells.map((cell) => plain(asText(cell))).join(" | ")} |`;
const plain = (text) => text.replace(/[\\`*_{}[\]<>#|!~]/g, "\\$&").replace(/[\r\n]+/g, " ");
