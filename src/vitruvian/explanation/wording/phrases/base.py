"""What the phrase books share: slots that may be absent, intervals, lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from vitruvian.explanation.claims import Audience, Claim

__all__ = ["Book", "interval", "joined", "numbers", "optional", "ranged"]

# All ways to say a claim of a kind, as patterns (wording/patterns.py); a pattern whose slots are not the claim's, in the
# draft's order, is passed over.
Book = Mapping[str, Callable[[Claim, Audience], tuple[str, ...]]]


def optional(claim: Claim, name: str, text: str = "") -> str:
    """The text (by default the slot itself) where the claim has the slot; else nothing."""
    return (text or f"{{{name}}}") if claim.slot(name) else ""


def interval(claim: Claim, audience: Audience = "clinician") -> str:
    """An interval in brackets or behind a comma, where there is one, for the end of a sentence: it belongs to the
    number just before it.
    """
    if not claim.slot("low"):
        return ""
    named = f"{optional(claim, 'confidence')} {_noun(claim, audience)}"
    return (
        f"(<< {named} {{low}} to {{high}} >>|<< {named} from {{low}} to {{high}} >>|, with a {_noun(claim, audience)}"
        " of {low} to {high})"
        if not claim.slot("confidence")
        else f"(<< {named} {{low}} to {{high}} >>|<< the {named} is {{low}} to {{high}} >>|, {named} {{low}} to {{high}})"
    )


def ranged(claim: Claim, audience: Audience = "clinician") -> str:
    """An interval in brackets alone, for the middle of a sentence."""
    if not claim.slot("low"):
        return ""
    return f"<< {optional(claim, 'confidence')} {_noun(claim, audience)} {{low}} to {{high}} >>"


def _noun(claim: Claim, audience: Audience) -> str:
    if audience == "clinician":
        return "(interval|range)"
    return "range" if claim.slot("confidence") else "(range|likely range)"


def numbers(claim: Claim, head: str) -> tuple[int, ...]:
    """The numbers of a list's slots: of `d1`, `d2` 1 and 2."""
    return tuple(int(one.name[1:]) for one in claim.slots if one.name[0] == head and one.name[1:].isdigit())


def joined(items: Sequence[str], between: str = ",", last: str = "and") -> str:
    """`a`, `a and b`, `a , b and c`."""
    if len(items) < 2:
        return "".join(items)
    return f"{f' {between} '.join(items[:-1])} {last} {items[-1]}"
