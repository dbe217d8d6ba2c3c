"""A folder of MIMIC tables: which they are, what their items are called, when admissions were, who is who."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import polars as pl

from vitruvian.core.errors import VitruvianError
from vitruvian.core.events import Entry, Event, Reading, Status
from vitruvian.core.identifiers import Identifier, digest16
from vitruvian.records.base import Context, quarantined
from vitruvian.records.mapping import LocalCode
from vitruvian.records.tables import columns_of, instants, pieces, stem, take, texts

Version = Literal["mimic-iii", "mimic-iv"]

SYSTEMS: Final = "http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-"
# MIMIC-IV's patients and admissions go by the names that MIMIC-IV on FHIR gives them, so that both are one person.
IDENTIFIERS: Final = "http://mimic.mit.edu/fhir/mimic/identifier/"
PATIENT: Final[dict[Version, str]] = {"mimic-iv": IDENTIFIERS + "patient", "mimic-iii": "mimic-iii:patient"}
ADMISSION: Final[dict[Version, str]] = {"mimic-iv": IDENTIFIERS + "encounter-hosp", "mimic-iii": "mimic-iii:admission"}
_REMEMBERED: Final = 65_536
_UNREADABLE: Final = (VitruvianError, OSError, EOFError, zlib.error, csv.Error, gzip.BadGzipFile)


@dataclass(frozen=True, slots=True)
class Admission:
    """When an admission began and ended, microseconds; None where that is not stated."""

    subject: str
    start_us: int | None
    end_us: int | None


@dataclass
class Site:
    """What reading one table needs of the others. Dictionaries that are absent are empty."""

    root: Path
    version: Version
    context: Context
    _labels: dict[str, dict[str, str]] = field(default_factory=dict)
    _admissions: dict[str, Admission] | None = None
    _first: dict[str, int] = field(default_factory=dict)
    _people: dict[str, tuple[Identifier, ...]] = field(default_factory=dict)
    _items: dict[tuple[str, str], LocalCode | None] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The entries' source."""
        return self.context.source or self.version

    def instants(self, column: pl.Series) -> list[int | None]:
        """The column's times, microseconds; in the site's zone (shifted dates have none)."""
        return instants(column, self.context.zone)

    def subject(self, number: str) -> tuple[Identifier, ...]:
        """A patient's identifier."""
        found = self._people.get(number)
        if found is None:
            if len(self._people) >= _REMEMBERED:
                self._people.clear()
            found = (Identifier(self.context.mapping.authority(PATIENT[self.version]), number, "MR"),)
            self._people[number] = found
        return found

    def encounter(self, admission: str) -> Identifier | None:
        """An admission's identifier; None where the row belongs to none."""
        if not admission:
            return None
        return Identifier(self.context.mapping.authority(ADMISSION[self.version]), admission, "VN")

    def item(self, table: str, number: str) -> LocalCode | None:
        """What an item means, by the mapping; None where nothing certain."""
        key = (table, number)
        if key not in self._items:
            self._items[key] = self.context.mapping.code(SYSTEMS + table, number)
        return self._items[key]

    def label(self, dictionary: str, key: str) -> str:
        """An item's or a code's name, by the dictionary table beside it; empty where it is not there."""
        if dictionary not in self._labels:
            self._labels[dictionary] = _labels(find(self.root, dictionary), dictionary)
        return self._labels[dictionary].get(key, "")

    def admission(self, number: str) -> Admission | None:
        """When an admission was, by the admissions table beside it."""
        if self._admissions is None:
            self._read_admissions()
        assert self._admissions is not None
        return self._admissions.get(number)

    def first_admission_us(self, subject: str) -> int | None:
        """When a patient first came."""
        if self._admissions is None:
            self._read_admissions()
        return self._first.get(subject)

    def _read_admissions(self) -> None:
        self._admissions = {}
        path = find(self.root, "admissions")
        for frame in () if path is None else _frames(path, "subject_id", "hadm_id", "admittime", "dischtime"):
            starts, ends = self.instants(frame["admittime"]), self.instants(frame["dischtime"])
            for subject, number, start_us, end_us in zip(
                texts(frame["subject_id"]), texts(frame["hadm_id"]), starts, ends, strict=True
            ):
                self._admissions[number] = Admission(subject, start_us, end_us)
                if start_us is not None:
                    self._first[subject] = min(start_us, self._first.get(subject, start_us))

    # -- readings ------------------------------------------------------------------------------------------------

    def entry(
        self,
        table: str,
        key: str,
        events: tuple[Event, ...],
        subject: str,
        admission: str = "",
        available_us: int | None = None,
        status: Status = "final",
    ) -> Entry:
        """An entry of a row. `key` is the row's own identifier or the digest of its cells."""
        occurred_us = events[0].occurred_us
        return Entry(
            self.source,
            f"{table}|{key}",
            events,
            subject=self.subject(subject),
            encounter=self.encounter(admission),
            available_us=available_us if available_us is not None and available_us >= occurred_us else None,
            status=status,
        )

    def refused(self, table: str, reason: str, detail: str, row: tuple[object, ...]) -> Reading:
        """A row that is not taken, kept as text."""
        raw = ",".join("" if cell is None else str(cell) for cell in row).encode()
        return quarantined(table, reason, detail, self.source, raw=raw)


def key_of(row: tuple[object, ...]) -> str:
    """The name of a row of a table that names none: the same cells are the same row."""
    return digest16(*("" if cell is None else str(cell) for cell in row)).hex()


def version_of(path: Path) -> Version | None:
    """MIMIC-III's tables number their rows (ROW_ID), MIMIC-IV's do not; None where it is no table of either."""
    columns = {name.lower() for name in columns_of(path)}
    if not columns & {"subject_id", "itemid", "icd_code", "icd9_code", "provider_id", "caregiver_id", "cgid", "poe_id"}:
        return None
    return "mimic-iii" if "row_id" in columns else "mimic-iv"


def folders(root: Path) -> Iterator[Path]:
    """Where a site's tables may lie: the folder, and MIMIC-IV's modules within it."""
    yield root
    for name in ("hosp", "icu"):
        if (root / name).is_dir():
            yield root / name


def find(root: Path, table: str) -> Path | None:
    """The file of a table, in any case and format; None where it is absent."""
    for folder in folders(root):
        for path in sorted(folder.iterdir()):
            if stem(path) == table and path.is_file():
                return path
    return None


def lowered(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its columns in lower case."""
    return frame.rename({name: name.lower() for name in frame.columns if name != name.lower()})


def _frames(path: Path, *columns: str) -> Iterator[pl.DataFrame]:
    try:
        for piece in pieces(path):
            yield take(lowered(piece.frame), *columns)
    except _UNREADABLE:
        return  # its own rows tell, when the table itself is read


# Dictionary -> the columns that make its key, and the one that is its text.
_DICTIONARIES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "d_items": (("itemid",), ("label",)),
    "d_labitems": (("itemid",), ("label",)),
    "d_icd_diagnoses": (("icd_version", "icd_code", "icd9_code"), ("long_title",)),
}


def _labels(path: Path | None, dictionary: str) -> dict[str, str]:
    found: dict[str, str] = {}
    keys, names = _DICTIONARIES[dictionary]
    for frame in () if path is None else _frames(path, *keys, *names):
        for *key, name in frame.rows():
            found["|".join(part.strip() for part in key if part)] = (name or "").strip()
    return found
