"""Alarms: what is open, and that someone has seen it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from vitruvian.service.access import Who, allow
from vitruvian.service.answers import Ward, answer
from vitruvian.trust import Permission

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])
Id = Annotated[str, Path(max_length=300)]


class Acknowledgement(BaseModel):
    """Why an alarm needs no further attention now."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=500, pattern=r"\S")


class Snooze(Acknowledgement):
    """For how long an alarm is to be silent, and why."""

    minutes: int = Field(ge=1, le=240)


@router.get("", dependencies=[allow(Permission.READ)])
def alerts(
    ward: Ward, patient: Annotated[str | None, Query(max_length=300)] = None, resolved: bool = False
) -> Response:
    """Open alarms, the gravest first; with `resolved`, those of the last day that are over too."""
    return answer(ward, lambda: {"alerts": ward.alerts(patient=patient, resolved=resolved)})


@router.post("/{alert}/acknowledge", dependencies=[allow(Permission.ACT)])
async def acknowledge(ward: Ward, who: Who, alert: Id, body: Acknowledgement) -> Response:
    """Acknowledge an alarm with a reason; answered once it is kept."""
    done = await ward.acknowledge(alert, who.name, body.reason)
    return answer(ward, lambda: {"alert": done})


@router.post("/{alert}/snooze", dependencies=[allow(Permission.ACT)])
async def snooze(ward: Ward, who: Who, alert: Id, body: Snooze) -> Response:
    """Silence an alarm for some minutes, with a reason; answered once it is kept."""
    done = await ward.snooze(alert, who.name, body.reason, body.minutes)
    return answer(ward, lambda: {"alert": done})
