"""An explanation without any model: planned, worded and filled; what is shown at once, and what always stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from vitruvian.core.errors import ConfigurationError
from vitruvian.explanation.claims import Audience, Claim, Explanation, Sentence
from vitruvian.explanation.drafts import draft_of, manner_of
from vitruvian.explanation.evidence.base import Evidence, Kind
from vitruvian.explanation.filling import fill
from vitruvian.explanation.plans import alert, answer, card, forecast, handover, risk, timeline, what_if
from vitruvian.explanation.plans.overlooked import overlooked
from vitruvian.explanation.plans.plain import plain

__all__ = ["AUDIENCES", "draft", "explanation_of", "plan_of"]

AUDIENCES: Final[tuple[Audience, ...]] = ("clinician", "patient")
_PLANS: Final[Mapping[Kind, Callable[[Evidence, Audience], tuple[Claim, ...]]]] = {
    "risk": risk.plan, "forecast": forecast.plan, "what_if": what_if.plan, "alert": alert.plan,
    "timeline": timeline.plan, "handover": handover.plan, "card": card.plan, "answer": answer.plan,
}  # fmt: skip


def plan_of(evidence: Evidence, audience: Audience) -> tuple[Claim, ...]:
    """What is said, and in which order; pure. Raises ConfigurationError."""
    if audience not in AUDIENCES:
        raise ConfigurationError(f"found reader {audience!r}, expected one of {', '.join(AUDIENCES)}; choose one")
    planned = _PLANS[evidence.kind](evidence, audience)
    claims = (*planned, *overlooked(evidence, planned))
    return plain(claims) if audience == "patient" else claims


def draft(evidence: Evidence, audience: Audience = "clinician", language: str = "en") -> Explanation:
    """The deterministic explanation; pure, the same words for the same packet."""
    manner = manner_of(language)
    sentences = tuple(
        fill(draft_of(claim, audience, language), claim, evidence, audience, manner)
        for claim in plan_of(evidence, audience)
    )
    return explanation_of(evidence, audience, language, sentences)


def explanation_of(
    evidence: Evidence, audience: Audience, language: str, sentences: tuple[Sentence, ...]
) -> Explanation:
    """The sentences with the facts that they cite."""
    cited = {name for sentence in sentences for name in sentence.facts}
    facts = tuple(fact for fact in evidence.facts if fact.id in cited)
    return Explanation(
        evidence.kind, audience, language, evidence.at_us, sentences, facts, evidence.digest,
        simulated=evidence.simulated,
    )  # fmt: skip
