"""Sentences: where one statement ends and the next begins, in prose, lists and clipped notes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from vitruvian.explanation.notes.words import WORDS

__all__ = ["Span", "sentences"]

LINE_WRAP_MIN: Final = 60  # a line shorter than this was ended by its writer, not by the margin
_STOP: Final = re.compile(
    r"[.!?;]+(?=[\s\"')\]\u200b-\u200f\u2060-\u206f\u202a-\u202e\U000e0000-\U000e007f]|$)|[。！？；|•·●▪◦]|(?<=\s)[*](?=\s)"
)
_NEWLINE: Final = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_BULLET: Final = re.compile(r"\s*(?:[-*•·●▪◦>+#]|\(?\d{1,2}[.)]|\[[ xX✓]?\]|[a-zA-Z]\))\s*")


class Span(NamedTuple):
    """A stretch of the text, `text[start:end]`."""

    start: int
    end: int


def sentences(text: str) -> Iterator[Span]:
    """The sentences of a text, in order; together they hold every word."""
    for line in _lines(text):
        start = line.start
        for match in _STOP.finditer(text, line.start, line.end):
            if match.start() < start or _goes_on(text, start, match):
                continue
            if match.start() > start:
                yield from _trimmed(text, start, match.end())
            start = match.end()
        yield from _trimmed(text, start, line.end)


def _lines(text: str) -> Iterator[Span]:
    """Lines, those joined that a margin has broken."""
    start = 0
    for match in _NEWLINE.finditer(text):
        if not _wrapped(text, start, match):
            yield Span(start, match.start())
            start = match.end()
    yield Span(start, len(text))


def _wrapped(text: str, start: int, newline: re.Match[str]) -> bool:
    last = max(text.rfind(mark, start, newline.start()) for mark in "\n\r") + 1
    line = text[max(start, last) : newline.start()]
    following = text[newline.end() : newline.end() + 1]
    return (
        len(line) >= LINE_WRAP_MIN
        and (following.islower() or following.isdigit())
        and not line.rstrip().endswith((".", ":", ";"))
        and not _BULLET.match(text, newline.end())
    )


def _goes_on(text: str, start: int, mark: re.Match[str]) -> bool:
    """Whether a mark ends nothing: `? PE` asks of what follows."""
    if mark.group() == ".":
        return _inside(text, start, mark.start())
    asked = mark.group().startswith("?")
    return asked and (mark.start() == start or text[mark.start() - 1] in " \t(")


def _inside(text: str, start: int, dot: int) -> bool:
    """Whether a full stop belongs to an abbreviation, an initial (`C. difficile`) or the number of a list's item."""
    before = text[start:dot].split()
    if not before:
        return False
    word, following = before[-1].lstrip("([").casefold(), text[dot + 1 : dot + 3].strip()
    if word in WORDS["titles"]:
        return True
    if len(before) == 1 and word.isdigit() and len(word) <= 2:  # "1. Sepsis"
        return True
    initial = len(word) == 1 and word.isalpha() and not (len(before) > 1 and before[-2][-1].isdigit())
    return following[:1].islower() and (initial or word in WORDS["abbreviations"])


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if end > start:
        yield Span(start, end)
