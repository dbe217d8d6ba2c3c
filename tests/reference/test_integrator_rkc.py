"""The stabilised explicit method: its order, its agreement with a tight run, and what it saves on a stiff body."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from vitruvian.physiology.base import Model, Output, Parameter, State
from vitruvian.physiology.run import run

COUNT = 24


@njit
def heat_rhs(t, y, p, u, dydt):
    """Heat in a rod of 24 cells, its ends held at 0: decay rates from 0.016 to near 4 p."""
    for i in range(y.shape[0]):
        left = y[i - 1] if i > 0 else 0.0
        right = y[i + 1] if i + 1 < y.shape[0] else 0.0
        dydt[i] = p[0] * (left - 2.0 * y[i] + right)


@njit
def heat_observe(t, y, p, u, out):
    """The middle."""
    out[0] = y[y.shape[0] // 2]


def rod(**settings):
    """The rod as a model."""
    return Model(
        name="rod", title="A rod", time_unit="s",
        states=tuple(State(f"cell_{i}", "1", 0.0, low=-10.0) for i in range(COUNT)),
        parameters=(Parameter("conduction", 20.0, "1", 0.1, 1e4, "assumption: a test"),),
        outputs=(Output("middle", "1"),), rhs=heat_rhs, observe=heat_observe, **settings,
    )  # fmt: skip


def exact(start, rate, t):
    """By the eigenvectors of the second difference."""
    matrix = rate * (np.eye(COUNT, k=1) - 2 * np.eye(COUNT) + np.eye(COUNT, k=-1))
    levels, vectors = np.linalg.eigh(matrix)
    return vectors @ (np.exp(levels * t) * (vectors.T @ start))


START = np.sin(np.arange(1, COUNT + 1)) + 1.0


@pytest.mark.long
def test_the_order_is_two():
    steps = np.array([0.8, 0.4, 0.2, 0.1])  # short against the fastest decay, so that all take two stages
    errors = []
    for h in steps:
        model = rod(method="rkc", h_max=h, first_step=h)
        done = run(model, START[None], np.array([[0.1]]), 0.0, 8.0, [8.0], rtol=1e9).check(model)
        assert done.steps[0] == round(8.0 / h)
        errors.append(np.abs(done.end[0] - exact(START, 0.1, 8.0)).max())
    assert np.polyfit(np.log(steps), np.log(errors), 1)[0] == pytest.approx(2.0, abs=0.15)


@pytest.mark.parametrize("rate", [0.5, 20.0, 2_000.0])
def test_it_stays_within_its_tolerance_and_between_steps_too(rate):
    model = rod(method="rkc", rtol=1e-5)
    times = np.linspace(0.1, 3.0, 7)
    done = run(model, START[None], np.array([[rate]]), 0.0, 3.0, times).check(model)
    wanted = [exact(START, rate, t)[COUNT // 2] for t in times]
    assert done.outputs[0, :, 0] == pytest.approx(wanted, abs=3e-4)


@pytest.mark.long
def test_it_takes_few_steps_where_an_ordinary_method_takes_many():
    steps = {}
    for method in ("tsit5", "rkc"):
        model = rod(method=method, rtol=1e-4)
        done = run(model, START[None], np.array([[2_000.0]]), 0.0, 10.0).check(model)
        assert np.abs(done.end).max() < 1e-3
        steps[method] = int(done.steps[0])
    assert steps["tsit5"] > 20_000
    assert steps["rkc"] < steps["tsit5"] / 50
