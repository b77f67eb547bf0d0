"""The runtime in a browser: it goes live, and says which file is at fault where it cannot."""

import gzip
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from builder.places import DIST

PACK = "runtime/packages.pack.gz"
NETWORK = "Failed to load resource"
INTEGRITY = "integrity"
QUERY = "?track=titan&part=1"

Damage = Callable[[Route], None]


def serve_missing(route: Route) -> None:
    route.fulfill(status=404, body="gone")


def serve_truncated(route: Route) -> None:
    body = (DIST / route.request.url.split("/", 3)[3]).read_bytes()
    route.fulfill(body=body[: len(body) // 2], content_type="application/octet-stream")


def serve_tampered(route: Route) -> None:
    path = DIST / route.request.url.split("/", 3)[3].split("?")[0]
    body = path.read_bytes()
    if path.suffix == ".gz":
        content = bytearray(gzip.decompress(body))
        content[len(content) // 2] ^= 1
        body = gzip.compress(bytes(content), 1)
    else:
        body = body + b"\n"
    route.fulfill(body=body, content_type="text/javascript")


def refuse(route: Route) -> None:
    route.abort("connectionfailed")


def alert_about(page: Page, name: str, words: str = "") -> str:
    alert = page.get_by_role("alert").filter(has_text=f"The file {name}").filter(has_text=words)
    alert.wait_for()
    return alert.inner_text()


def damaged(name: str, faults: list[Damage]) -> Callable[[Page], None]:
    """Serve one file of the lean way with these faults, one after the other, and then whole."""

    def prepare(page: Page) -> None:
        page.add_init_script("globalThis.fleetlabLean = true")

        def answer(route: Route) -> None:
            if faults:
                faults.pop(0)(route)
            else:
                route.continue_()

        page.context.route(f"**/{name}*", answer)  # some are asked for by name and hash

    return prepare


def test_python_goes_live_from_the_sites_own_files_alone(lab: Any) -> None:
    page = lab(QUERY)
    marks = page.evaluate("performance.getEntriesByType('mark').map(mark => mark.name)")
    assert {"fleetlab:painted", "fleetlab:live"} <= set(marks)
    assert len(page.workers) == 1


MISSING = (serve_missing, "the server answered 404")
TRUNCATED = (serve_truncated, "is damaged: it arrived incomplete")
TAMPERED = (serve_tampered, "is damaged: its bytes are not the build's")


@pytest.mark.parametrize(
    ("name", "faults"),
    [
        (PACK, [MISSING, TRUNCATED, TAMPERED, (refuse, "the connection failed")]),
        ("runtime/pyodide.asm.wasm.gz", [TRUNCATED, TAMPERED]),
        ("runtime/python_stdlib.zip.gz", [MISSING, TAMPERED]),
        ("runtime/pyodide.asm.js", [(serve_tampered, "bytes where the build made")]),
        ("runtime/fleetlab.pack.gz", [TAMPERED]),
    ],
)
def test_each_fault_of_a_runtime_file_is_named_and_a_retry_mends_the_last(
    lab: Any, name: str, faults: list[tuple[Damage, str]]
) -> None:
    prepare = damaged(name, [damage for damage, _ in faults])
    page = lab(QUERY, until="error", expected=(NETWORK,), prepare=prepare)
    for _, words in faults:
        alert_about(page, name, words)
        page.get_by_role("button", name="Retry").click()
    lab.wait_for_state(page, "live")
    assert not page.get_by_role("alert").filter(has_text="The file").is_visible()


@pytest.mark.parametrize("name", ["runtime/bokeh.min.js", "runtime/panel.min.js"])
@pytest.mark.parametrize("damage", [serve_missing, serve_tampered], ids=["missing", "tampered"])
def test_a_script_at_fault_is_named_and_a_retry_mends_it(
    lab: Any, name: str, damage: Damage
) -> None:
    expected = (NETWORK, INTEGRITY)
    page = lab(QUERY, until="error", expected=expected, prepare=damaged(name, [damage]))
    assert re.search("could not be loaded|is damaged", alert_about(page, name))
    page.get_by_role("button", name="Retry").click()
    lab.wait_for_state(page, "live")


@pytest.mark.parametrize("name", ["boot.js", "page.js"])
def test_a_module_of_the_page_at_fault_is_named_and_a_retry_mends_it(lab: Any, name: str) -> None:
    always: list[Damage] = [serve_missing] * 9
    prepare = damaged(name, always)
    page = lab(QUERY, until="error", expected=(NETWORK, INTEGRITY), prepare=prepare)
    assert re.search("could not be loaded|is damaged", alert_about(page, name))
    always.clear()
    page.get_by_role("button", name="Retry").click()
    lab.wait_for_state(page, "live")


def test_a_file_that_stops_arriving_is_named(lab: Any) -> None:
    held: list[Route] = []

    def prepare(page: Page) -> None:
        page.add_init_script("globalThis.fleetlabLean = true")
        page.add_init_script("globalThis.fleetlabStallMs = 6000")
        page.context.route(f"**/{PACK}", lambda route: held.append(route))

    page = lab(QUERY, until="error", prepare=prepare)
    assert "stopped arriving" in alert_about(page, PACK)


def test_the_progress_counts_up_to_the_bytes_that_are_fetched(lab: Any) -> None:
    fetched: list[str] = []

    def prepare(page: Page) -> None:
        page.context.on("request", lambda request: fetched.append(request.url))
        page.add_init_script(
            """const {Worker} = globalThis; globalThis.seen = [];
            globalThis.Worker = class extends Worker {
              constructor(...all) { super(...all); this.addEventListener('message', ({data}) => {
                if (data.type === 'progress') globalThis.seen.push(data); }); }
            };"""
        )

    page = lab(QUERY, prepare=prepare)
    seen = page.evaluate("globalThis.seen")
    manifest = json.loads((DIST / "manifest.json").read_text())
    total = seen[-1]["total"]
    assert total == sum(
        manifest[name]["size"]
        for name in {url.removeprefix(lab.site).split("?")[0] for url in fetched}
        if name.startswith("runtime/") and not name.endswith(".min.js")
    )
    loaded = [state["loaded"] for state in seen]
    assert loaded == sorted(loaded)
    assert loaded[-1] == total


def test_a_worker_that_dies_is_started_again_with_the_newest_record(lab: Any) -> None:
    def prepare(page: Page) -> None:
        page.add_init_script("globalThis.fleetlabPulseMs = 200")

    page = lab(QUERY, prepare=prepare)
    first = page.workers[0]
    with page.expect_worker() as second:
        first.evaluate("() => self.close()")
    assert second.value != first
    lab.wait_for_state(page, "live")
    assert len(page.workers) == 1


def test_an_error_that_nobody_caught_in_the_worker_starts_it_again(lab: Any) -> None:
    page = lab(QUERY, expected=("deliberate",))
    with page.expect_worker():
        page.workers[0].evaluate("() => { setTimeout(() => { throw new Error('deliberate'); }) }")
    lab.wait_for_state(page, "live")


def test_a_worker_that_keeps_dying_is_a_failure_with_retry(lab: Any) -> None:
    page = lab(QUERY, expected=("deliberate",))
    throw = "() => { setTimeout(() => { throw new Error('deliberate'); }) }"
    with page.expect_worker():
        page.workers[0].evaluate(throw)
    lab.wait_for_state(page, "live")
    page.workers[-1].evaluate(throw)
    lab.wait_for_state(page, "error")
    page.get_by_role("alert").filter(has_text="Python stopped twice").wait_for()
    page.get_by_role("button", name="Retry").click()
    lab.wait_for_state(page, "live")
