"""Device and DeviceUseStatement: which device measures whom, from when to when.

Sources: https://hl7.org/fhir/R4/device.html, https://hl7.org/fhir/R4/deviceusestatement.html
"""

from __future__ import annotations

from typing import Final, Literal

from vitruvian.core.events import Association, Entry, Event, Reading
from vitruvian.records.fhir import structs
from vitruvian.records.fhir.outcome import Ignored, Refused
from vitruvian.records.fhir.scope import Scope, entry_id, version_of

_ACTIONS: Final[dict[str, Literal["end", "cancel"]]] = {"inactive": "end", "entered-in-error": "cancel"}


def read_device(raw: bytes, full_url: str, scope: Scope) -> Reading:
    """A Device of a patient, since the record's last change (R4 states no other time). Raises Ignored, Refused."""
    stated = structs.DEVICE.decode(raw)
    if stated.patient is None:
        raise Ignored("device without a patient")
    source_id = entry_id("Device", stated.id, full_url, raw)
    device = scope.references.device(structs.Reference(full_url or f"Device/{stated.id}"))
    subject = scope.references.subject(stated.patient)
    if not device or not subject:
        raise Refused("no-subject" if device else "no-device", "found a Device without name or patient, expected both")
    if stated.meta is None or not stated.meta.last_updated:
        raise Refused(
            "no-time", "found a Device of a patient without meta.lastUpdated, expected since when it is theirs"
        )
    since = scope.instant(stated.meta.last_updated)
    event = Event("device", "", Association(_ACTIONS.get(stated.status, "start"), device), since.us, None, since.zone)
    entry = Entry(scope.source, source_id, (event,), version_of(stated.meta), subject, device=device)
    return Reading("Device", (entry,))


def read_use(raw: bytes, full_url: str, scope: Scope) -> Reading:
    """A DeviceUseStatement: the association starts, and ends where the statement says so. Raises Ignored, Refused."""
    stated = structs.DEVICE_USE_STATEMENT.decode(raw)
    if stated.status == "intended":
        raise Ignored("planned")
    if stated.status not in ("active", "completed", "entered-in-error", "stopped", "on-hold"):
        raise Refused("status", f"found status {stated.status[:32]!r}, expected one of R4 device-statement-status")
    scope = scope.within(scope.references.contained(stated.contained))
    subject = scope.references.subject(stated.subject)
    device = scope.references.device(stated.device)
    if not subject:
        raise Refused("no-subject", "found a DeviceUseStatement of nobody, expected a patient as its subject")
    if not device:
        raise Refused("no-device", "found a DeviceUseStatement without device, expected a reference to one")
    event = stated.timing_timing.event[0] if stated.timing_timing and stated.timing_timing.event else ""
    start, end_us = scope.interval(stated.timing_date_time or event, stated.timing_period, stated.recorded_on)
    steps: tuple[Event, ...]
    if stated.status == "entered-in-error":
        steps = (Event("device", "", Association("cancel", device), start.us, None, start.zone),)
    else:
        steps = (Event("device", "", Association("start", device), start.us, None, start.zone),)
        if end_us is not None:
            steps += (Event("device", "", Association("end", device), end_us, None, start.zone),)
    source_id = entry_id("DeviceUseStatement", stated.id, full_url, raw)
    entry = Entry(scope.source, source_id, steps, version_of(stated.meta), subject, device=device)
    return Reading("DeviceUseStatement", (entry,))
