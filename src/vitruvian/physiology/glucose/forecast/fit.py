"""Fit a forecaster to many people's courses, and to all but one of them at the cost of one.

The residual is ridge regression, which needs each person's sums of products only: leaving a person out is a
subtraction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.physiology.glucose.forecast.body import HORIZONS_MIN, Body, follow
from vitruvian.physiology.glucose.forecast.features import WARM_UP_MIN, features
from vitruvian.physiology.glucose.forecast.model import LEVELS, Forecaster, error_columns
from vitruvian.physiology.glucose.forecast.series import Series

__all__ = ["Rows", "Sums", "fit", "fit_body", "fit_errors", "origins", "rows", "solve"]

Floats = NDArray[np.float64]

RIDGE: Final = 1e-3  # against a correlation matrix; an assumption: a hundredth of it errs by 0.02 mg/dL more or less
# Bounds of the search: clearance, gut, sensor, and the two noises.
LEAST: Final = np.array([1e-3, 3.0, 1.0, 1e-3, 1e-3])
MOST: Final = np.array([0.1, 120.0, 30.0, 20.0, 20.0])
START: Final = Body(0.007, 14.0, 3.0, 0.25, 0.24, 2.7, 130.0)  # where the search begins


@dataclass(frozen=True)
class Rows:
    """One person's moments: columns (N, F), what came less the body's forecast (N, 2), the body's forecast (N, 2), the
    reading of the moment (N,) and how restless it was (N,).
    """

    table: Floats
    left: Floats
    alone: Floats
    glucose: Floats
    restless: Floats


@dataclass(frozen=True)
class Sums:
    """Sums of products of columns with 1 appended (F + 1, F + 1), and with what is to be explained (F + 1, 2)."""

    gram: Floats
    cross: Floats

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.gram + other.gram, self.cross + other.cross)

    def __sub__(self, other: Sums) -> Sums:
        return Sums(self.gram - other.gram, self.cross - other.cross)

    @staticmethod
    def of(table: Floats, left: Floats) -> Sums:
        """Of one person's rows."""
        wide = np.column_stack([table, np.ones(len(table))])
        return Sums(wide.T @ wide, wide.T @ left)


def origins(series: Series) -> NDArray[np.bool_]:
    """The moments (T,) that are forecast from: something is read then and at both horizons, after the warm-up."""
    ready = np.isfinite(series.glucose)
    ready[: series.steps(WARM_UP_MIN)] = False
    for minutes in HORIZONS_MIN:
        ready &= np.isfinite(series.ahead(minutes))
    return ready


def rows(series: Series, body: Body) -> Rows:
    """What a person's course gives to fit to."""
    table, alone, restless = features(series, body)
    ready = origins(series)
    came = np.column_stack([series.ahead(minutes) for minutes in HORIZONS_MIN])
    return Rows(table[ready], (came - alone)[ready], alone[ready], series.glucose[ready], restless[ready])


def solve(sums: Sums, ridge: float = RIDGE) -> tuple[Floats, Floats]:
    """Weights (F, 2) and offset (2,) of the ridge regression on standardised columns."""
    n = sums.gram[-1, -1]
    mean, came = sums.gram[:-1, -1] / n, sums.cross[-1] / n
    spread = sums.gram[:-1, :-1] / n - np.outer(mean, mean)
    sd = np.sqrt(np.maximum(np.diag(spread), 1e-12))
    unit = spread / np.outer(sd, sd)
    explained = (sums.cross[:-1] / n - np.outer(mean, came)) / sd[:, None]
    weights = np.linalg.solve(unit + ridge * np.eye(len(sd)), explained) / sd[:, None]
    return weights, came - mean @ weights


def fit_body(people: Sequence[Series], *, moments_max: int = 20_000, tries: int = 400) -> Body:
    """The body whose own forecasts err least (geometric mean of the people's root mean squared errors at both
    horizons), by Nelder and Mead on the logarithms, each person's course cut to `moments_max` grid points.
    """
    from scipy.optimize import minimize

    cut = [Series(one.start_min, one.step_min, one.glucose[:moments_max]) for one in people]
    level = float(np.mean([np.nanmean(one.glucose) for one in cut]))
    came = [np.column_stack([one.ahead(minutes) for minutes in HORIZONS_MIN]) for one in cut]
    ready = [origins(one) for one in cut]

    def made(point: Floats) -> Body:
        clearance, gut, sensor, entering, basal = np.clip(np.exp(np.clip(point, -20, 20)), LEAST, MOST).tolist()
        # Forecasts depend on the ratio of the noises alone: that of the reading stays.
        return Body(clearance, gut, sensor, entering, basal, START.noise_mg_dl, level)

    def cost(point: Floats) -> float:
        body = made(point)
        error = [
            np.sqrt(np.mean((follow(one.glucose, one.step_min, body)[0] - later)[at] ** 2, axis=0))
            for one, later, at in zip(cut, came, ready, strict=True)
            if at.sum() >= 20
        ]
        return float(np.mean(np.log(error)))

    begin = np.log(
        [START.clearance_per_min, START.t_gut_min, START.t_sensor_min, START.entering_noise, START.basal_noise]
    )
    simplex = begin + np.vstack([np.zeros(5), 0.5 * np.eye(5)])
    return made(minimize(cost, begin, method="Nelder-Mead", options={"maxfev": tries, "initial_simplex": simplex}).x)


def fit_errors(people: Sequence[Rows], means: Sequence[Floats]) -> tuple[Floats, Floats]:
    """From forecasts of people that were not fitted to: the scale (4, 2) and the quantiles (2, 5) of `Forecaster`."""
    columns = np.concatenate([error_columns(r.table, m, r.restless) for r, m in zip(people, means, strict=True)])
    error = np.concatenate([r.left + r.alone - m for r, m in zip(people, means, strict=True)])
    scale = np.column_stack(
        [np.linalg.lstsq(columns[:, :, h], np.abs(error[:, h]), rcond=None)[0] for h in range(error.shape[1])]
    )
    size = np.maximum((columns * scale).sum(axis=1), 1.0)
    return scale, np.quantile(error / size, LEVELS, axis=0).T


def fit(kind: str, people: Sequence[Series], about: str = "", body: Body | None = None) -> Forecaster:
    """A forecaster of all these people; its errors are those made on each of them when left out."""
    body = body or fit_body(people)
    seen = [rows(one, body) for one in people]
    sums = [Sums.of(one.table, one.left) for one in seen]
    total = sums[0]
    for one in sums[1:]:
        total = total + one
    means = []
    for person, own in zip(seen, sums, strict=True):
        weights, offset = solve(total - own)
        means.append(person.alone + person.table @ weights + offset)
    scale, errors = fit_errors(seen, means)
    return Forecaster(kind, body, *solve(total), scale, errors, about)
