"""The eICU demo's hourly task tables as a cohort: death told at 24 hours, acute kidney injury and sepsis by the hour.

Pollard et al., Sci Data 2018;5:180178 (the demo: doi 10.13026/4mxk-na84, ODbL 1.0); the tables and labels of van de
Water et al., Yet Another ICU Benchmark, ICLR 2024. Labels are taken as given. Hours do not say when a result was
reported: a value is taken as known at the hour it is charted under.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.assemble import HOURS_MAX, hours_within, per_hour, sorted_samples
from vitruvian.prediction.cohorts.base import ORIGIN_US, UNKNOWN, Cohort, Samples
from vitruvian.records.hourly import EICU_COLUMNS

__all__ = ["NAME", "TASK_FOLDERS", "eicu_folder", "read_eicu"]

NAME: Final = "eICU demo"
TASK_FOLDERS: Final = ("mortality24", "aki", "sepsis")  # folders of the demo that are tasks here
_AT_H: Final = 24  # when mortality24 is told
_ROUNDING: Final = 1e-6  # minutes over 60 may fall short of a whole hour
_PERCENT: Final = frozenset({"fio2"})
_SEX: Final = {"male": 1.0, "female": 0.0}
_TABLES: Final = {
    "dyn": ("stay_id", "time"),
    "sta": ("stay_id", "age", "sex"),
    "outc": ("stay_id", "label"),
}


def eicu_folder(path: Path, task: str) -> Path:
    """The folder that holds a task's tables: `path` itself, its `eicu_demo`, or `TASK/eicu_demo` below it.

    Raises ReadingError where there is none.
    """
    for one in (path, path / "eicu_demo", path / task / "eicu_demo", path / task):
        if all((one / f"{name}.parquet").is_file() for name in _TABLES):
            return one
    raise ReadingError(
        f"found no dyn.parquet, sta.parquet and outc.parquet for {task} in {path}, expected the folder of that task"
        " or the one above it"
    )


def read_eicu(path: Path, task: str) -> Cohort:
    """Read a task's folder (see `eicu_folder`). Labels by the hour where the outcomes have a `time`, else one a stay.

    Raises ReadingError for a missing or odd table, and where the labels are not those of such a task.
    """
    if task not in TASK_FOLDERS:
        raise ReadingError(
            f"found task {task}, expected one that the eICU demo has labels for: {', '.join(TASK_FOLDERS)}"
        )
    folder = eicu_folder(path, task)
    dyn, sta, outc = (_table(folder, name) for name in _TABLES)
    hourly = "time" in outc.columns
    if hourly == (task == "mortality24"):
        kind = "one label an hour" if hourly else "one label a stay"
        raise ReadingError(f"found {kind} in {folder}, which is not how {task} is labelled; give that task's folder")
    if (outc["label"].is_null() | ~outc["label"].is_in([0.0, 1.0])).any():
        raise ReadingError(
            f"found labels other than 0 and 1 in {folder}, expected a yes or no; give that task's folder"
        )
    ids = sta["stay_id"].unique(maintain_order=True).to_list()
    number = {stay: place for place, stay in enumerate(ids)}
    if sta.height != len(ids) or not set(outc["stay_id"]) == set(dyn["stay_id"]) == set(ids):
        raise ReadingError(
            f"found different stays in dyn, sta and outc of {folder}, expected the same ones once; mend it"
        )
    of, at = _numbers(dyn, number), _hours(dyn)
    last = np.zeros(len(ids), np.int64)
    np.maximum.at(last, of, np.minimum(at, _AT_H) if not hourly else at)
    patient, hour = hours_within(np.zeros(len(ids), np.int64), last)
    label, scored = _labels(outc, number, patient, hour, last, hourly=hourly)
    return Cohort(
        data=f"{NAME} ({task})",
        simulated=False,
        ids=tuple(str(stay) for stay in ids),
        patient=patient,
        hour=hour,
        label=label,
        scored=scored,
        age_years=sta["age"].cast(pl.Float64).fill_null(np.nan).to_numpy(),
        male=np.array([_SEX.get(str(one).lower(), np.nan) for one in sta["sex"]]),
        samples=_samples(dyn, of, at),
        admission={f"{name}_{unit}": _size(sta, name) for name, unit in (("height", "cm"), ("weight", "kg"))},
        notes=("no time of a result is given: a value counts from the hour it is charted under",),
    )


def _table(folder: Path, name: str) -> pl.DataFrame:
    file = folder / f"{name}.parquet"
    try:
        table = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadingError(f"{file} cannot be read as Parquet ({type(error).__name__}); copy it again") from error
    lacking = [column for column in _TABLES[name] if column not in table.columns]
    if lacking or not table.height:
        raise ReadingError(
            f"found {file} with {table.height} rows and without {', '.join(lacking) or '(no column missing)'},"
            f" expected {', '.join(_TABLES[name])}"
        )
    return table.with_columns(pl.col("label").cast(pl.Float64)) if name == "outc" else table


def _numbers(table: pl.DataFrame, number: dict[object, int]) -> NDArray[np.int64]:
    return np.array([number[stay] for stay in table["stay_id"]], np.int64)


def _hours(table: pl.DataFrame) -> NDArray[np.int64]:
    """Whole hours since admission, from a duration or a number of hours; none may be negative or absurd."""
    time = table["time"]
    if isinstance(time.dtype, pl.Duration):
        time = time.dt.total_minutes() / 60
    hours = time.cast(pl.Float64).fill_null(np.nan).to_numpy()
    if not ((hours >= 0) & (hours < HOURS_MAX)).all():
        raise ReadingError(f"found times that are not 0 to {HOURS_MAX} hours after admission; mend the table")
    return np.floor(hours + _ROUNDING).astype(np.int64)


def _labels(
    outc: pl.DataFrame,
    number: dict[object, int],
    patient: NDArray[np.int64],
    hour: NDArray[np.int64],
    last: NDArray[np.int64],
    *,
    hourly: bool,
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """Labels of the rows, and which are scored: by the hour as given, else once, at the last row of each stay."""
    given = outc["label"].to_numpy().astype(np.int8)
    of = _numbers(outc, number)
    label = np.full(patient.size, UNKNOWN, np.int8)
    if hourly:
        row = per_hour(patient, hour, of, _hours(outc))
        if (row < 0).any():
            raise ReadingError(f"found {int((row < 0).sum())} labels after the last hour of their stay; mend the table")
        label[row] = given
        return label, label != UNKNOWN
    stay_label = np.empty(last.size, np.int8)
    stay_label[of] = given
    return stay_label[patient], hour == last[patient]


def _samples(dyn: pl.DataFrame, of: NDArray[np.int64], at: NDArray[np.int64]) -> Samples:
    present = [(column, concept) for column, (concept, _) in EICU_COLUMNS.items() if column in dyn.columns]
    values = np.column_stack(
        [
            dyn[column].cast(pl.Float64).fill_null(np.nan).to_numpy() * (0.01 if column in _PERCENT else 1.0)
            for column, _ in present
        ]
    )
    row, column = np.nonzero(~np.isnan(values))
    index = np.array([VOCABULARY[concept].index for _, concept in present], np.int64)
    return sorted_samples(of[row], index[column], ORIGIN_US + at[row] * HOUR_US, values[row, column])


def _size(sta: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """Height or weight (P,), NaN where not stated or outside what the vocabulary holds plausible."""
    if name not in sta.columns:
        return np.full(sta.height, np.nan)
    stated = sta[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    low, high = VOCABULARY[f"body_{name}"].plausible
    return np.where((stated >= low) & (stated <= high), stated, np.nan)
