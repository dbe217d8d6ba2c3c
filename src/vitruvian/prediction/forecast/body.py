"""What a patient's mechanistic body foresees, for patients of an hourly grid: the ensemble filter, an hour a tick.

The body sees heart rate, pressures, respiration, saturation and arterial oxygen as the hour has them, breathes the
oxygen that was last charted, and knows the age and sex of the patient. It is told of no other treatment, since the
grids hold none: ventilators, fluids and drugs act on the real patient only, and what they do ends up in parameters and
discrepancies.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.estimation import Filter, begin, forecast, key_of, step_many
from vitruvian.physiology.person import Person
from vitruvian.prediction.forecast.grid import CHANNELS, HORIZONS_H, VITALS, Grid
from vitruvian.twin.acute import acute_filter

__all__ = ["Foreseen", "complete", "foresee", "hourly_filter"]

_HOUR_S: Final = 3_600.0
_OXYGEN: Final = "inspired_oxygen_fraction"
_ADULT_YEARS: Final = 18.0
_TYPICAL: Final = {"male": (176.0, 82.0), "female": (162.0, 70.0)}  # cm, kg where not stated (assumption: US adults)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The body's forecasts: `rows` (K,) of the grid that they were made at, `members` (K, 4, 3, M), without the error
    of measurement, `noise` (4,) its standard deviation.
    """

    rows: NDArray[np.int64]
    members: NDArray[np.float32]
    noise: NDArray[np.float32]


def hourly_filter(members: int) -> Filter:
    """The filter of the live bodies, its errors and its wanderings as they are, on a tick of an hour."""
    live = acute_filter(members)
    seen = tuple(one for one in live.observations if one.output in CHANNELS)
    return Filter(replace(live.model, grid_s=_HOUR_S), seen, live.settings)


def person_of(age_years: float, male: float) -> Person:
    """The person as far as a grid knows them; sixty years, a man, where it does not."""
    height_cm, weight_kg = _TYPICAL["female" if male == 0 else "male"]
    age = age_years if np.isfinite(age_years) else 60.0
    return Person(min(max(age, _ADULT_YEARS), 100.0), "female" if male == 0 else "male", height_cm, weight_kg)


def foresee(one: Filter, grid: Grid, patients: NDArray[np.int64], after_h: Sequence[int], name: str = "") -> Foreseen:
    """Follow patients from the first hour of their stay, and forecast after each of the hours `after_h` (rising).

    `name` keys the noise. Every stay must have `max(after_h)` hours. Deterministic.
    """
    first = np.array([np.flatnonzero(grid.patient == patient)[0] for patient in patients], np.int64)
    persons = [person_of(float(grid.age_years[n]), float(grid.male[n])) for n in patients]
    belief = begin(one, [key_of(f"{name}:{grid.ids[n]}") for n in patients], persons)
    columns = [CHANNELS.index(each.output) for each in one.observations]
    wanted = [one.model.output_index[vital] for vital in VITALS]
    made, rows = [], []
    inputs = np.tile(one.model.rest(), (len(patients), 1))
    oxygen = [each.name for each in one.model.inputs].index(_OXYGEN)
    for hour in range(max(after_h)):
        values = grid.values[first + hour].astype(np.float64)
        given = values[:, CHANNELS.index(_OXYGEN)]
        inputs[:, oxygen] = np.where(np.isnan(given), inputs[:, oxygen], given)
        belief, _ = step_many(one, belief, values[:, columns], inputs)
        if hour + 1 in after_h:
            ahead = forecast(one, belief, [_HOUR_S * h for h in HORIZONS_H], inputs)
            made.append(np.moveaxis(ahead.outputs[:, :, :, wanted], (1, 2, 3), (3, 2, 1)).astype(np.float32))
            rows.append(first + hour)
    noise = {each.output: each.sd for each in one.observations}
    return Foreseen(
        np.concatenate(rows), complete(np.concatenate(made)), np.array([noise[v] for v in VITALS], np.float32)
    )


def complete(members: NDArray[np.float32]) -> NDArray[np.float32]:
    """Members (K, 4, 3, M) with those whose integration failed at the median of the others; NaN where all failed."""
    failed = ~np.isfinite(members)
    if not failed.any():
        return members
    kept = np.where(failed, np.nan, members)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing left of a patient: said by NaN
        middle = np.nanmedian(kept, axis=-1, keepdims=True)
    return np.where(failed, middle, members).astype(np.float32)
