"""Python comes up from the snapshot of its memory, and without it where that does not do."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, Route

from builder.link import Link
from builder.places import DIST
from builder.serve import open_server
from tests.browser.test_runtime_loading import NETWORK, serve_missing, serve_tampered

QUERY = "?track=titan&part=1"
MEMORY = "runtime/memory.snapshot.gz"
PACKAGES = "runtime/packages.pack.gz"
LIBRARIES = "runtime/libraries.pack.gz"
FACTS = "runtime/snapshot.json.gz"


def noted(names: list[str], warnings: list[str]) -> Callable[[Page], None]:
    """Note the files that are asked for, and what the console warns of."""

    def prepare(page: Page) -> None:
        def on_console(message: ConsoleMessage) -> None:
            if message.type == "warning":
                warnings.append(message.text)

        page.on("console", on_console)
        page.context.on("request", lambda request: names.append(request.url.split("/", 3)[3]))

    return prepare


def test_a_first_visit_fetches_the_snapshot_and_not_what_it_replaces(lab: Any) -> None:
    names: list[str] = []
    warnings: list[str] = []
    lab(QUERY, prepare=noted(names, warnings))
    assert MEMORY in names
    assert PACKAGES not in names
    assert "runtime/python_stdlib.zip.gz" not in names
    assert [text for text in warnings if "snapshot" in text] == []


def test_two_readers_of_one_snapshot_draw_different_numbers(lab: Any) -> None:
    draw = "python.runPython('import random; random.random()')"
    first, second = (lab(QUERY).workers[0].evaluate(draw) for _ in range(2))
    assert first != second


def test_what_comes_after_the_page_is_open_is_there_before_python_is_asked(lab: Any) -> None:
    determinant = "numpy.linalg.det(numpy.array([[2.0, 1.0], [0.0, 3.0]]))"  # two times three
    asked = f"python.runPython('import numpy; float({determinant})')"
    assert lab(QUERY).workers[0].evaluate(f"whole.then(() => {asked})") == pytest.approx(6)


def test_a_library_that_cannot_be_added_later_costs_the_snapshot_and_nothing_else(lab: Any) -> None:
    warnings: list[str] = []
    held: list[Route] = []

    def prepare(page: Page) -> None:
        noted([], warnings)(page)
        page.context.route(f"**/{FACTS}", lambda route: held.append(route))

    page = lab(QUERY, until=None, prepare=prepare)
    page.wait_for_function("performance.getEntriesByName('fleetlab:painted').length")
    first = page.workers[0]
    first.evaluate(
        """() => {
          const own = restoring;
          const addLate = () => Promise.reject(new Error("it does not compile"));
          restoring = (asked) => ({ ...own(asked), addLate });
        }"""
    )
    with page.expect_worker() as second:  # Python starts again
        held[0].continue_()
    lab.wait_for_state(page, "live")
    assert second.value != first
    assert [text for text in warnings if "it does not compile" in text]


@pytest.mark.parametrize("damage", [serve_missing, serve_tampered], ids=["missing", "tampered"])
@pytest.mark.parametrize("name", [MEMORY, LIBRARIES, FACTS])
def test_a_snapshot_that_does_not_come_whole_is_done_without(
    lab: Any, name: str, damage: Callable[[Route], None]
) -> None:
    names: list[str] = []
    warnings: list[str] = []

    def prepare(page: Page) -> None:
        noted(names, warnings)(page)
        page.context.route(f"**/{name}", damage)

    page = lab(QUERY, prepare=prepare, expected=(NETWORK,))
    assert PACKAGES in names
    assert any("snapshot" in text and name in text for text in warnings)
    assert not page.get_by_role("alert").filter(has_text="The file").is_visible()


def test_a_memory_that_fails_before_it_is_waited_for_is_done_without(lab: Any) -> None:
    # Python is being put together at that moment, and an unheard failure is an error of the page.
    held: dict[str, Route] = {}

    def hold(name: str) -> Callable[[Route], None]:
        return lambda route: held.update({name: route})

    def prepare(page: Page) -> None:
        for name in (MEMORY, LIBRARIES):
            page.context.route(f"**/{name}", hold(name))

    page = lab(QUERY, until=None, prepare=prepare, expected=(NETWORK,))
    page.wait_for_function("performance.getEntriesByName('fleetlab:painted').length")
    page.workers[0].evaluate(
        """() => new Promise((resolve) => {
          const ready = () => /addLibraries/.test(self._createPyodideModule);
          const look = () => (ready() ? resolve() : setTimeout(look, 5));
          look();
        })"""
    )
    serve_missing(held[MEMORY])
    lab.wait_for_state(page, "live")
    assert not page.get_by_role("alert").filter(has_text="The file").is_visible()


def test_python_that_starts_again_meanwhile_does_not_run_bokeh_twice(lab: Any) -> None:
    held: list[Route] = []
    given_up: list[str] = []

    def hold(route: Route) -> None:
        if given_up:
            route.continue_()
        else:
            held.append(route)

    def prepare(page: Page) -> None:
        def on_console(message: ConsoleMessage) -> None:
            if "Python starts without it" in message.text:
                given_up.append(message.text)
                for route in held:
                    route.continue_()

        page.on("console", on_console)
        page.context.route("**/runtime/bokeh.min.js?*", hold)
        page.context.route(f"**/{FACTS}", serve_tampered)

    page = lab(QUERY, prepare=prepare, expected=(NETWORK,))
    assert held, "BokehJS was still on its way when the snapshot was given up"
    assert len(given_up) == 1
    assert page.locator("script[src^='runtime/bokeh.min.js']").count() == 1


def test_a_snapshot_that_this_browser_cannot_restore_is_done_without(lab: Any) -> None:
    names: list[str] = []
    warnings: list[str] = []

    def prepare(page: Page) -> None:
        noted(names, warnings)(page)
        # The first worker is told of another size of memory than the file has.
        page.add_init_script(
            """const {Worker} = globalThis; globalThis.starts = 0;
            globalThis.Worker = class extends Worker {
              postMessage(message, ...rest) {
                if (message.type === 'start' && !globalThis.starts++) {
                  const manifest = structuredClone(message.manifest);
                  manifest['runtime/snapshot.json.gz'].content_size += 1;
                  message = { ...message, manifest };
                }
                super.postMessage(message, ...rest);
              }
            };"""
        )

    lab(QUERY, prepare=prepare)
    assert any("snapshot" in text for text in warnings)
    assert PACKAGES in names


def test_on_a_slow_link_python_starts_without_the_snapshot(lab: Any) -> None:
    names: list[str] = []
    server = open_server(DIST, handler=Link(bytes_s=400_000).handler())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    lab(QUERY, address=address, prepare=noted(names, []))
    server.shutdown()
    server.server_close()
    assert PACKAGES in names
    assert MEMORY not in names
