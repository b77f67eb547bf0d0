// The worker that Python runs in. It fetches every file of the runtime at once, checks each
// against the build's manifest, brings Python up, and passes messages between it and the page.
//
// There are two ways up. "snapshot": the memory of a Python that has built the page already is
// put in place. "lean": CPython starts, imports everything and builds the page itself.
"use strict";

// A worker without an address of its own asks for nothing, but Pyodide wants one.
const PLACE = self.location.protocol === "data:" ? "https://fleetlab.invalid/" : new URL(".", self.location.href).href;

const CORE = ["runtime/pyodide.js", "runtime/pyodide.asm.js"];
const WASM = "runtime/pyodide.asm.wasm.gz";
const PACKAGE_LIST = "runtime/pyodide-lock.json";
const COMMON = [...CORE, WASM, PACKAGE_LIST];

const LIBRARY = "runtime/python_stdlib.zip.gz";
const PACKAGES = "runtime/packages.pack.gz";
const OWN = "runtime/fleetlab.pack.gz";
const LEAN = [LIBRARY, PACKAGES, OWN];

const RESTORE = "restore.js";
const FACTS = "runtime/snapshot.json.gz";
const MEMORY = "runtime/memory.snapshot.gz";
const LIBRARIES = "runtime/libraries.pack.gz"; // the compiled code of what the packages hold
const RESOURCES = "runtime/resources.pack.gz"; // what in the packs is not code
const SNAPSHOT = [RESTORE, FACTS, MEMORY, LIBRARIES, RESOURCES];

// The snapshot spares some four seconds of work and costs some three megabytes more: below this
// speed, measured on the first half megabyte, the lean way is the faster one.
const SLOW_BYTES_S = 750_000;
const MEASURED_BYTES = 500_000;

// A file that could not be had, or whose bytes are not the build's.
class FileFailure extends Error {
  constructor(file, sentence) {
    super(sentence);
    this.file = file;
  }
}

let host = null; // the Python module fleetlab.app.host, once it is there
let live = false;
let python = null;
let failed = false;
let way = "lean";

self.onmessage = ({ data }) => {
  if (data.type === "start") start(data).catch(fail);
  else if (data.type === "open") open(data);
  else if (data.type === "file") supply(data);
  else if (data.type === "ping") self.postMessage({ type: "pong" });
  else if (live) receive(data);
};

function fail(error) {
  if (failed) return; // the first failure is the cause; the others follow from it
  failed = true;
  const file = error instanceof FileFailure ? error.file : "";
  if (way === "snapshot" && !COMMON.includes(file)) {
    unfit(error);
    return;
  }
  const sentence = file ? error.message : `Python could not start: ${lastLine(error.message)}`;
  if (!file) console.warn(error.message);
  self.postMessage({ type: "failure", file, sentence });
}

// The snapshot does not do here: the page starts again the lean way.
function unfit(error) {
  self.postMessage({ type: "unfit", reason: String(error.stack ?? error) });
}

async function start({ manifest, fresh, stallMs, lean, supplied }) {
  if (supplied) self.fetchFromSite = askPage;
  const files = fetcher(manifest, fresh, stallMs);
  const core = CORE.map((name) => files.fetch(name));
  const wasm = files.fetch(WASM, compileWhileArriving);
  const list = files.fetch(PACKAGE_LIST);
  const common = [...core, wasm, list];
  common.forEach((file) => file.catch(() => {}));
  const measured = lean || !manifest[MEMORY] ? 0 : await Promise.race([files.speed, Promise.all(common)]);
  if (measured > SLOW_BYTES_S) way = "snapshot";
  files.expect(way === "snapshot" ? SNAPSHOT : LEAN);
  await (way === "snapshot" ? restore : importAll)({ files, core, wasm, list, common });
  self.postMessage({ type: "ready" });
}

async function importAll({ files, core, wasm, list, common }) {
  const [library, packages, own] = LEAN.map((name) => files.fetch(name));
  const all = Promise.all([...common, library, packages, own]);
  // Pyodide itself only logs a failed download and then waits for ever, so it gets verified
  // bytes, and a file that fails ends the start here.
  for (const script of await Promise.race([Promise.all(core), all])) run(script);
  const booted = boot({ wasm, list, library });
  python = await Promise.race([booted, all.then(() => booted)]);
  await all;
  files.say("unpacking Python's packages");
  const libraries = [packages, own].map(async (pack) => unpack((await pack).bytes));
  for (const path of (await Promise.all(libraries)).flat().sort()) {
    await python._api.loadDynlib(path, false, []);
  }
  files.say("importing the scheduler and its instruments");
  python.runPython("import importlib; importlib.invalidate_caches()");
  host = python.pyimport("fleetlab.app.host");
}

async function restore({ files, core, wasm, list, common }) {
  const [script, facts, memory, libraries, resources] = SNAPSHOT.map((name) => files.fetch(name));
  const all = Promise.all([...common, script, facts, memory, libraries, resources]);
  all.catch(() => {});
  for (const file of await Promise.race([Promise.all([...core, script]), all])) run(file);
  const codes = libraries.then(({ bytes }) => readPack(bytes).map(([, code]) => code));
  const options = restoring({
    facts: JSON.parse(new TextDecoder().decode((await facts).bytes)),
    heap: memory.then(({ bytes }) => bytes),
    codes: Promise.all([wasm.then(({ bytes }) => bytes), codes]),
  });
  const library = Promise.resolve({ bytes: new Uint8Array() }); // its modules are in the memory
  const booted = boot({ wasm, list, library }, options);
  python = await Promise.race([booted, all.then(() => booted)]);
  await all;
  unpack((await resources).bytes);
  // Every reader has the same memory, and not the same draws.
  python.runPython("import random, numpy.random; random.seed(); numpy.random.seed()");
  host = python.pyimport("fleetlab.app.host");
}

// Opens the page for its reader; `shown` names the document that it shows already.
function open({ query, theme, record, shown, run }) {
  try {
    host.start(post, query, theme, record, shown, run ? python.toPy(new Uint8Array(run)) : undefined);
    live = true;
  } catch (error) {
    fail(error);
  }
}

// Runs a script of this site that has been fetched and checked.
function run({ name, bytes }) {
  try {
    if (self.location.protocol !== "data:") importScripts(name);
    else (0, eval)(new TextDecoder().decode(bytes)); // without an address nothing can be imported
  } catch (error) {
    throw new FileFailure(name, `The file ${name} could not be run: ${error.message}`);
  }
}

// Starts CPython with what this worker has fetched itself.
async function boot(files, options = {}) {
  // A file that failed has been reported, and this worker is about to end: Pyodide, which would
  // report it again in its own words, is left waiting.
  const held = (file) => file.catch(() => new Promise(() => {}));
  const { fetch } = self;
  const { instantiateStreaming } = WebAssembly;
  self.fetch = async (address) => {
    const name = String(address).split("/").pop();
    if (name === "pyodide.asm.wasm") return null; // answered below, by the compiled module
    if (name === "python_stdlib.zip") return new Response((await held(files.library)).bytes);
    if (name === "pyodide-lock.json") return new Response((await held(files.list)).bytes);
    throw new Error(`Pyodide asked for ${name}, which this site does not ship.`);
  };
  WebAssembly.instantiateStreaming = async (_, imports) => {
    const { module } = await held(files.wasm);
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  try {
    return await loadPyodide({
      indexURL: `${PLACE}runtime/`,
      env: { PYTHONHASHSEED: "0" },
      stdout: (line) => console.log(line),
      stderr: (line) => console.warn(line),
      ...options,
    });
  } finally {
    self.fetch = fetch;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

// Returns a pack's files: [path, bytes] each, in its order.
function readPack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const index = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let start = 4 + length;
  return index.map(([path, size]) => [path, bytes.subarray(start, (start += size))]);
}

// Writes a pack's files into Python's file system; returns the paths of compiled libraries.
function unpack(pack) {
  const folders = new Set();
  const files = readPack(pack);
  for (const [path, bytes] of files) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!folders.has(folder)) {
      python.FS.mkdirTree(folder);
      folders.add(folder);
    }
    python.FS.writeFile(path, bytes, { canOwn: true });
  }
  return files.map(([path]) => path).filter((path) => path.endsWith(".so"));
}

// ---- files ----------------------------------------------------------------------------------

// Returns {fetch, expect, say, speed}. fetch(name, tap): the file's verified bytes, with what `tap`
// makes of the stream while it arrives; expect(names): what will be fetched besides COMMON;
// speed: promise of the bytes a second at which the first of them came.
function fetcher(manifest, fresh, stallMs) {
  const loaded = new Map();
  const sizeOf = (names) => names.reduce((sum, name) => sum + (manifest[name]?.size ?? 0), 0);
  let total = sizeOf([...COMMON, ...SNAPSHOT]);
  let measured;
  const speed = new Promise((resolve) => (measured = resolve));
  const began = performance.now();
  let count = 0;

  const say = (what) => self.postMessage({ type: "progress", loaded: count, total, what });
  const report = (name, bytes) => {
    const { size } = manifest[name];
    loaded.set(name, Math.min(bytes, size));
    count = [...loaded.values()].reduce((a, b) => a + b, 0);
    if (count > MEASURED_BYTES) measured((count / (performance.now() - began)) * 1000);
    say([...loaded].find(([other, some]) => some < manifest[other].size)?.[0] ?? "");
  };

  async function fetchFile(name, tap) {
    const facts = manifest[name];
    try {
      if (!facts) throw new FileFailure(name, `The build's manifest does not list ${name}.`);
      report(name, 0);
      const { stream, packed } = await arriving(name, fresh, stallMs, (bytes) => report(name, bytes));
      const [kept, tapped] = tap ? stream.tee() : [stream, null];
      const made = tap?.(tapped);
      made?.catch(() => {}); // wrong bytes are reported as such, by verify below
      const bytes = await collect(name, kept);
      await verify(name, bytes, packed, facts);
      report(name, facts.size);
      return { name, bytes, module: await made };
    } catch (error) {
      fail(error);
      throw error;
    }
  }

  return {
    fetch: fetchFile,
    expect: (names) => (total = sizeOf([...COMMON, ...names])),
    say,
    speed,
  };
}

// Returns {stream, packed}: the file's decoded bytes as they arrive, and the list of the packed
// pieces of a file ending in .gz, unless the server has unpacked it already.
async function arriving(name, fresh, stallMs, report) {
  const stop = new AbortController();
  const stalled = new FileFailure(
    name,
    `The file ${name} stopped arriving: nothing came for ${Math.round(stallMs / 1000)} seconds.`,
  );
  let timer = setTimeout(() => stop.abort(stalled), stallMs);
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(stalled), stallMs);
  };
  const reach = async (promise) => {
    try {
      return await promise;
    } catch (error) {
      clearTimeout(timer);
      if (stop.signal.aborted) throw stalled;
      throw new FileFailure(name, `The file ${name} could not be loaded: the connection failed.`);
    }
  };

  const response = await reach(
    fetchFromSite(name, { signal: stop.signal, cache: fresh ? "reload" : "default" }),
  );
  if (!response.ok) {
    clearTimeout(timer);
    throw new FileFailure(
      name,
      `The file ${name} could not be loaded: the server answered ${response.status}.`,
    );
  }
  const reader = response.body.getReader();
  let count = 0;
  const next = async () => {
    const { done, value } = await reach(reader.read());
    alive();
    if (done) {
      clearTimeout(timer);
      return null;
    }
    count += value.length;
    report(count);
    return value;
  };

  const first = await next();
  const isPacked = name.endsWith(".gz") && first?.[0] === 0x1f && first?.[1] === 0x8b;
  const packed = isPacked ? [first] : null;
  const raw = new ReadableStream({
    start(controller) {
      if (first) controller.enqueue(first);
      else controller.close();
    },
    async pull(controller) {
      const value = await next();
      if (!value) {
        controller.close();
        return;
      }
      packed?.push(value);
      controller.enqueue(value);
    },
  });
  return { stream: packed ? raw.pipeThrough(new DecompressionStream("gzip")) : raw, packed };
}

// A worker without an address of its own is handed its files by the page.
self.fetchFromSite = (name, options) => fetch(name, options);
const asked = new Map();

function askPage(name, { cache }) {
  self.postMessage({ type: "need", name, cache });
  return new Promise((resolve, reject) => asked.set(name, { resolve, reject }));
}

function supply({ name, bytes, problem }) {
  if (bytes) asked.get(name)?.resolve(new Response(bytes));
  else asked.get(name)?.reject(new Error(problem));
}

async function collect(name, stream) {
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    if (error instanceof FileFailure) throw error;
    throw new FileFailure(name, `The file ${name} is damaged: it arrived incomplete.`);
  }
}

// The packed bytes are the fewer, so they are what is checked where they came.
async function verify(name, bytes, packed, facts) {
  const size = facts.content_size ?? facts.size;
  if (bytes.length !== size) {
    throw new FileFailure(
      name,
      `The file ${name} is damaged: it has ${bytes.length} bytes where the build made ${size}.`,
    );
  }
  if (!self.crypto?.subtle) return; // only on plain http from another machine
  const checked = packed ? await new Blob(packed).arrayBuffer() : bytes;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", checked));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== (packed ? facts.sha256 : facts.content_sha256 ?? facts.sha256)) {
    throw new FileFailure(name, `The file ${name} is damaged: its bytes are not the build's.`);
  }
}

function compileWhileArriving(stream) {
  const headers = { "content-type": "application/wasm" };
  return WebAssembly.compileStreaming(new Response(stream, { headers }));
}

// ---- messages -------------------------------------------------------------------------------

// Python's way to the page: post(type, name, value), all texts, but for a patch's buffers and a
// tell's bytes.
function post(type, name, value) {
  if (type === "document") {
    self.postMessage({ type, document: value || name });
  } else if (type === "patch") {
    const buffers = [...(plain(value) ?? [])].map(([id, bytes]) => [id, ownBuffer(bytes)]);
    self.postMessage({ type, patch: name, buffers }, buffers.map(([, buffer]) => buffer));
  } else if (type === "tell") {
    self.postMessage({ type, name, value: typeof value === "string" ? JSON.parse(value) : plain(value) });
  } else {
    self.postMessage({ type });
  }
}

function receive(data) {
  try {
    let done;
    if (data.type === "patch") {
      done = host.receive("patch", data.patch);
    } else if (data.type === "tell") {
      const { name, value } = data;
      const bytes = value instanceof ArrayBuffer;
      done = host.receive("tell", name, bytes ? python.toPy(new Uint8Array(value)) : JSON.stringify(value ?? null));
    }
    done?.catch?.(complain);
  } catch (error) {
    complain(error);
  }
  // Work that goes on in slices does not count as busy: a newer knob must reach it.
  self.postMessage({ type: "idle" });
}

function complain(error) {
  if (way === "snapshot" && /ModuleNotFoundError|FileNotFoundError|EOFError/.test(error.message)) {
    unfit(error); // something that the snapshot should hold
    return;
  }
  console.error(error.message);
  const value = `That could not be carried out: ${lastLine(error.message)}`;
  self.postMessage({ type: "tell", name: "notice", value });
}

function plain(value) {
  if (!value?.toJs) return value;
  const copy = value.toJs();
  value.destroy();
  return copy;
}

function ownBuffer(bytes) {
  const view = plain(bytes);
  return view.buffer.byteLength === view.byteLength ? view.buffer : view.slice().buffer;
}

function lastLine(text) {
  return String(text).trim().split("\n").pop();
}
