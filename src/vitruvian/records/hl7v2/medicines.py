"""Medicines: RXE of an encoded order (RDE) as orders, RXA of an administration (RAS) as doses given (chapter 4A)."""

from __future__ import annotations

import math
from typing import Final

from vitruvian.core.errors import TimestampError
from vitruvian.core.events import Dose, Entry, Event, Kind, Status
from vitruvian.core.time import Instant
from vitruvian.records.hl7v2.admissions import Unreadable, diagnoses
from vitruvian.records.hl7v2.fields import codings, first_time
from vitruvian.records.hl7v2.message import Message, Segment
from vitruvian.records.hl7v2.observations import Header

_NOT_GIVEN: Final = ("RE", "NA")  # table 0322: refused, not administered; CP and PA (complete, in part) were given
_DELETE, _UPDATE = "D", "U"  # table 0206, RXA-21


def entries(message: Message, header: Header) -> list[Entry]:
    """One entry an order or administration; the placer's order number is its identity where there is one."""
    found: list[Entry] = []
    order, number = "", -1
    when = header.fallback
    if when is None:
        raise Unreadable("time", "found no message time, expected MSH-7 or EVN-2")
    for segment in message.segments:
        if segment.name == "ORC":
            order = segment.get(2) or segment.get(3)
        elif segment.name in ("RXE", "RXA"):
            number += 1
            event = _order(segment, header, when) if segment.name == "RXE" else _given(segment, header, when)
            if event is not None:
                identity = f"{segment.name}|{order or message.control_id}|{number}|{event.occurred_us}"
                wrong = segment.name == "RXA" and _withdrawn(segment)
                found.append(_entry(header, identity, event, status="entered-in-error" if wrong else "final"))
    if found:
        conditions = diagnoses(message, header, when)
        if conditions:
            found.append(_entry(header, f"DG1|{message.control_id}|{message.header.get(7)}", *conditions))
    return found


def _entry(header: Header, identity: str, *events: Event, status: Status = "final") -> Entry:
    return Entry(
        header.source,
        identity,
        events,
        source_version=header.version,
        subject=header.subject,
        encounter=header.encounter,
        available_us=header.sent.us if header.sent else None,
        status=status,
    )


def _order(rxe: Segment, header: Header, when: Instant) -> Event | None:
    """RXE-2 give code, RXE-3 amount, RXE-5 units."""
    return _event("order", rxe, 2, rxe.get(3), rxe.get(5), header, when)


def _given(rxa: Segment, header: Header, when: Instant) -> Event | None:
    """RXA-3 start of administration, RXA-5 code, RXA-6 amount, RXA-7 units; nothing where RXA-20 says it was not
    given and nothing was said of it before.
    """
    if rxa.get(20) in _NOT_GIVEN and not _withdrawn(rxa):
        return None
    try:
        at = first_time(header.zone, rxa.get(3)) or when
    except TimestampError as error:
        raise Unreadable("time", str(error)) from error
    return _event("administration", rxa, 5, rxa.get(6), rxa.get(7), header, at)


def _withdrawn(rxa: Segment) -> bool:
    """Whether it takes back an administration: deleted, or updated to not given."""
    return rxa.get(21) == _DELETE or (rxa.get(21) == _UPDATE and rxa.get(20) in _NOT_GIVEN)


def _event(
    kind: Kind, segment: Segment, field: int, amount: str, unit: str, header: Header, at: Instant
) -> Event | None:
    codes = codings(segment, field)
    if not codes:
        return None
    system, code, text = codes[0]
    known = [header.context.mapping.concept(item[0], item[1], header.facility) for item in codes]
    concept = next((item.concept for item in known if item is not None), "")
    return Event(
        kind,
        concept,
        Dose(_number(amount), unit),
        at.us,
        zone=at.zone,
        code=f"{system}|{code}|{text}",
    )


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
