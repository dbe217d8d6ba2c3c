"""Explanations over HTTP: of risks, forecasts, alarms, what happened, what-ifs, wards and models; and of a packet that
someone brings. Every answer carries the evidence it rests on.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from vitruvian.core.errors import Overloaded
from vitruvian.explanation.ask.text import CHARS_MAX as QUESTION_CHARS_MAX
from vitruvian.explanation.claims import Audience
from vitruvian.explanation.drafts import LANGUAGES
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.evidence.packet import read_packet
from vitruvian.service.access import allow
from vitruvian.service.answers import Ward, answer
from vitruvian.service.api.bodies import WhatIfIn
from vitruvian.service.asking import Asked, Asking
from vitruvian.service.explain_views import explanation_view
from vitruvian.service.explaining import Explaining
from vitruvian.service.words import Shown, Words
from vitruvian.trust import Permission

LANGUAGE_CHARS_MAX: Final = 12
LANGUAGE_PATTERN: Final = f"^({'|'.join(LANGUAGES)})$"
PACKET: Final = {"$ref": "#/components/schemas/Evidence"}
ASKS_AT_ONCE: Final = 4  # questions that are looked into; more wait their turn
ASK_WAIT_S: Final = 10.0
WAIT_EXTRA_S: Final = 2.0  # over the model's own deadline, for what stood before it in the queue

patients = APIRouter(prefix="/api/v1/patients", tags=["explanations"])
models = APIRouter(prefix="/api/v1/models", tags=["explanations"])
router = APIRouter(prefix="/api/v1", tags=["explanations"])


def words_of(request: Request) -> Words:
    """What words the explanations of this application."""
    words: Words = request.app.state.words
    return words


def explaining_of(request: Request) -> Explaining:
    """What finds the evidence of this application's ward."""
    explaining: Explaining = request.app.state.explaining
    return explaining


def asking_of(request: Request) -> Asking:
    """What answers questions about this application's patients."""
    asking: Asking = request.app.state.asking
    return asking


def turns_of(request: Request) -> asyncio.Semaphore:
    """Turns at this application's questions."""
    turns: asyncio.Semaphore = request.app.state.ask_turns
    return turns


Wording = Annotated[Words, Depends(words_of)]
Explained = Annotated[Explaining, Depends(explaining_of)]
Answering = Annotated[Asking, Depends(asking_of)]
Turns = Annotated[asyncio.Semaphore, Depends(turns_of)]
Id = Annotated[str, Path(max_length=300, description="The patient's id, as in the list of patients")]
Task = Annotated[str, Path(max_length=64, description="The task, as in the list of models")]
About = Annotated[
    str,
    Query(
        max_length=80,
        pattern=r"^(risk(:[a-z0-9_]{1,64})?|forecast|alerts|timeline(:[0-9]{1,3})?)$",
        description="risk:TASK, forecast, alerts, or timeline:HOURS",
    ),
]
Reader = Annotated[Audience, Query(alias="for", description="For whom it is worded")]
Language = Annotated[
    str, Query(max_length=LANGUAGE_CHARS_MAX, pattern=LANGUAGE_PATTERN, description=f"One of {', '.join(LANGUAGES)}")
]
Wait = Annotated[
    bool, Query(description="Wait for the language model, up to its deadline; else the draft is answered at once")
]


class QuestionIn(BaseModel):
    """A question about a patient, in words; for whom, and in which language, the answer is worded."""

    model_config = ConfigDict(extra="forbid")
    question: str = Field(min_length=1, max_length=QUESTION_CHARS_MAX, pattern=r"\S")
    reader: Audience = Field(default="clinician", alias="for")
    language: str = Field(default="en", max_length=LANGUAGE_CHARS_MAX, pattern=LANGUAGE_PATTERN)


async def worded(words: Words, evidence: Evidence, reader: Audience, language: str, wait: bool) -> Shown:
    """As it can be had now; with `wait`, once the model has had its turn. No thread is held meanwhile."""
    shown = await run_in_threadpool(words.shown, evidence, reader, language)
    if not (wait and shown.pending):
        return shown
    coming = words.wanted(evidence, reader, language)
    if coming is not None:
        try:
            async with asyncio.timeout(words.deadline_s + WAIT_EXTRA_S):
                await asyncio.shield(asyncio.wrap_future(coming))
        except TimeoutError:
            pass
    return await run_in_threadpool(words.shown, evidence, reader, language)


async def answered(
    turns: asyncio.Semaphore, asking: Asking, patient: str, question: str, reader: Audience, language: str
) -> Asked:
    """What a question asks and the evidence that answers it. Whoever waits for a turn holds no thread. Raises
    Overloaded where too much is asked at once.
    """
    try:
        async with asyncio.timeout(ASK_WAIT_S):
            await turns.acquire()
    except TimeoutError:
        raise Overloaded(f"found {ASKS_AT_ONCE} questions under way, expected fewer; ask again") from None
    try:
        return await run_in_threadpool(asking.answer, patient, question, reader, language)
    finally:
        turns.release()


def _answered(ward: Ward, shown: Shown, **more: Any) -> Response:
    view = explanation_view(shown.explanation, shown.evidence, pending=shown.pending)
    return answer(ward, lambda: {**more, "explanation": view, "evidence": shown.evidence})


@patients.get("/{patient}/explanation", dependencies=[allow(Permission.READ)])
async def explanation(
    ward: Ward,
    explaining: Explained,
    words: Wording,
    patient: Id,
    about: About = "risk:sepsis",
    reader: Reader = "clinician",
    language: Language = "en",
    wait: Wait = False,
) -> Response:
    """What a risk, a forecast, the open alarms or the last hours come to, in words, with the evidence behind them."""
    evidence = await run_in_threadpool(explaining.evidence, patient, about)
    return _answered(ward, await worded(words, evidence, reader, language, wait))


@patients.post("/{patient}/what-if/explanation", dependencies=[allow(Permission.READ)])
async def what_if_explanation(
    ward: Ward,
    explaining: Explained,
    words: Wording,
    patient: Id,
    body: WhatIfIn,
    reader: Reader = "clinician",
    language: Language = "en",
    wait: Wait = False,
) -> Response:
    """What a scenario would change, as numbers and in words. Nothing is kept."""
    found = await run_in_threadpool(ward.body_answers.what_if, patient, body.scenario(), body.outputs)
    evidence = await run_in_threadpool(explaining.what_if, found)
    return _answered(ward, await worded(words, evidence, reader, language, wait), what_if=found)


@patients.post("/{patient}/ask", dependencies=[allow(Permission.READ)])
async def ask(
    ward: Ward, asking: Answering, turns: Turns, words: Wording, patient: Id, body: QuestionIn, wait: Wait = False
) -> Response:
    """A question about a patient, answered from facts; or that it is not known. Orders of treatment are refused, with
    the reason. `answered` is false for both; `can_ask` then holds questions that are understood.
    """
    asked = await answered(turns, asking, patient, body.question, body.reader, body.language)
    shown = await worded(words, asked.evidence, body.reader, body.language, wait)
    return _answered(ward, shown, intent=asked.intent, answered=asked.answered, can_ask=asked.can_ask)


@router.post(
    "/explanations",
    dependencies=[allow(Permission.READ)],
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": PACKET}}}},
)
async def explanations(
    request: Request,
    ward: Ward,
    words: Wording,
    reader: Reader = "clinician",
    language: Language = "en",
    wait: Wait = False,
) -> Response:
    """A packet of evidence that someone brings, in words. Nothing is kept."""
    evidence = await run_in_threadpool(read_packet, await request.body())
    return _answered(ward, await worded(words, evidence, reader, language, wait))


@router.get("/handover", dependencies=[allow(Permission.READ)])
async def handover(
    ward: Ward,
    explaining: Explained,
    words: Wording,
    of: Annotated[str, Query(alias="ward", max_length=200, description="A ward's name; by default everyone")] = "",
    reader: Reader = "clinician",
    language: Language = "en",
    wait: Wait = False,
) -> Response:
    """A shift's handover: the ward in a sentence, then each bed's score, risk, alarms and what is missing."""
    evidence = await run_in_threadpool(explaining.handover, of)
    return _answered(ward, await worded(words, evidence, reader, language, wait))


@models.get("/{task}/explanation", dependencies=[allow(Permission.READ)])
async def model_explanation(
    ward: Ward,
    explaining: Explained,
    words: Wording,
    task: Task,
    reader: Reader = "clinician",
    language: Language = "en",
    wait: Wait = False,
) -> Response:
    """The card of the model that runs for a task, in plain words: what it predicts, on whose data, how well."""
    evidence = await run_in_threadpool(explaining.card, task)
    return _answered(ward, await worded(words, evidence, reader, language, wait))


@router.get("/explanations/status", dependencies=[allow(Permission.OPERATE)])
def status(ward: Ward, words: Wording) -> Response:
    """The language model behind the words: its home, what it may be sent, what was accepted and refused, what waits."""
    return answer(ward, lambda: {"status": words.status()})
