"""The compiled parts around a filter's analysis: the prior, the drift between ticks, the prediction, the rescue of
members that failed.

Shapes: N patients, M members, S states, E estimated parameters, O observations. Every patient is worked by one thread
from first to last, with sums in one order: neither threads nor neighbours change a bit.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from vitruvian.estimation.compiled import njit
from vitruvian.estimation.primitives import (
    BIAS,
    PLAIN,
    PRIOR,
    RESCUE,
    SOFT,
    STATE,
    WALK,
    back,
    forward,
    normal,
    uniform,
)


@njit()
def draw(keys, centre, spread, kind, low, high, width, theta, bias_sd, bias):  # type: ignore[no-untyped-def]
    """Draw theta (N, M, E) from the prior around centre (N, E), and discrepancies (N, M, O), as the keys have it."""
    patients, members, count = theta.shape
    for n in range(patients):
        for e in range(count):
            middle = forward(kind[e], low[e], high[e], width[e], centre[n, e])
            for m in range(members):
                z = middle + spread[n, e] * normal(keys[n], 0, m, PRIOR, e)
                theta[n, m, e] = back(kind[e], low[e], high[e], width[e], z)
        for o in range(bias.shape[2]):
            for m in range(members):
                bias[n, m, o] = bias_sd[o] * normal(keys[n], 0, m, PRIOR, 1_000 + o)


@njit(parallel=True)
def walk(keys, tick, theta, kind, low, high, width, step, bias, bias_step, bias_keep):  # type: ignore[no-untyped-def]
    """Let estimated parameters (N, M, E) and discrepancies (N, M, O) drift over one tick, in place.

    step (E,) is the standard deviation of a parameter's random step, in transformed space; a discrepancy keeps the
    share bias_keep (O,) of itself and is given a step of standard deviation bias_step (O,).
    """
    patients, members, count = theta.shape
    for n in prange(patients):
        for e in range(count):
            if step[e] > 0.0:
                for m in range(members):
                    z = forward(kind[e], low[e], high[e], width[e], theta[n, m, e])
                    z += step[e] * normal(keys[n], tick, m, WALK, e)
                    theta[n, m, e] = back(kind[e], low[e], high[e], width[e], z)
        for o in range(bias.shape[2]):
            if bias_step[o] > 0.0:
                for m in range(members):
                    bias[n, m, o] = bias_keep[o] * bias[n, m, o] + bias_step[o] * normal(keys[n], tick, m, BIAS, o)


@njit(parallel=True)
def shake(keys, tick, states, kind, low, high, width, step):  # type: ignore[no-untyped-def]
    """Add model error to states (N, M, S), in place: a share step (S,) of the ensemble's mean height over the bound.

    Where a state has two bounds the share is of the logit's unit; a state at its bound in all members stays there.
    """
    patients, members, count = states.shape
    for n in prange(patients):
        for s in range(count):
            if step[s] <= 0.0:
                continue
            mean = 0.0
            for m in range(members):
                mean += states[n, m, s]
            mean /= members
            size = step[s] * (abs(mean - low[s]) if kind[s] == SOFT else abs(mean) if kind[s] == PLAIN else 1.0)
            if size <= 0.0 or mean == low[s] or not math.isfinite(size):
                continue
            for m in range(members):
                z = forward(kind[s], low[s], high[s], width[s], states[n, m, s])
                states[n, m, s] = back(
                    kind[s], low[s], high[s], width[s], z + size * normal(keys[n], tick, m, STATE, s)
                )


@njit(parallel=True)
def predicted(shown, which, bias, h):  # type: ignore[no-untyped-def]
    """h (N, M, O): the mean over the looks of shown (N, M, T, outputs) at which (O,), plus the discrepancy."""
    patients, members, looks, _ = shown.shape
    for n in prange(patients):
        for m in range(members):
            for o in range(which.shape[0]):
                total = 0.0
                for t in range(looks):
                    total += shown[n, m, t, which[o]]
                h[n, m, o] = total / looks + bias[n, m, o]


@njit(parallel=True)
def rescue(keys, tick, status, states, theta, bias, h, before_states, before_theta, before_bias, lost):  # type: ignore[no-untyped-def]
    """Give each member that could not be integrated the place of one that could, chosen by counter; lost (N,) counts.

    Where all failed, the patient's belief is put back as it was before the tick, and h becomes NaN.
    """
    patients, members, _ = states.shape
    for n in prange(patients):
        lost[n] = 0
        for m in range(members):
            good = status[n, m] == 0 or status[n, m] == 4
            for o in range(h.shape[2]):
                good = good and math.isfinite(h[n, m, o])
            if not good:
                status[n, m] = -1
                lost[n] += 1
        if lost[n] == members:
            states[n] = before_states[n]
            theta[n] = before_theta[n]
            bias[n] = before_bias[n]
            h[n] = np.nan
            continue
        for m in range(members):
            if status[n, m] == -1:
                source = int(uniform(keys[n], tick, m, RESCUE, 0) * members)
                while status[n, source] == -1:
                    source = (source + 1) % members
                states[n, m] = states[n, source]
                theta[n, m] = theta[n, source]
                bias[n, m] = bias[n, source]
                h[n, m] = h[n, source]
