// The page's side of the worker: draws at once what the build has rendered, starts Python, links
// the two, and carries changes both ways. Nothing here knows what the page is about.

import { fileError, loadOpening, plain, readManifest } from "./files.js";
import { forgetPlots } from "./forget.js";
import { createOutbox } from "./outbox.js";
import { openRecording } from "./recording.js";
import { loadScripts } from "./scripts.js";
import { bytesOf } from "./source.js";

const PULSE_MS = 10_000; // how often the live worker is asked for a sign of life
const PULSES_MISSED = 6; // unanswered signs after which it counts as dead
const RESTART_PAUSE_MS = 60_000; // crashes closer than this are not restarted twice
// What Python learns when it opens the page, and need not be told besides.
const OPENS_WITH = ["scenario", "theme", "narrow", "record", "prediction"];

/**
 * Starts Python in a worker. `query`, `theme`, `record` and `locked` (whether the reader has locked
 * the prediction of the part) are functions, asked when they are needed; `settled` is a promise
 * after which `record` and `locked` are to be trusted; `asked` one after which Python may start.
 *
 * onState(state, progress): "loading" (with {loaded, total, what}, in bytes), "live",
 * "restarting" or "error"; onTell(name, value): what Python tells; onFailure({file, sentence}).
 * Returns {tell(name, value), restart(), keep(), document}; `keep` has the worker keep its files
 * unpacked for a later visit.
 */
export function boot({ query, theme, record, locked, settled, asked, onTell, onState, onFailure }) {
  const root = document.documentElement;
  const outbox = createOutbox();
  let worker = null;
  let views = null; // BokehJS's view manager of the embedded document
  let model = null; // the document itself
  let embedding = Promise.resolve(); // embeds and patches, one after the other
  let opening = null; // promise of the newest opening: {fingerprint, run}, or null
  let opened = false; // Python has been given the opening that it is to link to
  let recording = false; // Python is not to be had: the default run is shown, and no other can be
  let drawn = null; // the opening that is drawn, and in which look
  let player = null; // of the recording that is shown
  let scripts = null;
  let busy = true;
  let missed = 0;
  let pulse = null;
  let restartedAt = -Infinity;
  let trusted = false; // `record` and `locked` are
  let lean = globalThis.fleetlabLean ?? false; // once the snapshot has failed, it is not tried again

  function state(name, progress) {
    root.dataset.fleetlabState = name === "restarting" ? "loading" : name;
    onState?.(name, progress);
  }

  function failure(file, sentence) {
    stop();
    state("error");
    recording = !opened;
    for (const slot of recording ? document.querySelectorAll(".slot") : []) wake(slot, false);
    if (recording && !["open", "locked"].includes(root.dataset.opening)) hydrate();
    else if (recording) embedding = embedding.then(wakeClock);
    onFailure?.({ file, sentence });
  }

  function stop() {
    clearInterval(pulse);
    player?.close();
    worker?.terminate();
    worker = null;
    busy = true;
    missed = 0;
  }

  async function start(fresh) {
    const mine = (worker = { terminate() {} }); // tells an overtaken start to end
    const { begunWorker } = globalThis; // in headstart.js
    globalThis.begunWorker = null;
    recording = !globalThis.WebAssembly;
    try {
      scripts = loadScripts(readManifest());
      scripts.catch(() => {});
      if (!opened) hydrate();
      if (recording) throw fileError("", "This browser has no WebAssembly, which Python runs in here.");
      await asked;
      if (worker !== mine) return;
      const { worker: started, said } = begunWorker ?? globalThis.beginWorker({ fresh, lean });
      worker = started;
      listen(worker, said);
      await scripts;
    } catch (error) {
      failure(error.file ?? "", error.message);
    }
  }

  // ---- the opening

  // Draws what the build has rendered for where the reader is; nothing depends on it.
  function hydrate() {
    const mine = (opening = (async () => {
      await settled;
      trusted = true;
      const found = await loadOpening(recording ? plain(query()) : query(), locked(), readManifest());
      if (!found || opening !== mine) return null;
      const look = theme();
      embedding = embedding.then(() => scripts).then(() => opening === mine && draw(found, look));
      embedding = embedding.catch((error) => console.warn(error));
      return { fingerprint: found.looks[look].fingerprint, run: found.run };
    })().catch((error) => {
      console.warn(`Nothing is shown before Python is here: ${error.message}`);
      return null;
    }));
  }

  async function draw(found, look) {
    const { kind, told, looks } = found;
    root.dataset.opening = kind;
    await embed(looks[look].document, kind === "bare" || recording);
    drawn = { opening: found, look };
    for (const [name, value] of [...told, ...looks[look].told]) {
      if (!(recording && name === "query")) tell(name, value); // what the address asks for stays
    }
    if (recording) wakeClock();
    whenDrawn();
  }

  // Without Python the clock plays what the build has recorded of the run.
  function wakeClock() {
    const asked = { ...drawn, document: model, change: keepFocus, tell, before: player };
    player = drawn?.opening.moments ? openRecording(asked) : null;
  }

  function whenDrawn() {
    if (model.is_idle) painted();
    else model.idle.connect(() => painted()); // BokehJS keeps what a function of ours is connected to
  }

  // Answers the worker that is ready: who the reader is, and what the page shows already.
  async function open(current) {
    let shown = null;
    for (let asked = null; asked !== opening; ) {
      asked = opening;
      shown = await asked;
    }
    const run = await shown?.run.catch(() => null);
    if (worker !== current) return;
    opened = true;
    opening = null;
    outbox.forget(OPENS_WITH);
    const text = (value) => (value ? JSON.stringify(value) : "");
    worker.postMessage({
      type: "open",
      query: query(),
      theme: theme(),
      record: text(record()),
      shown: shown?.fingerprint ?? "",
      run: run ?? null,
    });
  }

  // ---- the worker

  // `said`: what the worker has sent before anyone listened.
  function listen(current, said) {
    const hear = (data) => {
      if (worker !== current) return;
      missed = 0;
      handle[data.type]?.(data);
    };
    current.onmessage = ({ data }) => hear(data);
    current.onerror = (event) => {
      event.preventDefault();
      hear({ type: "crash", reason: event.message });
    };
    current.onmessageerror = () => hear({ type: "crash", reason: "a message could not be read" });
    said.forEach(hear);
  }

  function crashed(reason) {
    const now = performance.now();
    if (now - restartedAt < RESTART_PAUSE_MS) {
      failure("", `Python stopped twice in a short time (${reason || "no reason given"}).`);
      return;
    }
    restartedAt = now;
    stop();
    state("restarting");
    start(false);
  }

  function watch() {
    clearInterval(pulse);
    pulse = setInterval(() => {
      if (document.hidden) return;
      if (missed >= PULSES_MISSED) crashed("it gave no sign of life");
      else {
        missed += 1;
        worker?.postMessage({ type: "ping" });
      }
    }, globalThis.fleetlabPulseMs ?? PULSE_MS);
  }

  const handle = {
    progress: ({ loaded, total, what }) => state("loading", { loaded, total, what }),
    ready: () => open(worker),
    need: async ({ name, cache }) => {
      const current = worker;
      const answer = await bytesOf(name, cache).then(
        (bytes) => ({ bytes }),
        (error) => ({ problem: error.message }),
      );
      if (worker === current) current.postMessage({ type: "file", name, ...answer });
    },
    document: ({ document: text }) => {
      embedding = embedding
        .then(() => scripts)
        .then(() => embed(JSON.parse(text)))
        .then(whenDrawn)
        .catch((error) => failure("", `The page could not be drawn: ${error.message}`));
    },
    patch: ({ patch, buffers }) => {
      embedding = embedding
        .then(() => keepFocus(() => model?.apply_json_patch(JSON.parse(patch), new Map(buffers))))
        .catch((error) => console.error(error));
    },
    live: () => {
      const current = worker;
      embedding = embedding.then(() => {
        if (worker !== current || !model) return;
        delete root.dataset.opening;
        for (const slot of document.querySelectorAll("[data-asleep]")) wake(slot, true);
        busy = false;
        watch();
        performance.mark("fleetlab:live");
        state("live");
        flush();
      });
    },
    idle: () => {
      busy = false;
      flush();
    },
    tell: ({ name, value }) => {
      embedding = embedding.then(() => tell(name, value)); // after the patches before it
    },
    kept: () => performance.mark("fleetlab:kept"),
    failure: ({ file, sentence }) => failure(file, sentence),
    crash: ({ reason }) => crashed(reason),
    unfit: ({ reason }) => {
      console.warn(`The snapshot did not do, Python starts without it: ${reason}`);
      lean = true;
      stop();
      state("loading", { loaded: 0, total: 0, what: "" });
      start(false);
    },
  };

  function tell(name, value) {
    onTell?.(name, value);
    if (name === "run" && value?.digest) root.dataset.fleetlabRun = value.digest;
  }

  // ---- the document

  // A document that is asleep can be looked at and not used, until Python is live.
  async function embed({ docs, items, slots }, asleep = false) {
    const old = model;
    player?.close();
    if (views) {
      views.clear();
      forgetPlots();
      const at = Bokeh.documents.indexOf(old);
      if (at >= 0) Bokeh.documents.splice(at, 1);
    }
    for (const slot of Object.values(slots).map((id) => document.getElementById(id))) {
      slot?.replaceChildren();
      if (slot) wake(slot, !asleep);
    }
    items[0].roots = slots;
    items[0].root_ids = Object.keys(slots);
    [views] = await Bokeh.embed.embed_items(docs, items);
    model = views.roots[0].model.document;
    const embedded = model;
    embedded.on_change((event) => {
      if (event.sync === false) return settle(event);
      if (model !== embedded || recording) return;
      outbox.change(event);
      flush();
    }, false);
    outbox.move(old, embedded);
  }

  function flush() {
    if (busy || !worker) return;
    const next = outbox.take();
    if (!next) return;
    busy = true;
    if (next.tell) {
      worker.postMessage({ type: "tell", ...next.tell });
      return;
    }
    const patch = JSON.stringify(model.create_json_patch(next.changes), buffersAsText);
    worker.postMessage({ type: "patch", patch });
  }

  state("loading", { loaded: 0, total: 0, what: "" });
  start(false);

  return {
    tell(name, value) {
      outbox.tell(name, value);
      // Until Python has been asked, another place, look or lock shows another opening; the first
      // one waits for all three by itself.
      if (!opened && trusted && OPENS_WITH.includes(name)) {
        // The lock leads from a part's opening scene to the part itself.
        if (name === "prediction" && root.dataset.opening === "open" && !recording) onTell?.("query", plain(query()));
        hydrate();
      }
      flush();
    },
    keep() {
      worker?.postMessage({ type: "keep" });
    },
    restart() {
      stop();
      state("loading", { loaded: 0, total: 0, what: "" });
      start(true);
    },
    get document() {
      return model;
    },
  };
}

/** Marks that the page is there whole: what is drawn now is shown at the frame after the next. */
export function painted() {
  const mark = () => performance.mark("fleetlab:painted");
  if (!performance.getEntriesByName("fleetlab:painted").length) {
    requestAnimationFrame(() => requestAnimationFrame(mark));
  }
}

// A slider is at rest where Python has put it: to be let go of where it was before is a change.
function settle({ kind, model, attr, value }) {
  if (kind === "ModelChanged" && attr === "value" && "value_throttled" in model.properties) {
    model.setv({ value_throttled: value }, { sync: false });
  }
}

// A widget that is drawn anew loses the focus; who was on it stays on it.
function keepFocus(change) {
  let [host, inner] = [null, document.activeElement];
  while (inner?.shadowRoot?.activeElement) [host, inner] = [inner, inner.shadowRoot.activeElement];
  if (!host) return change();
  const refocus = () => {
    if (document.activeElement !== document.body || !host.isConnected) return;
    host.shadowRoot.querySelector("button, input, select, [tabindex]")?.focus();
  };
  // As soon as it is drawn, since a key may be pressed before the next frame.
  const drawn = new MutationObserver(refocus);
  drawn.observe(host.shadowRoot, { childList: true, subtree: true });
  requestAnimationFrame(() => {
    refocus();
    drawn.disconnect();
  });
  change();
}

function wake(slot, awake) {
  slot.toggleAttribute("inert", !awake);
  slot.toggleAttribute("data-asleep", !awake);
}

// BokehJS leaves binary values as buffers; a patch travels as text.
function buffersAsText(_, value) {
  return typeof value?.to_base64 === "function" ? value.to_base64() : value;
}
