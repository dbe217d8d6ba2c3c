"""Sentence patterns: a small notation for all the ways in which one thing may be said.

`The (estimated|modelled) risk of {outcome} [now] is {risk} .` is words, slots in braces, `(a|b)` for a choice, `[a]`
for what may be left out; marks of punctuation are words of their own, and a literal bracket is written `<<` or `>>`. A
pattern is a finite set of sentences. Two readings of it do not know of each other: one decides whether a sentence is
among them, the other is a grammar (GBNF) that forces a model to write one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Final

import msgspec

__all__ = [
    "Choice",
    "Node",
    "Run",
    "Word",
    "ends",
    "gbnf",
    "lowered",
    "parse",
    "sampled",
    "size",
    "spaced",
    "tokens_of",
    "words",
]

_NOTATION: Final = re.compile(r"\{[a-z][a-z0-9_]*\}|<<|>>|[()\[\]|]|[A-Za-z0-9'’%–-]+|[.,;:]")
_TOKEN: Final = re.compile(r"<[A-Z][A-Z0-9]*>|[A-Za-z0-9'’%–-]+|[^\sA-Za-z0-9]")
_NO_BLANK_BEFORE: Final = frozenset(".,;:)")
_NO_BLANK_AFTER: Final = frozenset("(")


class Word(msgspec.Struct, frozen=True):
    """A word, a mark of punctuation, or a slot (`{risk}`)."""

    text: str

    @property
    def slot(self) -> str:
        """The slot's name; empty for a word."""
        return self.text[1:-1] if self.text[0] == "{" else ""


class Run(msgspec.Struct, frozen=True):
    """One after another."""

    parts: tuple[Node, ...]


class Choice(msgspec.Struct, frozen=True):
    """One of several; an empty Run among them: it may be left out."""

    parts: tuple[Node, ...]


Node = Word | Run | Choice


@lru_cache(maxsize=4_096)
def parse(pattern: str) -> Node:
    """The pattern as a tree. Raises ValueError for a notation that does not close."""
    found = _NOTATION.findall(pattern)
    if "".join(found) != "".join(pattern.split()):
        raise ValueError(f"found a pattern with marks that are no words: {pattern!r}")
    node, at = _choice(found, 0)
    if at != len(found):
        raise ValueError(f"found {found[at]!r} where the pattern should end: {pattern!r}")
    return node


def _choice(found: list[str], at: int) -> tuple[Node, int]:
    runs = []
    while True:
        run, at = _run(found, at)
        runs.append(run)
        if at >= len(found) or found[at] != "|":
            return (runs[0] if len(runs) == 1 else Choice(tuple(runs))), at
        at += 1


def _run(found: list[str], at: int) -> tuple[Node, int]:
    parts: list[Node] = []
    while at < len(found) and found[at] not in ("|", ")", "]"):
        mark = found[at]
        if mark in ("(", "["):
            inner, at = _choice(found, at + 1)
            if at >= len(found) or found[at] != {"(": ")", "[": "]"}[mark]:
                raise ValueError(f"found {mark!r} that does not close in {' '.join(found)!r}")
            parts.append(inner if mark == "(" else Choice((Run(()), inner)))
        else:
            parts.append(Word({"<<": "(", ">>": ")"}.get(mark, mark)))
        at += 1
    return (parts[0] if len(parts) == 1 else Run(tuple(parts))), at


def words(node: Node) -> Iterator[str]:
    """Every word in it, slots and punctuation left out; as written."""
    if isinstance(node, Word):
        if not node.slot and node.text[0].isalnum():
            yield node.text
        return
    for part in node.parts:
        yield from words(part)


def size(node: Node) -> int:
    """How many sentences it stands for (the same sentence made in two ways counts twice)."""
    if isinstance(node, Word):
        return 1
    if isinstance(node, Choice):
        return sum(size(part) for part in node.parts)
    total = 1
    for part in node.parts:
        total *= size(part)
    return total


def sampled(node: Node, random: Random) -> list[str]:
    """The tokens of one of its sentences, drawn evenly at each choice."""
    if isinstance(node, Word):
        return [node.text]
    if isinstance(node, Choice):
        return sampled(random.choice(node.parts), random)
    return [token for part in node.parts for token in sampled(part, random)]


def spaced(tokens: list[str]) -> str:
    """Tokens as a text: blanks between words, none before a comma or after an opening bracket."""
    text, glued = "", True
    for token in tokens:
        text += token if glued or token in _NO_BLANK_BEFORE else f" {token}"
        glued = token in _NO_BLANK_AFTER
    return text


def tokens_of(text: str) -> list[str]:
    """Words, tags (`<RISK>`) and marks of a text, in order."""
    return _TOKEN.findall(text)


def lowered(tokens: Sequence[str]) -> tuple[str, ...]:
    """Tokens with words in small letters, tags as they are."""
    return tuple(one if one.startswith("<") else one.lower() for one in tokens)


def ends(node: Node, tokens: Sequence[str], at: int, tag: Callable[[str], str]) -> frozenset[int]:
    """Where one of its sentences may end in tokens that begin `at`; empty where none fits.

    `tokens`: words in small letters, tags, marks.
    """
    if isinstance(node, Word):
        token = tag(node.slot) if node.slot else node.text.lower()
        return frozenset((at + 1,)) if at < len(tokens) and tokens[at] == token else frozenset()
    if isinstance(node, Choice):
        return frozenset().union(*(ends(part, tokens, at, tag) for part in node.parts))
    reached = frozenset((at,))
    for part in node.parts:
        reached = frozenset().union(*(ends(part, tokens, each, tag) for each in reached))
        if not reached:
            break
    return reached


def gbnf(node: Node, tag: Callable[[str], str]) -> str:
    """The body of a GBNF rule: the sentences, spaced, each with a capital at its start."""
    return _grammar(_flat(node), tag, first=True, glued=True)


def _flat(node: Node) -> list[Node]:
    """A run's parts, runs within runs undone."""
    if isinstance(node, Run):
        return [inner for part in node.parts for inner in _flat(part)]
    return [node]


def _grammar(parts: list[Node], tag: Callable[[str], str], *, first: bool, glued: bool) -> str:
    """What follows; `glued`: no blank stands before the next token."""
    made: list[str] = []
    for place, part in enumerate(parts):
        if isinstance(part, Word):
            token = tag(part.slot) if part.slot else part.text
            made.append(_literal(token, first=first and not part.slot, glued=glued))
            first, glued = False, token in _NO_BLANK_AFTER
            continue
        options = [_flat(each) for each in part.parts]
        if (first or glued) and any(not each for each in options):
            # What follows starts the sentence where this is left out: each way is written out to its end.
            rest = parts[place + 1 :]
            ways = [_grammar([*each, *rest], tag, first=first, glued=glued) for each in options]
            return " ".join([*made, f"({' | '.join(ways)})"])
        inner = [_grammar(each, tag, first=first, glued=glued) for each in options]
        made.append(f"({' | '.join(way or chr(34) * 2 for way in inner)})")
        first, glued = False, False
    return " ".join(made)


def _literal(token: str, *, first: bool, glued: bool) -> str:
    text = token[0].upper() + token[1:] if first else token
    return f'"{text}"' if glued or token in _NO_BLANK_BEFORE else f'" {text}"'
