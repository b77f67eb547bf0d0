// The page of queueing: three sliders, the formulas' curves, and the engine's measurements on them.

import { drawChart } from "./chart.js";
import { find } from "./view.js";

const CASES = {
  plain: { load: 80, cv: 1, servers: 1 },
  varied: { load: 80, cv: 3, servers: 1 },
  fleet: { load: 80, cv: 3, servers: 512 },
};

const field = (page, name) => find(`[name="${name}"]`, page);

/** Returns the question that the fields of this page ask. */
export function question(page) {
  const value = (name) => field(page, name).valueAsNumber;
  return { load: String(value("load")), cv: String(Math.round(value("cv") * 10)), servers: String(2 ** value("servers")) };
}

/** Does what a button of this page says; there is always something new to ask. */
export function press(page, { dataset: { deed } }) {
  const { load, cv, servers } = CASES[deed];
  field(page, "load").value = load;
  field(page, "cv").value = cv;
  field(page, "servers").value = Math.log2(servers);
  slide(page);
  return true;
}

/** Says what the sliders stand at. */
export function slide(page) {
  const { load, cv, servers } = question(page);
  const count = `${servers} ${servers === "1" ? "server" : "servers"}`;
  const texts = { load_text: `${load} %`, cv_text: String(cv / 10), servers_count: count };
  for (const [name, text] of Object.entries(texts)) find(`[data-say=${name}]`, page).textContent = text;
  field(page, "servers").setAttribute("aria-valuetext", count);
  return true;
}

/** Draws what Python has answered. */
export function show(page, view) {
  if (view.load_chart) drawChart(find(".load-chart", page), view.load_chart);
  if (view.servers_chart) drawChart(find(".servers-chart", page), view.servers_chart);
}
