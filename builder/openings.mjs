// Makes the page's openings with the very app and Python that ship: node openings.mjs FOLDER
// FOLDER holds Pyodide and the packs; NAME.json.gz and RUN.run.gz are written beside them.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { installPackages, startPython } from "./runtime.mjs";

const folder = process.argv[2];
const python = await startPython(folder);
await installPackages(python, folder);
python.globals.set("keep", (name, data) => {
  const bytes = typeof data === "string" ? Buffer.from(data) : data.toJs();
  writeFileSync(join(folder, `${name}.gz`), gzipSync(bytes, { level: 9 }));
  console.log(`done ${name}`);
});
python.runPython(`
from fleetlab.app.openings import openings

kept = set()
for opening in openings():
    keep(opening.name + ".json", opening.to_json())
    if opening.run_name not in kept | {""}:
        keep(opening.run_name + ".run", opening.run)
    kept.add(opening.run_name)
`);
process.exit(0);
