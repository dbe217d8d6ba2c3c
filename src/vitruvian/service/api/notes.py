"""Notes over HTTP: read, what waits, accepted and rejected. What is accepted is durable before the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Path
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from vitruvian.core.errors import JournalUnavailable, TimestampError
from vitruvian.core.events import Entry, Receipt
from vitruvian.core.time import Instant, parse_iso
from vitruvian.service.access import Who, allow
from vitruvian.service.answers import TIME_CHARS_MAX, Ward, answer
from vitruvian.service.note_views import DecisionView
from vitruvian.service.notes import FOUND_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX
from vitruvian.service.ports import WardPort
from vitruvian.trust import Permission

router = APIRouter(prefix="/api/v1/patients", tags=["notes"])
APPEND_S_MAX: Final = 60.0
Id = Annotated[str, Path(max_length=300, description="The patient's id, as in the list of patients")]
NoteId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="As in the answer to posting it")]
SuggestionId = Annotated[str, Field(pattern="^[0-9a-f]{24}$")]


class NoteIn(BaseModel):
    """A note: `at` is when it was written, ISO 8601, by default now; without an offset, UTC."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=TEXT_CHARS_MAX, pattern=r"\S")
    at: str = Field(default="", max_length=TIME_CHARS_MAX)
    title: str = Field(default="", max_length=TITLE_CHARS_MAX)


class DecisionsIn(BaseModel):
    """The suggestions of a note that are decided alike, by their ids."""

    model_config = ConfigDict(extra="forbid")
    suggestions: list[SuggestionId] = Field(min_length=1, max_length=FOUND_MAX)


async def accepted(ward: WardPort, patient: str, note: str, which: Sequence[str], by: str) -> list[DecisionView]:
    """Accept suggestions, on a thread that hands the entries to the ward and waits until they are durable."""
    loop = asyncio.get_running_loop()

    def append(entries: Sequence[Entry]) -> list[Receipt]:
        coming = asyncio.run_coroutine_threadsafe(ward.submit(entries, applied=True), loop)
        try:
            return coming.result(APPEND_S_MAX)
        except TimeoutError:
            raise JournalUnavailable("the journal did not take it in time; accept it again") from None

    return await run_in_threadpool(ward.notes.accept, patient, note, which, by, append)


@router.post("/{patient}/notes", dependencies=[allow(Permission.ACT)])
def post(ward: Ward, who: Who, patient: Id, body: NoteIn) -> Response:
    """Read a note: what it suggests waits until someone accepts or rejects it. Nothing of it is in the twin yet. The
    same text with the same `at` is the same note.
    """
    at = _instant(body.at)
    note = ward.notes.post(patient, body.text, at.us if at else None, body.title, who.name, at.zone if at else "")
    return answer(ward, lambda: {"note": note})


@router.get("/{patient}/notes", dependencies=[allow(Permission.READ)])
def waiting(ward: Ward, patient: Id) -> Response:
    """The notes of which something waits, each with its text and every suggestion."""
    return answer(ward, lambda: {"notes": ward.notes.waiting(patient)})


@router.post("/{patient}/notes/{note}/accept", dependencies=[allow(Permission.ACT)])
async def accept(ward: Ward, who: Who, patient: Id, note: NoteId, body: DecisionsIn) -> Response:
    """Accept suggestions: what is said to be so now, of the patient, becomes events of the twin. What is denied,
    doubted, past or of somebody else is agreed to and enters nothing. All or nothing, apart from what the journal
    itself refuses.
    """
    decisions = await accepted(ward, patient, note, body.suggestions, who.name)
    return answer(ward, lambda: {"decisions": decisions})


@router.post("/{patient}/notes/{note}/reject", dependencies=[allow(Permission.ACT)])
def reject(ward: Ward, who: Who, patient: Id, note: NoteId, body: DecisionsIn) -> Response:
    """Reject suggestions: nothing is entered."""
    decisions = ward.notes.reject(patient, note, body.suggestions, who.name)
    return answer(ward, lambda: {"decisions": decisions})


def _instant(text: str) -> Instant | None:
    if not text.strip():
        return None
    try:
        return parse_iso(text)
    except TimestampError as error:
        raise TimestampError(f"at: {error}") from None
