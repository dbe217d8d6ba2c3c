"""Observation: vital signs, laboratory results, scores. Source: https://hl7.org/fhir/R4/observation.html"""

from __future__ import annotations

from typing import Final

from vitruvian.core.events import Entry, Event, Reading, Refusal, Status, Text
from vitruvian.core.limits import MESSAGE_EVENTS_MAX
from vitruvian.core.time import Instant
from vitruvian.records.fhir import structs
from vitruvian.records.fhir.codes import stated_code
from vitruvian.records.fhir.outcome import Ignored, Refused
from vitruvian.records.fhir.references import Subject, type_of
from vitruvian.records.fhir.scope import Scope, entry_id, version_of
from vitruvian.records.fhir.values import take

KIND: Final = "Observation"
STATUS: Final[dict[str, Status]] = {
    "registered": "preliminary",
    "preliminary": "preliminary",
    "unknown": "preliminary",
    "final": "final",
    "amended": "corrected",
    "corrected": "corrected",
    "cancelled": "cancelled",
    "entered-in-error": "entered-in-error",
}
_WITHDRAWN: Final = ("cancelled", "entered-in-error")
_PERSONS: Final = ("", "Patient", "Device")


def read(raw: bytes, full_url: str, scope: Scope) -> Reading:
    """One observation: an event for its value and for each component whose code is known. Raises Refused, Ignored."""
    stated = structs.OBSERVATION.decode(raw)
    scope = scope.within(scope.references.contained(stated.contained))
    source_id = entry_id(KIND, stated.id, full_url, raw)
    status = STATUS.get(stated.status)
    if status is None:
        raise Refused("status", f"found status {stated.status[:32]!r}, expected one of {', '.join(STATUS)}")
    subject, device = _of_whom(stated, scope)
    events, refused, unmapped = _events(stated, source_id, scope)
    if not events:
        if status not in _WITHDRAWN:
            raise _nothing(stated, refused, unmapped)
        events = _withdrawn(stated, unmapped, scope)
    issued = scope.first(stated.issued)
    entry = Entry(
        scope.source,
        source_id,
        events,
        version_of(stated.meta),
        subject,
        scope.references.visit(stated.encounter),
        device,
        issued.us if issued else None,
        status,
    )
    parts = tuple(Refusal(item.reason, item.detail, scope.source, source_id) for item in refused)
    return Reading(KIND, (entry,), refused_parts=parts, unmapped=unmapped)


def _of_whom(stated: structs.Observation, scope: Scope) -> tuple[Subject, str]:
    """The patient's identifiers and the device's name; one of them, or the encounter, must be there."""
    references = scope.references
    subject = references.subject(stated.subject)
    device = references.device(stated.device) or scope.context.device
    if subject or stated.subject is None:
        if not subject and not device and stated.encounter is None:
            raise Refused("no-subject", "found neither subject, device nor encounter, expected one of them")
        return subject, device
    kind = stated.subject.type or type_of(stated.subject.reference)
    if kind == "Device":
        return (), device or references.device(stated.subject)
    if kind not in _PERSONS:
        raise Ignored("subject is not a patient")
    if not device and stated.encounter is None:
        raise Refused(
            "no-subject", "found a subject that names nobody, expected a reference or an identifier with its system"
        )
    return (), device


def _events(
    stated: structs.Observation, source_id: str, scope: Scope
) -> tuple[tuple[Event, ...], list[Refused], tuple[str, ...]]:
    """Events of the value and the components, what of them was refused, and the codes not known."""
    events: list[Event] = []
    refused: list[Refused] = []
    unmapped: list[str] = []
    if stated.code is None or not (stated.code.coding or stated.code.text):
        if not stated.component:
            raise Refused("no-code", "found an Observation without code, expected what was observed")
    else:
        _take(stated.code, stated, source_id, stated, scope, (events, refused, unmapped))
    for component in stated.component:
        if component.code is None:
            refused.append(Refused("no-code", "found a component without code, expected what was observed"))
        else:
            _take(component.code, component, source_id, stated, scope, (events, refused, unmapped))
    if len(events) > MESSAGE_EVENTS_MAX:
        raise Refused("limit", f"found {len(events)} values in one observation, expected at most {MESSAGE_EVENTS_MAX}")
    return tuple(events), refused, tuple(unmapped)


def _take(
    code: structs.CodeableConcept,
    value: structs.Value,
    source_id: str,
    whole: structs.Observation,
    scope: Scope,
    into: tuple[list[Event], list[Refused], list[str]],
) -> None:
    """Add the events of one value to `into` (events, refused, unmapped codes)."""
    events, refused, unmapped = into
    known = scope.coder.find(code)
    if known is None:
        if _has_value(value):
            unmapped.append(stated_code(code))
        return
    try:
        for item in take(known, value, source_id):
            start, end_us = _when(whole, scope)
            quality = item.quality + _flags(value)
            occurred_us = start.us + item.offset_us
            events.append(
                Event(
                    "observation",
                    known.concept.name,
                    item.value,
                    occurred_us,
                    None if item.offset_us else end_us,
                    start.zone,
                    known.code,
                    quality,
                )
            )
    except Refused as error:
        refused.append(error)


def _when(stated: structs.Observation, scope: Scope) -> tuple[Instant, int | None]:
    event = stated.effective_timing.event[0] if stated.effective_timing and stated.effective_timing.event else ""
    moment = stated.effective_date_time or stated.effective_instant or event
    return scope.interval(moment, stated.effective_period, stated.issued)


def _flags(value: structs.Value) -> tuple[str, ...]:
    """The source's own judgement (HL7 table 0078: H, LL, A ...) travels with the value."""
    if not value.interpretation:
        return ()
    return tuple(
        f"interpretation:{coding.code[:16]}"
        for item in value.interpretation[:4]
        for coding in item.coding[:1]
        if coding.code.isprintable() and coding.code
    )


def _withdrawn(stated: structs.Observation, unmapped: tuple[str, ...], scope: Scope) -> tuple[Event, ...]:
    """A withdrawn observation often has lost its value; it must still reach the entry that it withdraws."""
    known = scope.coder.find(stated.code) if stated.code else None
    if known is None and not stated.component:
        raise Ignored("code not in the vocabulary", unmapped)  # nothing was taken of it, so nothing is withdrawn
    start, _ = _when(stated, scope)
    name, code = (known.concept.name, known.code) if known else ("", stated_code(stated.code))
    return (Event("observation", name, Text(""), start.us, None, start.zone, code),)


def _has_value(value: structs.Value) -> bool:
    return any(
        getattr(value, name) is not None for name in structs.Value.__struct_fields__ if name.startswith("value_")
    )


def _nothing(stated: structs.Observation, refused: list[Refused], unmapped: tuple[str, ...]) -> Refused | Ignored:
    """Why an observation gave no event."""
    if refused:
        return refused[0]
    if unmapped:
        return Ignored("code not in the vocabulary", unmapped)
    if stated.data_absent_reason is not None or any(part.data_absent_reason for part in stated.component):
        return Ignored("data absent")
    return Ignored("group of other observations" if stated.has_member else "no value")
