"""Forecasts of sensor glucose 30 and 60 min ahead from its readings alone.

>>> from vitruvian.physiology.glucose.forecast import load
>>> load("type1_dexcom").forecast(times_s, glucose_mg_dl).mean  # doctest: +SKIP

A compact body (sensor, plasma, what appears in it, a slow basal level) follows the readings by a Kalman filter; a
learned residual, linear in what the filter and the readings say, corrects its forecast. Both are small and are shipped.
"""

from vitruvian.physiology.glucose.forecast.model import KINDS, Forecast, Forecaster, load
from vitruvian.physiology.glucose.forecast.series import Series, regular

__all__ = ["KINDS", "Forecast", "Forecaster", "Series", "load", "regular"]
