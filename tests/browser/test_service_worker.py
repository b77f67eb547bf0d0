"""After one visit the lab works without a network; a newer build is offered and never imposed."""

import hashlib
import re
import shutil
import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from builder.link import Link
from builder.places import DIST
from builder.serve import open_server

QUERY = "?track=titan&part=1"
KEPT = "navigator.serviceWorker.ready.then(({ active }) => active.state)"
ALLOWED = {"service_workers": "allow"}


def kept(page: Page) -> None:
    assert page.evaluate(KEPT) in ("activating", "activated")


def test_after_one_visit_the_lab_goes_live_without_a_network(lab: Any) -> None:
    link = Link()
    server = open_server(DIST, handler=link.handler())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = lab(QUERY, address=f"http://127.0.0.1:{server.server_address[1]}/", **ALLOWED)
    kept(page)
    page.reload()
    lab.wait_for_state(page, "live")
    before = link.sent_bytes
    page.reload()
    lab.wait_for_state(page, "live")
    assert link.sent_bytes - before < 100_000
    server.shutdown()
    server.server_close()
    page.reload()
    lab.wait_for_state(page, "live")


def test_the_opening_of_a_first_visit_is_there_without_a_network(lab: Any) -> None:
    server = open_server(DIST)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = lab(QUERY, address=f"http://127.0.0.1:{server.server_address[1]}/", **ALLOWED)
    kept(page)
    page.wait_for_function(
        """caches.open('fleetlab').then((store) => store.keys())
             .then((keys) => keys.filter(({ url }) => url.includes('/openings/')).length === 2)"""
    )
    server.shutdown()
    server.server_close()
    page.reload()
    lab.wait_for_state(page, "live")
    answers = page.evaluate(
        """performance.getEntriesByType("resource")
             .filter(({ name }) => name.includes("/openings/"))
             .map(({ responseStatus }) => responseStatus)"""
    )
    assert answers == [200, 200]  # the document and its finished run


def test_nothing_is_kept_that_is_not_the_builds(lab: Any) -> None:
    def prepare(page: Page) -> None:
        page.context.route("**/runtime/panel.min.js?*", lambda route: route.continue_())

    page = lab(QUERY, prepare=prepare, **ALLOWED)
    kept(page)
    held = page.evaluate(
        """caches.open('fleetlab').then((store) => store.keys())
             .then((keys) => keys.map(({ url }) => url))"""
    )
    # A browser keeps a script compiled under the address that it was stored and is asked for by.
    scripts = page.evaluate(
        "[...document.scripts].map(({ src }) => src).filter((src) => src.includes('.min.js'))"
    )
    assert len(scripts) == 4
    assert set(scripts) <= set(held)
    manifest = page.evaluate("JSON.parse(document.getElementById('fleetlab-manifest').textContent)")
    for url in held:
        name, sha256 = url.removeprefix(lab.site).split("?")
        assert name in {"index.html", "instructor.html"} or manifest[name]["sha256"] == sha256


def test_a_newer_build_is_offered_and_taken_only_by_its_button(lab: Any, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    shutil.copytree(DIST, folder, ignore=shutil.ignore_patterns("*.zip"))
    server = open_server(folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = lab(QUERY, address=f"http://127.0.0.1:{server.server_address[1]}/", **ALLOWED)
    kept(page)
    page.reload()
    lab.wait_for_state(page, "live")

    newer = (folder / "index.html").read_text().replace("<title>", "<title>Newer ")
    (folder / "index.html").write_text(newer)

    sha256 = hashlib.sha256(newer.encode()).hexdigest()
    worker = (folder / "sw.js").read_text()
    entry = r'("index\.html":\{"keep":true,"named":false,"sha256":")[0-9a-f]{64}'
    (folder / "sw.js").write_text(re.sub(entry, rf"\g<1>{sha256}", worker))

    page.reload()
    lab.wait_for_state(page, "live")
    page.get_by_text("A newer version").wait_for()
    assert "Newer" not in page.locator("head > title").text_content()
    with page.expect_navigation():
        page.get_by_role("button", name="Load it").click()
    lab.wait_for_state(page, "live")
    html = page.evaluate("fetch(location.href).then((response) => response.text())")
    assert "<title>Newer " in html
    server.shutdown()
    server.server_close()
