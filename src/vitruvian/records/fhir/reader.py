"""Files to readings: JSON documents and NDJSON, plain or gzip, within limits."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from vitruvian.core.errors import LimitError
from vitruvian.core.events import Reading
from vitruvian.core.limits import BUNDLE_BYTES_MAX
from vitruvian.records.base import Context, quarantined
from vitruvian.records.fhir.bundle import read_document, read_single
from vitruvian.records.fhir.scope import make_scope
from vitruvian.records.fhir.siblings import DAMAGED, learn_siblings
from vitruvian.records.files import read_file

NAME: Final = "fhir"
_DOCUMENTS: Final = (".json", ".json.gz")
_LINES: Final = (".ndjson", ".ndjson.gz", ".jsonl", ".jsonl.gz")
_BOM: Final = b"\xef\xbb\xbf"


def sniff(path: Path, head: bytes) -> bool:
    """JSON with a resourceType, or what calls itself JSON: a broken file is better refused by name than passed over."""
    if not head:
        return path.is_file() and path.name.lower().endswith(_DOCUMENTS + _LINES)
    if not head.removeprefix(_BOM).lstrip().startswith(b"{"):
        return path.name.lower().endswith(_DOCUMENTS + _LINES)
    return b'"resourceType"' in head or path.name.lower().endswith(_DOCUMENTS + _LINES)


def read(path: Path, context: Context) -> Iterator[Reading]:
    """Every resource of a file, one reading each: a bundle is held whole (BUNDLE_BYTES_MAX), lines one at a time."""
    if path.name.lower().endswith(_LINES):
        yield from _read_lines(path, context)
        return
    try:
        data = read_file(path, BUNDLE_BYTES_MAX)
    except LimitError as error:
        yield quarantined("document", "too-large", str(error), context.source or NAME)
    except DAMAGED as error:
        yield quarantined("document", "unreadable-file", f"{path.name}: {error}", context.source or NAME)
    else:
        yield from _read_data(data, context)


def read_bytes(data: bytes, context: Context) -> list[Reading]:
    """The resources of one JSON document, or of several, one a line. Never raises for bad content."""
    return list(_read_data(data, context))


def _read_data(data: bytes, context: Context) -> Iterator[Reading]:
    if len(data) > BUNDLE_BYTES_MAX:
        detail = f"found {len(data)} bytes, expected at most {BUNDLE_BYTES_MAX}; split the bundle"
        yield quarantined("document", "too-large", detail, context.source or NAME, raw=data)
        return
    data = data.removeprefix(_BOM)
    if not _is_lines(data):
        yield from read_document(data, context)
        return
    scope = make_scope(context)
    for line in data.splitlines():
        if line.strip():
            yield from read_single(line.strip(), scope)


def _is_lines(data: bytes) -> bool:
    """Whether several documents follow each other, one a line: the first line is one by itself, and not the last."""
    data = data.lstrip()
    end = data.find(b"\n")
    first = data[:end].rstrip() if end > 0 else b""
    return first.startswith(b"{") and first.endswith(b"}") and not data[end:].isspace()


def _read_lines(path: Path, context: Context) -> Iterator[Reading]:
    """NDJSON (FHIR Bulk Data), in memory bounded by the longest line."""
    scope = make_scope(context)
    learn_siblings(path, scope.references, _lines)
    try:
        for line in _lines(path):
            if len(line) > BUNDLE_BYTES_MAX:
                detail = f"found a line of more than {BUNDLE_BYTES_MAX} bytes, expected one resource a line"
                yield quarantined("document", "too-large", detail, scope.source, raw=line)
            else:
                yield from read_single(line, scope)
    except DAMAGED as error:
        yield quarantined("document", "unreadable-file", f"{path.name}: {error}", scope.source)


def _lines(path: Path) -> Iterator[bytes]:
    """Lines that are not blank; one beyond the limit is cut to a byte over it, and its rest passed over."""
    with path.open("rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        with gzip.open(plain) if packed else plain as file:
            start = _BOM
            while line := file.readline(BUNDLE_BYTES_MAX + 1):
                whole = line.removeprefix(start).strip()
                start = b""
                if whole:
                    yield line if len(line) > BUNDLE_BYTES_MAX else whole
                while len(line) > BUNDLE_BYTES_MAX and not line.endswith(b"\n"):
                    line = file.readline(BUNDLE_BYTES_MAX + 1)
