// A run's figures as a reader reads them. A figure's name ends in its unit: wait_mean_s.

const NAMES = {
  wait_mean_s: "mean wait, once started",
  wait_so_far_s: "mean wait so far",
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
  loop_p50_ms: "median loop, ms",
  loop_p999_ms: "p99.9 of the loop, ms",
  late_share: "late",
  small_share: "drawn small",
  heavy_share: "heavy model heard",
  slim_share: "slim model heard",
  silent_share: "silent",
  dropout_share: "dropped out",
  lowest_fps: "lowest frames a second",
  mean_mw: "mean mW",
};
const SHARES = new Set(["allocated", "productive", "goodput"]);
const SPANS = [["s", 1], ["min", 60], ["h", 3600], ["d", 86_400]];

/** Returns the name of a figure in words, without its unit. */
export const figureName = (name) => NAMES[name] ?? name.replace(/_(s|dollars)$/, "").replaceAll("_", " ");

/** Returns the value of a figure with its unit; empty where there is none. */
export function figureText(name, value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  if (name === "mfu") return value.toFixed(3);
  if (SHARES.has(name)) return `${(value * 100).toFixed(1)}\u00a0%`;
  if (name.endsWith("_share")) return `${Math.round(value * 1e4) / 100}\u00a0%`;
  if (name.endsWith("_dollars")) return dollars(value);
  if (name.endsWith("_s")) return span(value);
  return String(Math.round(value * 100) / 100);
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
  if (value < 10) return `$${rounded(value)}`;
  return value < 1e6 ? `$${Math.round(value).toLocaleString("en")}` : `$${rounded(value / 1e6)}\u00a0M`;
}

const rounded = (value) => (Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value));
