"""What is said of a model: what it estimates, on whose records, how well it did, and its limits."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim, Slot
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.plans.parts import first_of, interval, red_flags, text_slot

__all__ = ["figure", "plan"]

NOTES_MAX: Final = 8
PLAIN_FIGURES: Final = ("alarms_per_patient_day", "alarm_precision", "sensitivity")  # what a patient can make use of


def plan(evidence: Evidence, audience: Audience) -> tuple[Claim, ...]:
    """The claims of a card, in order; each limit is a sentence of its own."""
    said = [*_outcome(evidence), *_data(evidence)]
    figures = evidence.of_role("figure")
    plain = [one for one in figures if audience == "clinician" or one.name in PLAIN_FIGURES]
    said += [figure(evidence, one) for one in plain or (() if said else figures)]
    notes = [one for one in evidence.of_role("words") if one.name == "note"]
    said += [Claim("note", (text_slot("n1", one),)) for one in notes[:NOTES_MAX]]
    return (*said, *red_flags(evidence))


def _outcome(evidence: Evidence) -> list[Claim]:
    outcome = evidence.by_id.get("outcome")
    if outcome is None:
        return []
    slots = [Slot("outcome", outcome.id, "label")]
    horizon, usual = first_of(evidence, "horizon", outcome), first_of(evidence, "usual", outcome)
    slots += [Slot("horizon", horizon.id, "value")] if horizon is not None else []
    slots += [Slot("usual", usual.id, "frequency")] if usual is not None else []
    return [Claim("card", tuple(slots))]


def _data(evidence: Evidence) -> list[Claim]:
    data = next((one for one in evidence.of_role("words") if one.name == "data" and one.text), None)
    if data is None:
        return []
    patients = next((one for one in evidence.of_role("count") if one.name == "patients"), None)
    slots = [Slot("data", data.id, "text")]
    slots += [Slot("patients", patients.id, "value")] if patients is not None else []
    return [Claim("trained", tuple(slots))]


def figure(evidence: Evidence, fact: Fact) -> Claim:
    """One figure of an evaluation, with its interval."""
    slots = [Slot("figure", fact.id, "label"), Slot("value", fact.id, "value"), *interval(evidence, fact)]
    return Claim("figure", tuple(slots))
