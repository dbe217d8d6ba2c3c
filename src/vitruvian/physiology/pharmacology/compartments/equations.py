"""The kernels of the linear drugs: one, two or three compartments, with a gut and an enzyme that can be slowed or made
more of.

Amounts are mg, volumes L, time whatever the parameters say (h in all drugs here). The clearance is split as in Rowland
and Matin 1973 (J Pharmacokinet Biopharm 1:553): a renal share, which follows the kidney, and a hepatic one, of which
the enzyme's share is divided by 1 + I/Ki and multiplied by the amount of enzyme there is.
"""

from __future__ import annotations

from typing import Any

from numba import njit

GUT, CENTRAL, ENZYME, PERIPHERAL, DEEP = range(5)
CLEARANCE, RENAL_SHARE, ENZYME_SHARE, ABSORPTION, TURNOVER, VOLUME, BIOAVAILABILITY, Q2, V2, Q3, V3 = range(11)
RATE, INHIBITION, INDUCTION, RENAL, HEPATIC = range(5)


@njit
def cleared(enzyme: float, p: Any, u: Any) -> float:
    """The clearance now, L per unit of time."""
    by_enzyme = p[ENZYME_SHARE] * enzyme / (1.0 + u[INHIBITION]) + 1.0 - p[ENZYME_SHARE]
    share = p[RENAL_SHARE] * u[RENAL] + (1.0 - p[RENAL_SHARE]) * u[HEPATIC] * by_enzyme
    return float(p[CLEARANCE] * share)


@njit
def rhs_1(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """One compartment."""
    absorbed = p[ABSORPTION] * y[GUT]
    dydt[GUT] = -absorbed
    dydt[CENTRAL] = absorbed + u[RATE] - cleared(y[ENZYME], p, u) * y[CENTRAL] / p[VOLUME]
    dydt[ENZYME] = p[TURNOVER] * (1.0 + u[INDUCTION] - y[ENZYME])


@njit
def rhs_2(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Two compartments."""
    rhs_1(t, y, p, u, dydt)
    exchanged = p[Q2] * (y[CENTRAL] / p[VOLUME] - y[PERIPHERAL] / p[V2])
    dydt[CENTRAL] -= exchanged
    dydt[PERIPHERAL] = exchanged


@njit
def rhs_3(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Three compartments."""
    rhs_2(t, y, p, u, dydt)
    exchanged = p[Q3] * (y[CENTRAL] / p[VOLUME] - y[DEEP] / p[V3])
    dydt[CENTRAL] -= exchanged
    dydt[DEEP] = exchanged


@njit
def observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """Concentration in plasma, clearance, and the amount of enzyme."""
    out[0] = y[CENTRAL] / p[VOLUME]
    out[1] = cleared(y[ENZYME], p, u)
    out[2] = y[ENZYME]


@njit
def start(p: Any, u: Any, y: Any) -> None:
    """No drug; as much enzyme as the inducer sustains."""
    for i in range(y.shape[0]):
        y[i] = 0.0
    y[ENZYME] = 1.0 + u[INDUCTION]
