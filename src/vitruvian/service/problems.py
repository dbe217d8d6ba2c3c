"""Errors as RFC 9457 problems: what was found, what was expected and what to do."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from vitruvian.core.errors import (
    ConfigurationError,
    IdentityError,
    JournalUnavailable,
    LimitError,
    ModelError,
    NotFoundError,
    Overloaded,
    ReadingError,
    TimestampError,
    UnitError,
    VitruvianError,
    VocabularyError,
)

log = logging.getLogger(__name__)
FRAMES_LOGGED: Final = 12

_STATUS: Final[tuple[tuple[type[VitruvianError], int, Mapping[str, str]], ...]] = (
    (NotFoundError, 404, {}),
    (LimitError, 413, {}),
    (ReadingError, 400, {}),
    (ModelError, 422, {}),
    (UnitError, 422, {}),
    (TimestampError, 422, {}),
    (VocabularyError, 422, {}),
    (IdentityError, 409, {}),
    (ConfigurationError, 409, {}),
    (Overloaded, 503, {"Retry-After": "1"}),
    (JournalUnavailable, 503, {"Retry-After": "5"}),
)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: object) -> Response:
    """An `application/problem+json` answer."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return Response(
        msgspec.json.encode(body), status, headers={"Cache-Control": "no-store", **(headers or {})},
        media_type="application/problem+json",
    )  # fmt: skip


def of_error(error: VitruvianError) -> Response:
    """The problem that an expected error is."""
    for kind, status, headers in _STATUS:
        if isinstance(error, kind):
            return problem(status, str(error), headers)
    log.error("an error without an HTTP status of its own: %s", type(error).__name__)
    return problem(500, "the service could not do this; the log of the service says why")


def _invalid(error: RequestValidationError) -> Response:
    # What was sent is not echoed: it may be a patient's. Where and why is enough to correct it.
    errors = [{"where": ".".join(map(str, e["loc"]))[:200], "what": str(e["msg"])[:300]} for e in error.errors()[:20]]
    said = "; ".join(f"{e['where']}: {e['what']}" for e in errors[:3])
    return problem(422, f"found a request that does not fit ({said}); see /docs", errors=errors)


def unexpected(error: Exception, method: str) -> Response:
    """A fault of ours, logged by where it happened: neither the path nor the error's own words, which may hold ids."""
    places = " < ".join(
        f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
        for frame in reversed(traceback.extract_tb(error.__traceback__)[-FRAMES_LOGGED:])
    )
    log.error("unexpected %s at a %s: %s", type(error).__name__, method if method.isalpha() else "request", places)
    return problem(500, "the service could not do this; the log of the service says why")


def install(app: FastAPI) -> None:
    """Answer every expected error of the application as a problem; the guard answers the others by `unexpected`."""

    async def vitruvian_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, VitruvianError)
        return of_error(error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return _invalid(error)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        detail: Any = error.detail
        return problem(error.status_code, str(detail), error.headers)

    app.add_exception_handler(VitruvianError, vitruvian_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http_error)
