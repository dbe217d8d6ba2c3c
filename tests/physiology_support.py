"""Small models for the tests of the contract: two tanks that drain into each other, and a factor."""

from __future__ import annotations

from numba import njit

from vitruvian.physiology.base import Dose, Export, Import, Input, Model, Output, Parameter, State

TEST = "of the tests"


@njit
def upper_rhs(t, y, p, u, dydt):
    dydt[0] = u[0] - p[0] * y[0] * u[1]


@njit
def upper_observe(t, y, p, u, out):
    out[0] = y[0]
    out[1] = u[0]


@njit
def upper_emit(t, y, p, x):
    x[0] = p[0] * y[0]


UPPER = Model(
    name="upper",
    title="A tank that is filled and drains",
    time_unit="s",
    states=(State("level", "mL", 100.0),),
    parameters=(Parameter("rate", 0.01, "1/s", 1e-4, 1.0, TEST, spread=0.2, estimated=True),),
    inputs=(Input("crystalloid", "mL/s", 0.0, 0.0, 100.0),),
    doses=(Dose("vancomycin", "mL", "level", factor=2.0, high=500.0),),
    imports=(Import("drain_factor", "1", 1.0),),
    exports=(Export("drained", "mL/s"),),
    outputs=(Output("blood_volume", "mL"), Output("filling", "mL/s")),
    rhs=upper_rhs,
    observe=upper_observe,
    emit=upper_emit,
)


@njit
def lower_rhs(t, y, p, u, dydt):
    dydt[0] = u[0] - p[0] * y[0]


@njit
def lower_observe(t, y, p, u, out):
    out[0] = y[0]


@njit
def lower_emit(t, y, p, x):
    x[0] = 2.0


LOWER = Model(
    name="lower",
    title="A tank that takes what another drains, in minutes and litres",
    time_unit="min",
    states=(State("level", "L", 0.0),),
    parameters=(Parameter("rate", 0.3, "1/min", 1e-3, 10.0, TEST),),
    imports=(Import("drained", "L/min", 0.0),),
    exports=(Export("drain_factor", "1"),),
    outputs=(Output("lower_level", "L"),),
    rhs=lower_rhs,
    observe=lower_observe,
    emit=lower_emit,
)


@njit
def still(t, y, p, u, dydt):
    dydt[0] = 0.0


@njit
def other_emit(t, y, p, x):
    x[0] = 3.0


OTHER = Model(
    name="other",
    title="A second room that drains faster",
    time_unit="s",
    states=(State("nothing", "1", 1.0),),
    parameters=(),
    exports=(Export("drain_factor", "1"),),
    outputs=(Output("nothing", "1"),),
    rhs=still,
    observe=lower_observe,
    emit=other_emit,
)
