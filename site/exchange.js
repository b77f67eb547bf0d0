// What leaves the page and what comes in: ledgers and links, and traces of the reader's own.

import { toMarkdown } from "./markdown.js";
import { pictureOf } from "./picture.js";
import { readRecord } from "./reading.js";
import { exported } from "./record.js";
import { sealed } from "./seal.js";
import { asTextbook, isTextbook, stepOf, withStep } from "./textbook.js";
import { download, find, showDock, write } from "./view.js";

const LARGEST_LEDGER = 8e6; // bytes, as docs/ledger.md says
const LARGEST_TRACE = 200e6;
const JSON_TYPE = "application/json";
const SCALE = 2; // pixels of a saved picture for each of its own

let book = null; // the other steps of the textbook's ledger, once it was imported

const ways = {
  json: (ledger) => ["json", asJson(ledger), JSON_TYPE],
  markdown: (_, record, trackName) => ["md", toMarkdown(record, trackName), "text/markdown"],
  picture: async ({ seal }, record, trackName) =>
    ["png", await pictureOf(record, trackName, seal), "image/png"],
  textbook: (ledger, _, __, at) => ["mlsys.json", asJson(withStep(book, ledger, at)), JSON_TYPE],
};

const asJson = (value) => `${JSON.stringify(value, null, 2)}\n`;

/** Hands the record to the reader as a file: "json", "markdown", "picture" or "textbook". */
export async function exportAs(way, record, trackName, at) {
  const [extension, content, type] = await ways[way](sealed(exported(record)), record, trackName, at);
  download(`fleetlab-${record.track}-${at.slice(0, 10)}.${extension}`, content, type);
}

/** Hands the picture of a part's case to the reader: the SVG itself ("svg"), or drawn as a "png". */
export async function savePicture(svg, form, name) {
  if (!svg) return;
  if (form === "svg") return download(`${name}.svg`, svg, "image/svg+xml");
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth * SCALE, image.naturalHeight * SCALE];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  download(`${name}.png`, blob, "image/png");
}

/**
 * Returns the record in a file, ours or the textbook's; null for a textbook's ledger without our
 * step, which is kept for the export. Throws an Error with one sentence for the reader.
 */
export async function readLedger(file, at) {
  const refuse = (reason) => {
    throw new Error(`${file.name} was not imported: ${reason}`);
  };
  if (file.size > LARGEST_LEDGER) {
    refuse(`it has ${Math.round(file.size / 1e6)} MB; a ledger has ${LARGEST_LEDGER / 1e6} at most.`);
  }
  let value;
  try {
    value = JSON.parse(await file.text());
  } catch {
    refuse("it is not complete JSON. Choose a ledger exported by this page.");
  }
  if (!isTextbook(value)) return readRecord(value, file.name, at);
  book = asTextbook(value) ?? refuse("its other steps are too large to be kept.");
  const step = stepOf(value);
  return step === undefined ? null : readRecord(step, file.name, at);
}

/** Gives Python the trace chosen in a field, or says beside it what is wrong. */
export async function sendTrace(field, tell) {
  const [file] = field.files;
  if (!file) return;
  write("trace_problem", "");
  try {
    const bytes = await readTrace(file);
    tell("trace_name", file.name);
    tell("trace", bytes);
  } catch (error) {
    write("trace_problem", error.message);
  }
  field.value = ""; // the same file may be chosen again
}

// Returns the bytes of a trace; throws an Error with one sentence for the reader.
async function readTrace(file) {
  if (file.size > LARGEST_TRACE) {
    throw new Error(`${file.name} has ${Math.round(file.size / 1e6)} MB; this page reads traces ` +
      `up to ${LARGEST_TRACE / 1e6} MB. Cut it to the days you want.`);
  }
  try {
    return await file.arrayBuffer();
  } catch {
    throw new Error(`${file.name} could not be read. Choose it again.`);
  }
}

/** Copies a link, or shows it selected beside its button where the browser forbids copying. */
export async function copyLink(link, button) {
  const field = find('[data-field="link"]', button.parentElement);
  field.value = link;
  try {
    await navigator.clipboard.writeText(link);
    showDock("notice", "The link is copied. It holds every setting and the seed.");
  } catch {
    field.hidden = false;
    field.select();
    showDock("notice", "The browser does not let the page copy. The link is selected instead.");
  }
}
