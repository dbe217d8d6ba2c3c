"""How a note stands on a page: its text in pieces, what was found marked with its number, and the pages' routes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Annotated, Final, NamedTuple
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from vitruvian.core.errors import NotFoundError, ReadingError, VitruvianError
from vitruvian.core.time import from_us, parse_iso, zone_named
from vitruvian.dashboard.render import render
from vitruvian.service import problems
from vitruvian.service.access import Who, allow
from vitruvian.service.answers import Ward
from vitruvian.service.api.notes import accepted
from vitruvian.service.note_views import NoteView, SuggestionView
from vitruvian.service.notes import FOUND_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX
from vitruvian.service.ports import WardPort
from vitruvian.trust import Permission

__all__ = ["Piece", "pieces", "router", "visible"]

router = APIRouter(include_in_schema=False)
FIELDS_MAX: Final = FOUND_MAX + 10
KIND: Final = {"condition": "Condition", "medicine": "Medicine", "finding": "Finding"}
SYSTEMS: Final = {
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM", "http://loinc.org": "LOINC", "http://www.whocc.no/atc": "ATC",
    "http://snomed.info/sct": "SNOMED CT", "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
}  # fmt: skip
OF_WHOM: Final = {"patient": "the patient", "family": "the family", "other": "somebody else"}
HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cn"})
BECOMES: Final = {"condition": "a condition", "order": "an order", "observation": "an observation"}


class Numbered(NamedTuple):
    """A suggestion with its number on the page."""

    number: int
    one: SuggestionView


class Piece(NamedTuple):
    """A stretch of the text and what was found in it; nothing where it is plain."""

    text: str
    found: tuple[Numbered, ...] = ()


class Shown(NamedTuple):
    """A note as the template writes it; what is set apart stands apart from the rest."""

    note: NoteView
    pieces: tuple[Piece, ...]
    found: tuple[Numbered, ...]
    apart: tuple[Numbered, ...]
    waits: int
    apart_waits: int


def pieces(text: str, found: Sequence[Numbered]) -> tuple[Piece, ...]:
    """The text, whole and in order; where mentions overlap, they share a stretch."""
    made: list[Piece] = []
    at = 0
    waiting = sorted(found, key=lambda one: (one.one.start, one.number))
    while waiting:
        first = waiting.pop(0)
        own, end = [first], first.one.end
        while waiting and waiting[0].one.start < end:
            own.append(waiting.pop(0))
            end = max(end, own[-1].one.end)
        if first.one.start > at:
            made.append(Piece(text[at : first.one.start]))
        made.append(Piece(text[first.one.start : end], tuple(own)))
        at = end
    return (*made, Piece(text[at:])) if at < len(text) else tuple(made)


def visible(text: str) -> str:
    """A text with its hidden characters shown by their numbers: none may turn a line round, or stand there unseen."""
    plain = text.replace("\r\n", "\n")
    if plain.isprintable():
        return plain
    return "".join(
        f"[U+{ord(char):04X}]" if unicodedata.category(char) in HIDDEN and char not in "\n\t" else char
        for char in plain
    )


def shown(note: NoteView) -> Shown:
    """A note for the template."""
    every = [Numbered(number, one) for number, one in enumerate(note.suggestions, start=1)]
    return Shown(
        note,
        pieces(note.text, every),
        tuple(one for one in every if not one.one.quarantined),
        tuple(one for one in every if one.one.quarantined),
        sum(one.one.status == "waiting" for one in every),
        sum(one.one.status == "waiting" and bool(one.one.quarantined) for one in every),
    )


@router.get("/patients/{patient}/notes", dependencies=[allow(Permission.READ)])
def notes_page(
    request: Request,
    ward: Ward,
    patient: str,
    entered: Annotated[int, Query(ge=0, le=FOUND_MAX)] = 0,
    agreed: Annotated[int, Query(ge=0, le=FOUND_MAX)] = 0,
    rejected: Annotated[int, Query(ge=0, le=FOUND_MAX)] = 0,
    kept: Annotated[int, Query(ge=0, le=FOUND_MAX)] = 0,
    nothing: bool = False,
) -> Response:
    """What a patient's notes suggest, to be accepted or rejected; and where a note is pasted."""
    return _page(request, ward, patient[:300], said=_told(entered, agreed, rejected, kept, nothing))


@router.post("/patients/{patient}/notes", dependencies=[allow(Permission.ACT)])
async def paste(request: Request, ward: Ward, who: Who, patient: str) -> Response:
    """Read a note that was pasted."""
    form = _form(await request.body())
    patient, text = patient[:300], form.get("text", [""])[0]
    title, at = form.get("title", [""])[0], form.get("at", [""])[0]
    try:
        moment = parse_iso(at, zone_named(ward.zone)) if at else None
        note = await run_in_threadpool(
            ward.notes.post, patient, text, moment.us if moment else None, title, who.name, ward.zone if moment else ""
        )
    except NotFoundError:
        raise
    except VitruvianError as error:
        return await run_in_threadpool(
            _page, request, ward, patient, problems.of_error(error).status_code, error=str(error), text=text,
            title=title, at=at,
        )  # fmt: skip
    query, place = ("", f"#note-{note.id}") if note.text else ("?nothing=1", "")
    return RedirectResponse(f"{_path(patient)}{query}{place}", 303, {"Cache-Control": "no-store"})


@router.post("/patients/{patient}/notes/{note}", dependencies=[allow(Permission.ACT)])
async def decide(request: Request, ward: Ward, who: Who, patient: str, note: str) -> Response:
    """Accept or reject: one, by its own button, or those that are ticked."""
    form, patient, note = _form(await request.body()), patient[:300], note[:64]
    try:
        how, which = _decision(form)
        if how == "accept":
            done = await accepted(ward, patient, note, which, who.name)
        else:
            done = await run_in_threadpool(ward.notes.reject, patient, note, which, who.name)
    except VitruvianError as error:
        status = problems.of_error(error).status_code
        return await run_in_threadpool(_page, request, ward, patient, status, error=str(error))
    kept = sum(one.status == "waiting" for one in done)
    entered = sum(bool(one.outcome) for one in done) - kept
    counts = {
        "entered": entered, "agreed": len(done) - entered - kept if how == "accept" else 0,
        "rejected": len(done) if how == "reject" else 0, "kept": kept,
    }  # fmt: skip
    query = "&".join(f"{name}={count}" for name, count in counts.items() if count)
    return RedirectResponse(f"{_path(patient)}?{query}#note-{quote(note)}", 303, {"Cache-Control": "no-store"})


def _decision(form: dict[str, list[str]]) -> tuple[str, list[str]]:
    for how in ("accept", "reject"):
        if form.get(how):
            return how, form[how][:1]
    how, which = form.get("decision", [""])[0], form.get("suggestion", [])
    if how not in ("accept", "reject") or not which or len(which) > FOUND_MAX:
        raise ReadingError("found nothing ticked, expected at least one suggestion; tick what you decide")
    return how, which


def _page(
    request: Request, ward: WardPort, patient: str, status: int = 200, *, said: str = "", error: str = "",
    text: str = "", title: str = "", at: str = "",
) -> Response:  # fmt: skip
    now_us = ward.now_us()
    row = ward.rows(now_us, [patient])[0]
    local = from_us(now_us).astimezone(zone_named(ward.zone)).strftime("%Y-%m-%dT%H:%M")
    return render(
        request, "notes.html", status, patient=row.id, whose=row.name, bed=row.bed, said=said, error=error,
        notes=[shown(one) for one in ward.notes.waiting(patient)], pasted=text, title=title, at=at or local,
        visible=visible, kinds=KIND, systems=SYSTEMS, of_whom=OF_WHOM, becomes=BECOMES, text_chars_max=TEXT_CHARS_MAX,
        title_chars_max=TITLE_CHARS_MAX,
    )  # fmt: skip


def _told(entered: int, agreed: int, rejected: int, kept: int, nothing: bool) -> str:
    parts = [
        f"{entered} entered in the twin" if entered else "",
        f"{agreed} agreed to, nothing to enter" if agreed else "",
        f"{rejected} rejected" if rejected else "",
        f"{kept} refused by the journal and still waiting; the data page says why" if kept else "",
        "Nothing of this note waits: nothing was found in it, or everything is decided" if nothing else "",
    ]
    told = "; ".join(part for part in parts if part)
    return f"{told}." if told else ""


def _path(patient: str) -> str:
    return f"/patients/{quote(patient, safe='')}/notes"


def _form(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode("utf-8"), max_num_fields=FIELDS_MAX)
    except ValueError:
        return {}
