"""The default Scenario in the page's own worker, in a browser, and in CPython, in turn."""

from __future__ import annotations

import json
import time

from playwright.sync_api import sync_playwright

from builder.assemble import build
from builder.browser import FLAGS, get_chromium
from builder.link import Link
from builder.loads import LAB_QUERY, PATIENCE_MS, served
from builder.say import BuildError
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate

# What the worker's Python runs; times are of the wall, for WebAssembly knows no other.
IN_PYTHON = """
import json, time
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate
began = time.perf_counter()
run = simulate(Scenario.parse({query!r}))
json.dumps([time.perf_counter() - began, run.digest])
"""


def measure(scenario: Scenario, runs: int) -> tuple[list[float], list[float]]:
    """Return how many seconds ``scenario`` takes in Chromium's worker and here, run by run.

    Each is run once before, unmeasured. Raises BuildError if the two come to different runs.
    """
    code = IN_PYTHON.format(query=scenario.query())
    theirs, ours = [], []
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=get_chromium(), args=list(FLAGS)) as browser,
        served(build(), Link()) as address,
    ):
        page = browser.new_page()
        page.goto(address + LAB_QUERY)
        page.wait_for_selector("html[data-fleetlab-state=live]", timeout=PATIENCE_MS)
        (worker,) = page.workers
        for number in range(runs + 1):
            seconds, digest = json.loads(worker.evaluate("code => python.runPython(code)", code))
            began = time.perf_counter()
            run = simulate(scenario)
            own = time.perf_counter() - began
            if digest != run.digest:
                raise BuildError("the browser's run is not CPython's, though the Scenario is one")
            if number:
                theirs.append(seconds)
                ours.append(own)
    return theirs, ours
