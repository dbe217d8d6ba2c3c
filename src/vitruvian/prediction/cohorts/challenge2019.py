"""The PhysioNet/Computing in Cardiology Challenge 2019 hours as a cohort.

Reyna et al., Crit Care Med 2020;48:210-217; doi 10.13026/v64v-d857, CC BY 4.0. `SepsisLabel` is taken as given: 1 from
six hours before the onset of sepsis by Sepsis-3, onset before the fourth hour of the stay excluded. The hours do not
say when a result was reported: a laboratory value is taken as known in the hour it is charted under.
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
from vitruvian.prediction.cohorts.assemble import HOURS_MAX
from vitruvian.prediction.cohorts.base import ORIGIN_US, UNKNOWN, Cohort, Samples
from vitruvian.records.hourly import CHALLENGE_COLUMNS

__all__ = ["NAME", "is_challenge2019", "read_challenge2019"]

NAME: Final = "PhysioNet/CinC Challenge 2019"
CONCEPTS: Final[dict[str, str]] = {column: concept for column, (concept, _) in CHALLENGE_COLUMNS.items()}
_OTHERS: Final = ("patient", "Age", "Gender", "Unit1", "Unit2", "HospAdmTime", "ICULOS", "SepsisLabel")
_NOTE: Final = "no time of a result is given: a laboratory value counts from the hour it is charted under"


def is_challenge2019(path: Path) -> bool:
    """Whether a path looks like these hours: a `.psv` folder, or one table with the official columns."""
    if path.is_dir():
        return next(path.glob("*.psv"), None) is not None
    if path.suffix == ".parquet":
        try:
            return "ICULOS" in pl.read_parquet_schema(path)
        except (OSError, pl.exceptions.PolarsError):
            return False
    if path.suffix == ".csv" and path.is_file():
        with path.open(encoding="utf-8", errors="replace") as file:
            return "ICULOS" in file.readline()
    return False


def read_challenge2019(path: Path) -> Cohort:
    """Read a Parquet or CSV table of the official columns and `patient`, or a folder of `.psv` files, one a patient.

    Hours that a patient's record skips become rows without values, and labels that are absent are not known. Raises
    ReadingError for any other form, and for hours, labels or values that cannot be taken.
    """
    table = _table(path)
    missing = [name for name in (*CONCEPTS, *_OTHERS) if name not in table.columns]
    if missing or not table.height:
        raise ReadingError(
            f"found {path} with {table.height} rows and without columns {', '.join(missing) or '(none missing)'},"
            " expected the Challenge 2019 columns; give a .parquet, a .csv with `patient`, or a folder of .psv files"
        )
    names = table["patient"].cast(pl.String)
    if names.is_null().any():
        raise ReadingError(
            f"found {path} with {names.null_count()} rows without a `patient`, expected one in every row"
        )
    ids = tuple(names.unique(maintain_order=True).to_list())
    numbers = {name: number for number, name in enumerate(ids)}
    patient = np.array([numbers[name] for name in names], np.int64)
    hour, given = _hours(table, path), _labels(table, path)
    order = np.lexsort((hour, patient))
    patient, hour = patient[order], hour[order]
    if ((np.diff(patient) == 0) & (np.diff(hour) == 0)).any():
        raise ReadingError(f"found {path} with an hour twice for one patient, expected each ICULOS once; remove one")
    values = np.column_stack([_floats(table, name) for name in CONCEPTS])[order]
    full_patient, full_hour, places = _filled(patient, hour)
    full_label = np.full(full_patient.size, UNKNOWN, np.int8)
    full_label[places] = given[order]
    scored = full_label != UNKNOWN
    first = np.searchsorted(patient, np.arange(len(ids)))
    unit1, unit2 = (_floats(table, name)[order][first] for name in ("Unit1", "Unit2"))
    units = tuple(
        "medical" if a == 1 else "surgical" if b == 1 else "unknown" for a, b in zip(unit1, unit2, strict=True)
    )
    row, column = np.nonzero(~np.isnan(values))
    index = np.array([VOCABULARY[concept].index for concept in CONCEPTS.values()], np.int64)
    return Cohort(
        data=f"{NAME} ({path.name})",
        simulated=False,
        ids=ids,
        patient=full_patient,
        hour=full_hour,
        label=full_label,
        scored=scored,
        age_years=_floats(table, "Age")[order][first],
        male=_floats(table, "Gender")[order][first],
        samples=Samples(patient[row], index[column], ORIGIN_US + hour[row] * HOUR_US, values[row, column]),
        admission={
            "medical_unit": unit1,
            "surgical_unit": unit2,
            "hospital_before_icu_h": -_floats(table, "HospAdmTime")[order][first],
        },
        groups={"unit": units},
        notes=(_NOTE,),
    )


def _filled(
    patient: NDArray[np.int64], hour: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Patients and hours without gaps, and where the given rows lie among them."""
    starts = np.flatnonzero(np.diff(patient, prepend=-1))
    ends = np.append(starts[1:], patient.size) - 1
    lengths = hour[ends] - hour[starts] + 1
    begin = np.cumsum(lengths) - lengths
    full_patient = np.repeat(np.arange(starts.size), lengths)
    full_hour = np.arange(int(lengths.sum())) - begin[full_patient] + hour[starts][full_patient]
    return full_patient, full_hour, begin[patient] + hour - hour[starts][patient]


def _hours(table: pl.DataFrame, path: Path) -> NDArray[np.int64]:
    hour = _floats(table, "ICULOS")
    if not (np.isfinite(hour) & (hour == np.floor(hour)) & (hour >= 0) & (hour < HOURS_MAX)).all():
        raise ReadingError(
            f"found {path} with an ICULOS that is no whole number from 0 to {HOURS_MAX - 1}; correct these rows"
        )
    return hour.astype(np.int64)


def _labels(table: pl.DataFrame, path: Path) -> NDArray[np.int8]:
    """SepsisLabel of every row; what is absent is not known."""
    label = _floats(table, "SepsisLabel")
    label = np.where(np.isnan(label), UNKNOWN, label)
    if not np.isin(label, (0, 1, UNKNOWN)).all():
        raise ReadingError(f"found {path} with a SepsisLabel other than 0 and 1, expected one of them; correct it")
    return label.astype(np.int8)


def _table(path: Path) -> pl.DataFrame:
    if path.is_dir():
        files = sorted(path.glob("*.psv"))
        if not files:
            raise ReadingError(f"found no .psv file in {path}, expected one a patient; give the folder that holds them")
        frames = [_patient(file) for file in files]
        odd = [file.name for file, one in zip(files, frames, strict=True) if one.columns != frames[0].columns]
        if odd:
            raise ReadingError(
                f"found {path / odd[0]} with other columns than {files[0].name}, expected the same in every file"
            )
        return pl.concat(frames)
    try:
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadingError(
            f"found {path}, which is no readable table ({_line(error)}); give the Challenge 2019 hours"
        ) from None


def _patient(file: Path) -> pl.DataFrame:
    """One patient's file, named by it."""
    try:
        rows = pl.read_csv(file, separator="|", infer_schema_length=None).cast(pl.Float64)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadingError(
            f"found {file}, which is no table of numbers between bars ({_line(error)}); correct or remove it"
        ) from None
    return rows.with_columns(pl.lit(file.stem).alias("patient"))


def _line(error: Exception) -> str:
    """The first line of what a library says: the others are its advice to programmers."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _floats(table: pl.DataFrame, name: str) -> NDArray[np.float64]:
    try:
        column: NDArray[np.float64] = table[name].cast(pl.Float64).to_numpy()
    except pl.exceptions.PolarsError as error:
        raise ReadingError(f"found {name} with what is no number ({_line(error)}), expected numbers") from None
    return column
