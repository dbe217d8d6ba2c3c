"""Facts of everything else: medicines, alarms, scores, what is missing, the state as a whole, the sources of data."""

from __future__ import annotations

from typing import Final

from vitruvian.core.time import DAY_US, HOUR_US, from_us, zone_named
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.ask.kinds import Route
from vitruvian.explanation.ask.port import Answers, ScoreTold
from vitruvian.explanation.ask.values import ended, hours_back
from vitruvian.explanation.evidence import answer as made
from vitruvian.explanation.evidence.alert import alarm_fact
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.parts import count, fact_id, label, lacking, notes
from vitruvian.explanation.evidence.timeline import given_fact
from vitruvian.explanation.subjects import in_sentence, subjects

__all__ = ["EVENTS_H", "EVENTS_H_MAX", "alarms", "events_until", "medicines", "missing", "quality", "scores", "state"]

EVENTS_H: Final = 12.0
EVENTS_H_MAX: Final = 24 * 7
MEDICINES_H: Final = 24.0
ALARMS_H: Final = 24.0
NAMED_MAX: Final = 6
_CLASSES: Final = {
    "antibiotic": ("vancomycin", "piperacillin_tazobactam", "meropenem", "ceftriaxone", "gentamicin", "cefepime",
                   "cefazolin", "metronidazole", "ciprofloxacin", "levofloxacin", "linezolid", "amikacin",
                   "tobramycin"),
    "norepinephrine": ("norepinephrine",),
    "crystalloid": ("crystalloid", "colloid"),
}  # fmt: skip


def medicines(route: Route, twin: Answers) -> list[Fact]:
    """What was given, or of one medicine; that none of it is on file, where none is."""
    hours = hours_back(route, twin, MEDICINES_H)
    ends_us = route.until_us
    found = [one for one in twin.given(twin.now_us() - int(hours * HOUR_US)) if ends_us is None or one.at_us <= ends_us]
    if route.concept:
        wanted = {route.concept, *_CLASSES.get(route.concept, ())}
        found = [one for one in found if one.name in wanted]
        if not found:
            return ended(made.absent(route.concept, hours if ends_us else round(hours, 2)), ends_us)
    if not found:
        span = f"the last {hours:.3g} h" if ends_us is None else "that time"
        return made.unknown(f"no medicine is on file over {span}")
    facts = [given_fact(one, f"given-{n}") for n, one in enumerate(found[:NAMED_MAX], 1)]
    more = len(found) - NAMED_MAX
    return [*facts, count("more", more, "more entries")] if more > 0 else facts


def events_until(packet: Evidence, route: Route) -> list[Fact]:
    """Of the packet of the last hours, what happened within a span that ended before."""
    begins_us, ends_us = route.since_us or 0, route.until_us or packet.at_us
    kept = [one for one in packet.facts if one.role in ("event", "alarm") and one.at_us is not None
            and begins_us <= one.at_us <= ends_us]  # fmt: skip
    kept += [one for one in packet.of_role("measurement") if not one.of and not packet.of_role("measurement", of=one.id)
             and one.at_us is not None and begins_us <= one.at_us <= ends_us]  # fmt: skip
    return kept or made.unknown("no event is on file over that time")


def alarms(route: Route, twin: Answers) -> list[Fact]:
    """Alarms raised over a span, the gravest first."""
    since_us = twin.now_us() - int(hours_back(route, twin, ALARMS_H) * HOUR_US)
    until_us = route.until_us or twin.now_us()
    found = [one for one in twin.alarms_since(since_us) if one.raised_us <= until_us]
    if route.concept:
        found = [one for one in found if one.concept == route.concept]
    ranked = sorted(found, key=lambda one: (-one.rank, -one.raised_us, one.rule))
    if not ranked:
        return notes(["no alarm was raised over that time"])
    facts = [count("alarms", len(ranked), "alarms")]
    facts += [alarm_fact(one, f"alarm-{n}") for n, one in enumerate(ranked[:NAMED_MAX], 1)]
    if len(ranked) > NAMED_MAX:
        facts.append(count("more", len(ranked) - NAMED_MAX, "more alarms"))
    return facts


def scores(route: Route, twin: Answers) -> list[Fact]:
    """The score that is asked for (by default the first), and where its points come from."""
    told = list(twin.scores())
    found = next((one for one in told if one.name == route.concept), None if route.concept else next(iter(told), None))
    if found is None:
        return made.unknown("no such score is kept here")
    if route.until_us is not None:
        return made.unknown("a score is told as it is now; ask for it without a time that is past")
    return _score(found, twin)


def _score(told: ScoreTold, twin: Answers, *, parts: bool = True) -> list[Fact]:
    if told.value is None:
        why = told.reason or f"it lacks {', '.join(told.missing) or 'its inputs'}"
        return made.unknown(f"{told.display} is not told: {why}")
    about = told.display if told.display[:2].isupper() else in_sentence(told.display)
    unit = VOCABULARY[told.name].unit if told.name in VOCABULARY else "{score}"
    facts = [Fact(fact_id("latest", told.name), "score", told.name, label(about), told.value, unit=unit,
                  at_us=twin.now_us())]  # fmt: skip
    if not parts:
        return facts
    said = [f"{name} {points}" for name, points in told.parts if points]
    texts = [f"its points: {', '.join(said)}"] if said else ["no part of it gives points"] if told.parts else []
    if told.missing:
        texts.append(f"it lacks {', '.join(told.missing)}")
    return [*facts, *notes(texts)]


def missing(route: Route, twin: Answers) -> list[Fact]:
    """Key inputs without a recent value, and values that have outlived their validity."""
    if route.concept in VOCABULARY and VOCABULARY[route.concept].kind in ("vital", "lab"):
        found = twin.newest(route.concept)
        fresh = found is not None and all(one.name != route.concept for one in twin.expired())
        if found is not None and fresh:
            return made.latest(found, twin.person())
        return [*made.absent(route.concept), *(made.latest(found, twin.person()) if found else [])]
    lacks = list(twin.missing())
    old = [one for one in twin.expired() if one.name not in lacks][:NAMED_MAX]
    facts = lacking(lacks)
    facts += [Fact(fact_id("missing", one.name), "missing", one.name, subjects(one.name).label, at_us=one.at_us)
              for one in old]  # fmt: skip
    return facts or notes(["no key input is missing, and no value has outlived its validity"])


def state(_: Route, twin: Answers) -> list[Fact]:
    """In short: the early-warning score, the main risk, open alarms, what is critical and what is missing."""
    facts: list[Fact] = []
    first = next((one for one in twin.scores() if one.value is not None), None)
    if first is not None:
        facts += _score(first, twin, parts=False)
    task = next(iter(twin.tasks()), None)
    if task is not None:
        told = twin.risk(task).facts
        facts += [one for one in told if one.role not in ("driver", "usual") or "critical" in one.flags]
    open_now = twin.alarms().facts
    known = {one.id for one in facts} | {one.name for one in facts if "critical" in one.flags}
    facts += [one for one in open_now if one.role in ("alarm", "count") and one.id not in known]
    facts += [one for one in open_now if "critical" in one.flags and one.id not in known and one.name not in known]
    have = {one.name for one in facts if one.role == "missing"}
    facts += [one for one in lacking(list(twin.missing())) if one.name not in have]
    return facts or made.unknown("nothing was measured yet")


def quality(route: Route, twin: Answers) -> list[Fact]:
    """Where the data came from over the last day, what is old, and whether any of it is simulated."""
    found = [one for one in twin.sources() if one.last_us > twin.now_us() - DAY_US]
    zone = zone_named(twin.zone)
    texts = [
        f"{one.name}: {one.entries} entries over the last 24 h"
        + (f", {one.flagged} of them flagged" if one.flagged else "")
        + f", the newest at {from_us(one.last_us).astimezone(zone):%H:%M}"
        for one in found[:NAMED_MAX]
    ]
    if not texts:
        texts = ["no source has sent anything over the last 24 h"]
    if twin.simulated:
        texts.append("this patient is simulated")
    facts: list[Fact] = []
    if route.concept in VOCABULARY:
        newest = twin.newest(route.concept)
        facts = made.latest(newest, twin.person()) if newest else made.absent(route.concept)
    return [*facts, *lacking(list(twin.missing())), *notes(texts)]
