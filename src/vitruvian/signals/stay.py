"""The stay as a whole: what each signal has been since its first value, the same in batch and in stream.

Memory does not grow with the stay: a count, extremes and running sums. Of a monitored vital sign the values are hourly
means (as in the windows of `features`), of the others every result. An arterial line and the cuff are pooled.
Missing stays missing (NaN): never measured. What was measured once is told however old it is.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import LimitError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.signals.concepts import CARE, LABS, MONITORED, TABLES
from vitruvian.signals.features import AGE_HOURS_MAX, VITALS
from vitruvian.signals.kernels import FADE_H, FADED_SUM, NEVER_US, OF_STAY, fill_stay
from vitruvian.signals.tracker import Tracker

__all__ = ["AGED", "OF_SIGNAL", "SIGNALS", "STAY_FEATURES", "STAY_PRACTICE", "stay_features", "stay_practice"]

# As `kernels.fill_stay` writes them: slope an hour, sd of the population, recent: a mean
# in which a value weighs exp(-age / 12 h).
OF_SIGNAL: Final[tuple[str, ...]] = ("first", "last", "min", "max", "mean", "sd", "slope", "recent")
SIGNALS: Final[tuple[str, ...]] = (*VITALS, "end_tidal_co2", *LABS, *CARE)
AGED: Final[tuple[str, ...]] = ("glasgow_coma_score", "urine_output", "mechanical_ventilation")
# mL/h of all urine since the patient's first sample, and of the recent urine (weighed by exp(-age/12 h)).
URINE: Final[tuple[str, ...]] = ("urine_output_per_h", "urine_output_recent_per_h")

STAY_FEATURES: Final[tuple[str, ...]] = (
    *(f"{name}_stay_{of}" for name in SIGNALS for of in OF_SIGNAL),
    *(f"{name}_age_h" for name in AGED),
    *URINE,
)
# How often each signal was told: hours of a monitored vital sign, results of the others. How care is given.
STAY_PRACTICE: Final[tuple[str, ...]] = tuple(f"{name}_stay_count" for name in SIGNALS)


Source = tuple[int, int, int]  # concept, place among the stay's signals, slot of a monitored one
_NO_SOURCE: Final = (-1, -1, -1)


def _source(name: str) -> Source:
    index = VOCABULARY[name].index
    return index, int(TABLES.stay_of[index]), int(TABLES.slot_of[index])


def _sources(name: str) -> tuple[Source, Source]:
    arterial = f"{name}_arterial"
    if arterial in MONITORED:
        return _source(arterial), _source(name)
    return _source(name), _NO_SOURCE


_SIGNALS: Final = np.array([_sources(name) for name in SIGNALS], np.int64)
_AGED: Final = np.array([VOCABULARY[name].index for name in AGED], np.int64)
_URINE: Final = SIGNALS.index("urine_output")
assert len(OF_SIGNAL) == OF_STAY


def stay_features(tracker: Tracker, rows: NDArray[np.int64], now_us: int | NDArray[np.int64]) -> NDArray[np.float32]:
    """`STAY_FEATURES` of `rows` (N,) at `now_us` (one instant, or one a row): (N, K) f4, NaN where never measured.

    The tracker must not hold samples later than `now_us`. Raises LimitError for a row that is not there.
    """
    return _made(tracker, rows, now_us)[0]


def stay_practice(tracker: Tracker, rows: NDArray[np.int64], now_us: int | NDArray[np.int64]) -> NDArray[np.float32]:
    """`STAY_PRACTICE` of `rows` at `now_us`: (N, S) f4; 0 where never measured. Raises as `stay_features` does."""
    return _made(tracker, rows, now_us)[1]


def _made(
    tracker: Tracker, rows: NDArray[np.int64], now_us: int | NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    wanted = np.ascontiguousarray(rows, np.int64)
    if wanted.size and not (wanted.min() >= 0 and wanted.max() < tracker.rows):
        raise LimitError(f"found rows {wanted.min()} to {wanted.max()}, expected 0 to {tracker.rows - 1}; grow first")
    now = np.broadcast_to(np.asarray(now_us, np.int64), wanted.shape).copy()
    out = np.full((wanted.size, len(STAY_FEATURES)), np.nan, np.float32)
    counts = np.zeros((wanted.size, len(SIGNALS)), np.float32)
    fill_stay(
        wanted,
        now,
        _SIGNALS,
        (tracker.last_us, tracker.trend_value),
        (tracker.hour, tracker.hour_stats),
        (tracker.stay_count, tracker.stay_time, tracker.stay_stats),
        out,
        counts,
    )
    place = len(SIGNALS) * len(OF_SIGNAL)
    at = tracker.last_us[wanted][:, _AGED]
    age_h = np.where(at == NEVER_US, np.nan, np.maximum(now[:, None] - np.maximum(at, 0), 0) / HOUR_US)
    out[:, place : place + len(AGED)] = np.minimum(age_h, AGE_HOURS_MAX)
    out[:, place + len(AGED) :] = _urine(tracker, wanted, now, out, counts)
    return out, counts


def _urine(
    tracker: Tracker,
    rows: NDArray[np.int64],
    now: NDArray[np.int64],
    out: NDArray[np.float32],
    counts: NDArray[np.float32],
) -> NDArray[np.float64]:
    """`URINE` (N, 2). The recent rate divides by the hours that could have weighed: fewer early in a stay."""
    first = tracker.first_us[rows]
    observed_h = np.where(first == NEVER_US, np.nan, np.maximum((now - np.maximum(first, 0)) / HOUR_US, 1.0))
    mean = out[:, _URINE * len(OF_SIGNAL) + OF_SIGNAL.index("mean")]
    total = np.where(counts[:, _URINE] > 0, mean * counts[:, _URINE], np.nan)
    faded = _faded_urine(tracker, rows, now)
    return np.column_stack([total / observed_h, faded / (FADE_H * -np.expm1(-observed_h / FADE_H))])


def _faded_urine(tracker: Tracker, rows: NDArray[np.int64], now: NDArray[np.int64]) -> NDArray[np.float64]:
    concept, kept = _SIGNALS[_URINE, 0, 0], _SIGNALS[_URINE, 0, 1]
    at = tracker.last_us[rows, concept]
    gap_h = np.where(at == NEVER_US, np.nan, np.maximum(now - np.maximum(at, 0), 0) / HOUR_US)
    held = (
        np.nan_to_num(tracker.stay_stats[rows, kept, FADED_SUM].astype(np.float64)) + tracker.trend_value[rows, concept]
    )
    faded: NDArray[np.float64] = held * np.exp(-gap_h / FADE_H)
    return faded
