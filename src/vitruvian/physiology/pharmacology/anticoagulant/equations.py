"""The kernels of warfarin: both enantiomers, the inhibition of clotting-factor synthesis, and the INR.

Hamberg et al. 2007 (Clin Pharmacol Ther 81:529), appendix. Synthesis under drug, as a share of the usual, passes two
parallel chains: six compartments (fast factors) and one (slow). INR = base + INRmax (1 - fast slow)^lambda.
Amounts are mg, time is hours.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

GUT, S_CENTRAL, S_PERIPHERAL, R_CENTRAL, ENZYME, FAST = range(6)
SLOW = 11
CL_S, V1_S, Q_S, V2_S, ABSORPTION, CL_R, V_R, ENZYME_SHARE, TURNOVER = range(9)
EC50, HILL, MTT_FAST, MTT_SLOW, INR_BASE, INR_MAX, LAMBDA = range(9, 16)
INHIBITION, INDUCTION, HEPATIC = range(3)
CHAIN = 6


@njit
def blocked(level: float, p: Any) -> float:
    """Share of synthesis that S-warfarin at `level` (mg/L) prevents."""
    if level <= 0.0:
        return 0.0
    return float(1.0 / (1.0 + np.exp(p[HILL] * (np.log(p[EC50]) - np.log(level)))))


@njit
def rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Slopes of the twelve states, per hour."""
    by_enzyme = p[ENZYME_SHARE] * y[ENZYME] / (1.0 + u[INHIBITION]) + 1.0 - p[ENZYME_SHARE]
    absorbed = p[ABSORPTION] * y[GUT]
    level = y[S_CENTRAL] / p[V1_S]
    exchanged = p[Q_S] * (level - y[S_PERIPHERAL] / p[V2_S])
    dydt[GUT] = -absorbed
    dydt[S_CENTRAL] = 0.5 * absorbed - p[CL_S] * u[HEPATIC] * by_enzyme * level - exchanged
    dydt[S_PERIPHERAL] = exchanged
    dydt[R_CENTRAL] = 0.5 * absorbed - p[CL_R] * u[HEPATIC] * y[R_CENTRAL] / p[V_R]
    dydt[ENZYME] = p[TURNOVER] * (1.0 + u[INDUCTION] - y[ENZYME])
    made = 1.0 - blocked(level, p)
    rate = CHAIN / p[MTT_FAST]
    for i in range(CHAIN):
        before = made if i == 0 else y[FAST + i - 1]
        dydt[FAST + i] = rate * (before - y[FAST + i])
    dydt[SLOW] = (made - y[SLOW]) / p[MTT_SLOW]


@njit
def observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """INR, warfarin in plasma (both enantiomers), S-warfarin, and the share of clotting activity left."""
    left = y[FAST + CHAIN - 1] * y[SLOW]
    out[0] = p[INR_BASE] + p[INR_MAX] * max(1.0 - left, 0.0) ** p[LAMBDA]
    s_level = y[S_CENTRAL] / p[V1_S]
    out[1] = s_level + y[R_CENTRAL] / p[V_R]
    out[2] = s_level
    out[3] = 100.0 * left


@njit
def start(p: Any, u: Any, y: Any) -> None:
    """No drug, factors as they are."""
    for i in range(y.shape[0]):
        y[i] = 0.0
    y[ENZYME] = 1.0 + u[INDUCTION]
    for i in range(CHAIN):
        y[FAST + i] = 1.0
    y[SLOW] = 1.0
