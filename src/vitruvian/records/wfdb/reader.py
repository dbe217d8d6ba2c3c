"""Records to readings: a frame of numerics is one reading, the waveforms of a record or segment are another.

Waveforms are not taken apart into samples: an entry keeps which file they are in, by SHA-256, with their names, units
and sampling rates. Needs the package `wfdb` (extra `wfdb`).
"""

from __future__ import annotations

import hashlib
import importlib
import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from vitruvian.core.errors import ConfigurationError, ReadingError
from vitruvian.core.events import Blob, Entry, Event, Person, Reading
from vitruvian.core.identifiers import Identifier
from vitruvian.core.time import SECOND_US, from_us, to_us
from vitruvian.records.base import Context, quarantined
from vitruvian.records.challenge import ORIGIN_US, birth_us
from vitruvian.records.mimic.site import PATIENT
from vitruvian.records.tables import Measure, observations
from vitruvian.records.wfdb.signals import NUMERIC_HZ_MAX, measure_of

NAME: Final = "wfdb"
MEDIA_TYPE: Final = "application/x-wfdb"
FRAMES: Final = 36_000  # read at a time
_RECORD_LINE: Final = re.compile(rb"^[\w\-]+(?:/\d+)?\s+\d+(?:\s+[\d.eE+\-]+|\s*\r?$)", re.MULTILINE)
_SEGMENT: Final = re.compile(r"^(.+)_(\d{4}|layout)$")
_MATCHED: Final = re.compile(r"^p(\d{6})(?:-|$)")  # MIMIC-III's matched waveforms are filed by subject_id
_AGE: Final = re.compile(r"<?age>?\s*:\s*(\d{1,3})\b|^\s*(\d{1,3})\s+[MF]\b", re.IGNORECASE)
_SEX: Final = re.compile(r"<?sex>?\s*:\s*(male|female|m|f)\b|^\s*\d{1,3}\s+([MF])\b", re.IGNORECASE)
_SIGNAL_FILES: Final = (".dat", ".xyz", ".mat", ".edf")
_ANNOTATIONS: Final = (".atr", ".qrs", ".sqrs", ".gqrs", ".gqrsl", ".gqrsh", ".ari", ".ecg", ".wqrs", ".ann", ".alarms")
# What the package raises where a record is damaged; it has no exception of its own.
_FAILURES: Final = (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, EOFError, ArithmeticError)


def sniff(path: Path, head: bytes) -> bool:
    """A header (`.hea`) that begins as one, or a signal or annotation file with a header beside it."""
    if path.is_dir():
        return False
    ending = path.suffix.lower()
    if ending == ".hea":
        lines = b"\n".join(line for line in head.splitlines() if line.strip() and not line.startswith(b"#"))
        return _RECORD_LINE.match(lines) is not None
    return ending in (*_SIGNAL_FILES, *_ANNOTATIONS) and path.with_suffix(".hea").is_file()


def files(path: Path) -> list[Path]:
    """The file itself: signals are opened through their header."""
    return [path]


def require(path: Path) -> ModuleType | None:
    """The package that a header needs; other files need none. Raises ConfigurationError where it is not installed."""
    if path.suffix.lower() != ".hea":
        return None
    try:
        with warnings.catch_warnings():  # the package and pandas have differences of their own
            warnings.simplefilter("ignore")
            return importlib.import_module("wfdb")
    except ImportError as error:
        raise ConfigurationError(
            "found a WFDB record, but not the package that reads it; pip install 'vitruvian[wfdb]'"
        ) from error


def read(path: Path, context: Context) -> Iterator[Reading]:
    """A record's readings. Signal files are read with their header; annotations have no home yet."""
    ending = path.suffix.lower()
    if ending in _SIGNAL_FILES:
        return
    if ending != ".hea":
        yield Reading("annotation file", ignored="beat and rhythm annotations have no home yet")
        return
    package = require(path)
    source = context.source or NAME
    if package is None or _master_of(path) is not None:
        return  # it is read with the record that it is a segment of
    try:
        header = package.rdheader(str(path.with_suffix("")))
        yield from _record(package, path, header, source, context)
    except _FAILURES as error:
        detail = f"{path.name}: {type(error).__name__}: {error}"
        yield quarantined("record", "unreadable-file", detail, source, path.stem)


def _master_of(path: Path) -> Path | None:
    """The header of the record that this is a segment of; segments state no time of their own."""
    match = _SEGMENT.match(path.stem)
    if not match:
        return None
    candidates = [path.with_name(f"{match[1]}.hea"), *path.parent.glob("p[0-9]*.hea")]
    for candidate in candidates:
        if candidate != path and candidate.is_file() and f"\n{path.stem} " in candidate.read_text("ascii", "replace"):
            return candidate
    return None


@dataclass(frozen=True, slots=True)
class _Record:
    """What every entry of a record shares."""

    name: str
    source: str
    subject: tuple[Identifier, ...]
    folder: Path
    start_us: int


def _record(package: ModuleType, path: Path, header: Any, source: str, context: Context) -> Iterator[Reading]:
    matched = _MATCHED.match(path.stem) or _MATCHED.match(path.parent.name)
    if matched:
        identifier = Identifier(context.mapping.authority(PATIENT["mimic-iii"]), str(int(matched[1])), "MR")
    else:
        identifier = Identifier(context.mapping.authority("wfdb:record"), path.stem, "MR")
    start_us = _start_us(header.base_date, header.base_time, context)
    record = _Record(path.stem, source, (identifier,), path.parent, start_us)
    yield from _person(record, header.comments or [])
    if not hasattr(header, "seg_name"):
        yield from _segment(package, record, path.stem, header, 0)
        return
    offset = 0
    _check_names([name for name in header.seg_name if name != "~"])
    for name, length in zip(header.seg_name, header.seg_len, strict=True):
        if name != "~" and length:
            segment = package.rdheader(str(path.with_name(name)))
            yield from _segment(package, record, name, segment, offset)
        offset += length


def _start_us(date: Any, at: time | None, context: Context) -> int:
    """The stated start in the site's zone; a missing date is `ORIGIN_US`'s, a missing time midnight."""
    day = date or from_us(ORIGIN_US).date()
    return to_us(datetime.combine(day, at or time(0), tzinfo=context.zone if date else UTC))


def _person(record: _Record, comments: list[str]) -> Iterator[Reading]:
    """Age and sex where the comments state them in one of the usual ways; all else there is free text."""
    age = next((match for line in comments if (match := _AGE.search(line))), None)
    sex = next((match for line in comments if (match := _SEX.search(line))), None)
    if age is None and sex is None:
        return
    years = float(age[1] or age[2]) if age else None
    letter = (sex[1] or sex[2]).lower()[0] if sex else ""
    person = Person(birth_us=birth_us(record.start_us, years), sex={"m": "male", "f": "female"}.get(letter, ""))
    event = Event("identity", "", person, record.start_us)
    yield Reading("header", (Entry(record.source, f"{record.name}|header", (event,), subject=record.subject),))


def _check_names(names: list[str]) -> None:
    """A header names files beside it; anything else would open what it was not given."""
    for name in names:
        if Path(name).name != name or name.startswith("."):
            raise ReadingError(f"found signal file {name[:64]!r}, expected one beside its header")


def _segment(package: ModuleType, record: _Record, name: str, header: Any, offset: int) -> Iterator[Reading]:
    if not header.n_sig:
        yield Reading("record", ignored="it has no signals")
        return
    _check_names(header.file_name)
    if len(header.file_name) != header.n_sig or not header.fs > 0:
        raise ReadingError(
            f"found {len(header.file_name)} signals at {header.fs} Hz in {name}, expected {header.n_sig} at above 0 Hz"
        )
    rates_hz = [header.fs * count for count in header.samps_per_frame]
    numeric: list[tuple[int, Measure]] = []
    for place, (signal, unit, rate_hz) in enumerate(zip(header.sig_name, header.units, rates_hz, strict=True)):
        measure = measure_of(signal or "", unit or "") if rate_hz <= NUMERIC_HZ_MAX else None
        if measure is not None:
            numeric.append((place, measure))
    if numeric:
        yield from _numerics(package, record, name, header, numeric, offset)
    if any(rate_hz > NUMERIC_HZ_MAX for rate_hz in rates_hz):
        yield _waveforms(record, name, header, rates_hz, offset)
    elif not numeric:
        unmapped = tuple(f"wfdb|{signal}|{unit}" for signal, unit in zip(header.sig_name, header.units, strict=True))
        yield Reading("numerics", ignored="none of its signals is in the vocabulary", unmapped=unmapped)


def _numerics(
    package: ModuleType, record: _Record, name: str, header: Any, numeric: list[tuple[int, Measure]], offset: int
) -> Iterator[Reading]:
    places = [place for place, _ in numeric]
    measures = [measure for _, measure in numeric]
    nothing = Reading("numerics", ignored="nothing was measured at this moment")
    for first in range(0, header.sig_len or 0, FRAMES):
        until = min(first + FRAMES, header.sig_len)
        part = package.rdrecord(str(record.folder / name), sampfrom=first, sampto=until, channels=places)
        for row, values in enumerate(part.p_signal.tolist()):
            frame = offset + first + row
            at_us = record.start_us + round(frame / header.fs * SECOND_US)
            stated = [_shortest(value) for value in values]
            events = observations(measures, stated, at_us)
            if events:
                entry = Entry(record.source, f"{record.name}|{frame}", events, subject=record.subject)
                yield Reading("numerics", (entry,))
            else:
                yield nothing


def _shortest(value: float) -> float | None:
    """What the converter's gain made of a number, to seven digits: 36.6, not 36.599999999999994."""
    return float(f"{value:.7g}") if math.isfinite(value) else None


def _waveforms(record: _Record, name: str, header: Any, rates_hz: list[float], offset: int) -> Reading:
    start_us = record.start_us + round(offset / header.fs * SECOND_US)
    length_us = round((header.sig_len or 0) / header.fs * SECOND_US)
    events = []
    for file in dict.fromkeys(header.file_name):
        signals = [
            f"{signal or '?'} {rate_hz:g} Hz {unit or ''}".strip()
            for signal, unit, rate_hz, where in zip(
                header.sig_name, header.units, rates_hz, header.file_name, strict=True
            )
            if where == file and rate_hz > NUMERIC_HZ_MAX
        ]
        if not signals:
            continue
        digest, size = _digest(record.folder / file)
        code = f"wfdb:waveform|{name}|{', '.join(signals)}"[:1_000]
        blob = Blob(digest, size, MEDIA_TYPE, file)
        events.append(Event("observation", "", blob, start_us, start_us + length_us, code=code))
    entry = Entry(record.source, f"{record.name}|waveform|{name}", tuple(events), subject=record.subject)
    return Reading("waveform", (entry,))


def _digest(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return digest, path.stat().st_size
