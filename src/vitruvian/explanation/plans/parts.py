"""Claims that several kinds of packets share: what is critical, what is missing, notes; and signs."""

from __future__ import annotations

from vitruvian.explanation.claims import Claim, Sign, Slot
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.showing import PLAIN, value_of

__all__ = ["critical", "missing", "notes", "sign_of"]


def critical(evidence: Evidence) -> list[Claim]:
    """One sentence that names every critical value."""
    slots: list[Slot] = []
    for number, fact in enumerate((one for one in evidence.facts if "critical" in one.flags), 1):
        slots += [Slot(f"c{number}", fact.id, "label"), Slot(f"v{number}", fact.id, "value")]
        if fact.at_us is not None:
            slots.append(Slot(f"t{number}", fact.id, "when"))
    return [Claim("critical", tuple(slots))] if slots else []


def missing(evidence: Evidence) -> list[Claim]:
    """One sentence that names everything missing."""
    slots = [Slot(f"m{number}", fact.id, "label") for number, fact in enumerate(evidence.of_role("missing"), 1)]
    return [Claim("missing", tuple(slots))] if slots else []


def notes(evidence: Evidence) -> list[Claim]:
    """What must be said wherever this is shown, a sentence each."""
    return [Claim("note", (Slot("note", one.id, "text"),)) for one in evidence.of_role("words") if one.name == "note"]


def sign_of(now: Fact, then: Fact, evidence: Evidence) -> Sign:
    """The sign of a change as it reads: 0 where both are shown alike."""
    assert now.value is not None
    assert then.value is not None
    if value_of(now, evidence, PLAIN) == value_of(then, evidence, PLAIN):
        return 0
    return 1 if now.value > then.value else -1
