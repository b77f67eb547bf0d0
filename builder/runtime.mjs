// Pyodide under Node, from a folder that holds its files and the site's packs.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

// Panel's import asks for it and never uses it outside a browser.
globalThis.XMLHttpRequest ??= class XMLHttpRequest {};

// Node would show the packed line that failed, and nothing after it.
process.on("uncaughtException", ({ message, stack }) => {
  console.log(message || stack);
  process.exit(1);
});

// Hash seed 0, so that sets come out in the same order every time; without docstrings, as the
// packs are compiled, since NumPy would otherwise bring its own.
const ENVIRONMENT = { PYTHONHASHSEED: "0", PYTHONOPTIMIZE: "2" };

/** Returns Pyodide, started. */
export async function startPython(folder, options = {}) {
  const { loadPyodide } = createRequire(import.meta.url)(join(folder, "pyodide.js"));
  return loadPyodide({ indexURL: folder, env: ENVIRONMENT, ...options });
}

/** Writes a pack's files (see pack.py); returns the paths of its compiled libraries, sorted. */
export function writePack(python, path) {
  const pack = readFileSync(path);
  const length = pack.readUInt32LE(0);
  const index = JSON.parse(pack.toString("utf8", 4, 4 + length));
  let start = 4 + length;
  for (const [name, size] of index) {
    python.FS.mkdirTree(name.slice(0, name.lastIndexOf("/")));
    python.FS.writeFile(name, pack.subarray(start, start + size));
    start += size;
  }
  return index.map(([name]) => name).filter((name) => name.endsWith(".so")).sort();
}

/** Writes the site's two packs and loads their libraries; `around(name, load)` wraps each load. */
export async function installPackages(python, folder, around = (_, load) => load()) {
  const libraries = ["packages.pack", "fleetlab.pack"].flatMap((name) => writePack(python, join(folder, name)));
  for (const path of libraries.sort()) {
    await around(path, () => python._api.loadDynlib(path, false, []));
  }
  python.runPython("import importlib; importlib.invalidate_caches()");
}
