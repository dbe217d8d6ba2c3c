"""How an explanation stands on a page: sentences in pieces, each fact with what it reads in full, and who worded it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from vitruvian.explanation.claims import Audience, Sentence
from vitruvian.explanation.drafts import LANGUAGES
from vitruvian.explanation.footnotes import Footnote
from vitruvian.service.explain_views import ExplanationView

__all__ = ["Block", "Piece", "block", "languages", "read_as", "without_place"]

READERS: Final[Mapping[Audience, str]] = {"clinician": "For a clinician", "patient": "In plain words"}
_UNIT_APART: Final = re.compile(r"(?<=\d) (?=[^\s\d(])")
BETWEEN: Final = (" ", " (")
_NATIVE: Final = {
    "de": "Deutsch", "en": "English", "es": "Español", "fr": "Français", "it": "Italiano", "nl": "Nederlands",
    "pt": "Português",
}  # fmt: skip


class Piece(NamedTuple):
    """A stretch of a sentence; `note` where it shows a fact, `id` of the fact's tooltip on the page."""

    text: str
    note: Footnote | None = None
    id: str = ""


class Said(NamedTuple):
    """A sentence; `by_model` where a language model worded it."""

    pieces: tuple[Piece, ...]
    by_model: bool


class Block(NamedTuple):
    """An explanation as the template writes it. `name` tells its ids apart from others' on the page."""

    name: str
    language: str
    sentences: tuple[Said, ...]
    notes: tuple[Footnote, ...]
    pending: bool
    worded: str
    simulated: bool


def block(said: ExplanationView, name: str) -> Block:
    """The explanation for the template."""
    notes = said.footnotes
    made, number = [], 0
    for sentence in said.sentences:
        pieces = []
        for text, fact in _merged(sentence):
            if fact in notes:
                number += 1
                pieces.append(Piece(_held(text), notes[fact], f"fact-{name}-{number}"))
            else:
                pieces.append(Piece(text))
        made.append(Said(tuple(pieces), sentence.origin == "model"))
    return Block(name, said.language, tuple(made), tuple(notes.values()), said.pending, _worded(said), said.simulated)


def without_place(made: Block, place: str) -> Block:
    """The block without the name of the place that its sentences begin with, where a heading says it already."""
    return made._replace(sentences=tuple(_without(one, place) for one in made.sentences))


def _without(said: Said, place: str) -> Said:
    first, rest = said.pieces[0], said.pieces[1:]
    if first.note is None or first.note.fact != place or not rest or not rest[0].text.startswith(": "):
        return said
    after = rest[0].text.removeprefix(": ")
    whole = (rest[0]._replace(text=after), *rest[1:]) if after else rest[1:]
    return said._replace(pieces=(whole[0]._replace(text=_capital(whole[0].text)), *whole[1:]))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _merged(sentence: Sentence) -> list[tuple[str, str]]:
    """(text, fact) in order; label and value of one fact side by side, or the value in brackets, are one thing to point
    at.
    """
    merged: list[tuple[str, str]] = []
    for text, fact in sentence.pieces():
        between = merged[-1][0] if len(merged) >= 2 and not merged[-1][1] else ""
        if fact and between in BETWEEN and merged[-2][1] == fact:
            merged.pop()
            merged[-1] = (f"{merged[-1][0]}{between}{text}", fact)
        elif not fact and text.startswith(")") and merged and merged[-1][0].count("(") > merged[-1][0].count(")"):
            merged[-1] = (f"{merged[-1][0]})", merged[-1][1])
            merged += [(text[1:], "")] if len(text) > 1 else []
        else:
            merged.append((text, fact))
    return merged


def _held(text: str) -> str:
    """A number stays on the line of its unit."""
    return _UNIT_APART.sub("\u00a0", text)


def _worded(said: ExplanationView) -> str:
    """Who worded it."""
    if said.status == "draft":
        return "Worded by fixed rules"
    who = said.model or "a language model"
    if said.status == "fluent":
        return f"Worded by {who}, every figure filled in and checked by rules"
    return f"Marked sentences worded by {who}, the others by fixed rules; every figure filled in by rules"


def languages() -> list[tuple[str, str]]:
    """(code, what its speakers call it) of those that there are."""
    return [(code, _NATIVE.get(code, code)) for code in LANGUAGES]


def read_as(reader: str, language: str) -> tuple[Audience, str]:
    """The reader and language of a page's address; what is not there is read for a clinician, in English."""
    return ("patient" if reader == "patient" else "clinician", language if language in LANGUAGES else "en")
