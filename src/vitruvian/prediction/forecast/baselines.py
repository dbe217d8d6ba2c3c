"""What a forecast has to beat: persistence, damped trend and AR(1), tuned and dressed on training patients.

Dressing turns a point into a distribution by adding the errors that the same method made, at the same horizon, on
training patients. For a point forecast with its own errors added, the mean CRPS on those patients is half the mean
difference between two of the errors, which is what tuning lowers.

Each is tuned for each vital sign and horizon, which is more than its name promises: an AR(1) with its own coefficient
a horizon and the patient's own mean is stronger than powers of one coefficient around the population's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vitruvian.prediction.forecast.crps import crps_dressed
from vitruvian.prediction.forecast.grid import HORIZONS_H, LIMITS, PAST_HOURS, VITALS, Grid

__all__ = ["BASELINES", "Baseline", "fit"]

RESIDUALS: Final = 400  # quantiles that a dress is made of
_TUNING_ROWS: Final = 60_000
_SMOOTH: Final = (0.15, 0.3, 0.5, 0.7, 0.9, 1.0)
_TREND: Final = (0.02, 0.1, 0.3)
_DAMP: Final = (0.5, 0.8, 0.9, 0.97)
_PULL: Final = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_WEIGHT: Final = tuple(np.linspace(0.0, 1.0, 21))


@njit(cache=True)
def last_values(series: NDArray[np.float64], patient: NDArray[np.int64], reach: int) -> NDArray[np.float64]:
    """The newest value (R,) of the hour or of the `reach` hours before it, the same patient's; NaN where none."""
    out = np.full(series.size, np.nan)
    last, age = np.nan, 0
    for r in range(series.size):
        age += 1
        if patient[r] < 0:
            last = np.nan
        elif not np.isnan(series[r]):
            last, age = series[r], 0
        if age <= reach:
            out[r] = last
    return out


@njit(cache=True)
def damped_states(
    series: NDArray[np.float64], patient: NDArray[np.int64], smooth: float, trend: float, damp: float
) -> NDArray[np.float64]:
    """Level and slope (R, 2) of Holt's method with a damped trend; an hour without a value moves by the slope only.

    Gardner and McKenzie 1985, Management Science 31:1237-1246, equations 2-4.
    """
    out = np.full((series.size, 2), np.nan)
    level, slope = np.nan, 0.0
    for r in range(series.size):
        if patient[r] < 0:
            level, slope = np.nan, 0.0
            continue
        value = series[r]
        if np.isnan(level):
            level, slope = value, 0.0
        else:
            ahead = level + damp * slope
            slope *= damp
            if not np.isnan(value):
                error = value - ahead
                level, slope = ahead + smooth * error, slope + smooth * trend * error
            else:
                level = ahead
        out[r, 0], out[r, 1] = level, slope
    return out


@njit(cache=True)
def running_means(series: NDArray[np.float64], patient: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sum and count (R, 2) of the patient's values up to and with each hour."""
    out = np.zeros((series.size, 2))
    total, count = 0.0, 0.0
    for r in range(series.size):
        if patient[r] < 0:
            total, count = 0.0, 0.0
        elif not np.isnan(series[r]):
            total, count = total + series[r], count + 1.0
        out[r, 0], out[r, 1] = total, count
    return out


def half_mean_difference(errors: NDArray[np.float64]) -> float:
    """Half the mean absolute difference between two of the errors (N,): the CRPS of a dress on its own patients."""
    ordered = np.sort(errors)
    n = ordered.size
    return float(((2 * np.arange(n) + 1 - n) * ordered).sum() / n**2)


@dataclass(frozen=True, slots=True)
class Baseline:
    """A method tuned for one vital sign, by horizon: `settings` (3), and `residuals` (3, 400), rising.

    `points(series, patient)` gives (R, 3): the point for each horizon from each hour.
    """

    name: str
    vital: str
    settings: tuple[tuple[float, ...], ...]
    residuals: NDArray[np.float64]

    def points(self, series: NDArray[np.float64], patient: NDArray[np.int64]) -> NDArray[np.float64]:
        """(R, 3): the point for each horizon from each hour; NaN where nothing is known of the last day."""
        made = [
            BASELINES[self.name](series, patient, ahead_h, self.settings[k]) for k, ahead_h in enumerate(HORIZONS_H)
        ]
        return np.stack(made, axis=1)

    def scores(self, points: NDArray[np.float64], observed: NDArray[np.float64], horizon: int) -> NDArray[np.float64]:
        """CRPS (N,) of dressed points (N,) at horizon number `horizon` for what was observed (N,)."""
        low, high = LIMITS[self.vital]
        done: NDArray[np.float64] = crps_dressed(points, self.residuals[horizon], low, high, observed)
        return done


Points = Callable[[NDArray[np.float64], NDArray[np.int64], int, tuple[float, ...]], NDArray[np.float64]]


def _persistence(
    series: NDArray[np.float64], patient: NDArray[np.int64], ahead_h: int, setting: tuple[float, ...]
) -> NDArray[np.float64]:
    kept: NDArray[np.float64] = last_values(series, patient, PAST_HOURS - 1)
    return kept


def _damped_trend(
    series: NDArray[np.float64], patient: NDArray[np.int64], ahead_h: int, setting: tuple[float, ...]
) -> NDArray[np.float64]:
    smooth, trend, damp = setting
    states = damped_states(series, patient, smooth, trend, damp)
    made: NDArray[np.float64] = states[:, 0] + states[:, 1] * sum(damp**k for k in range(1, ahead_h + 1))
    return made


def _ar1(
    series: NDArray[np.float64], patient: NDArray[np.int64], ahead_h: int, setting: tuple[float, ...]
) -> NDArray[np.float64]:
    weight, pull, population = setting
    sums = running_means(series, patient)
    own = (sums[:, 0] + pull * population) / np.maximum(sums[:, 1] + pull, 1e-9)
    made: NDArray[np.float64] = own + weight * (last_values(series, patient, PAST_HOURS - 1) - own)
    return made


BASELINES: Final[dict[str, Points]] = {"persistence": _persistence, "damped trend": _damped_trend, "AR(1)": _ar1}


def _choices(name: str, population: float) -> list[tuple[float, ...]]:
    if name == "damped trend":
        return list(product(_SMOOTH, _TREND, _DAMP))
    if name == "AR(1)":
        return [(weight, pull, population) for weight, pull in product(_WEIGHT, _PULL)]
    return [()]


def fit(name: str, vital: str, grid: Grid, rows: NDArray[np.int64], seed: int = 0) -> Baseline:
    """Tune and dress a baseline on the training rows of a grid, for each horizon by its own mean CRPS there.

    Settings are compared on at most 60,000 of the rows; the dress is made of all.
    """
    series = grid.values[:, VITALS.index(vital)].astype(np.float64)
    truth = grid.targets(rows)[:, VITALS.index(vital)].astype(np.float64)
    known = ~np.isnan(_persistence(series, grid.patient, 1, ())[rows])
    rows, truth = rows[known], truth[known]
    generator = np.random.default_rng(seed)
    few = np.sort(generator.choice(rows.size, min(rows.size, _TUNING_ROWS), replace=False))
    best: list[tuple[float, tuple[float, ...]]] = [(np.inf, ())] * len(HORIZONS_H)
    for setting in _choices(name, float(np.nanmean(series[rows]))):
        for k, ahead_h in enumerate(HORIZONS_H):
            error = truth[few, k] - BASELINES[name](series, grid.patient, ahead_h, setting)[rows[few]]
            score = half_mean_difference(error[~np.isnan(error)])
            if score < best[k][0]:
                best[k] = (score, setting)
    levels = (np.arange(RESIDUALS) + 0.5) / RESIDUALS
    dress = []
    for k, ahead_h in enumerate(HORIZONS_H):
        error = truth[:, k] - BASELINES[name](series, grid.patient, ahead_h, best[k][1])[rows]
        dress.append(np.quantile(error[~np.isnan(error)], levels))
    return Baseline(name, vital, tuple(setting for _, setting in best), np.stack(dress))
