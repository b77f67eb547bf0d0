// The page of Dominant Resource Fairness: the fields, the steps and the rules side by side. What a
// step means is Python's; all steps are here at once, so that going to and fro is immediate.

import { find, made } from "./view.js";

const CASES = {
  worked: { capacity: [9, 18], demands: [[1, 4], [3, 1]] },
  asset: { capacity: [30, 30], demands: [[1, 3], [1, 1]] },
  three: { capacity: [24, 48], demands: [[2, 2], [1, 6], [4, 1]] },
};
const MOST_USERS = 4;
const STEP_MS = 900;

let steps = [];
let users = [];
let playing = 0; // the timer of the next step

/** Returns the question that the fields of this page ask. */
export function question(page) {
  const value = (name) => find(`[name="${name}"]`, page).value;
  const demands = rows(page).filter((row) => !row.hidden)
    .map(({ dataset: { user } }) => [value(`demand-${user}-0`), value(`demand-${user}-1`)]);
  return { capacity: [value("capacity-0"), value("capacity-1")], demands };
}

/** Does what a button of this page says; returns whether there is something new to ask. */
export function press(page, button) {
  const { deed } = button.dataset;
  if (CASES[deed]) {
    fill(page, CASES[deed]);
    return true;
  }
  const shown = rows(page).filter((row) => !row.hidden).length;
  if (deed === "add" || deed === "remove") {
    showUsers(page, shown + (deed === "add" ? 1 : -1));
    return true;
  }
  const at = find(".steps-slider", page).valueAsNumber;
  if (deed === "play" && !playing) play(page, at >= steps.length - 1 ? 0 : at + 1);
  else stop(page);
  if (deed === "back") goTo(page, at - 1);
  if (deed === "next") goTo(page, at + 1);
  return false;
}

/** Shows the step that the slider stands at. */
export function slide(page, slider) {
  stop(page);
  goTo(page, slider.valueAsNumber);
}

/** Draws what Python has answered. */
export function show(page, view) {
  // The same answer again leaves the reader at the step that they look at.
  if (view.steps && JSON.stringify(view.steps) !== JSON.stringify(steps)) {
    stop(page);
    ({ steps, users } = view);
    find(".dominant", page).replaceChildren(...view.dominant.map((text) => made("li", text)));
    find(".steps-slider", page).max = steps.length - 1;
    build(page, view.resources);
    goTo(page, steps.length - 1);
  }
  if (view.rules) find(".rules", page).replaceChildren(...view.rules.map(card));
}

const rows = (page) => [...page.querySelectorAll(".user")];

function fill(page, { capacity, demands }) {
  capacity.forEach((amount, r) => { find(`[name="capacity-${r}"]`, page).value = amount; });
  rows(page).forEach(({ dataset: { user } }, at) => demands[at]?.forEach((amount, r) => {
    find(`[name="demand-${user}-${r}"]`, page).value = amount;
  }));
  showUsers(page, demands.length);
}

function showUsers(page, wanted) {
  const count = Math.max(1, Math.min(MOST_USERS, wanted));
  rows(page).forEach((row, at) => { row.hidden = at >= count; });
  find("[data-deed=add]", page).disabled = count === MOST_USERS;
  find("[data-deed=remove]", page).disabled = count === 1;
}

// ---- one step

function build(page, resources) {
  const bar = (label, kinds, extra = "") => {
    const lane = made("div", ...kinds.map((user) => segment(user)));
    lane.className = `lane ${extra}`;
    return Object.assign(made("div", Object.assign(made("p", label), { className: "name" }), lane,
      Object.assign(made("p"), { className: "says" })), { className: "share-bar" });
  };
  find(".in-use", page).replaceChildren(...resources.map((name) => bar(name, users)));
  find(".shares", page).replaceChildren(...users.map((user) => bar(`User ${user}`, [user], "ticked")));
}

function segment(user) {
  const part = Object.assign(made("span", user), { className: "segment" });
  part.dataset.user = user;
  return part;
}

function goTo(page, wanted) {
  const at = Math.max(0, Math.min(steps.length - 1, wanted));
  const step = steps[at];
  if (!step) return;
  const slider = find(".steps-slider", page);
  slider.value = at;
  slider.setAttribute("aria-valuetext", step.title);
  find("[data-say=step_title]", page).textContent = step.title;
  find("[data-say=step_reason]", page).textContent = step.reason;
  for (const [deed, off] of [["back", !at], ["next", at === steps.length - 1]]) {
    // Not disabled: the button that was just pressed would lose the focus.
    find(`[data-deed=${deed}]`, page).setAttribute("aria-disabled", off);
  }
  page.querySelectorAll(".in-use .share-bar").forEach((bar, r) => {
    bar.querySelectorAll(".segment").forEach((part, u) => grow(part, step.held[r][u]));
    find(".says", bar).textContent = step.used_texts[r];
  });
  page.querySelectorAll(".shares .share-bar").forEach((bar, u) => {
    grow(find(".segment", bar), step.shares[u]);
    const tasks = step.tasks[u];
    find(".lane", bar).style.setProperty("--ticks", Math.max(1, tasks));
    find(".says", bar).textContent = `${step.share_texts[u]} with ${tasks} ${tasks === 1 ? "task" : "tasks"}`;
  });
}

function play(page, at) {
  goTo(page, at);
  if (at >= steps.length - 1) stop(page);
  else playing = setTimeout(() => play(page, at + 1), STEP_MS);
  showPlaying(page);
}

function stop(page) {
  clearTimeout(playing);
  playing = 0;
  showPlaying(page);
}

function showPlaying(page) {
  find("[data-deed=play]", page).textContent = playing ? "Stop" : "Play";
  find(".step", page).setAttribute("aria-live", playing ? "off" : "polite");
}

function grow(part, share) {
  part.style.width = `${share * 100}%`;
  part.toggleAttribute("data-none", share < 0.03);
}

// ---- the rules

function card({ name, why_not, bars, kept, broken }) {
  const box = made("li", made("h4", name));
  if (why_not) box.append(made("p", why_not));
  for (const { user, share, mark, text, short } of bars) {
    const lane = Object.assign(made("div", segment(user), made("i")), { className: "lane" });
    lane.style.setProperty("--mark", mark);
    grow(lane.firstChild, share);
    lane.toggleAttribute("data-short", short);
    box.append(Object.assign(made("div", Object.assign(made("p", `User ${user}`), { className: "name" }), lane,
      Object.assign(made("p", text), { className: "says" })), { className: "share-bar" }));
  }
  for (const [property, why] of broken) {
    box.append(Object.assign(made("p", made("b", `${property}, broken: `), `${why}.`), { className: "broken" }));
  }
  if (kept.length) box.append(Object.assign(made("p", `Kept: ${kept.join(", ")}.`), { className: "hint" }));
  return box;
}
