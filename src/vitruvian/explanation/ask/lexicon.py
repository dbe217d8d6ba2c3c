"""What is known of words: names of things, plain words, words of what no twin knows, and example questions."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

import msgspec

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.core.vocabulary.vocabulary import names_of
from vitruvian.explanation.ask.text import normal

__all__ = ["Group", "Lexicon", "Name", "lexicon", "table"]

Group = Literal["measured", "given", "scores", "tasks"]
SCORES: Final = ("news2", "qsofa", "sofa_partial", "shock_index")
_WORD: Final = re.compile(r"[a-z]{2,}")
# Held to the case they are written in: `K` is potassium, `k` is not.
_SYMBOLS: Final = {"K": "potassium", "Na": "sodium", "Cl": "chloride", "Ca": "calcium", "Mg": "magnesium", "Fe": "iron",
                   "CO": "cardiac_output", "CI": "cardiac_index", "SV": "stroke_volume", "EF": "ejection_fraction",
                   "BE": "base_excess"}  # fmt: skip


class Name(msgspec.Struct, frozen=True):
    """A thing that a question names: where (in characters of the normalised question), and what it may be."""

    start: int
    end: int
    text: str
    concepts: tuple[tuple[Group, str], ...]

    def of(self, *groups: Group) -> str:
        """The concept of the first of these groups that it may be; empty where it is none."""
        return next((concept for group in groups for known, concept in self.concepts if known == group), "")


class Lexicon(msgspec.Struct, frozen=True):
    """`names`: phrases (by words) and what they mean. `known`: every word that is understood; `real`: words that
    are words, and no slips of known ones; `strange`: see words.toml."""

    names: Mapping[tuple[str, ...], tuple[tuple[Group, str], ...]]
    known: frozenset[str]
    real: frozenset[str]
    by_head: Mapping[str, frozenset[str]]
    strange: frozenset[str]
    reads: Mapping[str, str]
    longest: int

    def names_in(self, text: str) -> tuple[Name, ...]:
        """The longest names in a normalised question, in order; none overlaps another."""
        words = [(match.start(), match.end(), match.group()) for match in re.finditer(r"[^\s;?!,]+", text)]
        found: list[Name] = []
        at = 0
        while at < len(words):
            for length in range(min(self.longest, len(words) - at), 0, -1):
                meant = self.names.get(tuple(_singular(word) for _, _, word in words[at : at + length]))
                if meant:
                    begin, end = words[at][0], words[at + length - 1][1]
                    found.append(Name(begin, end, text[begin:end], meant))
                    break
            else:
                length = 1
            at += length
        return tuple(found)


def symbols_in(question: str) -> tuple[str, ...]:
    """Concepts named by a chemical symbol, as it is written."""
    return tuple(
        dict.fromkeys(_SYMBOLS[word] for word in re.findall(r"\b[A-Z][A-Za-z]?\b", question) if word in _SYMBOLS)
    )


def table(name: str) -> dict[str, Any]:
    """A table of this package."""
    return tomllib.loads(resources.files(__package__).joinpath(f"{name}.toml").read_text("utf-8"))


@cache
def lexicon() -> Lexicon:
    """The lexicon; made once."""
    words = table("words")
    reads: dict[str, str] = words["reads"]
    names: dict[tuple[str, ...], list[tuple[Group, str]]] = {}
    for phrase, group, concept in _named(reads, frozenset(words["unheard"].split())):
        meant = names.setdefault(tuple(_singular(word) for word in phrase.split()), [])
        if (group, concept) not in meant:
            meant.append((group, concept))
    examples = table("prototypes")
    asked = " ".join(text for intent, texts in examples.items() if intent != "unanswerable" for text in texts)
    strange = frozenset(words["strange"].split())
    spelled = " ".join([words["plain"], asked, *(" ".join(phrase) for phrase in names), *reads.values()])
    known = frozenset(_WORD.findall(normal_words(spelled))) | strange
    patterns = " ".join(row["pattern"] for name in ("refusals", "intents") for rows in table(name).values()
                        if isinstance(rows, list) for row in rows)  # fmt: skip
    real = (
        known | frozenset(words["real"].split()) | frozenset(re.findall(r"(?<![a-z\\])[a-z]{3,}(?![a-z\\])", patterns))
    )
    by_head = {head: frozenset(word for word in known if word[0] == head) for head in {word[0] for word in known}}
    return Lexicon({key: tuple(value) for key, value in names.items()}, known, real, by_head, strange, reads,
                   max(map(len, names)))  # fmt: skip


def normal_words(text: str) -> str:
    """Words for the list of known ones: also each as it stands without its plural."""
    return " ".join(f"{word} {_singular(word)}" for word in text.casefold().split())


def _named(reads: Mapping[str, str], unheard: frozenset[str]) -> Iterator[tuple[str, Group, str]]:
    aliases: dict[Group, dict[str, list[str]]] = table("aliases")  # type: ignore[assignment]
    for group, rows in aliases.items():
        for concept, phrases in rows.items():
            for phrase in phrases:
                yield normal(phrase, reads), group, concept
    for one in VOCABULARY:
        if one.retired or one.kind == "score":
            continue
        meant: Group = "given" if one.kind == "intervention" else "measured"
        for text in names_of(one):
            phrase = normal(text.replace("_", " ").split(" (", 1)[0], reads)
            if phrase and phrase not in unheard and len(phrase) > 1:
                yield phrase, meant, one.name


def _singular(word: str) -> str:
    """Without the `s` of a plural: enough for names of things."""
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
