"""DiagnosticReport: read only for the observations it contains; those it refers to are read by themselves.

Source: https://hl7.org/fhir/R4/diagnosticreport.html
"""

from __future__ import annotations

import msgspec

from vitruvian.core.events import Entry, Reading, Refusal
from vitruvian.records.fhir import observation, structs
from vitruvian.records.fhir.outcome import Ignored, Refused
from vitruvian.records.fhir.scope import Scope, entry_id

RESULTS_ELSEWHERE = "its results are Observations"


def read(raw: bytes, full_url: str, scope: Scope) -> Reading:
    """One entry for each contained Observation; what they leave out (whose, when) is the report's. Raises Ignored."""
    if b'"contained"' not in raw:
        raise Ignored(RESULTS_ELSEWHERE)
    stated = structs.DIAGNOSTIC_REPORT.decode(raw)
    own_id = entry_id("DiagnosticReport", stated.id, full_url, raw)
    inner = scope.within(scope.references.contained(stated.contained))
    entries: list[Entry] = []
    parts: list[Refusal] = []
    unmapped: list[str] = []
    for number, resource in enumerate(stated.contained):
        try:
            head = structs.HEAD.decode(resource)
            if head.resource_type != "Observation":
                continue
            whole = _completed(bytes(resource), stated, f"{own_id}#{head.id or number}")
            reading = observation.read(whole, "", inner)
        except Ignored as ignored:
            unmapped.extend(ignored.codes)
        except Refused as refused:
            parts.append(Refusal(refused.reason, refused.detail, scope.source, own_id))
        except (msgspec.MsgspecError, UnicodeError) as error:
            parts.append(
                Refusal("wrong-type", f"found a contained resource that is not one: {error}", scope.source, own_id)
            )
        else:
            entries.extend(reading.entries)
            parts.extend(reading.refused_parts)
            unmapped.extend(reading.unmapped)
    if not entries:
        if parts:
            raise Refused(parts[0].reason, parts[0].detail)
        raise Ignored(RESULTS_ELSEWHERE, tuple(unmapped))
    return Reading("DiagnosticReport", tuple(entries), refused_parts=tuple(parts), unmapped=tuple(unmapped))


def _completed(raw: bytes, stated: structs.DiagnosticReport, name: str) -> bytes:
    """The contained observation with the report's subject, encounter, time and issue where it has none of its own."""
    own = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    whole: dict[str, object] = {}
    report: dict[str, object] = {
        "subject": stated.subject,
        "encounter": stated.encounter,
        "issued": stated.issued or None,
    }
    if not any(key.startswith("effective") for key in own):
        report["effectiveDateTime"] = stated.effective_date_time or None
        report["effectivePeriod"] = stated.effective_period
    whole.update({key: value for key, value in report.items() if value is not None})
    whole.update(own)
    whole["id"] = name
    return msgspec.json.encode(whole)
