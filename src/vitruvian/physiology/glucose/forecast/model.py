"""The forecaster: a body, a linear residual on top of it, and how far both are usually off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.physiology.glucose.forecast.body import HORIZONS_MIN, Body
from vitruvian.physiology.glucose.forecast.features import NAMES, WARM_UP_MIN, features
from vitruvian.physiology.glucose.forecast.series import PLAUSIBLE_MG_DL, Series, regular

__all__ = ["KINDS", "LEVELS", "Forecast", "Forecaster", "load"]

Floats = NDArray[np.float64]

LEVELS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
# What the shipped forecasters were fitted to, by sensor and by whether the people have type 1 diabetes.
KINDS: Final = ("type1_dexcom", "type1_libre", "other_dexcom", "other_ipro")


@dataclass(frozen=True)
class Forecast:
    """What a sensor will show. `at_s` is the last reading's moment; horizons (2,) in minutes from it, `mean` (2,) and
    `quantiles` (2, 5) at `LEVELS`, mg/dL. `body_alone` (2,) is what the body says without the learned residual.
    """

    at_s: float
    horizons_min: tuple[float, ...]
    mean: Floats
    quantiles: Floats
    body_alone: Floats


@dataclass(frozen=True)
class Forecaster:
    """`weights` (F, 2) and `offset` (2,) give what is added to the body's forecast; `scale` (4, 2) the size of the
    error from 1, the last three hours' changes, all changes so far, and the forecast change; `errors` (2, 5) quantiles
    of the error over that size.
    """

    kind: str
    body: Body
    weights: Floats
    offset: Floats
    scale: Floats
    errors: Floats
    about: str = ""

    def run(self, series: Series) -> tuple[Floats, Floats, Floats]:
        """Mean (T, 2), quantiles (T, 2, 5) and the body's own forecast (T, 2) at each grid point of a course, mg/dL;
        NaN where nothing was read or the course is younger than `WARM_UP_MIN`.
        """
        table, alone, restless = features(series, self.body)
        low, high = PLAUSIBLE_MG_DL
        mean = np.clip(alone + table @ self.weights + self.offset, low, high)
        size = error_size(self.scale, table, mean, restless)
        spread = np.clip(mean[:, :, None] + size[:, :, None] * self.errors, low, high)
        unready = ~np.isfinite(series.glucose)
        unready[: series.steps(WARM_UP_MIN)] = True
        for one in (mean, spread, alone):
            one[unready] = np.nan
        return mean, spread, alone

    def forecast(self, times_s: Floats, glucose_mg_dl: Floats) -> Forecast:
        """From the last of these readings on; times are seconds of local time, of which 0 is a midnight.

        Raises ModelError where fewer than two hours were seen, or the last moment's readings cannot be used.
        """
        series = regular(times_s, glucose_mg_dl)
        mean, spread, alone = self.run(series)
        if not np.isfinite(mean[-1]).all():
            raise ModelError(
                f"found {(len(mean) - 1) * series.step_min:g} min of readings, the last of them "
                f"{series.glucose[-1]:g} mg/dL, expected {WARM_UP_MIN:g} min or more with a usable last reading"
            )
        at_s = 60.0 * (series.start_min + series.step_min * (len(mean) - 1))
        return Forecast(at_s, HORIZONS_MIN, mean[-1], spread[-1], alone[-1])

    def to_json(self) -> dict[str, Any]:
        """As plain values, with the weights by name."""
        return {
            "kind": self.kind,
            "about": self.about,
            "body": asdict(self.body),
            "weights": {name: row.tolist() for name, row in zip(NAMES, self.weights, strict=True)},
            "offset": self.offset.tolist(),
            "scale": self.scale.tolist(),
            "errors": self.errors.tolist(),
        }

    @staticmethod
    def from_json(found: Mapping[str, Any]) -> Forecaster:
        """Back from `to_json`. Raises ModelError where the columns are not this version's."""
        if set(found["weights"]) != set(NAMES):
            odd = ", ".join(sorted(set(found["weights"]) ^ set(NAMES)))
            raise ModelError(f"found weights that differ in {odd}, expected those of this version; fit it again")
        return Forecaster(
            found["kind"], Body(**found["body"]), np.array([found["weights"][name] for name in NAMES]),
            np.array(found["offset"]), np.array(found["scale"]), np.array(found["errors"]), found["about"],
        )  # fmt: skip


def error_columns(table: Floats, mean: Floats, restless: Floats) -> Floats:
    """What the size of the error is linear in: (T, 4, 2)."""
    ones = np.ones_like(mean)
    usual = table[:, NAMES.index("change_sd")][:, None] * ones
    moved = np.abs(mean - table[:, NAMES.index("glucose")][:, None])
    return np.stack([ones, restless[:, None] * ones, usual, moved], axis=1)


def error_size(scale: Floats, table: Floats, mean: Floats, restless: Floats) -> Floats:
    """The size of the error (T, 2), at least 1 mg/dL."""
    return np.asarray(np.maximum((error_columns(table, mean, restless) * scale).sum(axis=1), 1.0))


@lru_cache(maxsize=1)
def _shipped() -> dict[str, Forecaster]:
    text = (files(__package__) / "models.json").read_text("utf-8")
    return {one["kind"]: Forecaster.from_json(one) for one in json.loads(text)}


def load(kind: str) -> Forecaster:
    """A shipped forecaster, one of `KINDS`. Raises ModelError."""
    if kind not in KINDS:
        raise ModelError(f"found kind {kind!r}, expected one of {', '.join(KINDS)}")
    return _shipped()[kind]
