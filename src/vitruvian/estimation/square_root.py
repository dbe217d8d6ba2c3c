"""The compiled analysis of the ensemble Kalman filter: values judged, then used one after another.

A patient's columns are its states, its estimated parameters and its discrepancies in transformed space, D = S + E + O,
and behind them the O predicted observations, C = D + O in all. Shapes else as in `kernels`.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numba import prange

from vitruvian.estimation.compiled import njit
from vitruvian.estimation.primitives import back, forward

# What became of a value: nothing was measured, it was used, it was rejected, or it was believed at last and held down.
MISSING: Final = 0
USED: Final = 1
REJECTED: Final = 2
YIELDED: Final = 3

# In the place of a share to relax by: a column that takes part but is not moved.
HELD: Final = -1.0
_NO_SPREAD: Final = 1e-13  # a standard deviation below this share of the mean is rounding, not spread


@njit()
def judge(values, h, weights, sd, relative, gate, patience, run, fate, error, expected, spread):  # type: ignore[no-untyped-def]
    """Decide what becomes of each value of one patient, before any is used.

    values (O,), h (M, O), weights (M,) that sum to 1, run (O,) signed count of rejections in a row (changed). Writes
    fate (O,), error (O,) the variance to use, expected (O,) and spread (O,) the mean and variance of h. A value further
    than `gate` standard deviations from what was expected is rejected; after `patience` in a row on one side it is no
    slip of the sensor, and it is used with an error so large that it counts as `gate` standard deviations.
    """
    members = h.shape[0]
    for o in range(values.shape[0]):
        mean, squares = 0.0, 0.0
        for m in range(members):
            mean += weights[m] * h[m, o]
        for m in range(members):
            squares += weights[m] * (h[m, o] - mean) ** 2
        expected[o], spread[o] = mean, squares * members / (members - 1)
        error[o] = sd[o] ** 2 + (relative[o] * mean) ** 2
        fate[o] = MISSING
        if not math.isfinite(values[o]):
            continue
        off = values[o] - mean
        if off * off <= gate * gate * (spread[o] + error[o]):
            fate[o] = USED
            run[o] = 0.0
            continue
        side = 1.0 if off > 0 else -1.0
        run[o] = run[o] + side if run[o] * side > 0 else side
        fate[o] = REJECTED
        if abs(run[o]) > patience:
            fate[o] = YIELDED
            error[o] = max(off * off / (gate * gate) - spread[o], error[o])


@njit()
def remember(values, fate, expected, spread, sd, relative, keep, cap, track):  # type: ignore[no-untyped-def]
    """Fade what track (O, 4) remembers of one patient by `keep` and add this tick's innovations, at most `cap`.

    Returns how many values are to be used.
    """
    used = 0
    for o in range(values.shape[0]):
        track[o, :3] *= keep
        if fate[o] != MISSING:
            error = sd[o] ** 2 + (relative[o] * expected[o]) ** 2
            score = (values[o] - expected[o]) / math.sqrt(spread[o] + error)
            score = min(max(score, -cap), cap)
            track[o, 0] += score * score
            track[o, 1] += score
            track[o, 2] += 1.0
            used += fate[o] != REJECTED
    return used


@njit()
def assimilate(mean, anomaly, first, off, error, localise, blur):  # type: ignore[no-untyped-def]
    """Use one scalar observation: change mean (C,) and anomaly (C, M) of all columns by that of column `first`.

    The serial square-root filter of Whitaker and Hamill (2002, Mon. Weather Rev. 130:1913, eqs. 10-13): no random
    perturbation. `localise` damps each column by how far its correlation, r, stands out of the sampling error of M
    members: 1 - localise (1 - r2)2 / ((M - 1) r2), not below 0. blur (M,) is work. Returns the innovation
    squared over its variance.
    """
    columns, members = anomaly.shape
    power = 0.0
    for m in range(members):
        blur[m] = anomaly[first, m]
        power += blur[m] * blur[m]
    variance = power / (members - 1)
    total = variance + error
    if variance <= 0.0:
        return off * off / total
    shrink = 1.0 / (1.0 + math.sqrt(error / total))
    for c in range(columns):
        both, own = 0.0, 0.0
        for m in range(members):
            both += anomaly[c, m] * blur[m]
            own += anomaly[c, m] * anomaly[c, m]
        if own <= 0.0:
            continue
        gain = both / (members - 1) / total
        if localise > 0.0 and c != first:
            r2 = both * both / (own * power)
            gain *= max(0.0, 1.0 - localise * (1.0 - r2) ** 2 / ((members - 1) * max(r2, 1e-12)))
        mean[c] += gain * off
        for m in range(members):
            anomaly[c, m] -= shrink * gain * blur[m]
    return off * off / total


@njit()
def gather(values, kind, low, high, width, at, mean, anomaly):  # type: ignore[no-untyped-def]
    """Write values (M, K) transformed into columns at.. of mean and anomaly (C, M); rounding is no spread."""
    members, count = values.shape
    for k in range(count):
        total = 0.0
        for m in range(members):
            z = forward(kind[k], low[k], high[k], width[k], values[m, k])
            anomaly[at + k, m] = z
            total += z
        total /= members
        mean[at + k] = total
        squares = 0.0
        for m in range(members):
            anomaly[at + k, m] -= total
            squares += anomaly[at + k, m] ** 2
        if squares <= members * (_NO_SPREAD * abs(total)) ** 2:
            anomaly[at + k, :] = 0.0


@njit()
def scatter(values, kind, low, high, width, at, mean, anomaly, before, relax):  # type: ignore[no-untyped-def]
    """Write columns at.. back to values (M, K), their spread drawn back towards before (C,) by relax (K,).

    HELD columns stay. Relaxation to prior spread: Whitaker and Hamill (2012, Mon. Weather Rev. 140:3078, eq. 2).
    """
    members, count = values.shape
    for k in range(count):
        if before[at + k] <= 0.0 or relax[k] == HELD:
            continue
        squares = 0.0
        for m in range(members):
            squares += anomaly[at + k, m] ** 2
        after = math.sqrt(squares / (members - 1))
        swell = 1.0 + relax[k] * (before[at + k] - after) / after if after > 0.0 else 1.0
        for m in range(members):
            z = mean[at + k] + swell * anomaly[at + k, m]
            values[m, k] = back(kind[k], low[k], high[k], width[k], z)


@njit(parallel=True)
def analyse(  # type: ignore[no-untyped-def]
    values, states, theta, bias, h, weights, state_form, theta_form, bias_form, relax, sd, relative, rules, track, fate,
    expected, spread, nis,
):  # fmt: skip
    """The analysis of N patients in place: values (N, O), NaN for none; states, theta, bias as columns; h (N, M, O).

    Forms are (kind, low, high, width) of each group; relax (S + E + O,); rules (gate, patience, localise, forgetting,
    cap). track (N, O, 4) keeps, for each observation, the faded sums of squared and of signed standardised innovations,
    of their number, and the signed count of rejections in a row. fate, expected, spread (N, O) and nis (N, 2), the
    normalised innovation squared and its degrees of freedom, are written.
    """
    patients, members, size = states.shape
    count, shown = theta.shape[2], h.shape[2]
    columns = size + count + 2 * shown
    for n in prange(patients):
        mean, anomaly = np.empty(columns), np.empty((columns, members))
        before, error, blur = np.zeros(columns), np.empty(shown), np.empty(members)
        nis[n, 0], nis[n, 1] = 0.0, 0.0
        if not math.isfinite(h[n, 0, 0]):
            fate[n], expected[n], spread[n] = MISSING, np.nan, np.nan
            continue
        judge(
            values[n],
            h[n],
            weights[n],
            sd,
            relative,
            rules[0],
            rules[1],
            track[n, :, 3],
            fate[n],
            error,
            expected[n],
            spread[n],
        )
        used = remember(values[n], fate[n], expected[n], spread[n], sd, relative, rules[3], rules[4], track[n])
        if used == 0:
            continue
        gather(states[n], state_form[0], state_form[1], state_form[2], state_form[3], 0, mean, anomaly)
        gather(theta[n], theta_form[0], theta_form[1], theta_form[2], theta_form[3], size, mean, anomaly)
        gather(bias[n], bias_form[0], bias_form[1], bias_form[2], bias_form[3], size + count, mean, anomaly)
        gather(h[n], bias_form[0], bias_form[1], bias_form[2], bias_form[3], size + count + shown, mean, anomaly)
        for c in range(columns):
            for m in range(members):
                before[c] += anomaly[c, m] ** 2
            before[c] = math.sqrt(before[c] / (members - 1))
        for o in range(shown):
            if fate[n, o] == USED or fate[n, o] == YIELDED:
                first = size + count + shown + o
                off = values[n, o] - mean[first]
                nis[n, 0] += assimilate(mean, anomaly, first, off, error[o], rules[2], blur)
                nis[n, 1] += 1.0
        scatter(states[n], state_form[0], state_form[1], state_form[2], state_form[3], 0, mean, anomaly, before, relax)
        scatter(
            theta[n], theta_form[0], theta_form[1], theta_form[2], theta_form[3], size, mean, anomaly, before,
            relax[size:],
        )  # fmt: skip
        scatter(
            bias[n], bias_form[0], bias_form[1], bias_form[2], bias_form[3], size + count, mean, anomaly, before,
            relax[size + count :],
        )  # fmt: skip
