"""A server behind a link of a certain speed, which counts what it has sent."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from .serve import SiteHandler

PIECE_BYTES = 16_384


@dataclass
class Link:
    """One link: all that goes over it shares ``bytes_s`` bytes a second; 0 is without limit."""

    bytes_s: float = 0
    sent_bytes: int = 0
    _free_s: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, data: bytes, out: Any) -> None:
        """Write the data piece by piece, each when the link is free for it."""
        for start in range(0, len(data), PIECE_BYTES):
            piece = data[start : start + PIECE_BYTES]
            with self._lock:
                self.sent_bytes += len(piece)
                now_s = time.monotonic()
                begin_s = max(now_s, self._free_s)
                if self.bytes_s:
                    self._free_s = begin_s + len(piece) / self.bytes_s
            if begin_s > now_s:
                time.sleep(begin_s - now_s)
            out.write(piece)

    def handler(self) -> type[SiteHandler]:
        """Return a request handler whose files go over this link."""
        link = self

        class LinkedHandler(SiteHandler):
            def copyfile(self, source: Any, outputfile: Any) -> None:
                link.send(source.read(), outputfile)

        return LinkedHandler
