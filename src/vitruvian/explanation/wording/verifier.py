"""The verifier: refuses by default, and does not trust the grammar, since not every home of a model can force one.

No rule but `tags` asks which fact a slot shows. So a wording that passed is remembered by its words, its slots' names
and facets, and the claim's shape, and only its facts are looked at when it comes again. A refusal is never remembered.
"""

from __future__ import annotations

from functools import lru_cache

from vitruvian.explanation.claims import Audience, Claim, Skeleton
from vitruvian.explanation.wording.rules import RULES, checked_of, same_slots
from vitruvian.explanation.wording.shapes import KEPT, Named, Shape, named, nameless, shape_of

__all__ = ["verify"]


def verify(skeleton: Skeleton, claim: Claim, draft: Skeleton, audience: Audience, language: str) -> None:
    """Whether a wording of the claim may be filled and shown. Raises Refused with the first rule that it breaks.

    A wording in a language without a phrase book passes only where it is the draft's.
    """
    _judge(nameless(skeleton), shape_of(claim, draft, audience, language))
    same_slots(skeleton, claim, draft)


@lru_cache(maxsize=KEPT)
def _judge(parts: tuple[str | Named, ...], shape: Shape) -> None:
    """Every rule, of the wording without its facts."""
    one = checked_of(named(parts), shape.claim, shape.skeleton, shape.audience, shape.language)
    for rule in RULES:
        rule(one)
