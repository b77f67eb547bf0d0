// Makes the page's openings with the very app and Python that ship:
// node openings.mjs FOLDER SHARE SHARES
//
// Of SHARES equal shares it makes the one numbered SHARE, from 0 on. FOLDER holds Pyodide and the
// packs; NAME.json.gz, NAME.moments.gz and RUN.run.gz are written beside them.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { installPackages, startPython } from "./runtime.mjs";

const folder = process.argv[2];
const [share, shares] = process.argv.slice(3).map(Number);
createRequire(import.meta.url)(join(folder, "pyodide.asm.js"));
let module = null;
const createModule = globalThis._createPyodideModule;
globalThis._createPyodideModule = async (settings) => (module = await createModule(settings));
const python = await startPython(folder);
await installPackages(python, folder);
python.runPython("from fleetlab.app import moments, openings; openings.prepare()");

// A page takes long to build. Each call gets the one that stands ready, since the whole memory is
// put back afterwards; numbers, texts and bytes are all that crosses.
const memory = module.HEAPU8.slice();
function call(name, ...values) {
  const handed = values.map((value) => (value instanceof Uint8Array ? `bytes.fromhex("${Buffer.from(value).toString("hex")}")` : `json.loads(${JSON.stringify(JSON.stringify(value))})`));
  const result = python.runPython(`import json\nresult = ${name}(${handed.join(", ")})\nresult.hex() if isinstance(result, bytes) else json.dumps(result)`);
  module.HEAPU8.set(memory);
  module.HEAPU8.fill(0, memory.length);
  return name === "openings.first_run" ? Buffer.from(result, "hex") : JSON.parse(result);
}

const keep = (name, bytes) => writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
const looks = JSON.parse(python.runPython("import json; json.dumps(openings.LOOKS)"));
// A track's part is one process's: what is shown before its lock and after it may be the same run.
const places = Map.groupBy(call("openings.names"), ([track, part]) => `${track} ${part}`);
const names = [...places.values()].filter((_, number) => number % shares === share).flat();
const runs = new Map([["", { name: "", run: Buffer.alloc(0) }]]);
for (const [track, part, kind] of names) {
  const query = call("openings.first", track, part, kind);
  if (!runs.has(query)) {
    const run = call("openings.first_run", track, part, kind);
    const name = createHash("sha256").update(run).digest("hex").slice(0, 16);
    keep(`${name}.run`, run);
    runs.set(query, { name, run });
  }
  const { name, run } = runs.get(query);
  const shown = Object.fromEntries(looks.map((look) => [look, call("openings.shown", track, part, kind, look, run)]));
  const locked = kind === "locked";
  const other = locked ? call("openings.shown", track, part, kind, looks[0], run, 1) : shown[looks[0]];
  const moments = locked ? record(track, part, run) : null;
  keep(`${track}-${part}-${kind}.json`, call("openings.opening", query, name, shown, other, moments));
  console.log(`done ${track}, part ${part}, ${kind}`);
}
process.exit(0);

// Keeps the recording of a part's run; returns how many moments it has and which the opening shows.
function record(track, part, run) {
  const course = call("moments.course", track, part, run);
  const seen = looks.map((look) => call("moments.seen", track, part, look, run, course));
  keep(`${track}-${part}.moments`, call("moments.recording", track, part, course, seen));
  return { track, part, count: course.times.length, shown: course.shown };
}
