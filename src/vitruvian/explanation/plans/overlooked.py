"""The net beneath every plan: a red flag that no claim names yet gets one, whatever packet it stands in."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from vitruvian.explanation.claims import Claim
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.plans.parts import red_flags
from vitruvian.explanation.plans.risk import level

__all__ = ["overlooked"]


def overlooked(evidence: Evidence, claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """Claims that name the red flags which these claims leave out; none where they leave out none."""
    critical = _cited(claims, ("critical", "critical_missing", "critical_ahead"))
    missing = _cited(claims, ("missing", "critical_missing"))
    rising = _cited([one for one in claims if one.sign == 1], ("risk_moved", "bed"))
    left = tuple(
        one
        for one in evidence.red_flags
        if ("critical" in one.flags and one.id not in critical)
        or ("missing_key" in one.flags and one.id not in missing)
    )
    found = red_flags(msgspec.structs.replace(evidence, facts=left)) if left else []
    moved = [one for one in evidence.red_flags if "rising_risk" in one.flags and one.id not in rising]
    return (*found, *(level(evidence, one) for one in moved))


def _cited(claims: Sequence[Claim], kinds: tuple[str, ...]) -> set[str]:
    return {slot.fact for claim in claims if claim.kind in kinds for slot in claim.slots}
