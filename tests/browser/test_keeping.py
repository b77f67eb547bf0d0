"""The largest files are kept unpacked for a later visit, and used only as the build made them."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from builder.places import DIST

QUERY = "?track=titan&part=1"
LARGE = ["pyodide.asm.wasm.gz", "memory.snapshot.gz", "libraries.pack.gz"]
KEPT = "performance.getEntriesByName('fleetlab:kept').length > 0"
FOLDER = """navigator.storage.getDirectory()
  .then((root) => root.getDirectoryHandle('unpacked'))"""
DIGEST = """async (bytes) => Array.from(
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)),
  (byte) => byte.toString(16).padStart(2, '0'),
).join('')"""
HASHES = f"""{FOLDER}.then(async (folder) => {{
  const digest = {DIGEST};
  const found = {{}};
  for await (const [name, handle] of folder.entries()) {{
    found[name] = await digest(await (await handle.getFile()).arrayBuffer());
  }}
  return found;
}})"""


@pytest.fixture
def visited(lab: Any) -> Page:
    """A page whose visit is over: everything is kept for a later one."""
    page: Page = lab(QUERY, service_workers="allow")
    page.wait_for_function(KEPT)
    return page


def asked_for(page: Page) -> list[str]:
    """Return which of the large files the worker has asked for, packed as they are."""
    [worker] = page.workers
    names = worker.evaluate(
        "performance.getEntriesByType('resource').map(({ name }) => name.split('/').pop())"
    )
    return [name for name in LARGE if name in names]


def hashes_of_the_build() -> set[str]:
    manifest = json.loads((DIST / "manifest.json").read_text())
    return {manifest[f"runtime/{name}"]["content_sha256"] for name in LARGE}


def test_a_later_visit_reads_the_large_files_as_they_lie_unpacked(lab: Any, visited: Page) -> None:
    assert asked_for(visited) == LARGE
    kept = visited.evaluate(HASHES)
    assert set(kept) == hashes_of_the_build()
    assert all(name == digest for name, digest in kept.items())
    visited.reload()
    lab.wait_for_state(visited, "live")
    assert asked_for(visited) == []


@pytest.mark.parametrize("damage", ["bytes[middle] ^= 1", "bytes = bytes.slice(0, middle)"])
def test_what_is_kept_and_not_the_builds_is_unpacked_again(
    lab: Any, visited: Page, damage: str
) -> None:
    visited.evaluate(
        f"""{FOLDER}.then(async (folder) => {{
          for await (const handle of folder.values()) {{
            let bytes = new Uint8Array(await (await handle.getFile()).arrayBuffer());
            const middle = bytes.length >> 1;
            {damage};
            const writable = await handle.createWritable();
            await writable.write(bytes);
            await writable.close();
          }}
        }})"""
    )
    visited.reload()
    lab.wait_for_state(visited, "live")
    assert asked_for(visited) == LARGE
    visited.wait_for_function(KEPT)
    kept = visited.evaluate(HASHES)
    assert set(kept) == hashes_of_the_build()
    assert all(name == digest for name, digest in kept.items())


def test_nothing_of_another_build_stays(lab: Any, visited: Page) -> None:
    visited.evaluate(f"{FOLDER}.then((folder) => folder.getFileHandle('older', {{create: true}}))")
    visited.reload()
    lab.wait_for_state(visited, "live")
    visited.wait_for_function(KEPT)
    assert set(visited.evaluate(HASHES)) == hashes_of_the_build()


def test_two_tabs_at_once_go_live(lab: Any, visited: Page) -> None:
    other = visited.context.new_page()
    other.goto(visited.url, wait_until="commit")
    visited.reload()
    for page in (visited, other):
        lab.wait_for_state(page, "live")
