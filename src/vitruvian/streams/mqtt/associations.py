"""A device's association to a patient or a bed, as an entry."""

from __future__ import annotations

from vitruvian.core.errors import LimitError, TimestampError
from vitruvian.core.events import Association, Entry, Event, Person, Visit
from vitruvian.core.identifiers import Identifier, Location, check_identifier
from vitruvian.core.limits import IDENTIFIER_CHARS_MAX
from vitruvian.core.time import Instant, parse_iso
from vitruvian.streams.mqtt.messages import (
    AssociationMessage,
    PersonPart,
    PlacePart,
    StatedIdentifier,
    VisitPart,
)

__all__ = ["Problem", "association_entry"]

IDENTIFIERS_MAX = 16


class Problem(Exception):
    """Why a message, or one value of it, goes to quarantine."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


def association_entry(
    device: str, message: AssociationMessage, source: str, source_id: str, occurred: Instant, skewed: bool
) -> Entry:
    """The entry of an association message: who the patient is, the step of the stay, and the device's belonging.

    Raises Problem.
    """
    subject = tuple(_identifier(one) for one in message.patient[: IDENTIFIERS_MAX + 1])
    if len(subject) > IDENTIFIERS_MAX:
        raise Problem("too-many", f"found over {IDENTIFIERS_MAX} identifiers of one patient")
    place = None if message.location is None else _location(message.location)
    if not subject and place is None:
        raise Problem("no-subject", "found neither a patient nor a location, expected one of them")
    if not subject and (message.person is not None or message.visit is not None):
        raise Problem("no-subject", "found a person or a visit without the patient's identifiers; give them in patient")
    quality = ("clock-skew",) if skewed else ()
    us, zone = occurred
    events = []
    if message.person is not None:
        events.append(Event("identity", "", _person(message.person), us, None, zone, "", quality))
    encounter = None
    if message.visit is not None:
        visit = _visit(message.visit)
        encounter = visit.visit
        events.append(Event("encounter", "", visit, us, None, zone, "", quality))
    events.append(Event("device", "", Association(message.action, device, place), us, None, zone, "", quality))
    return Entry(source, source_id, tuple(events), "", subject, encounter)


def _identifier(stated: StatedIdentifier) -> Identifier:
    try:
        system = check_identifier(stated.system, "an identifier's system")
        value = check_identifier(stated.value, "an identifier's value")
    except LimitError as error:
        raise Problem("malformed-identifier", str(error)) from None
    return Identifier(system, value, stated.type[:16])


def _location(stated: PlacePart) -> Location:
    parts = (stated.facility, stated.ward, stated.room, stated.bed)
    if not any(parts) or any(len(part) > IDENTIFIER_CHARS_MAX or not part.isprintable() for part in parts):
        raise Problem("malformed-location", "found a location without a name, or with a name that is too long")
    return Location(*parts)


def _person(stated: PersonPart) -> Person:
    if len(stated.family) > IDENTIFIER_CHARS_MAX or len(stated.given) > IDENTIFIER_CHARS_MAX:
        raise Problem("too-long", f"found a name over {IDENTIFIER_CHARS_MAX} characters")
    birth_us = None
    if stated.birth:
        try:
            birth_us = parse_iso(stated.birth).us
        except TimestampError as error:
            raise Problem("malformed-time", str(error)) from None
    return Person(stated.family, stated.given, birth_us, stated.sex)


def _visit(stated: VisitPart) -> Visit:
    return Visit(
        stated.action,
        None if stated.visit is None else _identifier(stated.visit),
        Location() if stated.location is None else _location(stated.location),
        None,
        stated.patient_class[:32],
        stated.reason[:IDENTIFIER_CHARS_MAX],
    )
