"""Data types that matter here: CX identifiers, PL places, XPN names, CE/CWE codes, and who a message is about."""

from __future__ import annotations

from datetime import tzinfo

from vitruvian.core.errors import TimestampError
from vitruvian.core.events import Person
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.core.limits import IDENTIFIER_CHARS_MAX
from vitruvian.core.time import Instant, parse_hl7
from vitruvian.records.base import Context
from vitruvian.records.hl7v2.message import Segment

# Table 0001, administrative sex, to FHIR's administrative gender.
_SEX = {"M": "male", "F": "female", "O": "other", "A": "other", "N": "other", "U": "unknown", "X": "other"}


def identifier(segment: Segment, repetition: str, facility: str, context: Context, kind: str = "") -> Identifier | None:
    """A CX as an Identifier: its authority is CX-4 (namespace, else universal id), or the sending facility where it has
    none.

    The mapping turns the site's names of one authority into one.
    """
    value = segment.part(repetition, 1)
    if not value or len(value) > IDENTIFIER_CHARS_MAX:
        return None
    authority = segment.part(repetition, 4, 2) or segment.part(repetition, 4, 1)
    if segment.part(repetition, 4, 3) == "ISO" and segment.part(repetition, 4, 2):
        authority = f"urn:oid:{segment.part(repetition, 4, 2)}"
    type_code = segment.part(repetition, 5) or kind
    if not authority:
        authority = "http://hl7.org/fhir/sid/us-ssn" if type_code == "SS" else (facility or "hl7v2")
    return Identifier(context.mapping.authority(authority), value, type_code)


def subject(pid: Segment, facility: str, context: Context) -> tuple[Identifier, ...]:
    """The identifiers of PID-3 and, where older senders used them, PID-2 and PID-4; each once, medical record numbers
    first.

    PID-18 (account) and PID-19 (social security) are left out: an account is not a person, and numbers such as
    999-99-9999 are shared by many.
    """
    found: list[Identifier] = []
    for field, kind in ((3, "MR"), (2, "PI"), (4, "PI")):
        for repetition in pid.repetitions(field):
            item = identifier(pid, repetition, facility, context, kind)
            if item is not None and item.type != "SS" and all(item.key != other.key for other in found):
                found.append(item)
    return tuple(sorted(found, key=lambda item: item.type != "MR"))


def visit_number(pv1: Segment | None, pid: Segment | None, facility: str, context: Context) -> Identifier | None:
    """PV1-19, else the account of PID-18: the encounter's own identifier."""
    for segment, field in ((pv1, 19), (pid, 18)):
        if segment is not None:
            for repetition in segment.repetitions(field):
                item = identifier(segment, repetition, facility, context, "VN")
                if item is not None:
                    return item
    return None


def location(segment: Segment | None, field: int, facility: str) -> Location | None:
    """A PL: point of care, room, bed, facility (the sending one where PL-4 is empty). None where nothing is said."""
    repetitions = segment.repetitions(field) if segment is not None else []
    if segment is None or not repetitions:
        return None
    ward, room, bed, place = (segment.part(repetitions[0], part) for part in (1, 2, 3, 4))
    if not (ward or room or bed or place):
        return None
    return Location(place or facility, ward, room, bed)


def person(pid: Segment, zone: tzinfo) -> Person:
    """Demographics of PID-5, 7, 8, 29. A birth date that cannot be read is left out, never guessed."""
    names = pid.repetitions(5)
    family = pid.part(names[0], 1, 1) if names else ""
    given = " ".join(part for part in (pid.part(names[0], 2), pid.part(names[0], 3)) if part) if names else ""
    sex = _SEX.get(pid.get(8).upper(), "unknown" if pid.get(8) else "")
    return Person(family, given, _instant_or_none(pid.get(7), zone), sex, _instant_or_none(pid.get(29), zone))


def _instant_or_none(text: str, zone: tzinfo) -> int | None:
    try:
        return parse_hl7(text, zone).us if text else None
    except TimestampError:
        return None


def first_time(zone: tzinfo, *candidates: str) -> Instant | None:
    """The first candidate that is a time; None where none is. TimestampError where one is present and unreadable."""
    for text in candidates:
        if text:
            return parse_hl7(text, zone)
    return None


def codings(segment: Segment, field: int) -> list[tuple[str, str, str]]:
    """(system, code, text) of a CE/CWE and of its alternate (components 4-6); empty codes left out."""
    repetitions = segment.repetitions(field)
    if not repetitions:
        return []
    parts = [segment.part(repetitions[0], part) for part in range(1, 7)]
    pairs = [(parts[2], parts[0], parts[1]), (parts[5], parts[3], parts[4])]
    return [(system, code, text) for system, code, text in pairs if code or text]
