"""Answers that say how fresh they are, and times as they come in a query."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Final

import msgspec
from fastapi import Depends, Query, Request
from starlette.responses import Response

from vitruvian.core.errors import TimestampError
from vitruvian.core.time import isoformat, parse_iso
from vitruvian.service.ports import WardPort
from vitruvian.service.settings import ServiceSettings
from vitruvian.service.views import SCHEMA

TIME_CHARS_MAX: Final = 64
_encode = msgspec.json.Encoder().encode


def ward_of(request: Request) -> WardPort:
    """The ward that this application serves."""
    ward: WardPort = request.app.state.ward
    return ward


def settings_of(request: Request) -> ServiceSettings:
    """The settings of this application."""
    settings: ServiceSettings = request.app.state.settings
    return settings


Ward = Annotated[WardPort, Depends(ward_of)]
Settings = Annotated[ServiceSettings, Depends(settings_of)]
Time = Annotated[
    str | None,
    Query(max_length=TIME_CHARS_MAX, description="ISO 8601, such as 2026-01-31T08:30:00+02:00; without an offset, UTC"),
]


def answer(ward: WardPort, build: Callable[[], Mapping[str, object]], status: int = 200) -> Response:
    """JSON with its freshness: `seq` is the last commit it has certainly seen, `as_of` the clinical time."""
    seq, now_us = ward.seq(), ward.now_us()  # before the body is built: it is at least as new
    head = {"schema": SCHEMA, "seq": seq, "as_of": isoformat(now_us), "now_us": now_us}
    return Response(
        _encode(head | dict(build())), status, headers={"Cache-Control": "no-store"}, media_type="application/json"
    )


def instant(text: str | None, what: str) -> int | None:
    """The instant of a query's time, None where none was given. Raises TimestampError, naming the parameter."""
    if text is None or text == "":
        return None
    try:
        # A `+` that a client forgot to escape arrives as a blank.
        return parse_iso(text.replace(" ", "+") if "T" in text else text).us
    except TimestampError as error:
        raise TimestampError(f"{what}: {error}") from None


def span(start: str | None, end: str | None, now_us: int, default_us: int) -> tuple[int, int]:
    """The [start, end) of a query; by default the last `default_us`. Raises TimestampError where it is empty."""
    end_us = instant(end, "end")
    end_us = now_us + 1 if end_us is None else end_us
    start_us = instant(start, "start")
    start_us = end_us - default_us if start_us is None else start_us
    if start_us >= end_us:
        raise TimestampError("found start at or after end, expected an earlier start; correct the range")
    return start_us, end_us
