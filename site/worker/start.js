// The worker that Python runs in. It fetches every file of the runtime at once, checks each
// against the build's manifest, brings Python up, and passes messages between it and the page.
//
// There are two ways up. "snapshot": the memory of a Python that has built the page already is
// put in place. "lean": CPython starts, imports everything and builds the page itself.
"use strict";

const CORE = ["runtime/pyodide.js", "runtime/pyodide.asm.js"];
const WASM = "runtime/pyodide.asm.wasm.gz";
const PACKAGE_LIST = "runtime/pyodide-lock.json";
const COMMON = [...CORE, WASM, PACKAGE_LIST];

const LIBRARY = "runtime/python_stdlib.zip.gz";
const PACKAGES = "runtime/packages.pack.gz";
const OWN = "runtime/fleetlab.pack.gz";
const LEAN = [LIBRARY, PACKAGES, OWN];

const FACTS = "runtime/snapshot.json.gz";
const MEMORY = "runtime/memory.snapshot.gz";
const LIBRARIES = "runtime/libraries.pack.gz"; // the compiled code of what the packages hold
const RESOURCES = "runtime/resources.pack.gz"; // what in the packs is not code
const SNAPSHOT = [FACTS, MEMORY, LIBRARIES, RESOURCES];

// The snapshot spares some four seconds of work and costs some three megabytes more: below this
// speed, measured on the first half megabyte, the lean way is the faster one.
const SLOW_BYTES_S = 750_000;
const MEASURED_BYTES = 500_000;

let home = ""; // the site's address: a worker that is started from its text has none of its own
let host = null; // the Python module fleetlab.app.host, once it is there
let live = false;
let python = null;
let failed = false;
let way = "lean";
let listed = null; // the build's list of its files
let addLate = async () => {}; // adds what Python needs no sooner than its page is open
let whole = null; // a promise of the end of that

self.onmessage = ({ data }) => {
  if (data.type === "start") start(data).catch(fail);
  else if (data.type === "open") open(data);
  else if (data.type === "file") supply(data);
  else if (data.type === "keep") keepUnpacked(listed);
  else if (data.type === "ping") self.postMessage({ type: "pong" });
  else if (live) whole.then(() => receive(data), fail);
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

async function start({ manifest, place, fresh, stallMs, lean, supplied }) {
  home = place;
  listed = manifest;
  if (supplied) self.fetchFromSite = askPage;
  performance.mark("fleetlab:started");
  const files = fetcher(manifest, fresh, stallMs);
  const core = CORE.map((name) => files.fetch(name));
  const wasm = files.fetch(WASM);
  const list = files.fetch(PACKAGE_LIST);
  const common = [...core, wasm, list];
  common.forEach((file) => file.catch(() => {}));
  const measured = lean || !manifest[MEMORY] ? 0 : await Promise.race([files.speed, Promise.all(common)]);
  if (measured > SLOW_BYTES_S) way = "snapshot";
  performance.mark(`fleetlab:${way}`);
  files.expect(way === "snapshot" ? SNAPSHOT : LEAN);
  // At once, while the rest is on its way.
  const scripts = core.reduce((before, file) => before.then(() => file).then(run), Promise.resolve());
  scripts.catch(() => {}); // it is awaited below
  await (way === "snapshot" ? restore : importAll)({ files, scripts, wasm, list, common });
  performance.mark("fleetlab:ready");
  self.postMessage({ type: "ready" });
}

async function importAll({ files, scripts, wasm, list, common }) {
  const [library, packages, own] = LEAN.map((name) => files.fetch(name));
  const all = Promise.all([...common, library, packages, own]);
  // Pyodide itself only logs a failed download and then waits for ever, so it gets verified
  // bytes, and a file that fails ends the start here.
  await unlessFailed(all, scripts);
  python = await unlessFailed(all, boot({ wasm, list, library }));
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

async function restore({ files, scripts, wasm, list, common }) {
  const [facts, memory, libraries, resources] = SNAPSHOT.map((name) => files.fetch(name));
  const all = Promise.all([...common, facts, memory, libraries, resources]);
  all.catch(() => {});
  await unlessFailed(all, scripts);
  const begin = ({ unpacked }) => unpacked?.begin(); // not before: what is small would come after it
  memory.then(begin, () => {});
  const { bytes: text } = await facts; // first: what is made of the files below is heard at once
  const codes = libraries.then(({ bytes }) => readPack(bytes).map(([, code]) => code));
  const restored = restoring({
    facts: JSON.parse(new TextDecoder().decode(text)),
    fill: (heap) => fillHeap(heap, memory, files),
    main: wasm,
    libraries: codes,
  });
  const library = Promise.resolve({ bytes: new Uint8Array() }); // its modules are in the memory
  python = await unlessFailed(all, boot({ wasm, list, library }, restored.options));
  performance.mark("fleetlab:python");
  await all;
  unpack((await resources).bytes);
  host = python.pyimport("fleetlab.app.host");
  ({ addLate } = restored);
}

// Writes the memory into the heap: as it was fetched, or as it lies unpacked.
async function fillHeap(heap, memory, files) {
  const { bytes, unpacked } = await memory;
  if (bytes) heap.set(bytes);
  else if (!(await unpacked.copyTo(heap))) heap.set((await files.fetch(MEMORY)).bytes);
}

// What a promise comes to, unless one of the others fails before.
function unlessFailed(others, promise) {
  return Promise.race([promise, others.then(() => promise)]);
}

// Opens the page for its reader; `shown` names the document that it shows already.
function open({ query, theme, record, shown, run }) {
  try {
    host.start(post, query, theme, record, shown, run ? python.toPy(new Uint8Array(run)) : undefined);
    live = true;
    whole = addLate();
    whole.catch(fail);
    performance.mark("fleetlab:opened");
    // Every reader has the same memory, and not the same draws; none has been made before.
    for (const name of ["random", "numpy.random"]) python.pyimport(name).seed();
  } catch (error) {
    fail(error);
  }
}

// Runs a script of this site that has been fetched and checked: its text, since to import it would
// ask for it again, and Firefox hands that to the page's busy thread.
function run({ name, bytes }) {
  try {
    (0, eval)(new TextDecoder().decode(bytes));
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
      indexURL: `${home}runtime/`,
      env: { PYTHONHASHSEED: "0", PYTHONOPTIMIZE: "2" }, // as in builder/runtime.mjs
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
