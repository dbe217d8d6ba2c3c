"""What is said of a forecast: what is critical now and on the way, what is expected to rise, fall and stay."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim, Slot
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.plans.parts import composed, first_of, interval, listed, notes, red_flags, sign_of, text_slot

__all__ = ["expected", "plan"]

STEADY_MAX: Final = 6
SINGLE_MAX: Final = 3  # changes told one by one


def plan(evidence: Evidence, audience: Audience) -> tuple[Claim, ...]:
    """The claims about a forecast, in order."""
    outlooks = [one for one in evidence.of_role("expected") if not one.of]
    if not outlooks:
        reasons = [one for one in evidence.of_role("words") if one.name != "note"]
        lead = [Claim("unknown", (text_slot("reason", one),)) for one in reasons[:1]]
        return composed(lead, red_flags(evidence), notes(evidence), audience)
    told = [expected(evidence, one) for one in outlooks]
    moving = [claim for claim, one in zip(told, outlooks, strict=True) if _moves(claim, one)]
    staying = [one for claim, one in zip(told, outlooks, strict=True) if not _moves(claim, one)]
    first, further = moving[:1], [*moving[1:SINGLE_MAX], *steady(evidence, staying), *notes(evidence)]
    if not first:
        first, further = steady(evidence, staying) or told[:1], notes(evidence)
    return composed(first, red_flags(evidence), further, audience)


def _moves(claim: Claim, fact: Fact) -> bool:
    """Whether the change is worth a sentence, and can be seen in it."""
    return fact.direction != "steady" and claim.sign != 0


def expected(evidence: Evidence, fact: Fact) -> Claim:
    """What one quantity is expected to become."""
    now = first_of(evidence, "measurement", fact) or first_of(evidence, "estimate", fact)
    slots = [Slot("subject", fact.id, "label")]
    slots += [Slot("now", now.id, "value")] if now is not None else []
    slots += [Slot("later", fact.id, "value"), *interval(evidence, fact), Slot("horizon", fact.id, "when")]
    return Claim("expected", tuple(slots), sign_of(fact, now, evidence) if now is not None else None)


def steady(evidence: Evidence, facts: list[Fact]) -> list[Claim]:
    """What is expected to stay as it is, in one sentence."""
    horizon = next((one for one in evidence.of_role("horizon") if not one.of), None)
    if not facts or horizon is None:
        return []
    return [Claim("steady", (*listed(facts[:STEADY_MAX], "s"), Slot("horizon", horizon.id, "value")))]
