"""The kernels of the intensive-care model: glucose, insulin and nutrition of the critically ill (ICING).

Numbers in brackets are equations of Lin et al. 2011 (Comput Methods Programs Biomed 102:192). Glucose is held as an
amount (mmol) and insulin of plasma too (mU), each in its volume; interstitial insulin is mU/L; time is minutes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

GLUCOSE, INTERSTITIAL, INSULIN, STOMACH, GUT = range(5)
V_G, P_G, EGP, CNS, SENSITIVITY, ALPHA_G, V_I, ALPHA_I, N_I, N_C, N_K, N_L, X_L = range(13)
U_MAX, U_SLOPE, D1, D2, P_MAX, WEIGHT = range(13, 19)
INSULIN_RATE, DEXTROSE, FEED = range(3)
FACTOR = 3  # the import: another room's effect on insulin sensitivity

MMOL_PER_G: Final = 1000.0 / 180.156  # molar mass of glucose
MG_DL: Final = 18.0156  # mg/dL in 1 mmol/L
REFERENCE_SENSITIVITY: Final = 3.0e-4  # L/mU/min, what 1 of the output means


@njit
def secreted(insulin: float, p: Any) -> float:
    """Endogenous insulin [14], mU/min: suppressed by insulin in plasma."""
    return float(p[U_MAX] * np.exp(-insulin * p[U_SLOPE]))


@njit
def from_gut(gut: float, p: Any) -> float:
    """Glucose from the gut [7], mmol/min, at most what can be absorbed."""
    return float(min(p[D2] * gut, p[P_MAX]))


@njit
def rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Slopes of the five states, per minute."""
    glucose = y[GLUCOSE] / p[V_G]
    effect = y[INTERSTITIAL] / (1.0 + p[ALPHA_G] * y[INTERSTITIAL])
    uptake = (p[P_G] + p[SENSITIVITY] * u[FACTOR] * effect) * glucose
    absorbed = from_gut(y[GUT], p)
    given = u[DEXTROSE] * MMOL_PER_G / 60.0
    brain = p[CNS] * min(1.0, max(glucose, 0.0) / 0.5)  # 0.5 mmol/L: keeps the amount positive, far below survival
    dydt[GLUCOSE] = absorbed + given + p[EGP] - brain - uptake * p[V_G]
    insulin = y[INSULIN] / p[V_I]
    crossed = p[N_I] * (insulin - y[INTERSTITIAL])
    dydt[INTERSTITIAL] = crossed - p[N_C] * effect
    lost = p[N_K] * insulin + p[N_L] * insulin / (1.0 + p[ALPHA_I] * insulin)
    own = (1.0 - p[X_L]) * secreted(insulin, p)
    dydt[INSULIN] = u[INSULIN_RATE] * 1000.0 / 60.0 + own - (lost + crossed) * p[V_I]
    dydt[STOMACH] = u[FEED] * MMOL_PER_G - p[D1] * y[STOMACH]
    dydt[GUT] = p[D1] * y[STOMACH] - absorbed


@njit
def observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """The outputs, in the order that `parameters.OUTPUTS` declares."""
    out[0] = y[GLUCOSE] / p[V_G] * MG_DL
    out[1] = y[INSULIN] / p[V_I]
    out[2] = p[SENSITIVITY] * u[FACTOR] / REFERENCE_SENSITIVITY
    out[3] = y[INTERSTITIAL]
    out[4] = from_gut(y[GUT], p) / MMOL_PER_G * 60.0


@njit
def start(p: Any, u: Any, y: Any) -> None:
    """The steady state under the given infusions and feed."""
    infused = u[INSULIN_RATE] * 1000.0 / 60.0
    low, high = 0.0, 1e5
    for _ in range(100):
        insulin = 0.5 * (low + high)
        interstitial = _interstitial(insulin, p)
        lost = p[N_K] * insulin + p[N_L] * insulin / (1.0 + p[ALPHA_I] * insulin)
        own = (1.0 - p[X_L]) * secreted(insulin, p)
        if (infused + own) / p[V_I] > lost + p[N_I] * (insulin - interstitial):
            low = insulin
        else:
            high = insulin
    insulin = 0.5 * (low + high)
    y[INSULIN] = insulin * p[V_I]
    y[INTERSTITIAL] = _interstitial(insulin, p)
    feed = u[FEED] * MMOL_PER_G
    y[STOMACH] = feed / p[D1]
    y[GUT] = min(feed, p[P_MAX]) / p[D2]
    effect = y[INTERSTITIAL] / (1.0 + p[ALPHA_G] * y[INTERSTITIAL])
    gained = min(feed, p[P_MAX]) + u[DEXTROSE] * MMOL_PER_G / 60.0 + p[EGP] - p[CNS]
    y[GLUCOSE] = max(gained, 1e-3) / (p[P_G] + p[SENSITIVITY] * u[FACTOR] * effect)


@njit
def _interstitial(insulin: float, p: Any) -> float:
    """Where interstitial insulin stands still: the positive root of n_I (I - Q) = n_C Q / (1 + a Q)."""
    a = p[N_I] * p[ALPHA_G]
    b = p[N_I] + p[N_C] - p[N_I] * p[ALPHA_G] * insulin
    return float((-b + np.sqrt(b * b + 4.0 * a * p[N_I] * insulin)) / (2.0 * a))
