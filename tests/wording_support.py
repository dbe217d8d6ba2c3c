"""Claims of every kind and shape, made from the table of kinds, for tests of wordings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from random import Random
from typing import get_args

from vitruvian.explanation.claims import Audience, Claim, Facet, Skeleton, Slot
from vitruvian.explanation.drafts import draft_of
from vitruvian.explanation.drafts.base import KINDS
from vitruvian.explanation.wording.patterns import Node, sampled, spaced
from vitruvian.explanation.wording.phrases import phrases_of
from vitruvian.explanation.wording.tags import tag_of, tagged, untagged

AUDIENCES: tuple[Audience, ...] = get_args(Audience)
_FIELD = re.compile(r"([a-z]+)(\*?):([a-z|]+)(\??)")
_BOTH = ("critical", "medicines", "drivers")
SIGNS: dict[str, tuple[int | None, ...]] = {
    "risk_moved": (-1, 0, 1), "usual": (-1, 0, 1), "effect": (-1, 0, 1), "risk_effect": (-1, 0, 1),
    "score_effect": (-1, 0, 1), "latest": (None, -1, 0, 1), "changed": (-1, 0, 1), "results": (None, -1, 1),
    "changes": (-1, 1), "extreme": (-1, 1), "expected": (None, -1, 0, 1), "bed": (None, -1, 0, 1),
}  # fmt: skip


def shapes(kind: str) -> Iterator[Claim]:
    """Claims of a kind: optional slots all, none and each alone, lists of one to four, every sign."""
    fields = [(name, star == "*", facets.split("|"), optional == "?") for name, star, facets, optional in _fields(kind)]
    optional = [name for name, _, _, may in fields if may]
    chosen = {frozenset(), frozenset(optional), *(frozenset({one}) for one in optional)}
    chosen |= {frozenset(optional) - {one} for one in optional}
    lists = (1, 2, 3, 4) if any(star for _, star, _, _ in fields) else (1,)
    for with_, count, turn, sign in product(sorted(chosen, key=sorted), lists, (0, 1), SIGNS.get(kind, (None,))):
        claim = _claim(kind, fields, with_, count, turn, sign)
        if claim is not None:
            yield claim


def drafted() -> Iterator[tuple[Claim, Audience]]:
    """Every shape that the drafts word, with its reader."""
    seen: set[tuple[str, Audience]] = set()
    for kind in KINDS:
        for claim in shapes(kind):
            for audience in AUDIENCES:
                if (claim.shape, audience) in seen:
                    continue
                seen.add((claim.shape, audience))
                try:
                    draft_of(claim, audience, "en")
                except (KeyError, ValueError, IndexError):
                    continue
                yield claim, audience


def _fields(kind: str) -> list[tuple[str, str, str, str]]:
    return _FIELD.findall(KINDS[kind].split(";")[0])


def _claim(
    kind: str,
    fields: list[tuple[str, bool, list[str], bool]],
    with_: frozenset[str],
    count: int,
    turn: int,
    sign: int | None,
) -> Claim | None:
    if ("low" in with_) != ("high" in with_) or ("confidence" in with_ and "low" not in with_):
        return None
    slots: list[Slot] = []
    numbered: list[list[Slot]] = [[] for _ in range(count)]
    for name, star, facets, may in fields:
        if may and name not in with_:
            continue
        facet: Facet = facets[turn % len(facets)]  # type: ignore[assignment]
        if not star:
            slots.append(Slot(name, f"fact-{name}", facet))
        for number in range(1, count + 1) if star else ():
            numbered[number - 1].append(Slot(f"{name}{number}", f"fact-{name}{number}", facet))
    if kind == "scenario":
        numbered = _mixed(numbered)
    if sign == 0 and kind in ("risk_moved", "bed"):
        slots = [one for one in slots if one.name != "earlier"]
    names = {one.name for one in slots}
    if kind == "risk_moved" and sign and "earlier" not in names:
        return None
    if kind == "bed" and not _bed_fits(names, sign):
        return None
    if kind == "expected" and ("now" in names) != (sign is not None):
        return None
    return Claim(kind, (*slots, *(one for each in numbered for one in each)), sign)  # type: ignore[arg-type]


def _bed_fits(names: set[str], sign: int | None) -> bool:
    if ("outcome" in names) != ("risk" in names) or ("ago" in names) != (sign is not None):
        return False
    return ("earlier" in names) == bool(sign) and ("ago" not in names or "risk" in names)


def _mixed(numbered: list[list[Slot]]) -> list[list[Slot]]:
    """A scenario's actions but the last item, which is an edit; alone, an action."""
    actions = [[one for one in each if one.name[:1] not in "es"] for each in numbered]
    edit = [one for one in numbered[0] if one.name[:1] in "es"]
    return [*actions[:-1], edit] if len(numbered) > 1 else actions


def worded(skeleton: Skeleton) -> str:
    """A skeleton with tags."""
    return tagged(skeleton)


def one_of(claim: Claim, draft: Skeleton, audience: Audience, random: Random) -> Skeleton | None:
    """A wording of the claim from its phrase book, None where it has none."""
    phrases = phrases_of(claim, draft, audience, "en")
    if not phrases.nodes:
        return None
    return sentence_of(random.choice(phrases.nodes), claim, random)


def every_way(claim: Claim, draft: Skeleton, audience: Audience, random: Random) -> Iterator[Skeleton]:
    """A wording of each pattern of the claim's phrase book."""
    for node in phrases_of(claim, draft, audience, "en").nodes:
        yield sentence_of(node, claim, random)


def sentence_of(node: Node, claim: Claim, random: Random) -> Skeleton:
    """One sentence of a pattern, as the skeleton of an answer."""
    tags = {slot.name: tag_of(slot) for slot in claim.slots}
    text = spaced([tags[one[1:-1]] if one[0] == "{" else one for one in sampled(node, random)])
    return untagged(text if text[0] == "<" else text[0].upper() + text[1:], claim)
