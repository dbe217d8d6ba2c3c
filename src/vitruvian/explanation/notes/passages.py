"""Passages of a note that are not its author's: pasted, forwarded, forged or foreign. They are set apart as one block.

A record is prose about a patient. What claims to amend it without a name, to come from elsewhere, or to be a template
or an alert is shown apart with its reason and asserted of nobody; a person may still open and take it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from vitruvian.explanation.notes.sentences import sentences
from vitruvian.explanation.notes.words import WORDS

__all__ = ["passages"]

QUOTE_CHARS_MAX: Final = 1_500
QUOTE_NEAR_CHARS: Final = 80  # between the words that announce a quotation and its mark
FOREIGN_WORDS_MIN: Final = 3  # function words of another tongue that make a sentence foreign
_QUOTE: Final = re.compile('["“«]([^"”»]{1,1500})["”»]')
_WORD: Final = re.compile(r"[^\W\d_]+")
_STRUCK: Final = re.compile("(?:\\w[\u0300-\u036f\u0489\u20d0-\u20ff]+){3}")
_CLOSE: Final = re.compile(r"\"{3}|'{3}|```|-->")  # what closes a block ends the passage in it
_NAMED: Final = re.compile(
    r"\b(?:Dr|MD|DO|RN|NP|PA|Consultant|Prof|SHO|SpR|FY\d|Reg(?:istrar)?|Sister|Nurse|[Ss]igned by|dictated by)\b\.?"
    r"|\d{1,2}:\d\d|\b\d{4} ?h\b|\b[A-Z][a-z]+, (?:RN|MD|NP)\b"
)


@cache
def _openings() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What opens a passage, and what opens one unless a name or a time stands on its line."""
    table = tomllib.loads((files("vitruvian.explanation.notes") / "tables" / "passages.toml").read_text("utf-8"))
    flags = re.IGNORECASE | re.VERBOSE | re.MULTILINE
    return re.compile("|".join(table["openings"]), flags), re.compile("|".join(table["unless_named"]), flags)


def passages(text: str) -> Iterator[tuple[int, int, str]]:
    """(start, end, reason) of each passage: its line where it opens one, else its sentence, with what it quotes."""
    always, unnamed = _openings()
    for match in always.finditer(text):
        yield (*_extent(text, match), "pasted")
    for match in unnamed.finditer(text):
        start, end = _extent(text, match)
        if not _NAMED.search(text, match.end(), end):
            yield start, end, "pasted"
    for match in _STRUCK.finditer(text):
        yield (*_extent(text, match), "hidden characters")
    for span in sentences(text):
        found = {word.casefold() for word in _WORD.findall(text[span.start : span.end])}
        if len(found & WORDS["foreign"]) >= FOREIGN_WORDS_MIN and len(found & WORDS["english"]) < 2:
            yield span.start, span.end, "other language"


def _extent(text: str, match: re.Match[str]) -> tuple[int, int]:
    line = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    end = len(text) if end < 0 else end
    before = text[line : match.start()]
    stops = [before.rfind(mark) + len(mark) for mark in (". ", "? ", "! ", "; ") if mark in before]
    start = line + max(stops, default=0)
    quote = _QUOTE.search(text, match.start(), min(len(text), match.end() + QUOTE_NEAR_CHARS + QUOTE_CHARS_MAX))
    if quote is not None and quote.start() - match.end() <= QUOTE_NEAR_CHARS:
        return start, quote.end()
    if start == line or not text[line:start].strip():
        mark = _CLOSE.search(text, match.end(), end)
        return start, mark.end() if mark else end
    stop = re.compile(r"[.!?](?=\s|$)").search(text, match.end(), end)
    closing = text.find("]", match.end(), end) + 1 if "[" in text[start : match.start()] else 0
    return start, closing or (stop.end() if stop else end)
