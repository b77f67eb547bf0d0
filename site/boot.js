// The page's side of the worker: starts it, embeds the document it builds, and carries changes
// both ways. Nothing here knows what the page is about.

const SCRIPTS = [
  { file: "runtime/bokeh.min.js", model: "Plot" },
  { file: "runtime/bokeh-widgets.min.js", model: "Slider" },
  { file: "runtime/bokeh-tables.min.js", model: "DataTable" },
  { file: "runtime/panel.min.js", model: "panel.models.layout.Column" },
];
const STALL_MS = 30_000; // no byte of a file for so long: it has stalled
const PULSE_MS = 10_000; // how often the live worker is asked for a sign of life
const PULSES_MISSED = 6; // unanswered signs after which it counts as dead
const RESTART_PAUSE_MS = 60_000; // crashes closer than this are not restarted twice

/**
 * Starts Python in a worker. `query` and `record` are values, or functions asked at each start.
 *
 * onState(state, progress): "loading" (with {loaded, total, what}, in bytes), "live",
 * "restarting" or "error"; onTell(name, value): what Python tells; onFailure({file, sentence}).
 * Returns {tell(name, value), restart(), document}.
 */
export function boot({ query, theme, record, onTell, onState, onFailure }) {
  const root = document.documentElement;
  let worker = null;
  let views = null; // BokehJS's view manager of the embedded document
  let model = null; // the document itself
  let embedding = Promise.resolve(); // embeds and patches, one after the other
  let outbox = []; // {event} or {tell}, in the order in which they happened
  let busy = true;
  let missed = 0;
  let pulse = null;
  let restartedAt = -Infinity;

  function state(name, progress) {
    root.dataset.fleetlabState = name === "restarting" ? "loading" : name;
    onState?.(name, progress);
  }

  function failure(file, sentence) {
    stop();
    state("error");
    onFailure?.({ file, sentence });
  }

  function stop() {
    clearInterval(pulse);
    worker?.terminate();
    worker = null;
    busy = true;
    missed = 0;
    // The new document's models are others; what the reader told is still to be said.
    outbox = outbox.filter((entry) => entry.tell);
  }

  async function start(fresh) {
    const mine = (worker = {}); // until the true one is there: tells an overtaken start to end
    mine.terminate = () => {};
    try {
      const manifest = readManifest();
      const scripts = loadScripts(manifest);
      scripts.catch(() => {});
      await checkWorker(manifest, fresh);
      if (worker !== mine) return;
      worker = new Worker("worker.js");
      listen(worker, scripts);
      worker.postMessage({
        type: "start",
        query: valueOf(query),
        theme: valueOf(theme),
        record: asText(valueOf(record)),
        manifest,
        fresh,
        stallMs: globalThis.fleetlabStallMs ?? STALL_MS,
      });
      await scripts;
    } catch (error) {
      failure(error.file ?? "", error.message);
    }
  }

  function listen(current, scripts) {
    current.onmessage = ({ data }) => {
      if (worker !== current) return;
      missed = 0;
      handle[data.type]?.(data, scripts);
    };
    current.onerror = (event) => {
      event.preventDefault();
      if (worker === current) crashed(event.message);
    };
    current.onmessageerror = () => worker === current && crashed("a message could not be read");
  }

  function crashed(reason) {
    const now = performance.now();
    if (now - restartedAt < RESTART_PAUSE_MS) {
      failure("worker.js", `Python stopped twice in a short time (${reason || "no reason given"}).`);
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
    document: ({ document: text }, scripts) => {
      embedding = embedding
        .then(() => scripts)
        .then(() => embed(JSON.parse(text)))
        .catch((error) => failure("", `The page could not be drawn: ${error.message}`));
    },
    patch: ({ patch, buffers }) => {
      embedding = embedding
        .then(() => model?.apply_json_patch(JSON.parse(patch), new Map(buffers)))
        .catch((error) => console.error(error));
    },
    live: () => {
      const current = worker;
      embedding = embedding.then(() => {
        if (worker !== current || !model) return;
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
      embedding = embedding.then(() => {
        onTell?.(name, value);
        // After the patches before it: what the run changed is on the page by now.
        if (name === "run" && value?.digest) root.dataset.fleetlabRun = value.digest;
      });
    },
    failure: ({ file, sentence }) => failure(file, sentence),
  };

  async function embed({ docs, items, slots }) {
    if (views) {
      const old = model;
      views.clear();
      const at = Bokeh.documents.indexOf(old);
      if (at >= 0) Bokeh.documents.splice(at, 1);
    }
    for (const id of Object.values(slots)) document.getElementById(id)?.replaceChildren();
    items[0].roots = slots;
    items[0].root_ids = Object.keys(slots);
    [views] = await Bokeh.embed.embed_items(docs, items);
    model = views.roots[0].model.document;
    model.on_change((event) => queueEvent(event), false);
  }

  // While the worker is busy only the newest value of each attribute is kept; what is not a
  // change of value (a click, a message) keeps its place among the changes.
  function queueEvent(event) {
    if (event.kind === "ModelChanged") {
      for (let i = outbox.length - 1; i >= 0 && outbox[i].event?.kind === "ModelChanged"; i--) {
        const { event: older } = outbox[i];
        if (older.model === event.model && older.attr === event.attr) outbox.splice(i, 1);
      }
    }
    outbox.push({ event });
    flush();
  }

  function flush() {
    if (busy || !outbox.length || !worker) return;
    busy = true;
    if (outbox[0].tell) {
      const { name, value } = outbox.shift().tell;
      worker.postMessage({ type: "tell", name, value });
      return;
    }
    const events = [];
    while (outbox.length && outbox[0].event) events.push(outbox.shift().event);
    const ours = events.filter((event) => event.document === model);
    const patch = JSON.stringify(model.create_json_patch(ours), buffersAsText);
    worker.postMessage({ type: "patch", patch });
  }

  state("loading", { loaded: 0, total: 0, what: "" });
  start(false);

  return {
    tell(name, value) {
      outbox.push({ tell: { name, value } });
      flush();
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

function valueOf(value) {
  return typeof value === "function" ? value() : value;
}

function asText(value) {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

// BokehJS leaves binary values as buffers; a patch travels as text.
function buffersAsText(_, value) {
  return typeof value?.to_base64 === "function" ? value.to_base64() : value;
}

function fileError(file, sentence) {
  return Object.assign(new Error(sentence), { file });
}

// The build writes the list of its files, with their sha256, into the page.
function readManifest() {
  const element = document.getElementById("fleetlab-manifest");
  if (!element) throw fileError("index.html", "The page lacks its list of files: build it again.");
  return JSON.parse(element.textContent);
}

async function checkWorker(manifest, fresh) {
  const file = "worker.js";
  let text;
  try {
    const response = await fetch(file, { cache: fresh ? "reload" : "default" });
    if (!response.ok) {
      throw fileError(file, `The file ${file} could not be loaded: the server answered ${response.status}.`);
    }
    text = await response.arrayBuffer();
  } catch (error) {
    if (error.file) throw error;
    throw fileError(file, `The file ${file} could not be loaded: the connection failed.`);
  }
  if ((await sha256(text)) !== manifest[file]?.sha256 && globalThis.crypto?.subtle) {
    throw fileError(file, `The file ${file} is damaged: its bytes are not the build's.`);
  }
}

async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) return "";
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Scripts that a tag of the page has already run are left alone. The others are loaded here, so
// that a failure has a name and a second try; one by one, since each needs those before it.
async function loadScripts(manifest) {
  for (const { file, model } of SCRIPTS) {
    if (!registered(model)) await loadScript(file, manifest[file]);
    if (!registered(model)) throw fileError(file, `The file ${file} is damaged: it lacks ${model}.`);
  }
}

function registered(model) {
  return Boolean(globalThis.Bokeh && model in Bokeh.Models);
}

function loadScript(file, facts) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    if (facts) script.integrity = `sha256-${base64(facts.sha256)}`;
    script.onload = () => resolve();
    script.onerror = () => {
      script.remove();
      reject(fileError(file, `The file ${file} could not be loaded, or its bytes are not the build's.`));
    };
    script.src = file;
    document.head.append(script);
  });
}

function base64(hex) {
  return btoa(String.fromCharCode(...hex.match(/../g).map((pair) => parseInt(pair, 16))));
}
