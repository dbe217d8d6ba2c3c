"""What is said of a patient: entries and the events within them.

A source speaks in *entries*: one MQTT message, one FHIR resource, one HL7 v2 observation, one hour's row of a
table. What it says there at once are *events*, which stand or fall together: an entry is committed,
duplicated, corrected or refused whole. The header (who, from where, under which name and version) is stated
once, on the entry; `Event` carries what differs. Facts are appended and corrected by later facts; they are
never edited.

Duplicate: the same `source` and `source_id`, and the same `source_version` or the same content. The same
`source` and `source_id` with other content is a correction: it supersedes the earlier entry.
"""

# `gc=False`: what is made by the thousand a second is frozen and built from its parts up, so it can be in no reference
# cycle, and the collector need not look at it (a third of the cost of reading a message otherwise).

from __future__ import annotations

from typing import Literal

import msgspec

from vitruvian.core.identifiers import Identifier, Location

Kind = Literal["observation", "administration", "order", "condition", "encounter", "identity", "device", "derived"]
Status = Literal["preliminary", "final", "corrected", "cancelled", "entered-in-error"]
Comparator = Literal["", "<", "<=", ">=", ">"]


class Quantity(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="q"):
    """A number in the concept's own unit (UCUM), with what the source wrote before conversion where that
    differed.
    """

    value: float
    unit: str
    comparator: Comparator = ""
    stated_value: float | None = None
    stated_unit: str = ""


class Coded(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="c"):
    """A code of a system; `number` is its rank where the concept ranks its codes (ACVPU: alert 0 ...
    unresponsive 4).
    """

    system: str
    code: str
    display: str = ""
    number: float | None = None


class Text(msgspec.Struct, frozen=True, array_like=True, tag="t"):
    """Words."""

    text: str


class Range(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """A quantity known to lie between two bounds; either may be absent."""

    low: float | None
    high: float | None
    unit: str


class Dose(msgspec.Struct, frozen=True, array_like=True, tag="d"):
    """An intervention as given: an amount at once (`amount`), or a rate kept over the event's interval
    (`rate`).
    """

    amount: float | None = None
    amount_unit: str = ""
    rate: float | None = None
    rate_unit: str = ""
    route: str = ""


class Blob(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """Bytes kept elsewhere, by their SHA-256 (waveforms, documents)."""

    sha256: str
    bytes: int
    media_type: str
    where: str = ""


class Person(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """Demographics as the source states them. `birth_us` is the start of the birth date, `sex` FHIR's
    administrative gender.
    """

    family: str = ""
    given: str = ""
    birth_us: int | None = None
    sex: str = ""
    deceased_us: int | None = None


class Merge(msgspec.Struct, frozen=True, array_like=True, tag="m"):
    """Two records are one person (`merge`, HL7 A40), or are not after all (`unmerge`). The survivor is the
    entry's subject.
    """

    action: Literal["merge", "unmerge"]
    prior: tuple[Identifier, ...]


class Visit(msgspec.Struct, frozen=True, array_like=True, tag="v"):
    """A step of an encounter: HL7 A01/A04 admit or register, A02 transfer, A03 discharge, A08 update, A11-A13
    their cancels.
    """

    action: Literal[
        "admit",
        "register",
        "transfer",
        "discharge",
        "update",
        "cancel-admit",
        "cancel-transfer",
        "cancel-discharge",
    ]
    visit: Identifier | None = None
    location: Location = Location()
    prior_location: Location | None = None
    patient_class: str = ""
    reason: str = ""


class Association(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """A device belongs to the entry's subject from the event's start; `end` closes it, `cancel` says it never
    did.

    With a `location` and no subject the device stands at that bed, and belongs to whoever lies there at the
    time.
    """

    action: Literal["start", "end", "cancel"]
    device: str
    location: Location | None = None


class Finding(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """What the twin derived and issued: a score, a risk or an alert step, with the version that made it and
    what it had seen.
    """

    name: str
    version: str
    input_seq: int
    number: float | None = None
    detail: dict[str, str | float | int | bool | list[str] | None] = {}


Value = Quantity | Coded | Text | Range | Dose | Blob | Person | Merge | Visit | Association | Finding


class Event(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One fact. `concept` is a name of the vocabulary, or empty where there is none yet (then `code` tells).

    `occurred_us` is when it was true; `ended_us` closes an interval (an infusion, a condition). `zone` is the
    zone as stated. `code` keeps the source's own coding as `system|code|display`. `quality` lists flags such
    as `clock-skew`, `implausible`.
    """

    kind: Kind
    concept: str
    value: Value
    occurred_us: int
    ended_us: int | None = None
    zone: str = ""
    code: str = ""
    quality: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What one source said at once, under one name.

    `source` names the origin (`fhir:synthea`, `hl7v2:LAB`, `mqtt`), `source_id` is unique within it,
    `source_version` orders corrections of the same id (empty where the source has none). `subject` are the
    patient's identifiers as stated; a device's message has none, and its `device` is resolved by the
    association that holds at the time it occurred. `available_us` is when the source itself issued it (a
    lab's report time), or none.
    """

    source: str
    source_id: str
    events: tuple[Event, ...]
    source_version: str = ""
    subject: tuple[Identifier, ...] = ()
    encounter: Identifier | None = None
    device: str = ""
    available_us: int | None = None
    status: Status = "final"


class Refusal(msgspec.Struct, frozen=True):
    """An input that goes to quarantine: a short stable `reason`, a `detail` for a person, and the raw bytes
    (bounded).
    """

    reason: str
    detail: str
    source: str
    source_id: str = ""
    raw: bytes = b""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a reader made of one resource, message or row: exactly one of read (entries), ignored, or
    quarantined (refusal).

    `kind` names its type (`Observation`, `ADT^A01`, `chartevents`). `refused_parts` are pieces of a read
    message that were not taken (one bad OBX); `unmapped` lists codes that the vocabulary does not hold.
    """

    kind: str
    entries: tuple[Entry, ...] = ()
    ignored: str = ""
    refusal: Refusal | None = None
    refused_parts: tuple[Refusal, ...] = ()
    unmapped: tuple[str, ...] = ()


class Receipt(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What became of one entry; given only after the commit is durable.

    `waiting`: kept, but its device is not associated with a patient yet. `quarantined`: kept apart with
    `reason`.
    """

    outcome: Literal["committed", "duplicate", "corrected", "stale", "waiting", "quarantined"]
    seq: int
    reason: str = ""
