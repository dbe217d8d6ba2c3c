"""The two Challenges as hourly grids, and who of them trains, calibrates and tests.

Data: PhysioNet/Computing in Cardiology Challenge 2012, set a (Silva et al., Comput Cardiol 2012;39:245-248; ODC-By
1.0): times in minutes, several values an hour, saturation from blood gases only. Challenge 2019, set A (Reyna et al.,
Crit Care Med 2020;48:210-217; CC BY 4.0): one value an hour, saturation by pulse oximetry.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError
from vitruvian.prediction.forecast.grid import CHANNELS, LIMITS, Grid, lay_out
from vitruvian.prediction.measure.split import Role, patients_of

__all__ = ["SETS", "read_2012", "read_2019", "who"]

SETS: Final[dict[str, str]] = {"2012a": "physionet2012/set-a.parquet", "2019A": "physionet2019/training_setA.parquet"}
# The 2019 patients have the roles that they have for the sepsis model.
_SEEDS: Final[dict[str, str]] = {"2012a": "challenge-2012-a", "2019A": "challenge-2019-a"}
_STAY_HOURS: Final = 48  # of Challenge 2012

# Columns of 2012 by channel; the first that has the hour counts (an arterial line before the cuff).
_COLUMNS_2012: Final[dict[str, tuple[str, ...]]] = {
    "heart_rate": ("HR",),
    "mean_pressure": ("MAP", "NIMAP"),
    "respiratory_rate": ("RespRate",),
    "oxygen_saturation": ("SaO2",),
    "systolic_pressure": ("SysABP", "NISysABP"),
    "diastolic_pressure": ("DiasABP", "NIDiasABP"),
    "body_temperature": ("Temp",),
    "arterial_oxygen": ("PaO2",),
    "inspired_oxygen_fraction": ("FiO2",),
}
_COLUMNS_2019: Final[dict[str, str]] = {
    "heart_rate": "HR",
    "mean_pressure": "MAP",
    "respiratory_rate": "Resp",
    "oxygen_saturation": "O2Sat",
    "systolic_pressure": "SBP",
    "diastolic_pressure": "DBP",
    "body_temperature": "Temp",
    "inspired_oxygen_fraction": "FiO2",
}


def who(grid: Grid, name: str, role: Role) -> NDArray[np.int64]:
    """The numbers of the patients of set `name` ("2012a" or "2019A") with a role, by a hash of their names."""
    return patients_of(grid.ids, role, _SEEDS[name])


def read_2012(path: Path) -> Grid:
    """Read set a from its long table: `record`, `parameter`, `value`, `minute`. Hourly means of what was charted.

    Raises ReadingError where the table is not of that form.
    """
    table = _read(path, ("record", "parameter", "value", "minute"))
    table = table.with_columns(
        pl.col("parameter").cast(pl.String),
        (pl.col("minute") // 60).clip(0, _STAY_HOURS - 1).cast(pl.Int64).alias("hour"),
    )
    ids = table["record"].unique().sort().to_list()
    number = {record: place for place, record in enumerate(ids)}
    dense = np.full((len(ids), _STAY_HOURS, len(CHANNELS)), np.nan, np.float32)
    line = np.zeros((len(ids), _STAY_HOURS), np.bool_)
    for place, (channel, columns) in enumerate(_COLUMNS_2012.items()):
        for column in reversed(columns):
            part = _hourly(table, column, channel)
            at = np.array([number[record] for record in part["record"].to_list()], np.int64), part["hour"].to_numpy()
            dense[*at, place] = part["value"].to_numpy()
            if column == "MAP":
                line[at] = True
    flags = np.zeros((len(ids), _STAY_HOURS, 2), np.bool_)
    flags[:, :, 0], flags[:, :, 1] = True, line
    fixed = {
        name: dict(table.filter(pl.col("parameter") == name).select("record", "value").iter_rows())
        for name in ("Age", "Gender")
    }
    age, male = (np.array([fixed[name].get(record, np.nan) for record in ids], np.float64) for name in fixed)
    male[male < 0] = np.nan  # -1: not stated
    return lay_out(list(dense), age, male, list(flags), [str(record) for record in ids])


def _hourly(table: pl.DataFrame, column: str, channel: str) -> pl.DataFrame:
    """Hourly means of a column's values within the channel's limits: record, hour, value."""
    low, high = LIMITS[channel]
    chosen = table.filter((pl.col("parameter") == column) & pl.col("value").is_between(low, high))
    return chosen.group_by("record", "hour").agg(pl.col("value").mean()).sort("record", "hour")


def read_2019(path: Path) -> Grid:
    """Read set A from its hourly table: `patient`, `ICULOS`, the vital signs, `Age` and `Gender`.

    Raises ReadingError where the table is not of that form.
    """
    columns = tuple(_COLUMNS_2019.values())
    table = _read(path, ("patient", "ICULOS", "Age", "Gender", *columns))
    table = table.with_columns(pl.col("patient").cast(pl.String), pl.col("ICULOS").cast(pl.Int64))
    table = table.sort("patient", "ICULOS")
    ids, first = np.unique(table["patient"].to_numpy(), return_index=True)
    values = np.full((table.height, len(CHANNELS)), np.nan, np.float32)  # the set has no oxygen pressures
    values[:, [CHANNELS.index(channel) for channel in _COLUMNS_2019]] = table.select(
        pl.col(columns).cast(pl.Float32)
    ).to_numpy()
    hours = table["ICULOS"].to_numpy()
    tables, flags = [], []
    for start, stop in zip(first, [*first[1:], len(values)], strict=True):
        own = hours[start:stop] - hours[start]
        dense = np.full((int(own[-1]) + 1, len(CHANNELS)), np.nan, np.float32)
        dense[own] = values[start:stop]
        tables.append(dense)
        flags.append(np.zeros((len(dense), 2), np.bool_))
    age, male = (table[name].cast(pl.Float64).to_numpy()[first] for name in ("Age", "Gender"))
    return lay_out(tables, age, male, flags, ids.tolist())


def _read(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadingError(f"found {path}, no readable Parquet table ({error}); give the Challenge's table") from error
    missing = [name for name in columns if name not in table.columns]
    if missing or not table.height:
        raise ReadingError(
            f"found {path} with {table.height} rows and without columns {', '.join(missing) or '(none missing)'},"
            f" expected {', '.join(columns)}; give the Challenge's table"
        )
    return table
