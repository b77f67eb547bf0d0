// The seam between the page, the reader's record and Python. It decides what may be seen and
// when; what a scenario means is Python's business.

import { boot } from "./boot.js";
import {
  TRACKS, exported, merge, newRecord, predictionOf, readRecord, toMarkdown, withImport, withRun,
} from "./record.js";
import { nameControls } from "./names.js";
import { openStore } from "./store.js";
import * as view from "./view.js";

const { find, write } = view;
const root = document.documentElement;
const PART = 1;
const TYPING_MS = 500; // a pause in typing that is worth a save
const TRACE_BYTES = 200e6;
const LEDGER_BYTES = 100e6;
const NARROW = matchMedia("(max-width: 52rem)"); // as in style.css
const TABLES = { table: ["fleet", "table"], "chart-table": ["seeds", "chart_table"] };
const THEMES = { auto: "automatic", light: "light", dark: "dark" };

let record = newRecord(root.dataset.track, root.dataset.version);
let here = new URL(location.href); // where the reader is, also where history may not say so
let query = here.search; // the scenario as the address, and later Python, words it
let frame = {}; // the newest value of each text
let unlockedRun = null; // a run that ended before the prediction; evidence only after it
let typing = 0;
let python = null;

const store = openStore(showStatus);
const now = () => new Date().toISOString();
const part1 = () => predictionOf(record, PART);

// ---- the record

function showStatus(status) {
  root.dataset.saved = status;
  if (status === "saving") return; // a badge that flickers tells nobody anything
  write("badge", status === "saved" ? "saved" : "NOT saved");
  view.note("storage_note", status === "saved" ? ""
    : "This browser keeps nothing for this page. Export your ledger before you close it.");
}

function showRecord() {
  view.showLock(record);
  view.showFrame(frame, Boolean(part1()));
  const revealed = part1() && (frame.reveal || record.runs.length);
  root.dataset.revealed = revealed ? "yes" : "no";
  const field = find('[data-field="reflection"]');
  if (document.activeElement !== field) field.value = record.reflections.part1 ?? "";
  field.setAttribute("aria-describedby", `reflect-${record.track}`);
  if (root.dataset.view === "ledger") view.showLedger(record);
}

async function keep(changed, how = "save") {
  record = changed;
  showRecord();
  adopt(await (await store)[how](changed));
}

// What another tab has kept in the meantime: its earlier prediction counts.
function adopt(kept) {
  if (!kept || kept.track !== record.track) return;
  const before = part1()?.at;
  record = merge(record, kept);
  showRecord();
  if (part1()?.at !== before) tellPrediction();
}

async function openRecord(track) {
  root.dataset.record = "loading";
  record = newRecord(track, root.dataset.version);
  const kept = track ? await (await store).load(track) : null;
  if (record.track !== track) return; // the reader has moved on
  if (kept) record = kept;
  root.dataset.record = "ready";
  showRecord();
  if (track) python?.tell("record", JSON.stringify(record));
}

const tellPrediction = () => part1() && python?.tell("prediction", part1());

// ---- where the reader is

function address(search, name) {
  const meant = new URLSearchParams(search).get("part") ? "part1" : "brief";
  return (search || "?") + (["", "choose", meant].includes(name) ? "" : `#${name}`);
}

function remember(how, url) {
  here = new URL(url, here);
  try {
    history[how](null, "", here);
  } catch {
    // A sandboxed frame may not change its address; the page works without.
  }
}

function arrive(moved) {
  const [oldTrack, oldView] = [root.dataset.track, root.dataset.view];
  const unknown = globalThis.placeReader(here);
  const { track, view: name } = root.dataset;
  view.note("track_note", unknown ? "There is no track of that name. Choose one of these four." : "");
  for (const link of document.querySelectorAll("[data-to]")) {
    if (link.dataset.to === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const trackName = track ? find(`.track[href="?track=${track}"] h2`).textContent : "";
  document.title = trackName ? `${trackName}, Fleet Orchestration` : "Fleet Orchestration";
  if (track && (track !== oldTrack || (moved && here.search !== query))) {
    query = here.search;
    if (track !== oldTrack) {
      view.clearFrame();
      frame = {};
      unlockedRun = null;
      openRecord(track);
    }
    python?.tell("scenario", query);
  } else showRecord();
  if (moved && (name !== oldView || track !== oldTrack)) {
    scrollTo(0, 0);
    [...document.querySelectorAll("h1")].find((title) => title.offsetParent)?.focus();
  }
}

function follow(event) {
  const link = event.target.closest("a[href]");
  const plainClick = !event.defaultPrevented && event.button === 0 &&
    !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  if (!link || !plainClick || link.target || link.download) return;
  const target = new URL(link.href);
  if (target.origin !== here.origin || target.pathname !== here.pathname) return;
  event.preventDefault();
  if (link.classList.contains("skip")) find("#main").focus();
  else {
    flushTyping();
    const within = link.getAttribute("href").startsWith("#");
    remember("pushState", within ? address(query, target.hash.slice(1)) : target);
    arrive(true);
  }
}

// ---- what Python tells

const onTell = {
  frame(value) {
    if (!value || (value.track && value.track !== record.track)) return;
    frame = { ...frame, ...value };
    showRecord();
    showTables();
    find("#slot-stage").setAttribute("aria-label", frame.stage_label ?? "The fleet");
    nameControls();
  },
  run(value) {
    view.showProgress(1);
    if (!value?.digest || trackOf(value) !== record.track) return;
    write("announcement", `The run is finished. ${frame.title ?? ""}`);
    const run = { at: now(), ...value };
    if (!part1()) unlockedRun = run;
    else if (withRun(record, run) !== record) keep(withRun(record, run));
  },
  query(value) {
    const track = new URLSearchParams(value).get("track");
    if (track !== root.dataset.track) return;
    query = value;
    remember("replaceState", address(query, root.dataset.view));
  },
  progress: (share) => view.showProgress(share),
  notice: (sentence) => view.showDock("notice", sentence),
  trace_error: (sentence) => write("trace_problem", sentence),
};

function showTables() {
  for (const [name, [table, field]] of Object.entries(TABLES)) {
    if (find(`[data-do="${name}"]`).open) view.showTable(table, frame[field] ?? []);
  }
}

function trackOf({ scenario, track }) {
  if (track) return track;
  return typeof scenario === "string" ? new URLSearchParams(scenario).get("track") : scenario?.track;
}

function onState(state, progress) {
  const bar = find(".stage progress");
  const megabytes = (bytes) => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
  const { loaded = 0, total = 0 } = progress ?? {};
  bar.hidden = state !== "loading";
  bar.value = total ? loaded / total : 0;
  if (state === "live") view.showDock("failure", "");
  write("loading", {
    loading: !total ? "Python is loading."
      : loaded < total ? `Python is loading: ${megabytes(loaded)} of ${megabytes(total)} MB.`
        : "Python is starting.",
    restarting: "Python stopped and is starting again. Your work is kept.",
    live: "The first run is under way.",
    error: "Python is not here. What you can read and write on this page still works.",
  }[state]);
}

// ---- what the reader does

function lock(event) {
  event.preventDefault();
  if (part1() || root.dataset.record !== "ready") return;
  const form = event.target;
  const { choice, number, confidence } = form.elements;
  const value = number.valueAsNumber;
  const [faulty, sentence] = !choice.value ? [choice[0], "Choose one of the four answers."]
    : !(value >= 0 && value <= 1000)
      ? [number, "Write how many times as long, as a number from 0 to 1000."]
      : !confidence.value ? [confidence, "Say how sure you are."] : [null, ""];
  write("lock_problem", sentence);
  for (const field of [...choice, number, confidence]) field.toggleAttribute("aria-invalid", false);
  if (faulty) {
    faulty.setAttribute("aria-invalid", "true");
    faulty.focus();
    return;
  }
  const prediction = {
    part: PART, choice: choice.value, number: value, confidence: Number(confidence.value), at: now(),
  };
  const locked = { ...record, predictions: [...record.predictions, prediction] };
  const run = unlockedRun && { ...unlockedRun, at: prediction.at };
  keep(run ? withRun(locked, run) : locked);
  tellPrediction();
  form.reset();
  find("#locked-title").focus();
}

function type() {
  clearTimeout(typing);
  typing = setTimeout(flushTyping, TYPING_MS);
  const text = find('[data-field="reflection"]').value;
  record = {
    ...record,
    reflections: { ...record.reflections, part1: text },
    reflected_at: { ...record.reflected_at, part1: now() },
  };
}

function flushTyping() {
  if (!typing) return;
  clearTimeout(typing);
  typing = 0;
  keep(record);
}

function leave() {
  if (typing || root.dataset.saved === "saving") keep(record, "flush");
}

async function sendTrace({ target }) {
  const [file] = target.files;
  if (!file) return;
  write("trace_problem", "");
  try {
    if (file.size > TRACE_BYTES) {
      throw new Error(`${file.name} has ${Math.round(file.size / 1e6)} MB; this page reads traces ` +
        "up to 200 MB. Cut it to the days you want.");
    }
    const bytes = await file.arrayBuffer().catch(() => {
      throw new Error(`${file.name} could not be read. Choose it again.`);
    });
    python.tell("trace_name", file.name);
    python.tell("trace", bytes);
  } catch (error) {
    write("trace_problem", error.message);
  }
  target.value = ""; // the same file may be chosen again
}

async function importLedger({ target }) {
  const [file] = target.files;
  if (!file) return;
  write("import_problem", "");
  try {
    if (file.size > LEDGER_BYTES) throw new Error(`${file.name} is too large to be a ledger.`);
    const incoming = readRecord(await file.text(), file.name);
    if (incoming.track !== root.dataset.track) {
      remember("pushState", `?track=${incoming.track}#ledger`);
      arrive(true);
    }
    const own = (await (await store).load(incoming.track)) ?? newRecord(incoming.track);
    await keep(withImport(own, incoming));
    python.tell("record", JSON.stringify(record));
    view.showDock("notice", `${file.name} is in your ledger.`);
  } catch (error) {
    write("import_problem", error.message);
  }
  target.value = "";
}

async function copyLink() {
  const link = new URL(query, here).href.split("#")[0];
  const field = find('[data-field="link"]');
  field.value = link;
  try {
    await navigator.clipboard.writeText(link);
    view.showDock("notice", "The link is copied. It holds every setting and the seed.");
  } catch {
    field.hidden = false;
    field.select();
    view.showDock("notice", "The browser does not let the page copy. The link is selected instead.");
  }
}

function afresh(asked) {
  find(".confirm").hidden = !asked;
  find('[data-do="afresh"]').hidden = asked;
  find(asked ? '[data-do="afresh-no"]' : '[data-do="afresh"]').focus();
}

function startAfresh() {
  unlockedRun = null;
  delete frame.reveal;
  view.clearFrame();
  keep(newRecord(record.track, root.dataset.version, record.generation + 1));
  python.tell("record", JSON.stringify(record));
  afresh(false);
}

function exportAs(extension, text, kind) {
  const name = `fleetlab-${record.track}-${now().slice(0, 10)}.${extension}`;
  view.download(name, text, kind);
}

function nextTheme() {
  const names = Object.keys(THEMES);
  const next = names[(names.indexOf(root.dataset.themeChoice) + 1) % names.length];
  try {
    localStorage.setItem("fleetlab/theme", next);
  } catch {
    // It holds for this visit.
  }
  root.dataset.themeChoice = next;
  applyTheme();
}

function applyTheme() {
  const choice = root.dataset.themeChoice;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = choice !== "auto" ? choice : dark ? "dark" : "light";
  find(".theme").setAttribute("aria-label", `Theme: ${THEMES[choice]}`);
  if (theme !== root.dataset.theme) {
    root.dataset.theme = theme;
    python.tell("theme", theme);
  }
}

const clicks = {
  theme: nextTheme,
  copy: copyLink,
  retry() {
    view.showDock("failure", "");
    python.restart();
  },
  dismiss: () => view.showDock("notice", ""),
  afresh: () => afresh(true),
  "afresh-no": () => afresh(false),
  "afresh-yes": startAfresh,
  "export-json": () => exportAs("json", JSON.stringify(exported(record), null, 2), "application/json"),
  "export-markdown": () => exportAs("md", toMarkdown(record, document.title.split(",")[0]),
    "text/markdown"),
};

const changes = { trace: sendTrace, import: importLedger };

// ---- begin

view.clearFrame();
arrive(false);
python = boot({
  query: () => query,
  theme: () => root.dataset.theme + (NARROW.matches ? " narrow" : ""),
  record: () => (TRACKS.includes(record.track) ? record : null),
  onTell: (name, value) => onTell[name]?.(value),
  onState,
  onFailure: ({ file, sentence }) =>
    view.showDock("failure", sentence || `The file ${file} could not be loaded.`),
});
openRecord(root.dataset.track);
applyTheme();

document.addEventListener("click", (event) => {
  clicks[event.target.closest("button[data-do]")?.dataset.do]?.();
  follow(event);
});
document.addEventListener("change", (event) => changes[event.target.dataset.do]?.(event));
find(".lock").addEventListener("submit", lock);
find('[data-field="reflection"]').addEventListener("input", type);
for (const name of Object.keys(TABLES)) {
  find(`[data-do="${name}"]`).addEventListener("toggle", showTables);
}
NARROW.addEventListener("change", ({ matches }) => python.tell("narrow", matches));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);
addEventListener("popstate", () => {
  here = new URL(location.href);
  arrive(true);
});
addEventListener("pagehide", leave);
document.addEventListener("visibilitychange", async () => {
  if (document.hidden) leave();
  else if (record.track) adopt(await (await store).load(record.track));
});

requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("fleetlab:painted")));
