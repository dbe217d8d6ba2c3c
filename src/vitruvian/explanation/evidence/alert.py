"""The evidence of alarms: what is open, the limit that was passed, since when, and the course of the value before.

Who saw or silenced an alarm is no part of it: an explanation is about the patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.parts import (
    Measured,
    Person,
    clean,
    count,
    direction_of,
    fact_id,
    flags_of,
    label,
    measurement,
    unit_of,
)
from vitruvian.explanation.subjects import subjects

__all__ = ["Alarm", "Course", "alarm_fact", "alert_evidence", "course_of", "critical_of"]

ALARMS_MAX: Final = 8  # told one by one
COURSES_MAX: Final = 3  # of the gravest alarms
COURSE_H: Final = 6.0
COURSE_LEAST_H: Final = 0.25  # a shorter course is no course


class Alarm(msgspec.Struct, frozen=True):
    """An open alarm: `text` states value and limit (`HR 134 > 120`); `concept` is empty where it is about none.

    `rank`: 3 high, 2 medium, 1 low or technical. `value` is that of its last step, `limit` the rule's.
    """

    rule: str
    text: str
    raised_us: int
    rank: int = 1
    concept: str = ""
    value: float | None = None
    limit: float | None = None
    technical: bool = False


class Course(msgspec.Struct, frozen=True):
    """A value's first and last measurement of a span."""

    name: str
    first: float
    first_us: int
    last: float
    last_us: int


def course_of(name: str, at_us: Sequence[int], values: Sequence[float], start_us: int) -> Course | None:
    """The course since `start_us`; None where there are no two measurements some time apart."""
    since = [(when, value) for when, value in zip(at_us, values, strict=True) if when >= start_us]
    if len(since) < 2 or since[-1][0] - since[0][0] < COURSE_LEAST_H * HOUR_US:
        return None
    return Course(name, since[0][1], since[0][0], since[-1][1], since[-1][0])


def alert_evidence(
    at_us: int,
    alarms: Sequence[Alarm],
    courses: Mapping[str, Course] | None = None,
    *,
    measured: Sequence[Measured] = (),
    person: Person | None = None,
    patient: str = "",
    zone: str = "UTC",
    simulated: bool = False,
) -> Evidence:
    """The packet of a patient's open alarms, the gravest and newest first; pure.

    `courses`: by concept, how the value came to where it is. `measured`: the newest valid values, of which the critical
    ones are named.
    """
    who, known = person or Person(), courses or {}
    ranked = sorted(alarms, key=lambda one: (-one.rank, -one.raised_us, one.rule))
    facts = [count("alarms", len(alarms), "open alarms")]
    for number, one in enumerate(ranked[:ALARMS_MAX], 1):
        facts += _alarm(one, f"alarm-{number}")
    if len(ranked) > ALARMS_MAX:
        facts.append(count("more", len(ranked) - ALARMS_MAX, "more alarms"))
    told = [one.concept for one in ranked if one.concept in known]
    for name in list(dict.fromkeys(told))[:COURSES_MAX]:
        facts += course_facts(known[name], at_us, who)
    have = {(fact.name, fact.value) for fact in facts if "critical" in fact.flags}
    facts += [one for one in critical_of(measured, who) if (one.name, one.value) not in have]
    return Evidence("alert", at_us, tuple(facts), 1, patient, zone, "", simulated)


def alarm_fact(one: Alarm, which: str, *, of: str = "") -> Fact:
    """An alarm as it stands in a packet."""
    about = subjects(one.concept).label if one.concept in VOCABULARY else _rule_words(one)
    name = one.concept if one.concept in VOCABULARY else "alarm"
    return Fact(
        which, "alarm", name, label(about), one.value, clean(one.text), unit_of(name), one.raised_us,
        source=clean(f"rule {one.rule}"), of=of,
    )  # fmt: skip


def _rule_words(one: Alarm) -> str:
    words = one.rule.replace("_", " ")
    return f"{words} (equipment)" if one.technical else words


def _alarm(one: Alarm, which: str) -> list[Fact]:
    fact = alarm_fact(one, which)
    if one.limit is None:
        return [fact]
    limit = Fact(fact_id("limit", which), "limit", fact.name, fact.label, one.limit, unit=fact.unit, of=which)
    return [fact, limit]


def course_facts(one: Course, at_us: int, person: Person) -> list[Fact]:
    """First and last value of a course, and how far it reaches back."""
    direction = direction_of(one.name, one.first, one.last)
    last = measurement(
        Measured(one.name, one.last, one.last_us), fact_id("last", one.name), person, direction=direction
    )
    about, unit = last.label, last.unit
    past = tuple(flag for flag in flags_of(one.name, one.first, person) if flag != "critical")  # it is no longer so
    first = Fact(
        fact_id("first", one.name), "measurement", one.name, about, one.first, unit=unit, at_us=one.first_us,
        of=last.id, flags=past,
    )  # fmt: skip
    hours = round((at_us - one.first_us) / HOUR_US, 2)
    return [last, first, Fact(fact_id("window", one.name), "window", "window", "", hours, unit="h", of=last.id)]


def critical_of(measured: Sequence[Measured], person: Person, *, of: str = "") -> list[Fact]:
    """The critical ones among the newest valid values."""
    facts = (measurement(one, fact_id("critical", of, one.name), person, of=of) for one in measured)
    return [fact for fact in facts if "critical" in fact.flags]
