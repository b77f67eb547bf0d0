// The seam between the page, the reader's record and Python. It decides what may be seen and
// when; what a scenario means is Python's business.

import { sayMoment, sayRun } from "./announce.js";
import { boot, painted } from "./boot.js";
import { copyLink, exportAs, readLedger, savePicture, sendTrace } from "./exchange.js";
import { askAfresh, showLedger, withParadoxRun, withPolicyRun } from "./ledger.js";
import { tellHeight, whenAsked } from "./frame.js";
import { readLock, showFault, whenEntered } from "./lock.js";
import { nameControls } from "./names.js";
import { openPeek } from "./peek.js";
import {
  addressOf, addressOfLink, forgetQueries, keepQuery, placeNow, queryHere, remember, rememberLocation, scenarioIn,
} from "./place.js";
import {
  OWN_RULE, TRACKS, asText, merge, newRecord, partIn, predictionOf, runWith, withImport, withPart, withRun,
  withWritten,
} from "./record.js";
import { openStore } from "./store.js";
import { openTheme } from "./theme.js";
import { keepForLater } from "./updates.js";
import * as view from "./view.js";

const { find, write } = view;
const root = document.documentElement;
const TYPING_MS = 500; // a pause in typing that is worth a save
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const NARROW = matchMedia("(max-width: 52rem)"); // as in style.css

let record = newRecord(root.dataset.track, root.dataset.version);
let query = scenarioIn(location.search); // the scenario as the address, and later Python, words it
let typing = 0;
let python = null;
const peek = openPeek((question) => python?.tell("peek", question));
let beginPython = null; // what the Start button of a frame does
let updates = null; // takes the newer version, once this one is live
// By part, on this track: the newest value of each of its texts, and a run that ended before the
// prediction, which is evidence only after it.
const frames = new Map();
const unlockedRuns = new Map();

const store = openStore(showStatus);
const now = () => new Date().toISOString();
const partNow = () => Number(root.dataset.part);
const frameOf = (part) => frames.get(part) ?? {};
const partOfField = (field) => Number(field.closest(".part").dataset.part);

// ---- the record

function showStatus(status) {
  root.dataset.saved = status;
  if (status === "saving") return; // a badge that flickers tells nobody anything
  write("badge", status === "saved" ? "saved" : "NOT saved");
  view.note("storage_note", status === "saved" ? ""
    : "This browser keeps nothing for this page. Export your ledger before you close it.");
}

function showRecord() {
  view.showSteps(record);
  for (const section of view.partSections()) showPart(section);
  if (root.dataset.view === "ledger") showLedger(record);
}

function showPart(section) {
  const part = Number(section.dataset.part);
  const frame = frameOf(part);
  view.showLock(section, record);
  view.showFrame(section, frame, Boolean(predictionOf(record, part)));
  view.showReveal(section, record, frame);
  view.showRule(section, record);
}

async function keep(changed, how = "save") {
  record = changed;
  showRecord();
  adopt(await (await store)[how](changed));
}

// What another tab has kept in the meantime: its earlier prediction counts.
function adopt(kept) {
  if (!kept || kept.track !== record.track) return;
  const before = JSON.stringify(record.predictions);
  record = merge(record, kept);
  showRecord();
  if (JSON.stringify(record.predictions) !== before) tellRecord();
}

async function openRecord(track) {
  root.dataset.record = "loading";
  record = newRecord(track, root.dataset.version);
  const kept = track ? await (await store).load(track) : null;
  if (record.track !== track) return; // the reader has moved on
  if (kept) record = kept;
  root.dataset.record = "ready";
  showRecord();
  if (track) tellRecord();
}

const tellRecord = () => python?.tell("record", JSON.stringify(record));

// ---- where the reader is

function arrive(moved) {
  const [oldTrack, oldView] = [root.dataset.track, root.dataset.view];
  const unknown = globalThis.placeReader(placeNow());
  const { track, view: name, part } = root.dataset;
  if (track !== oldTrack) forgetQueries();
  const here = queryHere();
  view.note("track_note", unknown ? "There is no track of that name. Choose one of these four." : "");
  for (const link of document.querySelectorAll("[data-to]")) {
    if (link.dataset.to === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const trackName = track ? find(`.track[href="?track=${track}"] h2`).textContent : "";
  find(".whole").href = query || "?";
  document.title = trackName ? `${trackName}, Fleet Orchestration` : "Fleet Orchestration";
  if (track && (track !== oldTrack || here !== query)) {
    query = here;
    keepQuery(Number(part), query);
    if (track !== oldTrack) {
      view.clearFrame();
      frames.clear();
      unlockedRuns.clear();
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
  const [target, here] = [new URL(link.href), placeNow()];
  if (target.origin !== here.origin || target.pathname !== here.pathname) return;
  event.preventDefault();
  if (link.classList.contains("skip")) find("#main").focus();
  else {
    flushTyping();
    remember("pushState", addressOfLink(link, query));
    arrive(true);
  }
}

// ---- what Python tells

const onTell = {
  frame({ track, part, ...value }) {
    if (track !== record.track) return;
    const before = frameOf(part);
    frames.set(part, { ...before, ...value });
    showPart(view.sectionOf(part));
    nameControls();
    if (part === partNow()) sayMoment(before, frameOf(part));
  },
  run(value) {
    const run = withPart({ at: now(), ...value });
    const { part } = run;
    view.showProgress(view.sectionOf(part), 1);
    if (!run.digest || run.track !== record.track) return;
    sayRun(frameOf(part));
    if (!predictionOf(record, part)) unlockedRuns.set(part, run);
    else if (withRun(record, run) !== record) keep(withRun(record, run));
  },
  query(value) {
    const track = new URLSearchParams(value).get("track");
    if (track !== root.dataset.track || partIn(value) !== partNow()) return;
    query = value;
    keepQuery(partNow(), query);
    remember("replaceState", addressOf(query, root.dataset.view));
  },
  policy({ of, policy }) {
    if (JSON.stringify(of) !== JSON.stringify(policyScenarios())) return;
    const ruled = record.evidence.runs.some((digest) => runWith(record, digest)?.rule);
    keep(withWritten(record, "policy", ruled ? { ...policy, placement: OWN_RULE } : policy, now()));
  },
  progress: (share) => view.showProgress(view.sectionOf(partNow()), share),
  notice: (sentence) => view.showDock("notice", sentence),
  peek: (view) => peek.show(view),
  trace_error: (sentence) => write("trace_problem", sentence),
};

function onState(state, progress) {
  const megabytes = (bytes) => (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
  const { loaded = 0, total = 0 } = progress ?? {};
  for (const bar of document.querySelectorAll("progress.loading")) {
    bar.hidden = state !== "loading";
    bar.value = total ? loaded / total : 0;
  }
  if (state === "live") {
    view.showDock("failure", "");
    python.tell("still", STILL.matches);
    peek.again(); // of a Python that was not there, or is another one
    updates ??= keepForLater(python.keep, () => view.showDock("update", "A newer version of this lab is ready."));
  }
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

function lock({ form }) {
  const part = partOfField(form);
  if (predictionOf(record, part) || root.dataset.record !== "ready") return;
  const { prediction: made, field, sentence } = readLock(form, part);
  const section = view.sectionOf(part);
  write("lock_problem", sentence, section);
  showFault(form, field);
  if (!made) return;
  const prediction = { ...made, at: now() };
  const locked = { ...record, predictions: [...record.predictions, prediction] };
  const run = unlockedRuns.get(part);
  keep(run ? withRun(locked, { ...run, at: prediction.at }) : locked);
  python.tell("prediction", prediction);
  form.reset();
  find(".locked h2", section).focus();
}

function type({ target }) {
  const { field } = target.dataset;
  clearTimeout(typing);
  typing = setTimeout(flushTyping, TYPING_MS);
  if (field === "reflection") {
    record = withWritten(record, `part${partOfField(target)}`, target.value, now());
  } else {
    const text = target.value;
    const value = field === "paradox_answer" ? { ...record.paradox_answer, text } : text;
    record = withWritten(record, field, value, now());
  }
}

// A run is cited in the ledger: for the policy of a part, or as one of the paradox's two.
function cite({ dataset: { choose, which }, value }) {
  const cited = choose === "policy" ? withPolicyRun : withParadoxRun;
  keep(cited(record, Number(which), value, now()));
  if (choose === "policy") python.tell("policy", JSON.stringify(policyScenarios()));
}

function policyScenarios() {
  return record.evidence.runs.map((digest) => asText(runWith(record, digest)?.scenario));
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

async function importLedger(field) {
  const [file] = field.files;
  if (!file) return;
  flushTyping();
  write("import_problem", "");
  try {
    const incoming = await readLedger(file, now());
    if (incoming) await takeIn(incoming);
    view.showDock("notice", incoming ? `${file.name} is in your ledger.`
      : `${file.name} has no step of this lab yet. Export for the textbook adds it.`);
  } catch (error) {
    write("import_problem", error.message);
  }
  field.value = "";
}

async function takeIn(incoming) {
  if (incoming.track !== root.dataset.track) {
    remember("pushState", addressOf(`?track=${incoming.track}`, "ledger"));
    arrive(true);
  }
  const own = (await (await store).load(incoming.track)) ?? newRecord(incoming.track, root.dataset.version);
  await keep(withImport(own, incoming));
  tellRecord();
}

function startAfresh() {
  unlockedRuns.clear();
  for (const frame of frames.values()) delete frame.reveal;
  view.clearFrame();
  keep(newRecord(record.track, root.dataset.version, record.generation + 1));
  tellRecord();
  askAfresh(false);
}

const exporting = (way) => () => exportAs(way, record, document.title.split(",")[0], now());

const saving = (form) => (button) => {
  const part = partOfField(button);
  const name = `fleetlab-${record.track}-part${part}-${now().slice(0, 10)}`;
  return savePicture(frameOf(part).picture_file, form, name);
};

const clicks = {
  lock,
  theme: () => nextTheme(),
  copy: (button) => copyLink(new URL(query, placeNow()).href.split("#")[0], button),
  retry() {
    view.showDock("failure", "");
    python.restart();
  },
  dismiss: () => view.showDock("notice", ""),
  begin() {
    view.showDock("begin", "");
    beginPython();
  },
  update: () => updates(),
  later: () => view.showDock("update", ""),
  "rule-afresh": () => keep(withWritten(record, "rule", "", now())),
  afresh: () => askAfresh(true),
  "afresh-no": () => askAfresh(false),
  "afresh-yes": startAfresh,
  "picture-png": saving("png"),
  "picture-svg": saving("svg"),
  "export-json": exporting("json"),
  "export-markdown": exporting("markdown"),
  "export-picture": exporting("picture"),
  "export-textbook": exporting("textbook"),
};

function change({ target }) {
  if (target.dataset.do === "trace") sendTrace(target, python.tell);
  else if (target.dataset.do === "import") importLedger(target);
  else if (target.dataset.choose) cite(target);
  else if (target.name === "priority") keep(withWritten(record, "priority", target.value, now()));
}

// ---- begin

view.clearFrame();
if (root.dataset.only) view.showOnly(root.dataset.only);
arrive(false);
const settled = openRecord(root.dataset.track);
python = boot({
  query: () => query,
  theme: () => root.dataset.theme + (NARROW.matches ? " narrow" : ""),
  record: () => (TRACKS.includes(record.track) ? record : null),
  locked: () => Boolean(predictionOf(record, partNow())),
  settled,
  asked: whenAsked((begin) => {
    view.showDock("begin", "Python starts when you ask for it.");
    beginPython = begin;
  }),
  onTell: (name, value) => onTell[name]?.(value),
  onState,
  onFailure: view.showFailure,
});
const nextTheme = openTheme((theme) => python.tell("theme", theme));
tellHeight();
if (!root.dataset.view.startsWith("part")) painted(); // a view without instruments

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-do]");
  clicks[button?.dataset.do]?.(button);
  const teller = event.target.closest("button[data-tell]");
  if (teller) {
    const { tell, from } = teller.dataset; // a button may send what a field holds
    python.tell(tell, from ? document.getElementById(from).value : teller.value);
  }
  follow(event);
});
document.addEventListener("change", change);
whenEntered(lock);
document.addEventListener("input", (event) => {
  if (event.target.matches("textarea[data-field]")) type(event);
});
// "toggle" does not bubble, so it is heard on its way down.
document.addEventListener("toggle", ({ target }) => {
  const section = target.closest(".part");
  if (!section) return;
  if (target.dataset.tell) python.tell(target.dataset.tell, target.open);
  else if (predictionOf(record, partOfField(target))) view.showTables(section, frameOf(partOfField(target)));
}, true);
NARROW.addEventListener("change", ({ matches }) => python.tell("narrow", matches));
STILL.addEventListener("change", ({ matches }) => python.tell("still", matches));
addEventListener("popstate", () => {
  rememberLocation();
  arrive(true);
});
addEventListener("pagehide", leave);
document.addEventListener("visibilitychange", async () => {
  if (document.hidden) leave();
  else if (record.track) adopt(await (await store).load(record.track));
});
