"""The readers' common ground: what a reader is, which there are, and how a path becomes readings.

A reader is a module that exposes

    NAME: str                                                    # "fhir"
    def sniff(path: Path, head: bytes) -> bool                   # is this file (or folder: head is empty) mine?
    def read(path: Path, context: Context) -> Iterator[Reading]  # streaming, in bounded memory

and, where a message stands alone, the pure `read_bytes(data: bytes, context: Context) -> list[Reading]`. Content
never makes a reader raise: what it cannot take becomes a `Reading` with a refusal. To add a reader: write the module,
add its name to `READER_MODULES`, specific formats before general ones.
"""

from __future__ import annotations

import gzip
import importlib
import importlib.util
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple, Protocol, cast

from vitruvian.core.errors import ReadingError, VitruvianError
from vitruvian.core.events import Entry, Reading, Refusal
from vitruvian.core.limits import QUARANTINE_BYTES_MAX
from vitruvian.records.mapping import Mapping, default_mapping

__all__ = [
    "READER_MODULES",
    "Context",
    "FileReader",
    "Found",
    "discover",
    "iter_readings",
    "quarantined",
    "read_events",
    "read_found",
    "readers",
]

# Asked in this order; the first that recognises a file or folder reads it. A module not yet written is passed over.
READER_MODULES: Final = (
    "vitruvian.records.fhir",
    "vitruvian.records.hl7v2",
    "vitruvian.records.challenge",
    "vitruvian.records.mimic",
    "vitruvian.records.eicu",
    "vitruvian.records.wfdb",
    "vitruvian.records.tabular",
)
HEAD_BYTES: Final = 4_096  # what `sniff` is shown of a file, decompressed

# What a damaged file or a failing disk may raise while it is read.
_FILE_FAILURES: Final = (VitruvianError, OSError, EOFError, UnicodeError, zlib.error)


@dataclass(frozen=True, slots=True)
class Context:
    """What a reader needs to know beyond the bytes.

    `source` names the origin and is part of every entry's identity; empty lets the reader name it (`fhir`,
    `challenge2019`). `zone` holds for times without an offset, unless the mapping gives the facility another; `charset`
    for text that does not declare its own. `device` is who speaks, where the transport tells (an MQTT topic): it stands
    in where a message names neither patient nor device.
    """

    source: str = ""
    mapping: Mapping = field(default_factory=default_mapping)
    zone: tzinfo = UTC
    charset: str = "utf-8"
    device: str = ""


class FileReader(Protocol):
    """A module that reads one format. See this module's docstring."""

    @property
    def NAME(self) -> str:  # noqa: N802  (a module's constant)
        """The format's short name."""
        ...

    def sniff(self, path: Path, head: bytes) -> bool:
        """Whether this file is ours, judged by its name and first bytes; for a folder `head` is empty."""
        ...

    def read(self, path: Path, context: Context) -> Iterator[Reading]:
        """Every resource, message or row of the file or folder, in its order, each as exactly one reading."""
        ...


class Found(NamedTuple):
    """A file or folder, and the reader that takes it; None where no reader does."""

    path: Path
    reader: FileReader | None


@lru_cache(maxsize=1)
def readers() -> tuple[FileReader, ...]:
    """The readers there are, imported on first use. An error inside a reader's module is not hidden."""
    return tuple(cast(FileReader, importlib.import_module(name)) for name in READER_MODULES if _is_written(name))


def _is_written(name: str) -> bool:
    """Whether there is such a module; a folder without `__init__.py` is none."""
    found = importlib.util.find_spec(name)
    return found is not None and found.origin is not None


def discover(path: Path | str) -> Iterator[Found]:
    """Every file under `path` in a fixed order, each with its reader; a folder that a reader takes is not entered.

    Hidden files and links to folders are passed over. Raises ReadingError where the path does not exist.
    """
    path = Path(path)
    if not path.exists():
        raise ReadingError(f"found nothing at {path}, expected a file or a folder; check the spelling")
    if not path.is_dir():
        yield Found(path, _reader_of(path, _head(path)))
        return
    taker = _reader_of(path, b"")
    if taker is not None:
        yield Found(path, taker)
        return
    with os.scandir(path) as scan:
        items = sorted(scan, key=lambda item: item.name)
    for item in items:
        if not item.name.startswith(".") and (item.is_dir(follow_symlinks=False) or item.is_file()):
            yield from discover(Path(item.path))


def iter_readings(path: Path | str, context: Context | None = None) -> Iterator[Reading]:
    """Readings of a file, or of everything in a folder. Files of a folder that no reader knows are passed over.

    A file that breaks while it is read (truncated gzip, failing disk) ends in one quarantined reading. Raises
    ReadingError where the path does not exist, or names a single file that no reader knows.
    """
    context = context or Context()
    for found in discover(path):
        if found.reader is not None:
            yield from read_found(found, context)
        elif found.path == Path(path):
            known = ", ".join(reader.NAME for reader in readers())
            raise ReadingError(f"found {path} in no known format, expected one of: {known}; check the file")


def read_found(found: Found, context: Context) -> Iterator[Reading]:
    """Readings of one discovered file or folder; a failure in the middle becomes a quarantined reading."""
    assert found.reader is not None
    try:
        yield from found.reader.read(found.path, context)
    except _FILE_FAILURES as error:
        yield quarantined("file", "unreadable-file", f"{found.path.name}: {error}", context.source or found.reader.NAME)


def read_events(path: Path | str, context: Context | None = None) -> Iterator[Entry]:
    """The entries of a file or folder, for who only wants the data; `iter_readings` also tells what was not taken."""
    for reading in iter_readings(path, context):
        yield from reading.entries


def quarantined(kind: str, reason: str, detail: str, source: str, source_id: str = "", raw: bytes = b"") -> Reading:
    """A reading that says only why nothing was taken; `raw` is cut to what quarantine keeps."""
    return Reading(kind, refusal=Refusal(reason, detail[:1_000], source, source_id, raw[:QUARANTINE_BYTES_MAX]))


def _reader_of(path: Path, head: bytes) -> FileReader | None:
    return next((reader for reader in readers() if reader.sniff(path, head)), None)


def _head(path: Path) -> bytes:
    """The first bytes of a file, decompressed where it is gzip; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if head.startswith(b"\x1f\x8b"):
            with gzip.open(path, "rb") as unpacked:
                head = unpacked.read(HEAD_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""
    return head
