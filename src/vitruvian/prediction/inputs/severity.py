"""How ill a patient has been over the stay, in the manner of SOFA and SAPS I, as inputs of a model.

Parts that clinicians' scores are made of, once over the whole stay (`worst`) and once as things stand (`now`). What is
not known counts as normal, so that every patient has a number. They are not the scores that a person reads: those, with
what they lack, live in `prediction/scores`.

Sources: Vincent, Intensive Care Med 1996;22:707 (SOFA); Le Gall, Crit Care Med 1984;12:975 (SAPS I).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEEDS", "SEVERITY", "severity"]

Column = NDArray[np.float32]
Get = Callable[[str], Column]

# What the rules read. `now` is the last 24 hours of a vital sign, and the latest result of a lab.
_VITALS: Final = {
    "pulse": "heart_rate", "systolic": "systolic_pressure", "mean": "mean_pressure", "temperature": "body_temperature",
}  # fmt: skip
_LABS: Final = {
    "sodium": "sodium", "potassium": "potassium", "bicarbonate": "bicarbonate", "leukocytes": "leukocytes",
    "hematocrit": "hematocrit", "glucose": "glucose", "urea": "urea_nitrogen", "ph": "ph", "creatinine": "creatinine",
    "platelets": "platelets", "bilirubin": "bilirubin_total", "lactate": "lactate", "oxygen": "arterial_oxygen",
    "fraction": "inspired_oxygen_fraction", "coma": "glasgow_coma_score",
}  # fmt: skip
WHEN: Final = ("worst", "now")


def _ends(name: str, when: str) -> tuple[str, str]:
    """The columns with the least and the greatest value of a signal."""
    if name in _VITALS:
        base = _VITALS[name]
        return (f"{base}_stay_min", f"{base}_stay_max") if when == "worst" else (f"{base}_min_24h", f"{base}_max_24h")
    base = _LABS[name]
    return (f"{base}_stay_min", f"{base}_stay_max") if when == "worst" else (f"{base}_stay_last",) * 2


# SAPS I: points by how far a value is out of range: limits below which, and above which, a point each.
_SAPS: Final[dict[str, tuple[tuple[float, ...], tuple[float, ...]]]] = {
    "pulse": ((70, 55, 40), (109, 139, 179)),
    "systolic": ((80, 55), (149, 189)),
    "temperature": ((36, 34, 32, 30), (38.4, 38.9, 40.9)),
    "sodium": ((130, 120, 110), (150, 155, 160)),
    "potassium": ((3.5, 3.0, 2.5), (5.4, 5.9, 6.9)),
    "bicarbonate": ((20, 10, 5), (30, 40)),
    "leukocytes": ((3, 1), (15, 20, 40)),
    "hematocrit": ((30, 20), (46, 50, 60)),
    "glucose": ((70, 50, 29), (250, 430, 800)),
    "urea": ((9,), (20, 40, 80, 150)),  # as nitrogen, mg/dL
    "ph": ((7.33, 7.25, 7.15), (7.49, 7.6, 7.7)),
}
_AGE_LIMITS: Final = (46.0, 56.0, 66.0, 76.0)
_COMA_LIMITS: Final = (15.0, 13.0, 10.0, 7.0)


def _points(values: Column, limits: Sequence[float], *, rising: bool) -> Column:
    """How many limits a value is above (rising) or below; 0 where it is not known."""
    found = np.zeros(values.shape, np.float32)
    for limit in limits:
        found += (values > np.float32(limit)) if rising else (values < np.float32(limit))
    return found


def _saps(get: Get, name: str, when: str) -> Column:
    low, high = _SAPS[name]
    least, greatest = (get(column) for column in _ends(name, when))
    below = np.maximum(_points(least, low, rising=False), _points(greatest, low, rising=False))
    above = np.maximum(_points(greatest, high, rising=True), _points(least, high, rising=True))
    worse: Column = np.maximum(below, above)
    return worse


def _oxygenation(get: Get, when: str) -> Column:
    """PaO2 / FiO2 (mmHg): the means of the stay, or the latest of both."""
    of = "mean" if when == "worst" else "last"
    return get(f"arterial_oxygen_stay_{of}") / get(f"inspired_oxygen_fraction_stay_{of}")


def _sofa(get: Get, part: str, when: str) -> Column:
    if part == "respiration":
        return _points(_oxygenation(get, when), (400, 300, 200, 100), rising=False)
    if part == "coagulation":
        return _points(get(_ends("platelets", when)[0]), (150, 100, 50, 20), rising=False)
    if part == "liver":
        return _points(get(_ends("bilirubin", when)[1]), (1.2, 2.0, 6.0, 12.0), rising=True)
    if part == "circulation":
        return _points(get(_ends("mean", when)[0]), (70, 60, 50), rising=False)
    if part == "consciousness":
        return _points(get(_ends("coma", when)[0]), (15, 13, 10, 6), rising=False)
    urine = get("urine_output_per_h" if when == "worst" else "urine_output_recent_per_h") * np.float32(24)
    dry = np.float32(1.5) * _points(urine, (500, 200), rising=False)
    worse: Column = np.maximum(_points(get(_ends("creatinine", when)[1]), (1.2, 2.0, 3.5, 5.0), rising=True), dry)
    return worse


SOFA_PARTS: Final = ("respiration", "coagulation", "liver", "circulation", "consciousness", "kidney")


def _total(parts: Iterable[Column]) -> Column:
    total, *rest = parts
    for part in rest:
        total = total + part
    return total


def _age_points(get: Get) -> Column:
    return _points(get("age_years"), _AGE_LIMITS, rising=True)


def _rules_when(when: str) -> dict[str, Callable[[Get], Column]]:
    """The rules of one moment, by name."""
    rules: dict[str, Callable[[Get], Column]] = {}
    for part in SOFA_PARTS:
        rules[f"sofa_like_{part}_{when}"] = lambda get, part=part: _sofa(get, part, when)  # type: ignore[misc]
    rules[f"sofa_like_{when}"] = lambda get: _total(_sofa(get, part, when) for part in SOFA_PARTS)
    for name in _SAPS:
        rules[f"saps_like_{name}_{when}"] = lambda get, name=name: _saps(get, name, when)  # type: ignore[misc]
    rules[f"saps_like_{when}"] = lambda get: _age_points(get) + _total(_saps(get, name, when) for name in _SAPS)
    rules[f"saps_coma_like_{when}"] = lambda get: (
        rules[f"saps_like_{when}"](get)
        + np.float32(2) * _points(get(_ends("coma", when)[1]), _COMA_LIMITS, rising=False)
    )
    rules[f"oxygenation_{when}"] = lambda get: _oxygenation(get, when)
    return rules


_RULES: Final[dict[str, Callable[[Get], Column]]] = {
    **_rules_when("worst"),
    **_rules_when("now"),
    "pulse_over_mean_pressure_stay": lambda get: get("heart_rate_stay_mean") / get("mean_pressure_stay_mean"),
    "pulse_over_mean_pressure_24h": lambda get: get("heart_rate_mean_24h") / get("mean_pressure_mean_24h"),
    "pulse_pressure_stay": lambda get: get("systolic_pressure_stay_mean") - get("diastolic_pressure_stay_mean"),
    "urea_over_creatinine_stay": lambda get: get("urea_nitrogen_stay_last") / get("creatinine_stay_last"),
    "lactate_cleared": lambda get: get("lactate_stay_max") - get("lactate_stay_last"),
    "age_times_log_urea": lambda get: get("age_years") * np.log(get("urea_nitrogen_stay_max")),
    "age_over_coma_best": lambda get: get("age_years") / get("glasgow_coma_score_stay_max"),
    "age_over_coma_recent": lambda get: get("age_years") / get("glasgow_coma_score_stay_recent"),
    "age_over_coma_now": lambda get: get("age_years") / get("glasgow_coma_score_stay_last"),
    "urine_ml_kg_h": lambda get: get("urine_output_per_h") / get("weight_kg"),
    "urine_recent_ml_kg_h": lambda get: get("urine_output_recent_per_h") / get("weight_kg"),
    "urine_change_per_h": lambda get: get("urine_output_recent_per_h") - get("urine_output_per_h"),
    "body_mass": lambda get: get("weight_kg") / (get("height_cm") / np.float32(100)) ** 2,
}
SEVERITY: Final[tuple[str, ...]] = tuple(_RULES)


def _needed() -> tuple[str, ...]:
    """The columns the rules read: each is called once with a column of nothing that notes what was asked for."""
    asked: dict[str, None] = {}

    def get(name: str) -> Column:
        asked[name] = None
        return np.ones(1, np.float32)

    for rule in _RULES.values():
        rule(get)
    return tuple(asked)


NEEDS: Final[tuple[str, ...]] = _needed()


def severity(others: Callable[[Sequence[str]], Column]) -> Column:
    """`SEVERITY` (n, K) f4 from columns of `NEEDS`, which `others` gives; NaN where a ratio is unknown."""
    table = others(NEEDS)
    places = {name: place for place, name in enumerate(NEEDS)}

    def get(name: str) -> Column:
        column: Column = table[:, places[name]]
        return column

    out = np.empty((table.shape[0], len(_RULES)), np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        for place, rule in enumerate(_RULES.values()):
            made = rule(get)
            out[:, place] = np.where(np.isfinite(made), made, np.float32(np.nan))
    return out
