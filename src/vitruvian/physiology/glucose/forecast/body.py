"""The compact body behind a sensor, and the Kalman filter that follows it.

    sensor'   = (plasma - sensor) / t_sensor
    plasma'   = -p (plasma - basal) + appearance
    appearance' = (entering - appearance) / t_gut
    entering' = -entering / t_gut + noise        meals, insulin, exercise: whatever was not told
    basal'    = -basal / t_basal + noise         where this person's glucose lies these days

all as deviations from a population level, with readings that err by `noise_mg_dl`. The clearance p is the glucose
effectiveness of the minimal model (Bergman 1979, Am J Physiol 236:E667), appearance the two-compartment gut of Hovorka
2004 (Physiol Meas 25:905) driven by noise in place of an announced meal, as is done to detect meals from a sensor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["HORIZONS_MIN", "STATES", "Body", "follow"]

Floats = NDArray[np.float64]

HORIZONS_MIN: Final = (30.0, 60.0)
STATES: Final = ("sensor", "plasma", "appearance", "entering", "basal")
T_BASAL_MIN: Final = 2880.0  # assumption: two days
START_SD: Final = np.array([60.0, 60.0, 1.0, 1.0, 40.0])  # assumption: nothing is known of the person at first


@dataclass(frozen=True, slots=True)
class Body:
    """What the filter is tuned by, from other people's readings."""

    clearance_per_min: float
    t_gut_min: float
    t_sensor_min: float
    entering_noise: float  # mg/dL/min per square root of a minute
    basal_noise: float  # mg/dL per square root of a minute
    noise_mg_dl: float
    level_mg_dl: float

    def transition(self, minutes: float) -> tuple[Floats, Floats]:
        """How the state moves in so many minutes: F (5, 5), and the covariance Q (5, 5) it gathers (Van Loan 1978,
        IEEE Trans Autom Control 23:395).
        """
        a = np.zeros((5, 5))
        a[0, 0], a[0, 1] = -1 / self.t_sensor_min, 1 / self.t_sensor_min
        a[1, 1], a[1, 4], a[1, 2] = -self.clearance_per_min, self.clearance_per_min, 1.0
        a[2, 2], a[2, 3] = -1 / self.t_gut_min, 1 / self.t_gut_min
        a[3, 3] = -1 / self.t_gut_min
        a[4, 4] = -1 / T_BASAL_MIN
        noise = np.diag([0.0, 0.0, 0.0, self.entering_noise**2, self.basal_noise**2])
        both = np.block([[-a, noise], [np.zeros((5, 5)), a.T]]) * minutes
        grown = exponential(both)
        forward = grown[5:, 5:].T
        return np.ascontiguousarray(forward), np.ascontiguousarray(forward @ grown[:5, 5:])


def exponential(matrix: Floats) -> Floats:
    """The matrix exponential by scaling, a Taylor series and squaring; for the small matrices here."""
    halvings = max(0, int(np.ceil(np.log2(max(np.abs(matrix).sum(axis=1).max(), 1e-300)))) + 4)
    small = matrix / 2.0**halvings
    term = total = np.eye(len(matrix))
    for k in range(1, 13):
        term = term @ small / k
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return np.asarray(total)


def follow(glucose: Floats, step_min: float, body: Body) -> tuple[Floats, Floats]:
    """Filter readings (T,) with NaN for none: forecasts at the horizons (T, 2), mg/dL, and states (T, 5)."""
    forward, noise = body.transition(step_min)
    ahead = np.array([body.transition(minutes)[0][0] for minutes in HORIZONS_MIN])
    forecasts, states = np.empty((len(glucose), len(ahead))), np.empty((len(glucose), 5))
    _follow(glucose, forward, noise, body.noise_mg_dl, body.level_mg_dl, ahead, START_SD, forecasts, states)
    return forecasts, states


@njit(cache=True)
def _follow(
    glucose: Any,
    forward: Any,
    noise: Any,
    error: Any,
    level: Any,
    ahead: Any,
    start_sd: Any,
    forecasts: Any,
    states: Any,
) -> None:
    size = forward.shape[0]
    x, moved = np.zeros(size), np.zeros(size)
    cov, half, gain = np.zeros((size, size)), np.zeros((size, size)), np.zeros(size)
    for i in range(size):
        cov[i, i] = start_sd[i] ** 2
    for t in range(glucose.shape[0]):
        if t > 0:
            for i in range(size):
                moved[i] = 0.0
                for j in range(size):
                    moved[i] += forward[i, j] * x[j]
                    half[i, j] = 0.0
                    for k in range(size):
                        half[i, j] += forward[i, k] * cov[k, j]
            for i in range(size):
                x[i] = moved[i]
                for j in range(size):
                    cov[i, j] = noise[i, j]
                    for k in range(size):
                        cov[i, j] += half[i, k] * forward[j, k]
        if np.isfinite(glucose[t]):
            spread = cov[0, 0] + error * error
            miss = glucose[t] - level - x[0]
            for i in range(size):
                gain[i] = cov[i, 0] / spread
                moved[i] = cov[0, i]
            for i in range(size):
                x[i] += gain[i] * miss
                for j in range(size):
                    cov[i, j] -= gain[i] * moved[j]
        states[t] = x
        for h in range(ahead.shape[0]):
            forecasts[t, h] = level
            for i in range(size):
                forecasts[t, h] += ahead[h, i] * x[i]
