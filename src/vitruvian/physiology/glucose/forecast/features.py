"""What the learned residual sees at each moment: the body's state, recent changes, and the person's own past.

Every column at time t comes from readings up to t: changing a later one changes nothing (a test holds it to that).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.physiology.glucose.forecast.body import HORIZONS_MIN, STATES, Body, follow
from vitruvian.physiology.glucose.forecast.series import Series

__all__ = ["NAMES", "WARM_UP_MIN", "features"]

Floats = NDArray[np.float64]

WARM_UP_MIN: Final = 120.0  # no forecast before this much of a course has been seen
LAGS_MIN: Final = (5, 10, 15, 20, 25, 30, 40, 45, 50, 60, 75, 90, 105, 120, 150, 180)
DAY_MIN: Final = 1440.0
DAYS_BACK: Final = 14
# Assumptions, forgotten as the person's own readings come in: a person of whom nothing is known, worth six hours.
PRIOR_MEAN_MG_DL: Final = 130.0
PRIOR_SD_MG_DL: Final = 40.0
PRIOR_CHANGE_MG_DL: Final = 15.0
PRIOR_MIN: Final = 360.0
BOUND_MG_DL: Final = 60.0
BOUND_SD: Final = 3.0

NAMES: Final = (
    "glucose", "body_30", "body_60", *STATES, *(f"change_{lag}" for lag in LAGS_MIN),
    "mean", "sd", "change_sd", "change_sd_3h", "change_sd_12h", "sin", "cos", "sin_2", "cos_2",
    "usual_30", "usual_60", "missing",
    "body*height", "change*height", "body_up", "high", "very_high", "low", "body*|body|", "body_up*height",
    "body_60*height", "body*sin", "body*cos", "height*sin", "height*cos", "change_sd_3h*height",
    "body*change_sd_3h", "body*change_sd", "|body|", "below_80", "above_180", "above_250", "falling_below_100",
    "body_bounded", "change_bounded", "height^2",
)  # fmt: skip


def features(series: Series, body: Body) -> tuple[Floats, Floats, Floats]:
    """Columns (T, F) as `NAMES` lists them, the body's own forecast (T, 2) in mg/dL, and how restless the last three
    hours were (T,), the size of changes over 30 min, mg/dL.
    """
    glucose = series.glucose
    ahead, states = follow(glucose, series.step_min, body)
    columns: dict[str, Floats] = {"glucose": glucose}
    columns |= {f"body_{minutes:g}": ahead[:, i] - glucose for i, minutes in enumerate(HORIZONS_MIN)}
    columns |= {name: states[:, i] for i, name in enumerate(STATES)}
    columns |= _changes(series)
    columns |= _person(series)
    columns |= _clock(series)
    columns |= {f"usual_{minutes:g}": _usual(series, minutes) for minutes in HORIZONS_MIN}
    columns["missing"] = _recent(~np.isfinite(glucose), series.steps(60))
    columns |= _products(columns)
    table = np.column_stack([columns[name] for name in NAMES])
    return table, ahead, columns["change_sd_3h"]


def _changes(series: Series) -> dict[str, Floats]:
    """Past less present at each lag; gaps and times between grid points are bridged by what lies on both sides."""
    known = np.isfinite(series.glucose)
    at = np.arange(len(known))
    bridged = np.interp(at, at[known], series.glucose[known]) if known.any() else np.zeros(len(known))
    found = {}
    for lag in LAGS_MIN:
        past = np.interp(at - lag / series.step_min, at, bridged)
        found[f"change_{lag}"] = np.nan_to_num(np.where(at * series.step_min >= lag, past - series.glucose, 0.0))
    return found


def _person(series: Series) -> dict[str, Floats]:
    """Mean and spread of all readings so far, and the size of changes over 30 min: of all so far, of 3 h, of 12 h."""
    glucose = series.glucose
    known, value = np.isfinite(glucose), np.nan_to_num(glucose)
    prior = series.steps(PRIOR_MIN)
    weight = np.cumsum(known) + prior
    mean = (np.cumsum(value) + prior * PRIOR_MEAN_MG_DL) / weight
    square = (np.cumsum(value**2) + prior * (PRIOR_MEAN_MG_DL**2 + PRIOR_SD_MG_DL**2)) / weight
    back = series.steps(30)
    change = np.zeros(len(glucose))
    change[back:] = np.nan_to_num(glucose[back:] - glucose[:-back])
    seen = np.zeros(len(glucose), bool)
    seen[back:] = known[back:] & known[:-back]
    size = change**2 * seen
    return {
        "mean": mean,
        "sd": np.sqrt(np.maximum(square - mean**2, 1.0)),
        "change_sd": np.sqrt((np.cumsum(size) + prior * PRIOR_CHANGE_MG_DL**2) / (np.cumsum(seen) + prior)),
        "change_sd_3h": np.sqrt(_recent(size, series.steps(180))),
        "change_sd_12h": np.sqrt(_recent(size, series.steps(720))),
    }


def _recent(values: Floats | NDArray[np.bool_], window: int) -> Floats:
    """The mean of the last `window` values (T,), as if 0 before the start."""
    total = np.concatenate(([0.0], np.cumsum(np.asarray(values, np.float64))))
    at = np.arange(1, len(total))
    return np.asarray(np.maximum(total[at] - total[np.maximum(at - window, 0)], 0.0) / window)


def _clock(series: Series) -> dict[str, Floats]:
    """Time of day, as two harmonics."""
    angle = 2 * np.pi / DAY_MIN * (series.start_min + series.step_min * np.arange(len(series.glucose)))
    return {"sin": np.sin(angle), "cos": np.cos(angle), "sin_2": np.sin(2 * angle), "cos_2": np.cos(2 * angle)}


def _usual(series: Series, minutes: float) -> Floats:
    """What this person's glucose did over the next `minutes` at this time of earlier days, within half an hour of it,
    as far as that is known by now; drawn towards 0 while few days are known.
    """
    ahead = series.ahead(minutes) - series.glucose
    size = len(ahead)
    total = np.concatenate(([0.0], np.cumsum(np.nan_to_num(ahead))))
    count = np.concatenate(([0.0], np.cumsum(np.isfinite(ahead))))
    at, reach, day, k = np.arange(size), series.steps(30), series.steps(DAY_MIN), series.steps(minutes)
    change, seen = np.zeros(size), np.zeros(size)
    for back in range(1, DAYS_BACK + 1):
        begin = at - back * day - reach
        end = np.clip(np.minimum(at - back * day + reach + 1, at - k + 1), 0, size)
        inside, begin = begin >= 0, np.clip(begin, 0, size)
        change += inside * (total[end] - total[begin])
        seen += inside * (count[end] - count[begin])
    return change / (seen + 4 * reach)


def _products(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    """Where the world bends: `height` is glucose against the person's own mean and spread. Factors are bounded, so that
    no product runs away in a person unlike those it was fitted to.
    """
    glucose, sd = columns["glucose"], columns["sd"]
    body, body_60 = (np.clip(columns[name], -BOUND_MG_DL, BOUND_MG_DL) for name in ("body_30", "body_60"))
    change = np.clip(columns["change_15"], -BOUND_MG_DL, BOUND_MG_DL)
    restless = np.minimum(columns["change_sd_3h"], BOUND_MG_DL)
    height = np.clip((glucose - columns["mean"]) / sd, -BOUND_SD, BOUND_SD)
    up = np.maximum(body, 0.0)
    return {
        "body*height": body * height,
        "change*height": change * height,
        "body_up": up,
        "high": np.maximum(height, 0.0) * sd,
        "very_high": np.maximum(height - 1.0, 0.0) * sd,
        "low": np.minimum(height + 1.0, 0.0) * sd,
        "body*|body|": body * np.abs(body) / 20.0,
        "body_up*height": up * height,
        "body_60*height": body_60 * height,
        "body*sin": body * columns["sin"],
        "body*cos": body * columns["cos"],
        "height*sin": height * sd * columns["sin"],
        "height*cos": height * sd * columns["cos"],
        "change_sd_3h*height": restless * height,
        "body*change_sd_3h": body * restless / 20.0,
        "body*change_sd": body * columns["change_sd"] / 20.0,
        "|body|": np.abs(body),
        "below_80": np.minimum(glucose - 80.0, 0.0),
        "above_180": np.maximum(glucose - 180.0, 0.0),
        "above_250": np.maximum(glucose - 250.0, 0.0),
        "falling_below_100": np.maximum(-body, 0.0) * (glucose < 100.0),
        "body_bounded": 20.0 * np.tanh(body / 20.0),
        "change_bounded": 10.0 * np.tanh(change / 10.0),
        "height^2": height * height * sd,
    }
