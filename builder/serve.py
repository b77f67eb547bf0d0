"""A small static server for the built site, on this machine only."""

import functools
import hashlib
import threading
import webbrowser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .say import BuildError, say

KINDS = {
    ".wasm": "application/wasm",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".gz": "application/gzip",
    "": "application/octet-stream",
}


class SiteHandler(SimpleHTTPRequestHandler):
    """Answers from one folder; each file is asked for again, and sent only if it changed."""

    extensions_map = KINDS
    protocol_version = "HTTP/1.1"
    # Head and body go out as two writes: the second must not wait for the first to be confirmed,
    # which takes the browser 40 ms a file.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer 304 where the browser already has these bytes."""
        path = Path(self.translate_path(self.path))
        if path.is_file() and self.headers.get("If-None-Match") == self.tag(path):
            self.send_response(304)
            self.end_headers()
            return
        super().do_GET()

    def end_headers(self) -> None:
        """Add what keeps the browser from showing yesterday's build."""
        path = Path(self.translate_path(self.path))
        if path.is_file():
            self.send_header("ETag", self.tag(path))
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        # As the usual static hosts do: a frame without an origin of its own may read the files.
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    @staticmethod
    def tag(path: Path) -> str:
        """Return a tag that changes with the file."""
        facts = path.stat()
        text = f"{facts.st_mtime_ns}-{facts.st_size}-{facts.st_ino}"
        return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a page asks for dozens of files."""

    def list_directory(self, path: object) -> None:  # type: ignore[override]
        """List no folders, as a static host would not."""
        self.send_error(404)


class SiteServer(ThreadingHTTPServer):
    """The server; a reader who leaves in the middle of a file is no error."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about connections that ended early."""


def open_server(
    folder: Path, port: int = 0, handler: type[SiteHandler] = SiteHandler
) -> SiteServer:
    """Return a server of the folder on 127.0.0.1, bound but not yet serving; port 0: any free."""
    try:
        return SiteServer(("127.0.0.1", port), functools.partial(handler, directory=str(folder)))
    except OSError as error:
        raise BuildError(
            f"Port {port} cannot be used ({error.strerror}): choose another with --port."
        ) from error


def serve(folder: Path, port: int, open_browser: bool) -> int:
    """Serve the folder until Ctrl-C."""
    server = open_server(folder, port)
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    say(address)
    say("Press Ctrl-C to stop.")
    if open_browser:
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say("")
    finally:
        server.server_close()
    return 0
