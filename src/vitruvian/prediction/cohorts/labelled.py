"""A labelled table that a user brings: one row an hour, for any task. See docs/data_forms.md.

patient    text or number; rows of one patient need not stand together
hour       whole hours since admission, 0 or more; an hour that is left out becomes an empty one
label      1, 0 or empty (not known); for a task told once a stay the same on every row. It may be left out for
           tasks that can be made from the measurements (`derived.DERIVED`)
age, sex   optional; years, and male or female (M, F, 1, 0 are understood)
unit       optional; a name, for fairness and shifts
medical_unit, surgical_unit, hospital_before_icu_h, height_cm, weight_kg: optional facts of admission
every other column is a concept of the vocabulary in its unit, or `concept [unit]` in another that converts
"""

from __future__ import annotations

import difflib
import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError, UnitError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.assemble import HOURS_MAX, Ints, hours_within, per_hour, sorted_samples
from vitruvian.prediction.cohorts.base import ORIGIN_US, UNKNOWN, Cohort
from vitruvian.prediction.cohorts.derived import relabelled, stay_rows
from vitruvian.prediction.tasks import Task

__all__ = ["FACTS", "is_labelled", "read_labelled", "write_labelled"]

FACTS: Final = ("medical_unit", "surgical_unit", "hospital_before_icu_h", "height_cm", "weight_kg")
_OWN: Final = ("patient", "hour", "label", "age", "sex", "unit", *FACTS)
_MALE: Final = {"male": 1.0, "m": 1.0, "1": 1.0, "1.0": 1.0, "female": 0.0, "f": 0.0, "0": 0.0, "0.0": 0.0}
_HEADER: Final = re.compile(r"^\s*(.+?)\s*\[(.*)\]\s*$")


def is_labelled(path: Path) -> bool:
    """Whether a file is such a table, by its columns `patient` and `hour`."""
    if not path.is_file() or path.suffix not in (".csv", ".parquet"):
        return False
    try:
        names = pl.read_parquet_schema(path) if path.suffix == ".parquet" else pl.read_csv(path, n_rows=0).columns
    except (OSError, pl.exceptions.PolarsError):
        return False
    return {"patient", "hour"} <= set(names)


def read_labelled(path: Path, task: Task, *, simulated: bool = False) -> Cohort:
    """Read such a table. Raises ReadingError where a column, a label, an hour or a unit cannot be taken."""
    table = _table(path)
    measures = _measures([name for name in table.columns if name not in _OWN], path)
    names = table["patient"].cast(pl.String)
    if names.null_count() or not table.height:
        raise ReadingError(f"found {path} with rows of nobody or no rows, expected a patient in each")
    ids = tuple(names.unique(maintain_order=True).to_list())
    number = {name: place for place, name in enumerate(ids)}
    source = np.array([number[name] for name in names], np.int64)
    charted = _hours(table, path)
    order = np.lexsort((charted, source))
    source, charted, table = source[order], charted[order], table[order]
    if ((np.diff(source) == 0) & (np.diff(charted) == 0)).any():
        raise ReadingError(f"found {path} with an hour twice for one patient, expected each once; remove one")
    starts = np.searchsorted(source, np.arange(len(ids)))
    ends = np.append(starts[1:], source.size) - 1
    patient, hour = hours_within(charted[starts], charted[ends])
    row = per_hour(patient, hour, source, charted)
    label = np.full(patient.size, UNKNOWN, np.int8)
    if "label" in table.columns:
        label[row] = _labels(table, path)
    values = np.column_stack([_numbers(table, column) * factor + offset for column, _, factor, offset in measures])
    place, column = np.nonzero(np.isfinite(values))
    concept = np.array([index for _, index, _, _ in measures], np.int64)[column]
    at_us = ORIGIN_US + charted[place] * HOUR_US
    cohort = Cohort(
        data=f"{'simulated patients' if simulated else 'labelled table'} ({path.name})",
        simulated=simulated,
        ids=ids,
        patient=patient,
        hour=hour,
        label=label,
        scored=label != UNKNOWN,
        age_years=_first(table, "age", starts),
        male=_sex(table, starts),
        samples=sorted_samples(source[place], concept, at_us, values[place, column]),
        admission={name: _first(table, name, starts) for name in FACTS if name in table.columns},
        groups={"unit": _units(table, starts)},
        notes=("no time of a result is given: a value counts from the hour it is charted under",),
    )
    if "label" not in table.columns:
        return relabelled(cohort, task)
    if not cohort.scored.any():
        raise ReadingError(f"found {path} without a single known label, expected 0 and 1 in the column label")
    return stay_rows(_of_stay(cohort), task) if task.moment == "stay" else cohort


def _of_stay(cohort: Cohort) -> Cohort:
    """The stay's outcome on all its rows: 1 where any row says so."""
    outcome = np.full(cohort.patients, UNKNOWN, np.int8)
    np.maximum.at(outcome, cohort.patient, cohort.label)
    return replace(cohort, label=outcome[cohort.patient])


def write_labelled(cohort: Cohort, path: Path) -> Path:
    """Write a cohort as such a table (.csv or .parquet): in each hour the newest value of each concept up to it."""
    took = cohort.samples
    due = np.maximum(-((ORIGIN_US - took.at_us) // HOUR_US), 0)
    row = per_hour(cohort.patient, cohort.hour, took.patient, due)
    columns: dict[str, object] = {
        "patient": [cohort.ids[place] for place in cohort.patient],
        "hour": cohort.hour,
        "label": [None if one == UNKNOWN else int(one) for one in cohort.label],
        "age": cohort.age_years[cohort.patient],
        "sex": [{1.0: "male", 0.0: "female"}.get(float(one)) for one in cohort.male[cohort.patient]],
    }
    if "unit" in cohort.groups:
        columns["unit"] = [cohort.groups["unit"][place] for place in cohort.patient]
    columns |= {name: fact[cohort.patient] for name, fact in cohort.admission.items() if name in FACTS}
    by_index = {concept.index: concept.name for concept in VOCABULARY}
    for index in np.unique(took.concept):
        mine = np.flatnonzero((took.concept == index) & (row >= 0))
        value = np.full(cohort.patient.size, np.nan)
        value[row[mine]] = took.value[mine]  # samples stand in time's order: the newest of an hour stays
        columns[by_index[int(index)]] = value
    table = pl.DataFrame(columns).fill_nan(None)
    if path.suffix == ".parquet":
        table.write_parquet(path)
    else:
        table.write_csv(path)
    return path


def _table(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadingError(f"found {path}, which is no readable table ({error}); give a .csv or a .parquet") from error


def _measures(columns: list[str], path: Path) -> list[tuple[str, int, float, float]]:
    """Column, concept's index, factor and offset to its unit."""
    found = []
    for column in columns:
        match = _HEADER.match(column)
        name, unit = (match[1], match[2]) if match else (column.strip(), "")
        concept = VOCABULARY.get(name)
        if concept is None:
            near = difflib.get_close_matches(name, [one.name for one in VOCABULARY], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ReadingError(
                f"found column {column!r} in {path}, expected a concept of the vocabulary or one of"
                f" {', '.join(_OWN)}{hint}"
            )
        try:
            factor, offset = concept.conversion(unit) if unit else (1.0, 0.0)
        except UnitError as error:
            raise ReadingError(f"found column {column!r} in {path}: {error}") from error
        found.append((column, concept.index, factor, offset))
    if not found:
        raise ReadingError(f"found {path} without any concept, expected columns such as heart_rate; add them")
    return found


def _hours(table: pl.DataFrame, path: Path) -> Ints:
    hour = _numbers(table, "hour")
    if not np.isfinite(hour).all() or (hour != np.floor(hour)).any() or (hour < 0).any() or (hour >= HOURS_MAX).any():
        raise ReadingError(f"found hours in {path} that are not whole numbers from 0 to {HOURS_MAX - 1}; correct them")
    return hour.astype(np.int64)


def _labels(table: pl.DataFrame, path: Path) -> NDArray[np.int8]:
    label = _numbers(table, "label")
    wrong = np.isfinite(label) & ~np.isin(label, (0.0, 1.0))
    if wrong.any():
        raise ReadingError(f"found label {label[wrong][0]:g} in {path}, expected 0, 1 or empty; correct it")
    return np.where(np.isfinite(label), label, UNKNOWN).astype(np.int8)


def _numbers(table: pl.DataFrame, name: str) -> NDArray[np.float64]:
    try:
        column: NDArray[np.float64] = table[name].cast(pl.Float64).to_numpy()
    except pl.exceptions.PolarsError as error:
        raise ReadingError(f"found text in column {name!r}, expected numbers or nothing ({error})") from error
    return column.astype(np.float64)


def _first(table: pl.DataFrame, name: str, starts: Ints) -> NDArray[np.float64]:
    return _numbers(table, name)[starts] if name in table.columns else np.full(starts.size, np.nan)


def _sex(table: pl.DataFrame, starts: Ints) -> NDArray[np.float64]:
    if "sex" not in table.columns:
        return np.full(starts.size, np.nan)
    said = table["sex"].cast(pl.String).to_list()
    return np.array([_MALE.get(str(said[place]).strip().lower(), np.nan) for place in starts])


def _units(table: pl.DataFrame, starts: Ints) -> tuple[str, ...]:
    if "unit" not in table.columns:
        return ("unknown",) * starts.size
    said = table["unit"].cast(pl.String).to_list()
    return tuple(said[place] or "unknown" for place in starts)
