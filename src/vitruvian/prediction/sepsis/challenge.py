"""The Challenge 2019 hours as a cohort, and as features made by the tracker that also serves the live ward.

Data: PhysioNet/Computing in Cardiology Challenge 2019, set A, doi 10.13026/v64v-d857, CC BY 4.0. `SepsisLabel` is taken
as given: 1 from six hours before the onset of sepsis by Sepsis-3, onset before the fourth hour of the stay excluded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.records.hourly import CHALLENGE_COLUMNS
from vitruvian.signals.features import FEATURES, PRACTICE_FEATURES, features, practice_features
from vitruvian.signals.tracker import Tracker

CONCEPTS: Final[dict[str, str]] = {column: concept for column, (concept, _) in CHALLENGE_COLUMNS.items()}
_OTHERS: Final = ("patient", "Age", "Gender", "Unit1", "Unit2", "HospAdmTime", "ICULOS", "SepsisLabel")
# The data states no dates; any whole hour will do, since features know differences only.
ORIGIN_US: Final = 262_968 * HOUR_US  # 2000-01-01T00:00:00Z
ADMISSION_FEATURES: Final = ("medical_unit", "surgical_unit", "hospital_before_icu_h")


@dataclass(frozen=True, slots=True)
class Cohort:
    """Hours of patients, (N,) each, one patient after another and hours in order.

    `patient` is a dense number by first appearance and `ids` the names; `hour` counts from ICU admission (ICULOS);
    `values` (N, 34) are in the vocabulary's units, in the order of `CONCEPTS`, NaN where not measured; `admission`
    (N, 3) is `ADMISSION_FEATURES`.
    """

    ids: tuple[str, ...]
    patient: NDArray[np.int64]
    hour: NDArray[np.int64]
    label: NDArray[np.int8]
    age_years: NDArray[np.float64]
    male: NDArray[np.float64]
    values: NDArray[np.float64]
    admission: NDArray[np.float32]

    def of(self, patients: NDArray[np.int64]) -> Cohort:
        """The cohort of some patients, renumbered in their order here."""
        keep = np.isin(self.patient, patients)
        kept, dense = np.unique(self.patient[keep], return_inverse=True)
        return Cohort(
            tuple(self.ids[number] for number in kept),
            dense.astype(np.int64),
            self.hour[keep],
            self.label[keep],
            self.age_years[keep],
            self.male[keep],
            self.values[keep],
            self.admission[keep],
        )


def read_cohort(path: Path) -> Cohort:
    """Read the hours from a Parquet or CSV table of the official columns, or a folder of `.psv` files, one a patient.

    Raises ReadingError where the table is not of that form.
    """
    table = _table(path)
    missing = [name for name in (*CONCEPTS, *_OTHERS) if name not in table.columns]
    if missing or not table.height:
        raise ReadingError(
            f"found {path} with {table.height} rows and without columns {', '.join(missing) or '(none missing)'},"
            " expected the Challenge 2019 columns; give a .parquet, a .csv with `patient`, or a folder of .psv files"
        )
    names = table["patient"].cast(pl.String)
    ids = tuple(names.unique(maintain_order=True).to_list())
    numbers = {name: number for number, name in enumerate(ids)}
    patient = np.array([numbers[name] for name in names], np.int64)
    hour = _floats(table, "ICULOS").astype(np.int64)
    order = np.lexsort((hour, patient))
    admission = np.column_stack([_floats(table, "Unit1"), _floats(table, "Unit2"), -_floats(table, "HospAdmTime")])
    return Cohort(
        ids,
        patient[order],
        hour[order],
        _floats(table, "SepsisLabel").astype(np.int8)[order],
        _floats(table, "Age")[order],
        _floats(table, "Gender")[order],
        np.column_stack([_floats(table, name) for name in CONCEPTS])[order],
        admission.astype(np.float32)[order],
    )


def _table(path: Path) -> pl.DataFrame:
    if path.is_dir():
        files = sorted(path.glob("*.psv"))
        if not files:
            raise ReadingError(f"found no .psv file in {path}, expected one a patient; give the folder that holds them")
        frames = [
            pl.read_csv(file, separator="|", infer_schema_length=None)
            .cast(pl.Float64)
            .with_columns(pl.lit(file.stem).alias("patient"))
            for file in files
        ]
        return pl.concat(frames)
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadingError(
            f"found {path}, which is no readable table ({error}); give the Challenge 2019 hours"
        ) from error


def _floats(table: pl.DataFrame, name: str) -> NDArray[np.float64]:
    column: NDArray[np.float64] = table[name].cast(pl.Float64).to_numpy()
    return column


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """`values` (N, F) f4 by `names`, one row an hour of the cohort; `rejected` samples were implausible."""

    names: tuple[str, ...]
    values: NDArray[np.float32]
    samples: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the stay just pushed: the cohort's `rows` and their patients, who are rows of the tracker."""

    tracker: Tracker
    rows: NDArray[np.int64]
    patient: NDArray[np.int64]
    now_us: int
    samples: int


def replay(cohort: Cohort) -> Iterator[Hour]:
    """Push the cohort through a tracker hour by hour, as a stream; features asked for at a step see nothing later."""
    tracker = Tracker(len(cohort.ids))
    concepts = np.array([VOCABULARY[name].index for name in CONCEPTS.values()], np.int64)
    order = np.argsort(cohort.hour, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(cohort.hour[order])) + 1):
        now_us = ORIGIN_US + int(cohort.hour[rows[0]]) * HOUR_US
        place, column = np.nonzero(~np.isnan(cohort.values[rows]))
        patient = cohort.patient[rows]
        at_us = np.full(place.size, now_us, np.int64)
        tracker.update(patient[place], concepts[column], at_us, cohort.values[rows[place], column])
        yield Hour(tracker, rows, patient, now_us, place.size)


def feature_table(cohort: Cohort, *, practice: bool = False) -> FeatureTable:
    """Features of every hour, in the cohort's order.

    With `practice`, how the patient is cared for joins: `PRACTICE_FEATURES` and `ADMISSION_FEATURES`.
    """
    names = (*FEATURES, *PRACTICE_FEATURES, *ADMISSION_FEATURES) if practice else FEATURES
    out = np.empty((cohort.patient.size, len(names)), np.float32)
    samples = rejected = 0
    for hour in replay(cohort):
        samples, rejected = samples + hour.samples, int(hour.tracker.rejected.sum())
        age, male = cohort.age_years[hour.rows], cohort.male[hour.rows]
        made = [features(hour.tracker, hour.patient, hour.now_us, age_years=age, male=male)]
        if practice:
            made += [practice_features(hour.tracker, hour.patient, hour.now_us), cohort.admission[hour.rows]]
        out[hour.rows] = np.concatenate(made, axis=1)
    return FeatureTable(names, out, samples, rejected)
