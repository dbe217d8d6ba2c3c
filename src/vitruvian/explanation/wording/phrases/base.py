"""What the phrase books share: slots that may be absent, intervals, lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from vitruvian.explanation.claims import Audience, Claim

__all__ = ["FALL", "RISE", "Book", "interval", "joined", "listed", "numbers", "optional", "ranged"]

# All ways to say a claim of a kind, as patterns (wording/patterns.py). One whose slots are not the claim's, or not in
# the draft's order, is passed over.
Book = Mapping[str, Callable[[Claim, Audience], tuple[str, ...]]]

RISE: Final = "(rise|go up|increase)"
FALL: Final = "(fall|go down|decrease)"


def optional(claim: Claim, name: str, text: str = "") -> str:
    """The text (by default the slot itself) where the claim has the slot; else nothing."""
    return (text or f"{{{name}}}") if claim.slot(name) else ""


def interval(claim: Claim, audience: Audience) -> str:
    """An interval where there is one, for the end of a sentence: it belongs to the number just before it."""
    if not claim.slot("low"):
        return ""
    noun, sure = _noun(audience), optional(claim, "confidence")
    if not sure:
        return f"(<< {noun} {{low}} to {{high}} >>|, with {_article(audience)} {noun} of {{low}} to {{high}})"
    return f"(<< {sure} {noun} {{low}} to {{high}} >>|<< the {sure} {noun} is {{low}} to {{high}} >>)"


def ranged(claim: Claim, audience: Audience, *, fallen: bool = False) -> str:
    """An interval in brackets, for the middle of a sentence; of what has `fallen` the high end first."""
    if not claim.slot("low"):
        return ""
    ends = "{high} to {low}" if fallen else "{low} to {high}"
    return f"<< {optional(claim, 'confidence')} {_noun(audience)} {ends} >>"


def _noun(audience: Audience) -> str:
    return "interval" if audience == "clinician" else "range"


def _article(audience: Audience) -> str:
    return "an" if audience == "clinician" else "a"


def numbers(claim: Claim, head: str) -> tuple[int, ...]:
    """The numbers of a list's slots: of `d1`, `d2` 1 and 2."""
    return tuple(int(one.name[1:]) for one in claim.slots if one.name[0] == head and one.name[1:].isdigit())


def listed(claim: Claim, head: str, style: str, *, between: str = ",", last: str = "and") -> str:
    """A list with each item in a style: `{c} {v} [{t}]` becomes `{c1} {v1} {t1} and {c2} {v2}`.

    What stands between `~` and `~` is left out where the item has not its slot.
    """
    made = []
    for number in numbers(claim, head):
        pieces = style.split("~")
        for place, piece in enumerate(pieces):
            for letter in "acdefgmstv":
                has = claim.slot(f"{letter}{number}") is not None
                if f"{{{letter}}}" in piece and not has:
                    pieces[place] = ""
                pieces[place] = pieces[place].replace(f"{{{letter}}}", f"{{{letter}{number}}}")
        made.append("".join(pieces))
    return joined(made, between, last)


def joined(items: Sequence[str], between: str = ",", last: str = "and") -> str:
    """`a`, `a and b`, `a , b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{f' {between} '.join(items[:-1])} {last} {items[-1]}"
