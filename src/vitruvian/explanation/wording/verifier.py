"""The verifier: refuses by default, and does not trust the grammar, since not every home of a model can force one."""

from __future__ import annotations

from vitruvian.explanation.claims import Audience, Claim, Skeleton
from vitruvian.explanation.wording.rules import RULES, checked_of

__all__ = ["verify"]


def verify(skeleton: Skeleton, claim: Claim, draft: Skeleton, audience: Audience, language: str) -> None:
    """Whether a wording of the claim may be filled and shown. Raises Refused with the first rule that it breaks.

    A wording in a language without a phrase book passes only where it is the draft's.
    """
    one = checked_of(skeleton, claim, draft, audience, language)
    for rule in RULES:
        rule(one)
