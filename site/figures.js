// A run as a reader reads it: its figures and its Scenario. A figure's name ends in its unit: wait_mean_s.

import { asText } from "./record.js";

const NAMES = {
  wait_mean_s: "mean wait",
  wait_p50_s: "median wait",
  wait_p95_s: "wait of 95 %",
  near_wait_s: "wait in one piece",
  any_wait_s: "wait anywhere",
  worst_low_priority_s: "longest low-priority wait",
  allocated: "allocated",
  productive: "productive",
  mfu: "MFU",
  hole_gpus: "GPUs in holes",
  cost_dollars: "cost",
  time_to_converge_s: "time to converge",
  lost_gpu_h: "lost GPU-hours",
};
const SHARES = new Set(["allocated", "productive", "goodput", "mfu"]);
const SPANS = [["s", 1], ["min", 60], ["h", 3600], ["d", 86_400]];

/** Returns the name of a figure in words, without its unit. */
export const figureName = (name) => NAMES[name] ?? name.replace(/_(s|dollars)$/, "").replaceAll("_", " ");

/** Returns the value of a figure with its unit; empty where there is none. */
export function figureText(name, value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  if (SHARES.has(name)) return `${(value * 100).toFixed(1)}\u00a0%`;
  if (name.endsWith("_dollars")) return dollars(value);
  if (name.endsWith("_s")) return span(value);
  return String(Math.round(value * 100) / 100);
}

/** Returns what a Scenario changes on its track's default, in words. */
export function scenarioWords(scenario) {
  return [...new URLSearchParams(asText(scenario))]
    .filter(([key]) => !["track", "part"].includes(key))
    .map(([key, value]) => `${key} ${value}`).join(", ") || "as it opens";
}

/** Returns the names of the figures that any of the runs has, in the order they were met. */
export function figureNames(runs) {
  return [...new Set(runs.flatMap(({ figures }) => Object.keys(figures ?? {})))];
}

function span(seconds) {
  const [unit, size] = SPANS.findLast(([, size]) => Math.abs(seconds) >= size * 1.5) ?? SPANS[0];
  return `${rounded(seconds / size)}\u00a0${unit}`;
}

function dollars(value) {
  const [letter, size] = [["\u00a0M", 1e6], ["\u00a0k", 1e3]].find(([, size]) => value >= size) ?? ["", 1];
  return `$${rounded(value / size)}${letter}`;
}

const rounded = (value) => (Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value));
