"""The OpenAPI description: what FastAPI finds by itself, and what every operation answers, by the types it sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from vitruvian.explanation.evidence.base import Evidence
from vitruvian.service.body_views import BodyView, ForecastView, ScenarioView, WhatIfView
from vitruvian.service.explain_views import ExplanationView, StatusView
from vitruvian.service.note_views import DecisionView, NoteView
from vitruvian.service.risk_views import ModelView, ReasonsView, RiskPoint
from vitruvian.service.views import (
    AlertView,
    BedRow,
    Column,
    EventView,
    PatientBrief,
    PatientDetail,
    QuarantineView,
    SeriesView,
    StreamView,
    TwinView,
)


class Problem(msgspec.Struct):
    """An error (RFC 9457): what was found, what was expected, what to do."""

    type: str
    title: str
    status: int
    detail: str


class ReceiptView(msgspec.Struct):
    """What became of one observation; `reason` and `detail` where it went to quarantine."""

    id: str
    outcome: str
    seq: int
    reason: str
    detail: str


# What an answer holds beside its freshness, by path; by method and path where another method's answer differs.
_PATIENT: Final = "/api/v1/patients/{patient}"
_TAKEN: Final[Mapping[str, Any]] = {
    "read": int,
    "ignored": dict[str, int],
    "quarantined": int,
    "reasons": dict[str, int],
    "events": int,
    "outcomes": dict[str, int],
    "last_seq": int,
}
_EXPLAINED: Final[Mapping[str, Any]] = {"explanation": ExplanationView, "evidence": Evidence}
# A tuple: one of these types.
ANSWERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "/api/v1/patients": {
        "columns": list[Column],
        "patients": (list[BedRow], list[PatientBrief]),
        "total": int,
        "next": str,
    },
    _PATIENT: {"patient": PatientDetail},
    f"{_PATIENT}/observations": {"start_us": int, "end_us": int, "series": list[SeriesView]},
    f"{_PATIENT}/twin": {"twin": TwinView},
    f"{_PATIENT}/risk": {"target": str, "risks": list[RiskPoint]},
    f"{_PATIENT}/risk/reasons": {"reasons": ReasonsView},
    f"{_PATIENT}/timeline": {"events": list[EventView]},
    f"{_PATIENT}/body": {"body": BodyView},
    f"{_PATIENT}/forecast": {"forecast": ForecastView},
    f"{_PATIENT}/what-if": {"what_if": WhatIfView},
    f"{_PATIENT}/explanation": _EXPLAINED,
    f"{_PATIENT}/what-if/explanation": {"what_if": WhatIfView, **_EXPLAINED},
    f"{_PATIENT}/ask": {"intent": str, "answered": bool, "can_ask": list[str], **_EXPLAINED},
    f"{_PATIENT}/notes": {"notes": list[NoteView]},
    f"POST {_PATIENT}/notes": {"note": NoteView},
    f"{_PATIENT}/notes/{{note}}/accept": {"decisions": list[DecisionView]},
    f"{_PATIENT}/notes/{{note}}/reject": {"decisions": list[DecisionView]},
    "/api/v1/explanations": _EXPLAINED,
    "/api/v1/explanations/status": {"status": StatusView},
    "/api/v1/handover": _EXPLAINED,
    "/api/v1/models/{task}/explanation": _EXPLAINED,
    "/api/v1/scenarios": {"scenarios": list[ScenarioView]},
    "POST /api/v1/scenarios": {"scenario": ScenarioView},
    "/api/v1/scenarios/{scenario}": {"scenario": ScenarioView},
    "/api/v1/alerts": {"alerts": list[AlertView]},
    "/api/v1/alerts/{alert}/acknowledge": {"alert": AlertView},
    "/api/v1/alerts/{alert}/snooze": {"alert": AlertView},
    "/api/v1/observations": {"receipts": list[ReceiptView]},
    "/api/v1/fhir": _TAKEN,
    "/api/v1/hl7v2": _TAKEN,
    "/api/v1/health/ready": {"status": str},
    "/api/v1/health": {"health": dict[str, Any], "hub": dict[str, int]},
    "/api/v1/models": {"models": list[ModelView]},
    "/api/v1/models/{task}": {"model": ModelView},
    "/api/v1/models/{task}/shadow": {"models": list[ModelView]},
    "/api/v1/streams": {"streams": list[StreamView]},
    "/api/v1/quarantine": {"quarantine": list[QuarantineView]},
}
_FRESHNESS: Final[Mapping[str, Any]] = {
    "schema": {"type": "integer", "description": "version of the answers' form"},
    "seq": {"type": "integer", "description": "the last commit that the answer has seen"},
    "as_of": {"type": "string", "format": "date-time", "description": "the clinical time"},
    "now_us": {"type": "integer", "description": "the same, in microseconds since 1970"},
}
OTHER_TYPES: Final[Mapping[str, str]] = {"/metrics": "text/plain", "/api/v1/stream": "text/event-stream"}
# Why a request may go no further, by the guard (every route) and by what the route does.
EVERYWHERE: Final = (400, 401, 403, 421, 429, 431, 500)
_WITH_BODY: Final = (408, 413, 422)
_ABOUT_ONE: Final = (404, 409)
_MEANING: Final[Mapping[int, str]] = {
    400: "Not readable as HTTP, JSON or a message",
    401: "No valid credentials",
    403: "The role may not, or the request came from another site",
    404: "No such patient, alarm or record",
    408: "The body took too long",
    409: "It contradicts what is kept",
    413: "Too large or too deep",
    421: "Not a name of this service",
    422: "It does not fit, or cannot be taken; what could be read is in quarantine",
    429: "Too many bad tokens from here",
    431: "Too many headers",
    500: "A fault of the service; its log says where",
    503: "Nothing can be kept now, or too much is open; try again",
}


def describe(app: FastAPI) -> None:
    """Give the application its description; it is made once, when it is first asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes,
            )  # fmt: skip
            app.openapi_schema = _completed(made)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _completed(description: dict[str, Any]) -> dict[str, Any]:
    types = [one for held in ANSWERS.values() for kind in held.values() for one in _kinds(kind)]
    _, components = msgspec.json.schema_components([*types, Problem], ref_template="#/components/schemas/{name}")
    schemas = description.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(components)
    for name in ("HTTPValidationError", "ValidationError"):  # ours are problems
        schemas.pop(name, None)
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            _answers(method, path, operation)
    return description


def _answers(method: str, path: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    held = ANSWERS.get(f"{method.upper()} {path}", ANSWERS.get(path))
    if path in OTHER_TYPES:
        responses["200"]["content"] = {OTHER_TYPES[path]: {"schema": {"type": "string"}}}
    elif held is not None:
        responses["200"]["content"] = {"application/json": {"schema": _answer(held)}}
    codes = [*EVERYWHERE, 503]
    if "requestBody" in operation:
        codes += _WITH_BODY
    if operation.get("parameters"):
        codes.append(422)
    if (
        "{" in path
        or path == "/api/v1/scenarios"
        or any(one["name"] in ("patient", "after", "ward") for one in operation.get("parameters", ()))
    ):
        codes += _ABOUT_ONE
    for code in sorted(set(codes)):
        content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        responses[str(code)] = {"description": _MEANING[code], "content": content}


def _answer(held: Mapping[str, Any]) -> dict[str, Any]:
    properties = dict(_FRESHNESS) | {name: _schema(kind) for name, kind in held.items()}
    return {"type": "object", "required": list(properties), "properties": properties}


def _kinds(kind: Any) -> tuple[Any, ...]:
    return kind if isinstance(kind, tuple) else (kind,)


def _schema(kind: Any) -> dict[str, Any]:
    schemas, _ = msgspec.json.schema_components(_kinds(kind), ref_template="#/components/schemas/{name}")
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}
