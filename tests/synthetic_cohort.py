"""A small made-up cohort of the Challenge's form, for tests of training that need no reference data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from vitruvian.prediction.cohorts.challenge2019 import CONCEPTS

_NORMAL = {
    "HR": (82, 10), "O2Sat": (97, 1.5), "Temp": (36.9, 0.4), "SBP": (120, 14), "MAP": (80, 10), "DBP": (62, 9),
    "Resp": (17, 3), "Creatinine": (1.0, 0.3), "Lactate": (1.5, 0.4), "WBC": (9, 2), "Platelets": (210, 60),
    "BUN": (16, 5), "Glucose": (125, 25), "Potassium": (4.1, 0.4), "Hgb": (11, 1.5), "HCO3": (24, 3),
}  # fmt: skip
_WORSE = {"HR": 22, "Temp": 1.0, "SBP": -18, "MAP": -14, "Resp": 6, "Lactate": 1.8, "WBC": 5, "O2Sat": -2}
_VITALS = {"HR", "O2Sat", "Temp", "SBP", "MAP", "DBP", "Resp"}


def table(patients: int = 240, hours: int = 24, seed: int = 0) -> pl.DataFrame:
    """Hours of `patients`, a third of whom become septic; the sick differ, so that there is something to learn."""
    random = np.random.default_rng(seed)
    frames = []
    for number in range(patients):
        length = int(random.integers(hours // 2, hours + 1))
        septic = number % 3 == 0
        onset = int(random.integers(4, length)) if septic else length + 100
        sick = np.clip((np.arange(length) - onset + 8) / 8, 0, 1)
        columns: dict[str, object] = {"patient": [f"s{number:05d}"] * length}
        for name in CONCEPTS:
            if name not in _NORMAL:
                columns[name] = np.full(length, np.nan)
                continue
            middle, spread = _NORMAL[name]
            value = middle + spread * random.normal(size=length) + _WORSE.get(name, 0) * sick
            absent = random.random(length) < (0.1 if name in _VITALS else 0.85)
            columns[name] = np.where(absent, np.nan, value)
        columns |= {
            "Age": np.full(length, float(random.integers(20, 90))),
            "Gender": np.full(length, number % 2),
            "Unit1": np.full(length, float(number % 2)),
            "Unit2": np.full(length, float(1 - number % 2)),
            "HospAdmTime": np.full(length, -float(random.integers(0, 40))),
            "ICULOS": np.arange(1, length + 1),
            "SepsisLabel": (np.arange(length) >= onset - 6).astype(np.int64) if septic else np.zeros(length, np.int64),
        }
        frames.append(pl.DataFrame(columns))
    return pl.concat(frames)


def write_parquet(path: Path, **options: int) -> Path:
    """The table as Parquet at `path`."""
    table(**options).write_parquet(path)
    return path


def write_psv(folder: Path, **options: int) -> Path:
    """The table as the Challenge publishes it: one `.psv` a patient, `NaN` where nothing was measured."""
    folder.mkdir()
    for (name,), part in table(**options).group_by("patient", maintain_order=True):
        part.drop("patient").write_csv(folder / f"{name}.psv", separator="|", null_value="NaN")
    return folder
