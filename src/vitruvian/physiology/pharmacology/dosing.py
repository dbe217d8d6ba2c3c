"""Questions of dosing, answered on paper from a drug's parameters: peak, trough and exposure of a regimen in the
steady state, and the dose that reaches an exposure.

    >>> from vitruvian.physiology.person import Person
    >>> found = vancomycin(Person(60, "male", 175, 80), Regimen(1_000, 12, 1))
    >>> round(found.auc24), round(found.trough, 1)
    (519, 16.5)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from vitruvian.core.errors import ModelError
from vitruvian.physiology.base import Model
from vitruvian.physiology.person import Person
from vitruvian.physiology.pharmacology.antibiotics import VANCOMYCIN
from vitruvian.physiology.pharmacology.antibiotics.equations import CRCL_HIGHEST, CRCL_REFERENCE
from vitruvian.physiology.pharmacology.antibiotics.parameters import cockcroft_gault
from vitruvian.physiology.pharmacology.closed_form import Disposition, disposition, infusion_for_ever

__all__ = ["AUC24_TARGET", "Regimen", "SteadyState", "dose_for_auc24", "steady_state", "vancomycin"]

# Rybak 2020 Am J Health Syst Pharm 77:835: the exposure that serves and does not harm, at an MIC of 1 mg/L.
AUC24_TARGET: Final = (400.0, 600.0)  # mg h/L


@dataclass(frozen=True, slots=True)
class Regimen:
    """A dose (mg) by infusion over `infusion_h` every `interval_h`, after a first one of `loading_mg` (0: like all)."""

    dose_mg: float
    interval_h: float
    infusion_h: float = 1.0
    loading_mg: float = 0.0

    def __post_init__(self) -> None:
        if not (self.dose_mg > 0 and 0 < self.infusion_h <= self.interval_h and self.loading_mg >= 0):
            raise ModelError(f"found {self}, expected doses above 0 and an infusion no longer than the interval")


@dataclass(frozen=True, slots=True)
class SteadyState:
    """What a regimen comes to (mg/L, mg h/L), and its first day."""

    peak: float
    trough: float
    auc24: float
    auc24_first_day: float


def steady_state(drug: Disposition, regimen: Regimen) -> SteadyState:
    """Peak (end of infusion), trough and daily exposure in the steady state, and the exposure of the first 24 h."""
    rate = regimen.dose_mg / regimen.infusion_h
    times = np.array([regimen.infusion_h, 0.0])
    peak, trough = infusion_for_ever(drug, times, rate, regimen.infusion_h, regimen.interval_h)
    starts = np.arange(0.0, 24.0, regimen.interval_h)
    doses = [regimen.loading_mg or regimen.dose_mg, *[regimen.dose_mg] * (len(starts) - 1)]
    first = sum(_area(drug, dose, regimen.infusion_h, 24.0 - t) for dose, t in zip(doses, starts, strict=True))
    return SteadyState(
        float(peak), float(trough), regimen.dose_mg * 24.0 / regimen.interval_h / drug.clearance, float(first)
    )


def _area(drug: Disposition, dose: float, duration: float, until: float) -> float:
    """Area under one infusion's concentration from its start to `until`: what was given less what is left of it."""
    during, rate = min(duration, until), dose / duration
    grown = (drug.weights * rate / drug.rates * during).sum()
    # The integral of each exponential's share is (what it would be in the end) less (what is still to come).
    lost = (
        drug.weights * rate / drug.rates**2 * -np.expm1(-drug.rates * during) * np.exp(-drug.rates * (until - during))
    ).sum()
    return float(grown - lost)


def vancomycin(
    person: Person,
    regimen: Regimen,
    *,
    creatinine_mg_dl: float | None = None,
    parameters: Mapping[str, float] | None = None,
    model: Model = VANCOMYCIN,
) -> SteadyState:
    """Vancomycin's steady state in a person, by Goti 2018; a creatinine sets the clearance of the kidneys.

    `parameters` sets any other by name (estimated ones of a patient). Raises ModelError outside the model's domain.
    """
    return steady_state(_vancomycin(person, creatinine_mg_dl, parameters, model), regimen)


def _vancomycin(
    person: Person, creatinine_mg_dl: float | None, parameters: Mapping[str, float] | None, model: Model
) -> Disposition:
    reason = model.domain(person) if model.domain is not None else ""
    if reason:
        raise ModelError(f"vancomycin: outside its domain: {reason}")
    changes = dict(parameters or {})
    if creatinine_mg_dl is not None:
        changes.setdefault("creatinine_clearance", min(cockcroft_gault(person, creatinine_mg_dl), 300.0))
    p = dict(zip(model.parameter_index, model.parameter_values(person, changes), strict=True))
    renal = (min(p["creatinine_clearance"], CRCL_HIGHEST) / CRCL_REFERENCE) ** 0.8
    clearance = p["clearance"] * renal * 0.7 ** p["dialysis"]
    return disposition(clearance, p["volume"], p["flow_2"], p["volume_2"])


def dose_for_auc24(
    person: Person,
    target: float,
    interval_h: float,
    *,
    infusion_h: float = 1.0,
    creatinine_mg_dl: float | None = None,
    parameters: Mapping[str, float] | None = None,
) -> Regimen:
    """The vancomycin regimen whose daily exposure in the steady state is `target` (mg h/L). Raises ModelError."""
    if target <= 0:
        raise ModelError(f"found a target of {target} mg h/L, expected one above 0 (usually {AUC24_TARGET})")
    trial = Regimen(1.0, interval_h, infusion_h)
    found = vancomycin(person, trial, creatinine_mg_dl=creatinine_mg_dl, parameters=parameters)
    return replace(trial, dose_mg=target / found.auc24)
