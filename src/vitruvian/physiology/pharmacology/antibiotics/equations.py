"""The kernels of the antibiotics: vancomycin, and ciprofloxacin with the bacteria it kills.

Vancomycin: Goti et al. 2018 (Ther Drug Monit 40:212). Bacteria: Regoes et al. 2004 (Antimicrob Agents Chemother
48:3670), equation 3, with growth that stops at a largest density. Amounts are mg, time is hours.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

CENTRAL, PERIPHERAL, EXPOSURE = range(3)
CLEARANCE, V1, Q2, V2, CREATININE_CLEARANCE, DIALYSIS = range(6)
CRCL_REFERENCE: Final = 120.0  # mL/min, Goti 2018
CRCL_HIGHEST: Final = 150.0  # where Goti 2018 cuts it

GUT, LEVEL, OTHER, COUNT = range(4)
C_CLEARANCE, C_V1, C_Q2, C_V2, C_RENAL, C_ABSORPTION, C_FREE, MIC, GROWTH, DEATH, KAPPA, MOST, INOCULUM = range(13)
LEAST: Final = -9.0  # log10 CFU/mL: long gone
LN10: Final = np.log(10.0)


@njit
def vancomycin_clearance(p: Any, u: Any) -> float:
    """L/h, from creatinine clearance under the kidney's function now."""
    clearance = min(p[CREATININE_CLEARANCE] * u[1], CRCL_HIGHEST)
    return float(p[CLEARANCE] * (clearance / CRCL_REFERENCE) ** 0.8 * 0.7 ** p[DIALYSIS])


@njit
def vancomycin_rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Two compartments under an infusion (mg/h), and the area under the concentration."""
    level = y[CENTRAL] / p[V1]
    exchanged = p[Q2] * (level - y[PERIPHERAL] / p[V2])
    dydt[CENTRAL] = u[0] - vancomycin_clearance(p, u) * level - exchanged
    dydt[PERIPHERAL] = exchanged
    dydt[EXPOSURE] = level


@njit
def vancomycin_observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """Concentration, area under it so far, clearance."""
    out[0] = y[CENTRAL] / p[V1]
    out[1] = y[EXPOSURE]
    out[2] = vancomycin_clearance(p, u)


@njit
def start(p: Any, u: Any, y: Any) -> None:
    """No drug."""
    for i in range(y.shape[0]):
        y[i] = 0.0


@njit
def net_growth(level: Any, mic: Any, growth: Any, death: Any, kappa: Any) -> Any:
    """Net growth rate (/h) at a concentration: `growth` without drug, `death` (below 0) at most, 0 at the MIC."""
    if level <= 0.0:
        return growth
    power = np.exp(kappa * (np.log(level) - np.log(mic)))
    return float(growth - (growth - death) * power / (power - death / growth))


@njit
def ciprofloxacin_rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Gut and two compartments; bacteria as the logarithm (base 10) of their number in a mL."""
    level = y[LEVEL] / p[C_V1]
    exchanged = p[C_Q2] * (level - y[OTHER] / p[C_V2])
    absorbed = p[C_ABSORPTION] * y[GUT]
    cleared = p[C_CLEARANCE] * (p[C_RENAL] * u[1] + 1.0 - p[C_RENAL])
    dydt[GUT] = -absorbed
    dydt[LEVEL] = absorbed + u[0] - cleared * level - exchanged
    dydt[OTHER] = exchanged
    rate = net_growth(level * p[C_FREE], p[MIC], p[GROWTH], p[DEATH], p[KAPPA])
    if rate > 0.0:
        rate *= max(1.0 - 10.0 ** (y[COUNT] - p[MOST]), 0.0)
    else:
        rate *= min(max(y[COUNT] - LEAST, 0.0), 1.0)
    dydt[COUNT] = rate / LN10


@njit
def ciprofloxacin_observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """Bacteria, concentration, and the net growth rate now."""
    level = y[LEVEL] / p[C_V1]
    out[0] = y[COUNT]
    out[1] = level
    out[2] = net_growth(level * p[C_FREE], p[MIC], p[GROWTH], p[DEATH], p[KAPPA])


@njit
def ciprofloxacin_emit(t: float, y: Any, p: Any, x: Any) -> None:
    """Free concentration in plasma (mg/L)."""
    x[0] = y[LEVEL] / p[C_V1] * p[C_FREE]


@njit
def ciprofloxacin_start(p: Any, u: Any, y: Any) -> None:
    """No drug; the bacteria that were brought in."""
    for i in range(y.shape[0]):
        y[i] = 0.0
    y[COUNT] = p[INOCULUM]
