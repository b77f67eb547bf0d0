// The page of bin packing: the fields, and every rule's bins as columns over the bounds.

import { drawChart } from "./chart.js";
import { find, made } from "./view.js";

const WORST = {
  capacity: 1000,
  items: [...Array(6).fill(510), ...Array(6).fill(270), ...Array(6).fill(260), ...Array(12).fill(230)],
};

let typed = false; // whether the reader's own items are packed, or drawn ones

/** Returns the question that the fields of this page ask. */
export function question(page) {
  const value = (name) => find(`[name="${name}"]`, page).value;
  return typed ? { items: value("items"), capacity: value("bin") } : { count: value("count"), seed: value("seed") };
}

/** Does what a button of this page says; returns whether there is something new to ask. */
export function press(page, { dataset: { deed } }) {
  typed = deed !== "draw";
  if (deed === "worst") {
    find("[name=items]", page).value = WORST.items.join(" ");
    find("[name=bin]", page).value = WORST.capacity;
  }
  return true;
}

/** Says what the slider stands at; drawn items are packed from then on. */
export function slide(page, slider) {
  typed = false;
  find("[data-say=count_text]", page).textContent = `${slider.value} items`;
  return true;
}

/** Takes a field that has been changed: typing one's own items packs those. */
export function change(page, field) {
  typed = field.name === "items" || field.name === "bin";
}

/** Draws what Python has answered. */
export function show(page, view) {
  if (view.items !== undefined) {
    find("[name=items]", page).value = view.items;
    find("[name=bin]", page).value = view.capacity;
  }
  if (view.rules) showRules(page, view);
  if (view.growth) drawChart(find(".growth", page), view.growth);
}

function showRules(page, { rules, l1, l2, fewest }) {
  const most = Math.max(l2, ...rules.map(({ bins }) => bins.length));
  find(".packings", page).replaceChildren(...rules.map((rule) => {
    const says = made("span", made("b", rule.name), `: ${rule.count}`);
    const head = made("p", says);
    if (rule.over) says.append(", ", Object.assign(made("span", `${rule.over} too many`), { className: "over" }));
    head.append(Object.assign(made("span", rule.work), { className: "work muted" }));
    const bins = made("div", ...rule.bins.map((bin, at) => column(bin, rule.texts[at], fewest !== null && at >= fewest)));
    bins.className = "bins";
    bins.style.setProperty("--most", most);
    for (const [name, bound] of [["L1", l1], ["L2", l2]]) {
      if (name === "L1" && l1 === l2) continue;
      const line = Object.assign(made("i", l1 === l2 ? "L1 = L2" : name), { className: `bound ${name.toLowerCase()}` });
      line.style.setProperty("--at", bound);
      bins.append(line);
    }
    bins.setAttribute("role", "img");
    bins.setAttribute("aria-label", `${rule.name}: ${rule.count}${rule.over ? `, ${rule.over} too many` : ""}`);
    return made("li", head, bins);
  }));
}

function column(items, text, over) {
  const bin = Object.assign(made("span", ...items.map((share) => {
    const item = made("i");
    item.style.height = `${share * 100}%`;
    return item;
  })), { className: "bin", title: text });
  bin.toggleAttribute("data-over", over);
  return bin;
}
