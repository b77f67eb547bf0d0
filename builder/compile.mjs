// Compiles Python sources with the CPython that ships: node compile.mjs FOLDER
// FOLDER holds Pyodide and sources.pack; bytecode.pack is written beside them.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const { loadPyodide } = createRequire(import.meta.url)(join(folder, "pyodide.js"));
// Hash seed 0: sets of names inside code objects then come out in the same order every time.
const python = await loadPyodide({ indexURL: folder, env: { PYTHONHASHSEED: "0" } });

python.FS.writeFile("/sources.pack", readFileSync(join(folder, "sources.pack")));
python.globals.set("report", (done, total) => console.log(`done ${done} of ${total}`));
const failure = python.runPython(`
import importlib._bootstrap_external as bootstrap, importlib.util, json, struct, warnings

def compile_all():
    warnings.simplefilter("ignore")
    pack = open("/sources.pack", "rb").read()
    (length,) = struct.unpack_from("<I", pack)
    index = json.loads(pack[4:4 + length])
    start = 4 + length
    entries, blobs = [], []
    for number, (path, size) in enumerate(index):
        source = pack[start:start + size]
        start += size
        try:
            code = compile(source, path, "exec", dont_inherit=True, optimize=2)  # no docstrings
        except SyntaxError as error:
            return f"cannot compile {path}, line {error.lineno}: {error.msg}"
        data = bytes(bootstrap._code_to_hash_pyc(code, importlib.util.source_hash(source), False))
        entries.append([path + "c", len(data)])
        blobs.append(data)
        if number % 50 == 0:
            report(number, len(index))
    head = json.dumps(entries, separators=(",", ":")).encode()
    with open("/bytecode.pack", "wb") as out:
        out.write(struct.pack("<I", len(head)) + head)
        for blob in blobs:
            out.write(blob)
    return ""

compile_all()
`);
if (failure) {
  console.log(failure);
  process.exit(1);
}
writeFileSync(join(folder, "bytecode.pack"), python.FS.readFile("/bytecode.pack"));
process.exit(0);
