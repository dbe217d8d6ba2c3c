"""The cycle-averaged circulation: mean volumes of five compartments, the heart as a pump of stroke volume.

Derivation. At the end of systole a ventricle holds V_es = V_0 + a A / E under the mean arterial pressure A (Suga,
Sagawa 1974, Circ Res 35:117; Sunagawa 1983, Am J Physiol 245:H773); filled without haste it would hold V_f, where its
diastolic curve meets k times the mean atrial pressure. It fills towards V_f by a constant rate in the time that systole
leaves, so that the stroke volume is (V_f - V_es) (1 - exp(-f (T - T_sys) / T_rest)), T_rest the length of
diastole at 72 beats/min. a (afterload), f (filling) and k (kick) are three numbers a side, fitted to the beat-resolved
form; so are two numbers that give the pulse pressure. All else is that form averaged over the beat.

What is algebraic follows from lagged states, so that nothing is solved: the venous pressure that drives return uses the
lagged flow. Volume is conserved exactly. The fastest time constant is that of the arteries, near 1 s.
"""

from __future__ import annotations

import math
from typing import Final

from numba import njit

from vitruvian.physiology.circulation import reflex
from vitruvian.physiology.circulation.parameters import COMMON, IMPORTS, INPUTS, MEAN_STATES, SHAPE, positions
from vitruvian.physiology.circulation.reflex import contractility, control, heart_rate, resistance, unstressed

P: Final = positions(COMMON, SHAPE)
U: Final = positions(INPUTS, IMPORTS)
Y: Final = positions(MEAN_STATES)

LV: Final = Y["left_ventricle"]
RV: Final = Y["right_ventricle"]
SA: Final = Y["systemic_arteries"]
SV: Final = Y["systemic_veins"]
PU: Final = Y["pulmonary"]

LAG_VENTRICLE_S: Final = 2.0  # in which a ventricle's mean volume follows its filling: some beats
DIASTOLE_REST_S: Final = 0.423  # Ursino's systole leaves this of a beat at 72/min
PRESSURE_MIN: Final = 0.05  # mmHg: filling below the air's pressure fills no ventricle

_FLOW_IN: Final = U["blood_volume_flow"]
_LUNG_FACTOR: Final = U["pulmonary_resistance_factor"]
_CHEST: Final = U["intrathoracic_pressure"]
_CHEST_REST: Final = P["intrathoracic_rest"]
_RV: Final = P["venous_resistance"]
_RP: Final = P["pulmonary_resistance"]
_RPV: Final = P["pulmonary_venous_resistance"]
_CSA: Final = P["arterial_compliance"]
_CSV: Final = P["venous_compliance"]
_CPA: Final = P["pulmonary_arterial_compliance"]
_CPV: Final = P["pulmonary_venous_compliance"]
_CRA: Final = P["right_atrial_compliance"]
_CLA: Final = P["left_atrial_compliance"]
_EL: Final = P["left_elastance"]
_VL: Final = P["left_dead_volume"]
_KL: Final = P["left_stiffness"]
_PL: Final = P["left_diastolic_pressure"]
_ER: Final = P["right_elastance"]
_VR: Final = P["right_dead_volume"]
_KR: Final = P["right_stiffness"]
_PR: Final = P["right_diastolic_pressure"]
_SYS0: Final = P["systole_base"]
_SYS1: Final = P["systole_slope"]
_STRESSED: Final = P["stressed_volume"]
_SHARE: Final = P["capillary_share"]
_SURFACE: Final = P["body_surface"]
_SET: Final = P["set_pressure"]
_RS: Final = P["systemic_resistance"]
_LOW_SET: Final = P["low_pressure_set"]
_LA_: Final = P["left_afterload"]
_LF_: Final = P["left_filling"]
_LK_: Final = P["left_kick"]
_RA_: Final = P["right_afterload"]
_RF_: Final = P["right_filling"]
_RK_: Final = P["right_kick"]
_HEIGHT_: Final = P["pulse_height"]
_ABOVE_: Final = P["pulse_above"]


@njit(error_model="numpy")
def _positive(x, width):  # type: ignore[no-untyped-def]
    """x where it is large, else a smooth remainder above 0."""
    return 0.5 * (x + math.sqrt(x * x + width * width))


@njit(error_model="numpy")
def pump(y, p, u):  # type: ignore[no-untyped-def]
    """(heart rate /min, stroke volume and end-diastolic volume left mL, the same right, arterial, right atrial,
    pulmonary artery and left atrial pressure mmHg against the air).
    """
    chest = u[_CHEST] - p[_CHEST_REST]
    rate = heart_rate(y, p, u)
    period = 60.0 / rate
    time = (period - max(p[_SYS0] - p[_SYS1] / period, 0.12)) / DIASTOLE_REST_S
    strength = contractility(y, p, u)
    artery = y[SA] / p[_CSA]
    stressed = y[SV] - unstressed(y, p, u) + p[_VL] + p[_VR]
    right_filling = (stressed - p[_CSV] * (p[_RV] * y[reflex.FLOW] + chest)) / (p[_CSV] + p[_CRA])
    filled = 1.0 - math.exp(-p[_RF_] * time)
    full = math.log(1.0 + p[_RK_] * _positive(right_filling, PRESSURE_MIN) / p[_PR]) / p[_KR]
    # Pulmonary pressures and right stroke volume depend on each other linearly.
    load = p[_RA_] / (p[_ER] * strength)
    compliance = p[_CPA] + p[_CPV] + p[_CLA]
    left_filling = y[PU] / compliance  # were the artery at the vein's pressure
    lung = p[_RP] * u[_LUNG_FACTOR] + p[_RPV]
    resist = lung * (1.0 - p[_CPA] / compliance) / period
    right = _positive(filled * (full - p[_VR] - load * left_filling) / (1.0 + filled * load * resist), 1.0)
    right_end = p[_VR] + load * (left_filling + resist * right) + right
    left_filling -= p[_CPA] * lung * right / period / compliance
    lung_artery = left_filling + lung * right / period
    filled = 1.0 - math.exp(-p[_LF_] * time)
    full = math.log(1.0 + p[_LK_] * _positive(left_filling, PRESSURE_MIN) / p[_PL]) / p[_KL]
    held = p[_VL] + p[_LA_] * _positive(artery - chest, 1.0) / (p[_EL] * strength)
    left = _positive(filled * (full - held), 1.0)
    return (
        rate, left, held + left, right, right_end, artery, right_filling + chest, lung_artery + chest,
        left_filling + chest,
    )  # fmt: skip


@njit(error_model="numpy")
def rhs(t, y, p, u, dydt):  # type: ignore[no-untyped-def]
    """Slopes, mL/s for volumes."""
    rate, left, left_end, right, right_end, artery, right_atrial, _, _ = pump(y, p, u)
    out_left, out_right = left * rate / 60.0, right * rate / 60.0
    vein = right_atrial + p[_RV] * y[reflex.FLOW]
    tissue = (artery - vein) / max(resistance(y, p, u), 0.02)
    control(y, p, u, artery, right_atrial - u[_CHEST] + p[_CHEST_REST], tissue, dydt)
    dydt[LV] = (left_end - 0.5 * left - y[LV]) / LAG_VENTRICLE_S
    dydt[RV] = (right_end - 0.5 * right - y[RV]) / LAG_VENTRICLE_S
    dydt[SA] = out_left - tissue
    dydt[SV] = tissue - out_right - dydt[RV] + u[_FLOW_IN]
    dydt[PU] = out_right - out_left - dydt[LV]


@njit(error_model="numpy")
def observe(t, y, p, u, out):  # type: ignore[no-untyped-def]
    """Outputs in the order of `OUTPUTS`."""
    rate, left, left_end, _, _, artery, right_atrial, lung_artery, left_atrial = pump(y, p, u)
    pulse = p[_HEIGHT_] * left / p[_CSA]
    flow = left * rate / 60.0
    total = y[LV] + y[RV] + y[SA] + y[SV] + y[PU]
    free = unstressed(y, p, u)
    out[0] = rate
    out[1] = artery + p[_ABOVE_] * pulse
    out[2] = artery - (1.0 - p[_ABOVE_]) * pulse
    out[3] = artery
    out[4] = right_atrial
    out[5] = lung_artery
    out[6] = left_atrial
    out[7] = flow * 0.06
    out[8] = flow * 0.06 / p[_SURFACE]
    out[9] = left
    out[10] = 100.0 * left / left_end
    out[11] = 1333.22 * (artery - right_atrial) / max(flow, 1e-3)
    out[12] = 1333.22 * (lung_artery - left_atrial) / max(flow, 1e-3)
    out[13] = p[_EL] * contractility(y, p, u)
    out[14] = total - free
    systemic = y[SA] + y[SV] - free + p[_VL] + p[_VR]
    out[15] = systemic / (p[_CSA] + p[_CSV] + p[_CRA])
    out[16] = math.exp(y[reflex.TONE])
    out[17] = total


@njit(error_model="numpy")
def emit(t, y, p, x):  # type: ignore[no-untyped-def]
    """Exports, from the lagged states."""
    vein = y[reflex.FILLING] + y[reflex.FLOW] * p[_RV]
    x[0] = y[reflex.FLOW]
    x[1] = y[SA] / p[_CSA]
    x[2] = y[reflex.FILLING]
    x[3] = (p[_SHARE] * x[1] + vein) / (1.0 + p[_SHARE])
    x[4] = y[LV] + y[RV] + y[SA] + y[SV] + y[PU]
    x[5] = y[reflex.FLOW]


@njit(error_model="numpy")
def start(p, u, y):  # type: ignore[no-untyped-def]
    """Near the steady state at rest: the set pressure, its flow, and all stressed volume in its place."""
    for i in range(y.shape[0]):
        y[i] = 0.0
    y[reflex.SENSED] = p[_SET]
    y[reflex.FILLING] = p[_LOW_SET]
    y[reflex.FLOW] = (p[_SET] - p[_LOW_SET]) / p[_RS]
    y[LV] = 0.72 * math.log(1.0 + 8.0 / p[_PL]) / p[_KL]
    y[RV] = 0.75 * math.log(1.0 + 4.5 / p[_PR]) / p[_KR]
    y[SA] = p[_SET] * p[_CSA]
    y[PU] = 8.5 * (p[_CPV] + p[_CLA]) + 13.0 * p[_CPA]
    y[SV] = p[_STRESSED] + p[reflex._UNSTRESSED] - (y[LV] + y[RV] + y[SA] + y[PU])
