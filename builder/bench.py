"""The bench command: how fast the lab starts, and how fast its engine is, as ratios to peers."""

import argparse
import importlib.util
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .assemble import build
from .browser import FLAGS, get_chromium
from .link import Link
from .say import BuildError, say
from .serve import open_server
from .stockpage import build_stock

LAB_QUERY = "?track=titan&part=1"
LIVE = "performance.getEntriesByName('fleetlab:live').length > 0"
TARGETS = {"painted_ms": 0.10, "live_ms": 0.15}  # of the stock page's live time, unthrottled
TARGET_REPEAT = 0.10
TARGET_ANSWER_MS = 200
LINKS = {"local": 0.0, "50 Mbit/s": 50e6 / 8, "20 Mbit/s": 20e6 / 8}  # bytes a second; 0: no limit

# Presses the button and returns after how long the page says another time.
ANSWER = """async (step) => {
  const scene = [...document.querySelectorAll('[data-text="scene"]')].find((e) => e.offsetParent);
  const before = scene.textContent;
  const began = performance.now();
  step.click();
  while (scene.textContent === before) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""


@dataclass(frozen=True)
class Load:
    """One load of a page: when it was painted and when live, and the bytes that it took."""

    painted_ms: float
    live_ms: float
    sent_bytes: int


def startup(arguments: list[str]) -> int:
    """Load the stock page and the lab in turn; print medians and their ratios.

    Return 1 if the lab misses a target.
    """
    options = argparse.ArgumentParser(prog="build.py bench startup")
    options.add_argument("--runs", type=int, default=5, help="loads of each page, default 5")
    options.add_argument("--links", nargs="*", choices=list(LINKS), default=list(LINKS))
    chosen = options.parse_args(arguments)
    if chosen.runs < 1:
        raise BuildError("--runs must be 1 or more.")
    stock, lab = build_stock(), build()

    from playwright.sync_api import sync_playwright

    met = True
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=get_chromium(), args=list(FLAGS))
        for name in chosen.links:
            loads: dict[str, list[Load]] = {"stock": [], "lab": [], "lab again": []}
            for number in range(chosen.runs):
                loads["stock"] += measure(browser, stock, "", LINKS[name], visits=1)
                first, again = measure(browser, lab, LAB_QUERY, LINKS[name], visits=2)
                loads["lab"].append(first)
                loads["lab again"].append(again)
                live = ", ".join(
                    f"{key} {each[-1].live_ms / 1e3:.2f} s" for key, each in loads.items()
                )
                say(f"  {name}, run {number + 1} of {chosen.runs}, live: {live}")
            met &= report(name, loads)
        answers = [first_answer(browser, lab) for _ in range(chosen.runs)]
        browser.close()
    answer_ms = statistics.median(answers)
    say(f"first answer to a press after live: {answer_ms:.0f} ms (target {TARGET_ANSWER_MS} ms)")
    return 0 if met and answer_ms <= TARGET_ANSWER_MS else 1


@contextmanager
def served(folder: Path, link: Link) -> Iterator[str]:
    """Serve a folder over a link and yield its address."""
    server = open_server(folder, handler=link.handler())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def measure(browser: Any, folder: Path, query: str, bytes_s: float, visits: int) -> list[Load]:
    """Return the loads of a page in a fresh browser context, one after the other."""
    link = Link(bytes_s=bytes_s)
    context = browser.new_context()
    loads = []
    with served(folder, link) as address:
        try:
            for _ in range(visits):
                sent = link.sent_bytes
                page = context.new_page()
                page.goto(address + query)
                loads.append(wait_for_live(page, folder, lambda sent=sent: link.sent_bytes - sent))
                if len(loads) < visits:
                    page.evaluate("navigator.serviceWorker?.ready")
                page.close()
        finally:
            context.close()
    return loads


def wait_for_live(page: Any, folder: Path, sent: Callable[[], int]) -> Load:
    """Return when the page was painted and live, and what had been sent by then."""
    page.wait_for_function(
        f"{LIVE} || document.documentElement.dataset.error"
        " || document.documentElement.dataset.fleetlabState === 'error'",
        timeout=180_000,
    )
    if not page.evaluate(LIVE):
        text = page.inner_text("body")[:300]
        raise BuildError(f"The page of {folder} did not go live: {text}")
    count = sent()
    marks = page.evaluate(
        """Object.fromEntries(performance.getEntriesByType('mark')
             .map(mark => [mark.name, mark.startTime]))"""
    )
    live_ms = marks["fleetlab:live"]
    # The stock page shows nothing of its own before it is live.
    return Load(marks.get("fleetlab:painted", live_ms), live_ms, count)


def first_answer(browser: Any, folder: Path) -> float:
    """Return how long after a press the live page shows its answer, in milliseconds."""
    context = browser.new_context(service_workers="block")
    with served(folder, Link()) as address:
        page = context.new_page()
        page.goto(address + LAB_QUERY)
        page.wait_for_function(LIVE, timeout=180_000)
        part = page.get_by_role("region", name="Part 1")
        part.get_by_label("Much longer", exact=False).check()
        part.get_by_label("How many times as long?").fill("10")
        part.get_by_label("How sure are you?").select_option("4")
        part.get_by_role("button", name="Lock my prediction").click()
        step = part.get_by_role("button", name="Step")
        step.wait_for()
        found = float(step.evaluate(ANSWER))
        context.close()
    return found


def report(link: str, loads: dict[str, list[Load]]) -> bool:
    """Print the medians over a link and their ratios to the stock page's; return whether good."""

    def median(name: str, what: str) -> float:
        return statistics.median(getattr(load, what) for load in loads[name])

    stock_ms = median("stock", "live_ms")
    say(f"{link + ', median':<22}{'stock':>10}{'lab':>10}{'ratio':>8}{'again':>10}{'ratio':>8}")
    for what, unit, scale in (("painted_ms", "s", 1e3), ("live_ms", "s", 1e3),
                              ("sent_bytes", "MB", 1e6)):  # fmt: skip
        stock = median("stock", what)
        row = f"{what.rpartition('_')[0] + ', ' + unit:<22}{stock / scale:>10.2f}"
        for name in ("lab", "lab again"):
            row += f"{median(name, what) / scale:>10.2f}{median(name, what) / stock:>8.2f}"
        say(row)
    if link != "local":
        return True
    met = median("lab again", "live_ms") <= TARGET_REPEAT * stock_ms
    for what, share in TARGETS.items():
        met &= median("lab", what) <= share * stock_ms
    say(f"targets, painted {TARGETS['painted_ms']}, live {TARGETS['live_ms']}, live again "
        f"{TARGET_REPEAT} of the stock page's live time: {'met' if met else 'MISSED'}")  # fmt: skip
    return met


def engine(root: Path, arguments: list[str]) -> int:
    """Run the engine's benchmark, tests/bench/engine.py."""
    path = root / "tests" / "bench" / "engine.py"
    if not path.is_file():
        raise BuildError("There is no tests/bench/engine.py in this checkout.")
    spec = importlib.util.spec_from_file_location("fleetlab_bench_engine", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return int(module.main(arguments) or 0)
