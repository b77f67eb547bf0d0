// A run's figures as a reader reads them. A figure's name ends in its unit: wait_mean_s.

const NAMES = {
  wait_mean_s: "mean wait, once started",
  wait_so_far_s: "mean wait so far",
  wait_p50_s: "median wait",
  wait_p95_s: "wait of 95 %",
  near_wait_s: "wait in one piece",
  any_wait_s: "wait anywhere",
  worst_low_priority_s: "longest low-priority wait",
  mfu: "MFU",
  offered: "load asked for",
  hops_node: "gangs’ GPUs in one node",
  hops_block: "gangs’ GPUs in one block",
  hops_spine: "gangs’ GPUs across blocks",
  hole_gpus: "GPUs in holes",
  cost_dollars: "cost",
  time_to_converge_s: "time to converge",
  lost_gpu_h: "lost GPU-hours",
  stretch: "times as long",
  loop_p50_ms: "median loop",
  loop_p999_ms: "p99.9 of the loop",
  late_share: "late",
  small_share: "drawn small",
  heavy_share: "heavy model heard",
  slim_share: "slim model heard",
  silent_share: "silent",
  dropout_share: "dropped out",
  tokens_s: "tokens a second",
  frames_s: "frames a second",
  mean_pixels: "pixels drawn",
  effective_dollars: "effective price of a GPU-hour",
  lowest_fps: "lowest frames a second",
  mean_mw: "mean mW",
};
const SHARES = new Set([
  "allocated", "productive", "goodput", "offered", "hops_node", "hops_block", "hops_spine", "mean_pixels",
]);
const FACTS = new Set(["deadlocked", "converged"]);
const RATES = new Set(["tokens_s", "frames_s"]); // a second, where other names in _s are times
const SPANS = [["s", 1], ["min", 60], ["h", 3600], ["d", 86_400]];

/** Returns the name of a figure in words, without its unit. */
export const figureName = (name) => NAMES[name] ?? name.replace(/_(s|dollars)$/, "").replaceAll("_", " ");

/** Returns the value of a figure with its unit; empty where there is none. */
export function figureText(name, value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  if (FACTS.has(name)) return value ? "yes" : "no";
  if (RATES.has(name)) return value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0 });
  if (name === "mfu") return value.toFixed(3);
  if (SHARES.has(name)) return `${(value * 100).toFixed(1)}\u00a0%`;
  if (name.endsWith("_share")) return `${Math.round(value * 1e4) / 100}\u00a0%`;
  if (name.endsWith("_dollars")) return dollars(value);
  if (name.endsWith("_s")) return span(value);
  if (name.endsWith("_ms")) return value < 1000 ? `${Math.round(value * 100) / 100}\u00a0ms` : span(value / 1000);
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
  if (value < 10) return `$${value.toFixed(2)}`;
  return value < 1e6 ? `$${Math.round(value).toLocaleString("en")}` : `$${rounded(value / 1e6)}\u00a0M`;
}

const rounded = (value) => (Math.abs(value) < 10 ? Math.round(value * 10) / 10 : Math.round(value));
