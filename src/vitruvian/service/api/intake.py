"""Data pushed over HTTP: our JSON, FHIR and HL7 v2. A 2xx answer means it is durable."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, get_args

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from vitruvian.core.errors import ReadingError
from vitruvian.core.events import Entry, Reading, Receipt, Refusal, Status
from vitruvian.core.limits import IDENTIFIER_CHARS_MAX, MESSAGE_EVENTS_MAX
from vitruvian.records.base import Context
from vitruvian.records.live import timely
from vitruvian.service import intake
from vitruvian.service.access import Who, allow
from vitruvian.service.answers import Settings, Ward, answer
from vitruvian.service.ports import WardPort
from vitruvian.service.problems import problem
from vitruvian.trust import Permission, Principal

router = APIRouter(prefix="/api/v1", tags=["intake"])
INLINE_BYTES_MAX = 65_536  # a larger body is read on another thread, so that open pages do not wait for it

Read = Callable[[bytes, Context], Sequence[Reading]]


def _body_of(schema: dict[str, Any], media_type: str = "application/json") -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


_NAME = {"type": "string", "maxLength": IDENTIFIER_CHARS_MAX}
_IDENTIFIER = {
    "type": ["object", "null"],
    "required": ["system", "value"],
    "properties": {"system": {**_NAME, "minLength": 1}, "value": {**_NAME, "minLength": 1}, "type": _NAME},
    "additionalProperties": False,
}
_OBSERVATION = {
    "type": "object",
    "required": ["id", "time", "values"],
    "description": (intake.ObservationIn.__doc__ or "").strip(),
    "properties": {
        "id": {**_NAME, "minLength": 1},
        "time": {"type": "string", "maxLength": 64, "description": "ISO 8601 with an offset"},
        "values": {
            "type": "object",
            "description": "concept to [number, UCUM unit], or to the word of a coded answer",
            "minProperties": 1,
            "maxProperties": MESSAGE_EVENTS_MAX,
            "additionalProperties": {
                "oneOf": [
                    {
                        "type": "array",
                        "prefixItems": [{"type": "number"}, {"type": "string"}],
                        "minItems": 2,
                        "maxItems": 2,
                    },
                    {"type": "string"},
                ]
            },
            "example": {"heart_rate": [80, "/min"], "consciousness": "alert"},
        },
        "source": _NAME,
        "version": _NAME,
        "device": _NAME,
        "patient": _IDENTIFIER,
        "encounter": _IDENTIFIER,
        "available": {"type": "string", "maxLength": 64},
        "status": {"type": "string", "enum": list(get_args(Status))},
    },
    "additionalProperties": False,
}


def _source(who: Principal) -> str:
    """Entries of one token have a namespace of their own: nobody can correct what another sent."""
    return f"http:{who.name}" if who.token else "http"


async def _commit(ward: WardPort, entries: list[Entry], refusals: list[Refusal]) -> tuple[list[Receipt], list[Receipt]]:
    """Durable on return, and the twins have moved: who asks next reads what they wrote."""
    kept = await ward.submit(entries, applied=True) if entries else []
    refused = await ward.refuse(refusals) if refusals else []
    return list(kept), list(refused)


@router.post(
    "/observations",
    dependencies=[allow(Permission.WRITE)],
    openapi_extra=_body_of({"oneOf": [_OBSERVATION, {"type": "array", "items": _OBSERVATION}]}),
)
async def observations(request: Request, ward: Ward, who: Who) -> Response:
    """One observation or a list; one receipt each, in order. What makes no sense is quarantined with its reason."""
    body = await request.body()
    try:
        stated = intake.decode(body)
    except msgspec.ValidationError as error:
        return problem(422, f"found an observation that does not fit ({str(error)[:300]}); see /docs")
    readings = [intake.read(one, source=_source(who), now_us=ward.now_us()) for one in stated]
    entries, refusals = intake.split(readings)
    kept, refused = (iter(receipts) for receipts in await _commit(ward, entries, refusals))
    receipts = []
    for one, reading in zip(stated, readings, strict=True):
        receipt = next(kept) if isinstance(reading, Entry) else next(refused)
        detail = reading.detail if isinstance(reading, Refusal) else ""
        receipts.append(
            {"id": one.id, "outcome": receipt.outcome, "seq": receipt.seq, "reason": receipt.reason, "detail": detail}
        )
    return answer(ward, lambda: {"receipts": receipts})


def _read_fhir(data: bytes, context: Context) -> Sequence[Reading]:
    from vitruvian.records import fhir

    return fhir.read_bytes(data, context)


def _read_hl7v2(data: bytes, context: Context) -> Sequence[Reading]:
    from vitruvian.records import hl7v2

    return hl7v2.read_bytes(data, context)


@router.post(
    "/fhir",
    dependencies=[allow(Permission.WRITE)],
    openapi_extra=_body_of({"type": "object", "description": "A FHIR R4 resource or bundle"}, "application/fhir+json"),
)
async def fhir(request: Request, ward: Ward, who: Who, settings: Settings) -> Response:
    """A FHIR R4 resource or bundle: counts of what was read, ignored (no home yet, by type) and quarantined (why)."""
    body = await request.body()
    if len(body) > INLINE_BYTES_MAX:
        await asyncio.to_thread(intake.check_depth, body)
    else:
        intake.check_depth(body)
    return await _messages(ward, body, Context(f"{_source(who)}:fhir", settings.mapping), _read_fhir)


@router.post(
    "/hl7v2",
    dependencies=[allow(Permission.WRITE)],
    openapi_extra=_body_of({"type": "string", "description": "HL7 v2 messages, ER7 encoded"}, "text/plain"),
)
async def hl7v2(request: Request, ward: Ward, who: Who, settings: Settings) -> Response:
    """HL7 v2 messages (ADT, ORU), one or a batch: counts as for FHIR. Interface engines better use MLLP."""
    context = Context(f"{_source(who)}:hl7v2", settings.mapping)
    return await _messages(ward, await request.body(), context, _read_hl7v2)


async def _messages(ward: WardPort, body: bytes, context: Context, read: Read) -> Response:
    if not body.strip():
        raise ReadingError("found an empty body, expected a message; send one")
    if len(body) > INLINE_BYTES_MAX:
        readings = await asyncio.to_thread(read, body, context)
    else:
        readings = read(body, context)
    readings = timely(readings, ward.now_us())
    entries = [entry for reading in readings for entry in reading.entries]
    refusals = [reading.refusal for reading in readings if reading.refusal]
    refusals += [part for reading in readings for part in reading.refused_parts]
    kept, _ = await _commit(ward, entries, refusals)
    counts: dict[str, Any] = {
        "read": sum(1 for reading in readings if not reading.refusal and not reading.ignored),
        "ignored": dict(Counter(reading.kind for reading in readings if reading.ignored)),
        "quarantined": sum(1 for reading in readings if reading.refusal),
        "reasons": dict(Counter(refusal.reason for refusal in refusals)),
        "events": sum(len(entry.events) for entry in entries),
        "outcomes": dict(Counter(receipt.outcome for receipt in kept)),
        "last_seq": max((receipt.seq for receipt in kept), default=0),
    }
    if counts["quarantined"] and not counts["read"] and not counts["ignored"]:
        # Kept, and still nothing the sender can rest on: they have to know.
        return problem(422, f"could not be read, kept in quarantine: {refusals[0].detail[:300]}", **counts)
    return answer(ward, lambda: counts)
