// Makes a snapshot of Python's memory with the app imported and its pages built, to be restored in
// a browser's worker by site/worker/restoring.js: node snapshot.mjs FOLDER
//
// FOLDER holds Pyodide and the packs. Left there: memory.snapshot.gz, the heap; snapshot.json.gz,
// what of the WebAssembly module's state is not in the heap; libraries.pack.gz, the compiled
// libraries' code. The options used are Pyodide's own and not documented: the version is pinned.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { constants, gzipSync } from "node:zlib";
import { installPackages, startPython } from "./runtime.mjs";

// Engines differ by some hundred in how many slots the main module takes of the function table.
const TABLE_BASE = 16_384;
const MAIN_MEMORY = 1024; // where the main module's data begins
const DATA_SECTION = 11;
const GLOBAL_GET = 0x23;
// NumPy imports it and nothing here calls it, so a page opens before it is put in place.
const LATE = /\/numpy\/linalg\//;

const folder = process.argv[2];
createRequire(import.meta.url)(join(folder, "pyodide.asm.js"));
let module = null;
const createModule = globalThis._createPyodideModule;
globalThis._createPyodideModule = async (settings) => (module = await createModule(settings));

const python = await startPython(folder, { _makeSnapshot: true });
module.wasmTable.grow(TABLE_BASE - module.wasmTable.length);
const globals = Object.fromEntries(Object.entries(module.GOT).map(([name, at]) => [name, at.value]));

// Each library with the places that it was given, for they are baked into the heap.
const libraries = [];
const { instantiate } = WebAssembly;
await installPackages(python, folder, async (path, load) => {
  WebAssembly.instantiate = async (code, imports) => {
    const made = await instantiate.call(WebAssembly, code, imports);
    const { __memory_base: memory, __table_base: table } = imports.env;
    const { tableSize } = module.getDylinkMetadata(new Uint8Array(python.FS.readFile(path)));
    libraries.push({ path, memory, table, tableSize, exports: made.instance.exports });
    return made;
  };
  await load();
});
WebAssembly.instantiate = instantiate;
console.log("done libraries");

python.runPython(`
from fleetlab.app import host, warm

warm.up()
warm.tidy()
`);
// What Pyodide asks Python whenever it starts is answered already: compiling these texts is what
// takes longest then. Each is asked once, and afterwards evaluated like any other.
python.runPython(`
import builtins, gc, importlib
import __main__
from _pyodide import _base

def answering(evaluate, answers):
    def eval_code(source, *rest, **named):
        return answers.pop(source) if source in answers else evaluate(source, *rest, **named)
    return eval_code

_base.eval_code = answering(_base.eval_code, {
    "{}": {},
    "import importlib; importlib": importlib,
    "import __main__; __main__.__dict__": __main__.__dict__,
    "import builtins; builtins.__dict__": builtins.__dict__,
})
for _ in range(3):
    gc.collect()
`);
console.log("done warm");
clearFreeMemory();

const dump = python.makeMemorySnapshot({ serializer: nameOf });
const [, headLength] = new Uint32Array(dump.buffer, dump.byteOffset, 2);
const heap = dump.subarray(headLength);
const segments = findSegments();
for (const { code, from, length, address } of segments) {
  for (let i = 0; i < length; i++) heap[address + i] ^= code[from + i];
}
const facts = {
  size: dump.length,
  head: Buffer.from(dump.subarray(0, headLength)).toString("base64"),
  segments: segments.map(({ library, from, length, address }) => ({ library, from, length, address })),
  tableBase: TABLE_BASE,
  tableLength: module.wasmTable.length,
  libraries: libraries.map(({ path, memory, table }) => ({ path, memory, table, late: LATE.test(path) })),
  slots: filledSlots(),
  globals: changedGlobals(),
  handles: Object.entries(module.LDSO.loadedLibsByHandle).map(([handle, { name }]) => [Number(handle), name]),
  names: Object.entries(module.LDSO.loadedLibsByName).map(([name, library]) => [name, library.name]),
};
let end = heap.length; // what follows is zero
while (heap[end - 1] === 0) end -= 1;
keep("memory.snapshot", heap.subarray(0, end));
keep("snapshot.json", Buffer.from(JSON.stringify(facts)));
keep("libraries.pack", packLibraries());
process.exit(0);

function keep(name, bytes) {
  writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION }));
  console.log(`done ${name}`);
}

// JavaScript objects that Python holds at the time; restoring.js finds them again by these names.
function nameOf(object) {
  return { function: typeof object === "function" ? String(object) : "" };
}

// What was freed is still in memory and does not compress: allocations of every size that fit
// into it are overwritten with zeros.
function clearFreeMemory() {
  const { malloc, free } = module.LDSO.loadedLibsByName.__main__.exports;
  const top = module._sbrk(0);
  const taken = [];
  for (let size = 1 << 20; size >= 16; size >>= 1) {
    for (;;) {
      const place = malloc(size);
      if (!place) break;
      if (place + size > top) {
        free(place);
        break;
      }
      taken.push(place);
      module.HEAPU8.fill(0, place, place + size);
    }
  }
  taken.forEach((place) => free(place));
}

// Slots of the function table that a library filled outside its own segment.
function filledSlots() {
  const owners = new Map();
  libraries.forEach(({ exports }, number) => {
    for (const [name, value] of Object.entries(exports)) {
      if (typeof value === "function" && !owners.has(value)) owners.set(value, [number, name]);
    }
  });
  const slots = [];
  for (let slot = TABLE_BASE; slot < module.wasmTable.length; slot++) {
    const entry = module.wasmTable.get(slot);
    const inside = libraries.some(({ table, tableSize }) => slot >= table && slot < table + tableSize);
    if (!entry || inside) continue;
    const owner = owners.get(entry);
    if (owner) slots.push([slot, ...owner]);
  }
  return slots;
}

// The data that each module's code brings along: it need not travel twice, so the heap is kept as
// what differs from it. A module has one segment of data, at the place where its memory begins.
function findSegments() {
  const all = [{ library: -1, code: readFileSync(join(folder, "pyodide.asm.wasm")), memory: MAIN_MEMORY }];
  libraries.forEach(({ path, memory }, library) => all.push({ library, code: python.FS.readFile(path), memory }));
  return all.flatMap(({ library, code, memory }) => {
    const found = dataSegment(code);
    return found ? [{ library, code, ...found, address: memory }] : [];
  });
}

function dataSegment(code) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = code[at++];
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < code.length) {
    const section = code[at++];
    const end = number() + at;
    if (section === DATA_SECTION) {
      if (number() !== 1 || number() !== 0 || code[at++] !== GLOBAL_GET) return null;
      number();
      at += 1; // the end of the expression that says where
      const length = number();
      return { from: at, length };
    }
    at = end;
  }
  return null;
}

function changedGlobals() {
  const changed = Object.entries(module.GOT).filter(([name, { value }]) => globals[name] !== value);
  return Object.fromEntries(changed.map(([name, { value }]) => [name, value]));
}

function packLibraries() {
  const codes = libraries.map(({ path }) => Buffer.from(python.FS.readFile(path)));
  const index = JSON.stringify(libraries.map(({ path }, number) => [path, codes[number].length]));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(index));
  return Buffer.concat([length, Buffer.from(index), ...codes]);
}
