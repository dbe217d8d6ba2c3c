"""A question as it is read: normalised, with what stands in it, and with marks in the place of names, spans and doses.

M a measurement, D a medicine or device, R an outcome, S a score, X a dose, T a span that is past, N one to come.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from vitruvian.explanation.ask.doses import Dose, doses_of
from vitruvian.explanation.ask.lexicon import Lexicon, Name, symbols_in
from vitruvian.explanation.ask.text import corrected, normal
from vitruvian.explanation.ask.times import Span, spans_of

__all__ = ["Read", "read"]


class Read(msgspec.Struct, frozen=True):
    """A question as read: normalised, with what stands in it, and with marks in place of that."""

    text: str
    masked: str
    example: str
    names: tuple[Name, ...]
    spans: tuple[Span, ...]
    doses: tuple[Dose, ...]
    unknown: tuple[str, ...]
    symbols: tuple[str, ...]


def read(question: str, now_us: int, zone: str, words: Lexicon) -> Read:
    """The question as read; pure. Raises LimitError for one that is too long."""
    text, unknown = corrected(normal(question, words.reads), words.known, words.by_head, words.real)
    spans, doses = spans_of(text, now_us, zone), doses_of(text)
    taken = [*((one.start, one.end) for one in spans), *((one.start, one.end) for one in doses)]
    names = tuple(
        one for one in words.names_in(text)
        if all(one.end <= start or one.start >= end for start, end in taken) and _meant(one, text)
    )  # fmt: skip
    # "The risk today" asks how it is now: today alone is no span to look back over.
    marks = [(one.start, one.end, "N" if one.ahead_h is not None else "T") for one in spans
             if text[one.start : one.end] != "today"]  # fmt: skip
    marks += [(one.start, one.end, "X") for one in doses]
    doing = bool(doses)
    marks += [(one.start, one.end, _mark(one, doing=doing)) for one in names]
    unknown = tuple(word for word in unknown if not any(word in one.text.split() for one in names))
    symbols = symbols_in(question)
    masked = _marked(text, marks)
    for word in re.findall(r"\b[A-Z][A-Za-z]?\b", question) if symbols else ():
        masked = re.sub(rf"\b{word.lower()}\b", "M", masked)
    return Read(text, masked, _as_example(masked), names, spans, doses, unknown, symbols)


def _meant(name: Name, text: str) -> bool:
    """Whether a word that is also an everyday one names a thing here."""
    before = text[: name.start].split()[-1:] or [""]
    if name.text == "news":
        return before[0] not in ("any", "good", "bad", "no", "some") and "news T" not in text
    if name.of("tasks") in ("deterioration", "cardiac_event"):
        return bool(re.search(r"\b(?:risks?|chances?|odds|likel\w+|probab\w+|model|danger)\b", text))
    return True


def _mark(name: Name, *, doing: bool) -> str:
    groups = [group for group, _ in name.concepts]
    if "given" in groups and (doing or "measured" not in groups):
        return "D"
    return {"measured": "M", "given": "D", "scores": "S", "tasks": "R"}[groups[0]]


def _marked(text: str, marks: list[tuple[int, int, str]]) -> str:
    made, at = [], 0
    for start, end, mark in sorted(marks):
        if start >= at:
            made += [text[at:start], f" {mark} "]
            at = end
    return " ".join("".join([*made, text[at:]]).split())


_EXAMPLE: Final = {"M": "lactate", "D": "noradrenaline", "R": "sepsis", "S": "early warning score", "X": "500 ml",
                   "T": "since six", "N": "in three hours"}  # fmt: skip


def _as_example(masked: str) -> str:
    """With one thing of each sort in place of the marks, as the examples have: what is compared is what is asked."""
    return re.sub(r"\b[MDRSXTN]\b", lambda match: _EXAMPLE[match.group()], masked)
