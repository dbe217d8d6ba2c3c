"""Claims that several kinds of packets share: red flags, notes, levels of risk, lists; and signs.

A clinician reads at most four sentences of a risk, a forecast, a what-if or an alarm. What must be said comes first:
what the packet is about, critical values (and those that a simulation reaches), key inputs that are missing. The rest
follows as far as there is room. Notes are one sentence where there is room for it; where there is none, the page
carries them: they are facts of the packet, and its flags (simulated, not validated) stand beside the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from vitruvian.explanation.claims import Audience, Claim, Facet, Sign, Slot
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.showing import PLAIN, value_of

__all__ = [
    "SENTENCES_MAX",
    "composed",
    "first_of",
    "interval",
    "listed",
    "notes",
    "red_flags",
    "sign_of",
    "text_slot",
]

SENTENCES_MAX: Final = {"clinician": 4, "patient": 6}
NOTES_MAX: Final = 4  # in one sentence


def composed(
    lead: Iterable[Claim], red: Iterable[Claim], rest: Iterable[Claim], audience: Audience
) -> tuple[Claim, ...]:
    """What leads and the red flags, then as much of the rest as there is room for."""
    must = [*lead, *red]
    return (*must, *list(rest)[: max(0, SENTENCES_MAX[audience] - len(must))])


def red_flags(evidence: Evidence, *, of: str | None = None, place: Fact | None = None) -> list[Claim]:
    """At most two sentences that name everything critical and everything missing; with `of`, of what belongs to it."""
    facts = [one for one in evidence.facts if of is None or one.of == of]
    critical = [one for one in facts if "critical" in one.flags and one.role != "expected"]
    missing = [one for one in facts if one.role == "missing"]
    ahead = [one for one in facts if "critical" in one.flags and one.role == "expected"]
    said = [Slot("place", place.id, "label")] if place else []
    kind = "critical_missing" if critical and missing else "critical" if critical else "missing"
    found = []
    if critical or missing:
        found.append(Claim(kind, (*said, *_valued(critical, "c"), *listed(missing, "m"))))
    if ahead:
        found.append(Claim("critical_ahead", tuple(_valued(ahead, "c"))))
    return found


def _valued(facts: Sequence[Fact], head: str) -> list[Slot]:
    """Names with values, and times where they are known."""
    slots: list[Slot] = []
    for number, one in enumerate(facts, 1):
        slots += [Slot(f"{head}{number}", one.id, "label"), Slot(f"v{number}", one.id, "value")]
        if one.at_us is not None or one.role == "expected":
            slots.append(Slot(f"t{number}", one.id, "when"))
    return slots


def listed(facts: Iterable[Fact], head: str, facet: Facet = "label") -> list[Slot]:
    """One facet of each fact, numbered."""
    return [Slot(f"{head}{number}", one.id, facet) for number, one in enumerate(facts, 1)]


def notes(evidence: Evidence) -> list[Claim]:
    """What must be said wherever this is shown, in one sentence."""
    said = [one for one in evidence.of_role("words") if one.name == "note"][:NOTES_MAX]
    return [Claim("note", tuple(text_slot(f"n{n}", one) for n, one in enumerate(said, 1)))] if said else []


def text_slot(name: str, fact: Fact) -> Slot:
    """Its words, or its label where it has none."""
    return Slot(name, fact.id, "text" if fact.text else "label")


def interval(evidence: Evidence, fact: Fact) -> list[Slot]:
    """The ends of a fact's interval and its confidence, as far as they are known."""
    low, high = first_of(evidence, "interval_low", fact), first_of(evidence, "interval_high", fact)
    if low is None or high is None:
        return []
    slots = [Slot("low", low.id, "value"), Slot("high", high.id, "value")]
    confidence = next((one for one in evidence.of_role("confidence") if one.of in ("", fact.id)), None)
    return [*slots, Slot("confidence", confidence.id, "value")] if confidence else slots


def first_of(evidence: Evidence, role: str, parent: Fact | None = None) -> Fact | None:
    """The first fact of a role, with `parent` of those that belong to it."""
    return next((one for one in evidence.facts if one.role == role and (parent is None or one.of == parent.id)), None)


def sign_of(now: Fact, then: Fact, evidence: Evidence) -> Sign:
    """The sign of a change as it reads: 0 where both are shown alike."""
    assert now.value is not None
    assert then.value is not None
    if _read(now, evidence) == _read(then, evidence):
        return 0
    return 1 if now.value > then.value else -1


def _read(fact: Fact, evidence: Evidence) -> str:
    """Its number as it reads; that one is estimated and the other measured is no difference."""
    plain = msgspec.structs.replace(fact, role="measurement") if fact.role == "estimate" else fact
    return value_of(plain, evidence, PLAIN)
