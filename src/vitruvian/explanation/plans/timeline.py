"""What is said of the last hours: alarms, what is critical or missing, medicines, moves, results, vital signs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.claims import Audience, Claim, Sign, Slot
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.timeline import is_given
from vitruvian.explanation.plans.alert import alarms, no_alarm
from vitruvian.explanation.plans.parts import notes, red_flags, sign_of

__all__ = ["happenings", "medicines", "plan"]

MEDICINES_MAX: Final = 8  # the newest, told one by one
EVENTS_MAX: Final = 3
RESULTS_MAX: Final = 8


def plan(evidence: Evidence, audience: Audience) -> tuple[Claim, ...]:
    """The claims about what happened, in order."""
    said = [*red_flags(evidence), *alarms(evidence, audience), *_changes(evidence)]
    said += [*_results(evidence), *medicines(evidence)]
    said += happenings(evidence)
    said = said or no_alarm(evidence) or _latest(evidence)
    return (*said, *notes(evidence))


def medicines(evidence: Evidence, *, of: str | None = None, place: Fact | None = None) -> list[Claim]:
    """What was given, in one sentence."""
    given = [one for one in evidence.of_role("event", of=of) if is_given(one.name)][:MEDICINES_MAX]
    slots = [Slot("place", place.id, "label")] if place else []
    for number, one in enumerate(given, 1):
        slots.append(Slot(f"g{number}", one.id, "label"))
        slots += [Slot(f"d{number}", one.id, "text")] if one.text else []
        slots.append(Slot(f"t{number}", one.id, "when"))
    return [Claim("medicines", tuple(slots))] if given else []


def happenings(evidence: Evidence) -> list[Claim]:
    """Everything else that is recorded, the newest, a sentence each: only what is a medicine was given."""
    return [_happened(one) for one in evidence.of_role("event") if not is_given(one.name)][:EVENTS_MAX]


def _latest(evidence: Evidence) -> list[Claim]:
    """The values of a packet that holds nothing but values in their usual range."""
    found = [one for one in evidence.of_role("measurement") if one.value is not None]
    return [Claim("results", _valued(found))] if found else []


def _valued(facts: Sequence[Fact]) -> tuple[Slot, ...]:
    """Names with values, and times where they are known."""
    slots: list[Slot] = []
    for number, one in enumerate(facts[:RESULTS_MAX], 1):
        slots += [Slot(f"s{number}", one.id, "label"), Slot(f"v{number}", one.id, "value")]
        slots += [Slot(f"t{number}", one.id, "when")] if one.at_us is not None else []
    return tuple(slots)


def _happened(one: Fact) -> Claim:
    how = (Slot("how", one.id, "text"),) if one.text else ()
    return Claim("happened", (Slot("what", one.id, "label"), *how, Slot("when", one.id, "when")))


def _results(evidence: Evidence) -> list[Claim]:
    """Results above, and those below, their usual range."""
    found: list[Claim] = []
    signs: tuple[tuple[Sign, str], ...] = ((1, "high"), (-1, "low"))
    for sign, flag in signs:
        facts = [one for one in evidence.of_role("measurement") if flag in one.flags and _is_result(one)]
        found += [Claim("results", _valued(facts), sign)] if facts else []
    return found


def _is_result(fact: Fact) -> bool:
    """Whether it is a laboratory's result, or of a name that nobody knows; vital signs are told by their changes."""
    concept = VOCABULARY.get(fact.name)
    return not fact.of and (concept is None or concept.kind == "lab")


def _changes(evidence: Evidence) -> list[Claim]:
    """Vital signs that rose notably over the window, and those that fell."""
    window = next((one for one in evidence.of_role("window") if not one.of), None)
    if window is None:
        return []
    found: list[Claim] = []
    signs: tuple[tuple[Sign, str], ...] = ((1, "rising"), (-1, "falling"))
    for sign, direction in signs:
        slots: list[Slot] = []
        for last in evidence.of_role("measurement"):
            first = next(iter(evidence.of_role("measurement", of=last.id)), None)
            if first is None or last.direction != direction or sign_of(last, first, evidence) != sign:
                continue
            number = len(slots) // 3 + 1
            slots += [Slot(f"s{number}", last.id, "label"), Slot(f"f{number}", first.id, "value")]
            slots.append(Slot(f"v{number}", last.id, "value"))
        found += [Claim("changes", (*slots, Slot("window", window.id, "value")), sign)] if slots else []
    return found
