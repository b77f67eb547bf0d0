// The worker that Python runs in. It fetches every file of the runtime at once, checks each
// against the build's manifest, starts CPython, and passes messages between it and the page.
"use strict";

const CORE = ["runtime/pyodide.js", "runtime/pyodide.asm.js"];
const WASM = "runtime/pyodide.asm.wasm.gz";
const LIBRARY = "runtime/python_stdlib.zip.gz";
const PACKS = ["runtime/packages.pack.gz", "runtime/fleetlab.pack.gz"];
const PACKAGE_LIST = "runtime/pyodide-lock.json";

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

self.onmessage = ({ data }) => {
  if (data.type === "start") start(data).catch(fail);
  else if (data.type === "open") open(data);
  else if (data.type === "ping") self.postMessage({ type: "pong" });
  else if (live) receive(data);
};

function fail(error) {
  if (failed) return; // the first failure is the cause; the others follow from it
  failed = true;
  const file = error instanceof FileFailure ? error.file : "";
  const sentence = file ? error.message : `Python could not start: ${lastLine(error.message)}`;
  if (!file) console.warn(error.message);
  self.postMessage({ type: "failure", file, sentence });
}

async function start({ manifest, fresh, stallMs }) {
  const fetchFile = fetcher(manifest, fresh, stallMs);
  const scripts = CORE.map((name) => fetchFile(name));
  const wasm = fetchFile(WASM, compileWhileArriving);
  const library = fetchFile(LIBRARY);
  const packs = PACKS.map((name) => fetchFile(name));
  const list = fetchFile(PACKAGE_LIST);
  const all = Promise.all([...scripts, wasm, library, ...packs, list]);

  // Pyodide itself only logs a failed download and then waits for ever, so it gets verified
  // bytes, and a file that fails ends the start here.
  await Promise.race([Promise.all(scripts), all]);
  for (const name of CORE) run(name);
  const booted = boot(wasm, library, list);
  python = await Promise.race([booted, all.then(() => booted)]);
  await all;

  const total = sizeOf(manifest);
  const progress = (what) => self.postMessage({ type: "progress", loaded: total, total, what });
  progress("unpacking Python's packages");
  const libraries = [];
  for (const pack of packs) libraries.push(...unpack((await pack).bytes));
  for (const path of libraries.sort()) await python._api.loadDynlib(path, false, []);
  progress("importing the scheduler and its instruments");
  python.runPython("import importlib; importlib.invalidate_caches()");
  host = python.pyimport("fleetlab.app.host");
  self.postMessage({ type: "ready" });
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

function run(name) {
  try {
    importScripts(name);
  } catch (error) {
    throw new FileFailure(name, `The file ${name} could not be run: ${error.message}`);
  }
}

// Starts CPython with what this worker has fetched itself.
async function boot(...files) {
  // A file that failed has been reported, and this worker is about to end: Pyodide, which would
  // report it again in its own words, is left waiting.
  const [wasm, library, list] = files.map((file) => file.catch(() => new Promise(() => {})));
  const { fetch } = self;
  const { instantiateStreaming } = WebAssembly;
  self.fetch = async (address) => {
    const name = String(address).split("/").pop();
    if (name === "pyodide.asm.wasm") return null; // answered below, by the compiled module
    if (name === "python_stdlib.zip") return new Response((await library).bytes);
    if (name === "pyodide-lock.json") return new Response((await list).bytes);
    throw new Error(`Pyodide asked for ${name}, which this site does not ship.`);
  };
  WebAssembly.instantiateStreaming = async (_, imports) => {
    const { module } = await wasm;
    return { module, instance: await WebAssembly.instantiate(module, imports) };
  };
  try {
    return await loadPyodide({
      indexURL: new URL("runtime/", self.location.href).href,
      env: { PYTHONHASHSEED: "0" },
      stdout: (line) => console.log(line),
      stderr: (line) => console.warn(line),
    });
  } finally {
    self.fetch = fetch;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}

// Writes a pack's files into Python's file system; returns the paths of compiled libraries.
function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const index = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const folders = new Set();
  const libraries = [];
  let start = 4 + length;
  for (const [path, size] of index) {
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!folders.has(folder)) {
      python.FS.mkdirTree(folder);
      folders.add(folder);
    }
    python.FS.writeFile(path, bytes.subarray(start, start + size), { canOwn: true });
    if (path.endsWith(".so")) libraries.push(path);
    start += size;
  }
  return libraries;
}

// ---- files ----------------------------------------------------------------------------------

// Returns fetchFile(name, tap): the file's verified bytes, with what `tap` makes of the stream
// while it arrives.
function fetcher(manifest, fresh, stallMs) {
  const loaded = new Map();
  const total = sizeOf(manifest);
  const report = (name, bytes) => {
    const size = manifest[name].size;
    loaded.set(name, Math.min(bytes, size));
    const sum = [...loaded.values()].reduce((a, b) => a + b, 0);
    const waiting = [...loaded].filter(([n, b]) => b < manifest[n].size).map(([n]) => n);
    self.postMessage({ type: "progress", loaded: sum, total, what: waiting[0] ?? "" });
  };

  return async (name, tap) => {
    const facts = manifest[name];
    try {
      if (!facts) throw new FileFailure(name, `The build's manifest does not list ${name}.`);
      report(name, 0);
      const stream = await arriving(name, fresh, stallMs, (bytes) => report(name, bytes));
      const [kept, tapped] = tap ? stream.tee() : [stream, null];
      const made = tap?.(tapped);
      made?.catch(() => {}); // wrong bytes are reported as such, by verify below
      const bytes = await collect(name, kept);
      await verify(name, bytes, facts);
      report(name, facts.size);
      return { bytes, module: await made };
    } catch (error) {
      fail(error);
      throw error;
    }
  };
}

function sizeOf(manifest) {
  const names = [...CORE, WASM, LIBRARY, ...PACKS, PACKAGE_LIST];
  return names.reduce((sum, name) => sum + (manifest[name]?.size ?? 0), 0);
}

// Returns the file's decoded bytes as a stream. A file ending in .gz is unpacked unless the
// server has already done so.
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
    fetch(name, { signal: stop.signal, cache: fresh ? "reload" : "default" }),
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
  const packed = name.endsWith(".gz") && first?.[0] === 0x1f && first?.[1] === 0x8b;
  const raw = new ReadableStream({
    start(controller) {
      if (first) controller.enqueue(first);
      else controller.close();
    },
    async pull(controller) {
      const value = await next();
      if (value) controller.enqueue(value);
      else controller.close();
    },
  });
  return packed ? raw.pipeThrough(new DecompressionStream("gzip")) : raw;
}

async function collect(name, stream) {
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    if (error instanceof FileFailure) throw error;
    throw new FileFailure(name, `The file ${name} is damaged: it arrived incomplete.`);
  }
}

async function verify(name, bytes, facts) {
  const size = facts.content_size ?? facts.size;
  if (bytes.length !== size) {
    throw new FileFailure(
      name,
      `The file ${name} is damaged: it has ${bytes.length} bytes where the build made ${size}.`,
    );
  }
  if (!self.crypto?.subtle) return; // only on plain http from another machine
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (hex !== (facts.content_sha256 ?? facts.sha256)) {
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
