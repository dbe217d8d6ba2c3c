"""The kernels of the drugs that act on heart and vessels: norepinephrine, esmolol and metoprolol.

Time is minutes for norepinephrine and esmolol, hours for metoprolol. Every effect is a sigmoid of the concentration at
an effect site, so that what other rooms see follows from this room's states alone.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

# norepinephrine
NE_CENTRAL, NE_EFFECT = range(2)
NE_CLEARANCE, NE_VOLUME, NE_KE0, NE_EC50, NE_HILL = range(5)
NE_RESISTANCE, NE_VENOUS, NE_CONTRACTILITY, NE_HEART, NE_OWN, NE_SENSITIVITY, NE_WEIGHT = range(5, 12)
# esmolol and metoprolol
B_CENTRAL, B_EFFECT, B_PERIPHERAL, B_GUT, B_ENZYME = range(5)
B_CLEARANCE, B_VOLUME, B_FLOW, B_VOLUME_2, B_KE0, B_EC50, B_HEART, B_CONTRACTILITY, B_WEIGHT = range(9)
B_ENZYME_SHARE, B_ABSORPTION, B_TURNOVER = range(9, 12)

UG_PER_MG: Final = 1_000.0


@njit
def sigmoid(level: Any, half: Any, hill: Any) -> float:
    """Share of the largest effect, 0 to 1."""
    if level <= 0.0:
        return 0.0
    return float(1.0 / (1.0 + np.exp(hill * (np.log(half) - np.log(level)))))


@njit
def norepinephrine_rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """One compartment (ug) and an effect site (ug/L)."""
    level = y[NE_CENTRAL] / p[NE_VOLUME]
    dydt[NE_CENTRAL] = u[0] * p[NE_WEIGHT] - p[NE_CLEARANCE] * level
    dydt[NE_EFFECT] = p[NE_KE0] * (level - y[NE_EFFECT])


@njit
def norepinephrine_effect(y: Any, p: Any) -> float:
    """Share of the largest effect."""
    return float(sigmoid(y[NE_EFFECT], p[NE_EC50] / p[NE_SENSITIVITY], p[NE_HILL]))


@njit
def norepinephrine_observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """Concentration in plasma (with the body's own), and the effect on resistance."""
    out[0] = y[NE_CENTRAL] / p[NE_VOLUME] + p[NE_OWN]
    out[1] = 1.0 + p[NE_RESISTANCE] * norepinephrine_effect(y, p)


@njit
def norepinephrine_emit(t: float, y: Any, p: Any, x: Any) -> None:
    """Factors on resistance, venous tone, contractility and heart rate."""
    effect = norepinephrine_effect(y, p)
    x[0] = 1.0 + p[NE_RESISTANCE] * effect
    x[1] = 1.0 + p[NE_VENOUS] * effect
    x[2] = 1.0 + p[NE_CONTRACTILITY] * effect
    x[3] = 1.0 + p[NE_HEART] * effect


@njit
def esmolol_rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Two compartments (mg) and an effect site (mg/L)."""
    level = y[B_CENTRAL] / p[B_VOLUME]
    exchanged = p[B_FLOW] * (level - y[B_PERIPHERAL] / p[B_VOLUME_2])
    dydt[B_CENTRAL] = u[0] * p[B_WEIGHT] / UG_PER_MG - p[B_CLEARANCE] * level - exchanged
    dydt[B_PERIPHERAL] = exchanged
    dydt[B_EFFECT] = p[B_KE0] * (level - y[B_EFFECT])


@njit
def metoprolol_rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """As esmolol, with a gut and an enzyme; u is the infusion (mg/h), inhibition, induction, the liver's function."""
    enzyme = p[B_ENZYME_SHARE] * y[B_ENZYME] / (1.0 + u[1]) + 1.0 - p[B_ENZYME_SHARE]
    level = y[B_CENTRAL] / p[B_VOLUME]
    exchanged = p[B_FLOW] * (level - y[B_PERIPHERAL] / p[B_VOLUME_2])
    absorbed = p[B_ABSORPTION] * y[B_GUT]
    dydt[B_CENTRAL] = absorbed + u[0] - p[B_CLEARANCE] * u[3] * enzyme * level - exchanged
    dydt[B_PERIPHERAL] = exchanged
    dydt[B_EFFECT] = p[B_KE0] * (level - y[B_EFFECT])
    dydt[B_GUT] = -absorbed
    dydt[B_ENZYME] = p[B_TURNOVER] * (1.0 + u[2] - y[B_ENZYME])


@njit
def blocker_observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """Concentration in plasma and the share of beta receptors' effect that is blocked."""
    out[0] = y[B_CENTRAL] / p[B_VOLUME]
    out[1] = sigmoid(y[B_EFFECT], p[B_EC50], 1.0)


@njit
def blocker_emit(t: float, y: Any, p: Any, x: Any) -> None:
    """Factors on heart rate and contractility."""
    blocked = sigmoid(y[B_EFFECT], p[B_EC50], 1.0)
    x[0] = 1.0 - p[B_HEART] * blocked
    x[1] = 1.0 - p[B_CONTRACTILITY] * blocked


@njit
def start(p: Any, u: Any, y: Any) -> None:
    """No drug."""
    for i in range(y.shape[0]):
        y[i] = 0.0


@njit
def metoprolol_start(p: Any, u: Any, y: Any) -> None:
    """No drug; as much enzyme as the inducer sustains."""
    for i in range(y.shape[0]):
        y[i] = 0.0
    y[B_ENZYME] = 1.0 + u[2]
