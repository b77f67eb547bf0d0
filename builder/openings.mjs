// Makes the page's openings with the very app and Python that ship: node openings.mjs FOLDER
// FOLDER holds Pyodide and the packs; NAME.json.gz and NAME.run.gz are written beside them.
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

for opening in openings():
    keep(opening.name + ".json", opening.to_json())
    if opening.run:
        keep(opening.name + ".run", opening.run)
`);
process.exit(0);
