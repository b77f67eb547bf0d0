"""Delimited text from outside, read into checked columns, or refused in one sentence.

Nothing is trusted: sizes are limited before anything is read, rows before they
are split, numbers before they are used. Text stays text, whatever it looks like.
Rows come in chunks, so that memory follows the columns wanted, not the file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, NoReturn

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Source = bytes | Path | BinaryIO
Progress = Callable[[int, int], None]
Style = Literal["comma", "tab", "space"]

SIZE_LIMIT_BYTES = 200_000_000
ROW_LIMIT = 2_000_000
LINE_LIMIT = 100_000
NAME_LIMIT = 200
LONGEST_S = 100 * 365.25 * 86_400
_CHUNK_ROWS = 20_000
_SHOWN = 40
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}


class TraceError(ValueError):
    """A file that cannot be used: one sentence with file, line, column and what to do."""


def check_size(bytes_announced: int, name: str = "trace") -> None:
    """Refuse, by TraceError, a file whose announced size is over the limit."""
    if bytes_announced > SIZE_LIMIT_BYTES:
        raise TraceError(
            f"{name}: {bytes_announced / 1e6:,.0f} MB, over the limit of "
            f"{SIZE_LIMIT_BYTES / 1e6:,.0f} MB; cut it to a shorter period"
        )


def load(source: Source, name: str) -> bytes:
    """Return the bytes of a source after checks of its size, rows and kind.

    Raises TraceError when it cannot be read, is empty, too large, has too many
    rows, is compressed or is not UTF-8 text.
    """
    try:
        if isinstance(source, Path):
            check_size(source.stat().st_size, name)
            with source.open("rb") as stream:
                data = _drain(stream, name)
        elif isinstance(source, bytes):
            check_size(len(source), name)
            data = source
        else:
            data = _drain(source, name)
    except OSError as error:
        raise TraceError(f"{name}: cannot be read ({error.strerror or error})") from None
    for magic, kind in _PACKED.items():
        if data.startswith(magic):
            raise TraceError(f"{name}: is compressed ({kind}); unpack it first")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise TraceError(f"{name}: is encoded as UTF-16; save it as UTF-8")
    where = data.find(b"\0")
    if where >= 0:
        line = data.count(b"\n", 0, where) + 1
        raise TraceError(
            f"{name}, line {line}: holds a NUL byte, so it is not text; use a text file"
        )
    rows = data.count(b"\n")
    if rows > ROW_LIMIT:
        raise TraceError(
            f"{name}: {rows:,} lines, over the limit of {ROW_LIMIT:,}; cut it to a shorter period"
        )
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        raise TraceError(f"{name}: is empty; it needs a line for every job")
    return data


def _drain(stream: BinaryIO, name: str) -> bytes:
    blocks: list[bytes] = []
    size = 0
    while block := stream.read(1 << 20):
        size += len(block)
        check_size(size, name)
        blocks.append(block)
    return b"".join(blocks)


def shown(cell: str) -> str:
    """Return a cell as an error may quote it: short, and with control characters escaped."""
    return repr(cell if len(cell) <= _SHOWN else cell[:_SHOWN] + "…")


def csv_cell(value: object) -> str:
    """Return the text of a cell that no spreadsheet takes for a formula.

    Text that starts with ``= + - @``, a tab or a line end, and is no number, gets
    a leading apostrophe; all else is ``str(value)``.
    """
    text = str(value)
    if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) and isinstance(value, str):
        try:
            float(text)
        except ValueError:
            return "'" + text
    return text


@dataclass(frozen=True)
class Chunk:
    """Some rows of a table, asked for by column."""

    name: str
    header: dict[str, int]
    lines: list[int]
    rows: list[list[str]]

    def fail(self, row: int, column: str, problem: str) -> NoReturn:
        """Raise a TraceError that points at a cell."""
        raise TraceError(f"{self.name}, line {self.lines[row]}, column {column}: {problem}")

    def text(self, column: str) -> list[str]:
        """Return a column as text, stripped of outer blanks; names have a limited length."""
        at = self.header[column]
        cells = [row[at].strip() for row in self.rows]
        for row, cell in enumerate(cells):
            if len(cell) > NAME_LIMIT:
                self.fail(
                    row, column, f"{len(cell):,} characters, over {NAME_LIMIT}; use a shorter name"
                )
        return cells

    def numbers(
        self, column: str, what: str, low: float, high: float, empty: float | None = None
    ) -> npt.NDArray[np.float64]:
        """Return a column as floats within bounds; ``empty`` stands for an empty cell."""
        at = self.header[column]
        cells = [row[at] for row in self.rows]
        text = "".join(cells)
        try:
            if "_" in text or not text.isascii():  # Python alone would read 1_0 and other digits
                raise ValueError
            values = np.array([float(cell) for cell in cells], dtype=np.float64)
        except ValueError:
            values = self._parse(cells, column, what, empty)
        # Not (inside) rather than (outside), so that NaN is refused too.
        bad = ~((values >= low) & (values <= high))
        if empty is not None:
            bad &= values != empty
        if bad.any():
            row = int(np.argmax(bad))
            self.fail(
                row,
                column,
                f"{shown(cells[row])} is not {what} from {low:,.0f} to {high:,.0f}"
                "; correct or remove the line",
            )
        return values

    def _parse(
        self, cells: list[str], column: str, what: str, empty: float | None
    ) -> npt.NDArray[np.float64]:
        values = []
        for row, cell in enumerate(cells):
            if empty is not None and not cell.strip():
                values.append(empty)
                continue
            try:
                if "_" in cell or not cell.isascii():
                    raise ValueError
                values.append(float(cell))
            except ValueError:
                found = f"{shown(cell)} is not" if cell.strip() else "is empty, not"
                self.fail(row, column, f"{found} {what}; correct or remove the line")
        return np.array(values, dtype=np.float64)

    def milliseconds(self, column: str, empty: float | None = None) -> Ints:
        """Return a column of seconds as whole milliseconds, rounded once; at most 100 years."""
        seconds = self.numbers(column, "a number of seconds", 0, LONGEST_S, empty)
        rounded: Ints = np.rint(seconds * 1000).astype(np.int64)
        return rounded

    def whole(self, column: str, what: str, low: int, high: int, empty: int | None = None) -> Ints:
        """Return a column of whole numbers from ``low`` to ``high``."""
        values = self.numbers(column, what, low, high, empty)
        broken = values != np.floor(values)
        if broken.any():
            row = int(np.argmax(broken))
            cell = self.rows[row][self.header[column]]
            self.fail(row, column, f"{shown(cell)} is not {what}; give a whole number")
        return values.astype(np.int64)


def _short_lines(stream: io.TextIOWrapper, name: str) -> Iterator[str]:
    for number, line in enumerate(stream, 1):
        if len(line) > LINE_LIMIT:
            raise TraceError(
                f"{name}, line {number}: {len(line):,} characters, over the limit of "
                f"{LINE_LIMIT:,}; write one job a line"
            )
        yield line


def _split(lines: Iterator[str], name: str, style: Style) -> Iterator[tuple[int, list[str]]]:
    if style != "comma":
        separator = "\t" if style == "tab" else None
        for number, line in enumerate(lines, 1):
            yield number, line.rstrip("\r\n").split(separator)
        return
    reader = csv.reader(lines, strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise TraceError(
            f"{name}, line {max(1, reader.line_num)}: not readable as CSV ({error}); "
            "check its quotes"
        ) from None


def read_rows(data: bytes, name: str, style: Style) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and cells of every row that is neither blank nor a comment.

    Comments start with ``#``, or ``;`` where blanks separate. Raises TraceError
    on text that is not UTF-8 or has broken quotes.
    """
    comment = ";" if style == "space" else "#"
    stream = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="")
    try:
        for number, row in _split(_short_lines(stream, name), name, style):
            if row and (len(row) > 1 or row[0].strip()) and not row[0].startswith(comment):
                yield number, row
    except UnicodeDecodeError:
        raise TraceError(
            f"{name}, line {_undecodable_line(data)}: is not UTF-8 text; save the file as UTF-8"
        ) from None


def _undecodable_line(data: bytes) -> int:
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    return 1


def read_header(row: Sequence[str], line: int, name: str, wanted: Sequence[str]) -> dict[str, int]:
    """Return the position of every column by its name, lower case.

    Raises TraceError when a name comes twice or a wanted one is missing.
    """
    header: dict[str, int] = {}
    for position, cell in enumerate(row):
        column = cell.strip().lower()
        if column in header:
            raise TraceError(
                f"{name}, line {line}: two columns are named {shown(column)}; keep one"
            )
        header[column] = position
    missing = [column for column in wanted if column not in header]
    if missing:
        raise TraceError(
            f"{name}, line {line}: no column {', '.join(missing)}; "
            f"the first line must name {', '.join(wanted)}"
        )
    return header


def read_chunks(
    rows: Iterator[tuple[int, list[str]]],
    header: dict[str, int],
    width: int,
    data: bytes,
    name: str,
    progress: Progress | None = None,
) -> Iterator[Chunk]:
    """Yield the rows in chunks, each row as wide as the first.

    ``progress(rows_done, rows_expected)`` is called after every chunk. Raises
    TraceError at the first row of another width; at the last it says so.
    """
    expected = data.count(b"\n")
    last_line = expected + (not data.endswith(b"\n"))
    done = 0
    lines: list[int] = []
    held: list[list[str]] = []
    for line, row in rows:
        if len(row) != width:
            cut = line == last_line and len(row) < width
            raise TraceError(
                f"{name}, line {line}: {len(row)} columns instead of {width}; "
                + (
                    "the file was cut off here, remove the last line"
                    if cut
                    else "correct or remove the line"
                )
            )
        lines.append(line)
        held.append(row)
        if len(held) == _CHUNK_ROWS:
            yield Chunk(name, header, lines, held)
            done += len(held)
            lines, held = [], []
            if progress is not None:
                progress(done, max(expected, done))
    if held:
        yield Chunk(name, header, lines, held)
        done += len(held)
    if not done:
        raise TraceError(f"{name}: has a first line but no rows; it needs a line for every job")
    if progress is not None:
        progress(done, done)


def read_table(
    source: Source,
    name: str,
    wanted: Sequence[str],
    progress: Progress | None = None,
) -> Iterator[Chunk]:
    """Yield the chunks of a comma-separated file whose first line names its columns."""
    data = load(source, name)
    rows = read_rows(data, name, "comma")
    line, first = next(rows, (1, [""]))
    header = read_header(first, line, name, wanted)
    yield from read_chunks(rows, header, len(first), data, name, progress)
