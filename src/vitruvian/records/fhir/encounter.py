"""Encounter: admission, moves and discharge. Source: https://hl7.org/fhir/R4/encounter.html"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from vitruvian.core.events import Entry, Event, Reading, Status, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.core.time import Instant
from vitruvian.records.fhir import structs
from vitruvian.records.fhir.codes import stated_code
from vitruvian.records.fhir.outcome import Ignored, Refused
from vitruvian.records.fhir.references import own_references
from vitruvian.records.fhir.scope import Scope, entry_id, version_of

KIND: Final = "Encounter"
# R4 encounter-status. A planned one has not happened.
_STATUS: Final[dict[str, Status]] = {
    "arrived": "final",
    "triaged": "final",
    "in-progress": "final",
    "onleave": "final",
    "finished": "final",
    "unknown": "preliminary",
    "cancelled": "cancelled",
    "entered-in-error": "entered-in-error",
}
# v3 ActCode -> HL7 table 0004, so that both kinds of message speak of one patient class.
_CLASSES: Final = {
    "IMP": "I", "ACUTE": "I", "NONAC": "I", "EMER": "E", "OBSENC": "I", "SS": "O", "AMB": "O", "VR": "O", "HH": "O",
    "FLD": "E", "PRENC": "P",
}  # fmt: skip
_STAYS: Final = ("I", "E")  # these are admitted (A01); others are registered (A04)
_LOCATIONS_MAX: Final = 256
_REASON_CHARS_MAX: Final = 512


def read(raw: bytes, full_url: str, scope: Scope) -> Reading:
    """Admit (or register), one transfer for each further place, discharge. Raises Refused, Ignored.

    An encounter that is part of another (an intensive care stay within an admission) is a transfer within that one: its
    end is no discharge, and where the patient goes then the other encounter tells.
    """
    stated = structs.ENCOUNTER.decode(raw)
    if stated.status == "planned":
        raise Ignored("planned")
    status = _STATUS.get(stated.status)
    if status is None:
        raise Refused("status", f"found status {stated.status[:32]!r}, expected one of planned, {', '.join(_STATUS)}")
    scope = scope.within(scope.references.contained(stated.contained))
    source_id = entry_id(KIND, stated.id, full_url, raw)
    subject = scope.references.subject(stated.subject)
    if not subject:
        raise Refused("no-subject", "found an Encounter of nobody, expected a patient as its subject")
    whole = scope.references.visit(stated.part_of)
    visit = whole or _own_identifier(stated, full_url, scope)
    events = tuple(_steps(stated, visit, scope))
    entry = Entry(scope.source, source_id, events, version_of(stated.meta), subject, visit, status=status)
    return Reading(KIND, (entry,))


def _own_identifier(stated: structs.Encounter, full_url: str, scope: Scope) -> Identifier | None:
    """The same identifier that references to this encounter resolve to."""
    references = own_references(KIND, stated.id, full_url)
    return scope.references.named(KIND, references[0], "VN") if references else None


def _steps(stated: structs.Encounter, visit: Identifier | None, scope: Scope) -> Iterator[Event]:
    start, end = _period(stated, scope)
    kind = stated.class_.code if stated.class_ else ""
    patient_class = _CLASSES.get(kind, kind[:32])
    stays = _stays(stated, start, scope)
    reason = _reason(stated)
    code = stated_code(stated.type[0]) if stated.type else ""

    def event(
        action: Literal["admit", "register", "transfer", "discharge"],
        moment: Instant,
        place: Location,
        prior: Location | None = None,
        quality: tuple[str, ...] = (),
    ) -> Event:
        step = Visit(action, visit, place, prior, patient_class, reason)
        return Event("encounter", "", step, moment.us, None, moment.zone, code, quality)

    facility = _facility(stated)
    place = stays[0][1] if stays else Location(facility=facility)
    if stated.part_of is not None:
        yield event("transfer", start, place)
    else:
        yield event("admit" if patient_class in _STAYS else "register", start, place)
    for moment, next_place in stays[1:]:
        yield event("transfer", moment, next_place, place)
        place = next_place
    if end is not None and end.us < start.us:
        raise Refused("time", "found an encounter that ends before it starts")
    if stated.part_of is not None:
        return
    if end is not None:
        yield event("discharge", end, place)
    elif stated.status == "finished":
        last = stays[-1][0] if stays else start
        # Over, but not said when: it is closed at the last moment known, so that nobody lies there for ever.
        yield event("discharge", last, place, quality=("time-assumed",))


def _period(stated: structs.Encounter, scope: Scope) -> tuple[Instant, Instant | None]:
    """Start and end: the period's, else those of the statuses the encounter went through."""
    period = stated.period or structs.Period()
    start = scope.first(period.start)
    end = scope.first(period.end)
    spans = [step.period for step in stated.status_history if step.period and step.status != "planned"]
    if start is None:
        starts = [scope.instant(span.start) for span in spans if span.start]
        start = min(starts, default=None)
    if start is None and end is None:
        raise Refused("no-time", "found an encounter without a start, expected period.start; correct it at the source")
    if end is None and stated.status == "finished":
        ends = [scope.instant(span.end) for span in spans if span.end]
        end = max(ends, default=None)
    if start is None:
        assert end is not None
        start = end
    return start, end


def _stays(stated: structs.Encounter, start: Instant, scope: Scope) -> list[tuple[Instant, Location]]:
    """(from when, where), in time's order; a place without a period holds from the start, a planned one not at all."""
    found: list[tuple[Instant, Location]] = []
    for item in stated.location[:_LOCATIONS_MAX]:
        if item.location is None or item.status in ("planned", "reserved"):
            continue
        since = scope.first(item.period.start) if item.period else None
        place = scope.references.place(item.location)
        if not place.facility:
            place = Location(_facility(stated), place.ward, place.room, place.bed)
        found.append((since if since is not None and since.us > start.us else start, place))
    return sorted(found, key=lambda item: item[0].us)


def _facility(stated: structs.Encounter) -> str:
    """The organisation's name, where the reference states it."""
    name = stated.service_provider.display if stated.service_provider else ""
    return name[:256] if name.isprintable() else ""


def _reason(stated: structs.Encounter) -> str:
    if not stated.reason_code:
        return ""
    first = stated.reason_code[0]
    return (first.text or next((coding.display for coding in first.coding), ""))[:_REASON_CHARS_MAX]
