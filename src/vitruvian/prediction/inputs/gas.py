"""What breathing and blood give by the respiration room's blood: contents of oxygen, and the shunt they imply.

The room's own curve of oxygen (with its shifts by pH, carbon dioxide and temperature) is used, so that a feature and
the twin agree on what blood carries.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vitruvian.physiology.respiration.blood import HUFNER_ML_G, SOLUBILITY_ML_ML_MMHG, blood

__all__ = ["DISSOLVED_ML_DL_MMHG", "GAS", "alveolar_oxygen", "gas_exchange", "oxygen_of_saturation"]

BAROMETRIC_MMHG: Final = 760.0  # assumption: a hospital at sea level
WATER_MMHG: Final = 47.0
EXCHANGE_RATIO: Final = 0.8
VENOUS_DIFFERENCE_ML_DL: Final = 5.0  # arterial less mixed venous, a resting adult's (assumption of the estimate)
DISSOLVED_ML_DL_MMHG: Final = 100.0 * SOLUBILITY_ML_ML_MMHG
GAS: Final = ("alveolar_arterial_gradient", "gradient_over_age", "shunt_estimate")
Column = NDArray[np.float64]


def alveolar_oxygen(fraction: Column, co2: Column) -> Column:
    """Oxygen pressure in ideal alveoli, mmHg (the alveolar gas equation, Fenn 1946), from FiO2 and arterial CO2."""
    return fraction * (BAROMETRIC_MMHG - WATER_MMHG) - co2 / EXCHANGE_RATIO


def oxygen_of_saturation(saturation_pct: Column) -> Column:
    """Oxygen pressure, mmHg, of a pulse oximeter's reading (Severinghaus 1979, inverted by Ellis 1989).

    NaN from 98 % on, where the curve is flat and a reading says almost nothing of the pressure.
    """
    share = np.clip(saturation_pct / 100.0, 0.3, 0.9999)
    b = 11700.0 / (1.0 / share - 1.0)
    root = np.sqrt(50.0**3 + b**2)
    pressure: Column = np.cbrt(b + root) + np.cbrt(b - root)
    return np.where(saturation_pct >= 98.0, np.nan, pressure)


@njit(cache=True, error_model="numpy")
def _shunt(po2: Any, alveolar: Any, co2: Any, base: Any, hb: Any, warmer: Any, out: Any) -> None:
    for row in range(po2.shape[0]):
        if np.isnan(po2[row] + alveolar[row] + co2[row] + base[row] + hb[row] + warmer[row]):
            continue
        arterial = HUFNER_ML_G * hb[row] * blood(po2[row], co2[row], base[row], hb[row], warmer[row])[0]
        end = HUFNER_ML_G * hb[row] * blood(alveolar[row], co2[row], base[row], hb[row], warmer[row])[0]
        lost = end - arterial + DISSOLVED_ML_DL_MMHG * (alveolar[row] - po2[row])
        out[row] = max(lost, 0.0) / (max(lost, 0.0) + VENOUS_DIFFERENCE_ML_DL)


def gas_exchange(
    fraction: Column, po2: Column, co2: Column, base: Column, hemoglobin: Column, temperature: Column, age: Column
) -> Column:
    """`GAS`, (n, 3): the alveolar-arterial gradient of oxygen in mmHg, how far it lies over what the age explains
    (age / 4 + 4), and the share of blood that passes the lung unused, at an arteriovenous difference of 5 mL/dL.

    Haemoglobin, base excess and temperature that are not known are taken as 10 g/dL, 0 mmol/L and 37 Cel.
    """
    alveolar = alveolar_oxygen(fraction, co2)
    gradient = alveolar - po2
    shunt = np.full(po2.shape, np.nan)
    excess, hb = np.where(np.isnan(base), 0.0, base), np.where(np.isnan(hemoglobin), 10.0, hemoglobin)
    warmer = np.where(np.isnan(temperature), 0.0, temperature - 37.0)
    _shunt(po2, np.maximum(alveolar, 1.0), co2, excess, hb, warmer, shunt)
    return np.column_stack([gradient, gradient - (age / 4.0 + 4.0), shunt])
