"""A note is data. Sentences that speak to a machine, and what is not plain words, are set apart with the reason.

Nothing in a note is ever obeyed, so nothing here has to be complete for a code to stay what dictionary and ConText
say. What this adds: a diagnosis named inside an instruction ("add A41.9 to the record"), inside markup, or behind
characters that a reader does not see is no statement about the patient, and is not offered as one.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

from vitruvian.explanation.notes.passages import passages
from vitruvian.explanation.notes.payloads import encoded, payloads, resumed
from vitruvian.explanation.notes.sentences import Span, sentences

__all__ = ["Region", "quarantine"]


class Region(NamedTuple):
    """`text[start:end]` is set apart for a reason: `instruction`, `markup`, `encoded`, `hidden characters`, `pasted`,
    `other language`.
    """

    start: int
    end: int
    reason: str


FOLLOWING_MAX: Final = 6  # sentences after an instruction that may still belong to it
NAME_WORDS_MAX: Final = 2

_LOOKALIKES: Final = str.maketrans(
    "АВЕЅІЈКМНОРСТХУаеіјорсухѕԁɡһԛԝѵΑΒΕΖΗΙΚΜΝΟΡΤΥΧοαιν0134@$",
    "ABESIJKMHOPCTXYaeijopcyxsdghqwvABEZHIKMNOPTYXoaivoleaas",
)
_TAGS: Final = re.compile("[\U000e0000-\U000e007f]+")  # letters that no screen shows
_TURNED: Final = re.compile("[\u202a-\u202e\u2066-\u2069][^\n\u202c\u2069]*[\u202c\u2069]?")  # other direction
_UNSEEN: Final = re.compile("[\u00ad\u180e\u200b-\u200f\u2060-\u2064]+")
_LEET: Final = re.compile(r"\b(?=\w*[a-z]{2})(?=\w*\d)\w{4,}\b")  # 1gn0re
_DIGITS: Final = str.maketrans("01345", "oieas")
_WORD: Final = re.compile(r"[^\W\d_]+")


class _Patterns(NamedTuple):
    strong: tuple[tuple[str, re.Pattern[str]], ...]
    weak: re.Pattern[str]
    workflow: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    """`quarantine.toml`, with its lists put in their places."""
    table = tomllib.loads((files("vitruvian.explanation.notes") / "tables" / "quarantine.toml").read_text("utf-8"))
    flags = re.IGNORECASE | re.VERBOSE

    def made(pattern: str) -> re.Pattern[str]:
        for name in ("MACHINE", "RECORD", "ORDER"):
            pattern = pattern.replace(f"{{{name}}}", table[name])
        return re.compile(pattern, flags)

    return _Patterns(
        tuple((row["reason"], made(row["pattern"])) for row in table["pattern"]),
        made(table["WEAK"]),
        made(table["WORKFLOW"]),
    )


def quarantine(text: str) -> tuple[Region, ...]:
    """The stretches of a note that are not read as said of the patient, in order, none overlapping.

    A stretch begins where an instruction begins and ends with its sentence, or is the brackets or quotation marks that
    hold it; sentences that go on with it are part of it.
    """
    found = [Region(start, end, "markup") for start, end in payloads(text)]
    found += _unseen(text)
    found += [Region(*one) for one in passages(text)]
    blocks = _merged(found)
    follow, last, statement = 0, 0, False
    between: Span | None = None  # a name or so, which belongs to what it stands between
    for span in sentences(text):
        regions = _within(text, span, blocks)
        apart = text.count("\n", last, span.start) > 1
        last = span.end
        if regions:
            found += regions
            whole = regions[-1].end == span.end
            if whole and follow and between and not apart:
                found.append(Region(between.start, between.end, "instruction"))
            follow = (FOLLOWING_MAX if regions[-1].reason == "instruction" else 1) if whole else 0
            statement, between = text[span.end - 1] == ";", None
            continue
        if any(block.start <= span.start < block.end < span.end for block in blocks):
            follow, between = 0, None  # its end is beside a payload, and its own
            continue
        goes_on = follow and not apart and _goes_on(text, span, statement)
        if goes_on and (between is None or _patterns().workflow.search(_plain(text[span.start : span.end]))):
            found.append(Region(between.start if between else span.start, span.end, "instruction"))
            follow, between = follow - 1, None
        elif follow and not apart and between is None and len(text[span.start : span.end].split()) <= NAME_WORDS_MAX:
            between = span
        else:
            follow, between = 0, None
    return _merged(found)


def _goes_on(text: str, span: Span, statement: bool) -> bool:
    """Whether a sentence is part of the instruction before it."""
    said = _plain(text[span.start : span.end])
    patterns = _patterns()
    return (statement and text[span.start].islower()) or bool(
        patterns.weak.search(said) or patterns.workflow.search(said)
    )


def _within(text: str, span: Span, blocks: Sequence[Region]) -> list[Region]:
    """What of one sentence is set apart."""
    said = text[span.start : span.end]
    found: list[Region] = []
    odd = [] if said.isascii() else [match for match in _WORD.finditer(said) if _mixed(match.group())]
    if odd:
        start, end = _reach(said, odd[0].start(), odd[0].start() + 1)
        goes_on = said[odd[-1].end() :].lstrip()[:1]
        if (
            len(odd) > 1 and not goes_on.islower() and all(_styled(match.group()) for match in odd)
        ):  # the words in such letters, no others
            start, end = odd[0].start(), odd[-1].end()
        found.append(Region(span.start + start, span.start + end, "hidden characters"))
    strong = _patterns().strong
    for reason, pattern in strong:
        for match in pattern.finditer(said):
            at = span.start + match.start() + len(match.group()) - len(match.group().lstrip())
            held = [one for one in blocks if one.start <= at and span.start + match.end() <= one.end]
            if held:  # it goes as far as what holds it, and the words beside that stay
                end = max(one.end for one in held)
                found += [Region(at, span.end, reason)] if end >= span.end else []
                continue
            start, end = _extent(said, reason, match)
            found.append(Region(span.start + start, span.start + end, reason))
    plain = said if found else _plain(said)
    if plain != said and any(pattern.search(plain) for _, pattern in strong):
        return [Region(span.start, span.end, "instruction")]
    return found


def _extent(said: str, reason: str, match: re.Match[str]) -> tuple[int, int]:
    """How far in its sentence goes what a pattern found: a payload no further than its letters or marks."""
    start, end = _reach(said, match.start(), match.end())
    if reason == "encoded" and set("%\\").intersection(match.group()):
        return encoded(said, *match.span())
    if reason == "encoded":
        labelled = said[: match.start()].rstrip().endswith(":")
        return (min(start, match.start()) if labelled else match.start()), match.end()
    if reason == "markup" and end == len(said):
        start = match.start() if match.group().lstrip()[:1] in _MARKS else start
        return start, resumed(said, match.end(), end, structural=False)
    return start, end


_MARKS: Final = frozenset("<`{}[]$%!\"“'")  # where markup begins with one of these, the words before it are none of it


def _unseen(text: str) -> Iterator[Region]:
    """What a reader does not see: letters of no shape, text turned round, and words with gaps of no width."""
    for pattern in (_TAGS, _TURNED):
        for match in pattern.finditer(text):
            yield Region(match.start(), match.end(), "hidden characters")
    for match in _UNSEEN.finditer(text):
        start, end = match.span()
        if start > 0 and end < len(text) and text[start - 1].isalpha() and text[end].isalpha():
            while start > 0 and not text[start - 1].isspace():
                start -= 1
            while end < len(text) and not text[end].isspace():
                end += 1
        yield Region(start, end, "hidden characters")


_PAIRS: Final = {"(": ")", "[": "]", "{": "}", "<": ">", "“": "”", "«": "»"}


def _reach(said: str, start: int, end: int) -> tuple[int, int]:
    """How far in its sentence an instruction goes: its brackets, else from the clause where it begins to the end."""
    for opening, closing in _PAIRS.items():
        left = said.rfind(opening, 0, start + 1)
        if left >= 0 and said.find(closing, left, start) < 0:
            right = said.find(closing, end - 1)
            if right >= 0 and not said[right + 1 :].lstrip().startswith(":"):
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
    plain = unicodedata.normalize("NFKC", _UNSEEN.sub("", _TAGS.sub("", said)))
    if not plain.isascii():
        plain = plain.translate(_LOOKALIKES)
        plain = "".join(one for one in unicodedata.normalize("NFD", plain) if not unicodedata.combining(one))
    plain = _LEET.sub(lambda match: match.group().translate(_DIGITS), plain)
    return re.sub(r"\b(?:\w[ ._*-]){3,}\w\b", lambda match: re.sub(r"[ ._*-]", "", match.group()), plain)


def _mixed(word: str) -> bool:
    """Whether a word is in another script, mixes scripts to look like Latin, or hides in styled letters."""
    if word.isascii():
        return False
    scripts = {_script(letter) for letter in word} - _FAMILIAR
    if scripts - {"GREEK"}:
        return True
    if scripts and len(word) > 1:  # "βblocker" and "µg" are written so, "ΑΚΙ" is not
        greek = sum(_script(letter) == "GREEK" for letter in word)
        return greek > 1 or _script(word[0]) != "GREEK"
    return False


def _styled(word: str) -> bool:
    """Whether every letter of a word is another letter's styled or wide form."""
    return all(unicodedata.normalize("NFKC", letter) != letter for letter in word)


_FAMILIAR: Final = frozenset({"LATIN", "MICRO", "FEMININE", "MASCULINE", "MODIFIER", "KELVIN", "ANGSTROM", "OHM"})


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split(" ", 1)[0]
