"""Moved to `prediction.measure.utility`."""

from __future__ import annotations

from vitruvian.prediction.measure.utility import (
    BEST_H,
    EARLIEST_H,
    LATEST_H,
    HourValues,
    best_threshold,
    hour_values,
    normalized_utility,
    sepsis_times,
)

__all__ = [
    "BEST_H",
    "EARLIEST_H",
    "LATEST_H",
    "HourValues",
    "best_threshold",
    "hour_values",
    "normalized_utility",
    "sepsis_times",
]
