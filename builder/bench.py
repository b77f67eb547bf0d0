"""The bench command: how fast the lab starts, and how fast its engine is, as ratios to peers."""

import argparse
import importlib.util
import statistics
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .assemble import build
from .browser import FLAGS, get_chromium
from .say import BuildError, say
from .serve import SiteHandler, open_server
from .stockpage import build_stock

LAB_QUERY = "?track=titan&part=1"
LIVE = "performance.getEntriesByName('fleetlab:live').length > 0"
TARGET_LIVE = 0.55


@dataclass(frozen=True)
class Load:
    """One load of a page: when it was painted and when live, and the bytes that it took."""

    painted_ms: float
    live_ms: float
    sent_bytes: int


def startup(arguments: list[str]) -> int:
    """Load the stock page and the lab in turn; print medians and their ratios.

    Return 1 if the lab's median time to live is above its target share of the stock page's.
    """
    options = argparse.ArgumentParser(prog="build.py bench startup")
    options.add_argument("--runs", type=int, default=5, help="loads of each page, default 5")
    runs = options.parse_args(arguments).runs
    if runs < 1:
        raise BuildError("--runs must be 1 or more.")
    pages = {"stock": (build_stock(), ""), "lab": (build(), LAB_QUERY)}
    loads: dict[str, list[Load]] = {name: [] for name in pages}

    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=get_chromium(), args=list(FLAGS))
        for number in range(runs):
            for name, (folder, query) in pages.items():
                load = measure(browser, folder, query)
                loads[name].append(load)
                say(f"  run {number + 1} of {runs}, {name}: live after {load.live_ms / 1e3:.2f} s")
        browser.close()
    return report(loads)


def measure(browser: Any, folder: Path, query: str) -> Load:
    """Return one load of a page in a fresh browser context, its server counting bytes."""
    sent = [0]

    class Counting(SiteHandler):
        def copyfile(self, source: Any, outputfile: Any) -> None:
            data = source.read()
            sent[0] += len(data)
            outputfile.write(data)

    server = open_server(folder, handler=Counting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/{query}")
        page.wait_for_function(
            f"{LIVE} || document.documentElement.dataset.error"
            " || document.documentElement.dataset.fleetlabState === 'error'",
            timeout=180_000,
        )
        if not page.evaluate(LIVE):
            text = page.inner_text("body")[:300]
            raise BuildError(f"The page of {folder} did not go live: {text}")
        marks = page.evaluate(
            """Object.fromEntries(performance.getEntriesByType('mark').concat(
                 performance.getEntriesByName('first-contentful-paint'))
                 .map(mark => [mark.name, mark.startTime]))"""
        )
        live_ms = marks["fleetlab:live"]
        # The stock page shows nothing of its own before it is live.
        return Load(marks.get("fleetlab:painted", live_ms), live_ms, sent[0])
    finally:
        context.close()
        server.shutdown()
        server.server_close()


def report(loads: dict[str, list[Load]]) -> int:
    """Print the medians of both pages and their ratios; return 1 if the target is missed."""
    ratio = {}
    say(f"{'median':<16}{'stock':>12}{'lab':>12}{'ratio':>9}")
    for what, unit, scale in (("painted_ms", "s", 1e3), ("live_ms", "s", 1e3),
                              ("sent_bytes", "MB", 1e6)):  # fmt: skip
        stock, lab = (
            statistics.median(getattr(load, what) for load in loads[name])
            for name in ("stock", "lab")
        )
        ratio[what] = lab / stock
        row = f"{stock / scale:>12.2f}{lab / scale:>12.2f}{lab / stock:>9.2f}"
        say(f"{what.rpartition('_')[0] + ', ' + unit:<16}{row}")
    spread = [f"{load.live_ms / 1e3:.2f}" for load in loads["lab"]]
    say(f"lab live, every run: {', '.join(spread)} s")
    met = ratio["live_ms"] <= TARGET_LIVE
    say(f"target: live at {TARGET_LIVE} of the stock page or less: {'met' if met else 'MISSED'}")
    return 0 if met else 1


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
