"""The site's server: the right kinds, nothing stale, nothing outside its folder."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from builder.say import BuildError
from builder.serve import open_server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    (tmp_path / "secret.txt").write_text("outside")
    site = tmp_path / "site"
    (site / "runtime").mkdir(parents=True)
    (site / "index.html").write_text("<p>lab")
    (site / "worker.js").write_text("1")
    (site / "runtime" / "a.wasm.gz").write_bytes(b"\x1f\x8b")
    opened = open_server(site)
    threading.Thread(target=opened.serve_forever, daemon=True).start()
    yield http.client.HTTPConnection("127.0.0.1", opened.server_address[1])
    opened.shutdown()
    opened.server_close()


def ask(
    server: http.client.HTTPConnection, path: str, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    server.request("GET", path, headers=headers)
    answer = server.getresponse()
    return answer.status, answer.headers, answer.read()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/worker.js", "text/javascript; charset=utf-8"),
        ("/runtime/a.wasm.gz", "application/gzip"),
    ],
)
def test_each_kind_of_file_is_sent_as_what_it_is(
    server: http.client.HTTPConnection, path: str, kind: str
) -> None:
    status, headers, _ = ask(server, path)
    assert (status, headers["Content-Type"]) == (200, kind)
    assert "Content-Encoding" not in headers


def test_a_file_is_asked_for_again_and_sent_only_if_it_changed(
    server: http.client.HTTPConnection,
) -> None:
    _, headers, _ = ask(server, "/worker.js")
    assert headers["Cache-Control"] == "no-cache"
    status, _, body = ask(server, "/worker.js", **{"If-None-Match": headers["ETag"]})
    assert (status, body) == (304, b"")


def test_folders_are_not_listed(server: http.client.HTTPConnection) -> None:
    assert ask(server, "/runtime/")[0] == 404


def test_nothing_outside_the_folder_is_sent(server: http.client.HTTPConnection) -> None:
    assert ask(server, "/../secret.txt")[0] == 404
    assert ask(server, "/%2e%2e/secret.txt")[0] == 404


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    first = open_server(tmp_path)
    try:
        with pytest.raises(BuildError, match=r"Port \d+ cannot be used .*--port"):
            open_server(tmp_path, first.server_address[1])
    finally:
        first.server_close()
