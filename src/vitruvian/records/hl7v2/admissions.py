"""ADT messages: who a patient is, where they lie, and which records are one person.

Source: HL7 v2.8.2 chapter 3. Several facts of one message (demographics, visit step, diagnoses) are one entry. Triggers
that say nothing we keep yet still give their demographics.
"""

from __future__ import annotations

from typing import Final, Literal

from vitruvian.core.errors import TimestampError
from vitruvian.core.events import Coded, Entry, Event, Merge, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.core.time import Instant
from vitruvian.records.base import Context
from vitruvian.records.hl7v2.fields import codings, first_time, identifier, location, person, subject, visit_number
from vitruvian.records.hl7v2.message import Message, Segment
from vitruvian.records.hl7v2.observations import Header

VisitAction = Literal[
    "admit", "register", "transfer", "discharge", "update", "cancel-admit", "cancel-transfer", "cancel-discharge"
]
VISITS: Final[dict[str, VisitAction]] = {
    "A01": "admit",
    "A02": "transfer",
    "A03": "discharge",
    "A04": "register",
    "A06": "update",
    "A07": "update",
    "A08": "update",
    "A11": "cancel-admit",
    "A12": "cancel-transfer",
    "A13": "cancel-discharge",
}
# Merges of persons; merges of accounts and visits only (A35, A41, A42, A45, A50) are not persons.
MERGES: Final = ("A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47")
LINKS: Final[dict[str, Literal["merge", "unmerge"]]] = {"A24": "merge", "A37": "unmerge"}
SAID_AT_ANY_TIME_US: Final = 0
# These would undo or delete what we keep by other means, or say nothing of a person.
UNKEPT: Final = ("A23", "A29", "A35", "A38", "A41", "A42", "A45", "A50")


class Unreadable(Exception):
    """Why an ADT message is not taken as a whole: a stable reason and a detail."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def events(message: Message, header: Header) -> list[tuple[tuple[Identifier, ...], list[Event]]]:
    """(subject, events) groups of an ADT message; more than one where it merges several pairs.

    Raises Unreadable where it names no patient, has no time, or merges nothing into anything.
    """
    trigger = message.header.get(9, 2) or _event_type(message)
    if trigger in MERGES:
        return _merges(message, header)
    if trigger in LINKS:
        return _links(message, header, LINKS[trigger])
    pid, pv1 = message.first("PID"), message.first("PV1")
    if pid is None or not header.subject:
        raise Unreadable("no-subject", "found no patient identifier in PID-3, expected at least one")
    when = occurred(message, header, trigger)
    facts = [Event("identity", "", person(pid, header.zone), when.us, zone=when.zone)]
    if trigger in VISITS:
        facts.append(_visit(VISITS[trigger], pv1, header, when))
    facts += diagnoses(message, header, when)
    return [(header.subject, facts)]


def demographics(message: Message, header: Header) -> list[Entry]:
    """Who a message without an admission speaks of. The same words again are a duplicate, whenever they are said; what
    an admission says later holds before them.
    """
    pid = message.first("PID")
    who = person(pid, header.zone) if pid is not None else None
    if pid is None or who is None or not header.subject or not (who.family or who.birth_us is not None):
        return []
    fact = Event("identity", "", who, SAID_AT_ANY_TIME_US)
    return [Entry(header.source, f"PID|{header.subject[0].key}", (fact,), header.version, header.subject)]


def occurred(message: Message, header: Header, trigger: str) -> Instant:
    """When the event happened: EVN-6, else the admit (PV1-44) or discharge (PV1-45) time, else EVN-2, else MSH-7."""
    evn, pv1 = message.first("EVN"), message.first("PV1")
    admitted = pv1.get(44) if pv1 is not None and trigger in ("A01", "A04") else ""
    discharged = pv1.get(45) if pv1 is not None and trigger == "A03" else ""
    stated = (evn.get(6), admitted, discharged, evn.get(2)) if evn is not None else (admitted, discharged)
    try:
        found = first_time(header.zone, *stated) or header.sent
    except TimestampError as error:
        raise Unreadable("time", str(error)) from error
    if found is None:
        raise Unreadable("time", "found no event time (EVN-6, EVN-2, MSH-7), expected one")
    return found


def _event_type(message: Message) -> str:
    evn = message.first("EVN")
    return evn.get(1) if evn is not None else ""


def _visit(action: VisitAction, pv1: Segment | None, header: Header, when: Instant) -> Event:
    visit = Visit(
        action,
        header.encounter,
        location(pv1, 3, header.facility) or Location(),
        location(pv1, 6, header.facility),
        pv1.get(2) if pv1 is not None else "",
    )
    return Event("encounter", "", visit, when.us, zone=when.zone)


def diagnoses(message: Message, header: Header, when: Instant) -> list[Event]:
    """DG1 segments as conditions; DG1-5 is the time of the diagnosis, else the message's event."""
    found: list[Event] = []
    for segment in message.all("DG1"):
        for system, code, text in codings(segment, 3)[:1]:
            try:
                at = first_time(header.zone, segment.get(5)) or when
            except TimestampError:
                at = when
            value = Coded(system, code, text or segment.get(4))
            found.append(Event("condition", "", value, at.us, zone=at.zone, code=f"{system}|{code}|{text}"))
    return found


def _merges(message: Message, header: Header) -> list[tuple[tuple[Identifier, ...], list[Event]]]:
    """Each PID with the MRG that follows it: MRG-1's identifiers were the same person under other numbers."""
    groups: list[tuple[tuple[Identifier, ...], list[Event]]] = []
    when = occurred(message, header, "A40")
    pid: Segment | None = None
    for segment in message.segments:
        if segment.name == "PID":
            pid = segment
        elif segment.name == "MRG" and pid is not None:
            survivor = subject(pid, header.facility, header.context)
            prior = _prior(segment, header.facility, header.context)
            if not survivor or not prior:
                raise Unreadable(
                    "merge", "found a merge without both a surviving (PID-3) and a prior (MRG-1) identifier"
                )
            facts = [
                Event("identity", "", person(pid, header.zone), when.us, zone=when.zone),
                Event("identity", "", Merge("merge", prior), when.us, zone=when.zone),
            ]
            groups.append((survivor, facts))
    if not groups:
        raise Unreadable("merge", "found no PID followed by MRG, expected at least one pair")
    return groups


def _prior(mrg: Segment, facility: str, context: Context) -> tuple[Identifier, ...]:
    found = [identifier(mrg, repetition, facility, context, "MR") for repetition in mrg.repetitions(1)]
    return tuple(item for item in found if item is not None)


def _links(
    message: Message, header: Header, action: Literal["merge", "unmerge"]
) -> list[tuple[tuple[Identifier, ...], list[Event]]]:
    """A24 links two PIDs as one person, A37 parts them again."""
    pids = [subject(pid, header.facility, header.context) for pid in message.all("PID")]
    if len(pids) != 2 or not all(pids):
        raise Unreadable("merge", f"found {len(pids)} identified PID segments, expected two to {action}")
    when = occurred(message, header, "A24")
    return [(pids[0], [Event("identity", "", Merge(action, pids[1]), when.us, zone=when.zone)])]


def header_of(message: Message, context: Context) -> Header:
    """The facts that all parts of a message share. Raises TimestampError where MSH-7 is present and unreadable."""
    facility = message.facility
    zone = context.mapping.zone(facility, context.zone)
    pid = message.first("PID")
    sent = first_time(zone, message.header.get(7))
    source = context.source or f"hl7v2:{message.application}|{facility}"
    evn = message.first("EVN")
    try:
        happened = first_time(zone, evn.get(6), evn.get(2)) if evn is not None else None
    except TimestampError:
        happened = None
    return Header(
        source=source,
        subject=subject(pid, facility, context) if pid is not None else (),
        encounter=visit_number(message.first("PV1"), pid, facility, context),
        facility=facility,
        zone=zone,
        sent=sent,
        version="" if sent is None else f"{sent.us:020d}",
        fallback=happened or sent,
        context=context,
    )
