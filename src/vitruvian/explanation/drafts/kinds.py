"""Every claim that a plan could make of a kind, without facts: what a language's templates are held to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final, NamedTuple, cast

from vitruvian.explanation.claims import Claim, Facet, Sign, Slot
from vitruvian.explanation.drafts.base import KINDS, SIGNS

__all__ = ["SlotOf", "claims_of", "slots_of"]

_STATED: Final = re.compile(r"([a-z_]+)(\*?):([a-z|]+)(\??)")


class SlotOf(NamedTuple):
    """A slot of a kind, as KINDS states it."""

    name: str
    numbered: bool
    facets: tuple[Facet, ...]
    optional: bool


def slots_of(kind: str) -> list[SlotOf]:
    """The slots of a kind."""
    return [
        SlotOf(name, star == "*", cast("tuple[Facet, ...]", tuple(facets.split("|"))), may == "?")
        for name, star, facets, may in _STATED.findall(KINDS[kind].split(";")[0])
    ]


def claims_of(kind: str, counts: Sequence[int] = (1, 2)) -> Iterator[Claim]:
    """Claims of a kind: with and without each optional slot, so many items of its lists, each facet, each sign."""
    slots = slots_of(kind)
    optional = [one.name for one in slots if one.optional]
    listed = any(one.numbered for one in slots)
    for there in product((True, False), repeat=len(optional)):
        left_out = {name for name, is_there in zip(optional, there, strict=True) if not is_there}
        kept = [one for one in slots if one.name not in left_out]
        facets = range(max((len(one.facets) for one in kept), default=1))
        signs = [sign for sign in SIGNS.get(kind, (None,)) if _fits(kind, {one.name for one in kept}, sign)]
        for items, facet, sign in product(counts if listed else (1,), facets, signs):
            yield Claim(kind, tuple(_made(kept, items, facet)), sign)


def _made(slots: Sequence[SlotOf], items: int, facet: int) -> Iterator[Slot]:
    for one in slots:
        for name in [f"{one.name}{n}" for n in range(1, items + 1)] if one.numbered else [one.name]:
            yield Slot(name, name, one.facets[min(facet, len(one.facets) - 1)])


def _fits(kind: str, kept: set[str], sign: Sign) -> bool:
    """Whether a plan could make it: ends of an interval come together, `earlier` where something moved."""
    if ("low" in kept) != ("high" in kept) or ("confidence" in kept and "low" not in kept):
        return False
    if kind == "risk_moved":
        return ("earlier" in kept) == (sign != 0)
    if kind == "bed":
        if "risk" not in kept:
            return sign is None and not {"earlier", "ago", "outcome"} & kept
        return ("ago" in kept) == (sign is not None) and ("earlier" in kept) == (sign in (-1, 1))
    if kind == "expected":
        return ("now" in kept) == (sign is not None)
    return True
