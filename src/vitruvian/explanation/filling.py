"""A skeleton filled with facts: the text, and where in it each fact stands."""

from __future__ import annotations

from vitruvian.explanation.claims import Audience, Cite, Claim, Sentence, Skeleton
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.showing import Manner, show

__all__ = ["fill"]


def fill(skeleton: Skeleton, claim: Claim, evidence: Evidence, audience: Audience, manner: Manner) -> Sentence:
    """The sentence, as a draft; pure. Raises ValueError where a fact lacks what a slot asks for."""
    text, cites = "", []
    for part in skeleton.parts:
        if isinstance(part, str):
            text += part
            continue
        shown = show(evidence.by_id[part.fact], part.facet, evidence, audience, manner)
        if not text:
            shown = _begun(shown)
        cites.append(Cite(len(text), len(text) + len(shown), part.fact, part.facet))
        text += shown
    return Sentence(text, tuple(cites), claim.kind)


def _begun(shown: str) -> str:
    """As it stands at the beginning of a sentence: `Heart rate`, `A serious infection`, but `pH` and `eGFR`."""
    word = len(shown) == 1 or shown[1].islower() or shown[1] == " "
    return shown[0].upper() + shown[1:] if word else shown
