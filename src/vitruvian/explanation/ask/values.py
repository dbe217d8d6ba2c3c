"""Facts of measurements: the newest, how one moved, its extremes, or that nothing of it is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.ask.kinds import Route
from vitruvian.explanation.ask.port import Answers
from vitruvian.explanation.evidence import answer as made
from vitruvian.explanation.evidence.alert import Course, course_of
from vitruvian.explanation.evidence.base import Fact
from vitruvian.explanation.evidence.parts import Measured, fact_id, interval, notes, unit_of
from vitruvian.explanation.subjects import in_sentence, subjects
from vitruvian.prediction.tasks import TASKS

__all__ = ["ended", "extreme", "hours_back", "latest", "trend"]

TREND_H: Final = 24.0
_YEAR_H: Final = 24.0 * 366
# Where a question's word may stand for the one or the other method, the first that was measured answers.
_ALIKE: Final = {
    "heart_rate": ("pulse_rate",),
    "systolic_pressure": ("systolic_pressure_arterial",),
    "diastolic_pressure": ("diastolic_pressure_arterial",),
    "mean_pressure": ("mean_pressure_arterial",),
    "body_temperature": ("core_temperature", "axillary_temperature"),
    "glucose": ("glucose_capillary", "glucose_interstitial"),
    "oxygen_saturation": ("oxygen_saturation_arterial",),
    "troponin_i": ("troponin_i_hs", "troponin_t", "troponin_t_hs"),
    "ph": ("ph_blood", "ph_venous"),
    "arterial_co2": ("blood_co2", "venous_co2"),
    "bnp": ("nt_probnp",),
    "calcium": ("calcium_ionized",),
}
_BESIDE: Final = {"systolic_pressure": "diastolic_pressure"}  # asked for together: "the blood pressure"


def hours_back(route: Route, twin: Answers, default_h: float) -> float:
    """How many hours back a route looks; since admission where it says so and that is known."""
    if route.stay:
        admitted_us = twin.admitted_us()
        return (twin.now_us() - admitted_us) / HOUR_US if admitted_us is not None else default_h
    if route.since_us is not None:
        return max((twin.now_us() - route.since_us) / HOUR_US, 0.02)
    return route.window_h or default_h


def latest(route: Route, twin: Answers) -> list[Fact]:
    """The newest value of what was asked for; what a body estimates of it, where it is not measured."""
    concept = route.concept
    if not concept:
        return made.unknown("the question names no measurement that is known here")
    if route.until_us is not None:
        return _over(concept, route, twin, hours_back(route, twin, TREND_H))
    found = _newest(concept, twin)
    if found is not None:
        facts = made.latest(found, twin.person())
        beside = _BESIDE.get(found.name)
        other = twin.newest(beside) if beside else None
        if other is not None and other.at_us == found.at_us:
            facts += made.latest(other, twin.person())
        return facts
    return _estimate(concept, twin) or _nothing(concept, None)


def trend(route: Route, twin: Answers) -> list[Fact]:
    """From its first to its last measurement of a span."""
    concept = route.concept
    if not concept:
        return made.unknown("the question names no measurement that is known here")
    hours = hours_back(route, twin, TREND_H)
    for name in (concept, *_ALIKE.get(concept, ())):
        seen = _seen(name, route, twin, hours)
        course = course_of(name, [one.at_us for one in seen], [one.value for one in seen], 0)
        if seen and route.until_us is not None and not _moved(course):
            return _both(seen, route, twin, hours)
        if course is not None and VOCABULARY[name].format(course.first) == VOCABULARY[name].format(course.last):
            same = notes([f"it reads as it did {hours:.3g} h ago, or when it was first measured since"])
            return [*made.latest(seen[-1], twin.person()), *same]
        if course is not None:
            return ended(made.changed(course, twin.now_us(), twin.person()), route.until_us)
        if seen:
            once = notes(["there are no two measurements some time apart over that time, so no change is told"])
            return [*made.latest(seen[-1], twin.person()), *once]
    return _nothing(concept, hours, route.until_us)


def _moved(course: Course | None) -> bool:
    """Whether it reads otherwise at its end than at its start."""
    if course is None:
        return False
    concept = VOCABULARY[course.name]
    return concept.format(course.first) != concept.format(course.last)


def _over(concept: str, route: Route, twin: Answers, hours: float) -> list[Fact]:
    """What it was over a span that has ended."""
    for name in (concept, *_ALIKE.get(concept, ())):
        seen = _seen(name, route, twin, hours)
        if seen:
            return _both(seen, route, twin, hours)
    return _nothing(concept, hours, route.until_us)


def _both(seen: Sequence[Measured], route: Route, twin: Answers, hours: float) -> list[Fact]:
    """The highest and the lowest of a span that has ended; one of them where they are the same."""
    most, least = (pick(seen, key=lambda one: one.value) for pick in (max, min))
    facts = made.highest(most, hours, twin.person())
    if least.value != most.value:
        facts += made.lowest(least, hours, twin.person())
    return ended(facts, route.until_us)


def ended(facts: list[Fact], until_us: int | None) -> list[Fact]:
    """With the end of the span in its windows, where it ended before now: it is not told as the last hours then."""
    if until_us is None:
        return facts
    return [msgspec.structs.replace(one, at_us=until_us) if one.role == "window" else one for one in facts]


def extreme(route: Route, twin: Answers) -> list[Fact]:
    """The highest or lowest measurement of a span, or risk that was told over it; by default the main risk."""
    concept = route.concept or (next(iter(twin.tasks()), "") if route.risk else "")
    if not concept:
        return made.unknown("the question names no measurement that is known here")
    hours = hours_back(route, twin, TREND_H)
    if concept in TASKS:
        return _extreme_risk(concept, route, twin, hours)
    for name in (concept, *_ALIKE.get(concept, ())):
        seen = _seen(name, route, twin, hours)
        if seen:
            pick, told = (min, made.lowest) if route.sign < 0 else (max, made.highest)
            span_h = hours if route.until_us else round(hours, 2)
            return ended(told(pick(seen, key=lambda one: one.value), span_h, twin.person()), route.until_us)
    return _nothing(concept, hours, route.until_us)


def _extreme_risk(task: str, route: Route, twin: Answers, hours: float) -> list[Fact]:
    now_us = twin.now_us()
    issued = twin.issued(task, now_us - int(hours * HOUR_US), (route.until_us or now_us) + 1)
    if not issued:
        return made.unknown("no such risk was told over that time")
    at_us, share = (min if route.sign < 0 else max)(issued, key=lambda one: one[1])
    which = fact_id("lowest" if route.sign < 0 else "highest", f"{task}_risk")
    fact = Fact(
        which, "probability", "told_risk", f"risk of {in_sentence(TASKS[task].title.split(',')[0])}", share, at_us=at_us
    )
    span_h = hours if route.until_us else round(hours, 2)
    window = Fact(fact_id("window", which), "window", "window", "", span_h, unit="h", of=which)
    return ended([fact, window], route.until_us)


def _newest(concept: str, twin: Answers) -> Measured | None:
    return next((one for name in (concept, *_ALIKE.get(concept, ())) if (one := twin.newest(name)) is not None), None)


def _seen(name: str, route: Route, twin: Answers, hours: float) -> Sequence[Measured]:
    now_us = twin.now_us()
    return twin.series(name, now_us - int(hours * HOUR_US), (route.until_us or now_us) + 1)


def _estimate(concept: str, twin: Answers) -> list[Fact]:
    found = twin.estimated(concept)
    if found is None:
        return []
    middle, low, high = found
    fact = Fact(
        fact_id("latest", concept), "estimate", concept, subjects(concept).label, middle, unit=unit_of(concept),
        at_us=twin.now_us(), source="the simulated body", flags=("simulated",),
    )  # fmt: skip
    return [fact, *interval(fact, low, high), *notes(["it is estimated by the simulated body, not measured"])]


def _nothing(concept: str, hours: float | None, until_us: int | None = None) -> list[Fact]:
    if concept not in VOCABULARY:
        return made.unknown("that is no measurement that is kept here")
    if until_us is not None:
        return ended(made.absent(concept, hours), until_us)
    return made.absent(concept, None if hours is None or hours > _YEAR_H else round(hours, 2))
