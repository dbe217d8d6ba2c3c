"""The evidence of a what-if: what is done, what becomes of it and how sure. Always hypothetical and simulated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec
import numpy as np

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.evidence.base import Direction, Evidence, Fact, Flag
from vitruvian.explanation.evidence.parts import (
    CONFIDENCE_90,
    count,
    fact_id,
    interval,
    label,
    notable,
    notes,
    reads_as_none,
    unit_of,
    words,
)
from vitruvian.explanation.evidence.ranges import is_critical
from vitruvian.explanation.subjects import in_sentence, subjects
from vitruvian.physiology.actions import Action
from vitruvian.scenarios.effects import Verdict
from vitruvian.scenarios.what_if import WhatIf

__all__ = ["Difference", "RiskDifference", "differences_of", "risk_differences_of", "what_if_evidence"]

NAMED_MAX: Final = 6  # actions, and edits, told one by one; the others are counted
EFFECTS_MAX: Final = 30
RISKS_MAX: Final = 12
# Before filling pressures, volumes and whatever else a body computes.
LOOKED_AT_FIRST: Final = frozenset({
    "mean_pressure", "mean_pressure_arterial", "systolic_pressure", "systolic_pressure_arterial", "heart_rate",
    "oxygen_saturation", "oxygen_saturation_arterial", "respiratory_rate", "body_temperature", "cardiac_output",
    "cardiac_index", "urine_output", "urine_flow", "lactate", "arterial_oxygen", "arterial_co2", "ph", "glucose",
    "potassium", "hemoglobin", "bispectral_index",
})  # fmt: skip
_HYPOTHETICAL: Final[tuple[Flag, ...]] = ("hypothetical", "simulated")
_DIRECTIONS: Final[dict[Verdict, Direction]] = {
    "rises": "rising", "probably rises": "rising", "falls": "falling", "probably falls": "falling",
    "unchanged": "steady", "open": "",
}  # fmt: skip


class Difference(msgspec.Struct, frozen=True):
    """What becomes of one output: scenario less baseline, its middle with 5th and 95th percentile when it is largest,
    `most_h` hours from now; `above` the share of members with a positive one; `from_data` the share that this patient's
    data decided, None where there is nothing to decide. `level` is the baseline's middle then. `worst`: a critical
    value that the middle of the members comes to in the scenario, with its hour, None where there is none.
    """

    name: str
    unit: str
    verdict: Verdict
    median: float
    low: float
    high: float
    most_h: float
    above: float
    from_data: float | None = None
    level: float | None = None
    worst: tuple[float, float] | None = None


class RiskDifference(msgspec.Struct, frozen=True):
    """A learned risk (0 to 1) or a score at the end, in the middle of the members, without and with the scenario."""

    name: str
    display: str
    before: float
    after: float
    basis: Literal["sensitivity", "mechanistic"]
    version: str = ""


def differences_of(found: WhatIf) -> tuple[Difference, ...]:
    """Every effect of an answer, in its order."""
    if found.changed is None or found.baseline is None:
        return ()
    middle, without = found.changed.quantiles((0.5,))[0], found.baseline.quantiles((0.5,))[0]
    times_s = found.changed.times_s
    hours = (times_s / 3_600.0).tolist()
    return tuple(
        Difference(
            one.output, one.unit, one.verdict, one.most[2], one.most[0], one.most[4], one.most_s / 3_600.0, one.above,
            one.from_data, float(without[int(np.searchsorted(times_s, one.most_s - 1e-6)), i]),
            worst_of(one.output, hours, middle[:, i].tolist()),
        )
        for i, one in enumerate(found.effects)
    )  # fmt: skip


def worst_of(name: str, hours: Sequence[float], middle: Sequence[float]) -> tuple[float, float] | None:
    """(value, hours from now) of a critical extreme that the scenario comes to; None where there is none, or where the
    value is critical from the start.
    """
    if is_critical(name, middle[0]):
        return None
    for at in (int(np.argmin(middle)), int(np.argmax(middle))):
        if is_critical(name, middle[at]):
            return middle[at], hours[at]
    return None


def risk_differences_of(found: WhatIf) -> tuple[RiskDifference, ...]:
    """Every risk and score that can be told at the end of both arms."""
    made = []
    for one in found.risks:
        before, after = float(one.baseline[2, -1]), float(one.changed[2, -1])
        if np.isfinite([before, after]).all():
            made.append(RiskDifference(one.name, one.display, before, after, one.basis, one.version))
    return tuple(made)


def what_if_evidence(
    at_us: int,
    horizon_h: float,
    actions: Sequence[Action],
    edits: Sequence[tuple[str, float]],
    differences: Sequence[Difference] = (),
    risks: Sequence[RiskDifference] = (),
    *,
    outside: Sequence[str] = (),
    said: Sequence[str] = (),
    patient: str = "",
    zone: str = "UTC",
    model: str = "",
) -> Evidence:
    """The packet of a what-if that is followed for `horizon_h` hours; pure.

    `outside`: why there is no answer, where there is none; then nothing but the scenario stands beside it.
    """
    facts = [Fact("horizon", "horizon", "horizon", "", horizon_h, unit="h")]
    facts += [_action(one, number) for number, one in enumerate(actions[:NAMED_MAX], 1)]
    facts += [_edit(name, value, number) for number, (name, value) in enumerate(edits[:NAMED_MAX], 1)]
    unnamed = max(0, len(actions) - NAMED_MAX) + max(0, len(edits) - NAMED_MAX)
    facts += [count("more", unnamed)] if unnamed else []
    if outside:
        facts += [words(f"reason-{n}", "reason", text, about="what-if") for n, text in enumerate(outside[:4], 1)]
    else:
        if differences:
            facts.append(Fact("confidence", "confidence", "confidence", "", CONFIDENCE_90, unit="%"))
        for difference in sorted(differences, key=_gravity)[:EFFECTS_MAX]:
            facts += _difference(difference)
        for risk in risks[:RISKS_MAX]:
            facts += _risk(risk)
    facts += notes(said)
    return Evidence("what_if", at_us, tuple(facts), 1, patient, zone, model, True)


def _action(one: Action, number: int) -> Fact:
    concept = VOCABULARY.get(one.name) or VOCABULARY.by_alias(one.name)
    name = concept.name if concept else label(one.name)
    return Fact(
        f"action-{number}", "action", name, _label(name), one.value, how(one), one.unit or unit_of(name),
        flags=("hypothetical",),
    )  # fmt: skip


def how(one: Action) -> str:
    """From when and for how long, as clauses; empty where it is at once or to the end."""
    begins = f"starting in {_span(one.start_s)}" if one.start_s > 0 else ""
    lasts = f"for {_span(one.duration_s)}" if one.duration_s is not None else ""
    return ", ".join(part for part in (lasts, begins) if part)


def _span(seconds: float) -> str:
    minutes = seconds / 60
    return f"{round(minutes, 1):g} min" if minutes < 60 else f"{minutes / 60:.3g} h"


def _edit(name: str, value: float, number: int) -> Fact:
    return Fact(
        f"edit-{number}", "edit", label(name), _label(name), value, unit=unit_of(name), flags=("hypothetical",)
    )  # fmt: skip


def _label(name: str) -> str:
    concept = VOCABULARY.get(name)
    return in_sentence(concept.display) if concept and concept.kind == "intervention" else label(subjects(name).label)


def _gravity(one: Difference) -> tuple[bool, bool, bool, float, str]:
    """What becomes critical first; then what has a direction, what clinicians look at first, and the most notable."""
    least = max(notable(one.name, one.level or one.median), 1e-12)
    moves = _direction(one) in ("rising", "falling")
    return one.worst is None, not moves, one.name not in LOOKED_AT_FIRST, -abs(one.median) / least, one.name


def _direction(one: Difference) -> Direction:
    """Where it goes; nowhere, if that cannot be seen in the decimals in which it is told."""
    return "steady" if reads_as_none(one.name, one.median, one.unit) else _DIRECTIONS[one.verdict]


def _difference(one: Difference) -> list[Fact]:
    about = subjects(one.name).label
    direction = _direction(one)
    fact = Fact(
        fact_id("difference", one.name), "difference", one.name, about, one.median, unit=one.unit,
        horizon_h=one.most_h, direction=direction, flags=_HYPOTHETICAL,
    )  # fmt: skip
    found = [fact, *interval(fact, one.low, one.high)]
    if direction in ("rising", "falling"):
        agree = one.above if direction == "rising" else 1.0 - one.above
        found.append(Fact(fact_id("likelihood", one.name), "likelihood", one.name, about, agree, of=fact.id))
    if one.from_data is not None:
        found.append(Fact(fact_id("data", one.name), "from_data", one.name, about, one.from_data, of=fact.id))
    if one.worst is not None:
        value, hours = one.worst
        found.append(
            Fact(
                fact_id("ahead", one.name), "expected", one.name, about, value, unit=one.unit, horizon_h=hours,
                of=fact.id, flags=("critical", *_HYPOTHETICAL),
            )
        )  # fmt: skip
    return found


def _risk(one: RiskDifference) -> list[Fact]:
    learned = one.name.endswith("_risk")
    role: Literal["probability", "score"] = "probability" if learned else "score"
    about = label(in_sentence(one.display))
    flags: tuple[Flag, ...] = (*_HYPOTHETICAL, "sensitivity") if one.basis == "sensitivity" else _HYPOTHETICAL
    before = Fact(fact_id("before", one.name), role, one.name, about, one.before, unit=unit_of(one.name), flags=flags,
                  source=f"model {one.version}" if one.version else "")  # fmt: skip
    after = msgspec.structs.replace(before, id=fact_id("after", one.name), value=one.after, of=before.id)
    return [before, after]
