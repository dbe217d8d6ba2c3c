"""The beat-resolved circulation: four chambers of time-varying elastance, four valves, two circuits.

Sources: ventricles and their activation, Ursino 1998 (equations 9 to 16; without inertances); atria contract by a
raised cosine at the end of the beat; an artery with a characteristic impedance before it (Westerhof
2009, Med Biol Eng Comput 47:131). A valve is a resistance to forward flow and shut to any other.

`phase` counts beats and is never set back, so that no event interrupts the integration; the period may change at any
time. Intrathoracic pressure acts as its difference from rest on all that lies in the chest.
"""

from __future__ import annotations

import math
from typing import Final

from numba import njit

from vitruvian.physiology.circulation import reflex
from vitruvian.physiology.circulation.parameters import BEATS_ONLY, BEATS_STATES, COMMON, IMPORTS, INPUTS, positions
from vitruvian.physiology.circulation.reflex import contractility, control, heart_rate, resistance, unstressed

P: Final = positions(COMMON, BEATS_ONLY)
U: Final = positions(INPUTS, IMPORTS)
Y: Final = positions(BEATS_STATES)

LV: Final = Y["left_ventricle"]
LA: Final = Y["left_atrium"]
RV: Final = Y["right_ventricle"]
RA: Final = Y["right_atrium"]
SA: Final = Y["systemic_arteries"]
SV: Final = Y["systemic_veins"]
PA: Final = Y["pulmonary_arteries"]
PV: Final = Y["pulmonary_veins"]
PHASE: Final = Y["phase"]

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
_Z: Final = P["characteristic_impedance"]
_SL: Final = P["left_source_resistance"]
_SR: Final = P["right_source_resistance"]
_RAV: Final = P["aortic_valve_resistance"]
_RMV: Final = P["mitral_valve_resistance"]
_RPU: Final = P["pulmonary_valve_resistance"]
_RTV: Final = P["tricuspid_valve_resistance"]
_ELA: Final = P["left_atrial_elastance"]
_ERA: Final = P["right_atrial_elastance"]
_VLA: Final = P["left_atrial_dead_volume"]
_VRA: Final = P["right_atrial_dead_volume"]
_ATRIAL: Final = P["atrial_systole"]
_STRESSED: Final = P["stressed_volume"]
_SHARE: Final = P["capillary_share"]
_SET: Final = P["set_pressure"]
_RS: Final = P["systemic_resistance"]
_LOW_SET: Final = P["low_pressure_set"]


@njit(error_model="numpy")
def pressures(y, p, u):  # type: ignore[no-untyped-def]
    """Pressures against the air, mmHg: left ventricle and atrium, right ventricle and atrium, systemic artery and vein,
    pulmonary artery and vein; those of the ventricles as if nothing flowed out (equation 14).
    """
    chest = u[_CHEST] - p[_CHEST_REST]
    period = 60.0 / heart_rate(y, p, u)
    since = (y[PHASE] - math.floor(y[PHASE])) * period
    systole = max(p[_SYS0] - p[_SYS1] / period, 0.12)
    active = math.sin(math.pi * since / systole) if since < systole else 0.0
    active *= active
    before = since - period + p[_ATRIAL]
    atrial = math.sin(math.pi * before / p[_ATRIAL]) if before > 0.0 else 0.0
    atrial *= atrial
    strength = contractility(y, p, u) * active
    left = strength * p[_EL] * (y[LV] - p[_VL]) + (1.0 - active) * p[_PL] * (math.exp(p[_KL] * y[LV]) - 1.0)
    right = strength * p[_ER] * (y[RV] - p[_VR]) + (1.0 - active) * p[_PR] * (math.exp(p[_KR] * y[RV]) - 1.0)
    rest = 1.0 / p[_CLA]
    left_atrial = (rest + (p[_ELA] - rest) * atrial) * (y[LA] - p[_VLA])
    rest = 1.0 / p[_CRA]
    right_atrial = (rest + (p[_ERA] - rest) * atrial) * (y[RA] - p[_VRA])
    dead = p[_VL] + p[_VR] + p[_VLA] + p[_VRA]
    vein = (y[SV] - unstressed(y, p, u) + dead) / p[_CSV]
    return (
        left + chest, left_atrial + chest, right + chest, right_atrial + chest, y[SA] / p[_CSA], vein,
        y[PA] / p[_CPA] + chest, y[PV] / p[_CPV] + chest,
    )  # fmt: skip


@njit(error_model="numpy")
def rhs(t, y, p, u, dydt):  # type: ignore[no-untyped-def]
    """Slopes, mL/s for volumes."""
    left, left_atrial, right, right_atrial, artery, vein, lung_artery, lung_vein = pressures(y, p, u)
    mitral = max(left_atrial - left, 0.0) / p[_RMV]
    aortic = max(left - artery, 0.0) / (p[_RAV] + p[_Z] + p[_SL] * left)
    tricuspid = max(right_atrial - right, 0.0) / p[_RTV]
    pulmonary = max(right - lung_artery, 0.0) / (p[_RPU] + p[_SR] * right)
    tissue = (artery - vein) / max(resistance(y, p, u) - p[_Z], 0.01)
    back = (vein - right_atrial) / p[_RV]
    lung = (lung_artery - lung_vein) / (p[_RP] * u[_LUNG_FACTOR])
    home = (lung_vein - left_atrial) / p[_RPV]
    chest = u[_CHEST] - p[_CHEST_REST]
    control(y, p, u, artery + p[_Z] * aortic, right_atrial - chest, tissue, dydt)
    dydt[LV] = mitral - aortic
    dydt[LA] = home - mitral
    dydt[RV] = tricuspid - pulmonary
    dydt[RA] = back - tricuspid
    dydt[SA] = aortic - tissue
    dydt[SV] = tissue - back + u[_FLOW_IN]
    dydt[PA] = pulmonary - lung
    dydt[PV] = lung - home
    dydt[PHASE] = heart_rate(y, p, u) / 60.0


@njit(error_model="numpy")
def observe(t, y, p, u, out):  # type: ignore[no-untyped-def]
    """Outputs in the order of `BEATS_OUTPUTS`."""
    left, left_atrial, right, right_atrial, artery, _, lung_artery, _ = pressures(y, p, u)
    aortic = max(left - artery, 0.0) / (p[_RAV] + p[_Z] + p[_SL] * left)
    total = y[LV] + y[LA] + y[RV] + y[RA] + y[SA] + y[SV] + y[PA] + y[PV]
    out[0] = heart_rate(y, p, u)
    out[1] = y[reflex.SENSED] + p[reflex._HEIGHT] * u[reflex._TILT]
    out[2] = y[reflex.FILLING] + u[_CHEST] - p[_CHEST_REST]
    out[3] = y[reflex.FLOW] * 0.06
    out[4] = artery + p[_Z] * aortic
    out[5] = left - p[_SL] * left * aortic
    out[6] = left_atrial
    out[7] = right - p[_SR] * right * max(right - lung_artery, 0.0) / (p[_RPU] + p[_SR] * right)
    out[8] = right_atrial
    out[9] = lung_artery
    out[10] = y[LV]
    out[11] = y[RV]
    out[12] = aortic
    out[13] = y[PHASE]
    out[14] = total - unstressed(y, p, u)
    out[15] = math.exp(y[reflex.TONE])
    out[16] = total


@njit(error_model="numpy")
def emit(t, y, p, x):  # type: ignore[no-untyped-def]
    """Exports, from the lagged states."""
    total = y[LV] + y[LA] + y[RV] + y[RA] + y[SA] + y[SV] + y[PA] + y[PV]
    vein = y[reflex.FILLING] + y[reflex.FLOW] * p[_RV]
    x[0] = y[reflex.FLOW]
    x[1] = y[reflex.SENSED]
    x[2] = y[reflex.FILLING]
    x[3] = (p[_SHARE] * y[reflex.SENSED] + vein) / (1.0 + p[_SHARE])
    x[4] = total
    x[5] = y[reflex.FLOW]


@njit(error_model="numpy")
def start(p, u, y):  # type: ignore[no-untyped-def]
    """Near the steady state at rest: the set pressure, its flow, and all stressed volume in its place."""
    flow = (p[_SET] - p[_LOW_SET]) / p[_RS]
    for i in range(y.shape[0]):
        y[i] = 0.0
    y[reflex.SENSED] = p[_SET]
    y[reflex.FILLING] = p[_LOW_SET]
    y[reflex.FLOW] = flow
    y[LV] = math.log(1.0 + 8.0 / p[_PL]) / p[_KL]
    y[RV] = math.log(1.0 + 4.5 / p[_PR]) / p[_KR]
    y[LA] = p[_VLA] + 8.0 * p[_CLA]
    y[RA] = p[_VRA] + p[_LOW_SET] * p[_CRA]
    y[SA] = p[_SET] * 0.9 * p[_CSA]
    y[PA] = 13.0 * p[_CPA]
    y[PV] = 8.5 * p[_CPV]
    total = p[_STRESSED] + p[reflex._UNSTRESSED]
    y[SV] = total - (y[LV] + y[RV] + y[LA] + y[RA] + y[SA] + y[PA] + y[PV])
