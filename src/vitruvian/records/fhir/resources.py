"""One resource to one reading: which reader takes which type, and how any failure becomes a reason."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from vitruvian.core.events import Reading
from vitruvian.core.limits import JSON_DEPTH_MAX
from vitruvian.records.base import quarantined
from vitruvian.records.fhir import condition, device, encounter, medication, observation, patient, report, structs
from vitruvian.records.fhir.outcome import Ignored, Refused
from vitruvian.records.fhir.scope import Scope

__all__ = ["READERS", "kind_of", "read_resource"]

READERS: Final[dict[str, Callable[[bytes, str, Scope], Reading]]] = {
    "Condition": condition.read,
    "Device": device.read_device,
    "DeviceUseStatement": device.read_use,
    "DiagnosticReport": report.read,
    "Encounter": encounter.read,
    "MedicationAdministration": medication.read_administration,
    "MedicationRequest": medication.read_request,
    "MedicationStatement": medication.read_statement,
    "Observation": observation.read,
    "Patient": patient.read,
}
NO_HOME: Final = "no home yet"
REFERRED_TO: Final = "read where others refer to it"
_TYPE_FIRST: Final = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"([A-Z][A-Za-z]{1,63})"')
_TYPE: Final = re.compile(r"[A-Z][A-Za-z]{1,63}")
_STEP: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|([\[{])|([\]}])', re.DOTALL)


def kind_of(raw: bytes) -> str:
    """The resource's type. Raises Refused (`json`, `not-fhir`, `too-deep`)."""
    match = _TYPE_FIRST.match(raw)
    if match is not None:
        return match[1].decode()
    try:
        kind = structs.HEAD.decode(raw).resource_type
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _as_refused(error) from error
    if kind is None or not _TYPE.fullmatch(kind):
        raise Refused("not-fhir", "found JSON without a resourceType, expected a FHIR resource")
    return kind


def read_resource(kind: str, raw: bytes, full_url: str, scope: Scope) -> Reading:
    """The one reading of a resource; whatever is wrong with it becomes a refusal."""
    reader = READERS.get(kind)
    try:
        if reader is None:
            return Reading(kind, ignored=REFERRED_TO if kind in ("Medication", "Location") else NO_HOME)
        _check_depth(raw)
        return reader(raw, full_url, scope)
    except Ignored as ignored:
        return Reading(kind, ignored=ignored.why, unmapped=ignored.codes)
    except Refused as refused:
        return refuse(kind, refused, raw, full_url, scope)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return refuse(kind, _as_refused(error), raw, full_url, scope)


def refuse(kind: str, refused: Refused, raw: bytes, full_url: str, scope: Scope) -> Reading:
    """The reading that says why."""
    return quarantined(kind, refused.reason, refused.detail, scope.source, full_url[:256], raw)


def _as_refused(error: Exception) -> Refused:
    if isinstance(error, RecursionError):
        return Refused("too-deep", f"found JSON nested deeper than {JSON_DEPTH_MAX}, expected less")
    if isinstance(error, msgspec.ValidationError):
        return Refused("wrong-type", f"found an element of the wrong type: {error}")
    return Refused("json", f"found {error}, expected JSON in UTF-8")


def _check_depth(raw: bytes) -> None:
    """Refuse what is nested deeper than the limit; exact, but the slow count is made only where it could matter."""
    if raw.count(b"{") + raw.count(b"[") <= JSON_DEPTH_MAX:
        return
    structs.HEAD.decode(raw)  # JSON first: in text that never ends, every quote would be looked at to the end
    depth = 0
    for step in _STEP.finditer(raw):
        if step[1]:
            depth += 1
            if depth > JSON_DEPTH_MAX:
                raise Refused("too-deep", f"found JSON nested deeper than {JSON_DEPTH_MAX}, expected less")
        elif step[2]:
            depth -= 1
