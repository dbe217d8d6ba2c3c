"""What templates of every language share: which slots a claim has, its lists, choice by its sign."""

from __future__ import annotations

from collections.abc import Mapping

from vitruvian.explanation.claims import Claim
from vitruvian.explanation.drafts.base import listed

__all__ = ["by_sign", "has", "names", "numbered", "with_slot"]


def has(claim: Claim, name: str) -> bool:
    """Whether the claim has the slot."""
    return claim.slot(name) is not None


def with_slot(claim: Claim, name: str, text: str) -> str:
    """The text where the claim has the slot, else nothing."""
    return text if has(claim, name) else ""


def numbered(claim: Claim, head: str) -> tuple[int, ...]:
    """The numbers of a list's slots in order: of `d1`, `d2` 1 and 2."""
    named = (one.name.removeprefix(head) for one in claim.slots if one.name.startswith(head))
    return tuple(int(rest) for rest in named if rest.isdigit())


def names(claim: Claim, head: str, last: str = "and") -> str:
    """The slots of a list, one after another."""
    return listed([f"{{{head}{n}}}" for n in numbered(claim, head)], last)


def by_sign(claim: Claim, wordings: Mapping[int | None, str]) -> str:
    """The wording for the claim's sign. Raises ValueError where the kind has no such sign."""
    if claim.sign not in wordings:
        raise ValueError(f"found sign {claim.sign} in a claim of {claim.kind}, expected one of {list(wordings)}")
    return wordings[claim.sign]
