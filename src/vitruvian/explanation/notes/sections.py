"""Sections of a note: which part of it a sentence stands in, by its heading."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

__all__ = ["Section", "section_at", "sections"]

_TABLE: Final = files("vitruvian.explanation.notes") / "tables" / "sections.toml"
_OF_A_SENTENCE: Final = frozenset({"family", "past", "allergies", "differential", "return"})
_SENTENCE_END: Final = re.compile(r"[.;](?=\s|$)")
NAMING_WORDS_MAX: Final = 3  # `PMH: HTN. Type 2 diabetes. Seen today with a cough.`
_BULLET: Final = re.compile(r"\s*(?:[-*•·●▪◦>+#]|\(?\d{1,2}[.)])")


class Section(NamedTuple):
    """`kind` (family, past, allergies, ...; empty for the body of the note) holds from `start` to `end`."""

    kind: str
    start: int
    end: int


def sections(text: str) -> tuple[Section, ...]:
    """The sections of a text in order; what no heading governs is left out.

    A heading alone on its line governs what follows to the next heading or to a blank line after its content; one with
    words beside it governs its own line, and list items below.
    """
    heads = [match for match in _heading().finditer(text) if _is_heading(text, match)]
    found: list[Section] = []
    for index, match in enumerate(heads):
        limit = heads[index + 1].start("name") if index + 1 < len(heads) else len(text)
        kind = _kinds()[_folded(match["name"])]
        end = _end(text, match.end(), limit)
        if kind in _OF_A_SENTENCE:
            end = _short(text, match.end(), end)
        if kind:
            found.append(Section(kind, match.start("name"), end))
    return tuple(found)


def section_at(found: Sequence[Section], place: int) -> str:
    """The kind of the section at a place in the text; empty where there is none."""
    index = bisect_right([section.start for section in found], place) - 1
    return found[index].kind if index >= 0 and place < found[index].end else ""


@cache
def _kinds() -> dict[str, str]:
    tables = tomllib.loads(_TABLE.read_text("utf-8"))
    return {_folded(name): "" if kind == "body" else kind for kind, names in tables.items() for name in names}


@cache
def _heading() -> re.Pattern[str]:
    names = sorted(_kinds(), key=len, reverse=True)
    either = "|".join(re.escape(name).replace(r"\ ", r"[ \t_-]+") for name in names)
    return re.compile(
        rf"(?:^|(?<=[\n\r.;|])|(?<=[.;|] )|(?<=  ))[ \t]{{0,8}}"
        rf"(?:[#*=_>•-]{{1,8}}[ \t]{{0,8}}|\(?\d{{1,2}}[.)][ \t]{{0,8}})?"
        rf"(?P<name>{either})(?![^\W_])[ \t]{{0,8}}(?:[*_#=]{{1,8}})?(?:\([^)\n]{{0,40}}\))?"
        rf"(?P<mark>:|[ \t]{{0,8}}[-–—=](?=[ \t])|)"
        r"[*_]*",
        re.IGNORECASE,
    )


def _is_heading(text: str, match: re.Match[str]) -> bool:
    """With a colon anywhere; a dash, or nothing, only at a line's start, alone or as an abbreviation in capitals."""
    if match["mark"] == ":":
        return True
    at_start = not text[text.rfind("\n", 0, match.start("name")) + 1 : match.start("name")].strip(" \t#*=_>•-")
    alone = not text[match.end() : _line_end(text, match.end())].strip(" \t*_#=:-")
    if at_start and alone:
        return True
    name = match["name"]
    return name.isupper() or (name[:2].isupper() and name.endswith("x")) or (at_start and match["mark"] != "")


def _short(text: str, start: int, end: int) -> int:
    """The end of what a heading within a line governs: its first sentence, and those after it that only name."""
    line = _line_end(text, start)
    if not text[start:line].strip(" \t*_#=:-\r"):
        return end
    for match in _SENTENCE_END.finditer(text, start, min(line, end)):
        following = text[match.end() : line].split(".", 1)[0]
        if len(following.split()) > NAMING_WORDS_MAX:
            return match.end()
    return end


def _line_end(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end


def _end(text: str, start: int, limit: int) -> int:
    end = _line_end(text, start)
    beside = bool(text[start:end].strip(" \t*_#=:-\r"))
    seen = beside
    while end < limit:
        following = _line_end(text, end + 1)
        line = text[end + 1 : following]
        if not line.strip():
            if seen:
                break
        elif beside and not _BULLET.match(line) and not line[:1].isspace() and not line[:1].islower():
            break
        else:
            seen = True
        end = following
    return min(end, limit)


def _folded(name: str) -> str:
    return " ".join(re.split(r"[ \t_-]+", name.strip().casefold()))
