"""The evidence of a ward's handover: bed by bed what matters to whoever takes over, the gravest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from vitruvian.explanation.evidence.alert import Alarm, alarm_fact, critical_of
from vitruvian.explanation.evidence.base import FACTS_MAX, Evidence, Fact, Flag
from vitruvian.explanation.evidence.parts import Measured, Person, count, fact_id, label, lacking, notes
from vitruvian.explanation.evidence.risk import is_rising
from vitruvian.explanation.evidence.timeline import Happened, given_fact
from vitruvian.explanation.subjects import in_sentence

__all__ = ["BedStory", "TheRisk", "TheScore", "handover_evidence"]

ALARMS_MAX: Final = 3  # of a bed, told one by one
GIVEN_MAX: Final = 3
_KEPT: Final = 3  # facts of the ward itself: beds, alarms, beds left out


class TheScore(msgspec.Struct, frozen=True):
    """An early-warning score: of the vocabulary by name."""

    name: str
    display: str
    value: float
    exact: bool = True


class TheRisk(msgspec.Struct, frozen=True):
    """A learned risk (0 to 1) of `about`, and what it was at `earlier_us`."""

    target: str
    about: str
    probability: float
    earlier: float | None = None
    earlier_us: int | None = None
    model: str = ""


class BedStory(msgspec.Struct, frozen=True):
    """What is told of one bed. `missing`: key inputs that were not measured recently; `urgency`: 0 the most urgent."""

    place: str
    score: TheScore | None = None
    risk: TheRisk | None = None
    alarms: tuple[Alarm, ...] = ()
    measured: tuple[Measured, ...] = ()
    given: tuple[Happened, ...] = ()
    missing: tuple[str, ...] = ()
    person: Person = Person()
    urgency: int = 9


def handover_evidence(
    at_us: int, beds: Sequence[BedStory], *, window_h: float = 12.0, zone: str = "UTC", simulated: bool = False
) -> Evidence:
    """The packet of a ward; pure. Every fact of a bed belongs (`of`) to its place.

    A packet has room for so many facts: of every bed that fits, all that must be said comes first; beds that do not fit
    are counted in a note, and medicines and alarms are left out before any bed is. `window_h`: of what was given.
    """
    ranked = sorted(beds, key=lambda one: (one.urgency, -(one.score.value if one.score else -1.0), one.place))
    cores = [_core(one, f"place-{n}", at_us) for n, one in enumerate(ranked, 1)]
    extras = [_extra(one, f"place-{n}") for n, one in enumerate(ranked, 1)]
    room, fits = FACTS_MAX - _KEPT - 1, 0
    while fits < len(cores) and len(cores[fits]) <= room:
        room -= len(cores[fits])
        fits += 1
    facts = [count("beds", len(beds)), count("alarms", sum(len(one.alarms) for one in beds), "open alarms")]
    facts.append(Fact("window", "window", "window", "", window_h, unit="h"))
    for core, extra in zip(cores[:fits], extras[:fits], strict=True):
        kept = extra if len(extra) <= room else ()
        room -= len(kept)
        facts += [*core, *kept]
    if fits < len(beds):
        facts += notes([f"{len(beds) - fits} further beds are not told here"])
    return Evidence("handover", at_us, tuple(facts), 1, "", zone, "", simulated)


def _core(one: BedStory, place: str, at_us: int) -> tuple[Fact, ...]:
    """What must be said of a bed."""
    facts = [Fact(place, "place", "place", label(one.place) or "a place unknown")]
    if one.score is not None:
        about = one.score.display if one.score.display[:2].isupper() else in_sentence(one.score.display)
        text = "" if one.score.exact else "at least: some inputs are missing"
        facts.append(
            Fact(fact_id("score", place), "score", one.score.name, about, one.score.value, text, "{score}", of=place)
        )
    if one.risk is not None:
        facts += _risk(one.risk, place, at_us)
    facts += critical_of(one.measured, one.person, of=place)
    facts += lacking(one.missing, of=place)
    return tuple(facts)


def _risk(one: TheRisk, place: str, at_us: int) -> list[Fact]:
    name = f"{one.target}_risk"
    earlier = one.earlier if one.earlier_us is not None and one.earlier_us < at_us else None
    flags: tuple[Flag, ...] = ("rising_risk",) if is_rising(one.probability, earlier) else ()
    risk = Fact(fact_id("risk", place), "probability", name, one.about, one.probability, at_us=at_us, of=place,
                source=f"model {one.model}" if one.model else "", flags=flags)  # fmt: skip
    if earlier is None:
        return [risk]
    return [
        risk,
        Fact(fact_id("earlier", place), "earlier", name, one.about, earlier, at_us=one.earlier_us, of=risk.id),
    ]


def _extra(one: BedStory, place: str) -> tuple[Fact, ...]:
    """What is said of a bed where there is room."""
    ranked = sorted(one.alarms, key=lambda alarm: (-alarm.rank, -alarm.raised_us, alarm.rule))
    alarms = [alarm_fact(alarm, fact_id("alarm", place, n), of=place) for n, alarm in enumerate(ranked[:ALARMS_MAX], 1)]
    if len(ranked) > ALARMS_MAX:
        alarms.append(
            Fact(fact_id("more", place), "count", "more", "more alarms", float(len(ranked) - ALARMS_MAX), of=place)
        )
    newest = sorted(one.given, key=lambda given: (-given.at_us, given.label))[:GIVEN_MAX]
    given = [given_fact(given, fact_id("given", place, n), of=place) for n, given in enumerate(newest, 1)]
    return (*alarms, *given)
