"""A reader of the lab: what a person does on the page, by the names that they read there."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from fleetlab.app.instruments.heatmap import Layout
from fleetlab.run import Run
from fleetlab.scenario import Scenario
from fleetlab.simulate import simulate

LOCK = "Lock my prediction"
PATIENCE_MS = 30_000  # for one answer of the page, on a machine that does other things too
LONG_MS = 120_000  # for several runs in a row

expect.set_options(timeout=PATIENCE_MS)


@cache
def run_of(query: str) -> Run:
    """Return what CPython makes of the Scenario in an address."""
    return simulate(Scenario.parse(query))


def default_query(track: str) -> str:
    """Return the Scenario with which the workbench of a track opens, as the address words it."""
    return "?" + Scenario.default(track).query()


def lock(section: Locator) -> None:
    """Lock some prediction of a part."""
    section.get_by_role("radio").first.check()
    number = section.locator(".lock").get_by_role("spinbutton")
    if number.count():
        number.fill("2")
    section.get_by_label("How sure are you").select_option(index=2)
    section.get_by_role("button", name=LOCK).click()
    expect(section).to_have_attribute("data-locked", "yes")


class Reader:
    """Reads and uses one page, in one part of the lab at a time."""

    def __init__(self, page: Page, part: int = 1) -> None:
        self.page = page
        page.set_default_timeout(PATIENCE_MS)
        self.turn_to(part)

    def turn_to(self, part: int) -> None:
        """Read another part from here on."""
        self.part = self.page.get_by_role("region", name=re.compile(f"^Part {part}, "))

    # ---- what there is to read

    @property
    def title(self) -> str:
        """The finding that stands above the fleet."""
        return self.heading.inner_text()

    @property
    def heading(self) -> Locator:
        """Where that finding stands."""
        return self.part.get_by_role("heading", level=1)

    @property
    def why(self) -> str:
        """Why the job asked about waits."""
        return self.answer.inner_text()

    @property
    def answer(self) -> Locator:
        """Where the page says why."""
        return self.part.locator("[data-text=why]")

    def says(self, name: str) -> Locator:
        """Return where the part writes the text of that name."""
        return self.part.locator(f"[data-text='{name}']").first

    @property
    def scene(self) -> Locator:
        """Where the page says when and where this is."""
        return self.part.locator("[data-text=scene]")

    @property
    def query(self) -> str:
        """The Scenario in the address."""
        return str(self.page.evaluate("location.search"))

    @property
    def digest(self) -> str:
        """The digest of the last finished run, or nothing."""
        return str(self.page.locator("html").get_attribute("data-fleetlab-run") or "")

    def await_run(self, query: str) -> Run:
        """Return CPython's run of a Scenario, once the page shows the run with that digest."""
        expected = run_of(query)
        self.await_digest(expected.digest)
        return expected

    def await_digest(self, digest: str) -> None:
        """Wait until the page's last run has this digest."""
        self.page.wait_for_function(
            "digest => document.documentElement.dataset.fleetlabRun === digest", arg=digest
        )

    # ---- what there is to do

    def predict(
        self, choice: str = "Much longer", number: str = "5", confidence: str = "half sure"
    ) -> None:
        """Lock a prediction; ``choice`` is a pattern of the option's words."""
        page = self.part
        page.get_by_role("radio", name=re.compile(choice)).check()
        page.get_by_role("spinbutton").fill(number)
        page.get_by_label("How sure are you").select_option(label=confidence)
        page.get_by_role("button", name=LOCK).click()
        page.get_by_role("heading", name="Your prediction, locked").wait_for()

    def choose(self, group: str, option: str) -> None:
        """Choose one of the options of a knob."""
        radios = self.page.get_by_role("radiogroup", name=group, exact=True)
        words = re.compile(f"^{re.escape(option)}$")
        radios.locator("label").filter(has_text=words).click()

    def click(self, name: str) -> None:
        """Press the part's button of that name."""
        self.part.get_by_role("button", name=name, exact=True).click()

    def unfold(self, summary: str) -> None:
        """Open the part's fold of that summary."""
        self.part.locator("summary", has_text=summary).click()

    def reflect(self, text: str, link: str) -> None:
        """Answer the part's last question, and go on by the link below it."""
        self.part.get_by_label("Your answer").fill(text)
        self.part.get_by_role("link", name=link).click()

    def go(self, query: str) -> None:
        """Go to another Scenario by the address, as a press on the browser's Back does."""
        self.page.evaluate(
            "query => { history.pushState(null, '', query); dispatchEvent(new Event('popstate')) }",
            query,
        )

    def open_view(self, name: str) -> None:
        """Go to another part of the lab by the links at the top."""
        links = self.page.get_by_role("navigation", name="Parts of the lab")
        links.get_by_role("link", name=name).click()

    def click_gpu(self, run: Run, gpu: int) -> None:
        """Click a GPU in the picture of the fleet."""
        stage = self.page.get_by_role("img", name="GPU").or_(
            self.page.get_by_role("img", name="device")
        )
        canvas = stage.locator("canvas").first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        assert box is not None
        left, right, bottom, top = self.page.evaluate(
            """() => { const plot = Bokeh.documents.at(-1).get_model_by_name("cluster-heatmap");
            return [plot.x_range.start, plot.x_range.end, plot.y_range.start, plot.y_range.end] }"""
        )
        layout = Layout.of(run.fleet, narrow=False)
        self.page.mouse.click(
            box["x"] + (layout.x[gpu] - left) / (right - left) * box["width"],
            box["y"] + (top - layout.y[gpu]) / (top - bottom) * box["height"],
        )

    def send(self, label: str, *files: str | Path | dict[str, Any]) -> None:
        """Give the page files through the field of that name."""
        self.page.get_by_label(label).set_input_files(list(files))  # type: ignore[arg-type]

    def download(self, button: str) -> str:
        """Return the text of the file that a button hands out."""
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name=button).click()
        return Path(download.value.path()).read_text(encoding="utf-8")

    def ledger(self) -> dict[str, Any]:
        """Return the ledger as the page exports it."""
        self.open_view("Ledger")
        exported: dict[str, Any] = json.loads(self.download("Export JSON"))
        return exported
