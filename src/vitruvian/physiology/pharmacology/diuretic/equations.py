"""The kernels of furosemide: gut, plasma, what reaches the urine, and the diuresis that follows from it.

The diuretic acts from inside the tubule, so that its effect goes with its rate of excretion (Kaojarern, Day and Brater
1982 Kidney Int 22:69). Amounts are mg, time is hours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

GUT, CENTRAL, EXCRETION = range(3)
CLEARANCE, VOLUME, RENAL_SHARE, ABSORPTION, TUBULE, HALF, HILL, MOST = range(8)


@njit
def factor(excretion: float, p: Any) -> float:
    """Urine flow over what it would be."""
    if excretion <= 0.0:
        return 1.0
    return float(1.0 + p[MOST] / (1.0 + np.exp(p[HILL] * (np.log(p[HALF]) - np.log(excretion)))))


@njit
def rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """u is the infusion (mg/h) and the kidney's function."""
    level = y[CENTRAL] / p[VOLUME]
    renal = p[CLEARANCE] * p[RENAL_SHARE] * u[1]
    absorbed = p[ABSORPTION] * y[GUT]
    dydt[GUT] = -absorbed
    dydt[CENTRAL] = absorbed + u[0] - (renal + p[CLEARANCE] * (1.0 - p[RENAL_SHARE])) * level
    dydt[EXCRETION] = p[TUBULE] * (renal * level - y[EXCRETION])


@njit
def observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """Concentration, excretion, effect."""
    out[0] = y[CENTRAL] / p[VOLUME]
    out[1] = y[EXCRETION]
    out[2] = factor(y[EXCRETION], p)


@njit
def emit(t: float, y: Any, p: Any, x: Any) -> None:
    """The factor on urine flow."""
    x[0] = factor(y[EXCRETION], p)


@njit
def start(p: Any, u: Any, y: Any) -> None:
    """No drug."""
    for i in range(y.shape[0]):
        y[i] = 0.0
