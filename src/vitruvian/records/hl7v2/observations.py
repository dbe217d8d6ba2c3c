"""OBX segments to entries: one entry an observation, so that a correction of one leaves its neighbours alone.

Identity of an observation: the filler's order number where there is one, else the patient, with code, sub-id and time;
then a later message about the same (OBX-11 `C`) is a correction, and the same message again is a duplicate. MSH-7 is
the version that orders corrections. Source: HL7 v2.8.2 chapter 7 (OBR, OBX; table 0085 result status).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final, cast

from vitruvian.core.errors import TimestampError, UnitError
from vitruvian.core.events import Coded, Comparator, Entry, Event, Kind, Quantity, Range, Refusal, Status, Text, Value
from vitruvian.core.identifiers import Identifier
from vitruvian.core.limits import MESSAGE_EVENTS_MAX
from vitruvian.core.time import Instant
from vitruvian.core.vocabulary import VOCABULARY, Concept
from vitruvian.records.base import Context
from vitruvian.records.hl7v2.fields import codings, first_time
from vitruvian.records.hl7v2.message import Message, Segment
from vitruvian.records.mapping import LocalCode

# Table 0085. I (pending), N (not asked) and O (order detail only) say that there is no result.
_STATUS: Final[dict[str, Status]] = {
    "F": "final",
    "U": "final",
    "V": "final",
    "": "final",
    "P": "preliminary",
    "R": "preliminary",
    "S": "preliminary",
    "B": "corrected",
    "A": "corrected",
    "C": "corrected",
    "D": "entered-in-error",
    "W": "entered-in-error",
    "X": "cancelled",
}
_NO_RESULT: Final = ("I", "N", "O")
_WITHDRAWN: Final = ("cancelled", "entered-in-error")
_NUMBER: Final = re.compile(r"^\s*(<=|>=|<|>|=)?\s*([-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d{1,3})?)\s*$")


class _Refused(Exception):
    """Why one OBX is not taken."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass
class Taken:
    """What the OBX segments of one message gave."""

    entries: list[Entry] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Header:
    """What every observation of a message shares."""

    source: str
    subject: tuple[Identifier, ...]
    encounter: Identifier | None
    facility: str
    zone: tzinfo
    sent: Instant | None
    version: str
    fallback: Instant | None
    context: Context


def observations(message: Message, header: Header) -> Taken:
    """Every OBX of a message, each with the OBR that stands before it."""
    taken = Taken()
    seen: Counter[str] = Counter()
    order: Segment | None = None
    for segment in message.segments:
        if segment.name == "OBR":
            order = segment
        elif segment.name == "OBX":
            _take(segment, order, header, taken, seen)
    return taken


def _take(obx: Segment, order: Segment | None, header: Header, taken: Taken, seen: Counter[str]) -> None:
    coded = codings(obx, 3)
    local, code = _concept(coded, header)
    if local is None:
        taken.unmapped.append(code)
        return
    if obx.get(11) in _NO_RESULT or not (_stated(obx) or _withdrawn(obx)):
        return
    try:
        taken.entries.append(_entry(obx, order, header, local, code, seen))
    except _Refused as refused:
        raw = "|".join(obx.raw(field) for field in range(1, 7)).encode()
        taken.refused.append(Refusal(refused.reason, refused.detail, header.source, code, raw))


def _stated(obx: Segment) -> list[str]:
    """The values of OBX-5; the explicit null ("") is none.

    Nor is what stands there when the result is taken back: the wrong value again, or a word such as "Cancelled".
    """
    if _withdrawn(obx):
        return []
    return [repetition for repetition in obx.repetitions(5) if repetition != '""']


def _withdrawn(obx: Segment) -> bool:
    """Whether it takes back what was sent before (D, W, X); whatever OBX-5 still holds."""
    return _STATUS.get(obx.get(11)) in _WITHDRAWN


def _concept(coded: Iterable[tuple[str, str, str]], header: Header) -> tuple[LocalCode | None, str]:
    """The first coding the site's map or the vocabulary knows, and how the source called it."""
    called = "(no code)"
    for number, (system, code, text) in enumerate(coded):
        if number == 0:
            called = f"{system or header.facility}|{code}|{text}"
        known = header.context.mapping.concept(system, code, header.facility)
        if known is not None:
            return known, f"{system}|{code}|{text}"
    return None, called


def _entry(
    obx: Segment, order: Segment | None, header: Header, local: LocalCode, code: str, seen: Counter[str]
) -> Entry:
    concept = VOCABULARY[local.concept]
    occurred = _occurred(obx, order, header)
    events: list[Event] = []
    if not _stated(obx):
        events.append(Event("observation", concept.name, Text(""), occurred.us, zone=occurred.zone, code=code))
    for repetition in _stated(obx)[:MESSAGE_EVENTS_MAX]:
        value = _value(obx, repetition, concept, local)
        quality = () if _plausible(value, concept) else ("implausible",)
        kind: Kind = "administration" if concept.kind == "intervention" else "observation"
        events.append(Event(kind, concept.name, value, occurred.us, zone=occurred.zone, code=code, quality=quality))
    filler = order.get(3) if order is not None else ""
    whose = f"order:{filler}" if filler else "patient:" + (header.subject[0].key if header.subject else "")
    identity = f"OBX|{whose}|{code.split('|')[1]}|{obx.get(4)}|{occurred.us}"
    seen[identity] += 1  # the same code twice at one moment, with nothing to tell them apart: both are kept
    if seen[identity] > 1:
        identity += f"|{seen[identity]}"
    issued = _issued(order, header)
    return Entry(
        header.source,
        identity,
        tuple(events),
        source_version=header.version,
        subject=header.subject,
        encounter=header.encounter,
        available_us=issued.us if issued is not None and issued.us >= occurred.us else None,
        status=_STATUS.get(obx.get(11), "final"),
    )


def _occurred(obx: Segment, order: Segment | None, header: Header) -> Instant:
    try:
        stated = first_time(header.zone, obx.get(14), order.get(7) if order is not None else "")
    except TimestampError as error:
        raise _Refused("time", str(error)) from error
    found = stated or header.fallback
    if found is None:
        raise _Refused("time", "found no observation time (OBX-14, OBR-7) and no message time; state one")
    return found


def _issued(order: Segment | None, header: Header) -> Instant | None:
    try:
        return first_time(header.zone, order.get(22) if order is not None else "") or header.sent
    except TimestampError:
        return header.sent


def _value(obx: Segment, repetition: str, concept: Concept, local: LocalCode) -> Value:
    kind = obx.get(2)
    if concept.coded:
        return _coded(obx, repetition, concept)
    if kind == "SN":
        return _structured(obx, repetition, concept, local)
    # Senders state numbers as text and even as codes; one that reads as a number and has a unit is a number.
    if kind not in ("NM", "ST", "TX", "FT", "CE", "CWE", ""):
        raise _Refused("value-type", f"found OBX-2 {kind!r} for {concept.name}, expected a number (NM or SN)")
    match = _NUMBER.match(obx.part(repetition, 1))
    if not match:
        raise _Refused("value", f"found a value of {concept.name} that is no number, expected one such as 7.2 or <0.1")
    comparator = "" if match[1] in (None, "=") else match[1]
    return _quantity(float(match[2].replace(",", ".")), comparator, obx, concept, local)


def _structured(obx: Segment, repetition: str, concept: Concept, local: LocalCode) -> Value:
    """SN: comparator ^ number ^ separator ^ number (2.A.72); a hyphen is a range."""
    comparator, first, separator, second = (obx.part(repetition, part) for part in (1, 2, 3, 4))
    try:
        low = float(first)
        if separator == "-" and second:
            ends = [_quantity(number, "", obx, concept, local) for number in (low, float(second))]
            return Range(ends[0].value, ends[1].value, concept.unit)
    except ValueError as error:
        raise _Refused("value", f"found a structured number of {concept.name} that cannot be read") from error
    if separator:
        raise _Refused("value-type", f"found a ratio for {concept.name}, expected a number")
    return _quantity(low, "" if comparator == "=" else comparator, obx, concept, local)


def _quantity(number: float, comparator: str, obx: Segment, concept: Concept, local: LocalCode) -> Quantity:
    if comparator not in ("", "<", "<=", ">", ">=") or not math.isfinite(number):
        raise _Refused("value", f"found comparator {comparator!r} or a number that is not finite for {concept.name}")
    problem = ""
    stated = [unit for unit in (obx.get(6, 1), obx.get(6, 2)) if unit] or [local.unit]
    for unit in stated:
        try:
            value = concept.normalize(number, unit)
        except UnitError as error:
            problem = str(error)
            continue
        if value == number and unit == concept.unit:
            return Quantity(value, concept.unit, cast(Comparator, comparator))
        return Quantity(value, concept.unit, cast(Comparator, comparator), number, unit)
    raise _Refused("unit", problem)


def _coded(obx: Segment, repetition: str, concept: Concept) -> Coded:
    for code, display, system in ((1, 2, 3), (4, 5, 6)):
        for text in (obx.part(repetition, code), obx.part(repetition, display)):
            answer = concept.answer(text) if text else None
            if answer is not None:
                return Coded(obx.part(repetition, system), obx.part(repetition, code), answer.display, answer.number)
    raise _Refused("value", f"found an answer that {concept.name} does not know, expected one of its coded values")


def _plausible(value: Value, concept: Concept) -> bool:
    if isinstance(value, Quantity):
        return concept.is_plausible(value.value)
    if isinstance(value, Range):
        return all(end is None or concept.is_plausible(end) for end in (value.low, value.high))
    return True
