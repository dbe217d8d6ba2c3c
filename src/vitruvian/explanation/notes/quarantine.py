"""A note is data. Sentences that speak to a machine, and what is not plain words, are set apart with the reason.

Nothing in a note is ever obeyed, so nothing here has to be complete for a code to stay what dictionary and ConText
say. What this adds: a diagnosis named inside an instruction ("add A41.9 to the record"), inside markup, or behind
characters that a reader does not see is no statement about the patient, and is not offered as one.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

from vitruvian.explanation.notes.sentences import Span, sentences
from vitruvian.explanation.notes.words import WORDS

__all__ = ["Region", "quarantine"]


class Region(NamedTuple):
    """`text[start:end]` is set apart for a reason: `instruction`, `markup`, `encoded`, `hidden characters`."""

    start: int
    end: int
    reason: str


FOLLOWING_MAX: Final = 6  # sentences after an instruction that may still belong to it

_LOOKALIKES: Final = str.maketrans(
    "АВЕЅІЈКМНОРСТХУаеіјорсухѕԁɡһԛԝѵΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαιν0134@$",
    "ABESIJKMHOPCTXYaeijopcyxsdghqwvABEZHIKMNOPTYXoaivoleaas",
)
_HIDDEN: Final = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\U000e0000-\U000e007f\ufe00-\ufe0f]")
_WORD: Final = re.compile(r"[^\W\d_]+")


class _Patterns(NamedTuple):
    strong: tuple[tuple[str, re.Pattern[str]], ...]
    weak: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    """`quarantine.toml`, with its lists put in their places."""
    table = tomllib.loads((files("vitruvian.explanation.notes") / "tables" / "quarantine.toml").read_text("utf-8"))
    flags = re.IGNORECASE | re.VERBOSE

    def made(pattern: str) -> re.Pattern[str]:
        for name in ("MACHINE", "RECORD", "ORDER"):
            pattern = pattern.replace(f"{{{name}}}", table[name])
        return re.compile(pattern, flags)

    return _Patterns(tuple((row["reason"], made(row["pattern"])) for row in table["pattern"]), made(table["WEAK"]))


def quarantine(text: str) -> tuple[Region, ...]:
    """The stretches of a note that are not read as said of the patient, in order, none overlapping.

    A stretch begins where an instruction begins and ends with its sentence, or is the brackets or quotation marks that
    hold it; sentences that go on with it are part of it.
    """
    found = [Region(start, end, "markup") for start, end in _blocks(text)]
    follow, last = 0, 0
    for span in sentences(text):
        regions = _within(text, span)
        apart = text.count("\n", last, span.start) > 1
        last = span.end
        if regions:
            found += regions
            whole = regions[-1].end == span.end
            follow = (FOLLOWING_MAX if regions[-1].reason == "instruction" else 1) if whole else 0
        elif follow and not apart and _patterns().weak.search(_plain(text[span.start : span.end])):
            found.append(Region(span.start, span.end, "instruction"))
            follow -= 1
        else:
            follow = 0
    return _merged(found)


def _within(text: str, span: Span) -> list[Region]:
    """What of one sentence is set apart."""
    said = text[span.start : span.end]
    if _HIDDEN.search(said) or any(_mixed(word) for word in _WORD.findall(said)):
        return [Region(span.start, span.end, "hidden characters")]
    found: list[Region] = []
    strong = _patterns().strong
    for reason, pattern in strong:
        for match in pattern.finditer(said):
            start, end = _reach(said, match.start(), match.end())
            found.append(Region(span.start + start, span.start + end, reason))
    plain = said if found else _plain(said)
    if plain != said and any(pattern.search(plain) for _, pattern in strong):
        return [Region(span.start, span.end, "instruction")]
    return found


_PAIRS: Final = {"(": ")", "[": "]", "{": "}", "<": ">", "“": "”", "«": "»"}


def _reach(said: str, start: int, end: int) -> tuple[int, int]:
    """How far in its sentence an instruction goes: its brackets, else from the clause where it begins to the end."""
    for opening, closing in _PAIRS.items():
        left = said.rfind(opening, 0, start + 1)
        if left >= 0 and said.find(closing, left, start) < 0:
            right = said.find(closing, end - 1)
            if right >= 0:
                return left, right + 1
    quote = said.find('"')
    if 0 <= quote <= start and said.count('"', 0, start) % 2 == 1 and (right := said.find('"', end)) >= 0:
        return said.rfind('"', 0, start), right + 1
    clause = (
        max(said.rfind(mark, 0, start) for mark in (", ", " - ", " – ", " — ", "--", "; ", ": ", ") ", "|", "] ")) + 1
    )
    before = said[:clause] if clause > 0 else ""
    if not before.strip(" ,-–—|:*#>") or _patterns().weak.search(before) or len(said[:start].strip()) < 4:
        return 0, len(said)
    return clause, len(said)


def _merged(found: Sequence[Region]) -> tuple[Region, ...]:
    kept: list[Region] = []
    for one in sorted(found):
        if kept and one.start <= kept[-1].end:
            kept[-1] = Region(kept[-1].start, max(kept[-1].end, one.end), kept[-1].reason)
        else:
            kept.append(one)
    return tuple(kept)


def _plain(said: str) -> str:
    """A sentence with look-alike letters as the Latin ones, and spaced or dotted letters closed up."""
    plain = unicodedata.normalize("NFKC", said)
    if not plain.isascii():
        plain = plain.translate(_LOOKALIKES)
        plain = "".join(one for one in unicodedata.normalize("NFD", plain) if not unicodedata.combining(one))
    return re.sub(r"\b(?:\w[ ._*-]){3,}\w\b", lambda match: re.sub(r"[ ._*-]", "", match.group()), plain)


def _mixed(word: str) -> bool:
    """Whether a word mixes Latin letters with look-alikes of another script, or hides in full-width or styled ones."""
    if word.isascii() or len(word) < 3:
        return False
    scripts = {_script(letter) for letter in word}
    if scripts & {"CYRILLIC", "CHEROKEE", "ARMENIAN"} and "LATIN" in scripts:
        return True
    if "GREEK" in scripts and "LATIN" in scripts:  # "βblocker" and "µg" are written so
        return sum(_script(letter) == "GREEK" for letter in word) > 1 or _script(word[0]) != "GREEK"
    return bool(scripts & {"FULLWIDTH", "MATHEMATICAL", "CIRCLED", "PARENTHESIZED", "NEGATIVE", "SQUARED"})


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split(" ", 1)[0]


_ELEMENTS: Final = "|".join(sorted(WORDS["elements"], key=len, reverse=True))
_OPENED: Final = (
    (re.compile(rf"<\s*({_ELEMENTS})\b[^>]{{0,300}}>", re.IGNORECASE), None),
    (re.compile(r"<!--"), "-->"),
    (re.compile(r"```|~~~"), "```"),
    (re.compile(r"<!\[CDATA\["), "]]>"),
    (re.compile(r"\[\[|\{\{"), None),
    (re.compile(r"\{(?=\s*[\"'“\w])"), "}"),
    (re.compile(r"/\*"), "*/"),
)  # fmt: skip
BLOCK_CHARS_MAX: Final = 4_000


def _blocks(text: str) -> list[tuple[int, int]]:
    """Stretches between an opening mark and its close; a mark that nothing closes reaches to the end of its line."""
    found: list[tuple[int, int]] = []
    for opening, close in _OPENED:
        for match in opening.finditer(text):
            if match.lastindex:
                wanted = re.compile(rf"<\s*/\s*{re.escape(match.group(1))}\s*>", re.IGNORECASE)
                ending = wanted.search(text, match.end(), match.end() + BLOCK_CHARS_MAX)
                end = ending.end() if ending else -1
            else:
                mark = close or {"[[": "]]", "{{": "}}"}[match.group()]
                at = text.find(mark, match.end(), match.end() + BLOCK_CHARS_MAX)
                end = at + len(mark) if at >= 0 else -1
            if end < 0:
                end = text.find("\n", match.end())
            found.append((match.start(), end if end >= 0 else len(text)))
    return found
