"""The evidence of a patient's last hours: results, medicines, moves, alarms, and how vital signs changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.evidence.alert import Alarm, Course, alarm_fact, course_facts, critical_of
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.parts import (
    Measured,
    Person,
    clean,
    count,
    fact_id,
    label,
    lacking,
    measurement,
    notes,
)

__all__ = ["MEDICINE", "Happened", "given_fact", "is_given", "timeline_evidence"]

RESULTS_MAX: Final = 60
GIVEN_MAX: Final = 40
EVENTS_MAX: Final = 20
ALARMS_MAX: Final = 20
COURSES_MAX: Final = 12
MEDICINE: Final = "medicine"  # the name of what was given, where the vocabulary has none
HOW_CHARS_MAX: Final = 120  # of a dose or a place, which stands within a sentence


class Happened(msgspec.Struct, frozen=True):
    """Something that happened: `label` what, `text` how (a dose, a bed). `name`: of the vocabulary where it is a
    medicine or an act, else free.
    """

    label: str
    text: str
    at_us: int
    name: str = ""
    source: str = ""


def timeline_evidence(
    at_us: int,
    window_h: float,
    *,
    results: Sequence[Measured] = (),
    given: Sequence[Happened] = (),
    events: Sequence[Happened] = (),
    alarms: Sequence[Alarm] = (),
    courses: Sequence[Course] = (),
    measured: Sequence[Measured] = (),
    missing: Sequence[str] = (),
    person: Person | None = None,
    patient: str = "",
    zone: str = "UTC",
    simulated: bool = False,
) -> Evidence:
    """The packet of the last `window_h` hours; pure. Of each concept the newest result, flagged if high or low.

    `courses`: vital signs over the window. `measured`: the newest valid values, `missing`: key inputs without one; what
    is critical or missing is named by every explanation. A note counts what does not fit.
    """
    who = person or Person()
    newest = list({one.name: one for one in sorted(results, key=lambda one: one.at_us)}.values())
    newest.sort(key=lambda one: (-one.at_us, one.name))
    lists = (
        (newest, RESULTS_MAX), (_newest(given), GIVEN_MAX), (_newest(events), EVENTS_MAX), (alarms, ALARMS_MAX),
        (courses, COURSES_MAX),
    )  # fmt: skip
    left_out = sum(max(0, len(items) - most) for items, most in lists)
    facts = [Fact("window", "window", "window", "", window_h, unit="h")]
    facts += [measurement(one, fact_id("result", one.name), who) for one in newest[:RESULTS_MAX]]
    facts += [given_fact(one, f"given-{n}") for n, one in enumerate(_newest(given)[:GIVEN_MAX], 1)]
    facts += [_event(one, f"event-{n}") for n, one in enumerate(_newest(events)[:EVENTS_MAX], 1)]
    ranked = sorted(alarms, key=lambda one: (-one.rank, -one.raised_us, one.rule))
    facts += [alarm_fact(one, f"alarm-{n}") for n, one in enumerate(ranked[:ALARMS_MAX], 1)]
    for course in courses[:COURSES_MAX]:
        facts += course_facts(course, at_us, who)
    have = {fact.name for fact in facts if "critical" in fact.flags}
    facts += [one for one in critical_of(measured, who) if one.name not in have]
    facts += lacking(missing)
    facts.append(count("alarms", len(alarms), "open alarms"))
    facts += notes([f"{left_out} older entries are not told here"] if left_out else [])
    return Evidence("timeline", at_us, tuple(facts), 1, patient, zone, "", simulated)


def _newest(items: Sequence[Happened]) -> list[Happened]:
    return sorted(items, key=lambda one: (-one.at_us, one.label))


def given_fact(one: Happened, which: str, *, of: str = "") -> Fact:
    """A medicine that was given: an event named in the vocabulary, or called a medicine."""
    return _event(one, which, one.name if is_given(one.name) else MEDICINE, of=of)


def is_given(name: str) -> bool:
    """Whether an event of that name is of something that was given or done to treat; any other only happened."""
    return name == MEDICINE or (name in VOCABULARY and VOCABULARY[name].kind == "intervention")


def _event(one: Happened, which: str, name: str = "event", *, of: str = "") -> Fact:
    about = label(one.label) or "an entry without a name"
    return Fact(
        which, "event", name, about, text=clean(one.text, HOW_CHARS_MAX), at_us=one.at_us,
        source=clean(one.source), of=of,
    )  # fmt: skip
