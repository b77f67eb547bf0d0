// Writes values into the page, always as text and never as markup.

import {
  CHOICES, CONFIDENCES, asText, figureNames, isEmpty, missingFrom, predictionOf,
} from "./record.js";

const RUNS_SHOWN = 25;
// What may be read before the prediction is locked: the scene, but nothing it measured.
const OPEN_TEXTS = new Set(["title", "scene", "why"]);

export const find = (selector) => document.querySelector(selector);
const element = (name) => find(`[data-text="${name}"]`);
const firstTexts = new Map();

/** Writes a text where the page has a place for it; the same text again changes nothing. */
export function write(name, text) {
  for (const place of document.querySelectorAll(`[data-text="${name}"]`)) {
    if (!firstTexts.has(place)) firstTexts.set(place, place.textContent);
    const value = text ?? "";
    if (place.textContent !== String(value)) place.textContent = value;
  }
}

/** Writes one of the lines that are hidden while they have nothing to say. */
export function note(name, text) {
  write(name, text);
  element(name).hidden = !text;
}

/** Shows a frame: its texts, bars and the figures that it has; the rest waits for the lock. */
export function showFrame(frame, locked) {
  for (const [name, value] of Object.entries(frame)) {
    if (typeof value === "object" || !(locked || OPEN_TEXTS.has(name))) continue;
    write(name, value);
  }
  for (const [name, text] of Object.entries(frame.labels ?? {})) write(`labels.${name}`, text);
  element("why").setAttribute("aria-live", frame.playing ? "off" : "polite");
  if (!locked) return;
  for (const [name, share] of Object.entries(frame.bars ?? {})) {
    find(`[data-bar="${name}"]`)?.style.setProperty("--share", Math.min(1, Math.max(0, share || 0)));
  }
  for (const card of document.querySelectorAll("[data-needs]")) {
    card.hidden = !frame[card.dataset.needs];
  }
  for (const option of document.querySelectorAll("[data-option]")) {
    option.toggleAttribute("data-measured", option.dataset.option === frame.answer);
  }
}

/** Shows how far the run under way has come, where its result will stand; 1 is the end. */
export function showProgress(share) {
  const bar = find(".running");
  bar.hidden = share >= 1;
  bar.value = share;
  document.documentElement.toggleAttribute("data-running", share < 1);
}

/** Takes every text back to what the page said first: another track has begun. */
export function clearFrame() {
  for (const [place, text] of firstTexts) {
    if (place.closest(".part") && !place.closest(".waiting")) place.textContent = text;
  }
  for (const bar of document.querySelectorAll("[data-bar]")) bar.style.removeProperty("--share");
  for (const option of document.querySelectorAll("[data-option]")) {
    option.removeAttribute("data-measured");
  }
  for (const card of document.querySelectorAll("[data-needs]")) card.hidden = true;
}

/** Fills a table; the first row holds the names of the columns. */
export function showTable(name, [head = [], ...rows]) {
  const cell = (tag, value) => {
    const made = document.createElement(tag);
    if (value instanceof Node) made.append(value);
    else made.textContent = asText(value);
    if (tag === "th") made.scope = "col";
    return made;
  };
  const line = (tag, cells) => {
    const made = document.createElement("tr");
    made.append(...cells.map((value) => cell(tag, value)));
    return made;
  };
  const [top, body] = ["thead", "tbody"].map((tag) => document.createElement(tag));
  top.append(line("th", head));
  body.append(...rows.map((cells) => line("td", cells)));
  find(`[data-table="${name}"]`).replaceChildren(top, body);
}

/** Returns an ISO time as the reader's clock shows it, with the day when it was another. */
export function clock(iso) {
  const at = new Date(iso);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const today = at.toDateString() === new Date().toDateString();
  return today ? time : `${at.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time}`;
}

function timeElement(iso) {
  const made = document.createElement("time");
  made.dateTime = iso;
  made.textContent = clock(iso);
  return made;
}

/** Shows whether part 1 is predicted, and how; the page's gates follow `data-locked`. */
export function showLock(record) {
  const prediction = predictionOf(record, 1);
  document.documentElement.dataset.locked = prediction ? "yes" : "no";
  for (const gate of document.querySelectorAll(".gated")) gate.inert = !prediction;
  for (const option of document.querySelectorAll("[data-option]")) {
    const mine = option.dataset.option === prediction?.choice;
    option.toggleAttribute("data-mine", mine);
    const mark = option.querySelector(".mark");
    mark.replaceChildren(...(mine ? ["yours, ", timeElement(prediction.at)] : []));
  }
  if (!prediction) return;
  const { number, confidence } = prediction;
  write("locked_detail", `${number} times as long, ${CONFIDENCES[confidence - 1]}.`);
  const choice = CHOICES[prediction.choice].split(",")[0].toLowerCase();
  write("yours", `You said at ${clock(prediction.at)}: ${choice}, ${number} times as long ` +
    `(${CONFIDENCES[confidence - 1]}).`);
}

/** Shows the record in the ledger. */
export function showLedger(record) {
  showTable("predictions", [
    ["part", "prediction", "times as long", "confidence", "made"],
    ...record.predictions.map(({ part, choice, number, confidence, at }) =>
      [part, CHOICES[choice], number, CONFIDENCES[confidence - 1], timeElement(at)]),
  ]);
  const names = figureNames(record.runs);
  const shown = record.runs.slice(-RUNS_SHOWN).reverse();
  showTable("runs", [
    ["time", "scenario", ...names.map((name) => name.replaceAll("_", " ")), "digest"],
    ...shown.map((run) => [timeElement(run.at), scenarioLink(run.scenario),
      ...names.map((name) => run.figures?.[name] ?? ""), run.digest.slice(0, 12)]),
  ]);
  const older = record.runs.length - shown.length;
  write("older_runs", older ? `${older} older runs are in the export.` : "");
  write("reflection_shown", record.reflections.part1 || "Nothing written yet.");
  const missing = missingFrom(record);
  note("missing", isEmpty(record) ? "Nothing is recorded on this track yet."
    : missing.length ? `Still missing: ${missing.join(", ")}. It can be exported as it is.` : "");
}

// A run's scenario leads back to it; anything that is not a query of this page stays text.
function scenarioLink(scenario) {
  if (typeof scenario !== "string" || !scenario.startsWith("?")) return asText(scenario);
  const link = document.createElement("a");
  link.href = scenario;
  link.textContent = [...new URLSearchParams(scenario)]
    .filter(([key]) => !["track", "part"].includes(key))
    .map(([key, value]) => `${key} ${value}`).join(", ") || "as it opens";
  return link;
}

/** Shows a line at the foot of the page; an empty one takes it away. */
export function showDock(kind, sentence) {
  write(kind, sentence);
  find(`.dock .${kind}`).hidden = !sentence;
}

/** Hands a file to the reader. */
export function download(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
