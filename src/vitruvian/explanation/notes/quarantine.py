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
from vitruvian.explanation.notes.sentences import Span, sentences
from vitruvian.explanation.notes.words import WORDS

__all__ = ["Region", "quarantine"]


class Region(NamedTuple):
    """`text[start:end]` is set apart for a reason: `instruction`, `markup`, `encoded`, `hidden characters`, `pasted`,
    `other language`.
    """

    start: int
    end: int
    reason: str


FOLLOWING_MAX: Final = 6  # sentences after an instruction that may still belong to it

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
    found += _unseen(text)
    found += [Region(*one) for one in passages(text)]
    blocks = tuple(found)
    follow, last, statement = 0, 0, False
    for span in sentences(text):
        regions = _within(text, span, blocks)
        apart = text.count("\n", last, span.start) > 1
        last = span.end
        if regions:
            found += regions
            whole = regions[-1].end == span.end
            follow = (FOLLOWING_MAX if regions[-1].reason == "instruction" else 1) if whole else 0
            statement = text[span.end - 1] == ";"
        elif (
            follow
            and not apart
            and (
                (statement and text[span.start].islower())
                or _patterns().weak.search(_plain(text[span.start : span.end]))
            )
        ):
            found.append(Region(span.start, span.end, "instruction"))
            follow -= 1
        else:
            follow = 0
    return _merged(found)


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
            at = span.start + match.start()
            if any(block.start <= at and span.start + match.end() <= block.end < span.end for block in blocks):
                continue
            start, end = _reach(said, match.start(), match.end())
            if reason == "encoded" and not set("%\\").intersection(match.group()):  # it ends where its letters end
                labelled = said[: match.start()].rstrip().endswith(":")
                start, end = (min(start, match.start()) if labelled else match.start()), match.end()
            found.append(Region(span.start + start, span.start + end, reason))
    plain = said if found else _plain(said)
    if plain != said and any(pattern.search(plain) for _, pattern in strong):
        return [Region(span.start, span.end, "instruction")]
    return found


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


_ELEMENTS: Final = "|".join(sorted(WORDS["elements"], key=len, reverse=True))
# A ruled line that speaks of instructions opens what the next ruled line closes.
_HEADED: Final = re.compile(
    r"(?im)^[ \t]*[-=*#<\[]{2,}[^\n]*\b(?:begin|start|system|instructions?|prompt|override|admin|assistant|ai)\b"
)
_OPENED: Final = (
    (re.compile(rf"<\s*({_ELEMENTS})\b[^>]{{0,300}}>", re.IGNORECASE), None),
    (re.compile(r"<!--"), "-->"),
    (re.compile(r"```|~~~"), "```"),
    (re.compile(r"<!\[CDATA\["), "]]>"),
    (re.compile(r"\[\[|\{\{"), None),
    (re.compile(r"\{(?=\s*[\"'“\w])"), "}"),
    (re.compile(r"/\*"), "*/"),
    (re.compile(r"\"{3}|'{3}"), '"""'),
    (re.compile(r"(?:['\")]{1,4}\s?;?\s?)?\b(?:insert\s+into|drop\s+table|delete\s+from)\b", re.IGNORECASE), "--"),
    (re.compile(r"(?m)^[ \t]*(?:MSH|PID|OBX|DG1|OBR|NTE|PV1|AL1|ZZ\w)(?=\|)"), "\n"),
    (re.compile(r"<\|[^|\n]{1,40}\|>"), "<|"),
    (_HEADED, "==="),
)  # fmt: skip
_RULE: Final = re.compile(r"(?m)^[ \t]*[-=*#<\[/]{2,}[^\n]*$")  # a line that closes what such a line opened
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
                if mark == "===":
                    ending = _RULE.search(text, match.end(), match.end() + BLOCK_CHARS_MAX)
                    end = ending.end() if ending else -1
            if end < 0 and close == '"""':
                continue  # it closed what the mark before it opened
            if end < 0:
                end = text.find("\n", match.end())
            found.append((match.start(), end if end >= 0 else len(text)))
    return found
