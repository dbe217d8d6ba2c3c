"""What the signals of a record are: their names and units as monitors write them."""

from __future__ import annotations

from typing import Final

from vitruvian.core.errors import UnitError
from vitruvian.core.vocabulary import VOCABULARY, fold
from vitruvian.records.tables import Measure

# Signal name (folded: without case, blanks, underscores and hyphens) -> concept. Philips, GE and MIMIC numerics.
SIGNALS: Final[dict[str, str]] = {
    "hr": "heart_rate",
    "heartrate": "heart_rate",
    "pulse": "pulse_rate",
    "pr": "pulse_rate",
    "resp": "respiratory_rate",
    "rr": "respiratory_rate",
    "spo2": "oxygen_saturation",
    "%spo2": "oxygen_saturation",
    "abpsys": "systolic_pressure_arterial",
    "abpdias": "diastolic_pressure_arterial",
    "abpmean": "mean_pressure_arterial",
    "artsys": "systolic_pressure_arterial",
    "artdias": "diastolic_pressure_arterial",
    "artmean": "mean_pressure_arterial",
    "nbpsys": "systolic_pressure",
    "nbpdias": "diastolic_pressure",
    "nbpmean": "mean_pressure",
    "cvp": "central_venous_pressure",
    "cvpmean": "central_venous_pressure",
    "papsys": "pulmonary_artery_systolic",
    "papdias": "pulmonary_artery_diastolic",
    "papmean": "pulmonary_artery_mean",
    "etco2": "end_tidal_co2",
    "temp": "body_temperature",
    "tblood": "core_temperature",
    "tempcore": "core_temperature",
}
# Units as headers write them where that is not how anyone else does.
_UNITS: Final = {"pm": "/min", "bpm": "/min", "rpm": "/min", "nu": "", "deg_c": "Cel", "degc": "Cel"}
NUMERIC_HZ_MAX: Final = 2.0  # faster than that it is a waveform, whatever its name


def measure_of(name: str, unit: str) -> Measure | None:
    """The measure that a slow signal is; None where its name or unit means nothing certain."""
    concept = SIGNALS.get(fold(name))
    if concept is None:
        return None
    try:
        return Measure.of(name, VOCABULARY[concept], _UNITS.get(unit.strip().casefold(), unit.strip()))
    except UnitError:
        return None
