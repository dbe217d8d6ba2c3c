"""What is said of a what-if: what is simulated, what it would reach, the surest effects, what risks would show."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim, Slot
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.parts import reads_as_none
from vitruvian.explanation.plans.parts import composed, first_of, interval, listed, notes, red_flags, sign_of, text_slot

__all__ = ["effect", "effects", "plan", "scenario"]

OPEN_MAX: Final = 6


def plan(evidence: Evidence, audience: Audience) -> tuple[Claim, ...]:
    """The claims about a what-if, in order: the scenario always first, so that nothing reads as if it had happened."""
    lead = scenario(evidence)
    reasons = [one for one in evidence.of_role("words") if one.name == "reason"]
    if reasons:
        lead.append(Claim("unknown", (text_slot("reason", reasons[0]),)))
        return composed(lead, red_flags(evidence), notes(evidence), audience)
    clear, risks = [one for one in evidence.of_role("difference") if _moves(one)], _risks(evidence)
    told = effects(evidence)
    alone = audience == "patient" or (not risks and len(clear) == 1)  # the share speaks of the effect before it
    rest = [*told[:1], *(_share(evidence, clear[:1]) if alone else ()), *risks[:1], *told[1:2]]
    return composed(lead, red_flags(evidence), [*rest, *notes(evidence)], audience)


def scenario(evidence: Evidence) -> list[Claim]:
    """What is done and what is taken to be otherwise."""
    slots: list[Slot] = []
    for number, one in enumerate(evidence.of_role("action"), 1):
        slots.append(Slot(f"a{number}", one.id, "label"))
        slots += [Slot(f"dose{number}", one.id, "value")] if one.value is not None else []
        slots += [Slot(f"how{number}", one.id, "text")] if one.text else []
    for number, one in enumerate(evidence.of_role("edit"), 1):
        slots += [Slot(f"e{number}", one.id, "label"), Slot(f"set{number}", one.id, "value")]
    more = next((one for one in evidence.of_role("count") if one.name == "more" and not one.of), None)
    slots += [Slot("more", more.id, "value")] if more is not None else []
    return [Claim("scenario", tuple(slots))] if slots else []


def effects(evidence: Evidence) -> list[Claim]:
    """What would change, a sentence each; where nothing would that can be seen, what was looked at."""
    found = evidence.of_role("difference")
    moving = [effect(evidence, one) for one in found if _moves(one)]
    return moving or ([Claim("effect_open", tuple(listed(found[:OPEN_MAX], "s")))] if found else [])


def _moves(fact: Fact) -> bool:
    """Whether a difference has a direction, and is one in the decimals in which it is told."""
    shown = fact.value is not None and not reads_as_none(fact.name, fact.value, fact.unit)
    return fact.direction in ("rising", "falling") and shown


def effect(evidence: Evidence, fact: Fact) -> Claim:
    """What becomes of one quantity."""
    slots = [Slot("subject", fact.id, "label"), Slot("difference", fact.id, "value"), *interval(evidence, fact)]
    slots.append(Slot("horizon", fact.id, "when"))
    likelihood = first_of(evidence, "likelihood", fact)
    slots += [Slot("likelihood", likelihood.id, "value")] if likelihood is not None else []
    return Claim("effect", tuple(slots), 1 if fact.direction == "rising" else -1)


def _risks(evidence: Evidence) -> list[Claim]:
    """Risks and scores in both arms: first those that are seen to change, the most important first."""
    found = []
    for before in evidence.of_role("probability", "score"):
        after = next((one for one in evidence.of_role(before.role, of=before.id)), None)
        if after is None or before.value is None or after.value is None:
            continue
        kind = "risk_effect" if before.role == "probability" else "score_effect"
        slots = [Slot("outcome", before.id, "label"), Slot("before", before.id, "value")]
        slots.append(Slot("after", after.id, "value"))
        found.append(Claim(kind, tuple(slots), sign_of(after, before, evidence)))
    return sorted(found, key=lambda one: one.sign == 0)


def _share(evidence: Evidence, effects: list[Fact]) -> list[Claim]:
    """How much of the foremost effect this patient's own data decided."""
    shares = [first_of(evidence, "from_data", one) for one in effects]
    return [Claim("data_share", (Slot("share", one.id, "value"),)) for one in shares if one is not None]
