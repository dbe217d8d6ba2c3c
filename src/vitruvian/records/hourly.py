"""Real patients as hourly rows: what the columns of the Challenge 2019 and of the eICU demo's tables mean.

The maps are the one place for it: batch readers and the replay at the bedside use the same. Units are those that the
values are in. The Challenge's own page says mg/dL of lactate and mmol/dL of magnesium; the values (medians 1.8 and 2.0)
are mmol/L and mg/dL, as in the hospital systems they came from.

Sources: Reyna et al., Crit Care Med 2020;48:210-217 (PhysioNet/CinC Challenge 2019, doi 10.13026/v64v-d857); van de
Water et al., Yet Another ICU Benchmark, ICLR 2024 (its concepts and units; the eICU demo, doi 10.13026/4mxk-na84).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from vitruvian.core.errors import ReadingError

__all__ = [
    "CHALLENGE_COLUMNS",
    "EICU_COLUMNS",
    "PATIENT_SYSTEM",
    "Hour",
    "Stay",
    "challenge_stays",
    "eicu_stays",
    "stays",
]

# Column -> (concept, unit of the values).
CHALLENGE_COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "HR": ("heart_rate", "/min"),
    "O2Sat": ("oxygen_saturation", "%"),
    "Temp": ("body_temperature", "Cel"),
    "SBP": ("systolic_pressure", "mm[Hg]"),
    "MAP": ("mean_pressure", "mm[Hg]"),
    "DBP": ("diastolic_pressure", "mm[Hg]"),
    "Resp": ("respiratory_rate", "/min"),
    "EtCO2": ("end_tidal_co2", "mm[Hg]"),
    "BaseExcess": ("base_excess", "mmol/L"),
    "HCO3": ("bicarbonate", "mmol/L"),
    "FiO2": ("inspired_oxygen_fraction", "1"),
    "pH": ("ph", "[pH]"),
    "PaCO2": ("arterial_co2", "mm[Hg]"),
    "SaO2": ("oxygen_saturation_arterial", "%"),
    "AST": ("aspartate_aminotransferase", "U/L"),
    "BUN": ("urea_nitrogen", "mg/dL"),
    "Alkalinephos": ("alkaline_phosphatase", "U/L"),
    "Calcium": ("calcium", "mg/dL"),
    "Chloride": ("chloride", "mmol/L"),
    "Creatinine": ("creatinine", "mg/dL"),
    "Bilirubin_direct": ("bilirubin_direct", "mg/dL"),
    "Glucose": ("glucose", "mg/dL"),
    "Lactate": ("lactate", "mmol/L"),
    "Magnesium": ("magnesium", "mg/dL"),
    "Phosphate": ("phosphate", "mg/dL"),
    "Potassium": ("potassium", "mmol/L"),
    "Bilirubin_total": ("bilirubin_total", "mg/dL"),
    "TroponinI": ("troponin_i", "ng/mL"),
    "Hct": ("hematocrit", "%"),
    "Hgb": ("hemoglobin", "g/dL"),
    "PTT": ("aptt", "s"),
    "WBC": ("leukocytes", "10*3/uL"),
    "Fibrinogen": ("fibrinogen", "mg/dL"),
    "Platelets": ("platelets", "10*3/uL"),
}

EICU_COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    "alb": ("albumin", "g/dL"),
    "alp": ("alkaline_phosphatase", "U/L"),
    "alt": ("alanine_aminotransferase", "U/L"),
    "ast": ("aspartate_aminotransferase", "U/L"),
    "be": ("base_excess", "mmol/L"),
    "bicar": ("bicarbonate", "mmol/L"),
    "bili": ("bilirubin_total", "mg/dL"),
    "bili_dir": ("bilirubin_direct", "mg/dL"),
    "bnd": ("bands_fraction", "%"),
    "bun": ("urea_nitrogen", "mg/dL"),
    "ca": ("calcium", "mg/dL"),
    "cai": ("calcium_ionized", "mmol/L"),
    "ck": ("creatine_kinase", "U/L"),
    "ckmb": ("creatine_kinase_mb", "ng/mL"),
    "cl": ("chloride", "mmol/L"),
    "crea": ("creatinine", "mg/dL"),
    "crp": ("c_reactive_protein", "mg/L"),
    "dbp": ("diastolic_pressure", "mm[Hg]"),
    "fgn": ("fibrinogen", "mg/dL"),
    "fio2": ("inspired_oxygen_fraction", "%"),
    "glu": ("glucose", "mg/dL"),
    "hgb": ("hemoglobin", "g/dL"),
    "hr": ("heart_rate", "/min"),
    "inr_pt": ("inr", "1"),
    "k": ("potassium", "mmol/L"),
    "lact": ("lactate", "mmol/L"),
    "lymph": ("lymphocytes_fraction", "%"),
    "map": ("mean_pressure", "mm[Hg]"),
    "mch": ("mch", "pg"),
    "mchc": ("mchc", "g/dL"),
    "mcv": ("mcv", "fL"),
    "methb": ("methemoglobin", "%"),
    "mg": ("magnesium", "mg/dL"),
    "na": ("sodium", "mmol/L"),
    "neut": ("neutrophils_fraction", "%"),
    "o2sat": ("oxygen_saturation", "%"),
    "pco2": ("arterial_co2", "mm[Hg]"),
    "ph": ("ph", "[pH]"),
    "phos": ("phosphate", "mg/dL"),
    "plt": ("platelets", "10*3/uL"),
    "po2": ("arterial_oxygen", "mm[Hg]"),
    "ptt": ("aptt", "s"),
    "resp": ("respiratory_rate", "/min"),
    "sbp": ("systolic_pressure", "mm[Hg]"),
    "temp": ("body_temperature", "Cel"),
    "tnt": ("troponin_t", "ng/mL"),
    "urine": ("urine_output", "mL"),
    "wbc": ("leukocytes", "10*3/uL"),
}


PATIENT_SYSTEM: Final = "urn:vitruvian:dataset:"  # + dataset: the identifier system of a dataset's patients


class Hour(NamedTuple):
    """What was charted in one hour of a stay: concept to (value, unit)."""

    hour: int
    values: dict[str, tuple[float, str]]


class Stay(NamedTuple):
    """One stay in intensive care. `number` is unique within `dataset`; age in years; sex as FHIR says it."""

    dataset: str
    number: str
    age_years: float | None
    sex: str
    hours: tuple[Hour, ...]

    @property
    def system(self) -> str:
        """The identifier system in which `number` is unique."""
        return PATIENT_SYSTEM + self.dataset


def stays(path: Path, limit: int | None = None) -> Iterator[Stay]:
    """The stays at a path: the Challenge's Parquet file, a folder of its `.psv` files, or an eICU-demo task folder.

    Raises ReadingError where it is none of these.
    """
    if (path / "dyn.parquet").is_file():
        return eicu_stays(path, limit)
    if (path / "eicu_demo" / "dyn.parquet").is_file():
        return eicu_stays(path / "eicu_demo", limit)
    tasks = {found.parent.parent.name: found.parent for found in sorted(path.glob("*/eicu_demo/dyn.parquet"))}
    if tasks:  # all tasks of the demo: one of them, since they share their patients
        return eicu_stays(tasks.get("sepsis", next(iter(tasks.values()))), limit)
    if path.is_file() or any(path.glob("*.psv")) or any(path.glob("training_set*.parquet")):
        return challenge_stays(path, limit)
    raise ReadingError(
        f"found {path}, expected Challenge 2019 hours (.psv folder or Parquet) or an eICU-demo folder with dyn.parquet"
    )


def challenge_stays(path: Path, limit: int | None = None) -> Iterator[Stay]:
    """Stays of the Challenge 2019, in the order of the file or of the files' names."""
    tables: Iterator[tuple[str, pl.DataFrame]]
    if path.is_dir() and not any(path.glob("*.psv")):
        path = next(iter(sorted(path.glob("*.parquet"))), path)
    if path.is_dir():
        files = sorted(path.glob("*.psv"))[:limit]
        tables = ((file.stem, _psv(file)) for file in files)
    elif path.suffix == ".psv":
        tables = iter([(path.stem, _psv(path))])
    else:
        tables = _groups(_parquet(path, "patient"), "patient", limit)
    for number, table in tables:
        first = table.row(0, named=True)
        sex = {0: "female", 1: "male"}.get(first.get("Gender"), "unknown")  # type: ignore[arg-type]
        hours = tuple(_hours(table, CHALLENGE_COLUMNS, "ICULOS"))
        yield Stay("challenge2019", number, first.get("Age"), sex, hours)


def eicu_stays(folder: Path, limit: int | None = None) -> Iterator[Stay]:
    """Stays of an eICU-demo task folder (`dyn.parquet` and `sta.parquet`), in the order of the file."""
    people = {str(row["stay_id"]): row for row in _parquet(folder / "sta.parquet", "stay_id").iter_rows(named=True)}
    table = _parquet(folder / "dyn.parquet", "stay_id").with_columns(pl.col("time").dt.total_hours().alias("hour"))
    for number, rows in _groups(table, "stay_id", limit):
        person = people.get(number, {})
        sex = str(person.get("sex") or "unknown").lower()
        hours = tuple(_hours(rows, EICU_COLUMNS, "hour"))
        yield Stay("eicu-demo", number, person.get("age"), sex if sex in ("male", "female") else "unknown", hours)


def _hours(table: pl.DataFrame, columns: Mapping[str, tuple[str, str]], hour: str) -> Iterator[Hour]:
    present = [name for name in columns if name in table.columns]
    for row in table.select(hour, *present).iter_rows():
        values = {}
        for column, value in zip(present, row[1:], strict=True):
            if value is not None and value == value:
                concept, unit = columns[column]
                # What was 36.7 became 36.70000076 as a 32-bit float: seven digits bring it back.
                stated = float(f"{value:.7g}")
                if column == "FiO2" and 20 <= stated <= 100:
                    unit = "%"  # a fraction in most of the Challenge's rows; these cannot be one
                values[concept] = (stated, unit)
        yield Hour(int(row[0]), values)


def _groups(table: pl.DataFrame, key: str, limit: int | None) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows of each stay, told apart by runs: the files keep a stay's rows together."""
    numbers = table.get_column(key).cast(pl.String)
    runs = numbers.rle()
    start = 0
    for position, run in enumerate(runs.struct.unnest().iter_rows()):
        if limit is not None and position >= limit:
            return
        length, number = run
        yield number, table.slice(start, length)
        start += length


def _psv(path: Path) -> pl.DataFrame:
    try:
        return pl.read_csv(path, separator="|", null_values=["NaN", ""], infer_schema_length=None)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadingError(f"{path} cannot be read as a Challenge 2019 table ({type(error).__name__})") from error


def _parquet(path: Path, key: str) -> pl.DataFrame:
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadingError(f"{path} cannot be read as Parquet ({type(error).__name__})") from error
    if key not in table.columns:
        raise ReadingError(f"found {path} without a column {key}, expected Challenge 2019 or eICU-demo hours")
    return table
