"""The PhysioNet/Computing in Cardiology Challenge 2012 stays as a cohort: death in hospital, told at 48 hours.

Silva, Moody, Scott, Celi, Mark, Comput Cardiol 2012;39:245-248; doi 10.13026/3y9n-5x05, ODC-By 1.0. The first 48 hours
of stays in four intensive care units of one hospital. Values carry the minute at which they were charted; when a result
was reported is not said. Magnesium is stated as mmol/L on the Challenge's page; the values (median 2.0) are mg/dL.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError
from vitruvian.core.time import MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.assemble import hours_within, sorted_samples
from vitruvian.prediction.cohorts.base import ORIGIN_US, Cohort

__all__ = ["AT_H", "NAME", "PARAMETERS", "read_challenge2012"]

NAME: Final = "PhysioNet/CinC Challenge 2012"
AT_H: Final = 48
ROWS_H: Final = 24  # the row that is scored and a day before it, for the models that read hours
PARAMETERS: Final[Mapping[str, str]] = {
    "ALP": "alkaline_phosphatase",
    "ALT": "alanine_aminotransferase",
    "AST": "aspartate_aminotransferase",
    "Albumin": "albumin",
    "BUN": "urea_nitrogen",
    "Bilirubin": "bilirubin_total",
    "Cholesterol": "cholesterol_total",
    "Creatinine": "creatinine",
    "DiasABP": "diastolic_pressure_arterial",
    "FiO2": "inspired_oxygen_fraction",
    "GCS": "glasgow_coma_score",
    "Glucose": "glucose",
    "HCO3": "bicarbonate",
    "HCT": "hematocrit",
    "HR": "heart_rate",
    "K": "potassium",
    "Lactate": "lactate",
    "MAP": "mean_pressure_arterial",
    "MechVent": "mechanical_ventilation",
    "Mg": "magnesium",
    "NIDiasABP": "diastolic_pressure",
    "NIMAP": "mean_pressure",
    "NISysABP": "systolic_pressure",
    "Na": "sodium",
    "PaCO2": "arterial_co2",
    "PaO2": "arterial_oxygen",
    "Platelets": "platelets",
    "RespRate": "respiratory_rate",
    "SaO2": "oxygen_saturation_arterial",
    "SysABP": "systolic_pressure_arterial",
    "Temp": "body_temperature",
    "TroponinI": "troponin_i",
    "TroponinT": "troponin_t",
    "Urine": "urine_output",
    "WBC": "leukocytes",
    "pH": "ph",
}
UNITS: Final[Mapping[int, str]] = {1: "coronary", 2: "cardiac surgery", 3: "medical", 4: "surgical"}
# Below these a pressure (mmHg) is a line that was zeroed, flushed or off, not a patient; no pulse, no breath likewise.
_LEAST: Final[Mapping[str, float]] = {
    "SysABP": 25.0, "NISysABP": 25.0, "DiasABP": 10.0, "NIDiasABP": 10.0, "MAP": 15.0, "NIMAP": 15.0, "HR": 10.0,
    "RespRate": 1.0,
}  # fmt: skip
_PH_TENFOLD: Final = (60.0, 90.0)  # 73.5 is 7.35
_PH_HUNDREDFOLD: Final = (600.0, 900.0)  # 735 is 7.35
_ADULT: Final[Mapping[str, tuple[float, float]]] = {"Height": (100.0, 230.0), "Weight": (20.0, 350.0)}  # cm, kg
_COLUMNS: Final = ("record", "parameter", "value", "minute")
_DEATH: Final = "In-hospital_death"


def read_challenge2012(path: Path, at_h: int = AT_H) -> Cohort:
    """Read every `set-*.parquet` (record, parameter, value, minute) of a folder and the `Outcomes-*.txt` beside them.

    `at_h`: when the risk is told, 48 or (to be carried to data that tell it then) earlier; nothing later is read.
    A stay without an outcome, or an outcome without a stay, is left out and counted in `notes`. Raises ReadingError
    where the folder is not of that form, a table lacks a column, or a stay is there twice.
    """
    values = pl.concat([_values(file) for file in _files(path, "set-*.parquet")])
    outcomes = pl.concat([_outcomes(file) for file in _files(path, "Outcomes-*.txt")])
    if outcomes["record"].is_duplicated().any():
        raise ReadingError(f"found stays twice in the outcomes of {path}, expected each once; remove one of the files")
    there = outcomes.join(values.select("record").unique(), on="record", how="semi").sort("record")
    if not there.height:
        raise ReadingError(
            f"found no stay of {path} in both its values and its outcomes; give sets that belong together"
        )
    values = values.join(there.select("record").with_row_index("patient"), on="record", how="inner")
    known = _known(values, there.height)
    taken, notes = _taken(values, at_h)
    lone = outcomes.height - there.height
    if lone:
        notes = (*notes, f"{lone:,} outcomes without values were left out")
    count = there.height
    patient, hour = hours_within(np.full(count, at_h - ROWS_H + 1), np.full(count, at_h))
    index = {name: VOCABULARY[concept].index for name, concept in PARAMETERS.items()}
    unit = tuple(UNITS.get(int(kind), "unknown") if kind == kind else "unknown" for kind in known["ICUType"])
    return Cohort(
        data=f"{NAME} ({', '.join(sorted(file.stem for file in path.glob('set-*.parquet')))})",
        simulated=False,
        ids=tuple(str(record) for record in there["record"]),
        patient=patient,
        hour=hour,
        label=there["died"].to_numpy().astype(np.int8)[patient],
        scored=hour == at_h,
        age_years=known["Age"],
        male=known["Gender"],
        samples=sorted_samples(
            taken["patient"].to_numpy().astype(np.int64),
            taken["parameter"].replace_strict(index, return_dtype=pl.Int64).to_numpy(),
            ORIGIN_US + taken["minute"].to_numpy().astype(np.int64) * MINUTE_US,
            taken["value"].to_numpy(),
        ),
        admission={
            "medical_unit": _is(unit, "medical", "coronary"),
            "surgical_unit": _is(unit, "surgical", "cardiac surgery"),
            "cardiac_unit": _is(unit, "coronary", "cardiac surgery"),
            "height_cm": known["Height"],
            "weight_kg": known["Weight"],
        },
        groups={"unit": unit},
        notes=notes,
    )


def _files(path: Path, pattern: str) -> list[Path]:
    found = sorted(path.glob(pattern)) if path.is_dir() else []
    if not found:
        raise ReadingError(f"found no {pattern} in {path}, expected a folder with set-*.parquet and Outcomes-*.txt")
    return found


def _values(file: Path) -> pl.DataFrame:
    try:
        table = pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadingError(f"{file} cannot be read as Parquet ({type(error).__name__}); copy it again") from error
    _check(file, table, _COLUMNS)
    try:
        return table.select(
            pl.col("record").cast(pl.Int64),
            pl.col("parameter").cast(pl.String),
            pl.col("value").cast(pl.Float64),
            pl.col("minute").cast(pl.Int64),
        )
    except pl.exceptions.PolarsError as error:
        raise ReadingError(f"found {file} with values that are no numbers ({error}); expected numbers") from error


def _outcomes(file: Path) -> pl.DataFrame:
    try:
        table = pl.read_csv(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadingError(f"{file} cannot be read as comma-separated text ({type(error).__name__})") from error
    _check(file, table, ("RecordID", _DEATH))
    died = table[_DEATH].cast(pl.Float64, strict=False)
    if died.is_null().any() or not died.is_in([0.0, 1.0]).all():
        raise ReadingError(f"found {file} with {_DEATH} other than 0 and 1, expected one of them for every stay")
    return table.select(pl.col("RecordID").cast(pl.Int64).alias("record"), died.alias("died"))


def _check(file: Path, table: pl.DataFrame, wanted: tuple[str, ...]) -> None:
    lacking = [name for name in wanted if name not in table.columns]
    if lacking or not table.height:
        raise ReadingError(
            f"found {file} with {table.height} rows and without {', '.join(lacking) or '(no column missing)'}, expected"
            f" {', '.join(wanted)}"
        )


def _known(values: pl.DataFrame, count: int) -> dict[str, NDArray[np.float64]]:
    """What is stated at admission, (P,) each: age, sex, size, unit; NaN where -1 or absurd stands for not known."""
    found = {}
    first = values.filter(pl.col("minute") == 0)
    for name in ("Age", "Gender", "Height", "Weight", "ICUType"):
        column = np.full(count, np.nan)
        told = first.filter(pl.col("parameter") == name).unique("patient", keep="first", maintain_order=True)
        low, high = _ADULT.get(name, (0.0, 130.0))
        stated = told["value"].to_numpy()
        column[told["patient"].to_numpy()] = np.where((stated >= low) & (stated <= high), stated, np.nan)
        found[name] = column
    return found


def _taken(values: pl.DataFrame, at_h: int) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The values that are observations, mended, and what was done to them."""
    taken = values.filter(pl.col("parameter").is_in(list(PARAMETERS)) & (pl.col("minute") <= at_h * 60))
    value, is_ph = pl.col("value"), pl.col("parameter") == "pH"
    tenfold = is_ph & value.is_between(*_PH_TENFOLD)
    hundredfold = is_ph & value.is_between(*_PH_HUNDREDFOLD)
    slipped = taken.filter(tenfold | hundredfold).height
    taken = taken.with_columns(
        pl.when(tenfold).then(value / 10).when(hundredfold).then(value / 100).otherwise(value).alias("value")
    )
    least = pl.col("parameter").replace_strict(dict(_LEAST), default=-1e30, return_dtype=pl.Float64)
    kept = taken.filter(pl.col("value") >= least)
    return kept, (
        "no time of a result is given: a value counts from the minute it is charted under",
        f"{taken.height - kept.height:,} pressures, pulses and breaths near zero were left out (a line that is off)",
        f"{slipped:,} values of pH ten or a hundred times too large were mended",
    )


def _is(unit: tuple[str, ...], *names: str) -> NDArray[np.float64]:
    return np.array([np.nan if one == "unknown" else float(one in names) for one in unit])
