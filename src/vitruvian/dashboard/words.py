"""The parts of pages that are in words: explanations of risks and alarms, answers to questions, a ward's handover."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import parse_qs, quote

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from vitruvian.core.errors import Overloaded, VitruvianError
from vitruvian.dashboard import explained
from vitruvian.dashboard.explained import Block, block, without_place
from vitruvian.dashboard.present import who
from vitruvian.dashboard.render import render
from vitruvian.explanation.ask.text import CHARS_MAX as QUESTION_CHARS_MAX
from vitruvian.explanation.claims import Audience, Sentence
from vitruvian.explanation.evidence.base import Fact
from vitruvian.explanation.evidence.packet import read_packet
from vitruvian.service.access import allow
from vitruvian.service.answers import Ward
from vitruvian.service.api.explain import answered, worded
from vitruvian.service.explain_views import explanation_view
from vitruvian.service.explaining import Explaining, places_of
from vitruvian.service.views import BedRow
from vitruvian.service.words import Shown, Words
from vitruvian.trust import Permission

__all__ = ["router", "worded_parts"]

log = logging.getLogger(__name__)
FIELDS_MAX: Final = 8
SUGGESTED: Final = (
    "Why did the risk rise since six?", "What would 500 mL change?", "When was the last lactate?",
    "What is missing?",
)  # fmt: skip
router = APIRouter(include_in_schema=False)
ForReader = Annotated[str, Query(alias="for", max_length=20)]
InLanguage = Annotated[str, Query(max_length=12)]


def worded_parts(request: Request, patient: str, tasks: Sequence[str], reader: str, language: str) -> dict[str, Any]:
    """What the templates of a patient's cards need to be in words. What cannot be explained now is left out."""
    audience, code = explained.read_as(reader, language)
    return {
        "said_of": {task: _said(request, patient, f"risk:{task}", audience, code, task) for task in tasks},
        "alarm_words": _said(request, patient, "alerts", audience, code, "alarms"),
        **_reading(audience, code),
    }


def _reading(reader: Audience, language: str) -> dict[str, Any]:
    """What every template needs that lets a reader choose, or ask."""
    return {
        "reader": reader, "language": language, "readers": explained.READERS, "languages": explained.languages(),
        "suggested": SUGGESTED, "question_chars_max": QUESTION_CHARS_MAX, "asked": None,
    }  # fmt: skip


def _said(request: Request, patient: str, about: str, reader: Audience, language: str, name: str) -> Block | None:
    words: Words = request.app.state.words
    explaining: Explaining = request.app.state.explaining
    try:
        return _block(words.shown(explaining.evidence(patient, about), reader, language), name)
    except VitruvianError:  # such as a model that was exchanged just now
        return None
    except Exception as error:  # a fault in wording must not cost the page its numbers
        log.error("a part of a page is not in words: %s", type(error).__name__)
        return None


def _block(shown: Shown, name: str) -> Block:
    return block(explanation_view(shown.explanation, shown.evidence, pending=shown.pending), name)


class Asked(NamedTuple):
    """A question with its answer, or with why there is none; and what may be asked, where it was not understood."""

    question: str
    intent: str
    block: Block | None
    can_ask: tuple[str, ...] = ()
    error: str = ""


@router.post("/patients/{patient}/ask", dependencies=[allow(Permission.READ)])
async def ask(request: Request, ward: Ward, patient: str) -> Response:
    """The answer to a question, as a page of its own; scripts take its middle."""
    form = _form(await request.body())
    reader, language = explained.read_as(form.get("for", ""), form.get("language", ""))
    question = (form.get("suggested") or form.get("question", "")).strip()
    patient = patient[:300]
    name = (await run_in_threadpool(ward.rows, ward.now_us(), [patient]))[0].name
    asked = await _asked(request, patient, question, reader, language)
    told = {**_reading(reader, language), "asked": asked}
    return render(request, "ask.html", patient=patient, whose=name, **told)


async def _asked(request: Request, patient: str, question: str, reader: Audience, language: str) -> Asked:
    if not question or len(question) > QUESTION_CHARS_MAX:
        told = f"Ask something, in at most {QUESTION_CHARS_MAX} characters."
        return Asked(question[:QUESTION_CHARS_MAX], "", None, error=told)
    state = request.app.state
    try:
        answer = await answered(state.ask_turns, state.asking, patient, question, reader, language)
    except Overloaded as error:
        return Asked(question, "", None, error=str(error))
    shown = await run_in_threadpool(state.words.shown, answer.evidence, reader, language)
    return Asked(question, answer.intent, _block(shown, "answer"), answer.can_ask)


def _form(body: bytes) -> dict[str, str]:
    try:
        return {name: values[0] for name, values in parse_qs(body.decode("utf-8"), max_num_fields=FIELDS_MAX).items()}
    except ValueError:
        return {}


@router.post("/explained", dependencies=[allow(Permission.READ)])
async def explained_packet(
    request: Request, reader: ForReader = "", language: InLanguage = "", wait: bool = False
) -> Response:
    """A packet in words, as a part of a page."""
    audience, code = explained.read_as(reader, language)
    evidence = await run_in_threadpool(read_packet, await request.body())
    shown = await worded(request.app.state.words, evidence, audience, code, wait)
    return render(request, "explained.html", block=_block(shown, evidence.digest[:12]))


class Bed(NamedTuple):
    """One bed of a handover."""

    title: str
    href: str
    side: str
    block: Block


@router.get("/handover", dependencies=[allow(Permission.READ)])
def handover(
    request: Request,
    ward: Ward,
    of: Annotated[str, Query(alias="ward", max_length=200)] = "",
    reader: ForReader = "",
    language: InLanguage = "",
) -> Response:
    """A shift's handover, bed by bed; to be printed."""
    audience, code = explained.read_as(reader, language)
    rows = ward.rows(ward.now_us())
    explaining: Explaining = request.app.state.explaining
    shown = request.app.state.words.shown(explaining.handover(of), audience, code)
    whole, beds = _by_bed(shown, [row for row in rows if not of or row.ward == of])
    return render(
        request, "handover.html", of=of, wards=sorted({row.ward for row in rows if row.ward}), whole=whole, beds=beds,
        **_reading(audience, code),
    )  # fmt: skip


def _by_bed(shown: Shown, rows: Sequence[BedRow]) -> tuple[Block | None, list[Bed]]:
    """The sentences of a handover by the place that their facts belong to; what is of no bed, apart."""
    facts = shown.evidence.by_id
    said: dict[str, list[Sentence]] = {}
    for sentence in shown.explanation.sentences:
        known = (facts[one] for one in sentence.facts)
        place = next((_place(fact, facts) for fact in known if _place(fact, facts)), "")
        said.setdefault(place, []).append(sentence)
    places = places_of(rows)
    row_of = {places[row.id]: row for row in rows}
    whole = _part(shown, said.pop("", []), "ward")
    beds = []
    for place, sentences in said.items():
        title = facts[place].label
        row = row_of.get(title)
        made = _part(shown, sentences, place)
        if made is not None:
            href = f"/patients/{quote(row.id, safe='')}" if row else ""
            beds.append(
                Bed(
                    f"{title} · {row.name}" if row else title, href, who(row) if row else "", without_place(made, place)
                )
            )
    return whole, beds


def _place(fact: Fact, facts: Mapping[str, Fact]) -> str:
    """The id of the place that a fact is, or belongs to; empty for none."""
    for _ in range(3):  # an earlier risk belongs to the risk, which belongs to its place
        if fact.role == "place":
            return fact.id
        if fact.of not in facts:
            return ""
        fact = facts[fact.of]
    return ""


def _part(shown: Shown, sentences: Sequence[Sentence], name: str) -> Block | None:
    """A block of some of the sentences."""
    if not sentences:
        return None
    part = msgspec.structs.replace(shown.explanation, sentences=tuple(sentences))
    return _block(msgspec.structs.replace(shown, explanation=part), name)
