// Writes values into the page, always as text and never as markup.

import { guessOf, surenessOf, textOf } from "./questions.js";
import { asText, predictionOf, runsOf } from "./record.js";

// What may be read before the prediction is locked: the scene, but nothing it measured.
const OPEN_TEXTS = new Set(["title", "scene", "why"]);

export const find = (selector, within = document) => within.querySelector(selector);
export const sectionOf = (part) => find(`.part[data-part="${part}"]`);
export const partSections = () => [...document.querySelectorAll(".part")];
const element = (name, within) => find(`[data-text="${name}"]`, within);
const firstTexts = new Map();

// What changes while the clock runs or is measured anew, in lines as well: what is under it is to stay there.
const CLOCKED = ".fleet h1, .scene, .why, .queue, .figures p, :is(.chart, .card) > h2, .seesaw-chart .ends, .reveal .lead";
let roomWidth = 0; // of the page, when room was last kept

/** Writes a text where the page has a place for it; the same text again changes nothing. */
export function write(name, text, within = document) {
  for (const place of within.querySelectorAll(`[data-text="${name}"]`)) {
    if (!firstTexts.has(place)) firstTexts.set(place, place.textContent);
    const value = String(text ?? "").replace(/(?<=\d) (?=%)/g, "\u00a0"); // a number and its sign stay on one line
    if (place.textContent !== value) place.textContent = value;
  }
}

/** Writes one of the lines that are hidden while they have nothing to say. */
export function note(name, text) {
  write(name, text);
  element(name).hidden = !text;
}

/**
 * Shows a frame in its part: the texts, bars and cards that it has. Before the lock only the scene
 * is shown; what was measured waits.
 */
export function showFrame(section, frame, locked) {
  for (const [name, value] of Object.entries(frame)) {
    if (typeof value === "object" || !(locked || OPEN_TEXTS.has(name))) continue;
    write(name, value, section);
  }
  for (const [name, text] of Object.entries(frame.labels ?? {})) write(`labels.${name}`, text, section);
  for (const place of section.querySelectorAll("[data-label]")) {
    const label = frame[place.dataset.label];
    if (label) place.setAttribute("aria-label", label);
  }
  keepRoom(section);
  if (!locked) return;
  for (const [name, share] of Object.entries(frame.bars ?? {})) {
    const bar = find(`[data-bar="${name}"]`, section);
    bar?.style.setProperty("--share", Math.min(1, Math.max(0, share || 0)));
  }
  for (const card of section.querySelectorAll("[data-needs]")) {
    card.hidden = !frame[card.dataset.needs];
  }
  for (const option of section.querySelectorAll("[data-option]")) {
    option.toggleAttribute("data-measured", option.dataset.option === frame.answer);
  }
  for (const place of section.querySelectorAll("[data-picture]")) {
    showPicture(place, frame[place.dataset.picture]);
  }
  showTables(section, frame);
}

// A picture is drawn in Python as SVG; in an <img> nothing of it can run.
function showPicture(image, svg) {
  if (!svg || image.dataset.shown === svg) return;
  image.dataset.shown = svg;
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** Fills the tables that are open; a closed one costs nothing. */
export function showTables(section, frame) {
  for (const table of section.querySelectorAll("details.table[open] [data-table]")) {
    showTable(table, frame[table.dataset.table] ?? []);
  }
}

/** Shows how far the run under way has come, where its result will stand; 1 is the end. */
export function showProgress(section, share) {
  const bar = find(".running", section);
  bar.hidden = share >= 1;
  bar.value = share;
  section.toggleAttribute("data-running", share < 1);
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
  freeRoom();
}

// Leaves each of these the most room that it has taken so far, until the page has another width.
function keepRoom(section) {
  if (innerWidth !== roomWidth) freeRoom();
  roomWidth = innerWidth;
  const taken = [...section.querySelectorAll(CLOCKED)].map((place) => [place, place.getBoundingClientRect().height]);
  for (const [place, height] of taken) {
    if (height > (parseFloat(place.style.minHeight) || 0)) place.style.minHeight = `${height}px`;
  }
}

function freeRoom() {
  for (const place of document.querySelectorAll(CLOCKED)) place.style.removeProperty("min-height");
}

/** Returns a new element with texts or elements in it. */
export function made(tag, ...content) {
  const element = document.createElement(tag);
  element.append(...content);
  return element;
}

/** Fills a table; the first row holds the names of the columns. */
export function showTable(table, [head = [], ...rows]) {
  const cell = (tag, value) => made(tag, value instanceof Node ? value : asText(value));
  const heads = head.map((name) => Object.assign(cell("th", name), { scope: "col" }));
  const lines = rows.map((cells) => made("tr", ...cells.map((value) => cell("td", value))));
  table.replaceChildren(made("thead", made("tr", ...heads)), made("tbody", ...lines));
}

/** Returns a new table of these rows. */
export function tableOf(rows) {
  const table = document.createElement("table");
  showTable(table, rows);
  return table;
}

/** Returns an ISO time as the reader's clock shows it, with the day when it was another. */
export function clock(iso) {
  const at = new Date(iso);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const today = at.toDateString() === new Date().toDateString();
  return today ? time : `${at.toLocaleDateString([], { day: "numeric", month: "short" })}, ${time}`;
}

/** Returns an ISO time as an element of the page. */
export function timeElement(iso) {
  return Object.assign(made("time", clock(iso)), { dateTime: iso });
}

/** Shows whether a part is predicted, and how; its gates follow `data-locked`. */
export function showLock(section, record) {
  const part = Number(section.dataset.part);
  const prediction = predictionOf(record, part);
  section.dataset.locked = prediction ? "yes" : "no";
  for (const gate of section.querySelectorAll(".gated")) gate.inert = !prediction;
  for (const option of section.querySelectorAll("[data-option]")) {
    const mine = option.dataset.option === prediction?.choice;
    option.toggleAttribute("data-mine", mine);
    const mark = find(".mark", option);
    mark.replaceChildren(...(mine ? ["yours, ", timeElement(prediction.at)] : []));
  }
  if (!prediction) return;
  const [guess, sureness] = [guessOf(prediction), surenessOf(prediction)];
  write("locked_detail", `${guess ? `${guess}, ` : ""}${sureness}.`, section);
  const choice = textOf(part, prediction.choice).split(/[,:]/)[0]
    .replace(/^[A-Z](?=[a-z])/, (letter) => letter.toLowerCase());
  write("yours", `You said at ${clock(prediction.at)}: ${[choice, guess].filter(Boolean).join(", ")} ` +
    `(${sureness}).`, section);
}

/** Shows in each brief which parts are predicted. */
export function showSteps(record) {
  for (const step of document.querySelectorAll("[data-step]")) {
    const prediction = predictionOf(record, Number(step.dataset.step));
    step.textContent = prediction ? `predicted at ${clock(prediction.at)}` : "about 15 minutes";
  }
}

/** Shows what the run and the reader have written of a part, when there is something to show. */
export function showReveal(section, record, frame) {
  const part = Number(section.dataset.part);
  const revealed = predictionOf(record, part) && (frame.reveal || runsOf(record, part).length);
  section.dataset.revealed = revealed ? "yes" : "no";
  const field = find('[data-field="reflection"]', section);
  if (document.activeElement !== field) field.value = record.reflections[`part${part}`] ?? "";
  field.setAttribute("aria-describedby", `part${part}-reflect-${record.track}`);
}

/** Shows the reader's own placement rule, unfolded, or the worked one that it starts from. */
export function showRule(section, record) {
  const field = find('[data-field="rule"]', section);
  if (!field || document.activeElement === field) return;
  const text = record.rule || field.defaultValue;
  if (record.rule && field.value !== text) field.closest(".further").open = true;
  field.value = text;
}

/** Shows a line at the foot of the page; an empty one takes it away. */
export function showDock(kind, sentence) {
  write(kind, sentence);
  find(`.dock .${kind}`).hidden = !sentence;
}

/** Shows why Python is not there; what stands in a part that never had it is a recording. */
export function showFailure({ file, sentence }) {
  const cause = (sentence || `The file ${file} could not be loaded`).replace(/\.?$/, ".");
  showDock(globalThis.WebAssembly ? "failure" : "notice", cause); // no retry brings WebAssembly
  for (const section of partSections()) {
    const note = find(".recording", section);
    note.toggleAttribute("data-kept", "only" in document.documentElement.dataset);
    note.textContent = (find(".batch[data-kept]", section)
      ? `This instrument compares runs that cannot be made here. ${cause} `
      : "This is a recording of the run with the default settings. Play, Step and the slider " +
        `move through it; nothing new can be run here. ${cause} `) + "What you predict and write is kept as always.";
  }
}

/** Keeps of every part one instrument with its knobs: "fleet", or what a title's id names ("seesaw"). */
export function showOnly(name) {
  for (const section of partSections()) {
    const title = `part${section.dataset.part}-${name}-title`;
    const kept = name === "fleet" ? find(".fleet", section)
      : [...section.querySelectorAll("[aria-labelledby]")].find((each) => each.getAttribute("aria-labelledby") === title);
    kept?.toggleAttribute("data-kept", true);
    kept?.querySelector(".further")?.toggleAttribute("open", true);
  }
}

// A sandboxed frame has no origin of its own, and may be forbidden to save files: nothing tells.
const mayNotSave = globalThis.origin === "null" && location.protocol !== "file:";

/** Hands a file to the reader; where that may be forbidden, it is shown besides, to copy. */
export function download(name, content, type) {
  if (mayNotSave) offer(name, content);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

// A picture's own menu saves or copies it even where the page may not.
function offer(name, content) {
  const sorry = `This frame may be forbidden to save files. If ${name} did not come, `;
  if (document.documentElement.dataset.view !== "ledger") {
    showDock("notice", `${sorry}save or copy the picture on the page by its own menu.`);
    return;
  }
  const [field, picture] = [find("#ledger-copy"), find("#ledger-picture")];
  const isText = typeof content === "string";
  note("copy", isText ? `${sorry}copy it from here.` : `${sorry}save or copy the picture below by its own menu.`);
  field.hidden = !isText;
  picture.hidden = isText;
  URL.revokeObjectURL(picture.src);
  if (isText) {
    field.value = content;
    field.select();
  } else {
    picture.src = URL.createObjectURL(content);
  }
}
