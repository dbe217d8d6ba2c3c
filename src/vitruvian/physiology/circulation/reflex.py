"""Nerves: what the baroreceptors, the low-pressure receptors and the chemoreceptors make of heart and vessels.

Base: M. Ursino, Interaction between carotid baroregulation and the pulsating heart, Am J Physiol 275 (1998)
H1733-H1747, equations 21 to 33 and table 3. Where this differs: effects are relative to their value at the set
pressure; the pure delays of 2 and 5 s are taken into the lags (time constants add up); the afferent sees pressure, not
its rate, so that a cycle-averaged circulation feels what a pulsating one does; resistance and contractility share one
lag of 9 s. Added: low-pressure receptors on venous capacity, chemoreceptors, exercise, failure of the heart below the
pressure that feeds it.

The kernels serve both forms of the circulation. Their states are the first nine, in the order of `CONTROL_STATES`.
"""

from __future__ import annotations

import math
from typing import Final

from numba import njit

from vitruvian.physiology.circulation.parameters import COMMON, IMPORTS, INPUTS, positions

P: Final = positions(COMMON)
U: Final = positions(INPUTS, IMPORTS)

# Ursino 1998, table 3: frequencies in impulses/s.
F_MIN: Final = 2.52
F_MAX: Final = 47.78
K_A: Final = 11.758
F_ES_INF: Final = 2.10
F_ES_0: Final = 16.11
F_ES_MIN: Final = 2.66
F_ES_TOP: Final = 60.0  # Ursino, Magosso 2000, Am J Physiol 279:H149, table 3
K_ES: Final = 0.0675
F_EV_0: Final = 3.2
F_EV_INF: Final = 6.3
F_CS_0: Final = 25.0
K_EV: Final = 7.06
F_REST: Final = 0.5 * (F_MIN + F_MAX)
SIGMA_REST: Final = math.log(F_ES_INF + (F_ES_0 - F_ES_INF) * math.exp(-K_ES * F_REST) - F_ES_MIN + 1.0)
V_REST: Final = (F_EV_0 + F_EV_INF * math.exp((F_REST - F_CS_0) / K_EV)) / (1.0 + math.exp((F_REST - F_CS_0) / K_EV))

# Lags, s: time constants and delays of table 3 together.
LAG_AFFERENT_S: Final = 2.076
LAG_FILLING_S: Final = 2.0
LAG_FLOW_S: Final = 2.0
LAG_VAGAL_S: Final = 1.7
LAG_RATE_S: Final = 4.0
LAG_TONE_S: Final = 9.0
LAG_CAPACITY_S: Final = 25.0
LAG_POOLED_S: Final = 20.0  # assumption: most blood has moved within a minute of standing up
LAG_DEMAND_S: Final = 20.0  # assumption: half-time of the circulation's rise in exercise is about 15 to 20 s

HALF_OXYGEN: Final = 45.0  # mmHg, assumption: chemoreceptor activity rises steeply below 60 mmHg
OXYGEN_REST: Final = 1.0 / (1.0 + (95.0 / HALF_OXYGEN) ** 4)
CO2_REST: Final = 40.0
WATT_ML_MIN: Final = 10.8  # oxygen for a watt on a bicycle, mL/min (ACSM: 10.8 W + 7 mL/kg/min)
RESET: Final = (
    3.0  # mmHg the set pressure rises for each unit of demand; assumption, after Raven 2006 Exp Physiol 91:37
)
PUMP_ML: Final = 110.0  # mL that working muscle presses out of its veins for each unit of demand; assumption
CHEMICAL_VAGAL: Final = 6.0  # impulses/s withdrawn by a unit of chemical drive; assumption, as for gain_hypoxia
ISCHAEMIC_RATE: Final = 0.2  # share of that drive that reaches the sinus node; assumption: rate 120 to 150 in class IV
PUMP_TOP: Final = 6.0
DEMAND_MAX: Final = 12.0
STRENGTH_MIN: Final = 0.05  # a heart that hardly beats; keeps the end-systolic volume finite

SENSED: Final = 0
FILLING: Final = 1
FLOW: Final = 2
VAGAL: Final = 3
RATE: Final = 4
TONE: Final = 5
CAPACITY: Final = 6
POOLED: Final = 7
DEMAND: Final = 8
CONTROLS: Final = 9

_SET: Final = P["set_pressure"]
_GAIN: Final = P["baroreflex_gain"]
_O2: Final = U["arterial_oxygen_pressure"]
_CO2: Final = U["arterial_co2_pressure"]
_TILT: Final = U["tilt"]
_EXERCISE: Final = U["exercise"]
_PACING: Final = U["pacing_rate"]
_DEMANDED: Final = U["metabolic_demand"]
_RATE_FACTOR: Final = U["heart_rate_factor"]
_R_FACTOR: Final = U["resistance_factor"]
_E_FACTOR: Final = U["contractility_factor"]
_VEIN_FACTOR: Final = U["venous_tone_factor"]
_HYPOXIA: Final = P["gain_hypoxia"]
_HYPERCAPNIA: Final = P["gain_hypercapnia"]
_ISCHAEMIC: Final = P["ischaemic_pressure"]
_ISCHAEMIA: Final = P["gain_ischaemia"]
_LOW_CAPACITY: Final = P["low_pressure_capacity"]
_LOW_RANGE: Final = P["low_pressure_range"]
_LOW_SET: Final = P["low_pressure_set"]
_G_CAPACITY: Final = P["gain_capacity"]
_G_T_S: Final = P["gain_period_sympathetic"]
_G_T_V: Final = P["gain_period_vagal"]
_G_R: Final = P["gain_resistance"]
_G_E: Final = P["gain_contractility"]
_HR: Final = P["heart_rate_rest"]
_HR_MAX: Final = P["heart_rate_max"]
_RS: Final = P["systemic_resistance"]
_DILATION: Final = P["dilation_by_demand"]
_RATE_DEMAND: Final = P["rate_by_demand"]
_E_DEMAND: Final = P["contractility_by_demand"]
_CORONARY: Final = P["coronary_half_pressure"]
_UNSTRESSED: Final = P["unstressed_volume"]
_TONE_CAPACITY: Final = P["tone_capacity"]
_POOLING: Final = P["pooling_volume"]
_HEIGHT: Final = P["carotid_height"]
_UPTAKE: Final = P["rest_oxygen_uptake"]


@njit(error_model="numpy")
def afferent(pressure, set_pressure):  # type: ignore[no-untyped-def]
    """Firing of the carotid sinus nerve, impulses/s (Ursino 1998, equation 22)."""
    e = math.exp(min(max((pressure - set_pressure) / K_A, -30.0), 30.0))
    return (F_MIN + F_MAX * e) / (1.0 + e)


@njit(error_model="numpy")
def sympathetic(firing, drive):  # type: ignore[no-untyped-def]
    """Effect of the sympathetic nerves against rest (equations 23 and 25); `drive` adds to the exponent."""
    f = min(F_ES_INF + (F_ES_0 - F_ES_INF) * math.exp(min(drive - K_ES * firing, 4.0)), F_ES_TOP)
    return math.log(max(f - F_ES_MIN, 0.0) + 1.0) - SIGMA_REST


@njit(error_model="numpy")
def vagal(firing, drive):  # type: ignore[no-untyped-def]
    """Firing of the vagus against rest, impulses/s (equation 24); `drive` withdraws it."""
    e = math.exp((firing - F_CS_0) / K_EV)
    return (F_EV_0 + F_EV_INF * e) / (1.0 + e) - V_REST - drive


@njit(error_model="numpy")
def drive(p, u):  # type: ignore[no-untyped-def]
    """What the chemoreceptors add to sympathetic outflow."""
    ratio = max(u[_O2], 1.0) / HALF_OXYGEN
    ratio *= ratio
    return p[_HYPOXIA] * (1.0 / (1.0 + ratio * ratio) - OXYGEN_REST) + p[_HYPERCAPNIA] * (u[_CO2] - CO2_REST)


@njit(error_model="numpy")
def control(y, p, u, pressure, filling, flow, dydt):  # type: ignore[no-untyped-def]
    """Slopes of the nine states of control. `pressure` arterial, `filling` transmural right atrial, mmHg; `flow`
    through the tissues, mL/s.
    """
    gain = p[_GAIN]
    chemical = drive(p, u)
    firing = afferent(y[SENSED], p[_SET] + RESET * y[DEMAND])
    starved = p[_ISCHAEMIA] * max(1.0 - y[SENSED] / p[_ISCHAEMIC], 0.0)
    sigma = sympathetic(firing, chemical + starved)
    sigma_rate = sympathetic(firing, chemical + ISCHAEMIC_RATE * starved) if starved > 0.0 else sigma
    rest = p[_LOW_SET]
    low = 1.0 / (1.0 + math.exp(min(2.0 + 2.0 * (y[FILLING] - rest) / p[_LOW_RANGE], 30.0))) - 0.11920292202211755
    dydt[SENSED] = (pressure - p[_HEIGHT] * u[_TILT] - y[SENSED]) / LAG_AFFERENT_S
    dydt[FILLING] = (filling - y[FILLING]) / LAG_FILLING_S
    dydt[FLOW] = (flow - y[FLOW]) / LAG_FLOW_S
    dydt[VAGAL] = (gain * vagal(firing, CHEMICAL_VAGAL * max(chemical, 0.0)) - y[VAGAL]) / LAG_VAGAL_S
    dydt[RATE] = (gain * sigma_rate - y[RATE]) / LAG_RATE_S
    dydt[TONE] = (gain * sigma - y[TONE]) / LAG_TONE_S
    dydt[CAPACITY] = (gain * (p[_G_CAPACITY] * sigma + p[_LOW_CAPACITY] * low) - y[CAPACITY]) / LAG_CAPACITY_S
    dydt[POOLED] = (p[_POOLING] * u[_TILT] - y[POOLED]) / LAG_POOLED_S
    wanted = min(u[_DEMANDED] - 1.0 + u[_EXERCISE] * WATT_ML_MIN / p[_UPTAKE], DEMAND_MAX)
    dydt[DEMAND] = (wanted - y[DEMAND]) / LAG_DEMAND_S


@njit(error_model="numpy")
def heart_rate(y, p, u):  # type: ignore[no-untyped-def]
    """Heart rate, /min."""
    period = max(1.0 - p[_G_T_S] * y[RATE] + p[_G_T_V] * y[VAGAL], 0.3)
    rate = min(p[_HR] / period * (1.0 + p[_RATE_DEMAND] * max(y[DEMAND], -0.5)) * u[_RATE_FACTOR], p[_HR_MAX])
    return max(rate, u[_PACING], 15.0)


@njit(error_model="numpy")
def resistance(y, p, u):  # type: ignore[no-untyped-def]
    """Systemic resistance, mmHg s/mL."""
    tone = max(1.0 + p[_G_R] * y[TONE], 0.2)
    return p[_RS] * tone * u[_R_FACTOR] / (1.0 + p[_DILATION] * max(y[DEMAND], -0.5))


@njit(error_model="numpy")
def contractility(y, p, u):  # type: ignore[no-untyped-def]
    """End-systolic elastance against rest. Fails where the sensed pressure does not feed the heart."""
    starved = (p[_CORONARY] / max(y[SENSED] + p[_HEIGHT] * u[_TILT], 1.0)) ** 2
    fed = 1.0 / (1.0 + starved * starved * starved)
    strength = max(1.0 + p[_G_E] * y[TONE], 0.2) * u[_E_FACTOR] * fed * (1.0 + p[_E_DEMAND] * max(y[DEMAND], -0.5))
    return max(strength, STRENGTH_MIN)


@njit(error_model="numpy")
def unstressed(y, p, u):  # type: ignore[no-untyped-def]
    """Unstressed volume of the whole circuit, mL."""
    given = y[CAPACITY] + p[_TONE_CAPACITY] * (u[_VEIN_FACTOR] - 1.0) + PUMP_ML * min(max(y[DEMAND], 0.0), PUMP_TOP)
    return p[_UNSTRESSED] - given + y[POOLED]
