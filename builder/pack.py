"""A pack: many files in one flat blob, which the worker writes out without unpacking anything.

The form, little-endian: the length of the index (4 bytes), the index as JSON
`[[path, size], ...]`, then the files' bytes, one after the other in the index's order.
"""

import json
import struct
from collections.abc import Mapping

FORM = struct.Struct("<I")


def write_pack(files: Mapping[str, bytes]) -> bytes:
    """Return the pack of these files, sorted by path so that equal files give equal bytes."""
    paths = sorted(files)
    index = json.dumps([[path, len(files[path])] for path in paths], separators=(",", ":")).encode()
    return b"".join([FORM.pack(len(index)), index, *(files[path] for path in paths)])


def read_pack(pack: bytes) -> dict[str, bytes]:
    """Return the files of a pack by path; ValueError if it is cut short or not a pack."""
    try:
        (length,) = FORM.unpack_from(pack)
        index = json.loads(pack[FORM.size : FORM.size + length])
    except (struct.error, ValueError) as error:
        raise ValueError(f"not a pack: {error}") from error
    start = FORM.size + length
    files = {}
    for path, size in index:
        files[path] = pack[start : start + size]
        start += size
    if start != len(pack):
        raise ValueError(f"a pack of {start} bytes has {len(pack)}")
    return files
