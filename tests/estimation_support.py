"""Small models for the tests of `estimation`: one that the exact Kalman filter can follow, and a windkessel."""

from __future__ import annotations

import math

from numba import njit

from vitruvian.physiology.base import Input, Model, Output, Parameter, State

ASSUMED = "assumption: a model for tests"


@njit
def decay_rhs(t, y, p, u, dydt):
    """A level that is fed at p[0] and lost in proportion."""
    dydt[0] = p[0] + u[0] - 0.5 * y[0]
    dydt[1] = 0.2 * y[0] - 0.1 * y[1]


@njit
def decay_observe(t, y, p, u, out):
    """Both levels."""
    out[0] = y[0]
    out[1] = y[1]


@njit
def decay_start(p, u, y):
    """Where the levels rest under the feed 1, whatever p: the start is known."""
    y[0] = 2.0
    y[1] = 4.0


LINEAR = Model(
    name="test_linear",
    title="Two levels in a row, linear",
    time_unit="min",
    states=(
        State("first", "mg", 2.0, low=-math.inf, tolerance=1e-9),
        State("second", "mg", 4.0, low=-math.inf, tolerance=1e-9),
    ),
    parameters=(Parameter("feed", 1.0, "mg/min", -50.0, 50.0, ASSUMED, spread=0.5, scale="plain", estimated=True),),
    inputs=(Input("more", "mg/min", 0.0, -10.0, 10.0),),
    outputs=(Output("first_level", "mg"), Output("second_level", "mg")),
    rhs=decay_rhs,
    observe=decay_observe,
    start=decay_start,
    rtol=1e-8,
    grid_s=60.0,
)


@njit
def kessel_rhs(t, y, p, u, dydt):
    """Aortic pressure of flow, resistance and compliance, and a heart rate that leans against pressure."""
    flow = y[1] / 60.0 * p[2]
    dydt[0] = (flow + u[0] - (y[0] - 4.0) / p[0]) / p[1]
    wanted = p[4] * (1.0 - p[3] * (y[0] - 93.0) / 93.0)
    dydt[1] = (min(max(wanted, 15.0), 250.0) - y[1]) / 8.0


@njit
def kessel_observe(t, y, p, u, out):
    """Mean pressure, heart rate, cardiac output (L/min)."""
    out[0] = y[0]
    out[1] = y[1]
    out[2] = y[1] * p[2] / 1_000.0


@njit
def kessel_start(p, u, y):
    """The steady state, by iteration."""
    y[0], y[1] = 93.0, p[4]
    for _ in range(200):
        y[1] = 0.5 * y[1] + 0.5 * min(max(p[4] * (1.0 - p[3] * (y[0] - 93.0) / 93.0), 15.0), 250.0)
        y[0] = 4.0 + p[0] * (y[1] / 60.0 * p[2] + u[0])


KESSEL = Model(
    name="test_kessel",
    title="A windkessel with a reflex",
    time_unit="s",
    states=(State("pressure", "mm[Hg]", 93.0), State("rate", "/min", 72.0, low=10.0, high=300.0)),
    parameters=(
        Parameter("resistance", 1.06, "mm[Hg].s/mL", 0.2, 6.0, ASSUMED, spread=0.25, estimated=True),
        Parameter("compliance", 1.5, "mL/mm[Hg]", 0.2, 6.0, ASSUMED, spread=0.2, estimated=True),
        Parameter("stroke_volume", 70.0, "mL", 10.0, 200.0, ASSUMED, spread=0.2, estimated=True),
        Parameter("gain", 0.8, "1", 0.0, 3.0, ASSUMED, spread=0.2, scale="logit", estimated=True),
        Parameter("intrinsic_rate", 72.0, "/min", 30.0, 200.0, ASSUMED, spread=0.15, estimated=True),
    ),
    inputs=(Input("infusion", "mL/s", 0.0, -20.0, 20.0),),
    outputs=(Output("mean_pressure", "mm[Hg]"), Output("heart_rate", "/min"), Output("cardiac_output", "L/min")),
    rhs=kessel_rhs,
    observe=kessel_observe,
    start=kessel_start,
    grid_s=60.0,
)
