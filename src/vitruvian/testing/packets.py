"""Packets of evidence of every kind, from random numbers as a twin could have them; the same for the same seed.

They are made by the builders that the service uses, from realistic and from nasty numbers, for testing whatever plans,
words, verifies or shows explanations:

    for packet in packets(seed=7, count=500): ...
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final, get_args

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.evidence import answer
from vitruvian.explanation.evidence.alert import alert_evidence
from vitruvian.explanation.evidence.base import Evidence, Fact, Kind
from vitruvian.explanation.evidence.card import FIGURES, Card, card_evidence
from vitruvian.explanation.evidence.forecast import Outlook, forecast_evidence
from vitruvian.explanation.evidence.handover import BedStory, TheRisk, TheScore, handover_evidence
from vitruvian.explanation.evidence.parts import KEY_INPUTS, Measured
from vitruvian.explanation.evidence.ranges import is_critical
from vitruvian.explanation.evidence.risk import Issued, risk_evidence
from vitruvian.explanation.evidence.timeline import Happened, timeline_evidence
from vitruvian.explanation.evidence.what_if import Difference, RiskDifference, what_if_evidence
from vitruvian.physiology.actions import Action
from vitruvian.scenarios.effects import PROBABLE, SURE, Verdict
from vitruvian.signals import FEATURES
from vitruvian.testing.packet_draws import LABS, VITALS, Draws

__all__ = ["KINDS", "packets"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
OUTCOMES: Final = (
    ("sepsis", "sepsis"), ("aki", "acute kidney injury"), ("mortality", "death in hospital"),
    ("deterioration", "deterioration"), ("cardiac_event", "a cardiac event or arrest"),
)  # fmt: skip
ESTIMATES: Final = ("cardiac_output", "blood_volume", "stroke_volume", "oxygen_delivery", "glomerular_filtration_rate")
BODY: Final = (*VITALS[:7], *ESTIMATES, "lactate", "ph", "glucose", "base_excess")
UNITS: Final[Mapping[str, tuple[str, ...]]] = {
    "crystalloid": ("mL",), "red_cells": ("mL",), "norepinephrine": ("ug/kg/min",), "furosemide": ("mg",),
    "inspired_oxygen_fraction": ("1",), "insulin": ("[iU]",), "vasopressin": ("[iU]/min",), "propofol": ("ug/kg/min",),
}  # fmt: skip
NOTES: Final = (
    "Not validated: no labelled data of real patients were there to measure it on.", "Trained on simulated patients.",
    "Measured on what was known at 24 h; later it reads what is known now.",
)  # fmt: skip


def packets(seed: int, count: int, kind: Kind | None = None) -> Iterator[Evidence]:
    """`count` packets, of one kind or of every kind in turn."""
    for number in range(count):
        wanted = kind or KINDS[number % len(KINDS)]
        yield _MAKERS[wanted](Draws(seed, number))


def _risk(draws: Draws) -> Evidence:
    target, about = draws.choice(OUTCOMES)
    probability = None if draws.chance(0.1) else draws.probability()
    given = probability or 0.0
    within = draws.chance(0.85)
    known = draws.chance(0.75)
    issued = Issued(
        target, draws.choice((6.0, 24.0, 12.0, 1.0, 0.5, None)), draws.at_us, probability,
        low=given * draws.between(0.3, 1.0) if within else None,
        high=min(1.0, given * draws.between(1.0, 2.5) + 0.001) if within else None,
        insufficient="" if probability is not None else "insufficient data: 2 of 5 vital signs are recent",
        earlier=(given if draws.chance(0.2) else draws.probability()) if known else None,
        earlier_us=draws.at_us - int(draws.between(0.5, 40) * HOUR_US) if known else None, about=about,
        usual=draws.between(0.002, 0.3) if draws.chance(0.7) else None, model="2.0.0+154310259aaa",
        notes=tuple(draws.some(NOTES, 3)), validated=draws.chance(0.7), simulated=draws.chance(0.3),
    )  # fmt: skip
    values = _features(draws)
    added = {name: draws.between(-2, 2) for name in draws.some(FEATURES, 25)} if draws.chance(0.9) else None
    seen = {name: draws.when() for name in values if name in VOCABULARY and draws.chance(0.8)}
    return risk_evidence(issued, values, added, seen, patient="p-1", zone=draws.zone)


def _features(draws: Draws) -> dict[str, float]:
    """Features as a model reads them: newest values, their ages and changes; NaN where missing."""
    values: dict[str, float] = {"age_years": draws.between(18, 95), "male": float(draws.chance(0.5))}
    for name in (*VITALS[:7], *draws.some(LABS, 12)):
        if draws.chance(0.15):
            values[name] = math.nan
            continue
        values[name] = draws.value(name)
        values[f"{name}_age_h"] = draws.between(0, 12)
        values[f"{name}_delta_6h"] = values[f"{name}_change"] = float(draws.random.normal(0, 8))
    return values


def _forecast(draws: Draws) -> Evidence:
    horizon_h = draws.choice((1.0, 6.0, 12.0, 24.0, 0.5))
    outlooks = [_outlook(draws, name, horizon_h) for name in draws.some(BODY, 12)]
    return forecast_evidence(
        draws.at_us, horizon_h, outlooks, measured=draws.measured((*VITALS, "lactate", "potassium"), 6),
        reason="" if outlooks else "there is no body of this patient yet", said=draws.some(NOTES[:1], 1),
        person=draws.person, patient="p-1", zone=draws.zone, model="acute",
    )  # fmt: skip


def _outlook(draws: Draws, name: str, horizon_h: float) -> Outlook:
    now = draws.value(name)
    later = now if draws.chance(0.15) else now * draws.between(0.97, 1.03) if draws.chance(0.4) else draws.value(name)
    spread = abs(later) * draws.between(0, 0.3)
    least, most = min(now, later), max(now, later)
    beyond = draws.value(name)
    return Outlook(
        name, now, later, later - spread, later + spread * draws.between(0.5, 1.5), min(least, beyond),
        draws.between(0.01, horizon_h), max(most, beyond), draws.between(0.01, horizon_h),
    )  # fmt: skip


def _what_if(draws: Draws) -> Evidence:
    horizon_h = draws.choice((1.0, 6.0, 24.0))
    names = draws.some(tuple(UNITS), 8)
    actions = [
        Action(name, round(draws.between(0.01, 900), 2), draws.choice(UNITS[name]),
               draws.choice((0.0, 0.0, 1800.0, 5400.0)), draws.choice((None, 900.0, 3600.0, 21_600.0)))
        for name in names
    ]  # fmt: skip
    edits = [(name, draws.value(name)) for name in draws.some(("heart_rate", "lactate", "hemoglobin", "glucose"), 4)]
    if not actions and not edits:
        actions = [Action("crystalloid", 500.0, "mL", 0.0, 1800.0)]
    if draws.chance(0.1):
        return what_if_evidence(
            draws.at_us, horizon_h, actions, edits, outside=("the body is lost: it no longer follows the patient",),
            patient="p-1", zone=draws.zone,
        )  # fmt: skip
    differences = [_difference(draws, name, horizon_h) for name in draws.some(BODY, 10)]
    risks = []
    for name in draws.some(("sepsis_risk", "news2", "aki_risk", "qsofa"), 4):
        learned = name.endswith("_risk")
        before, after = (draws.probability() if learned else draws.points(name) for _ in range(2))
        after = before if draws.chance(0.2) else after
        version = "2.0.0" if learned else ""
        risks.append(
            RiskDifference(name, VOCABULARY[name].display, before, after, "sensitivity" if learned else "mechanistic",
                           version)
        )  # fmt: skip
    said = ["The body is still learning this patient: few data so far."] if draws.chance(0.3) else []
    return what_if_evidence(
        draws.at_us, horizon_h, actions, edits, differences, risks, said=said, patient="p-1", zone=draws.zone
    )


def _difference(draws: Draws, name: str, horizon_h: float) -> Difference:
    level = draws.value(name)
    median = 0.0 if draws.chance(0.1) else draws.between(-0.3, 0.3) * max(abs(level), 0.1)
    share = draws.between(0.5, 1.0)  # of the members that agree with the middle one
    verdict: Verdict = "unchanged" if median == 0 else "open"
    if median:
        up = median > 0
        sure: tuple[Verdict, Verdict] = ("rises", "falls")
        probable: tuple[Verdict, Verdict] = ("probably rises", "probably falls")
        verdict = (sure if share >= SURE else probable)[0 if up else 1] if share >= PROBABLE else "open"
    above = 0.0 if median == 0 else share if median > 0 else 1 - share
    near = abs(median) * (draws.between(0, 0.95) if share >= SURE else draws.between(1.01, 2))  # beyond 0 if not sure
    far = abs(median) * draws.between(0, 1.5)
    low, high = (median - near, median + far) if median > 0 else (median - far, median + near)
    critical = draws.value(name)
    limit = (critical, draws.between(0.02, horizon_h)) if name in VITALS and draws.chance(0.2) else None
    share_of_data = None if verdict == "unchanged" else draws.between(0, 1)
    hours = draws.between(0.02, horizon_h)
    return Difference(
        name, VOCABULARY[name].unit, verdict, median, low, high, hours, above, share_of_data, level,
        limit if limit and is_critical(name, limit[0]) else None,
    )  # fmt: skip


def _alert(draws: Draws) -> Evidence:
    alarms = [draws.alarm() for _ in range(int(draws.random.integers(0, 12)))]
    names = tuple(one.concept for one in alarms if one.concept)
    return alert_evidence(
        draws.at_us, alarms, {name: draws.course(name, 6) for name in dict.fromkeys(names) if draws.chance(0.8)},
        measured=draws.measured((*VITALS, "lactate", "potassium"), 6), person=draws.person, patient="p-1",
        zone=draws.zone, simulated=draws.chance(0.3),
    )  # fmt: skip


def _timeline(draws: Draws) -> Evidence:
    hours = draws.choice((1.0, 6.0, 24.0, 72.0))
    results = [Measured(name, draws.value(name), draws.when(hours)) for name in draws.some(LABS, 30)]
    courses = [draws.course(name, hours) for name in draws.some(VITALS[:7], 7)]
    measured = draws.measured((*VITALS, "lactate", "potassium"), 8)
    seen = {one.name for one in courses} | {one.name for one in measured}
    return timeline_evidence(
        draws.at_us, hours, results=results,
        given=[draws.given(hours) for _ in range(int(draws.random.integers(0, 15)))],
        events=[
            Happened("encounter", draws.text("transfer Ward 4 1D"), draws.when(hours), "", "adt")
            for _ in range(int(draws.random.integers(0, 4)))
        ],
        alarms=[draws.alarm() for _ in range(int(draws.random.integers(0, 5)))],
        courses=courses, measured=measured, missing=_missing(draws, seen),
        person=draws.person, patient="p-1", zone=draws.zone, simulated=draws.chance(0.3),
    )  # fmt: skip


def _handover(draws: Draws) -> Evidence:
    beds = [_bed(draws) for _ in range(draws.choice((1, 1, 2, 3, 8, 40)))]
    return handover_evidence(draws.at_us, beds, zone=draws.zone, simulated=draws.chance(0.3))


def _bed(draws: Draws) -> BedStory:
    score = float(draws.random.integers(0, 21))
    earlier = draws.chance(0.6)
    risk = TheRisk(
        "sepsis", "sepsis", draws.probability(), draws.probability() if earlier else None,
        draws.at_us - int(draws.between(0.5, 12) * HOUR_US) if earlier else None, "2.0.0",
    )  # fmt: skip
    measured = draws.measured((*VITALS, "lactate", "potassium"), 6)
    return BedStory(
        draws.place(), TheScore("news2", "NEWS2", score, draws.chance(0.8)) if draws.chance(0.85) else None,
        risk if draws.chance(0.85) else None, tuple(draws.alarm() for _ in range(int(draws.random.integers(0, 5)))),
        tuple(measured), tuple(draws.given(12) for _ in range(int(draws.random.integers(0, 5)))),
        tuple(_missing(draws, {one.name for one in measured})), draws.person, int(draws.random.integers(0, 5)),
    )  # fmt: skip


def _missing(draws: Draws, seen: set[str]) -> list[str]:
    """Key inputs that nobody measured."""
    pressed = {"systolic_pressure", "mean_pressure"}
    wanted = [one for one in sorted(KEY_INPUTS - seen) if one != "blood_pressure" or not seen & pressed]
    return draws.some(tuple(wanted), 2)


def _card(draws: Draws) -> Evidence:
    target, about = draws.choice(OUTCOMES)
    figures: dict[str, object] = {}
    for name in draws.some(tuple(FIGURES), len(FIGURES)):
        value = draws.between(0, 1)
        figures[name] = value
        if draws.chance(0.8):
            figures[f"{name}_95"] = [value * draws.between(0.9, 1), value + (1 - value) * draws.between(0, 0.1)]
    usual = draws.between(0.002, 0.3) if draws.chance(0.8) else None
    card = Card(
        target, about, "2.0.0+154310259aaa", draws.choice((6.0, None, 24.0)), draws.text("two public databases"),
        usual, int(draws.random.integers(1, 60_000)), "held-out folds",
        figures, draws.chance(0.7), draws.chance(0.3), tuple(draws.some(NOTES, 3)), "Adults in intensive care.",
    )  # fmt: skip
    return card_evidence(card, draws.at_us, zone=draws.zone)


def _answer(draws: Draws) -> Evidence:
    facts: list[Fact] = []
    if draws.chance(0.2):
        made = draws.choice((answer.unknown, answer.refused))
        return answer.answer_evidence(draws.at_us, made("no lactate was measured over the last 24 h"), zone=draws.zone)
    hours = draws.choice((1.0, 6.0, 24.0))
    for one in draws.measured((*VITALS, *LABS), 3) or [Measured("lactate", draws.value("lactate"), draws.when())]:
        inside = draws.at_us - one.at_us <= hours * HOUR_US
        extreme = draws.choice((None, answer.highest, answer.lowest)) if inside else None
        facts += answer.latest(one, draws.person) if extreme is None else extreme(one, hours, draws.person)
    course, lacks = draws.course(draws.choice(VITALS[:7]), hours), draws.choice(LABS)
    told = {one.name for one in facts}
    if draws.chance(0.4) and course.name not in told:
        facts += answer.changed(course, draws.at_us, draws.person)
    if draws.chance(0.3) and lacks not in told:
        facts += answer.absent(lacks, draws.choice((None, hours)))
    return answer.answer_evidence(draws.at_us, facts, patient="p-1", zone=draws.zone, simulated=draws.chance(0.3))


_MAKERS: Final[Mapping[Kind, Callable[[Draws], Evidence]]] = {
    "risk": _risk, "forecast": _forecast, "what_if": _what_if, "alert": _alert, "timeline": _timeline,
    "handover": _handover, "card": _card, "answer": _answer,
}  # fmt: skip
