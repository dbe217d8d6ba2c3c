"""Words with their places, and the form in which words are compared: no case, one spelling, no plural, no hyphen."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

__all__ = ["WORDS", "Word", "fold", "key", "words"]

# A word is letters and digits, with an apostrophe inside; anything else that is not blank stands alone.
_TOKEN: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[^\s\w]|_")
_HYPHENS: Final = frozenset("-‐‑–")
_FREE_HYPHEN: Final = "-"
_GAP: Final = re.compile(r"[^\S\n]*|[-‐‑–]|[^\S\n]*\n[^\S\n]*")
_POSSESSIVE: Final = re.compile(r"['’]s?$")
_PLURAL_ABBREVIATION: Final = re.compile(r"[A-Z]{2,}s")
_KEPT_S: Final = ("ss", "us", "is", "ous")
_IRREGULAR: Final = {
    "metastase": "metastasis", "metastases": "metastasis", "emboli": "embolus", "thrombi": "thrombus",
    "diagnoses": "diagnosis", "thromboses": "thrombosis", "stenoses": "stenosis", "prostheses": "prosthesis",
    "vertebrae": "vertebra", "effusions": "effusion", "calculi": "calculus", "stools": "stool",
    "bacteria": "bacterium", "fx": "fracture", "fxs": "fracture", "bilat": "bilateral", "criteria": "criterion",
}  # fmt: skip

_TABLE: Final = files("vitruvian.explanation.notes") / "tables" / "words.toml"
# Word lists of the rules, by name.
WORDS: Final = {name: frozenset(items) for name, items in tomllib.loads(_TABLE.read_text("utf-8")).items()}


class Word(NamedTuple):
    """One word: its folded form, and where it stands in the text."""

    folded: str
    start: int
    end: int


def words(text: str, start: int = 0, end: int | None = None) -> list[Word]:
    """The words of a stretch of text. A hyphen inside a word is no word; one that stands free is."""
    found: list[Word] = []
    stop = len(text) if end is None else end
    for match in _TOKEN.finditer(text, start, stop):
        token = match.group()
        if token in _HYPHENS:
            at = match.start()
            if start < at and at + 1 < stop and text[at - 1].isalnum() and text[at + 1].isalnum():
                continue
            token = _FREE_HYPHEN
        found.append(Word(fold(token), match.start(), match.end()))
    return found


def joined(text: str, before: Word, after: Word) -> bool:
    """Whether two words may belong to one name: a blank, a hyphen or a turned line between them, and no more."""
    return _GAP.fullmatch(text, before.end, after.start) is not None


def key(name: str) -> str:
    """The folded words of a name with a blank between each."""
    return " ".join(word.folded for word in words(name))


@lru_cache(maxsize=65_536)
def fold(token: str) -> str:
    """A word as it is compared: `Oedemas` and `edema` agree."""
    if len(token) > 64:
        return token.casefold()
    if _PLURAL_ABBREVIATION.fullmatch(token):
        return token[:-1].casefold()
    plain = _POSSESSIVE.sub("", token).casefold() or token
    return _singular(_spelling(plain))


def _spelling(token: str) -> str:
    """British and American spelling as one. What results is compared, never shown."""
    if len(token) < 5 or not token.isalpha():
        return token
    token = token.replace("ae", "e").replace("oe", "e").replace("our", "or").replace("sulph", "sulf")
    token = re.sub(r"([iy])s(e[ds]?|ing|ation|er)$", r"\1z\2", token)
    return re.sub(r"(?<=[bt])re$", "er", token)


def _singular(token: str) -> str:
    if token in _IRREGULAR:
        return _IRREGULAR[token]
    if len(token) < 4 or not token.endswith("s") or not token.isalpha() or token.endswith(_KEPT_S):
        return token
    if token.endswith("ies") and len(token) > 5:
        return token[:-3] + "y"
    if token.endswith(("sses", "shes", "ches", "xes")):
        return token[:-2]
    return token[:-1]


def starts_with(words_: Sequence[Word], at: int, phrase: Sequence[str]) -> bool:
    """Whether the words from `at` on are those of a phrase."""
    return len(words_) - at >= len(phrase) and all(words_[at + i].folded == part for i, part in enumerate(phrase))
