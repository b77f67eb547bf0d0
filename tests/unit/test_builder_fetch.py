"""Locked files come from anywhere, and only with the locked bytes."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from builder.fetch import obtain
from builder.lock import LockedFile, RuntimeLock
from builder.say import BuildError

BYTES = b"the locked bytes"
LOCK = RuntimeLock("0", "3.12", "", "", (), (), (), {}, "")


def locked(*sources: str, content: bytes = BYTES) -> LockedFile:
    return LockedFile(
        name="thing.bin",
        version="1",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        licence="MIT",
        sources=sources,
    )


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLEETLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FLEETLAB_MIRROR", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setenv("FLEETLAB_MIRROR", str(folder))
    return folder


@pytest.fixture
def web() -> Iterator[tuple[str, dict[str, bytes], list[str]]]:
    """Return a server's address, what it answers by path, and the paths it was asked for."""
    answers: dict[str, bytes] = {}
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = answers.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", answers, asked
    server.shutdown()
    server.server_close()


def test_the_mirror_is_asked_before_any_source(mirror: Path) -> None:
    (mirror / "thing.bin").write_bytes(BYTES)
    file = locked("http://127.0.0.1:9/never-asked")
    assert obtain([file], LOCK)["thing.bin"].read_bytes() == BYTES


def test_a_file_once_had_is_had_again_without_any_source(mirror: Path) -> None:
    (mirror / "thing.bin").write_bytes(BYTES)
    obtain([locked()], LOCK)
    (mirror / "thing.bin").unlink()
    assert obtain([locked()], LOCK)["thing.bin"].read_bytes() == BYTES


def test_sources_are_tried_in_order_and_the_first_good_one_ends_it(
    web: tuple[str, dict[str, bytes], list[str]],
) -> None:
    address, answers, asked = web
    answers |= {"/second": BYTES, "/third": BYTES}
    file = locked(*(f"{address}/{name}" for name in ("first", "second", "third")))
    assert obtain([file], LOCK)["thing.bin"].read_bytes() == BYTES
    assert asked == ["/first", "/second"]


def test_wrong_bytes_are_refused_by_name_and_the_next_source_is_tried(
    web: tuple[str, dict[str, bytes], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    address, answers, _ = web
    answers |= {"/evil": b"other bytes here", "/good": BYTES}
    obtain([locked(f"{address}/evil", f"{address}/good")], LOCK)
    said = capsys.readouterr().out
    assert f"thing.bin from {address}/evil: wrong bytes refused" in said


def test_a_file_that_cannot_be_had_is_one_error_with_all_that_was_tried(
    mirror: Path, web: tuple[str, dict[str, bytes], list[str]]
) -> None:
    address, answers, _ = web
    (mirror / "thing.bin").write_bytes(b"not these")
    answers["/longer"] = BYTES + b"!"
    file = locked(f"{address}/gone", f"{address}/longer")
    with pytest.raises(BuildError) as error:
        obtain([file], LOCK)
    sentence = str(error.value)
    assert sentence.startswith("thing.bin could not be had.")
    assert f"mirror {mirror}: wrong bytes refused" in sentence
    assert f"{address}/gone: HTTP 404" in sentence
    assert f"{address}/longer: wrong bytes refused" in sentence
    assert "FLEETLAB_MIRROR" in sentence


def test_a_host_that_is_not_reached_is_asked_once_and_skipped_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Port 9 of this machine answers nobody.
    files = [locked("http://127.0.0.1:9/a"), locked("http://127.0.0.1:9/b", content=b"more")]
    with pytest.raises(BuildError):
        obtain(files, LOCK)
    assert capsys.readouterr().out.count("127.0.0.1:9: skipped, not reached from here") == 1


def test_a_cached_file_with_wrong_bytes_is_thrown_away_and_fetched_anew(mirror: Path) -> None:
    (mirror / "thing.bin").write_bytes(BYTES)
    place = obtain([locked()], LOCK)["thing.bin"]
    place.write_bytes(b"bit rot in cache")
    assert obtain([locked()], LOCK)["thing.bin"].read_bytes() == BYTES


def test_a_source_of_no_known_kind_is_named() -> None:
    with pytest.raises(BuildError, match=r"thing\.bin: the source ftp:x is of no known kind"):
        obtain([locked("ftp:x")], LOCK)
