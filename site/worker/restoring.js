// Restores the snapshot of Python's memory that builder/snapshot.mjs has made.

// Replaces Pyodide's module maker by one that puts back what of the module is not in its memory.
// `main` (a promise of {bytes, module}) and `libraries` (one of each library's bytes) may still be on
// their way; `fill` writes the memory into the heap that it is given. Returns {options, addLate}:
// options for loadPyodide, and what puts the late libraries in place, once Python is there.
function restoring({ facts, fill, main, libraries }) {
  const create = self._createPyodideModule;
  const compile = (isLate) => {
    const numbers = [...facts.libraries.keys()].filter((number) => facts.libraries[number].late === isLate);
    return Promise.all(numbers.map(async (number) => [number, await WebAssembly.compile((await libraries)[number])]));
  };
  // The late ones are asked for at once too: WebKit would have them wait while it makes running code faster.
  const [early, late] = [compile(false), compile(true)];
  for (const codes of [early, late]) codes.catch(() => {}); // awaited below, and may fail before that
  let restored = null;
  self._createPyodideModule = async (settings) => {
    const module = (restored = await compilingOnce(() => create(settings)));
    await fill(module.HEAPU8); // while the libraries are compiled
    addSegments(module.HEAPU8, facts, (await main).bytes, await libraries);
    putBack(module, facts);
    addLibraries(module, facts, await early);
    const { restoreSnapshot } = module.API;
    module.API.restoreSnapshot = () => {
      const config = restoreSnapshot(bytesOfText(facts.head)); // of which no memory follows
      countArguments(module);
      return config;
    };
    return module;
  };
  const options = {
    // Pyodide only asks for the size here: the memory itself is put in place above.
    _loadSnapshot: Object.defineProperty(new Uint8Array(), "length", { value: facts.size }),
    _snapshotDeserializer: ({ function: text }) => (text ? entriesToObject : null),
  };
  return { options, addLate: async () => addLibraries(restored, facts, await late) };
}

// The one function that Python holds when the snapshot is made: Pyodide's way of making an object
// of a dictionary.
function entriesToObject(entries) {
  return Object.fromEntries(entries.map(([key, value]) => [key, value === undefined ? null : value]));
}

// The heap travels as what differs from the data that the modules' code brings along.
function addSegments(heap, facts, main, libraries) {
  for (const { library, from, length, address } of facts.segments) {
    const code = library < 0 ? main : libraries[library];
    for (let i = 0; i < length; i++) heap[address + i] ^= code[from + i];
  }
}

// For each JavaScript function that Python may call, Pyodide compiles a small module; those of one
// signature are the same, and compiled once.
async function compilingOnce(create) {
  const { Module } = WebAssembly;
  const made = new Map();
  WebAssembly.Module = new Proxy(Module, {
    construct(_, [code]) {
      const key = String(code);
      if (!made.has(key)) made.set(key, new Module(code));
      return made.get(key);
    },
  });
  try {
    return await create();
  } finally {
    WebAssembly.Module = Module;
  }
}

function bytesOfText(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

// Gives the function table its length again, and the globals their values.
function putBack(module, facts) {
  const table = module.wasmTable;
  if (table.length > facts.tableBase) {
    throw new Error(`this browser's function table has ${table.length} slots, the snapshot's ${facts.tableBase}`);
  }
  table.grow(facts.tableLength - table.length);
  for (const [name, value] of Object.entries(facts.globals)) global(module, name).value = value;
}

// Puts compiled libraries ([number, code] each) where they lay.
function addLibraries(module, facts, libraries) {
  const exported = new Map();
  for (const [number, code] of libraries) {
    const segment = facts.segments.find(({ library }) => library === number);
    exported.set(number, keepingData(module, segment, () => place(module, facts.libraries[number], code)));
  }
  for (const [slot, library, name] of facts.slots) {
    if (exported.has(library)) module.setWasmTableEntry(slot, exported.get(library)[name]);
  }
  module.updateTableMap(facts.tableBase, facts.tableLength - facts.tableBase);
  const { loadedLibsByName: byName, loadedLibsByHandle: byHandle } = module.LDSO;
  for (const [name, target] of facts.names) byName[name] ??= byName[target];
  for (const [handle, name] of facts.handles) if (handle) byHandle[handle] = byName[name];
}

// A library brings its data along when it is instantiated; what has become of it is in the heap already.
function keepingData(module, segment, instantiate) {
  if (!segment) return instantiate(); // it has none
  const { address, length } = segment;
  const kept = module.HEAPU8.slice(address, address + length);
  const exported = instantiate();
  module.HEAPU8.set(kept, address);
  return exported;
}

function global(module, name) {
  return (module.GOT[name] ??= new WebAssembly.Global({ value: "i32", mutable: true }, 0));
}

// Instantiates a library where it lay; its relocations and constructors are in the heap already.
function place(module, { path, memory, table }, code) {
  const own = module.LDSO.loadedLibsByName.__main__.exports;
  let exported = null;
  const stubs = {};
  const env = new Proxy(stubs, {
    get(_, name) {
      if (name === "__memory_base") return memory;
      if (name === "__table_base") return table;
      if (name in own && !own[name].stub) return own[name];
      return (stubs[name] ??= (...values) => {
        const found = module.resolveGlobalSymbol(name).sym ?? exported[name];
        if (!found) throw new Error(`${path} asks for ${name}, which nothing has`);
        return found(...values);
      });
    },
  });
  const globals = new Proxy({}, { get: (_, name) => global(module, name) });
  const imports = { env, wasi_snapshot_preview1: env, "GOT.mem": globals, "GOT.func": globals };
  const instance = new WebAssembly.Instance(code, imports);
  exported = Object.fromEntries(
    Object.entries(instance.exports).map(([name, value]) => [
      name,
      typeof value === "object" ? value.value + memory : value,
    ]),
  );
  module.LDSO.loadedLibsByName[path] = { refcount: Infinity, name: path, exports: exported, global: false };
  return exported;
}

// How a function's arguments are counted depends on the engine: its own way is written back.
function countArguments(module) {
  const offset = module.HEAP32[module.__PyEM_EMSCRIPTEN_COUNT_ARGS_OFFSET >>> 2];
  module.HEAP32[(module.__PyRuntime + offset) >>> 2] = module._PyEM_CountArgsPtr;
}
