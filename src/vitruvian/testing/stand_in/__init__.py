"""A small body for tests of pages and routes: it has the shape of a circulation and no more, and nothing of it is
meant to be true. In a folder of its own, so that other changes do not compile it anew.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from vitruvian.physiology.base import Dose, Input, Model, Output, Parameter, State
from vitruvian.physiology.person import Person

__all__ = ["STAND_IN"]

SOURCE: Final = "a stand-in of the tests"


@njit
def _rhs(t, y, p, u, dydt):  # type: ignore[no-untyped-def]
    volume, reflex, pressor, air = y
    rate = max(p[2] + reflex, 20.0)
    output = rate * p[3] * (volume / p[0]) / 1_000.0
    mean = output * p[1] * (1.0 + p[5] * pressor)
    dydt[0] = u[0] + u[1] - u[2] - 0.002 * max(volume - p[0], 0.0)
    dydt[1] = (p[4] * (88.0 - mean) - reflex) / 0.5
    dydt[2] = (u[3] - pressor) / 2.0
    dydt[3] = (u[4] - air) / 1.0


@njit
def _observe(t, y, p, u, out):  # type: ignore[no-untyped-def]
    volume, reflex, pressor, air = y
    rate = max(p[2] + reflex, 20.0)
    stroke = p[3] * volume / p[0]
    output = rate * stroke / 1_000.0
    resistance = p[1] * (1.0 + p[5] * pressor)
    mean = output * resistance
    out[0] = rate
    out[1] = mean
    out[2] = mean + 0.45 * stroke
    out[3] = mean - 0.225 * stroke
    out[4] = p[7] + 0.1 * max(70.0 - mean, 0.0)
    out[5] = 100.0 - 100.0 * p[6] * 0.21 / max(air, 0.1)
    out[6] = output
    out[7] = resistance * 80.0
    out[8] = volume
    out[9] = 100.0 * p[6]


@njit
def _start(p, u, y):  # type: ignore[no-untyped-def]
    y[0] = p[0]
    y[1] = 0.0
    y[2] = u[3]
    y[3] = u[4]


def _personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    return {**values, "blood_volume_at_rest": person.blood_volume_ml}


def _domain(person: Person) -> str:
    return "" if person.age_years >= 18 else "the stand-in is of adults"


def _parameter(name: str, value: float, unit: str, low: float, high: float, spread: float) -> Parameter:
    return Parameter(name, value, unit, low, high, SOURCE, spread=spread, estimated=True)


STAND_IN: Final = Model(
    name="stand_in",
    title="Stand-in body of the test ward",
    time_unit="min",
    states=(
        State("volume", "mL", 5_000.0),
        State("reflex", "/min", 0.0, low=-100.0, high=150.0),
        State("pressor", "ug/kg/min", 0.0),
        State("air", "1", 0.21),
    ),
    parameters=(
        _parameter("blood_volume_at_rest", 5_000.0, "mL", 1_500.0, 9_000.0, 0.12),
        _parameter("resistance", 16.5, "mm[Hg].min/L", 4.0, 60.0, 0.2),
        _parameter("heart_rate_at_rest", 76.0, "/min", 35.0, 160.0, 0.18),
        _parameter("stroke_volume_at_rest", 70.0, "mL", 25.0, 140.0, 0.18),
        _parameter("reflex_gain", 1.0, "/min/mm[Hg]", 0.05, 4.0, 0.4),
        _parameter("pressor_gain", 1.6, "1/(ug/kg/min)", 0.1, 12.0, 0.5),
        _parameter("shunt", 0.04, "1", 0.002, 0.4, 0.4),
        _parameter("breathing_at_rest", 15.0, "/min", 6.0, 40.0, 0.2),
    ),
    inputs=(
        Input("crystalloid", "mL/min", 0.0, 0.0, 500.0),
        Input("red_cells", "mL/min", 0.0, 0.0, 500.0),
        Input("blood_loss", "mL/min", 0.0, 0.0, 500.0),
        Input("norepinephrine", "ug/kg/min", 0.0, 0.0, 2.0),
        Input("inspired_oxygen_fraction", "1", 0.21, 0.15, 1.0),
    ),
    doses=(Dose("colloid", "mL", "volume", high=2_000.0),),
    outputs=(
        Output("heart_rate", "/min"),
        Output("mean_pressure", "mm[Hg]"),
        Output("systolic_pressure", "mm[Hg]"),
        Output("diastolic_pressure", "mm[Hg]"),
        Output("respiratory_rate", "/min"),
        Output("oxygen_saturation", "%"),
        Output("cardiac_output", "L/min"),
        Output("systemic_vascular_resistance", "dyn.s/cm5"),
        Output("blood_volume", "mL"),
        Output("shunt_fraction", "%"),
    ),
    rhs=_rhs,
    observe=_observe,
    start=_start,
    personalise=_personalise,
    domain=_domain,
    first_step=0.01,
    settle=30.0,
    limits="For tests only.",
)
