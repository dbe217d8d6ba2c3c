"""The service itself: whether it lives, what it counts, what it refused; and the one live stream."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from vitruvian.core.errors import Overloaded
from vitruvian.service.access import Access, Who, allow
from vitruvian.service.answers import Ward, answer
from vitruvian.service.hub import VIEWERS_MAX
from vitruvian.service.ports import WardPort
from vitruvian.service.problems import problem
from vitruvian.trust import Permission, Principal

router = APIRouter(tags=["service"])
RECHECK_S: Final = 5.0  # how often an open stream's authorisation is looked at again


@router.get("/api/v1/health/live", dependencies=[allow(Permission.PUBLIC)])
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/api/v1/health/ready", dependencies=[allow(Permission.PUBLIC)])
def ready(ward: Ward) -> Response:
    """200 where data can be taken in and kept, else 503; says no more than that to whoever asks."""
    if ward.health().get("ready"):
        return answer(ward, lambda: {"status": "ready"})
    return problem(503, "the ward cannot keep data now; its log says why", {"Retry-After": "5"})


@router.get("/api/v1/health", dependencies=[allow(Permission.OPERATE)])
def health(ward: Ward) -> Response:
    """What readiness rests on, and the counts."""
    return answer(ward, lambda: {"health": ward.health(), "hub": ward.hub.counts | {"viewers": ward.hub.viewers}})


@router.get("/metrics", dependencies=[allow(Permission.OPERATE)])
def metrics(ward: Ward) -> Response:
    """Prometheus text exposition."""
    return Response(ward.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/api/v1/streams", dependencies=[allow(Permission.OPERATE)])
def streams(ward: Ward) -> Response:
    """What is coming in: entries, rate and lag a source."""
    return answer(ward, lambda: {"streams": ward.streams()})


@router.get("/api/v1/quarantine", dependencies=[allow(Permission.OPERATE)])
def quarantine(
    ward: Ward,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    after: Annotated[int, Query(ge=0, le=2**62)] = 0,
) -> Response:
    """Refused inputs with their reasons, newest first."""
    return answer(ward, lambda: {"quarantine": ward.quarantine(limit=limit, after=after)})


@router.get("/api/v1/stream", dependencies=[allow(Permission.READ)])
async def stream(
    request: Request,
    ward: Ward,
    who: Who,
    patient: Annotated[str, Query(max_length=300, description="Only this patient; by default the whole ward")] = "",
    last_event_id: Annotated[str, Header(max_length=64)] = "",
) -> Response:
    """Server-sent events: `snapshot` (rows, alerts), then `delta`, `alerts`, `heartbeat`; `end` where access ended."""
    if patient:
        patient = ward.rows(ward.now_us(), [patient])[0].id  # NotFoundError before the stream begins
    if ward.hub.viewers >= VIEWERS_MAX:
        raise Overloaded(f"found {VIEWERS_MAX} open streams, expected fewer; close some pages and try again")
    access: Access = request.app.state.access
    frames = _frames(ward, access, who, patient, last_event_id)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(frames, media_type="text/event-stream", headers=headers)


async def _frames(
    ward: WardPort, access: Access, who: Principal, patient: str, last_event_id: str
) -> AsyncIterator[bytes]:
    checked_s = time.monotonic()
    async for frame in ward.hub.subscribe(patient, last_event_id):
        if time.monotonic() - checked_s >= RECHECK_S:
            checked_s = time.monotonic()
            if not access.still(who, Permission.READ):
                yield b"event: end\ndata: {}\n\n"
                return
        yield frame
