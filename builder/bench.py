"""The bench command: how fast the lab starts, and how fast its engine is, as ratios to peers."""

import argparse
import importlib
import statistics
from pathlib import Path

from .assemble import build
from .drive import Browser, browsers
from .loads import LAB_QUERY, Load, first_answer, visit
from .say import BuildError, say
from .stockpage import build_stock

LINKS = {"local": 0.0, "50 Mbit/s": 50e6 / 8, "20 Mbit/s": 20e6 / 8}  # bytes a second; 0: no limit
# Shares of the stock page's live time in the same browser, without a limit on the link.
TARGETS = {("lab", "painted_ms"): 0.10, ("lab", "live_ms"): 0.15, ("again", "live_ms"): 0.10}
TARGET_ANSWER_MS = 200


def startup(arguments: list[str]) -> int:
    """Load the stock page and the lab in turn; print medians and their ratios.

    Return 1 if the lab misses a target in one of the browsers.
    """
    options = argparse.ArgumentParser(prog="build.py bench startup")
    options.add_argument("--runs", type=int, default=5, help="loads of each page, default 5")
    options.add_argument("--links", nargs="*", choices=list(LINKS), default=list(LINKS))
    starts = browsers()
    options.add_argument("--browsers", nargs="*", choices=list(starts), default=list(starts))
    chosen = options.parse_args(arguments)
    if chosen.runs < 1:
        raise BuildError("--runs must be 1 or more.")
    stock, lab = build_stock(), build()
    missed = []
    for name in chosen.browsers:
        with starts[name]() as browser:
            if browser is None:
                continue  # it has said so
            for link in chosen.links:
                loads = compare(browser, stock, lab, f"{name}, {link}", LINKS[link], chosen.runs)
                report(f"{name}, {link}", loads)
                if link == "local":
                    missed += [f"{name}: {target}" for target in misses(loads)]
            answers = [first_answer(browser, lab) for _ in range(chosen.runs)]
            answer_ms = statistics.median(answers)
            say(f"{name}, a knob's first answer: {answer_ms:.0f} ms")
            if answer_ms > TARGET_ANSWER_MS:
                missed.append(f"{name}: a knob's first answer in {TARGET_ANSWER_MS} ms")
    for target in missed:
        say(f"missed: {target}")
    return 1 if missed else 0


def compare(
    browser: Browser, stock: Path, lab: Path, name: str, bytes_s: float, runs: int
) -> dict[str, list[Load]]:
    """Return loads of the stock page and of the lab, first and again, taken in turn."""
    loads: dict[str, list[Load]] = {"stock": [], "lab": [], "again": []}
    for number in range(runs):
        loads["stock"] += visit(browser, stock, "", bytes_s, times=1)
        first, again = visit(browser, lab, LAB_QUERY, bytes_s, times=2)
        loads["lab"].append(first)
        loads["again"].append(again)
        live = ", ".join(f"{key} {each[-1].live_ms / 1e3:.2f} s" for key, each in loads.items())
        say(f"  {name}, run {number + 1} of {runs}, live: {live}")
    return loads


def median(loads: list[Load], what: str) -> float:
    """Return the median of one of a Load's facts."""
    return statistics.median(getattr(load, what) for load in loads)


def report(name: str, loads: dict[str, list[Load]]) -> None:
    """Print the medians and their ratios to the stock page's."""
    head = f"{name}, median of {len(loads['stock'])}"
    say(f"{head:<34}{'stock':>8}{'lab':>8}{'ratio':>8}{'again':>8}{'ratio':>8}")
    for what, unit, scale in (("painted_ms", "s", 1e3), ("live_ms", "s", 1e3),
                              ("sent_bytes", "MB", 1e6)):  # fmt: skip
        stock = median(loads["stock"], what)
        row = f"  {what.rpartition('_')[0] + ', ' + unit:<32}{stock / scale:>8.2f}"
        for key in ("lab", "again"):
            found = median(loads[key], what)
            row += f"{found / scale:>8.2f}{found / stock:>8.3f}"
        say(row)


def misses(loads: dict[str, list[Load]]) -> list[str]:
    """Return each target that the medians miss, in words."""
    stock_ms = median(loads["stock"], "live_ms")
    return [
        f"{key} {what.removesuffix('_ms')} in {share} of the stock page's live time"
        for (key, what), share in TARGETS.items()
        if median(loads[key], what) > share * stock_ms
    ]


def in_tests(name: str, root: Path, arguments: list[str]) -> int:
    """Run a benchmark that lies in tests/bench: the engine's, or the page's endurance."""
    if not (root / "tests" / "bench" / f"{name}.py").is_file():
        raise BuildError(f"There is no tests/bench/{name}.py in this checkout.")
    module = importlib.import_module(f"tests.bench.{name}")
    return int(module.main(arguments) or 0)
