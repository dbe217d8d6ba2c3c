"""Condition: problems and diagnoses. Source: https://hl7.org/fhir/R4/condition.html"""

from __future__ import annotations

from typing import Final

from vitruvian.core.events import Entry, Event, Reading, Status
from vitruvian.records.fhir import structs
from vitruvian.records.fhir.codes import stated_code
from vitruvian.records.fhir.outcome import Refused
from vitruvian.records.fhir.scope import Scope, entry_id, version_of
from vitruvian.records.fhir.values import coded

KIND: Final = "Condition"
# R4 condition-ver-status; unstated means confirmed enough to be on the list.
_STATUS: Final[dict[str, Status]] = {
    "": "final",
    "confirmed": "final",
    "unconfirmed": "preliminary",
    "provisional": "preliminary",
    "differential": "preliminary",
    "refuted": "cancelled",
    "entered-in-error": "entered-in-error",
}


def read(raw: bytes, full_url: str, scope: Scope) -> Reading:
    """One condition, from its onset to its abatement. Raises Refused.

    A diagnosis coded for an encounter without a time of its own (MIMIC, billing) is taken to hold since the encounter's
    start and to be known at its end, and is flagged so.
    """
    stated = structs.CONDITION.decode(raw)
    source_id = entry_id(KIND, stated.id, full_url, raw)
    scope = scope.within(scope.references.contained(stated.contained))
    verification = stated.verification_status
    stage = next((coding.code for coding in verification.coding), "") if verification else ""
    status = _STATUS.get(stage)
    if status is None:
        raise Refused(
            "status", f"found verification {stage[:32]!r}, expected one of {', '.join(filter(None, _STATUS))}"
        )
    subject = scope.references.subject(stated.subject)
    if not subject:
        raise Refused("no-subject", "found a Condition of nobody, expected a patient as its subject")
    code = stated_code(stated.code)
    if not code or stated.code is None:
        raise Refused("no-code", "found a Condition without code, expected what it is")
    stay = scope.references.period(stated.encounter) or structs.Period()
    start, end_us = scope.interval(stated.onset_date_time, stated.onset_period, stated.recorded_date, stay.start)
    told = stated.onset_date_time or stated.onset_period or stated.recorded_date
    recorded = scope.first(stated.recorded_date) if told else scope.first(stay.end)
    gone = stated.abatement_period
    abated = scope.first(stated.abatement_date_time, (gone.end or gone.start) if gone else "")
    if abated is not None:
        if abated.us < start.us:
            raise Refused("time", "found a condition that abates before its onset")
        end_us = abated.us
    elif not stated.onset_date_time:
        end_us = None  # an onset period says when it began, not that it ended
    first = stated.code.coding[0] if stated.code.coding else structs.Coding()
    value = coded(first, stated.code.text)
    event = Event("condition", "", value, start.us, end_us, start.zone, code, () if told else ("time-assumed",))
    return Reading(
        KIND,
        (
            Entry(
                scope.source,
                source_id,
                (event,),
                version_of(stated.meta),
                subject,
                scope.references.visit(stated.encounter),
                available_us=recorded.us if recorded else None,
                status=status,
            ),
        ),
    )
