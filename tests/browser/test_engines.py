"""A smoke run in Firefox and WebKit: a reader predicts and turns a knob there too."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from builder.drive.firefox import Firefox, firefox
from builder.drive.webkit import webkit
from builder.link import Link
from builder.loads import KEPT, first_answer, load, run, served
from builder.places import DIST
from tests.browser.hand import Hand
from tests.browser.reader import run_of
from tests.browser.test_keeping import DIGEST, LARGE, hashes_of_the_build

QUERY = "?track=titan&part=1"


def play(tab: Any, site: str) -> list[dict[str, str]]:
    """Play the beginning of Part 1; return each run's digest with the address it belongs to."""
    runs: list[dict[str, str]] = []
    hand = Hand(tab)

    def note_run() -> None:
        last = runs[-1]["digest"] if runs else ""
        hand.wait(f'![undefined, "{last}"].includes(root.dataset.fleetlabRun)')
        runs.append(hand.look("({ query: location.search, digest: root.dataset.fleetlabRun })"))

    found = load(tab, site + QUERY)
    assert 0 < found["painted"] <= found["live"]
    note_run()
    hand.predict("4")
    note_run()
    hand.press("Random")
    note_run()
    return runs


def check(runs: list[dict[str, str]]) -> None:
    opening, unlocked, random = runs
    assert "placement=random" in random["query"]
    assert opening["digest"] == run_of("?track=titan&workload=titan-crisis").digest
    assert unlocked["digest"] == run_of(unlocked["query"]).digest
    assert random["digest"] == run_of(random["query"]).digest


def events_of(browser: Firefox, method: str) -> list[dict[str, Any]]:
    return [event["params"] for event in browser.events if event["method"] == method]


def test_part_1_begins_in_firefox_too_and_its_runs_are_those_of_cpython(site: str) -> None:
    with firefox() as browser:
        if browser is None:
            pytest.skip("no Firefox here, and no root to install Debian's package with")
        heard = ["log.entryAdded", "network.beforeRequestSent"]
        browser.command("session.subscribe", events=heard)
        with browser.visitor() as tab:
            check(play(tab, site))
        asked = [event["request"]["url"] for event in events_of(browser, heard[1])]
        assert f"{site}runtime/memory.snapshot.gz" in asked
        assert f"{site}runtime/packages.pack.gz" not in asked
        own = (site, "data:", "blob:", "about:")
        assert [url for url in asked if not url.startswith(own)] == []
        said = [(event["level"], event["text"]) for event in events_of(browser, heard[0])]
        assert [text for level, text in said if level == "error"] == []


def test_the_bench_locks_a_prediction_and_finds_a_knob_that_answers(site: str) -> None:
    with firefox() as browser:
        if browser is None:
            pytest.skip("no Firefox here, and no root to install Debian's package with")
        assert first_answer(browser, DIST) > 0


@contextmanager
def proxy() -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a proxy that leads nowhere, and the list of what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        do_CONNECT = do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def test_part_1_begins_in_webkit_too_and_asks_no_other_origin_for_anything(site: str) -> None:
    with proxy() as (address, asked):
        elsewhere = {
            "proxyType": "manual",
            "httpProxy": address,
            "sslProxy": address,
            "noProxy": ["127.0.0.1"],
        }
        with webkit(proxy=elsewhere) as browser:
            if browser is None:
                pytest.skip("no WebKitWebDriver here, and no root to install Debian's package with")
            with browser.visitor() as tab:
                check(play(tab, site))
                assert asked == []
                tab.go("http://elsewhere.invalid/")  # the proxy does hear of another origin
                assert "http://elsewhere.invalid/" in asked


@contextmanager
def one_visit(start: Any, place: Path) -> Iterator[tuple[Path, str, Any]]:
    """Yield the site's folder, its address, and a tab that has kept all it will of one visit."""
    folder = place / "site"
    folder.symlink_to(DIST, target_is_directory=True)
    with start() as browser:
        if browser is None:
            pytest.skip("this browser is not here, and no root to install Debian's package with")
        with served(folder, Link()) as address, browser.visitor() as tab:
            load(tab, address + QUERY)
            run(tab, KEPT)
            yield folder, address, tab


@pytest.mark.parametrize("start", [firefox, webkit])
def test_after_one_visit_the_lab_goes_live_there_too_without_a_server(
    start: Any, tmp_path: Path
) -> None:
    with one_visit(start, tmp_path) as (folder, address, tab):
        folder.unlink()  # whatever is asked for now is not found
        assert load(tab, address + QUERY)["live"] > 0
        assert Hand(tab).look("(await fetch('embed.js', { cache: 'reload' })).status") == 404


def test_webkit_keeps_what_is_large_unpacked_in_a_cache_and_mends_what_is_damaged_there(
    tmp_path: Path,
) -> None:
    hashes = sorted(hashes_of_the_build())
    unpacked = """
      const cache = await caches.open("fleetlab-unpacked");
      const kept = await cache.keys();
    """
    digests = f"""{unpacked}
      const digest = {DIGEST};
      const digests = [];
      for (const key of kept) {{
        digests.push(await digest(await (await cache.match(key)).arrayBuffer()));
      }}
      const names = kept.map(({{ url }}) => url.split("/").pop());
      return {{ names: names.sort(), digests: digests.sort() }};
    """
    forget_packed = f"""
      const packed = await caches.open("fleetlab");
      for (const {{ url }} of await packed.keys()) {{
        if ({json.dumps(LARGE)}.some((name) => url.includes(name))) await packed.delete(url);
      }}
      return {{}};
    """
    damage = f"""{unpacked}
      for (const key of kept) {{
        const bytes = new Uint8Array(await (await cache.match(key)).arrayBuffer());
        bytes[bytes.length >> 1] ^= 1;
        await cache.put(key, new Response(bytes));
      }}
      return {{}};
    """
    with one_visit(webkit, tmp_path) as (folder, address, tab):
        assert run(tab, digests) == {"names": hashes, "digests": hashes}
        run(tab, forget_packed)
        folder.unlink()  # what is large can only come from there now
        assert load(tab, address + QUERY)["live"] > 0
        folder.symlink_to(DIST, target_is_directory=True)
        run(tab, damage)
        assert run(tab, digests)["digests"] != hashes
        assert load(tab, address + QUERY)["live"] > 0
        run(tab, KEPT)
        assert run(tab, digests) == {"names": hashes, "digests": hashes}
