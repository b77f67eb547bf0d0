// The ledger as a picture: one page, drawn from the record alone.

import { figureName, figureText } from "./figures.js";
import { guessOf, surenessOf, textOf } from "./questions.js";
import { EVIDENCE, divergenceIn, missingFrom } from "./record.js";
import { policyWords, scenarioWords } from "./settings.js";

const [WIDTH, MARGIN, SCALE] = [1000, 56, 2];
const INNER = WIDTH - 2 * MARGIN;
const INK = { ground: "#fbfaf7", ink: "#1d2430", muted: "#5f6979", line: "#e3e0d8", action: "#006395", warm: "#b84a18", good: "#2a7750" };
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif';
const LONGEST = 1200; // characters of one text; the whole of it is in the other exports

/** Returns the record as a PNG, with the seal that the JSON export of the same moment has. */
export function pictureOf(record, trackName, seal) {
  const canvas = document.createElement("canvas");
  const height = draw(new Sheet(canvas.getContext("2d")), record, trackName, seal); // to measure
  [canvas.width, canvas.height] = [WIDTH * SCALE, Math.ceil(height) * SCALE];
  const brush = canvas.getContext("2d");
  brush.scale(SCALE, SCALE);
  brush.fillStyle = INK.ground;
  brush.fillRect(0, 0, WIDTH, height);
  draw(new Sheet(brush), record, trackName, seal);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

// Writes from top to bottom; `y` is where the next line begins.
class Sheet {
  constructor(brush) {
    this.brush = brush;
    this.y = MARGIN;
  }

  text(words, { size = 17, weight = 400, colour = INK.ink, x = MARGIN, width = INNER, gap = 6 } = {}) {
    const { brush } = this;
    brush.font = `${weight} ${size}px ${FONT}`;
    brush.fillStyle = colour;
    brush.textBaseline = "top";
    for (const line of this.lines(words, width)) {
      brush.fillText(line, x, this.y);
      this.y += size * 1.45;
    }
    this.y += gap;
  }

  lines(words, width) {
    const lines = [];
    for (const paragraph of words.slice(0, LONGEST).split("\n")) {
      let line = "";
      for (const word of paragraph.split(" ").flatMap((word) => this.pieces(word, width))) {
        const longer = line ? `${line} ${word}` : word;
        if (line && this.brush.measureText(longer).width > width) {
          lines.push(line);
          line = word;
        } else line = longer;
      }
      lines.push(line);
    }
    return words.length > LONGEST ? [...lines, "…"] : lines;
  }

  // A word without a space that is wider than the sheet is cut.
  pieces(word, width) {
    if (this.brush.measureText(word).width <= width) return [word];
    return word.match(/.{1,40}/gsu) ?? [];
  }

  heading(words) {
    this.y += 14;
    this.brush.fillStyle = INK.line;
    this.brush.fillRect(MARGIN, this.y, INNER, 1);
    this.y += 18;
    this.text(words, { size: 20, weight: 700, gap: 4 });
  }

  bar(label, share, value, colour) {
    const [left, full] = [MARGIN + 130, INNER - 130 - 90];
    const top = this.y;
    this.text(label, { size: 15, colour: INK.muted, width: 120, gap: 0 });
    this.brush.fillStyle = colour;
    this.brush.fillRect(left, top + 3, full * Math.min(1, Math.max(0, share)), 16);
    this.brush.fillStyle = INK.ink;
    this.brush.fillText(value, left + full * Math.min(1, Math.max(0, share)) + 8, top);
    this.y = top + 26;
  }
}

function draw(sheet, record, trackName, seal) {
  const missing = missingFrom(record);
  sheet.text("Fleet Orchestration, ledger", { size: 16, colour: INK.muted, gap: 0 });
  sheet.text(trackName, { size: 34, weight: 700, gap: 0 });
  sheet.text(missing.length ? `Not complete: it lacks ${missing.join(", ")}.` : "Complete.",
    { colour: missing.length ? INK.warm : INK.good });
  drawPredictions(sheet, record);
  drawPolicy(sheet, record);
  drawParadox(sheet, record);
  for (const [title, text] of [
    ["The alternative that was rejected", record.rejected_alternative],
    ["What can still go wrong", record.residual_risk],
  ]) {
    sheet.heading(title);
    sheet.text(text.trim() || "Nothing written yet.");
  }
  sheet.y += 10;
  const count = record.runs.length;
  sheet.text(`${count} run${count === 1 ? "" : "s"}, seed ${record.seed ?? "not set"}, version ${record.version}. ` +
    `Seal ${seal.slice(0, 16)}. Every run can be repeated: fleetlab verify.`,
  { size: 14, colour: INK.muted });
  return sheet.y + MARGIN - 20;
}

function drawPredictions(sheet, record) {
  sheet.heading("Predictions");
  if (!record.predictions.length) sheet.text("None yet.");
  for (const made of record.predictions) {
    sheet.text(`Part ${made.part}: ${textOf(made.part, made.choice)}`, { weight: 600, gap: 0 });
    sheet.text([guessOf(made), surenessOf(made), made.at.slice(0, 16).replace("T", " ")].filter(Boolean).join(", "),
      { size: 15, colour: INK.muted });
  }
}

function drawPolicy(sheet, record) {
  sheet.heading("Final policy");
  sheet.text(policyWords(record) || "Not chosen yet.");
  const figures = Object.entries(EVIDENCE).filter(([name]) => typeof record.evidence[name] === "number");
  const top = sheet.y;
  const across = 4;
  figures.forEach(([name, figure], i) => {
    const x = MARGIN + (i % across) * (INNER / across);
    sheet.y = top + Math.floor(i / across) * 70;
    sheet.text(figureName(figure), { size: 14, colour: INK.muted, x, gap: 0 });
    sheet.text(figureText(figure, record.evidence[name]), { size: 24, weight: 700, x, gap: 0 });
  });
  if (figures.length) sheet.y = top + Math.ceil(figures.length / across) * 70;
  sheet.text(record.priority ? `First came ${record.priority}.` : "Density or locality: not chosen yet.", { weight: 600 });
}

function drawParadox(sheet, record) {
  const parted = divergenceIn(record);
  sheet.heading(parted ? "A busier fleet did less work" : "The paradox");
  if (parted) {
    const { busy, idle, useful } = parted;
    for (const run of [idle, busy]) {
      sheet.text(`Part ${run.part}, ${scenarioWords(run.scenario)}`, { size: 15, colour: INK.muted, gap: 4 });
      for (const [name, colour] of [["allocated", INK.action], [useful, INK.warm]]) {
        sheet.bar(figureName(name), run.figures[name], figureText(name, run.figures[name]), colour);
      }
      sheet.y += 12;
    }
  }
  sheet.text(record.paradox_answer.text.trim() || "Nothing written yet.");
}
