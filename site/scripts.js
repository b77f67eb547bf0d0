// The scripts that the page needs besides its own modules: BokehJS and Panel's.

import { fileError } from "./files.js";
import { offline } from "./source.js";

// Each script, with a model by which it is known to have run.
const SCRIPTS = [
  { file: "runtime/bokeh.min.js", model: "Plot" },
  { file: "runtime/bokeh-widgets.min.js", model: "Slider" },
  { file: "runtime/bokeh-tables.min.js", model: "DataTable" },
  { file: "runtime/panel.min.js", model: "panel.models.layout.Column" },
];

let running = null;

/**
 * Runs BokehJS and Panel's scripts in their order, since each needs those before it; the page has
 * asked for all of them already. Here and not by tags of it, so that a failure has a name and a
 * second try. Who asks while they are under way waits for the same: BokehJS run twice would
 * forget what the others had added to it.
 */
export function loadScripts(manifest) {
  running ??= load(manifest).finally(() => (running = null));
  return running;
}

async function load(manifest) {
  for (const { file, model } of SCRIPTS) {
    if (!registered(model)) await loadScript(file, manifest[file]);
    if (!registered(model)) throw fileError(file, `The file ${file} is damaged: it lacks ${model}.`);
  }
}

function registered(model) {
  return Boolean(globalThis.Bokeh && model in Bokeh.Models);
}

function loadScript(file, facts) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    // A page from a disk cannot check what it loads from there.
    if (facts && !offline) {
      script.crossOrigin = "anonymous"; // without it a sandboxed frame may not check the bytes
      script.integrity = `sha256-${base64(facts.sha256)}`;
    }
    script.onload = () => resolve();
    script.onerror = () => {
      script.remove();
      reject(fileError(file, `The file ${file} could not be loaded, or its bytes are not the build's.`));
    };
    script.src = facts && !offline ? `${file}?${facts.sha256}` : file; // as the page's head has asked for it
    document.head.append(script);
  });
}

function base64(hex) {
  return btoa(String.fromCharCode(...hex.match(/../g).map((pair) => parseInt(pair, 16))));
}
