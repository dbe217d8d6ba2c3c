"""What the journal answers with."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from vitruvian.core.events import Entry, Person
from vitruvian.core.identifiers import Identifier, Location


class Stored(msgspec.Struct, frozen=True):
    """An entry as kept: its place in the log, when it was recorded, and the later one that replaced it, if any."""

    seq: int
    recorded_us: int
    superseded_by: int | None
    entry: Entry


class Encounter(msgspec.Struct, frozen=True):
    """An open encounter: its identifier as the source states it, the class of patient, and since when."""

    visit: Identifier | None = None
    patient_class: str = ""
    admitted_us: int | None = None
    reason: str = ""


class Patient(msgspec.Struct, frozen=True):
    """A person. `pid` is dense and internal; `id` is public, stable and says nothing of the person.

    `identifiers`, `person`, `visit` and `location` are those of the whole group that was merged under this
    person. `merged_into` is the surviving person's pid where this record was merged away.
    """

    pid: int
    id: str
    identifiers: tuple[Identifier, ...]
    person: Person | None
    visit: Encounter | None
    location: Location | None
    merged_into: int | None


class BedStay(msgspec.Struct, frozen=True):
    """A patient at a place over [`start_us`, `end_us`); `end_us` None is still there."""

    pid: int
    location: Location
    start_us: int
    end_us: int | None
    visit: Identifier | None


class Findings(msgspec.Struct, eq=False):
    """Columns of what the twin derived under one name; `number` is NaN where none was issued."""

    occurred_us: NDArray[np.int64]
    number: NDArray[np.float64]
    seq: NDArray[np.int64]


class Verification(msgspec.Struct, frozen=True):
    """What a walk over the chain found. `faults` are sentences, bounded; `checked` counts the entries walked."""

    ok: bool
    checked: int
    last_seq: int
    head: str
    faults: tuple[str, ...]


class QuarantinedRow(msgspec.Struct, frozen=True):
    """An input kept apart, and why. `raw_bytes` is its size as kept; `resolved` once it has been dealt with."""

    id: int
    recorded_us: int
    source: str
    source_id: str
    reason: str
    detail: str
    raw: bytes
    resolved: bool
