"""The pages' routes. Each is rendered whole on the server; the scripts take over from there."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from vitruvian.core.errors import NotFoundError, TimestampError, VitruvianError
from vitruvian.core.time import DAY_US, HOUR_US, to_us, zone_named
from vitruvian.dashboard import assets, login, noted, present, reference, words
from vitruvian.dashboard.render import render
from vitruvian.service import problems
from vitruvian.service.access import Who, allow
from vitruvian.service.answers import Ward
from vitruvian.service.details import STORED_DAYS
from vitruvian.service.story import story
from vitruvian.service.views import LANES
from vitruvian.trust import Permission

FOUND_SHOWN: Final = 100  # patients on one page of the list
RANGES_H: Final = (1, 6, 24)
router = APIRouter(include_in_schema=False)


@router.get("/", dependencies=[allow(Permission.READ)])
def ward_page(request: Request, ward: Ward, density: str = "", kiosk: str = "") -> Response:
    """The ward."""
    seq, now_us = ward.seq(), ward.now_us()
    columns = {column.concept: column for column in ward.columns()}
    rows = present.first_order(ward.rows(now_us))
    return render(
        request, "ward.html", rows=rows, columns=columns, seq=seq, alerts=ward.alerts(),
        counts={lane: sum(1 for row in rows if row.lane == lane) for lane in LANES},
        short_beds={row.id: present.short_bed(row) for row in rows},
        density="compact" if density == "compact" else "comfortable", kiosk=kiosk == "1",
    )  # fmt: skip


@router.get("/patients", dependencies=[allow(Permission.READ)])
def patients_page(
    request: Request,
    ward: Ward,
    find: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    """Everyone that the journal knows, on the ward or not, to be found by name or number."""
    found = ward.find_patients(text=find, limit=FOUND_SHOWN, after=after)
    return render(request, "patients.html", find=find, found=found, after=after)


@router.get("/patients/{patient}", dependencies=[allow(Permission.READ)])
def patient_page(
    request: Request,
    ward: Ward,
    patient: str,
    at: Annotated[str, Query(max_length=40)] = "",
    basis: Annotated[str, Query(max_length=10)] = "as_of",
    hours: int = 6,
    reader: words.ForReader = "",
    language: words.InLanguage = "",
) -> Response:
    """One patient: live, or as it was at a fixed time."""
    seq = ward.seq()
    detail = ward.patient(patient[:300])
    fixed_us = _local_time(at, zone_named(ward.zone)) if at else None
    twin = detail.twin
    if fixed_us is not None:
        known = basis == "as_known"
        twin = ward.twin(patient, as_known_us=fixed_us) if known else ward.twin(patient, as_of_us=fixed_us)
    end_us = ward.now_us() + 1 if fixed_us is None else fixed_us + 1
    known_by_us = fixed_us if basis == "as_known" else None
    events = story(ward, patient, start_us=end_us - DAY_US, end_us=end_us, known_by_us=known_by_us)
    return render(
        request, "patient.html", detail=detail, row=detail.row, twin=twin, events=events, seq=seq,
        risks=detail.risks, patient=detail.row.id,
        body=ward.body_answers.body(detail.row.id), notes_waiting=ward.notes.count(detail.row.id),
        columns={column.concept: column for column in ward.columns()}, fixed_us=fixed_us, at=at, basis=basis,
        hours=hours if hours in RANGES_H else 6, ranges=RANGES_H, hour_us=HOUR_US,
        **words.worded_parts(request, detail.row.id, [one.task for one in detail.risks], reader, language),
        stored_days=STORED_DAYS, newest_us=detail.row.at_us or max((one.at_us for one in detail.twin.rows), default=0),
    )  # fmt: skip


@router.get("/patients/{patient}/risks", dependencies=[allow(Permission.READ)])
def risk_cards(
    request: Request, ward: Ward, patient: str, reader: words.ForReader = "", language: words.InLanguage = ""
) -> Response:
    """The cards of a patient's risks as they stand and what the alarms say, which the page puts in place of its own."""
    cards = ward.risk_cards(patient[:300])
    told = words.worded_parts(request, patient[:300], [one.task for one in cards], reader, language)
    return render(request, "risks.html", risks=cards, patient=patient[:300], fixed_us=None, **told)


@router.get("/patients/{patient}/risks/{target}", dependencies=[allow(Permission.READ)])
def reasons_page(request: Request, ward: Ward, patient: str, target: str) -> Response:
    """What moved a risk, in full."""
    found = ward.reasons(patient[:300], target[:64])
    name = ward.rows(ward.now_us(), [found.patient])[0].name
    return render(request, "reasons.html", found=found, whose=name)


def _local_time(text: str, zone: tzinfo) -> int:
    """A time as the picker gives it, in the facility's zone."""
    try:
        moment = datetime.fromisoformat(text)
        return to_us(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        raise TimestampError(
            f"found time {text[:40]!r}, expected one such as 2026-01-31T08:30; choose it again"
        ) from None


@router.get("/data", dependencies=[allow(Permission.OPERATE)])
def data_page(request: Request, ward: Ward) -> Response:
    """What is coming in, and what was refused and why."""
    health = {key: value for key, value in ward.health().items() if isinstance(value, str | int | float | bool)}
    return render(request, "data.html", streams=ward.streams(), refused=ward.quarantine(limit=200), health=health,
                  told=request.app.state.words.status())  # fmt: skip


@router.get("/docs", dependencies=[allow(Permission.PUBLIC)])
def docs_page(request: Request) -> Response:
    """The API's reference, from its OpenAPI description."""
    sections = reference.sections(request.app.openapi(), request.app)
    return render(request, "docs.html", sections=sections)


@router.get("/static/{stamp}/{path:path}", dependencies=[allow(Permission.PUBLIC)])
async def static(request: Request, stamp: str, path: str) -> Response:
    """Style sheets, scripts and images."""
    return assets.send(request, stamp, path)


@router.get("/favicon.ico", dependencies=[allow(Permission.PUBLIC)])
async def favicon(request: Request) -> Response:
    """The mark, where a browser asks unprompted."""
    return assets.send(request, assets.release(), "img/mark.svg")


@router.get("/login", dependencies=[allow(Permission.PUBLIC)])
def login_page(request: Request, who: Who, to: Annotated[str, Query(max_length=400)] = "/") -> Response:
    """Where a token is exchanged for a session."""
    if not request.app.state.access.required:
        return RedirectResponse("/", 303)
    return render(request, "login.html", to=login.local_path(to), message="")


@router.post("/login", dependencies=[allow(Permission.PUBLIC)])
async def log_in(request: Request) -> Response:
    """Exchange a token for a session; ten bad ones in a minute have to wait."""
    outcome = await login.log_in(request)
    if outcome.cookie is None:
        headers = {"Retry-After": str(outcome.wait_s)} if outcome.wait_s else {}
        page = render(request, "login.html", outcome.status, to=outcome.to, message=outcome.message)
        page.headers.update(headers)
        return page
    answer = RedirectResponse(outcome.to, 303, {"Cache-Control": "no-store"})
    login.set_cookie(answer, outcome.cookie, secure=request.app.state.settings.secure_cookies)
    return answer


@router.post("/logout", dependencies=[allow(Permission.PUBLIC)])
async def log_out(request: Request) -> Response:
    """End the session."""
    login.log_out(request)
    answer = RedirectResponse("/login", 303, {"Cache-Control": "no-store"})
    answer.delete_cookie(login.COOKIE, path="/")
    return answer


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/api/")


def attach(app: FastAPI) -> None:
    """Add the pages to the service's application. Raises ConfigurationError where the browser libraries are missing."""
    assets.assets()
    app.include_router(router)
    app.include_router(words.router)
    app.include_router(noted.router)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if not _wants_page(request):
            return problems.problem(error.status_code, str(error.detail), error.headers)
        if error.status_code == 401:
            return RedirectResponse(f"/login?to={quote(request.url.path)}", 303)
        return render(request, "error.html", error.status_code, heading=error.status_code, message=str(error.detail))

    async def own_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, VitruvianError)
        answer = problems.of_error(error)
        if not _wants_page(request):
            return answer
        title = "Not found" if isinstance(error, NotFoundError) else "This cannot be shown"
        return render(request, "error.html", answer.status_code, heading=title, message=str(error))

    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(VitruvianError, own_error)
