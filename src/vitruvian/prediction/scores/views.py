"""One patient's scores with what they rest on: points, inputs and their ages, what is missing, and why one does not
apply.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vitruvian.core.events import Event, Finding
from vitruvian.prediction.scores import news2 as _news2
from vitruvian.prediction.scores import quick as _quick
from vitruvian.prediction.scores import sofa as _sofa
from vitruvian.prediction.scores.columns import Scores
from vitruvian.prediction.scores.inputs import AT, MISSING, Inputs, Points, pick

SCORE_NAMES: Final[tuple[str, ...]] = ("news2", "qsofa", "sofa_partial", "shock_index")

_SYSTOLIC = ("systolic_pressure_arterial", "systolic_pressure")
_RATE = ("heart_rate", "pulse_rate")
_AWAKE = ("consciousness", "glasgow_coma_score", "glasgow_eye", "glasgow_verbal", "glasgow_motor")
_OXYGEN = ("oxygen_supplementation", "oxygen_flow", "inspired_oxygen_fraction")
_PRESSURE = ("mean_pressure_arterial", "mean_pressure", *_SYSTOLIC, "diastolic_pressure_arterial", "diastolic_pressure")

# What each part reads; of a pair named in `_CHOICES` only the one that was used is shown.
_READS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "news2": (
        ("respiratory_rate",),
        ("oxygen_saturation", "spo2_scale_2"),
        _OXYGEN,
        _SYSTOLIC,
        _RATE,
        _AWAKE,
        ("body_temperature",),
    ),
    "qsofa": (("respiratory_rate",), _AWAKE, _SYSTOLIC),
    "sofa_partial": (
        ("arterial_oxygen", "oxygen_saturation", "inspired_oxygen_fraction", "mechanical_ventilation"),
        ("platelets",),
        ("bilirubin_total",),
        (*_PRESSURE, "norepinephrine", "epinephrine", "dopamine", "dobutamine"),
        ("glasgow_coma_score", "glasgow_eye", "glasgow_verbal", "glasgow_motor"),
        ("creatinine",),
    ),
    "shock_index": (_RATE, _SYSTOLIC),
}
_CHOICES: Final = (_SYSTOLIC, _RATE)


@dataclass(frozen=True, slots=True)
class InputView:
    """An input as used: its value in `unit` and age in seconds; `value` is None where it has expired."""

    concept: str
    value: float | None
    unit: str
    age_s: float


@dataclass(frozen=True, slots=True)
class PartView:
    """One part of a score: its points (None where missing) and every input that speaks for it."""

    name: str
    points: int | None
    inputs: tuple[InputView, ...]


@dataclass(frozen=True, slots=True)
class ScoreView:
    """One score of one patient.

    `value` is None where it does not apply (`reason` says why) or too little is known. Where `exact` is false,
    `value` and `at_least` are lower bounds and `missing` lists the parts that were lacking. `flags` are short
    stable words: `red` (one part alone scores 3), `scale-2`, `respiration-from-spo2`, `age-unknown`.
    """

    name: str
    version: str
    value: float | None
    at_least: float | None
    exact: bool
    band: str
    applicable: bool
    reason: str
    parts: tuple[PartView, ...]
    missing: tuple[str, ...]
    flags: tuple[str, ...]

    @property
    def text(self) -> str:
        """What a person reads: `7`, `at least 5`, `not applicable`, `--`."""
        if not self.applicable:
            return "not applicable"
        if self.value is None:
            return "--"
        shown = f"{self.value:g}"
        return shown if self.exact else f"at least {shown}"


def views(scores: Scores, index: int, units: Mapping[str, str]) -> tuple[ScoreView, ...]:
    """The four scores of patient `index` of `scores`, in the order of `SCORE_NAMES`; `units` maps a concept to its
    unit.
    """
    inputs = scores.inputs
    unknown = ("age-unknown",) if math.isnan(inputs.years[index]) else ()
    early = scores.news2
    flags = unknown + (("red",) if early.red[index] else ()) + (("scale-2",) if early.scale_2[index] else ())
    band = _news2.BANDS[early.band[index]] if early.band[index] != MISSING else ""
    reason = _news2_reason(inputs, index)
    organ = scores.sofa
    sofa_flags = unknown + (("respiration-from-spo2",) if organ.respiration_substituted[index] else ())
    adults = "" if scores.qsofa.applicable[index] else f"under {_quick.ADULT_YEARS} years"
    return (
        _view("news2", _news2.VERSION, scores, index, units, band=band, reason=reason, flags=flags),
        _view("qsofa", _quick.VERSION, scores, index, units, band="", reason=adults, flags=unknown),
        _view("sofa_partial", _sofa.VERSION, scores, index, units, band="", reason=adults, flags=sofa_flags),
        _shock_index(scores, index, units, unknown),
    )


def _news2_reason(inputs: Inputs, index: int) -> str:
    if inputs.years[index] < _news2.AGE_MIN_YEARS:
        return f"under {_news2.AGE_MIN_YEARS} years"
    return "pregnancy" if inputs.of("pregnancy")[index] > 0 else ""


def _view(
    name: str,
    version: str,
    scores: Scores,
    index: int,
    units: Mapping[str, str],
    *,
    band: str,
    reason: str,
    flags: tuple[str, ...],
) -> ScoreView:
    columns: dict[str, tuple[_news2.News2 | _quick.Qsofa | _sofa.Sofa, tuple[str, ...]]] = {
        "news2": (scores.news2, _news2.PARTS),
        "qsofa": (scores.qsofa, _quick.PARTS),
        "sofa_partial": (scores.sofa, _sofa.PARTS),
    }
    column, names = columns[name]
    parts = _parts(name, names, column.points, scores.inputs, index, units)
    applicable, value = bool(column.applicable[index]), float(column.value[index])
    missing = tuple(part.name for part in parts if part.points is None) if applicable else ()
    return ScoreView(
        name, version,
        value=None if math.isnan(value) else value,
        at_least=float(column.at_least[index]) if len(missing) < len(parts) and applicable else None,
        exact=bool(column.exact[index]), band=band, applicable=applicable, reason=reason,
        parts=parts, missing=missing, flags=flags,
    )  # fmt: skip


def _parts(
    score: str, names: tuple[str, ...], points: Points, inputs: Inputs, index: int, units: Mapping[str, str]
) -> tuple[PartView, ...]:
    return tuple(
        PartView(
            part,
            None if points[row, index] == MISSING else int(points[row, index]),
            tuple(view for concept in _used(inputs, reads, index) if (view := _input(inputs, concept, index, units))),
        )
        for row, (part, reads) in enumerate(zip(names, _READS[score], strict=True))
    )


def _used(inputs: Inputs, reads: tuple[str, ...], index: int) -> tuple[str, ...]:
    """Drop of each pair of methods the one that was not used."""
    dropped = set()
    for pair in _CHOICES:
        if set(pair) <= set(reads):
            place = int(pick(_one(inputs, index), *pair)[1][0])
            if place != MISSING:
                dropped.add(pair[0] if place == AT[pair[1]] else pair[1])
    return tuple(name for name in reads if name not in dropped)


def _one(inputs: Inputs, index: int) -> Inputs:
    at = slice(index, index + 1)
    return Inputs(inputs.value[:, at], inputs.age_s[:, at], inputs.years[at], inputs.urine_24h_ml[at])


def _input(inputs: Inputs, concept: str, index: int, units: Mapping[str, str]) -> InputView | None:
    value, age_s = float(inputs.value[AT[concept], index]), float(inputs.age_s[AT[concept], index])
    if math.isnan(age_s):
        return None
    return InputView(concept, None if math.isnan(value) else value, units.get(concept, ""), age_s)


def _shock_index(scores: Scores, index: int, units: Mapping[str, str], flags: tuple[str, ...]) -> ScoreView:
    inputs, value = scores.inputs, float(scores.shock_index[index])
    applicable = not inputs.years[index] < _quick.SHOCK_INDEX_AGE_MIN_YEARS
    parts = tuple(
        PartView(name, None, tuple(v for c in _used(inputs, reads, index) if (v := _input(inputs, c, index, units))))
        for name, reads in zip(("pulse", "systolic_pressure"), _READS["shock_index"], strict=True)
    )
    missing = (
        tuple(part.name for part in parts if all(item.value is None for item in part.inputs)) if applicable else ()
    )
    known = None if math.isnan(value) else value
    reason = "" if applicable else f"under {_quick.SHOCK_INDEX_AGE_MIN_YEARS} years"
    return ScoreView(
        "shock_index", _quick.SHOCK_INDEX_VERSION, value=known, at_least=known, exact=known is not None, band="",
        applicable=applicable, reason=reason, parts=parts, missing=missing, flags=flags,
    )  # fmt: skip


def score_event(view: ScoreView, *, now_us: int, input_seq: int) -> Event:
    """The derived event that records a score as issued, with its version, what it lacked and the last input it had
    seen.
    """
    detail: dict[str, str | float | int | bool | list[str] | None] = {
        "exact": view.exact,
        "at_least": view.at_least,
        "band": view.band,
        "applicable": view.applicable,
        "reason": view.reason,
        "missing": list(view.missing),
        "flags": list(view.flags),
    }
    detail.update({f"points.{part.name}": part.points for part in view.parts if part.points is not None})
    finding = Finding(view.name, view.version, input_seq, view.value, detail)
    return Event("derived", view.name, finding, now_us)
