"""Linear kinetics solved on paper: the concentration after a bolus, an infusion or a dose by mouth, once or for ever.

A mammillary drug's answer to a bolus is a sum of exponentials (Gibaldi and Perrier, Pharmacokinetics, 2nd ed. 1982,
chapters 1 to 3; three compartments by the cubic's trigonometric roots). These functions check the compiled models, fit
data and answer dosing questions; they share no code with the kernels. Any consistent units: mg, L and h give mg/L.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vitruvian.core.errors import ModelError

__all__ = ["Disposition", "bolus", "disposition", "infusion", "infusion_for_ever", "oral", "oral_for_ever"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Disposition:
    """A drug's answer to a bolus of one unit: concentration = sum of weights (n,) times exp(-rates (n,) t)."""

    rates: Floats
    weights: Floats

    @property
    def clearance(self) -> float:
        """Dose over the area under its concentration."""
        return float(1.0 / (self.weights / self.rates).sum())


def disposition(clearance: float, volume: float, *tissues: float) -> Disposition:
    """Of one, two or three compartments: `tissues` are flow and volume of each further one. Raises ModelError."""
    values = (clearance, volume, *tissues)
    if len(values) not in (2, 4, 6) or not all(math.isfinite(one) and one > 0 for one in values):
        raise ModelError(
            f"found kinetics {values}, expected clearance, volume and up to two flows with volumes, all above 0"
        )
    k10 = clearance / volume
    if not tissues:
        return Disposition(np.array([k10]), np.array([1.0 / volume]))
    k12, k21 = tissues[0] / volume, tissues[0] / tissues[1]
    if len(tissues) == 2:
        total, product = k10 + k12 + k21, k10 * k21
        fast = 0.5 * (total + math.sqrt(total * total - 4.0 * product))
        rates = np.array([fast, product / fast])
        return Disposition(rates, np.array([(rates[0] - k21), (k21 - rates[1])]) / (rates[0] - rates[1]) / volume)
    k13, k31 = tissues[2] / volume, tissues[2] / tissues[3]
    rates = _cubic(k10 + k12 + k21 + k13 + k31, k10 * (k21 + k31) + k21 * k31 + k12 * k31 + k13 * k21, k10 * k21 * k31)
    weights = [
        (k21 - one) * (k31 - one) / math.prod(other - one for other in rates if other != one) / volume for one in rates
    ]
    return Disposition(rates, np.array(weights))


def _cubic(a: float, b: float, c: float) -> Floats:
    """The three positive roots of x^3 - a x^2 + b x - c, largest first; polished by Newton's method."""
    p, q = b - a * a / 3.0, a * b / 3.0 - 2.0 * a**3 / 27.0 - c
    size = 2.0 * math.sqrt(max(-p, 0.0) / 3.0)
    angle = math.acos(max(-1.0, min(1.0, -4.0 * q / size**3))) / 3.0 if size > 0 else 0.0
    roots = np.array([size * math.cos(angle - 2.0 * math.pi * k / 3.0) + a / 3.0 for k in range(3)])
    for _ in range(3):
        roots -= (((roots - a) * roots + b) * roots - c) / ((3.0 * roots - 2.0 * a) * roots + b)
    return np.asarray(np.sort(roots)[::-1], np.float64)


def bolus(drug: Disposition, times: ArrayLike, dose: float) -> Floats:
    """Concentration at `times` (T,) after a bolus at 0; 0 before it."""
    t = np.asarray(times, np.float64)[..., None]
    summed = (drug.weights * np.exp(-drug.rates * np.maximum(t, 0.0))).sum(-1)
    return np.asarray(np.where(t[..., 0] >= 0, dose * summed, 0.0))


def infusion(drug: Disposition, times: ArrayLike, rate: float, duration: float) -> Floats:
    """Concentration at `times` (T,) under an infusion from 0 to `duration`."""
    t = np.maximum(np.asarray(times, np.float64), 0.0)[..., None]
    during = np.minimum(t, duration)
    share = -np.expm1(-drug.rates * during) * np.exp(-drug.rates * (t - during))
    return np.asarray((drug.weights * rate / drug.rates * share).sum(-1))


def oral(drug: Disposition, times: ArrayLike, dose: float, absorption: float, lag: float = 0.0) -> Floats:
    """Concentration at `times` (T,) after an absorbed dose at 0, taken up at a rate `absorption` after a lag.

    Where a rate of disposition is the absorption rate, the limit holds (flip-flop has no hole in it).
    """
    t = np.maximum(np.asarray(times, np.float64) - lag, 0.0)[..., None]
    gap = np.abs(absorption - drug.rates)
    same = gap < 1e-7 * absorption
    slower = np.minimum(absorption, drug.rates)
    apart = np.exp(-slower * t) * -np.expm1(-gap * t) / np.where(same, 1.0, gap)
    share = np.where(same, t * np.exp(-absorption * t), apart)
    return np.asarray((drug.weights * dose * absorption * share).sum(-1))


def infusion_for_ever(drug: Disposition, times: ArrayLike, rate: float, duration: float, interval: float) -> Floats:
    """Steady state: concentration at `times` (T,) within the interval after the start of an infusion that has been
    given every `interval` for ever. Raises ModelError where it is longer than the interval.
    """
    if not 0 < duration <= interval:
        raise ModelError(f"found an infusion of {duration} every {interval}, expected one no longer than the interval")
    t = np.asarray(times, np.float64)[..., None]
    since = t + interval - duration  # from the end of the last infusion but this one
    before = np.expm1(-drug.rates * duration) * np.exp(-drug.rates * since) / np.expm1(-drug.rates * interval)
    return np.asarray((drug.weights * rate / drug.rates * before).sum(-1) + infusion(drug, times, rate, duration))


def oral_for_ever(drug: Disposition, times: ArrayLike, dose: float, absorption: float, interval: float) -> Floats:
    """Steady state: concentration at `times` (T,) after a dose that is absorbed every `interval`, within it."""
    t = np.asarray(times, np.float64)[..., None]

    def piled(rates: ArrayLike) -> Floats:
        rates = np.asarray(rates, np.float64)
        return np.asarray(np.exp(-rates * t) / -np.expm1(-rates * interval))

    gap = absorption - drug.rates
    if (np.abs(gap) < 1e-7 * absorption).any():
        raise ModelError("found absorption as fast as a phase of disposition, expected them apart; move one a little")
    return np.asarray((drug.weights * dose * absorption / gap * (piled(drug.rates) - piled(absorption))).sum(-1))
