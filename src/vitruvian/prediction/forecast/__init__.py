"""Forecasts of vital signs, hours ahead, as calibrated distributions: learned, and with the body where it helps.

Served by numpy alone; the weights and their cards lie in `model/`. Training: `python -m vitruvian.prediction.forecast`.
"""

from vitruvian.prediction.forecast.grid import CHANNELS, HORIZONS_H, VITALS, history_of
from vitruvian.prediction.forecast.model import REASONS, Body, Forecast, Forecaster, vitals

__all__ = ["CHANNELS", "HORIZONS_H", "REASONS", "VITALS", "Body", "Forecast", "Forecaster", "history_of", "vitals"]
