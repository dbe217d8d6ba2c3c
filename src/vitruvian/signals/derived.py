"""Features computed from other features: ratios, and the parts of scores that can be told without a clinician.

The parts are inputs of a model. The scores a person reads, with what they lack, live in `prediction/scores`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float32]
Get = Callable[[str], Column]


def _steps(values: Column, limits: tuple[float, ...], *, rising: bool = True) -> Column:
    """How many limits a value has reached (rising) or fallen below; NaN where it is missing."""
    points = np.zeros_like(values)
    for limit in limits:
        points += (values >= np.float32(limit)) if rising else (values < np.float32(limit))
    return np.where(np.isnan(values), np.float32(np.nan), points)


def _known_sum(*parts: Column) -> Column:
    """The sum of the parts that are known; NaN where none is."""
    stacked = np.stack(parts)
    known = ~np.isnan(stacked)
    total = np.where(known, stacked, np.float32(0)).sum(axis=0, dtype=np.float32)
    return np.where(known.any(axis=0), total, np.float32(np.nan))


def _sirs(get: Get) -> Column:
    """Systemic inflammatory response, 0 to 4 (Bone 1992), of the criteria that are known."""
    temperature, leukocytes = get("body_temperature"), get("leukocytes")
    return _known_sum(
        _steps(temperature, (38.0001,)) + _steps(temperature, (36.0,), rising=False),
        _steps(get("heart_rate"), (90.0001,)),
        np.fmax(_steps(get("respiratory_rate"), (20.0001,)), _steps(get("arterial_co2"), (32.0,), rising=False)),
        _steps(leukocytes, (12.0001,)) + _steps(leukocytes, (4.0,), rising=False),
    )


def _sofa_respiration(get: Get) -> Column:
    """Respiratory part of SOFA by SpO2/FiO2 where no arterial oxygen is known (Pandharipande 2009)."""
    by_gas = _steps(get("arterial_oxygen") / get("inspired_oxygen_fraction"), (400.0, 300.0), rising=False)
    by_pulse = _steps(get("spo2_fio2"), (512.0, 357.0), rising=False)
    return np.where(np.isnan(by_gas), by_pulse, by_gas)


# In this order: a rule may use the ones before it. Limits of SOFA: Vincent 1996; of qSOFA: Singer 2016.
_RULES: Final[dict[str, Callable[[Get], Column]]] = {
    "shock_index": lambda get: get("heart_rate") / get("systolic_pressure"),
    "modified_shock_index": lambda get: get("heart_rate") / get("mean_pressure"),
    "pulse_pressure": lambda get: get("systolic_pressure") - get("diastolic_pressure"),
    "warm_heart_rate": lambda get: get("heart_rate") - np.float32(10) * (get("body_temperature") - np.float32(37)),
    "spo2_fio2": lambda get: np.float32(1) * get("oxygen_saturation") / get("inspired_oxygen_fraction"),
    "rox_index": lambda get: get("spo2_fio2") / get("respiratory_rate"),
    "bun_creatinine": lambda get: get("urea_nitrogen") / get("creatinine"),
    "sirs": _sirs,
    "qsofa_known": lambda get: _known_sum(
        _steps(get("respiratory_rate"), (22.0,)), _steps(get("systolic_pressure"), (100.0001,), rising=False)
    ),
    "sofa_respiration": _sofa_respiration,
    "sofa_coagulation": lambda get: _steps(get("platelets"), (150.0, 100.0, 50.0, 20.0), rising=False),
    "sofa_liver": lambda get: _steps(get("bilirubin_total"), (1.2, 2.0, 6.0, 12.0)),
    "sofa_circulation": lambda get: _steps(get("mean_pressure"), (70.0,), rising=False),
    "sofa_kidney": lambda get: _steps(get("creatinine"), (1.2, 2.0, 3.5, 5.0)),
    "sofa_known": lambda get: _known_sum(
        *(get(f"sofa_{part}") for part in ("respiration", "coagulation", "liver", "circulation", "kidney"))
    ),
}
DERIVED: Final[tuple[str, ...]] = tuple(_RULES)


def derive(table: NDArray[np.float32], start: int, names: tuple[str, ...]) -> None:
    """Write `DERIVED` into columns `start`... of `table` (N, F), whose columns are `names`; in place."""
    places = {name: place for place, name in enumerate(names)}

    def get(name: str) -> Column:
        column: Column = table[:, places[name]]
        return column

    with np.errstate(divide="ignore", invalid="ignore"):
        for offset, rule in enumerate(_RULES.values()):
            result = rule(get)
            table[:, start + offset] = np.where(np.isfinite(result), result, np.float32(np.nan))
