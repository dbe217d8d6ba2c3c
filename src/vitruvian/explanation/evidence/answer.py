"""Facts of which answers to questions are made: the newest value, an extreme, a change, or that nothing is known.

An answer is a packet of such facts; `plans.answer` says each. Identifiers tell what a fact is there for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vitruvian.explanation.evidence.alert import Course, course_facts
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.parts import Measured, Person, fact_id, measurement, words
from vitruvian.explanation.subjects import subjects

__all__ = ["absent", "answer_evidence", "changed", "highest", "latest", "lowest", "refused", "unknown"]

_WINDOW: Final = "window"


def answer_evidence(
    at_us: int, facts: Sequence[Fact], *, patient: str = "", zone: str = "UTC", model: str = "", simulated: bool = False
) -> Evidence:
    """The packet of an answer, of facts that the functions here and other builders make; the same id stands once."""
    kept = {fact.id: fact for fact in facts}
    return Evidence("answer", at_us, tuple(kept.values()), 1, patient, zone, model, simulated)


def latest(one: Measured, person: Person | None = None) -> list[Fact]:
    """The newest value of a concept."""
    return [measurement(one, fact_id("latest", one.name), person or Person())]


def highest(one: Measured, window_h: float, person: Person | None = None) -> list[Fact]:
    """The highest value over the last hours."""
    return _extreme(one, window_h, "highest", person)


def lowest(one: Measured, window_h: float, person: Person | None = None) -> list[Fact]:
    """The lowest value over the last hours."""
    return _extreme(one, window_h, "lowest", person)


def _extreme(one: Measured, window_h: float, which: str, person: Person | None) -> list[Fact]:
    fact = measurement(one, fact_id(which, one.name), person or Person())
    return [fact, _window(fact.id, window_h)]


def changed(one: Course, at_us: int, person: Person | None = None) -> list[Fact]:
    """How a value went from its first to its last measurement."""
    return course_facts(one, at_us, person or Person())


def absent(name: str, window_h: float | None = None) -> list[Fact]:
    """That nothing of a concept was measured (over the last hours)."""
    fact = Fact(fact_id("absent", name), "missing", name, subjects(name).label)
    return [fact] if window_h is None else [fact, _window(fact.id, window_h)]


def unknown(reason: str) -> list[Fact]:
    """That a question has no answer, and why."""
    return [words("unknown", "unknown", reason)]


def refused(reason: str) -> list[Fact]:
    """That a request is refused, and why."""
    return [words("refused", "refused", reason)]


def _window(of: str, hours: float) -> Fact:
    return Fact(fact_id(_WINDOW, of), "window", "window", "", hours, unit="h", of=of)
