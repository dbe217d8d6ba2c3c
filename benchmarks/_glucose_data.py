"""The four public sets of sensor glucose, read as courses on a grid.

- AZT1D (25 people, type 1 diabetes, pumps; Dexcom G6): as published.
- BIGIDEAs (16, without diabetes or with prediabetes; Dexcom G6): as published.
- Colas 2019 (208, without diabetes at inclusion; Medtronic iPro): the copy has lost its dates, both days carry one; the
  rows are in order, so a time that runs backwards is the next day. At these joins glucose moves by 1 mg/dL in the
  median, less than between other neighbours.
- HUPA-UCM (24, type 1 diabetes; FreeStyle Libre 2): reads every 15 min and was interpolated to 5 min before it was
  published, which tells the future; only every third value is used, on the phase where values are whole numbers. Three
  people in whom no such phase is seen are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from tests.support import require_data
from vitruvian.physiology.glucose.forecast import Series, regular

KIND_OF = {"AZT1D": "type1_dexcom", "HUPA-UCM": "type1_libre", "BIGIDEAs": "other_dexcom", "Colas_2019": "other_ipro"}
WHOLE_MIN, REST_MAX = 0.8, 0.5


@dataclass(frozen=True)
class Someone:
    """A person's course."""

    data: str
    name: str
    series: Series


def everyone() -> tuple[list[Someone], list[str]]:
    """All people that can be used, and the names of those left out."""
    found, left_out = [], []
    for data in KIND_OF:
        table = pl.read_parquet(require_data(f"glucose/{data}.parquet")).with_columns(pl.col("person").cast(pl.String))
        for (name,), rows in table.group_by(["person"], maintain_order=True):
            times_s = rows["timestamp"].dt.epoch("ms").to_numpy() / 1e3
            times_s = times_s - np.floor(times_s.min() / 86_400) * 86_400
            values = rows["glucose_mg_dl"].to_numpy().astype(np.float64)
            if data == "Colas_2019":
                times_s = times_s + 86_400 * np.concatenate(([0], np.cumsum(np.diff(times_s) < 0)))
            if data == "HUPA-UCM":
                read = _really_read(times_s, values)
                if read is None:
                    left_out.append(str(name))
                    continue
                times_s, values = times_s[read], values[read]
            found.append(Someone(data, str(name), regular(times_s, values)))
    return found, left_out


def _really_read(times_s: np.ndarray, values: np.ndarray) -> np.ndarray | None:
    """The rows of the phase on which values are whole numbers, or None where there is no one such phase."""
    phase = np.round((times_s - times_s[0]) / 300).astype(np.int64) % 3
    whole = [float((values[phase == k] == np.round(values[phase == k])).mean()) for k in range(3)]
    best = int(np.argmax(whole))
    if whole[best] < WHOLE_MIN or max(one for k, one in enumerate(whole) if k != best) > REST_MAX:
        return None
    return phase == best
