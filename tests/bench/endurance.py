"""One tab through an hour's use: a thousand runs, scrubs, parts and tracks, as quick as they end.

    python3 build.py bench endurance [--tours N] [--visits N]

A tour visits every part of every track and does the same there each time, so that tours can be
compared. Printed for each: what the tab holds, and medians of how long its answers took. The
first tours warm up: WebAssembly's memory grows in large steps up to the most that was ever needed
and never shrinks. The rest is halved, for what a tab holds goes up and down from tour to tour.
It fails if the median tour of the later half holds more than that of the earlier one, or if
its answers are slower, each by more than the share stated below, or if anything goes wrong.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from playwright.sync_api import TimeoutError

from builder.assemble import build
from builder.browser import FLAGS, get_chromium
from builder.say import BuildError, say
from builder.serve import open_server
from fleetlab.app.parts import PARTS
from fleetlab.missions import TRACKS
from tests.browser.reader import lock

WARM_UP = 3  # tours
GROWTH_ALLOWED = 0.05  # of each kind of memory, from the earlier half to the later one
SLOWER_ALLOWED = 0.30  # of the median answer, of each kind
PATIENCE_MS = 120_000
READINGS = 6  # of what a tab holds, after each tour
READING_MS = 500  # before each
RUNS_A_VISIT = 9
JOBS = 600  # a fleet's crowded hours, and no more: it is the number of runs that tires a page

# Counts the runs of what the address asks for; those that a part makes beside them do not count.
COUNT_RUNS = """
globalThis.runsShown = 0;
let asked = "";
globalThis.Worker = class extends Worker {
  constructor(...options) {
    super(...options);
    this.addEventListener("message", ({ data: { type, name, value } }) => {
      if (type === "tell" && name === "query") asked = value;
      if (type === "tell" && name === "run" && value.scenario === asked) runsShown += 1;
    });
  }
};
"""
GO = """(query) => {
  history.pushState(null, "", query);
  dispatchEvent(new PopStateEvent("popstate"));
}"""
SHOWN = "before => runsShown > before"
MOVED = """([part, before]) => {
  const clock = (within) => {
    for (const element of within.querySelectorAll("*")) {
      if (element.role === "slider" && element.ariaLabel === "Simulated time") return element;
      const inside = element.shadowRoot && clock(element.shadowRoot);
      if (inside) return inside;
    }
    return null;
  };
  const now = clock(document.querySelector(`.part[data-part="${part}"]`))?.ariaValueText;
  return now && now !== before;
}"""
AGAIN_MS = 5_000  # a key that met a slider while it was drawn anew is pressed again
PYTHON = """() => python.runPython("import gc; gc.collect(); len(gc.get_objects())")"""
WASM = "() => python._module.HEAPU8.length"


@dataclass
class Tour:
    """What one tour found: answers in milliseconds by kind, and what the tab holds after it."""

    answers_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    held: dict[str, float] = field(default_factory=dict)

    def median_ms(self, kind: str) -> float:
        """Return the median answer to an action of that kind."""
        return statistics.median(self.answers_ms[kind])


class Tab:
    """One tab of a browser, and what a reader does in it."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.errors: list[str] = []
        self.tour = Tour()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        page.on("console", self._hear)
        page.add_init_script(COUNT_RUNS)
        self.devtools = page.context.new_cdp_session(page)

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(f"console {message.type}: {message.text}")

    # ---- what is done

    def visit(self, track: str, part: int, seed: int) -> None:
        """Go to a part of a track, run it in several ways, look about in it and leave."""
        self._run("arrival", self.page.evaluate, GO, _address(track, part, seed))
        section = self.page.locator(f".part[data-part='{part}']")
        if section.get_attribute("data-locked") != "yes":
            lock(section)
        for number in range(1, RUNS_A_VISIT // 2 + 1):
            address = _address(track, part, seed + number)
            self._run("run by the address", self.page.evaluate, GO, address)
        knob = section.locator(".controls").get_by_role("slider").first
        at_end = knob.get_attribute("aria-valuenow") == knob.get_attribute("aria-valuemin")
        for key in ["ArrowRight", "ArrowLeft"][:: 1 if at_end else -1] * (RUNS_A_VISIT // 4):
            self._run("run by a knob", knob.press, key)
        clock = section.get_by_role("slider", name="Simulated time")
        for _ in range(6):
            self._look(part, clock)
        section.get_by_role("button", name="Step", exact=True).click()
        clock.press("Home")
        section.get_by_role("button", name="Play", exact=True).click()
        section.get_by_role("button", name="Pause", exact=True).click()
        section.get_by_role("button", name="Play", exact=True).wait_for()
        section.get_by_role("button", name="Math Peek").click()
        self.page.get_by_role("tab", name="Fair shares").click()
        self.page.get_by_role("button", name="Theme").click()
        section.get_by_role("button", name="Math Peek").click()

    def hand_in(self) -> None:
        """Look at the ledger, take it away and start afresh.

        What a ledger holds is the reader's, and the page grows with it.
        """
        parts = self.page.get_by_role("navigation", name="Parts of the lab")
        parts.get_by_role("link", name="Ledger").click()
        with self.page.expect_download():
            self.page.get_by_role("button", name="Export JSON").click()
        self.page.get_by_role("button", name="Start afresh").click()
        self.page.get_by_role("button", name="Remove and start afresh").click()
        self.page.get_by_text("Nothing is recorded on this track yet.").wait_for()

    def _run(self, kind: str, act: Callable[..., Any], *given: Any) -> None:
        before = self.page.evaluate("runsShown")
        with self._timed(kind):
            act(*given)
            self.page.wait_for_function(SHOWN, arg=before)

    def _look(self, part: int, clock: Any) -> None:
        # No handle of an element is held: the browser would keep it, and all that hangs on it.
        before = clock.get_attribute("aria-valuetext")
        with self._timed("look at an instant"):
            self._move(clock)
            try:
                self.page.wait_for_function(MOVED, arg=[part, before], timeout=AGAIN_MS)
            except TimeoutError:
                self._move(clock)
                self.page.wait_for_function(MOVED, arg=[part, before])

    def _move(self, clock: Any) -> None:
        # To the far end: in a short run a shorter way may end in the same minute.
        late = clock.evaluate("clock => clock.ariaValueNow > clock.ariaValueMax / 2")
        clock.press("Home" if late else "End")

    @contextmanager
    def _timed(self, kind: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.tour.answers_ms[kind].append(1000 * (time.perf_counter() - began))

    # ---- what it holds

    def weigh(self) -> None:
        """Note what the tab holds when it has thrown away what nobody needs.

        The browser does so in its own time, and a view that was just left weighs a tenth of the
        tab: of several readings the least counts.
        """
        (worker,) = self.page.workers
        objects = worker.evaluate(PYTHON)
        readings = [self._read() for _ in range(READINGS)]
        self.tour.held = {
            "WebAssembly, MB": worker.evaluate(WASM) / 1e6,
            "Python objects, thousands": objects / 1e3,
            **{name: min(reading[name] for reading in readings) for name in readings[0]},
        }

    def _read(self) -> dict[str, float]:
        self.page.wait_for_timeout(READING_MS)
        self.devtools.send("HeapProfiler.collectGarbage")
        heap = self.devtools.send("Runtime.getHeapUsage")
        counted = self.devtools.send("Memory.getDOMCounters")
        return {
            "JavaScript, MB": heap["usedSize"] / 1e6,
            "nodes, thousands": counted["nodes"] / 1e3,
            "listeners, thousands": counted["jsEventListeners"] / 1e3,
        }


def main(arguments: list[str]) -> int:
    """Drive the tab and print what it came to; return 1 if it failed."""
    options = argparse.ArgumentParser(prog="build.py bench endurance")
    options.add_argument("--tours", type=int, default=10, help="default 10, at least 5")
    options.add_argument("--visits", type=int, default=12, help="of a tour, default all 12")
    chosen = options.parse_args(arguments)
    if chosen.tours < WARM_UP + 2 or chosen.visits < 1:
        raise BuildError("--tours must be 5 or more and --visits 1 or more.")
    from playwright.sync_api import sync_playwright

    server = open_server(build())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=get_chromium(), args=list(FLAGS))
        tab = Tab(browser.new_page())
        tab.page.goto(f"http://127.0.0.1:{server.server_address[1]}/{_address('titan', 1, 1)}")
        tab.page.locator("html[data-fleetlab-state=live]").wait_for()
        tours = drive(tab, chosen.tours, list(product(TRACKS, PARTS))[: chosen.visits])
        browser.close()
    server.shutdown()
    server.server_close()
    return 0 if report(tours, tab.errors) else 1


def drive(tab: Tab, count: int, stops: list[tuple[str, int]]) -> list[Tour]:
    """Go on that many tours of these stops and return what each found."""
    tours = []
    for number in range(count):
        tab.tour = Tour()
        for track, part in stops:
            tab.visit(track, part, 1 + number * RUNS_A_VISIT)
        tab.hand_in()
        tab.weigh()
        tours.append(tab.tour)
        held = ", ".join(f"{name} {value:.1f}" for name, value in tab.tour.held.items())
        say(f"  tour {number + 1} of {count}: {held}")
    return tours


def report(tours: list[Tour], errors: list[str]) -> bool:
    """Print how the later tours compare with the earlier; return whether they are good."""
    rest = tours[WARM_UP:]
    half = len(rest) // 2
    spans = (tours[:1], rest[:half], rest[-half:])
    runs = sum(
        len(found)
        for tour in tours
        for kind, found in tour.answers_ms.items()
        if "look" not in kind
    )
    say(f"{runs:,} runs and {sum(len(t.answers_ms['look at an instant']) for t in tours):,} looks")
    say(f"{'':<28}{'first tour':>12}{'earlier':>12}{'later':>12}{'later/earlier':>15}")
    good = True
    for name in tours[0].held:
        values = [statistics.median(tour.held[name] for tour in span) for span in spans]
        good &= _row(name, values, GROWTH_ALLOWED)
    for kind in tours[0].answers_ms:
        values = [statistics.median(tour.median_ms(kind) for tour in span) for span in spans]
        good &= _row(f"{kind}, ms", values, SLOWER_ALLOWED)
    for error in errors[:20]:
        say(f"error: {error[:300]}")
    say(f"{len(errors)} errors")
    say(f"memory may grow by {GROWTH_ALLOWED:.0%}, answers may be slower by {SLOWER_ALLOWED:.0%}, "
        f"nothing may go wrong: {'met' if good and not errors else 'MISSED'}")  # fmt: skip
    return good and not errors


def _row(name: str, values: list[float], allowed: float) -> bool:
    """Print one line and return whether its growth is allowed."""
    ratio = values[2] / values[1]
    good = ratio <= 1 + allowed
    figures = "".join(f"{value:>12.1f}" for value in values)
    say(f"{name:<28}{figures}{ratio:>15.2f}{'' if good else '  TOO MUCH'}")
    return good


def _address(track: str, part: int, seed: int) -> str:
    jobs = f"&jobs={JOBS}" if part < 3 else ""
    return f"?track={track}&part={part}&seed={seed}{jobs}"
