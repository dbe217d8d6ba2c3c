"""Plain plans: what a patient reads comes in short sentences, so lists are told a few things at a time.

What is left out: the confidence of an interval, which a patient's sentence does not name, how likely the direction of
an effect is where its range is told, and the end of lists of what stays as it is, or of what a risk is associated with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from vitruvian.explanation.claims import Claim, Slot

__all__ = ["plain"]

# How many things of a list stand in one sentence.
AT_ONCE: Final[Mapping[str, int]] = {
    "critical": 1, "critical_ahead": 1, "missing": 1, "alarms": 1, "medicines": 1, "results": 1, "changes": 1,
    "steady": 1, "effect_open": 1, "scenario": 1, "note": 1, "drivers": 2,
}  # fmt: skip
# Of these the first are enough; everything else is told in full.
ENOUGH: Final[Mapping[str, int]] = {"steady": 2, "effect_open": 2, "drivers": 2}
_NUMBERED: Final = re.compile(r"([a-z]+)([1-9][0-9]*)")
_ITEMS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "scenario": (("a", "dose", "how"), ("e", "set")),  # two lists in one sentence
}


def plain(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The claims in sentences that are short enough; pure."""
    said: list[Claim] = []
    for claim in claims:
        for one in _apart(claim):
            said += _shared_out(one)
    return tuple(said)


def _apart(claim: Claim) -> tuple[Claim, ...]:
    """What is critical and what is missing in a sentence each; an interval without its confidence."""
    left = set() if claim.kind == "figure" else {"confidence"}
    if claim.kind == "effect" and claim.slot("low") is not None:
        left.add("likelihood")
    slots = tuple(one for one in claim.slots if one.name not in left)
    if claim.kind != "critical_missing":
        return (Claim(claim.kind, slots, claim.sign),)
    lacking = tuple(one for one in slots if one.name == "place" or one.name.startswith("m"))
    critical = tuple(one for one in slots if not one.name.startswith("m"))
    return Claim("critical", critical), Claim("missing", lacking)


def _shared_out(claim: Claim) -> list[Claim]:
    """A list told so many things at a time; what is not of the list stands in each, `more` in the last."""
    size = AT_ONCE.get(claim.kind)
    items = _items(claim)[: ENOUGH.get(claim.kind)] if size else []
    if size is None or (len(items) <= size and claim.kind not in ENOUGH):
        return [claim]
    common = [one for one in claim.slots if not _NUMBERED.fullmatch(one.name) and one.name != "more"]
    more = [one for one in claim.slots if one.name == "more"]
    chunks = [items[start : start + size] for start in range(0, len(items), size)]
    made = []
    for place, chunk in enumerate(chunks):
        last = more if place == len(chunks) - 1 else []
        made.append(Claim(claim.kind, (*common, *_renumbered(chunk), *last), claim.sign))
    return made


def _items(claim: Claim) -> list[tuple[Slot, ...]]:
    """The slots of each thing of the list, in their order."""
    found: dict[tuple[int, str], list[Slot]] = {}
    for slot in claim.slots:
        numbered = _NUMBERED.fullmatch(slot.name)
        if numbered:
            group = next((n for n, heads in enumerate(_ITEMS.get(claim.kind, ())) if numbered[1] in heads), 0)
            found.setdefault((group, numbered[2]), []).append(slot)
    return [tuple(slots) for slots in found.values()]


def _renumbered(items: Sequence[Sequence[Slot]]) -> list[Slot]:
    """The slots of some things, numbered from 1; of two lists in one sentence each by itself."""
    counts: dict[str, int] = {}
    slots = []
    for item in items:
        head = _head(item[0])
        counts[head] = counts.get(head, 0) + 1
        slots += [Slot(f"{_head(one)}{counts[head]}", one.fact, one.facet) for one in item]
    return slots


def _head(slot: Slot) -> str:
    return slot.name.rstrip("0123456789")
