"""Glucose and insulin: the meal model of type 1 diabetes, the intensive-care model, and forecasts of sensor glucose."""

from vitruvian.physiology.glucose.icu import ICU_GLUCOSE
from vitruvian.physiology.glucose.uva_padova import UVA_PADOVA

__all__ = ["ICU_GLUCOSE", "UVA_PADOVA"]
