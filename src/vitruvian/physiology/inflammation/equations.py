"""The equations of inflammation: Reynolds 2006, eqs of the four-variable model, with an antibiotic's kill curve.

Time in h; pathogen, phagocytes, damage and mediators in the paper's units.
"""

from __future__ import annotations

import math
from typing import Final

from numba import njit

from vitruvian.physiology.inflammation.names import I, P, S

__all__ = ["emit", "kill_rate", "observe", "rhs", "start"]

LEUKOCYTES_REST: Final = 7.0
LEUKOCYTES_RISE: Final = 20.0
TEMPERATURE_REST_CEL: Final = 37.0


@njit(error_model="numpy")
def kill_rate(exposure, growth, psi_min, kappa):  # type: ignore[no-untyped-def]
    """What an antibiotic at `exposure` times the minimal inhibitory concentration takes off the growth rate, /h
    (Regoes 2004, eq. 3, with the growth rate as psi_max): at 1, exactly the growth.
    """
    if exposure <= 0.0:
        return 0.0
    power = math.exp(kappa * math.log(exposure))
    return (growth - psi_min) * power / (power - psi_min / growth)


@njit(error_model="numpy")
def rhs(t, y, p, u, dydt):  # type: ignore[no-untyped-def]
    """Slopes an hour. Reynolds 2006: dP/dt, dN*/dt, dD/dt, dC_A/dt; `injury` is ours."""
    pathogen, cells = max(y[S.pathogen], 0.0), max(y[S.phagocytes], 0.0)
    damage, calm = max(y[S.damage], 0.0), max(y[S.anti_inflammatory], 0.0)
    ratio = calm / p[P.c_inf]
    held = 1.0 / (1.0 + ratio * ratio)
    active = cells * held
    growth = p[P.k_pg]
    local = p[P.k_pm] * p[P.s_m] / (p[P.mu_m] + p[P.k_mp] * pathogen)
    exposure = u[I.antibiotic] * p[P.exposure_mic] + u[I.antibiotic_concentration] / p[P.mic]
    killed = kill_rate(exposure * p[P.penetration], growth, p[P.psi_min], p[P.kappa])
    net = growth * (1.0 - pathogen / p[P.p_inf]) - local - p[P.k_pn] * active - killed
    # What rounding takes below nothing goes back to it; it does not grow.
    dydt[S.pathogen] = net * pathogen - min(y[S.pathogen], 0.0)
    stimulus = held * (p[P.k_nn] * cells + p[P.k_np] * pathogen + p[P.k_nd] * damage)
    dydt[S.phagocytes] = p[P.s_nr] * stimulus / (p[P.mu_nr] + stimulus) - p[P.mu_n] * cells
    sixth = (active / p[P.x_dn]) ** 2
    sixth = sixth * sixth * sixth
    dydt[S.damage] = p[P.k_dn] * sixth / (1.0 + sixth) - p[P.mu_d] * damage
    called = held * (cells + p[P.k_cnd] * damage)
    source = p[P.s_c] * (1.0 + u[I.anti_inflammatory_therapy])
    dydt[S.anti_inflammatory] = source + p[P.k_cn] * called / (1.0 + called) - p[P.mu_c] * calm
    felt = level(cells, p)
    dydt[S.injury] = (felt * felt / (1.0 + felt * felt) - y[S.injury]) / p[P.injury_lag]


@njit(error_model="numpy")
def level(cells, p):  # type: ignore[no-untyped-def]
    """Activated phagocytes against those at half of the effect on organs."""
    return cells / p[P.injury_half]


@njit(error_model="numpy")
def harm(y, p):  # type: ignore[no-untyped-def]
    """How much tissue damage adds to what inflammation does, 0 to 1."""
    ratio = max(y[S.damage], 0.0) / p[P.damage_half]
    return ratio / (1.0 + ratio)


@njit(error_model="numpy")
def observe(t, y, p, u, out):  # type: ignore[no-untyped-def]
    """What is seen, in the order of OUTPUTS."""
    out[0] = max(y[S.pathogen], 0.0)
    out[1] = level(max(y[S.phagocytes], 0.0), p)
    out[2] = max(y[S.damage], 0.0)
    out[3] = y[S.anti_inflammatory]
    out[4] = TEMPERATURE_REST_CEL + p[P.fever] * y[S.injury]
    out[5] = LEUKOCYTES_REST + LEUKOCYTES_RISE * max(y[S.phagocytes], 0.0) * p[P.mu_n] / p[P.s_nr]


@njit(error_model="numpy")
def emit(t, y, p, x):  # type: ignore[no-untyped-def]
    """Exports, in the order of EXPORTS. All of them are our assumption (see README)."""
    injury, hurt = y[S.injury], harm(y, p)
    both = 1.0 - (1.0 - injury) * (1.0 - 0.5 * hurt)
    x[0] = 1.0 - p[P.resistance_fall] * injury
    x[1] = 1.0 - p[P.contractility_fall] * both
    x[2] = 1.0 - p[P.tone_fall] * injury
    x[3] = 1.0 + p[P.heart_rate_rise] * injury
    x[4] = 1.0 + p[P.leak_rise] * injury * both
    x[5] = p[P.lung_damage] * injury * (0.4 + 0.6 * hurt)
    x[6] = p[P.fever] * injury
    x[7] = 1.0 + p[P.metabolism_rise] * injury
    x[8] = 1.0 + p[P.lactate_rise] * both


@njit(error_model="numpy")
def start(p, u, y):  # type: ignore[no-untyped-def]
    """Health: no pathogen, no damage, background mediators (a steady state of the model)."""
    y[:] = 0.0
    y[S.anti_inflammatory] = p[P.s_c] * (1.0 + u[I.anti_inflammatory_therapy]) / p[P.mu_c]
