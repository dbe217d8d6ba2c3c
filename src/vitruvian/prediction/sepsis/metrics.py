"""Moved to `prediction.measure`: `ranking`, `calibration`, `resampling`."""

from __future__ import annotations

from vitruvian.prediction.measure.calibration import ECE_BINS, adaptive_ece, brier, brier_skill, calibration_line
from vitruvian.prediction.measure.ranking import Ranking
from vitruvian.prediction.measure.resampling import interval, patient_draws

__all__ = [
    "ECE_BINS",
    "Ranking",
    "adaptive_ece",
    "brier",
    "brier_skill",
    "calibration_line",
    "interval",
    "patient_draws",
]
