"""Estimates of real patients' bodies by the hourly ensemble filter, kept batch by batch in var/ since they cost time.

`python -m benchmarks._hybrid_filtered [batches]` adds batches until there are so many; `hybrid_features` uses what is
there and says how much. Patients are of the roles calibrate and test of Challenge 2019 set A, in the order of a hash of
their names, one with sepsis for every two without (so no prevalence is to be read off them). Each is followed for a
day: one with sepsis to the end of the record (a few hours past the onset), another to an hour drawn by the same hash.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks._results import REPOSITORY
from tests.support import require_data
from vitruvian.estimation import begin, forecast, key_of, step_many
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.forecast.body import hourly_filter, person_of
from vitruvian.prediction.forecast.grid import CHANNELS, Grid
from vitruvian.prediction.forecast.sources import read_2019
from vitruvian.prediction.measure.split import patients_of

DATA: Final = "physionet2019/training_setA.parquet"
MEMBERS: Final = 8
BATCH: Final = 30  # ten with sepsis, twenty without
FOLLOWED_H: Final = 24
KEPT: Final = REPOSITORY / "var" / "hybrid_features"
OUTPUTS: Final = (
    "cardiac_output", "stroke_volume", "systemic_vascular_resistance", "left_ventricular_elastance", "stressed_volume",
    "filling_pressure_systemic", "baroreflex_activity", "central_venous_pressure", "minute_ventilation",
    "shunt_fraction", "dead_space_fraction", "oxygen_delivery", "oxygen_consumption", "oxygen_saturation_venous",
    "inflammation_level", "tissue_damage",
)  # fmt: skip
NAMES: Final = (*(f"filtered_{name}" for name in OUTPUTS), "filtered_output_spread", "filtered_surprise")


@dataclass(frozen=True, slots=True)
class Followed:
    """`patient` (n,) names, `row` (n,) of the patient's hours (0 = the first), `values` (n, len(NAMES)) f4.

    Means of members after the hour's data, the spread of cardiac output, and the squared innovation an observation:
    how far the hour lay from what was expected.
    """

    patient: NDArray[np.str_]
    row: NDArray[np.int64]
    values: NDArray[np.float32]


def chosen() -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Names of the patients in the order they are followed, and the first row of each one's day."""
    cohort = read_challenge2019(require_data(DATA))
    roles = np.concatenate([patients_of(cohort.ids, role) for role in ("calibrate", "test")])
    hours = np.bincount(cohort.patient)
    septic = np.zeros(cohort.patients, np.bool_)
    septic[cohort.patient[cohort.label == 1]] = True
    fit = roles[hours[roles] >= FOLLOWED_H]
    keys = {int(n): key_of(cohort.ids[n]) for n in fit}
    order = sorted(keys, key=lambda n: keys[n])
    ill, well = ([n for n in order if septic[n] == which] for which in (True, False))
    both = [n for k in range(min(len(ill), len(well) // 2)) for n in (ill[k], *well[2 * k : 2 * k + 2])]
    room = [int(hours[n]) - FOLLOWED_H for n in both]
    begins = [most if septic[n] else keys[n] % (most + 1) for n, most in zip(both, room, strict=True)]
    return tuple(cohort.ids[n] for n in both), np.array(begins, np.int64)


def follow(grid: Grid, names: tuple[str, ...], begins: NDArray[np.int64]) -> Followed:
    """Follow some patients for `FOLLOWED_H` hours each."""
    one = hourly_filter(MEMBERS)
    number = {name: n for n, name in enumerate(grid.ids)}
    patients = np.array([number[name] for name in names], np.int64)
    first = np.array([np.flatnonzero(grid.patient == n)[0] for n in patients], np.int64) + begins
    persons = [person_of(float(grid.age_years[n]), float(grid.male[n])) for n in patients]
    belief = begin(one, [key_of(f"hybrid:{name}") for name in names], persons)
    columns = [CHANNELS.index(each.output) for each in one.observations]
    shown = [one.model.output_index[name] for name in OUTPUTS]
    inputs = np.tile(one.model.rest(), (len(names), 1))
    oxygen = [each.name for each in one.model.inputs].index("inspired_oxygen_fraction")
    made = np.full((FOLLOWED_H, len(names), len(NAMES)), np.nan, np.float32)
    for hour in range(FOLLOWED_H):
        values = grid.values[first + hour].astype(np.float64)
        given = values[:, CHANNELS.index("inspired_oxygen_fraction")]
        inputs[:, oxygen] = np.where(np.isnan(given), inputs[:, oxygen], given)
        belief, report = step_many(one, belief, values[:, columns], inputs)
        now = forecast(one, belief, [0.0], inputs).outputs[:, :, 0][:, :, shown]
        made[hour, :, : len(OUTPUTS)] = np.nanmean(now, axis=1)
        made[hour, :, -2] = np.nanstd(now[:, :, 0], axis=1)
        made[hour, :, -1] = report.nis[:, 0] / np.maximum(report.nis[:, 1], 1)
    rows = (begins[None, :] + np.arange(FOLLOWED_H)[:, None]).ravel()
    return Followed(np.tile(np.array(names), FOLLOWED_H), rows, made.reshape(-1, len(NAMES)))


def kept() -> Followed | None:
    """Everything kept; None where there is nothing."""
    parts = [np.load(path) for path in sorted(KEPT.glob("followed_*.npz"))]
    if not parts:
        return None
    return Followed(*(np.concatenate([part[name] for part in parts]) for name in ("patient", "row", "values")))


def main(batches: int) -> None:
    """Add batches until there are so many."""
    KEPT.mkdir(parents=True, exist_ok=True)
    names, begins = chosen()
    grid = read_2019(require_data(DATA))
    for batch in range(min(batches, len(names) // BATCH)):
        path = KEPT / f"followed_{batch:03d}.npz"
        part = slice(batch * BATCH, (batch + 1) * BATCH)
        if not path.exists():
            made = follow(grid, names[part], begins[part])
            np.savez(path, patient=made.patient, row=made.row, values=made.values)
            sys.stderr.write(f"{path.name}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
