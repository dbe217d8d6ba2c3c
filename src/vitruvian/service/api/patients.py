"""Patients: the list of the ward, one in full, and what was measured, believed and issued over time."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from vitruvian.core.errors import ConfigurationError, NotFoundError, TimestampError
from vitruvian.core.time import DAY_US
from vitruvian.prediction.tasks import task
from vitruvian.service.access import allow
from vitruvian.service.answers import Time, Ward, answer, instant, span
from vitruvian.service.directory import FOUND_MAX
from vitruvian.service.models import MAIN
from vitruvian.service.story import story
from vitruvian.service.views import WARD_CONCEPTS
from vitruvian.trust import Permission

FIND_CHARS_MAX: Final = 200
IDENTIFIER_CHARS_MAX: Final = 600
POINTS_MAX: Final = 10_000
RAW_SPAN_US_MAX: Final = 7 * DAY_US  # of an unthinned series

router = APIRouter(prefix="/api/v1/patients", tags=["patients"], dependencies=[allow(Permission.READ)])
Id = Annotated[str, Path(max_length=300, description="The patient's id, as in the list of patients")]
Target = Annotated[str, Query(max_length=64, description="The task: sepsis, aki, mortality24, ...")]
MAY_READ = [allow(Permission.READ)]


@router.get("", dependencies=MAY_READ)
def patients(
    ward: Ward,
    scope: Annotated[
        Literal["ward", "all"], Query(description="ward: rows; all: brief records of everyone ever known")
    ] = "ward",
    find: Annotated[str, Query(max_length=FIND_CHARS_MAX, description="In ids, identifier values and names")] = "",
    identifier: Annotated[
        str,
        Query(
            max_length=IDENTIFIER_CHARS_MAX,
            pattern=r"^(.*\|.*\S.*)?$",
            description="SYSTEM|VALUE, exactly; looks among all",
        ),
    ] = "",
    limit: Annotated[int | None, Query(ge=1, le=FOUND_MAX, description="All of the ward; of everyone 100")] = None,
    after: Annotated[str, Query(max_length=300, description="`next` of the answer before")] = "",
) -> Response:
    """Everyone on the ward, as in its rows; with `scope=all` or `identifier`, brief records of all that are known."""

    def found() -> dict[str, object]:
        if scope == "all" or identifier:
            page = ward.find_patients(text=find, identifier=identifier, limit=limit or 100, after=after)
            return {"columns": ward.columns(), "patients": page.patients, "total": page.total, "next": page.next}
        if not (find or limit or after):
            rows = ward.rows(ward.now_us())
            return {"columns": ward.columns(), "patients": rows, "total": len(rows), "next": ""}
        page = ward.find_patients(text=find, ward_only=True, limit=limit or FOUND_MAX, after=after)
        rows = ward.rows(ward.now_us(), [one.id for one in page.patients])
        return {"columns": ward.columns(), "patients": rows, "total": page.total, "next": page.next}

    return answer(ward, found)


@router.get("/{patient}", dependencies=MAY_READ)
def patient(ward: Ward, patient: Id) -> Response:
    """One patient in full: identity, the twin's state, scores, risk, medicines, alarms and sources."""
    return answer(ward, lambda: {"patient": ward.patient(patient)})


@router.get("/{patient}/observations", dependencies=MAY_READ)
def observations(
    ward: Ward,
    patient: Id,
    concept: Annotated[
        list[str] | None, Query(max_length=50, description="Names of the vocabulary; by default the vitals")
    ] = None,
    start: Time = None,
    end: Time = None,
    known_by: Time = None,
    points: Annotated[int, Query(ge=0, le=POINTS_MAX, description="Thin to about this many a concept; 0: all")] = 600,
) -> Response:
    """Values over [start, end), by default the last 24 h; with `known_by`, as they were known then."""
    start_us, end_us = span(start, end, ward.now_us(), DAY_US)
    if points == 0 and end_us - start_us > RAW_SPAN_US_MAX:
        raise TimestampError("found over 7 days without thinning, expected less; ask for points, or for less at once")
    known_by_us = instant(known_by, "known_by")
    return answer(
        ward,
        lambda: {
            "start_us": start_us,
            "end_us": end_us,
            "series": ward.series(
                patient,
                concept or WARD_CONCEPTS,
                start_us=start_us,
                end_us=end_us,
                known_by_us=known_by_us,
                points=points,
            ),
        },
    )


@router.get("/{patient}/twin", dependencies=MAY_READ)
def twin(ward: Ward, patient: Id, as_of: Time = None, as_known: Time = None) -> Response:
    """The twin's state: now; `as_of` a past moment by all that is known today; or `as_known` at that moment."""
    of_us, known_us = instant(as_of, "as_of"), instant(as_known, "as_known")
    if of_us is not None and known_us is not None:
        raise TimestampError("found both as_of and as_known, expected one; choose which past you mean")
    return answer(ward, lambda: {"twin": ward.twin(patient, as_of_us=of_us, as_known_us=known_us)})


@router.get("/{patient}/risk", dependencies=MAY_READ)
def risk(
    ward: Ward,
    patient: Id,
    start: Time = None,
    end: Time = None,
    target: Target = MAIN,
) -> Response:
    """The risks of a target that were issued, as issued; by default of sepsis and the last 24 h."""
    start_us, end_us = span(start, end, ward.now_us(), DAY_US)
    name = _target(target)
    return answer(
        ward,
        lambda: {"target": name, "risks": ward.risk_history(patient, start_us=start_us, end_us=end_us, target=name)},
    )


@router.get("/{patient}/risk/reasons", dependencies=MAY_READ)
def reasons(ward: Ward, patient: Id, target: Target = MAIN) -> Response:
    """What moved a target's newest risk, every input of every member that is served, in log-odds."""
    name = _target(target)
    return answer(ward, lambda: {"reasons": ward.reasons(patient, name)})


def _target(name: str) -> str:
    try:
        return task(name).name
    except ConfigurationError as error:
        raise NotFoundError(str(error)) from None


@router.get("/{patient}/timeline", dependencies=MAY_READ)
def timeline(
    ward: Ward,
    patient: Id,
    start: Time = None,
    end: Time = None,
    kind: Annotated[list[str] | None, Query(max_length=10)] = None,
    known_by: Time = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
    vitals: Annotated[
        bool, Query(description="false: laboratory results, medicines, moves, devices and alarms")
    ] = True,
) -> Response:
    """What happened, newest first; by default of the last 24 h."""
    start_us, end_us = span(start, end, ward.now_us(), DAY_US)
    known_by_us = instant(known_by, "known_by")
    if not vitals:
        return answer(
            ward,
            lambda: {
                "events": story(ward, patient, start_us=start_us, end_us=end_us, known_by_us=known_by_us, limit=limit)
            },
        )
    return answer(
        ward,
        lambda: {
            "events": ward.timeline(
                patient, start_us=start_us, end_us=end_us, kinds=kind, known_by_us=known_by_us, limit=limit
            )
        },
    )
