"""Cleaning, resampling and features: what was observed becomes regular numbers, in batch and in stream by the
same functions. Features themselves: `signals.features.features`.
"""

from vitruvian.signals.cleaning import Cleaned, clean_series
from vitruvian.signals.features import FEATURES, PRACTICE_FEATURES
from vitruvian.signals.resampling import Resampled, regular_grid, resample
from vitruvian.signals.tracker import LATE, NEVER_US, OUTLIER, REJECTED, TAKEN, Tracker

__all__ = [
    "FEATURES",
    "LATE",
    "NEVER_US",
    "OUTLIER",
    "PRACTICE_FEATURES",
    "REJECTED",
    "TAKEN",
    "Cleaned",
    "Resampled",
    "Tracker",
    "clean_series",
    "regular_grid",
    "resample",
]
