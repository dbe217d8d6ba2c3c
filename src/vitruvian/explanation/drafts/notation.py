"""The notation of draft templates: words and slots, and what stands only where the claim has it. Pure.

{risk}                          a slot of the claim; `{v:text}` where its facet is `text`; `{v*}` one of a list
[ of {outcome}]                 stands where the claim has every slot in it
[{place}: far|Far]              the first that can stand; nothing where none can
[+:rose|-:fell|0:stayed|?:]     by the claim's sign, `?` for none; `[+-:than|0:from that]` for several
[1:alarm|alarms]                by how many items the template's list has: one, or more
<{a*}[ {dose*}]|{e*}|{more}>    a list: `{a1} {dose1}, {a2} and {e1}`; a list without items cannot stand
<or:{s*}>                       the same with another joint of the language (`and` where none is named)
$interval                       a part that the table names, put in as it is written
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from vitruvian.core.errors import ConfigurationError
from vitruvian.explanation.claims import Claim, Sign

__all__ = ["Joint", "Template", "listed", "template_from"]

_PIECE: Final = re.compile(r"[\[\]<>|]|\{[a-z]+\*?(?::[a-z]+)?\}|[^\[\]<>|{}$]+")
_PART: Final = re.compile(r"\$([a-z_]+)")
_GUARD: Final = re.compile(r"([+\-0?]+|1):")
_JOINT: Final = re.compile(r"([a-z]+):")
_HEAD: Final = re.compile(r"\{([a-z]+)\*")  # the slot that numbers an item: its first
_SIGNS: Final[Mapping[str, Sign]] = {"+": 1, "-": -1, "0": 0, "?": None}


class Joint(NamedTuple):
    """What stands between items of a list, and before the last."""

    between: str
    last: str


class _Seen(NamedTuple):
    """What a template sees of a claim: facets by slot name, and the sign."""

    facets: Mapping[str, str]
    sign: Sign


# Words, slots in braces, of what the claim has, for a list's item of that number; None where they cannot stand.
_Say = Callable[[_Seen, str], str | None]


# A template that was read: of a claim, its sentence with slot names in braces, as `skeleton_of` takes it. Raises
# ValueError where the claim lacks a slot that always stands, or has a sign that is not worded.
Template = Callable[[Claim], str]


def template_from(text: str, joints: Mapping[str, Joint], parts: Mapping[str, str], where: str) -> Template:
    """The template that a text is. Raises ConfigurationError with what was found, what was expected, and `where`."""
    say = _Reader(text, joints, parts, where).template()

    @lru_cache(maxsize=64)  # words hang on slots and sign alone, and plans make few of a kind
    def worded(slots: tuple[tuple[str, str], ...], sign: Sign) -> str:
        said = say(_Seen(dict(slots), sign), "")
        if said is None:
            raise ValueError(f"found {[name for name, _ in slots]}, expected every slot that always stands")
        return said

    return lambda claim: worded(tuple([(one.name, one.facet) for one in claim.slots]), claim.sign)


def listed(items: Sequence[str], joint: Joint) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{joint.between.join(items[:-1])}{joint.last}{items[-1]}"


def _slot(name: str, numbered: bool, facet: str) -> _Say:
    def say(seen: _Seen, number: str) -> str | None:
        own = name + number if numbered else name
        found = seen.facets.get(own)
        return None if found is None or (facet and facet != found) else f"{{{own}}}"

    return say


def _run(parts: Sequence[str | _Say]) -> _Say:
    def say(seen: _Seen, number: str) -> str | None:
        said = []
        for part in parts:
            text = part if isinstance(part, str) else part(seen, number)
            if text is None:
                return None
            said.append(text)
        return "".join(said)

    return say


def _by_sign(runs: Mapping[Sign, _Say]) -> _Say:
    def say(seen: _Seen, number: str) -> str | None:
        if seen.sign not in runs:
            raise ValueError(f"found sign {seen.sign}, expected one of {list(runs)}")
        return runs[seen.sign](seen, number)

    return say


def _items(runs: Sequence[tuple[str, _Say]]) -> Callable[[_Seen], list[str]]:
    """The items of a list in the claim's order, of (the slot that numbers it, empty where it is there once; words)."""

    def each(seen: _Seen) -> list[str]:
        said: list[str | None] = []
        for head, run in runs:
            rests = [name[len(head) :] for name in seen.facets if name.startswith(head)] if head else []
            said += [run(seen, rest) for rest in rests if rest.isdigit()] if head else [run(seen, "")]
        return [text for text in said if text is not None]

    return each


class _Reader:
    """Reads one template, from left to right."""

    def __init__(self, text: str, joints: Mapping[str, Joint], parts: Mapping[str, str], where: str) -> None:
        self._where, self._joints, self._at = where, joints, 0
        if unknown := [name for name in _PART.findall(text) if name not in parts]:
            raise self._wrong(f"${unknown[0]}", f"one of the parts {', '.join(parts) or '(none)'}")
        self._text = _PART.sub(lambda found: parts[found[1]], text)
        self._lists: list[Callable[[_Seen], list[str]]] = []
        self._counts = False

    def template(self) -> _Say:
        run, _ = self._run("")
        if self._counts and len(self._lists) != 1:
            raise self._wrong(f"a choice by number and {len(self._lists)} lists", "one list to count")
        return run

    def _run(self, ends: str) -> tuple[_Say, str]:
        """Parts up to one of these marks (none: to the end of the text), and which one ended them."""
        parts: list[str | _Say] = []
        while (piece := self._next()) and piece not in "]>|":
            parts.append(self._part(piece))
        if piece not in ends or bool(piece) != bool(ends):
            raise self._wrong(repr(piece) if piece else "its end", f"one of {' '.join(ends)}" if ends else "its end")
        return _run(parts), piece

    def _part(self, piece: str) -> str | _Say:
        if piece == "[":
            return self._choice()
        if piece == "<":
            return self._list()
        if piece[0] != "{":
            return piece
        name, _, facet = piece[1:-1].partition(":")
        return _slot(name.removesuffix("*"), name.endswith("*"), facet)

    def _choice(self) -> _Say:
        guards, runs, mark = [], [], "|"
        while mark == "|":
            guards.append(self._taken(_GUARD))
            run, mark = self._run("|]")
            runs.append(run)
        if guards == ["1", ""]:
            self._counts, (one, more) = True, runs
            return lambda seen, number: (one if len(self._lists[0](seen)) == 1 else more)(seen, number)
        signs = "".join(guards)
        if all(guards) and set(signs) <= set(_SIGNS) and len(set(signs)) == len(signs):
            return _by_sign({_SIGNS[sign]: run for guard, run in zip(guards, runs, strict=True) for sign in guard})
        if any(guards):
            raise self._wrong(f"a choice by {guards}", "a sign (+ - 0 ?) before each and none twice, or [1:one|more]")
        return lambda seen, number: next((text for run in runs if (text := run(seen, number)) is not None), "")

    def _list(self) -> _Say:
        joint = self._joints.get(name := self._taken(_JOINT) or "and")
        if joint is None:
            raise self._wrong(f"joint {name!r}", f"one of {', '.join(self._joints)}")
        runs, mark = [], "|"
        while mark == "|":
            begun = self._at
            run, mark = self._run("|>")
            head = _HEAD.search(self._text, begun, self._at)
            runs.append((head[1] if head else "", run))
        self._lists.append(each := _items(runs))
        return lambda seen, _: listed(items, joint) if (items := each(seen)) else None

    def _taken(self, mark: re.Pattern[str]) -> str:
        """What stands before the colon here, read past; empty where there is none."""
        found = mark.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found[1] if found else ""

    def _next(self) -> str:
        """The next mark, slot or words; empty at the end."""
        found = _PIECE.match(self._text, self._at)
        if found is None and self._at < len(self._text):
            raise self._wrong(repr(self._text[self._at :][:20]), "a slot such as {risk}, words, or a bracket")
        self._at = found.end() if found else self._at
        return found[0] if found else ""

    def _wrong(self, found: str, expected: str) -> ConfigurationError:
        return ConfigurationError(f"{self._where}: found {found}, expected {expected}; see drafts/notation.py")
