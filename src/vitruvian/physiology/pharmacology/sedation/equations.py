"""The kernels of propofol and fentanyl: three compartments, an effect site, and what they do to pressure and breathing.

Time is minutes. Amounts are mg of propofol and ug of fentanyl, so that both concentrations (mg/L, ug/L) are in the
units of their papers (ug/mL, ng/mL).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

CENTRAL, RAPID, SLOW, EFFECT, TONE = range(5)
CLEARANCE, V1, Q2, V2, Q3, V3, KE0, BREATH_HALF, BREATH_HILL, WEIGHT = range(10)
BIS_HALF, BIS_BASE, BIS_HILL_LOW, BIS_HILL_HIGH = range(10, 14)
TONE_RATE, TONE_MAX, TONE_HALF, TONE_HILL, STROKE_MAX, STROKE_HALF, VENOUS_MAX = range(14, 21)


@njit
def sigmoid(level: Any, half: Any, hill: Any) -> float:
    """Share of the largest effect, 0 to 1."""
    if level <= 0.0:
        return 0.0
    return float(1.0 / (1.0 + np.exp(hill * (np.log(half) - np.log(level)))))


@njit
def disposed(rate: float, y: Any, p: Any, dydt: Any) -> None:
    """Three compartments and the effect site under an infusion of `rate` per minute."""
    level = y[CENTRAL] / p[V1]
    to_rapid = p[Q2] * (level - y[RAPID] / p[V2])
    to_slow = p[Q3] * (level - y[SLOW] / p[V3])
    dydt[CENTRAL] = rate - p[CLEARANCE] * level - to_rapid - to_slow
    dydt[RAPID] = to_rapid
    dydt[SLOW] = to_slow
    dydt[EFFECT] = p[KE0] * (level - y[EFFECT])


@njit
def propofol_rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Propofol (mg/kg/h), and the turnover of vascular tone."""
    disposed(u[0] * p[WEIGHT] / 60.0, y, p, dydt)
    level = y[CENTRAL] / p[V1]
    dydt[TONE] = p[TONE_RATE] * (1.0 - p[TONE_MAX] * sigmoid(level, p[TONE_HALF], p[TONE_HILL]) - y[TONE])


@njit
def propofol_bis(level: float, p: Any) -> float:
    """Bispectral index at an effect-site concentration: two slopes, below and above half effect (Eleveld 2018)."""
    hill = p[BIS_HILL_HIGH] if level > p[BIS_HALF] else p[BIS_HILL_LOW]
    return float(p[BIS_BASE] * (1.0 - sigmoid(level, p[BIS_HALF], hill)))


@njit
def propofol_observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """Plasma, effect site, bispectral index, drive to breathe."""
    out[0] = y[CENTRAL] / p[V1]
    out[1] = y[EFFECT]
    out[2] = propofol_bis(y[EFFECT], p)
    out[3] = 1.0 - sigmoid(y[EFFECT], p[BREATH_HALF], p[BREATH_HILL])


@njit
def propofol_emit(t: float, y: Any, p: Any, x: Any) -> None:
    """Factors on resistance, contractility, venous tone, and the drive to breathe."""
    level = y[CENTRAL] / p[V1]
    x[0] = y[TONE]
    x[1] = 1.0 - p[STROKE_MAX] * sigmoid(level, p[STROKE_HALF], 1.0)
    x[2] = 1.0 - p[VENOUS_MAX] * sigmoid(level, p[TONE_HALF], p[TONE_HILL])
    x[3] = 1.0 - sigmoid(y[EFFECT], p[BREATH_HALF], p[BREATH_HILL])


@njit
def propofol_start(p: Any, u: Any, y: Any) -> None:
    """No drug, tone as it is."""
    for i in range(y.shape[0]):
        y[i] = 0.0
    y[TONE] = 1.0


@njit
def fentanyl_rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Fentanyl (ug/h)."""
    disposed(u[0] / 60.0, y, p, dydt)


@njit
def fentanyl_observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """Plasma, effect site, drive to breathe."""
    out[0] = y[CENTRAL] / p[V1]
    out[1] = y[EFFECT]
    out[2] = 1.0 - sigmoid(y[EFFECT], p[BREATH_HALF], p[BREATH_HILL])


@njit
def fentanyl_emit(t: float, y: Any, p: Any, x: Any) -> None:
    """Factor on the drive to breathe."""
    x[0] = 1.0 - sigmoid(y[EFFECT], p[BREATH_HALF], p[BREATH_HILL])


@njit
def start(p: Any, u: Any, y: Any) -> None:
    """No drug."""
    for i in range(y.shape[0]):
        y[i] = 0.0
