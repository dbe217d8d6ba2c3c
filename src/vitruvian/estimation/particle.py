"""The particle filter: no assumption of normal distributions, at the price of many more members.

Bootstrap filter (Gordon, Salmond, Smith 1993, IEE Proc. F 140:107) with systematic resampling (Kitagawa 1996,
J. Comput. Graph. Stat. 5:1) once the effective number of members falls below `resample_below`, and regularised: each
copy is drawn towards the mean and moved by a random combination of the anomalies, so that the mean and the covariance
of states, parameters and discrepancies stay what they were (Liu and West 2001, in Sequential Monte Carlo Methods in
Practice, chapter 10).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numba import prange
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.estimation.base import Belief, Filter
from vitruvian.estimation.compiled import njit
from vitruvian.estimation.enkf import Report, Schedules, propagate, rules_of
from vitruvian.estimation.primitives import JITTER, PICK, back, normal, uniform
from vitruvian.estimation.square_root import REJECTED, gather, judge, remember

__all__ = ["Regularisation", "equalised", "step_many"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Regularisation:
    """resample_below: the effective number of members, as a share, under which they are resampled; jitter: how far a
    copy is moved, as a share of the ensemble's standard deviation (0: not at all).
    """

    resample_below: float = 0.5
    jitter: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.resample_below <= 1 or not 0 <= self.jitter < 1:
            raise ModelError(f"found {self}, expected both from 0 to 1")


# Anomalies combined for one move: picked at random, the moves have the covariance of all, at a cost that does not
# grow with the square of the members.
PICKS: Final = 48
USUAL: Final = Regularisation()


def step_many(
    one: Filter,
    belief: Belief,
    observations: Floats,
    schedules: Schedules = None,
    regularisation: Regularisation = USUAL,
) -> tuple[Belief, Report]:
    """One tick for all patients, as `enkf.step_many`: pure, deterministic, each patient the same alone as among others.

    In the report, nis adds up the observations one by one, as if their predictions were independent.
    """
    values = np.ascontiguousarray(observations, np.float64)
    if values.shape != (len(belief), len(one.observations)):
        raise ModelError(
            f"{one.model.name}: found observations {values.shape}, expected ({len(belief)}, {len(one.observations)})"
        )
    moved, h, lost = propagate(one, belief, schedules)
    track, weights = np.array(belief.track), np.array(belief.weights)
    fate = np.zeros(values.shape, np.int64)
    expected, spread, nis = np.empty(values.shape), np.empty(values.shape), np.empty((len(belief), 2))
    weigh(values, h, weights, *one.errors, rules_of(one), track, fate, expected, spread, nis)
    after = replace(moved, track=track, weights=weights)
    return _resampled(one, after, regularisation.resample_below, regularisation.jitter), Report(
        fate, expected, spread, nis, lost
    )


def equalised(one: Filter, belief: Belief) -> Belief:
    """The same belief with equal weights, for what takes none (forecasts, scenarios): resampled, not moved."""
    return _resampled(one, belief, 1.0, 0.0)


def _resampled(one: Filter, belief: Belief, below: float, jitter: float) -> Belief:
    states, theta, bias, weights = (
        np.array(part) for part in (belief.states, belief.theta, belief.bias, belief.weights)
    )
    resample(
        belief.keys, belief.tick, below, jitter, weights, states, theta, bias, one.state_form.columns,
        one.parameter_form.columns, one.bias_form.columns,
    )  # fmt: skip
    return replace(belief, states=states, theta=theta, bias=bias, weights=weights)


@njit(parallel=True)
def weigh(values, h, weights, sd, relative, rules, track, fate, expected, spread, nis):  # type: ignore[no-untyped-def]
    """Multiply weights (N, M) by the likelihood of values (N, O) and judge as the ensemble filter does."""
    patients, members, shown = h.shape
    for n in prange(patients):
        nis[n, 0], nis[n, 1] = 0.0, 0.0
        error, score = np.empty(shown), np.zeros(members)
        if not math.isfinite(h[n, 0, 0]):
            fate[n], expected[n], spread[n] = 0, np.nan, np.nan
            continue
        judge(
            values[n], h[n], weights[n], sd, relative, rules[0], rules[1], track[n, :, 3], fate[n], error, expected[n],
            spread[n],
        )  # fmt: skip
        if remember(values[n], fate[n], expected[n], spread[n], sd, relative, rules[3], rules[4], track[n]) == 0:
            continue
        for o in range(shown):
            if fate[n, o] == 0 or fate[n, o] == REJECTED:
                continue
            nis[n, 0] += (values[n, o] - expected[n, o]) ** 2 / (spread[n, o] + error[o])
            nis[n, 1] += 1.0
            for m in range(members):
                score[m] -= 0.5 * (values[n, o] - h[n, m, o]) ** 2 / error[o]
        best, total = -np.inf, 0.0
        for m in range(members):
            if weights[n, m] > 0.0:
                best = max(best, score[m])
        for m in range(members):
            weights[n, m] *= math.exp(min(score[m] - best, 0.0))
            total += weights[n, m]
        for m in range(members):
            weights[n, m] /= total


@njit(parallel=True)
def resample(keys, tick, below, jitter, weights, states, theta, bias, state_form, theta_form, bias_form):  # type: ignore[no-untyped-def]
    """Resample, in place, patients whose effective number of members is below a share of them."""
    patients, members, size = states.shape
    count, shown = theta.shape[2], bias.shape[2]
    columns = size + count + shown
    for n in prange(patients):
        squares = 0.0
        for m in range(members):
            squares += weights[n, m] ** 2
        if not 1.0 / squares < below * members * (1.0 - 1e-9):
            continue
        old_states, old_theta, old_bias = states[n].copy(), theta[n].copy(), bias[n].copy()
        start, reached, source = uniform(keys[n], tick, 0, PICK, 0), weights[n, 0], 0
        for m in range(members):
            while (m + start) / members > reached and source < members - 1:
                source += 1
                reached += weights[n, source]
            states[n, m], theta[n, m], bias[n, m] = old_states[source], old_theta[source], old_bias[source]
        weights[n] = 1.0 / members
        if jitter <= 0.0:
            continue
        mean, anomaly = np.empty(columns), np.empty((columns, members))
        gather(states[n], state_form[0], state_form[1], state_form[2], state_form[3], 0, mean, anomaly)
        gather(theta[n], theta_form[0], theta_form[1], theta_form[2], theta_form[3], size, mean, anomaly)
        gather(bias[n], bias_form[0], bias_form[1], bias_form[2], bias_form[3], size + count, mean, anomaly)
        share, which, keep = np.empty(PICKS), np.empty(PICKS, np.int64), math.sqrt(1.0 - jitter * jitter)
        for m in range(members):
            for k in range(PICKS):
                which[k] = int(uniform(keys[n], tick, m, JITTER, k) * members)
                share[k] = jitter * normal(keys[n], tick, m, JITTER, PICKS + k) / math.sqrt(PICKS)
            move(states[n, m], state_form, 0, mean, anomaly, keep, which, share, m)
            move(theta[n, m], theta_form, size, mean, anomaly, keep, which, share, m)
            move(bias[n, m], bias_form, size + count, mean, anomaly, keep, which, share, m)


@njit()
def move(values, form, at, mean, anomaly, keep, which, share, m):  # type: ignore[no-untyped-def]
    """Draw one member's values (K,) towards the mean and add shares of the anomalies of those picked."""
    for k in range(values.shape[0]):
        combined, spread = 0.0, 0.0
        for i in range(which.shape[0]):
            combined += share[i] * anomaly[at + k, which[i]]
            spread += abs(anomaly[at + k, which[i]])
        if spread > 0.0:
            z = mean[at + k] + keep * anomaly[at + k, m] + combined
            values[k] = back(form[0][k], form[1][k], form[2][k], form[3][k], z)
