"""Moved to `prediction.measure.alarms`."""

from __future__ import annotations

from vitruvian.prediction.measure.alarms import (
    REFRACTORY_H,
    AlarmFigures,
    alarm_figures,
    alarm_rows,
    threshold_for_sensitivity,
)

__all__ = ["REFRACTORY_H", "AlarmFigures", "alarm_figures", "alarm_rows", "threshold_for_sensitivity"]
