"""Reading a file whole, bounded, whether or not it is gzip."""

from __future__ import annotations

import gzip
from pathlib import Path

from vitruvian.core.errors import LimitError


def read_file(path: Path, bytes_max: int) -> bytes:
    """The file's bytes, decompressed where it is gzip; never more than `bytes_max` are held.

    Raises LimitError where it is larger, OSError, EOFError or zlib.error where it is damaged.
    """
    with path.open("rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        with gzip.open(plain) if packed else plain as file:
            data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise LimitError(f"found {path.name} of more than {bytes_max} bytes, expected at most that; split the file")
    return data
