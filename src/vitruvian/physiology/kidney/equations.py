"""The kernels of the kidney: filtration and blood flow under an arterial pressure, urine, creatinine and urea.

Time is minutes. Filtration and blood flow are followed as shares of the person's own; they and urine flow are lagged
states, so that what other rooms see follows from this room's states.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

CREATININE, UREA, FILTRATION, FLOW, URINE, EXCESS, INJURY = range(7)
(GFR, CREATININE_BASE, UREA_BASE, WATER, URINE_BASE, FRACTION, HEMATOCRIT, PRESSURE_REFERENCE, PLATEAU, GFR_STOP,
 FLOW_STOP, PLATEAU_TOP, SLOPE) = range(13)  # fmt: skip
URINE_STOP, URINE_POWER, EXCESS_RATE, DEFICIT_SCALE, LAG, URINE_LAG = range(13, 19)
ISCHAEMIA, ISCHAEMIA_PRESSURE, TOXIN, RECOVERY, AGE, FEMALE, UREA_SHARE, URINE_MOST = range(19, 27)
BLEED, CRYSTALLOID, COLLOID, CELLS, PLASMA, RRT, NEPHROTOXIN, PRESSURE, DIURESIS, DAMAGE = range(10)


@njit
def autoregulated(pressure: float, stop: float, p: Any) -> float:
    """Share of the usual flow at a mean arterial pressure: nearly flat between plateau and its top, falling in a line
    to nothing at `stop`, rising with pressure beyond the top.
    """
    flat = min(max(pressure, p[PLATEAU]), p[PLATEAU_TOP])
    share = (flat / p[PRESSURE_REFERENCE]) ** p[SLOPE]
    if pressure < p[PLATEAU]:
        share *= max(pressure - stop, 0.0) / (p[PLATEAU] - stop)
    elif pressure > p[PLATEAU_TOP]:
        share *= pressure / p[PLATEAU_TOP]
    return float(share)


@njit
def urine_target(y: Any, p: Any, u: Any) -> float:
    """Urine flow (mL/min) that the kidney makes for now: pressure, filtration left, water to spare, diuretic."""
    above = max(u[PRESSURE] - p[URINE_STOP], 0.0) / (p[PRESSURE_REFERENCE] - p[URINE_STOP])
    flow = p[URINE_BASE] * above ** p[URINE_POWER]
    if y[EXCESS] < 0.0:
        flow *= np.exp(y[EXCESS] / p[DEFICIT_SCALE])
    else:
        flow += p[EXCESS_RATE] * y[EXCESS] * min(above, 1.0)
    flow *= (1.0 - y[INJURY]) * u[DIURESIS]
    return float(min(flow, p[URINE_MOST] * p[GFR] * y[FILTRATION]))


@njit
def urea_clearance(y: Any, p: Any) -> float:
    """Urea clearance (mL/min): a share of filtration that falls as urine is concentrated."""
    spread = max(y[URINE] / p[URINE_BASE], 1e-3) ** 0.25
    return float(p[GFR] * y[FILTRATION] * min(max(p[UREA_SHARE] * spread, 0.15), 0.75))


@njit
def rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Slopes of the seven states, per minute."""
    water_dl = 10.0 * p[WATER] + y[EXCESS] / 100.0
    made = p[GFR] / 100.0 * p[CREATININE_BASE]
    dydt[CREATININE] = made - (p[GFR] * y[FILTRATION] + u[RRT]) / 100.0 * y[CREATININE] / water_dl
    made = p[GFR] / 100.0 * p[UREA_SHARE] * p[UREA_BASE]
    dydt[UREA] = made - (urea_clearance(y, p) + u[RRT]) / 100.0 * y[UREA] / water_dl
    left = (1.0 - y[INJURY]) * u[DAMAGE]
    dydt[FILTRATION] = (autoregulated(u[PRESSURE], p[GFR_STOP], p) * left - y[FILTRATION]) / p[LAG]
    flow = autoregulated(u[PRESSURE], p[FLOW_STOP], p) * (1.0 - 0.5 * y[INJURY])
    dydt[FLOW] = (flow - y[FLOW]) / p[LAG]
    dydt[URINE] = (urine_target(y, p, u) - y[URINE]) / p[URINE_LAG]
    given = u[CRYSTALLOID] + u[COLLOID] + u[CELLS] + u[PLASMA] - u[BLEED]
    dydt[EXCESS] = given - (y[URINE] - p[URINE_BASE])
    short = max(p[ISCHAEMIA_PRESSURE] - u[PRESSURE], 0.0) / p[ISCHAEMIA_PRESSURE]
    harm = p[ISCHAEMIA] * short + p[TOXIN] * u[NEPHROTOXIN]
    dydt[INJURY] = harm * (1.0 - y[INJURY]) - y[INJURY] / p[RECOVERY]


@njit
def estimated_gfr(creatinine: Any, age: Any, female: Any) -> float:
    """CKD-EPI 2021 (mL/min/1.73 m2) of serum creatinine (mg/dL): Inker 2021 N Engl J Med 385:1737."""
    kappa = 0.7 if female > 0.5 else 0.9
    alpha = -0.241 if female > 0.5 else -0.302
    ratio = max(creatinine, 1e-3) / kappa
    sex = 1.012 if female > 0.5 else 1.0
    return float(142.0 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.2 * 0.9938**age * sex)


@njit
def observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """The outputs, in the order that `parameters.OUTPUTS` declares."""
    water_dl = 10.0 * p[WATER] + y[EXCESS] / 100.0
    out[0] = p[GFR] * y[FILTRATION]
    out[1] = p[GFR] / (p[FRACTION] * (1.0 - p[HEMATOCRIT])) * y[FLOW]
    out[2] = 60.0 * y[URINE]
    out[3] = y[CREATININE] / water_dl
    out[4] = estimated_gfr(out[3], p[AGE], p[FEMALE])
    out[5] = y[UREA] / water_dl
    out[6] = y[INJURY]
    out[7] = y[EXCESS]


@njit
def emit(t: float, y: Any, p: Any, x: Any) -> None:
    """Urine flow (mL/s), and filtration as a share of the person's own."""
    x[0] = y[URINE] / 60.0
    x[1] = max(y[FILTRATION], 0.0)


@njit
def start(p: Any, u: Any, y: Any) -> None:
    """The steady state without injury, at the pressure given."""
    y[CREATININE] = p[CREATININE_BASE] * 10.0 * p[WATER]
    y[UREA] = p[UREA_BASE] * 10.0 * p[WATER]
    y[EXCESS] = 0.0
    y[INJURY] = 0.0
    y[FILTRATION] = autoregulated(u[PRESSURE], p[GFR_STOP], p) * u[DAMAGE]
    y[FLOW] = autoregulated(u[PRESSURE], p[FLOW_STOP], p)
    y[URINE] = urine_target(y, p, u)
