"""Filters, calibrations and their diagnostics, for any model: what is known of a patient, and how well."""

from vitruvian.estimation.base import Belief, Filter, Observation, Settings, begin, key_of
from vitruvian.estimation.enkf import Prediction, Report, forecast, step_many

__all__ = [
    "Belief",
    "Filter",
    "Observation",
    "Prediction",
    "Report",
    "Settings",
    "begin",
    "forecast",
    "key_of",
    "step_many",
]
