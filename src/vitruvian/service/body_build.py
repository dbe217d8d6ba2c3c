"""From what a body and a what-if say to what is answered; pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.time import SECOND_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.base import Dose, Input, Model
from vitruvian.physiology.trajectories import BANDS, Trajectories
from vitruvian.prediction.scores import INPUTS
from vitruvian.scenarios import Effect, Posterior, RiskEffect, Scenario, Signals, WhatIf
from vitruvian.scenarios.edits import PERSONAL
from vitruvian.service.body_views import (
    ActionView,
    BandView,
    BodyView,
    ComparedView,
    EditView,
    EffectView,
    EstimateView,
    ForecastView,
    InterventionView,
    RiskCompared,
    ScenarioView,
    Standing,
    UnitChoice,
    WhatIfView,
)
from vitruvian.service.ports import Estimated
from vitruvian.signals.concepts import LABS, MONITORED

Floats = NDArray[np.float64]
DIGITS: Final = 5  # significant, in answers: a pixel and a screen show fewer
PERSONAL_LIMITS: Final = {"age_years": ("Age", "a", 18.0, 110.0), "body_height": ("Height", "cm", 120.0, 230.0),
                          "body_weight": ("Weight", "kg", 30.0, 250.0)}  # fmt: skip
PER_TIME: Final = ("/min", "/h", "/s", "/d")
# Shown first, in this order; others after them by the vocabulary.
FIRST: Final = (
    "heart_rate", "mean_pressure", "systolic_pressure", "diastolic_pressure", "oxygen_saturation", "respiratory_rate",
    "body_temperature", "cardiac_output", "stroke_volume", "systemic_vascular_resistance", "blood_volume",
    "shunt_fraction", "central_venous_pressure", "oxygen_delivery", "glomerular_filtration_rate", "urine_flow",
    "lactate", "glucose",
)  # fmt: skip
RISK_ORDER: Final = (
    "sepsis_risk", "aki_risk", "deterioration_risk", "cardiac_event_risk", "news2", "qsofa", "sofa_partial",
    "shock_index",
)  # fmt: skip


def display_of(name: str) -> str:
    """What a name of a model is called: the vocabulary's display, else its own words."""
    concept = VOCABULARY.get(name)
    words = name.rsplit(".", 1)[-1].replace("_", " ")
    return concept.display if concept else words[:1].upper() + words[1:]


def decimals_of(name: str) -> int:
    """How many decimals are shown."""
    concept = VOCABULARY.get(name)
    return concept.decimals if concept else 2


def body_view(patient: str, posterior: Posterior, estimates: Sequence[Estimated], signals: Signals | None) -> BodyView:
    """The body now."""
    model, person = posterior.model, posterior.person
    status = posterior.status if posterior.status in get_args(Standing) else "outside"
    return BodyView(
        patient,
        status,  # type: ignore[arg-type]
        posterior.reason,
        model=model.name,
        title=model.title,
        limits=model.limits,
        at_us=posterior.at_us,
        members=len(posterior.states),
        updates=int(getattr(posterior, "updates", 0)),
        person=f"{person.age_years:.0f} years, {person.sex}, {person.height_cm:.0f} cm, {person.weight_kg:.0f} kg",
        estimates=[
            _estimate(one, signals, posterior.at_us) for one in sorted(estimates, key=lambda one: _rank(one.name))
        ],
        interventions=interventions(model, posterior.u),
        edits=edits(posterior, signals),
    )  # fmt: skip


def _estimate(one: Estimated, signals: Signals | None, at_us: int) -> EstimateView:
    low, low50, middle, high50, high = (_short(x) for x in (one.low, one.low50, one.median, one.high50, one.high))
    return EstimateView(
        one.name, display_of(one.name), one.unit, decimals_of(one.name), middle, low, high, low50, high50,
        _short(one.prior_low), _short(one.prior_high), _short(one.from_data), _measured(one.name, signals, at_us),
    )  # fmt: skip


def _measured(name: str, signals: Signals | None, at_us: int) -> bool:
    concept = VOCABULARY.get(name)
    if concept is None or signals is None:
        return False
    names = [one for one in (name, f"{name}_arterial") if one in VOCABULARY]
    ages_us = [at_us - int(signals.tracker.last_us[0, VOCABULARY[one].index]) for one in names]
    return any(age_us <= VOCABULARY[one].valid_for_s * SECOND_US for one, age_us in zip(names, ages_us, strict=True))


def interventions(model: Model, u: Floats) -> list[InterventionView]:
    """What the model knows how to do, by display name."""
    names = list(dict.fromkeys([one.name for one in model.inputs] + [one.name for one in model.doses]))
    rates, doses = {one.name: one for one in model.inputs}, {one.name: one for one in model.doses}
    made = []
    for name in names:
        rate, dose = rates.get(name), doses.get(name)
        about = (rate and rate.about) or (dose and dose.about) or ""
        concept = (rate and rate.concept) or (dose and dose.concept) or name
        now = None if rate is None else _short(float(u[model.input_index[name]]))
        low = 0.0 if rate is None else rate.low
        made.append(InterventionView(name, display_of(concept), about, _units(rate, dose), low, now))
    return sorted(made, key=lambda one: one.display.casefold())


def _units(rate: Input | None, dose: Dose | None) -> list[UnitChoice]:
    units = []
    if rate is not None:
        ending = next((end for end in PER_TIME if rate.unit.endswith(end)), "")
        units.append(UnitChoice(rate.unit, "rate" if ending and rate.default == 0 else "setting", rate.high))
        if ending and rate.default == 0 and "/" not in rate.unit.removesuffix(ending):
            amount = rate.unit.removesuffix(ending)
            if amount and amount != "1":
                units.append(UnitChoice(amount, "amount", math.inf if dose is None else dose.high))
    if dose is not None:
        units = [one for one in units if one.unit != dose.unit]
        units.append(UnitChoice(dose.unit, "at once", dose.high))
    return [UnitChoice(one.unit, one.means, min(one.high, 1e9)) for one in units]


def edits(posterior: Posterior, signals: Signals | None) -> list[EditView]:
    """What may be taken to be otherwise: personal values, vital signs, laboratory values, the model's parameters."""
    model, person = posterior.model, posterior.person
    made = [
        EditView(name, display, unit, "personal", low, high, _short(float(getattr(person, PERSONAL[name]))), True)
        for name, (display, unit, low, high) in PERSONAL_LIMITS.items()
    ]
    shown = [one.name for one in model.outputs if one.name in VOCABULARY]
    for name in sorted({*MONITORED, *LABS, *INPUTS, *shown}, key=lambda one: (_rank(one), VOCABULARY[one].index)):
        concept = VOCABULARY[name]
        if concept.kind not in ("vital", "lab", "state", "estimate") or name in PERSONAL or concept.coded:
            continue
        now = None if signals is None else float(signals.tracker.last_value[0, concept.index])
        made.append(
            EditView(
                name, concept.display, concept.unit, "lab" if concept.kind == "lab" else "vital", *concept.plausible,
                None if now is None or math.isnan(now) else _short(now), name in model.output_index,
            )
        )  # fmt: skip
    middle = np.median(posterior.parameters, axis=0)
    for place, one in enumerate(model.parameters):
        if one.estimated:
            words = f"{display_of(one.name)} ({one.name.split('.')[0]})" if "." in one.name else display_of(one.name)
            now = _short(float(middle[place]))
            made.append(EditView(one.name, words, one.unit, "parameter", one.low, one.high, now, True))
    return made


def _rank(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)


def forecast_view(patient: str, at_us: int, made: Trajectories) -> ForecastView:
    """A forecast as bands."""
    bands = made.quantiles(BANDS)
    outputs = [
        BandView(one.name, display_of(one.name), one.unit, decimals_of(one.name), _rows(bands[:, :, i], one.name))
        for i, one in enumerate(made.outputs)
        if one.name in VOCABULARY
    ]
    times_us = (at_us + np.rint(made.times_s * 1e6)).astype(np.int64).tolist()
    return ForecastView(patient, "", at_us, times_us, outputs)


def _rows(bands: Floats, name: str) -> list[list[float]]:
    """Quantiles within what is possible in a person."""
    low, high = VOCABULARY[name].plausible if name in VOCABULARY else (-math.inf, math.inf)
    return [[_short(value) for value in row] for row in np.clip(bands, low, high).tolist()]


def what_if_view(patient: str, found: WhatIf, took_ms: float) -> WhatIfView:
    """The answer to a what-if."""
    outputs: list[ComparedView] = []
    times_s: list[float] = []
    members = 0
    if found.baseline is not None and found.changed is not None and found.difference is not None:
        times_s, members = found.baseline.times_s.tolist(), len(found.baseline.values)
        arms = [one.quantiles(BANDS) for one in (found.baseline, found.changed, found.difference)]
        outputs = [
            ComparedView(
                one.name, display_of(one.name), one.unit, decimals_of(one.name),
                _rows(arms[0][:, :, i], one.name), _rows(arms[1][:, :, i], one.name),
                [[_short(value) for value in row] for row in arms[2][:, :, i].tolist()], _effect(effect),
            )
            for i, (one, effect) in enumerate(zip(found.baseline.outputs, found.effects, strict=True))
        ]  # fmt: skip
        outputs.sort(key=lambda one: _rank(one.concept))
    risks = sorted(found.risks, key=lambda one: RISK_ORDER.index(one.name) if one.name in RISK_ORDER else 99)
    return WhatIfView(
        patient,
        found.standing,
        list(found.outside),
        list(found.notes),
        found.at_us,
        members,
        round(took_ms, 1),
        scenario_view(found.scenario),
        times_s,
        outputs,
        [_risk(one) for one in risks],
    )


def _effect(one: Effect) -> EffectView:
    parts = (None if value is None else _short(value) for value in (one.from_data, one.narrowed, one.shifted))
    most, end = [_short(value) for value in one.most], [_short(value) for value in one.end]
    return EffectView(one.verdict, one.most_s, most, end, _short(one.above), *parts)


def _risk(one: RiskEffect) -> RiskCompared:
    return RiskCompared(
        one.name, one.display, one.unit, decimals_of(one.name), one.times_s.tolist(), _known(one.baseline),
        _known(one.changed), _known(one.difference), one.basis, one.label, one.version, one.insufficient,
    )  # fmt: skip


def _known(bands: Floats) -> list[list[float | None]]:
    return [[None if math.isnan(value) else _short(value) for value in row] for row in bands.tolist()]


def scenario_view(
    scenario: Scenario, which: str = "", patient: str = "", by: str = "", saved_us: int = 0
) -> ScenarioView:
    """A scenario as it is answered."""
    actions = [ActionView(one.name, one.value, one.unit, one.start_s, one.duration_s) for one in scenario.actions]
    return ScenarioView(which, patient, scenario.name, by, saved_us, actions, dict(scenario.edits), scenario.horizon_s)


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else 0.0
