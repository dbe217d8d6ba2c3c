"""Features: what a learned model is told of a patient at an instant, the same in batch and in stream.

Missing stays missing (NaN): never measured, or older than the concept's `valid_for_s`. A feature at an instant is made
from samples up to it and from nothing later.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import LimitError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.signals.concepts import LABS, MONITORED, TABLES
from vitruvian.signals.derived import DERIVED, derive
from vitruvian.signals.feature_kernels import WINDOW_FEATURES, fill_features
from vitruvian.signals.kernels import NEVER_US
from vitruvian.signals.tracker import Tracker

AGE_HOURS_MAX: Final = 48.0  # a value older than that says no more by being older still

# Vital signs by the name of the cuff's concept; the arterial line's, where there is one, comes first while fresh.
VITALS: Final[tuple[str, ...]] = (
    "heart_rate", "respiratory_rate", "oxygen_saturation", "body_temperature", "systolic_pressure",
    "diastolic_pressure", "mean_pressure",
)  # fmt: skip
PLAIN: Final[tuple[str, ...]] = ("end_tidal_co2", "inspired_oxygen_fraction")

# As `feature_kernels.window_features` writes them.
WINDOWED: Final[tuple[str, ...]] = (
    "delta_2h", "delta_6h", "delta_12h",
    "min_6h", "max_6h", "mean_6h", "trend_6h", "sd_6h",
    "min_12h", "max_12h", "mean_12h", "trend_12h", "sd_12h",
    "min_24h", "max_24h", "mean_24h", "departure_24h",
)  # fmt: skip

MEASURED: Final[tuple[str, ...]] = (
    *(f"{name}{suffix}" for name in VITALS for suffix in ("", "_age_h", *(f"_{window}" for window in WINDOWED))),
    *(f"{name}{suffix}" for name in PLAIN for suffix in ("", "_age_h")),
    *(f"{name}{suffix}" for name in LABS for suffix in ("", "_age_h", "_change")),
)
PERSONAL: Final[tuple[str, ...]] = ("age_years", "male")
FEATURES: Final[tuple[str, ...]] = (*MEASURED, *DERIVED, *PERSONAL)
# How a patient is cared for rather than how the patient is. Off in the shipped model; there to be ablated.
PRACTICE_FEATURES: Final[tuple[str, ...]] = ("observed_h", "tests", "tests_per_day")


def _choices(name: str) -> tuple[int, int, int, int]:
    slots = list(MONITORED)
    cuff = (VOCABULARY[name].index, slots.index(name))
    arterial = f"{name}_arterial"
    if arterial in MONITORED:
        return (VOCABULARY[arterial].index, slots.index(arterial), *cuff)
    return (*cuff, -1, -1)


_VITALS: Final = np.array([_choices(name) for name in VITALS], np.int64)
_PLAIN: Final = np.array([VOCABULARY[name].index for name in PLAIN], np.int64)
_LABS: Final = np.array([VOCABULARY[name].index for name in LABS], np.int64)
assert len(WINDOWED) == WINDOW_FEATURES


def features(
    tracker: Tracker,
    rows: NDArray[np.int64],
    now_us: int | NDArray[np.int64],
    *,
    age_years: NDArray[np.float64] | None = None,
    male: NDArray[np.float64] | None = None,
) -> NDArray[np.float32]:
    """`FEATURES` of `rows` (N,) at `now_us` (one instant, or one a row): (N, F) f4, NaN where missing.

    The tracker must not hold samples later than `now_us`; ask before they are fed. `age_years` and `male` (1, 0) are of
    the person, NaN where not known. Raises LimitError for a row that is not there.
    """
    wanted = np.ascontiguousarray(rows, np.int64)
    if wanted.size and not (wanted.min() >= 0 and wanted.max() < tracker.rows):
        raise LimitError(f"found rows {wanted.min()} to {wanted.max()}, expected 0 to {tracker.rows - 1}; grow first")
    out = np.full((wanted.size, len(FEATURES)), np.nan, np.float32)
    fill_features(
        wanted,
        np.broadcast_to(np.asarray(now_us, np.int64), wanted.shape).copy(),
        TABLES.valid_us,
        AGE_HOURS_MAX,
        _VITALS,
        _PLAIN,
        _LABS,
        (tracker.last_us, tracker.trend_value, tracker.previous_value, tracker.previous_us),
        (tracker.hour, tracker.hour_stats),
        out,
    )
    derive(out, len(MEASURED), FEATURES)
    for place, column in enumerate((age_years, male), len(MEASURED) + len(DERIVED)):
        if column is not None:
            out[:, place] = column
    return out


def practice_features(
    tracker: Tracker, rows: NDArray[np.int64], now_us: int | NDArray[np.int64]
) -> NDArray[np.float32]:
    """`PRACTICE_FEATURES` of `rows` at `now_us`: (N, 3) f4; hours since the first sample, lab results, and a day's."""
    first, tests = tracker.first_us[rows], tracker.tests[rows]
    observed_h = np.where(first == NEVER_US, np.nan, (now_us - np.maximum(first, 0)) / HOUR_US)
    per_day = tests / np.maximum(observed_h / 24.0, 0.25)
    return np.column_stack([observed_h, tests, per_day]).astype(np.float32)
