// A line chart in SVG, from plain values: axes with named ticks, lines, marks with whiskers. Its
// colours are classes, so that the style sheet alone knows the theme.

import { made } from "./view.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 250;
const EDGE = { left: 64, right: 12, top: 12, bottom: 42 };
const MARKS = {
  circle: (x, y) => ["circle", { cx: x, cy: y, r: 4.5 }],
  square: (x, y) => ["rect", { x: x - 4, y: y - 4, width: 8, height: 8 }],
  diamond: (x, y) => ["path", { d: `M${x} ${y - 6}L${x + 6} ${y}L${x} ${y + 6}L${x - 6} ${y}Z` }],
  up: (x, y) => ["path", { d: `M${x - 5} ${y + 4}H${x + 5}L${x} ${y - 6}Z` }],
  down: (x, y) => ["path", { d: `M${x - 5} ${y - 4}H${x + 5}L${x} ${y + 6}Z` }],
};

/** Returns where a value of an axis lies between `from` and `to` pixels. */
export function placed({ low, high, log }, value, from, to) {
  const of = log ? Math.log : Number;
  return from + ((of(value) - of(low)) / (of(high) - of(low))) * (to - from);
}

/** Draws a chart into a place, as wide as it is, and again whenever that changes. */
export function drawChart(place, chart) {
  place.chart = chart;
  draw(place);
  if (place.widths) return;
  place.widths = new ResizeObserver(() => place.clientWidth !== place.drawn && draw(place));
  place.widths.observe(place);
}

function draw(place) {
  const { chart, clientWidth: width } = place;
  if (!width) return;
  place.drawn = width;
  const at = {
    x: (value) => placed(chart.x, value, EDGE.left, width - EDGE.right),
    y: (value) => placed(chart.y, value, HEIGHT - EDGE.bottom, EDGE.top),
  };
  const picture = svg("svg", { width, height: HEIGHT, role: "img", "aria-label": chart.label });
  picture.append(...axes(chart, at, width));
  if (chart.here !== undefined) {
    const x = at.x(chart.here);
    picture.append(svg("path", { class: "here", d: `M${x} ${EDGE.top}V${HEIGHT - EDGE.bottom}` }));
  }
  for (const series of chart.series) picture.append(...drawn(series, at));
  place.replaceChildren(legend(chart.series), picture);
}

function axes({ x, y }, at, width) {
  const [bottom, right] = [HEIGHT - EDGE.bottom, width - EDGE.right];
  const parts = [];
  for (const [value, text] of y.ticks) {
    parts.push(svg("path", { class: "grid", d: `M${EDGE.left} ${at.y(value)}H${right}` }));
    parts.push(text_(text, EDGE.left - 7, at.y(value) + 4, "end"));
  }
  for (const [value, text] of x.ticks) {
    parts.push(svg("path", { class: "grid", d: `M${at.x(value)} ${bottom}v4` }));
    parts.push(text_(text, at.x(value), bottom + 18, "middle"));
  }
  parts.push(text_(x.label, right, HEIGHT - 6, "end"));
  const up = text_(y.label, 0, 0, "end");
  up.setAttribute("transform", `translate(11 ${EDGE.top}) rotate(-90)`);
  return [...parts, up];
}

function drawn({ style, mark, line, dashed, points, beyond = [], below = [] }, at) {
  const parts = [];
  if (line && points.length) {
    const d = points.map(([x, y], i) => `${i ? "L" : "M"}${at.x(x)} ${at.y(y)}`).join("");
    parts.push(svg("path", { class: `line ${style}${dashed ? " dashed" : ""}`, d }));
  }
  for (const [x, y, low, high] of mark ? points : []) {
    if (low !== undefined && high > low) {
      parts.push(svg("path", { class: `line ${style}`, d: `M${at.x(x)} ${at.y(low)}V${at.y(high)}` }));
    }
    const shape = beyond.includes(x) ? "up" : below.includes(x) ? "down" : mark;
    const [name, where] = MARKS[shape](at.x(x), at.y(y));
    parts.push(svg(name, { class: `mark ${style}`, ...where }));
  }
  return parts;
}

function legend(series) {
  const items = series.filter(({ points }) => points.length).map((each) => {
    const sample = svg("svg", { width: 28, height: 14, "aria-hidden": "true" });
    if (each.line) {
      sample.append(svg("path", { class: `line ${each.style}${each.dashed ? " dashed" : ""}`, d: "M1 7H27" }));
    }
    if (each.mark) {
      const [name, where] = MARKS[each.mark](14, 7);
      sample.append(svg(name, { class: `mark ${each.style}`, ...where }));
    }
    const limits = each.beyond?.length ? " (▲ stopped there)" : each.below?.length ? " (▼ or less)" : "";
    return made("li", sample, ` ${each.name}${limits}`);
  });
  return Object.assign(made("ul", ...items), { className: "legend" });
}

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function text_(text, x, y, anchor) {
  const element = svg("text", { x, y, "text-anchor": anchor });
  element.textContent = text;
  return element;
}
