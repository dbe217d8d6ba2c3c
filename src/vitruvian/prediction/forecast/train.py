"""Fit a forecaster on the training patients of a Challenge. Deterministic but for the last bits of the BLAS in use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import NotFoundError
from vitruvian.prediction.forecast.baselines import half_mean_difference
from vitruvian.prediction.forecast.features import FEATURES, features
from vitruvian.prediction.forecast.grid import CHANNELS, HORIZONS_H, VITALS, Grid, windows
from vitruvian.prediction.forecast.model import Base, Forecaster, Part, bases
from vitruvian.prediction.forecast.network import MEMBERS, Recipe, fit
from vitruvian.prediction.forecast.sources import SETS, read_2012, read_2019, who

__all__ = ["PLANS", "READERS", "table_of", "train"]

Array = NDArray[np.float32]
READERS: Final[dict[str, Callable[[Path], Grid]]] = {"2012a": read_2012, "2019A": read_2019}

# What a monitor shows, and the patient.
_BEDSIDE: Final = tuple(name for name in FEATURES if name.partition(".")[0] not in CHANNELS[7:])
# Blood gases are few (about ten thousand pairs): small networks from a few features, both chosen by five-fold
# cross-validation within the training and calibrating patients.
_SELDOM: Final = (
    "oxygen_saturation.last", "oxygen_saturation.age", "oxygen_saturation.share", "oxygen_saturation.mean_24h",
    "oxygen_saturation.spread_24h", "oxygen_saturation.lowest", "heart_rate.last", "mean_pressure.last",
    "respiratory_rate.last", "respiratory_rate.share", "body_temperature.last", "age_years", "arterial_oxygen.last",
    "arterial_oxygen.age", "arterial_oxygen.mean_24h", "arterial_oxygen.share", "arterial_oxygen.lowest",
)  # fmt: skip

# What is fitted for each set: vital signs, features, base, pull in hours, recipe.
PLANS: Final[dict[str, tuple[tuple[tuple[str, ...], tuple[str, ...], Base, float, Recipe], ...]]] = {
    "2012a": (
        (VITALS[:3], _BEDSIDE, "last", 0.0, Recipe(passes=12, batch=1024)),
        (VITALS[3:], _SELDOM, "mean", 16.0, Recipe(hidden=(24, 16), decay=0.1, passes=40, batch=128, networks=6)),
    ),
    "2019A": ((VITALS, _BEDSIDE, "last", 0.0, Recipe(passes=10, batch=2048)),),
}


def table_of(grid: Grid, rows: NDArray[np.int64]) -> Array:
    """Features (N, F) of rows of a grid."""
    patient = grid.patient[rows]
    return features(windows(grid, rows), grid.age_years[patient], grid.male[patient], grid.line[rows])


def fit_part(
    plan: tuple[tuple[str, ...], tuple[str, ...], Base, float, Recipe],
    table: Array,
    truth: Array,
    say: Callable[[str], None],
) -> Part:
    """Fit a part's networks to features (N, F) and to what came (N, 4, 3)."""
    names, inputs, base, pull, recipe = plan
    wanted = truth[:, [VITALS.index(name) for name in names]]
    population = tuple(float(np.nanmean(wanted[:, k])) for k in range(len(names)))
    part = Part(names, inputs, base, pull, population, np.ones((len(names), len(HORIZONS_H)), np.float32), ())
    start = bases(table, part)
    steps = wanted - start[:, :, None]
    usual = np.array(
        [[half_mean_difference(error[~np.isnan(error)].astype(np.float64)) for error in each.T]
         for each in np.moveaxis(steps, 1, 0)],
        np.float32,
    )  # fmt: skip
    steps = (steps / usual).reshape(len(steps), -1)
    use = ~np.isnan(steps).all(axis=1)
    seen = np.concatenate([table[:, part.columns()], start], axis=1)
    weight = np.ones(steps.shape[1], np.float32)
    networks = [
        fit(seen[use], steps[use], weight, replace(recipe, seed=recipe.seed + j), say) for j in range(recipe.networks)
    ]
    return Part(names, inputs, base, pull, population, usual, tuple(networks))


def train(data: Path, name: str, say: Callable[[str], None] = lambda line: None) -> Forecaster:
    """Fit the forecaster of a set, "2012a" or "2019A", on its training patients (70 % by a hash of their names).

    `data` is the folder that holds the Challenges. Raises NotFoundError for another set, ReadingError for its table.
    """
    if name not in PLANS:
        raise NotFoundError(f"found no set {name!r}, expected one of {', '.join(PLANS)}; name one of these")
    grid = READERS[name](data / SETS[name])
    rows = grid.rows_of(who(grid, name, "train"))
    table, truth = table_of(grid, rows), grid.targets(rows)
    parts = tuple(fit_part(plan, table, truth, say) for plan in PLANS[name])
    share = np.zeros((len(VITALS), len(HORIZONS_H)), np.float32)
    return Forecaster(parts, share, card(name, grid, rows))


def card(name: str, grid: Grid, rows: NDArray[np.int64]) -> dict[str, Any]:
    """What a forecaster was made of."""
    sources = {
        "2012a": "PhysioNet/CinC Challenge 2012 set a, ODC-By 1.0, Silva et al., Comput Cardiol 2012;39:245-248",
        "2019A": "PhysioNet/CinC Challenge 2019 set A, CC BY 4.0, Reyna et al., Crit Care Med 2020;48:210-217",
    }
    return {
        "name": name,
        "data": sources[name],
        "made_at": datetime.now(UTC).date().isoformat(),
        "training_patients": int(np.unique(grid.patient[rows]).size),
        "training_hours": int(rows.size),
        "vitals": VITALS,
        "horizons_h": HORIZONS_H,
        "members": MEMBERS,
    }
