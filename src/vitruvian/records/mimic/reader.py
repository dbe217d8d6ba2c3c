"""A folder of MIMIC's tables, or one of them, to readings: one a row of every table."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Final

import polars as pl

from vitruvian.core.errors import VitruvianError
from vitruvian.core.events import Reading
from vitruvian.records.base import Context, quarantined
from vitruvian.records.mimic import care, stays, values
from vitruvian.records.mimic.site import Site, Version, find, folders, lowered, version_of
from vitruvian.records.tables import pieces, stem

NAME: Final = "mimic"
_FAILURES: Final = (VitruvianError, OSError, EOFError, UnicodeError, zlib.error)

Taker = Callable[[pl.DataFrame, Site], Iterator[Reading]]
TAKEN: Final[dict[str, Taker]] = {  # in the order in which they are read
    "patients": stays.patients,
    "admissions": stays.admissions,
    "transfers": stays.transfers,
    "icustays": stays.icustays,
    "labevents": values.labevents,
    "chartevents": values.chartevents,
    "outputevents": values.outputevents,
    "inputevents": care.inputevents_mv,
    "inputevents_mv": care.inputevents_mv,
    "inputevents_cv": care.inputevents_cv,
    "procedureevents": care.procedureevents,
    "procedureevents_mv": care.procedureevents,
    "emar": care.emar,
    "prescriptions": care.prescriptions,
    "microbiologyevents": stays.microbiology,
    "omr": values.omr,
    "diagnoses_icd": stays.diagnoses,
}
_DICTIONARY: Final = "a dictionary: it gives other tables their names"
_HOMELESS: Final = "this table has no home yet"
IGNORED: Final[dict[str, str]] = {
    **dict.fromkeys(("d_items", "d_labitems", "d_icd_diagnoses", "d_icd_procedures", "d_hcpcs", "d_cpt"), _DICTIONARY),
    **dict.fromkeys(
        ("callout", "caregiver", "caregivers", "cptevents", "datetimeevents", "drgcodes", "emar_detail", "hcpcsevent",
         "hcpcsevents", "ingredientevents", "noteevents", "pharmacy", "poe", "poe_detail", "procedures_icd", "provider",
         "services"),
        _HOMELESS,
    ),
}  # fmt: skip
_PARTS: Final = tuple(f"chartevents_{number}" for number in range(1, 21))  # MIMIC-III's, where it was split


def sniff(path: Path, head: bytes) -> bool:
    """A folder with patients and admissions (MIMIC-IV's lie in `hosp`), or one table under its published name."""
    if path.is_dir():
        return all(find(path, name) is not None for name in ("patients", "admissions")) and bool(_version(path))
    return table_of(path) != "" and version_of(path) is not None


def table_of(path: Path) -> str:
    """The table that a file holds, by its name; empty where it is none of MIMIC's."""
    name = stem(path)
    if name in _PARTS:
        return "chartevents"
    return name if name in TAKEN or name in IGNORED else ""


def files(path: Path) -> list[Path]:
    """The files that `read` opens, in its order."""
    if not path.is_dir():
        return [path]
    found = [item for folder in folders(path) for item in sorted(folder.iterdir()) if item.is_file() and table_of(item)]
    order = {name: place for place, name in enumerate((*TAKEN, *IGNORED))}
    return sorted(found, key=lambda item: (order[table_of(item)], item.name))


def _version(path: Path) -> Version | None:
    admissions = find(path, "admissions")
    return None if admissions is None else version_of(admissions)


def read(path: Path, context: Context) -> Iterator[Reading]:
    """One reading a row. A table that breaks ends in one quarantined reading, and the next is read."""
    root = path if path.is_dir() else path.parent
    if not path.is_dir() and root.name.lower() in ("hosp", "icu"):
        root = root.parent  # the dictionaries lie beside
    version = _version(path) if path.is_dir() else version_of(path)
    site = Site(root, version or "mimic-iv", context)
    for file in files(path):
        try:
            yield from _table(file, site)
        except _FAILURES as error:
            yield quarantined(table_of(file), "unreadable-file", f"{file.name}: {error}", site.source)


def _table(path: Path, site: Site) -> Iterator[Reading]:
    table = table_of(path)
    taker = TAKEN.get(table)
    nothing = Reading(table, ignored=IGNORED.get(table, _HOMELESS))
    for piece in pieces(path):
        for text, why in piece.damaged:
            yield quarantined(table, "columns", why, site.source, raw=text.encode())
        if taker is None:
            yield from repeat(nothing, piece.frame.height)
        else:
            yield from taker(lowered(piece.frame), site)
