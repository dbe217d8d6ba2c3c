"""ConText: of what is mentioned, whether it is so, and of whom it is said.

After W. Chapman et al., A simple algorithm for identifying negated findings and diseases in discharge summaries
(J Biomed Inform 2001) and H. Harkema et al., ConText (J Biomed Inform 2009): words that cue an assertion reach over
the mentions after them, or before them, until a word that ends their reach. Code and word lists are this project's own.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from vitruvian.explanation.notes.base import Assertion, Experiencer, Mention
from vitruvian.explanation.notes.words import WORDS, Word, words

__all__ = ["Cue", "Reading", "cues", "read"]

_TABLE: Final = files("vitruvian.explanation.notes") / "tables" / "triggers.toml"
AFTER_WORDS_MAX: Final = 4  # between a mention and a cue that follows it
BEFORE_WORDS_MAX: Final = 40
_LISTS: Final = frozenset({"or", "nor", "and", "/", "versus", "vs"})
_NEGATED_LIST_WORDS: Final = 7  # in one item of a denied list; a longer one is a statement of its own
_STATES: Final = re.compile(
    r".*(?:cardic|pneic|noeic|tensive|febrile|feverish|thermic|glycemic|natremic|kalemic|ious)$"
)
_SPAN: Final = re.compile(r"\d+(?:h|hr|d|w|wk|m|mo|y|yr)|/7|/52|/12")
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_TIMES: Final = re.compile(r"x\d|\d{1,2}")

Direction = Literal["before", "after"]
Class = Literal["negated", "uncertain", "hypothetical", "historical", "family", "other", "pseudo", "hard", "soft"]


class Cue(NamedTuple):
    """Words `first` to `last` of a sentence that tell, and what they tell; `only` for that type of mention."""

    kind: Class
    direction: Direction
    first: int
    last: int
    only: str = ""


class Reading(NamedTuple):
    """What is asserted of a mention, and of whom; `told_by` are the cues that decided."""

    assertion: Assertion
    experiencer: Experiencer
    told_by: tuple[Cue, ...]


@dataclass(frozen=True, slots=True)
class _Phrase:
    kind: Class
    direction: Direction
    only: str


def cues(sentence: Sequence[Word], taken: Sequence[tuple[int, int]]) -> list[Cue]:
    """The cues of a sentence, from the left, the longest first; none inside a mention (`taken`: first and last words).

    Where one phrase may tell both ways (`? PE`, `PE ?`), both cues are given.
    """
    inside = {index for first, last in taken for index in range(first, last + 1)}
    phrases, longest = _phrases()
    found: list[Cue] = []
    at = 0
    while at < len(sentence):
        step = 1
        if at not in inside:
            for count in range(min(longest.get(sentence[at].folded, 0), len(sentence) - at), 0, -1):
                last = at + count - 1
                known = phrases.get(" ".join(word.folded for word in sentence[at : last + 1]))
                fitting = [phrase for phrase in known or () if _fits(phrase, sentence, at, last)]
                if fitting and not inside.intersection(range(at, last + 1)):
                    found += [Cue(phrase.kind, phrase.direction, at, last, phrase.only) for phrase in fitting]
                    if sentence[at].folded == "if" and all(phrase.direction == "after" for phrase in fitting):
                        found.append(Cue("hypothetical", "before", at, at))
                    step = count
                    break
        at += step
    return [cue for cue in found if cue.kind != "pseudo" and not _tells(cue, sentence)]


def _fits(phrase: _Phrase, sentence: Sequence[Word], first: int, last: int) -> bool:
    """Whether what follows lets a phrase tell of what stands before it: `Kidneys: no stone` denies no kidneys."""
    following = sentence[last + 1].folded if last + 1 < len(sentence) else ""
    if phrase.direction == "after" and sentence[first].folded in ("→", "before", "off"):
        return following.isalpha() == (sentence[first].folded == "→")  # one given for another; `falls before.`
    if phrase.direction == "after" and phrase.kind == "negated":
        listed = sentence[first].folded in (":", "-", "neg", "negative", "none")
        return not (listed and following[:1].isalnum()) or following in ("so", "but", "x2", "x3", "and")
    if (
        phrase.kind == "uncertain"
        and phrase.direction == "before"
        and first > 0
        and sentence[first].folded == "concerned"
    ):
        return sentence[first - 1].folded not in WORDS["persons"]
    if phrase.kind == "historical" and phrase.direction == "before" and sentence[last].folded in ("of", "history"):
        return not any(
            word.folded in WORDS["spans"] or _SPAN.fullmatch(word.folded)
            for word in sentence[max(0, first - 2) : first]
        )
    return True


def read(
    sentence: Sequence[Word],
    found: Sequence[Cue],
    mention: tuple[int, int],
    taken: Sequence[tuple[int, int]],
    type_: Mention,
) -> Reading:
    """What the cues of a sentence say of one mention, words `mention[0]` to `mention[1]`.

    Of several the strongest holds: spoken of only (`if`) before denied before doubted before past.
    """
    told: dict[str, Cue] = {}
    for cue in found:
        if cue.kind in ("hard", "soft") or (cue.only and cue.only != type_):
            continue
        if type_ == "finding" and cue.kind in ("negated", "uncertain"):
            continue
        reaches = _reaches_on if cue.direction == "before" else _reaches_back
        if reaches(cue, sentence, found, mention, taken):
            told.setdefault(cue.kind, cue)
    year = _year_after(sentence, mention, taken) if type_ == "condition" else None
    if year is not None:
        told.setdefault("historical", year)
    assertion: Assertion = "present"
    for kind in ("hypothetical", "negated", "uncertain", "historical"):
        if kind in told:
            assertion = kind
            break
    who: Experiencer = "family" if "family" in told else "other" if "other" in told else "patient"
    kept = tuple(told[kind] for kind in (assertion, who) if kind in told)
    return Reading(assertion, who, kept)


def _reaches_on(
    cue: Cue, sentence: Sequence[Word], found: Sequence[Cue], mention: tuple[int, int], taken: Sequence[tuple[int, int]]
) -> bool:
    """Whether a cue reaches forward to a mention."""
    start, goal = cue.last + 1, mention[0]
    if not start <= goal <= cue.last + BEFORE_WORDS_MAX:
        return False
    if (start < len(sentence) and sentence[start].folded in (",", ")")) or _is_heading(cue, sentence):
        return False
    if _leaves_brackets(sentence, start, goal):
        return False
    mentions = [first for first, _ in taken if start <= first < goal]
    for other in found:
        if start <= other.first < goal and _ends(other, sentence, cue, any(first < other.first for first in mentions)):
            return False
    return _list_goes_on(cue, sentence, start, mention, taken)


def _leaves_brackets(sentence: Sequence[Word], start: int, goal: int) -> bool:
    """Whether a bracket closes that was open at `start`: what a cue says inside brackets it says there only."""
    depth = 0
    for word in sentence[start:goal]:
        depth += (word.folded in "([") - (word.folded in ")]")
        if depth < 0:
            return True
    return False


def _ends(other: Cue, sentence: Sequence[Word], cue: Cue, past_mention: bool) -> bool:
    """Whether another cue ends this one's reach forward; a new cue of an assertion does once a mention was reached."""
    if other.kind == "hard":  # "if the patient has ..." goes on
        return cue.kind != "hypothetical" or sentence[other.first].folded not in ("pt", "patient")
    if other.kind == "soft":
        if cue.kind == "uncertain" and sentence[cue.first].folded in ("ddx", "differential"):
            return False
        auxiliary = sentence[other.first].folded in WORDS["auxiliaries"]
        if cue.kind == "historical" and other.first > cue.last + 1:
            return True
        return (cue.kind == "negated" and not auxiliary) or (
            cue.kind in ("negated", "uncertain", "historical") and past_mention
        )
    if other.direction == "after":
        return False
    if cue.kind in ("family", "other"):
        return other.kind in ("family", "other")
    return past_mention and other.kind not in ("family", "other") and cue.kind != "hypothetical"


def _list_goes_on(
    cue: Cue, sentence: Sequence[Word], start: int, mention: tuple[int, int], taken: Sequence[tuple[int, int]]
) -> bool:
    """Whether a mention further on still belongs to the list that a cue opened."""
    goal = mention[0]
    commas = [index for index in range(start, goal) if sentence[index].folded == ","]
    if cue.kind == "historical" and sentence[cue.first].folded in WORDS["one_only"]:
        return not commas
    if cue.kind not in ("negated", "uncertain") or not commas:
        return True
    rest = {word.folded for word in sentence[commas[0] :]}
    more = bool(rest & {"or", "nor", "versus", "vs"})
    if cue.kind == "uncertain":
        opened = {word.folded for word in sentence[cue.first : start]}
        return more or bool(opened & WORDS["lists"])
    bounds = [*commas, goal]
    for left, right in pairwise(bounds):
        if right - left - 1 > _NEGATED_LIST_WORDS:
            return False
    said = sentence[mention[0] : mention[1] + 1]
    state = len(said) == 1 and (said[0].folded in WORDS["states"] or bool(_STATES.fullmatch(said[0].folded)))
    first_word = sentence[commas[-1] + 1].folded if commas[-1] + 1 < len(sentence) else ""
    denied = sentence[cue.first].folded in ("denies", "denied", "denying", "deny", "negative", "neg")
    if said[0].folded in WORDS["verbs"] and not denied:  # "no blood, threw up once"
        return False
    return not (state and not denied and first_word not in _LISTS and not more)


def _reaches_back(
    cue: Cue, sentence: Sequence[Word], found: Sequence[Cue], mention: tuple[int, int], taken: Sequence[tuple[int, int]]
) -> bool:
    """Whether a cue reaches back to a mention: near, in the same clause, or in the list that ends before it."""
    between = range(mention[1] + 1, cue.first)
    if cue.first <= mention[1]:
        return False
    if sentence[cue.first].folded in ("?", "free") and len(between) > 0:
        return False
    mentions = [(first, last) for first, last in taken if mention[1] < first and last < cue.first]
    own = sum(last - first + 1 for first, last in mentions)
    if len(between) - own > AFTER_WORDS_MAX + 2 * len(mentions):
        return False
    for index in between:
        folded = sentence[index].folded
        beside = index == mention[1] + 1 and cue.first <= index + 2
        free = not cue.only or sentence[cue.first].folded in WORDS["ended"]
        told_at_once = folded == "," and index + 1 == cue.first and free and _closes(cue, sentence)
        if told_at_once and not mentions:
            continue
        if (folded in (":", "-") and not beside) or (folded == "," and not mentions):
            return False
        if folded in ("but", "then") or (folded == "," and cue.kind != "negated"):
            return False
    if mentions:  # "fever and cough were denied", not "cough, flu negative"
        joined_ = {sentence[index].folded for index in between} & {"and", "or", "nor", "/"}
        joined_ |= {"with"} & {sentence[index].folded for index in between}
        return bool(joined_) and cue.kind in ("negated", "uncertain", "historical") and len(between) - own <= 5
    return not any(
        other.direction == "before" and mention[1] < other.first < cue.first and other.kind not in ("hard", "soft")
        for other in found
    )


def _closes(cue: Cue, sentence: Sequence[Word]) -> bool:
    """Whether nothing follows a cue that it could speak of instead: `sepsis, now resolved`, not `fever, r/o flu`."""
    following = sentence[cue.last + 1].folded if cue.last + 1 < len(sentence) else ""
    return not following[:1].isalnum() or following in WORDS["closing"]


def _is_heading(cue: Cue, sentence: Sequence[Word]) -> bool:
    """`History:` opens a paragraph and tells nothing; `Ddx:` opens a list of doubts."""
    following = sentence[cue.last + 1].folded if cue.last + 1 < len(sentence) else ""
    if following != ":" or cue.only or cue.kind not in ("historical", "family"):
        return False
    spoken = {sentence[index].folded for index in range(cue.first, cue.last + 1)}
    return cue.kind == "historical" or bool(spoken & WORDS["family_headings"])  # "Mother: lupus" tells of her


def _tells(cue: Cue, sentence: Sequence[Word]) -> bool:
    """Whether a person named is the one who tells, and not the one who is spoken of."""
    if cue.kind not in ("family", "other") or cue.direction == "after":
        return False
    following = [word.folded for word in sentence[cue.last + 1 : cue.last + 3]]
    before = {word.folded for word in sentence[max(0, cue.first - 3) : cue.first]}
    if any(sentence[index].folded in ("history", "hx", "fhx", "fh", "h") for index in range(cue.first, cue.last + 1)):
        return False
    return bool(
        following[:1] and (set(following) & WORDS["tells"]) and following[0] not in ("had", "has", "with")
    ) or bool(before & WORDS["told_by"])


def _year_after(sentence: Sequence[Word], mention: tuple[int, int], taken: Sequence[tuple[int, int]]) -> Cue | None:
    """A year or an age right after a mention (`PE in 2015`, `concussion age 12`), or a year before it, dates it."""
    inside = {index for first, last in taken if first > mention[1] for index in range(first, last + 1)}
    before = mention[0] - 1
    if before >= 0 and _YEAR.fullmatch(sentence[before].folded):
        return Cue("historical", "before", before, before)
    for index in range(mention[1] + 1, min(mention[1] + 6, len(sentence))):
        folded = sentence[index].folded
        if _YEAR.fullmatch(folded):
            return Cue("historical", "after", index, index)
        if folded in ("age", "aged") and index + 1 < len(sentence) and sentence[index + 1].folded.isdigit():
            return Cue("historical", "after", index, index + 1)
        if folded == "at" and index + 1 < len(sentence) and sentence[index + 1].folded == "age":
            continue
        if inside and (folded == "of" or index in inside):
            continue
        if folded not in WORDS["dates"] and not _TIMES.fullmatch(folded):
            return None
    return None


@cache
def _phrases() -> tuple[dict[str, tuple[_Phrase, ...]], dict[str, int]]:
    """Folded phrases to what they tell, and by first word the length of the longest."""
    found: dict[str, list[_Phrase]] = {}
    for kind, direction, only, phrase in _listed():
        folded = " ".join(word.folded for word in words(phrase))
        if folded:
            found.setdefault(folded, []).append(_Phrase(kind, direction, only))
    longest: dict[str, int] = {}
    for phrase in found:
        first = phrase.split(" ", 1)[0]
        longest[first] = max(longest.get(first, 0), phrase.count(" ") + 1)
    return {phrase: tuple(dict.fromkeys(kinds)) for phrase, kinds in found.items()}, longest


def _listed() -> Iterator[tuple[Class, Direction, str, str]]:
    tables = tomllib.loads(_TABLE.read_text("utf-8"))
    names: dict[str, Class] = {"terminator": "hard", "soft_terminator": "soft"}
    for name, table in tables.items():
        kind, _, only = name.partition("_") if name not in names else (names[name], "", "")
        for direction in ("before", "after"):
            for phrase in table.get(direction, []):
                yield kind, direction, only, phrase  # type: ignore[misc]
        for phrase in table.get("phrases", []):
            yield kind, "before", "", phrase  # type: ignore[misc]
