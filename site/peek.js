// Math Peek: one panel for all parts, in the part that it was opened in. It asks Python by name and
// draws what comes back; nothing happens before it is opened, or after it is closed.

import * as packing from "./packing.js";
import * as queueing from "./queueing.js";
import * as sharing from "./sharing.js";
import { find, showTable } from "./view.js";

const PAGES = { sharing, packing, queueing };
const PAUSE_MS = 200; // in typing or sliding, before it is asked

/**
 * Opens the peek with the parts' `<details data-peek="PAGE">`; `tell(question)` carries questions
 * to Python. Returns {show(view), again()}: draws an answer; asks again, of a Python that is new.
 */
export function openPeek(tell) {
  const panel = find("#peek");
  const toggles = [...document.querySelectorAll("details[data-peek]")];
  let open = null; // the details that the panel is open in
  let name = "sharing";
  let timer = 0;

  const pageOf = (wanted) => find(`#peek-${wanted}`);
  const ask = () => open && tell({ page: name, ...PAGES[name].question(pageOf(name)) });

  function askSoon() {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  }

  function choose(wanted, focus) {
    name = wanted;
    if (open) open.dataset.peek = name; // each part keeps its page
    for (const tab of panel.querySelectorAll("[role=tab]")) {
      const mine = tab.dataset.page === name;
      tab.setAttribute("aria-selected", mine);
      tab.tabIndex = mine ? 0 : -1;
      pageOf(tab.dataset.page).hidden = !mine;
      if (mine && focus) tab.focus();
    }
    ask();
  }

  function toggled(details) {
    if (details.open) {
      for (const other of toggles) if (other !== details) other.open = false;
      details.append(panel);
      panel.hidden = false;
      open = details;
      choose(details.dataset.peek, false);
    } else if (open === details) {
      open = null;
      tell({ page: "" });
    }
    for (const button of document.querySelectorAll(".peek-button")) {
      button.setAttribute("aria-expanded", find("details[data-peek]", button.closest(".part")).open);
    }
  }

  function show({ page: wanted, problem, field, ...view }) {
    const page = pageOf(wanted);
    find(".problem", page).textContent = problem;
    for (const input of page.querySelectorAll("input, textarea")) {
      if (input.name === field) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
    for (const place of page.querySelectorAll("[data-say]")) {
      const text = view[place.dataset.say];
      if (text !== undefined && place.textContent !== text) place.textContent = text;
    }
    for (const table of page.querySelectorAll("[data-rows]")) {
      if (view[table.dataset.rows]) showTable(table, view[table.dataset.rows]);
    }
    PAGES[wanted].show(page, view);
    page.toggleAttribute("data-answered", true);
  }

  function walkTabs(event) {
    const names = Object.keys(PAGES);
    const last = names.length - 1;
    const at = names.indexOf(name);
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at ? at - 1 : last, Home: 0, End: last }[event.key];
    if (to === undefined || !event.target.matches("[role=tab]")) return;
    event.preventDefault();
    choose(names[to], true);
  }

  for (const details of toggles) details.addEventListener("toggle", () => toggled(details));
  for (const button of document.querySelectorAll(".peek-button")) {
    button.addEventListener("click", () => {
      const details = find("details[data-peek]", button.closest(".part"));
      details.open = !details.open;
      if (!details.open) return;
      find("summary", details).focus({ preventScroll: true });
      details.scrollIntoView({ block: "start" });
    });
  }
  panel.addEventListener("click", ({ target }) => {
    const tab = target.closest("[role=tab]");
    const button = target.closest("button[data-deed]");
    if (tab) choose(tab.dataset.page, false);
    else if (button && PAGES[name].press(pageOf(name), button)) ask();
  });
  panel.addEventListener("keydown", walkTabs);
  panel.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  panel.addEventListener("input", ({ target }) => {
    if (target.type !== "range") PAGES[name].change?.(pageOf(name), target);
    else if (!PAGES[name].slide(pageOf(name), target)) return;
    askSoon();
  });

  return { show, again: ask };
}
