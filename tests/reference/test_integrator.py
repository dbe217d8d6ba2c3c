"""The integrators against theory and against SciPy: order, dense output, events, doses, edges, threads."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit
from scipy.integrate import solve_ivp

from vitruvian.physiology.base import Dose, Input, Model, Output, Parameter, State
from vitruvian.physiology.circulation import BEATS, CIRCULATION
from vitruvian.physiology.engine import drive, tsit5
from vitruvian.physiology.person import REFERENCE
from vitruvian.physiology.run import Schedule, held, nothing, run, start
from vitruvian.physiology.simulate import population, settled

pytestmark = pytest.mark.long  # numerics of minutes, compiled anew on a fresh machine

TEST = "of the tests"
NO_TIMES, NO_STATES = np.empty(0), np.empty(0, np.int64)


# --- a smooth problem with a known solution, not linear ---------------------------------------------------------------


@njit
def sway_rhs(t, y, p, u, dydt):
    dydt[0] = -p[0] * y[0] * y[0] * np.cos(t)


@njit
def sway_observe(t, y, p, u, out):
    out[0] = y[0]


def sway(method, **settings):
    return Model(
        name="sway",
        title="y' = -y^2 cos t",
        time_unit="s",
        states=(State("place", "1", 0.5),),
        parameters=(Parameter("rate", 1.0, "1", 0.1, 10, TEST),),
        outputs=(Output("at", "1"),),
        rhs=sway_rhs,
        observe=sway_observe,
        method=method,
        **settings,
    )


def exact(t):
    """From 1/2 at 0: y = 1 / (2 + sin t)."""
    return 1 / (2 + np.sin(t))


def fixed_step_error(method, h, dense=False):
    """Largest error over 4 s at steps of one length: every step is accepted and none is longer."""
    model = sway(method, h_max=h, first_step=h)
    times = np.arange(h / 2, 4.0, h) if dense else np.array([4.0])
    y, p = start(model, model.parameter_values()[None]), model.parameter_values()[None]
    done = run(model, y, p, 0.0, 4.0, times, rtol=1e6).check(model)
    assert done.steps[0] == round(4.0 / h)
    return abs(done.outputs[0, :, 0] - exact(times)).max()


@pytest.mark.long
@pytest.mark.parametrize(("method", "theory"), [("tsit5", 5.0), ("rosenbrock", 2.0)])
def test_the_measured_order_is_the_theory_s(method, theory):
    steps = np.array([0.1, 0.05, 0.025])
    errors = np.array([fixed_step_error(method, h) for h in steps])
    order = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert order == pytest.approx(theory, abs=0.25)


@pytest.mark.parametrize(("method", "theory"), [("tsit5", 4.0), ("rosenbrock", 2.0)])
def test_between_steps_the_solution_is_of_the_order_that_the_dense_output_has(method, theory):
    steps = np.array([0.1, 0.05, 0.025])
    errors = np.array([fixed_step_error(method, h, dense=True) for h in steps])
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] > theory - 0.2


def test_the_coefficients_meet_the_order_conditions():
    """Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, table II.2.2: all trees up to order 4, and
    the quadrature conditions of order 5; the same, less one order, for the embedded weights.
    """
    a, c = tsit5.A, tsit5.C
    b = a[6]
    assert a.sum(axis=1) == pytest.approx(c, abs=1e-12)
    for weights, order in ((b, 5), (b - tsit5.E, 4)):
        for q in range(1, order + 1):
            assert weights @ c ** (q - 1) == pytest.approx(1 / q, abs=1e-8)
        assert weights @ (a @ c) == pytest.approx(1 / 6, abs=1e-8)
        assert weights @ (c * (a @ c)) == pytest.approx(1 / 8, abs=1e-8)
        assert weights @ (a @ c**2) == pytest.approx(1 / 12, abs=1e-8)
        assert weights @ (a @ (a @ c)) == pytest.approx(1 / 24, abs=1e-8)
    assert b @ (a @ c**3) == pytest.approx(1 / 20, abs=1e-8)
    assert b @ (c**2 * (a @ c)) == pytest.approx(1 / 10, abs=1e-8)


def test_the_dense_output_is_consistent_and_of_order_four():
    """At the end of the step it is the step; at any fraction s its weights meet sum b_i c_i^(q-1) = s^q / q."""
    powers = np.arange(1, 5)
    assert tsit5.DENSE.sum(axis=1) == pytest.approx(tsit5.A[6], abs=1e-10)
    for s in (0.1, 0.35, 0.5, 0.8, 1.0):
        weights = tsit5.DENSE @ s**powers
        for q in range(1, 5):
            assert weights @ tsit5.C ** (q - 1) == pytest.approx(s**q / q, abs=1e-9)
        assert weights @ (tsit5.A @ tsit5.C) == pytest.approx(s**3 / 6, abs=1e-9)
    # Its slope meets the field at both ends: the solution is smooth from step to step.
    first, last = tsit5.DENSE[:, 0], tsit5.DENSE @ powers
    assert first == pytest.approx(np.eye(7)[0], abs=1e-12)
    assert last == pytest.approx(np.eye(7)[6], abs=1e-9)


# --- against SciPy ----------------------------------------------------------------------------------------------------


def scipy_end(model, y, p, u, begin, end):
    def rhs(t, state):
        slope = np.empty_like(state)
        model.rhs(t, state, p, u, slope)
        return slope

    return solve_ivp(rhs, (begin, end), y, method="DOP853", rtol=1e-12, atol=1e-12).y[:, -1]


@pytest.mark.parametrize(
    ("model", "span", "rtol", "agree"), [(sway("tsit5"), 10.0, 1e-11, 1e-9), (CIRCULATION, 120.0, 1e-10, 1e-6)]
)
def test_it_agrees_with_scipy_at_its_tightest(model, span, rtol, agree):
    p = model.parameter_values()[None]
    y, u = start(model, p), model.rest()
    ours = run(model, y, p, 0.0, span, rtol=rtol).check(model).end[0]
    theirs = scipy_end(model, y[0], p[0], u, 0.0, span)
    assert abs(ours - theirs).max() / max(1.0, abs(theirs).max()) < agree


def test_it_agrees_with_scipy_through_the_valves():
    """Four valves open and shut in each of two beats; kinks cost either integrator accuracy, not its way."""
    p = BEATS.parameter_values()[None]
    y, u = start(BEATS, p), BEATS.rest()
    ours = run(BEATS, y, p, 0.0, 1.7, rtol=1e-9).check(BEATS).end[0]
    theirs = scipy_end(BEATS, y[0], p[0], u, 0.0, 1.7)
    assert abs(ours - theirs).max() < 1e-4  # mL and mmHg; volumes are of the order of 100
    loose = run(BEATS, y, p, 0.0, 1.7).check(BEATS).end[0]
    assert abs(loose - theirs).max() < 1.0


def test_the_stiff_method_agrees_with_scipy_on_a_stiff_problem():
    """Robertson's kinetics (Hairer, Wanner II, section IV.1): rates over nine orders of magnitude."""

    @njit
    def rhs(t, y, p, u, dydt):
        dydt[0] = -0.04 * y[0] + 1e4 * y[1] * y[2]
        dydt[2] = 3e7 * y[1] * y[1]
        dydt[1] = -dydt[0] - dydt[2]

    @njit
    def look(t, y, p, u, out):
        out[0] = y[0]

    states = tuple(State(n, "1", v, tolerance=a) for n, v, a in (("a", 1.0, 1e-8), ("b", 0.0, 1e-12), ("c", 0.0, 1e-8)))
    model = Model("robertson", TEST, "s", states, (), (Output("left", "1"),), rhs, look, method="rosenbrock", rtol=1e-6)
    p = np.empty((1, 0))
    done = run(model, start(model, p), p, 0.0, 400.0).check(model)
    true = solve_ivp(
        lambda t, y: [
            -0.04 * y[0] + 1e4 * y[1] * y[2], 0.04 * y[0] - 1e4 * y[1] * y[2] - 3e7 * y[1] ** 2, 3e7 * y[1] ** 2,
        ],
        (0, 400), [1.0, 0.0, 0.0], method="Radau", rtol=1e-11, atol=1e-14,
    ).y[:, -1]  # fmt: skip
    assert done.end[0] == pytest.approx(true, rel=1e-4)
    assert done.steps[0] < 3_000  # an explicit method would need over a million


# --- events -----------------------------------------------------------------------------------------------------------


@njit
def fall_rhs(t, y, p, u, dydt):
    dydt[0] = y[1]
    dydt[1] = -9.81


@njit
def fall_observe(t, y, p, u, out):
    out[0] = y[0]


@njit
def fall_event(t, y, p, u, g):
    g[0] = -y[0]
    g[1] = t - p[1]


@njit
def fall_jump(which, t, y, p, u):
    if which == 1:
        return True
    y[0] = 0.0
    y[1] = -p[0] * y[1]
    return False


BALL = Model(
    name="ball",
    title="A ball that bounces",
    time_unit="s",
    states=(State("height", "m", 1.0), State("speed", "m/s", 0.0, low=-100)),
    parameters=(Parameter("bounce", 0.8, "1", 0.1, 1, TEST), Parameter("until", 1e6, "s", 0, 1e6, TEST)),
    outputs=(Output("height", "m"),),
    rhs=fall_rhs,
    observe=fall_observe,
    event=fall_event,
    jump=fall_jump,
    events=2,
    rtol=1e-10,
    h_max=0.1,  # an event is seen where a step ends beyond it: steps must be shorter than the shortest flight
)


def test_a_ball_bounces_when_and_as_high_as_it_should():
    p = BALL.parameter_values()[None]
    fall = np.sqrt(2 / 9.81)
    tops = fall + np.cumsum(2 * fall * 0.8 ** np.arange(1, 6)) - fall * 0.8 ** np.arange(1, 6)
    done = run(BALL, start(BALL, p), p, 0.0, 4.0, tops).check(BALL)
    assert done.outputs[0, :, 0] == pytest.approx(0.64 ** np.arange(1, 6), abs=1e-8)


def test_an_event_may_stop_the_run():
    p = BALL.parameter_values(changes={"until": 0.3})[None]
    done = run(BALL, start(BALL, p), p, 0.0, 4.0, [0.2, 1.0])
    assert done.status[0] == drive.STOPPED
    assert done.end[0, 0] == pytest.approx(1 - 0.5 * 9.81 * 0.09, abs=1e-9)
    assert np.isnan(done.outputs[0, 1, 0])


# --- doses and edges --------------------------------------------------------------------------------------------------


@njit
def drain_rhs(t, y, p, u, dydt):
    dydt[0] = u[0] - p[0] * y[0]


DRAIN = Model(
    name="drain",
    title="One compartment",
    time_unit="h",
    states=(State("amount", "mg", 0.0, tolerance=1e-11),),
    parameters=(Parameter("rate", 0.3, "/h", 0.01, 10, TEST),),
    inputs=(Input("infusion", "mg/h", 0.0, 0, 1e3),),
    doses=(Dose("bolus", "mg", "amount"),),
    outputs=(Output("amount", "mg"),),
    rhs=drain_rhs,
    observe=fall_observe,
    rtol=1e-10,
)


def test_doses_and_edges_fall_where_they_are_given():
    """Infusion of 5 mg/h from 2 to 6 h, boluses of 10 mg at 0, 4 and 4 h: the sum of the closed forms."""
    p = DRAIN.parameter_values()[None]
    plan = Schedule(
        np.array([0.0, 2.0, 6.0]),
        np.array([[0.0], [5.0], [0.0]]),
        np.array([0.0, 4.0, 4.0]),
        np.zeros(3, np.int64),
        np.full(3, 10.0),
    )
    times = np.array([0.0, 1.0, 2.0, 3.999, 4.0, 5.0, 6.0, 9.0, 12.0])
    seen = run(DRAIN, start(DRAIN, p), p, 0.0, 12.0, times, plan).check(DRAIN).outputs[0, :, 0]
    k = 0.3

    def bolus(t, at):
        return np.where(t >= at, 10 * np.exp(-k * np.maximum(t - at, 0)), 0)

    def infused(t):
        during = np.clip(t, 2, 6) - 2
        return 5 / k * (1 - np.exp(-k * during)) * np.exp(-k * np.maximum(t - 6, 0))

    assert seen == pytest.approx(bolus(times, 0) + 2 * bolus(times, 4) + infused(times), rel=1e-8)


def test_a_run_in_two_halves_is_the_run():
    p = population(CIRCULATION, REFERENCE, 3, 2)
    y = settled(CIRCULATION, p)
    u = CIRCULATION.rest()
    u[len(CIRCULATION.inputs)] = -1.0
    whole = run(CIRCULATION, y, p, 0.0, 240.0, (), held(u), rtol=1e-9).check(CIRCULATION).end
    half = run(CIRCULATION, y, p, 0.0, 120.0, (), held(u), rtol=1e-9).check(CIRCULATION).end
    again = run(CIRCULATION, half, p, 120.0, 240.0, (), held(u), rtol=1e-9).check(CIRCULATION).end
    assert again == pytest.approx(whole, rel=1e-6, abs=1e-6)


# --- threads ----------------------------------------------------------------------------------------------------------

THREADS = """
import hashlib, json, numba
from vitruvian.physiology.circulation import CIRCULATION as m
from vitruvian.physiology.person import REFERENCE
from vitruvian.physiology.run import run, start
from vitruvian.physiology.simulate import population
p = population(m, REFERENCE, 37, 4)
seen = run(m, start(m, p), p, 0.0, 60.0, [10.0, 60.0])
print(json.dumps([numba.get_num_threads(), hashlib.sha256(seen.outputs.tobytes() + seen.end.tobytes()).hexdigest()]))
"""


def test_the_number_of_threads_changes_no_bit():
    answers = []
    for threads in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", THREADS],
            env={**os.environ, "NUMBA_NUM_THREADS": threads},
            capture_output=True,
            check=True,
        )
        answers.append(json.loads(done.stdout))
    assert [count for count, _ in answers] == [1, 2]
    assert answers[0][1] == answers[1][1]


def test_a_member_does_not_depend_on_its_neighbours():
    p = population(CIRCULATION, REFERENCE, 9, 4)
    y = start(CIRCULATION, p)
    together = run(CIRCULATION, y, p, 0.0, 60.0, [60.0], nothing(CIRCULATION))
    alone = run(CIRCULATION, y[5:6], p[5:6], 0.0, 60.0, [60.0], nothing(CIRCULATION))
    assert np.array_equal(together.outputs[5], alone.outputs[0])
