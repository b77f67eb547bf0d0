// Functions of JavaScript as functions of WebAssembly, all made by one module.

const TYPES = { i: 0x7f, p: 0x7f, j: 0x7e, f: 0x7d, d: 0x7c, e: 0x6f };
const [TYPE_SECTION, IMPORT_SECTION, EXPORT_SECTION] = [1, 2, 7];

// Pyodide puts some 170 of its functions into its function table and makes a module for each,
// after the engine has refused the bare one with an error: it takes them as they are if they are
// WebAssembly's already. `imports` is what the module was instantiated with.
function wrapFunctions(module, { env }) {
  const names = WebAssembly.Module.imports(module)
    .filter(({ module: from, name }) => from === "GOT.func" && isPlain(env[name]))
    .map(({ name }) => name);
  const code = wrappingModule(names.map((name) => env[name].sig));
  const given = Object.fromEntries(names.map((name, number) => [number, env[name]]));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { "": given });
  names.forEach((name, number) => (env[name] = Object.assign(exports[number], env[name])));
}

function isPlain(value) {
  return typeof value === "function" && !value.stub && /^[vijfdep][ijfdep]*$/.test(value.sig ?? "");
}

// Returns the bytes of a module that exports what it imports: function by function, named by their
// numbers, with signatures in Emscripten's letters, the result first.
function wrappingModule(signatures) {
  const types = signatures.map(([result, ...given]) => [
    0x60,
    ...vector(given.map((letter) => [TYPES[letter]])),
    ...vector(result === "v" ? [] : [[TYPES[result]]]),
  ]);
  const name = (number) => vector([...String(number)].map((digit) => [digit.charCodeAt()]));
  const imports = signatures.map((_, number) => [...name(""), ...name(number), 0, ...unsigned(number)]);
  const exports = signatures.map((_, number) => [...name(number), 0, ...unsigned(number)]);
  const section = (id, items) => [id, ...vector(vector(items).map((byte) => [byte]))];
  return new Uint8Array([
    ...[0, 97, 115, 109, 1, 0, 0, 0],
    ...section(TYPE_SECTION, types),
    ...section(IMPORT_SECTION, imports),
    ...section(EXPORT_SECTION, exports),
  ]);
}

// A count, and the items after it.
function vector(items) {
  return [...unsigned(items.length), ...items.flat()];
}

function unsigned(number) {
  const bytes = [];
  for (let rest = number; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}
