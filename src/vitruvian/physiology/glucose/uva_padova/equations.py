"""The kernels of the meal model: glucose, insulin and food of a person with type 1 diabetes.

Numbers in brackets are equations of Dalla Man 2007 (IEEE Trans Biomed Eng 54:1740) and, for insulin under the skin, of
its 2014 account (J Diabetes Sci Technol 8:26, appendix). Exercise follows Dalla Man 2009 (J Diabetes Sci Technol 3:56).
Masses of glucose are mg/kg, of insulin pmol/kg, of food mg; insulin concentrations pmol/L; time is minutes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

# States.
(SOLID, LIQUID, GUT, PLASMA, TISSUE, INSULIN, ACTION, DELAY_1, DELAY_2, LIVER, DEPOT_1, DEPOT_2, SENSOR) = range(13)
PLATE, EATEN, BEFORE, MEAL, PULSE, UPTAKE, WORK = range(13, 20)
# Parameters.
(WEIGHT, V_G, K1, K2, V_I, M1, M2, M3, M4, K_MAX, K_MIN, K_ABS, F, B, D, KP1, KP2, KP3, KI, F_CNS) = range(20)
(V_M0, V_MX, K_M0, P2U, KE1, KE2, I_B, KA1, KA2, KD, K_SC, BASAL, SENSITIVITY, EATING) = range(20, 34)
HR_REST, HR_PER_WATT, BETA, ALPHA, GAMMA, THRESHOLD, T_HR, T_IN, T_EX, POWER = range(34, 44)
# Inputs.
MEAL_RATE, MEAL_SIZE, INSULIN_RATE, BASAL_SHARE, DEXTROSE, EXERCISE = range(6)

PMOL_PER_UNIT: Final = 6000.0  # the conversion the authors use; 1 U of human insulin
# Numerical choices: how fast the remembered meal follows the running one while eating, and how fast the two registers
# of the running meal fall back to the stomach's content once eating has ended. Meals half an hour apart are told apart.
FOLLOW_PER_MIN: Final = 10.0
FORGET_PER_MIN: Final = 0.3
LEAST_BITE: Final = 0.01  # g/min below which the person is not eating
EMPTY: Final = 10.0  # mg/kg of glucose below which uptake fails: keeps the mass positive, far below survival
GLUCOSE_MAX: Final = 4000.0  # mg/kg, where the search for the steady state ends


@njit
def eating_mg_min(y: Any, p: Any, u: Any) -> float:
    """Food that is being eaten, mg/min: what was asked for, and what lies on the plate."""
    return float(1000.0 * (u[MEAL_RATE] + min(p[EATING], 5.0 * max(y[PLATE], 0.0))))


@njit
def meal_mg(y: Any, u: Any, bite: float) -> float:
    """The size of the meal that empties the stomach's brake, mg: the present one, else the last.

    While eating it is the stomach's content before the meal with all that is eaten or lies on the plate, or with the
    stated size of the meal where that is more.
    """
    if bite <= 1000.0 * LEAST_BITE:
        return float(y[MEAL])
    return float(max(y[EATEN] + 1000.0 * max(y[PLATE], 0.0), y[BEFORE] + 1000.0 * u[MEAL_SIZE]))


@njit
def emptying_per_min(content: float, meal: float, p: Any) -> float:
    """Rate constant of gastric emptying [13]: fast while the stomach is full or nearly empty, slow in between."""
    if meal <= 1e-6:
        return float(p[K_MAX])
    fall = 5.0 / (2.0 * meal * (1.0 - p[B]))
    rise = 5.0 / (2.0 * meal * p[D])
    swing = np.tanh(fall * (content - p[B] * meal)) - np.tanh(rise * (content - p[D] * meal)) + 2.0
    return float(p[K_MIN] + 0.5 * (p[K_MAX] - p[K_MIN]) * swing)


@njit
def production(plasma: float, delayed: float, p: Any) -> float:
    """Endogenous glucose production [10], mg/kg/min; sensitivity scales what insulin does beyond its basal level."""
    effect = delayed + (p[SENSITIVITY] - 1.0) * (delayed - p[I_B])
    return float(max(p[KP1] - p[KP2] * plasma - p[KP3] * effect, 0.0))


@njit
def utilisation(tissue: float, y: Any, p: Any) -> float:
    """Insulin-dependent uptake [15-17] with the two effects of exercise (2009, [12]), mg/kg/min."""
    trained = max(y[UPTAKE], 0.0) * max(y[WORK], 0.0)
    above = p[SENSITIVITY] * y[ACTION] + p[I_B]
    v_max = (
        p[V_M0] * (1.0 + p[BETA] * max(y[PULSE], 0.0)) + p[V_MX] * (1.0 + p[ALPHA] * trained) * above - p[V_MX] * p[I_B]
    )
    k_m = p[K_M0] * max(1.0 - p[GAMMA] * trained * above, 0.1)
    return float(max(v_max, 0.0) * tissue / (k_m + tissue))


@njit
def excretion(plasma: float, p: Any) -> float:
    """Renal loss of glucose [27], mg/kg/min."""
    return float(p[KE1] * max(plasma - p[KE2], 0.0))


@njit
def rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Slopes of the twenty states, per minute."""
    weight = p[WEIGHT]
    bite = eating_mg_min(y, p, u)
    content = y[SOLID] + y[LIQUID]
    emptying = emptying_per_min(content, meal_mg(y, u, bite), p) * y[LIQUID]
    dydt[SOLID] = bite - p[K_MAX] * y[SOLID]
    dydt[LIQUID] = p[K_MAX] * y[SOLID] - emptying
    dydt[GUT] = emptying - p[K_ABS] * y[GUT]
    memory(y, u, bite, bite - emptying, content, dydt)

    delivered = PMOL_PER_UNIT / 60.0 * u[INSULIN_RATE] + p[BASAL] * weight * u[BASAL_SHARE]
    dydt[DEPOT_1] = delivered - (p[KA1] + p[KD]) * y[DEPOT_1]
    dydt[DEPOT_2] = p[KD] * y[DEPOT_1] - p[KA2] * y[DEPOT_2]
    absorbed = (p[KA1] * y[DEPOT_1] + p[KA2] * y[DEPOT_2]) / weight
    dydt[INSULIN] = absorbed + p[M1] * y[LIVER] - (p[M2] + p[M4]) * y[INSULIN]
    dydt[LIVER] = p[M2] * y[INSULIN] - (p[M1] + p[M3]) * y[LIVER]
    concentration = y[INSULIN] / p[V_I]
    dydt[ACTION] = p[P2U] * (concentration - p[I_B] - y[ACTION])
    dydt[DELAY_1] = p[KI] * (concentration - y[DELAY_1])
    dydt[DELAY_2] = p[KI] * (y[DELAY_1] - y[DELAY_2])

    appearance = p[F] * p[K_ABS] * y[GUT] / weight + u[DEXTROSE] * 1000.0 / 60.0 / weight
    brain = p[F_CNS] * min(1.0, max(y[PLASMA], 0.0) / EMPTY)
    exchange = p[K1] * y[PLASMA] - p[K2] * y[TISSUE]
    dydt[PLASMA] = production(y[PLASMA], y[DELAY_2], p) + appearance - brain - excretion(y[PLASMA], p) - exchange
    dydt[TISSUE] = exchange - utilisation(y[TISSUE], y, p)
    dydt[SENSOR] = p[K_SC] * (y[PLASMA] - y[SENSOR])
    exercise(y, p, u, dydt)


@njit
def memory(y: Any, u: Any, bite: float, change: float, content: float, dydt: Any) -> None:
    """Which meal the stomach is emptying. Between meals EATEN and BEFORE follow the stomach's content; while eating,
    BEFORE holds it, EATEN adds what is eaten, and MEAL follows, to be kept when eating ends.
    """
    if bite > 1000.0 * LEAST_BITE:
        dydt[EATEN] = bite
        dydt[BEFORE] = 0.0
        dydt[MEAL] = FOLLOW_PER_MIN * (meal_mg(y, u, bite) - y[MEAL])
    else:
        dydt[EATEN] = change + FORGET_PER_MIN * (content - y[EATEN])
        dydt[BEFORE] = change + FORGET_PER_MIN * (content - y[BEFORE])
        dydt[MEAL] = 0.0
    dydt[PLATE] = u[MEAL_RATE] - bite / 1000.0


@njit
def exercise(y: Any, p: Any, u: Any, dydt: Any) -> None:
    """Heart rate above rest, what it does to insulin's action, and the work done (2009, [7-9])."""
    faster = p[HR_PER_WATT] * max(u[EXERCISE], 0.0)
    dydt[PULSE] = (faster - y[PULSE]) / p[T_HR]
    share = (max(y[PULSE], 0.0) / (p[THRESHOLD] * p[HR_REST])) ** p[POWER]
    on = share / (1.0 + share)
    dydt[UPTAKE] = on - (on / p[T_IN] + 1.0 / p[T_EX]) * y[UPTAKE]
    # The paper sets the work to 0 once the effect has gone; here it fades with it, so that nothing jumps.
    dydt[WORK] = faster - y[WORK] / p[T_EX]


@njit
def observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """The outputs, in the order that `parameters.OUTPUTS` declares."""
    out[0] = y[PLASMA] / p[V_G]
    out[1] = y[SENSOR] / p[V_G]
    out[2] = y[INSULIN] / p[V_I] * 1000.0 / PMOL_PER_UNIT
    first = p[BASAL] * p[WEIGHT] * u[BASAL_SHARE] / (p[KA1] + p[KD])
    usual = first * (1.0 + p[KD] / p[KA2])
    out[3] = max(y[DEPOT_1] + y[DEPOT_2] - usual, 0.0) / PMOL_PER_UNIT
    out[4] = p[SENSITIVITY]
    out[5] = p[F] * p[K_ABS] * y[GUT] / p[WEIGHT]
    out[6] = production(y[PLASMA], y[DELAY_2], p)
    out[7] = utilisation(y[TISSUE], y, p) + p[F_CNS] * min(1.0, max(y[PLASMA], 0.0) / EMPTY)


@njit
def start(p: Any, u: Any, y: Any) -> None:
    """The fasting steady state under the given delivery of insulin and dextrose; food and exercise are left out."""
    y[:] = 0.0
    weight = p[WEIGHT]
    rate = PMOL_PER_UNIT / 60.0 * u[INSULIN_RATE] + p[BASAL] * weight * u[BASAL_SHARE]
    y[DEPOT_1] = rate / (p[KA1] + p[KD])
    y[DEPOT_2] = p[KD] * y[DEPOT_1] / p[KA2]
    y[INSULIN] = rate / weight / (p[M2] + p[M4] - p[M1] * p[M2] / (p[M1] + p[M3]))
    y[LIVER] = p[M2] * y[INSULIN] / (p[M1] + p[M3])
    concentration = y[INSULIN] / p[V_I]
    y[ACTION] = concentration - p[I_B]
    y[DELAY_1] = concentration
    y[DELAY_2] = concentration
    dextrose = u[DEXTROSE] * 1000.0 / 60.0 / weight
    low, high = 0.0, GLUCOSE_MAX
    for _ in range(80):
        plasma = 0.5 * (low + high)
        brain = p[F_CNS] * min(1.0, plasma / EMPTY)
        left = production(plasma, concentration, p) + dextrose - brain - excretion(plasma, p)
        tissue = max((p[K1] * plasma - left) / p[K2], 0.0)  # so that what enters tissue is what is left over
        if left > utilisation(tissue, y, p):
            low = plasma
        else:
            high = plasma
    plasma = 0.5 * (low + high)
    left = production(plasma, concentration, p) + dextrose - excretion(plasma, p)
    left -= p[F_CNS] * min(1.0, plasma / EMPTY)
    y[PLASMA], y[SENSOR] = plasma, plasma
    y[TISSUE] = max((p[K1] * plasma - left) / p[K2], 0.0)
