"""The equations of breathing, averaged over breaths: gas exchange, stores, control of ventilation, lactate.

Times in s, pressures in mm[Hg], volumes in mL; gas in blood as mL STPD, in lungs BTPS (a mm[Hg] of a mL BTPS is 1/863
mL STPD). Each compartment's balance of oxygen and carbon dioxide is solved for its two pressures through the slopes of
`blood`, so that gas is conserved.
"""

from __future__ import annotations

import math
from typing import Final

from numba import njit

from vitruvian.physiology.respiration.blood import bicarbonate, blood, contents, oxygen_content
from vitruvian.physiology.respiration.control import breathing, drive, low_flow
from vitruvian.physiology.respiration.names import I, P, S

__all__ = ["emit", "observe", "rhs", "start"]

BTPS_MMHG: Final = 863.0
WATER_MMHG: Final = 47.0
CMH2O_MMHG: Final = 0.7356
ML_MMOL: Final = 22.4
OPEN_MMHG: Final = 20.0  # assumption: an open chest has no suction, and its swinging mediastinum hinders the veins
STRETCH_PER_MMHG: Final = 0.05  # assumption: 15 cm[H2O] of PEEP raises pulmonary resistance by 30 %
WORK_EXTRACTION: Final = 0.04  # assumption: working muscle takes oxygen from blood with less of it
LACTATE_MAX: Final = 35.0  # assumption: mmol/L at which acid has stopped glycolysis (the living are seen up to 30)
INJURY_SHUNT: Final = 0.45  # assumption: shunt of the most severe lung injury without any PEEP
COLLAPSE_SHUNT: Final = 0.30  # assumption: of half the flow, constriction spares two fifths
OBSTRUCTION_ADMIXTURE: Final = 0.45  # assumption: poorly ventilated flow of the most severe obstruction that breathes
RECRUIT_CMH2O: Final = 16.0  # assumption: PEEP that opens all but 1/e of the recruitable shunt (Gattinoni 2006: varies)


@njit(error_model="numpy")
def fraction_past(y, p, u):  # type: ignore[no-untyped-def]
    """The share of flow that leaves the lung unoxygenated: shunt, and poorly ventilated flow unless oxygen is given."""
    peep = u[I.positive_end_expiratory_pressure]
    open_to_peep = math.exp(-peep / RECRUIT_CMH2O)
    flooded = min(u[I.added_shunt] + INJURY_SHUNT * u[I.lung_injury], 1.0) * open_to_peep
    inspired = u[I.inspired_oxygen_fraction] * (p[P.barometric_pressure] - WATER_MMHG)
    relief = 1.0 / (1.0 + max(inspired - 150.0, 0.0) / 150.0)
    blocked = u[I.airway_obstruction] ** 2
    # A closed airway stops all of the lung alike: only a narrowed one leaves parts of it behind.
    low = p[P.low_ventilation] + OBSTRUCTION_ADMIXTURE * blocked * (1.0 - blocked * blocked * blocked * blocked)
    low = min(low, 0.9) * relief * relief
    return 1.0 - (1.0 - p[P.shunt]) * (1.0 - flooded) * (1.0 - COLLAPSE_SHUNT * y[S.collapse]) * (1.0 - low)


@njit(error_model="numpy")
def base_excess(y, p):  # type: ignore[no-untyped-def]
    """Base excess of whole blood, mmol/L: less lactate, less what hypercapnia drove into the tissues."""
    return (
        p[P.base_excess_rest]
        - (y[S.lactate] - p[P.lactate_rest])
        - p[P.base_shift] * (y[S.tissue_co2] - p[P.co2_set] - 5.0)
    )


@njit(error_model="numpy")
def metabolism(y, p):  # type: ignore[no-untyped-def]
    """(oxygen taken up, carbon dioxide made) by the tissues, mL/s. Uptake fails where venous oxygen does."""
    rest = p[P.oxygen_consumption_rest] / 60.0
    extraction = 1.0 + WORK_EXTRACTION * max(y[S.demand] / rest - 1.0, 0.0)
    ratio = max(y[S.venous_oxygen], 0.05) / p[P.oxygen_half_mmhg] * extraction
    ratio *= ratio * ratio
    ratio *= ratio
    taken = y[S.demand] * ratio / (1.0 + ratio)
    # Work burns carbohydrate: the quotient nears 1 with 2 L/min above rest (Wasserman: Principles of Exercise Testing).
    harder = min(max(y[S.demand] - 1.5 * rest, 0.0) / 33.0, 1.0)
    quotient = p[P.respiratory_quotient]
    return taken, taken * (quotient + max(1.0 - quotient, 0.0) * harder)


@njit(error_model="numpy")
def pleural_target(y, p, u, ventilation):  # type: ignore[no-untyped-def]
    """Where the mean pressure around the heart goes, mm[Hg]; ventilation L/min."""
    ventilator = u[I.mechanical_ventilation]
    # Half of the airway's pressure reaches the pleura in health, less where the lung is stiff.
    passed = 0.5 * (1.0 - 0.4 * min(u[I.lung_injury] + u[I.added_shunt], 1.0))
    airway = u[I.positive_end_expiratory_pressure] + 10.0 * u[I.airway_obstruction] ** 3 * ventilator
    # A ventilator ends the suction of breaths (assumption: 3.5 cm[H2O] of the mean), and pushes a third of the time.
    swing = ventilator * (3.5 + u[I.tidal_volume_set] / p[P.respiratory_compliance] / 2.0 / 3.0)
    closed = 1.0 - u[I.pneumothorax_open]
    full = y[S.collapse]
    return (
        p[P.pleural_pressure_rest]
        + CMH2O_MMHG * (passed * airway + swing)
        + full * (closed * full * p[P.tension_pressure] + (1.0 - closed) * full * OPEN_MMHG)
    )


@njit(error_model="numpy")
def rhs(t, y, p, u, dydt):  # type: ignore[no-untyped-def]
    """Slopes a second."""
    flow, hb, warmer = max(u[I.cardiac_output], 0.5), max(u[I.hemoglobin_concentration], 1.0), u[I.temperature_shift]
    base = base_excess(y, p)
    s_a, _, c_a, sao, sac, sab, cao, cac, cab = blood(y[S.arterial_oxygen], y[S.arterial_co2], base, hb, warmer)
    s_v, _, c_v, svo, svc, svb, cvo, cvc, cvb = blood(y[S.venous_oxygen], y[S.venous_co2], base, hb, warmer)
    s_e, _, c_e = contents(y[S.alveolar_oxygen], y[S.alveolar_co2], base, hb, warmer)
    o_a = oxygen_content(s_a, y[S.arterial_oxygen], hb)
    o_v = oxygen_content(s_v, y[S.venous_oxygen], hb)
    o_e = oxygen_content(s_e, y[S.alveolar_oxygen], hb)
    bound, free = oxygen_content(1.0, 0.0, hb), oxygen_content(0.0, 1.0, hb)
    past = fraction_past(y, p, u)
    taken, made = metabolism(y, p)

    # Lactate, and with it the base excess that all blood shares.
    rest = p[P.oxygen_consumption_rest] / 60.0
    perfusion = min(flow / p[P.cardiac_output_rest], 1.0)
    lacking = max(0.98 * y[S.demand] - taken, 0.0) / ML_MMOL * p[P.lactate_per_oxygen] / p[P.lactate_volume]
    made_at_rest = p[P.lactate_clearance] * p[P.lactate_rest] * u[I.lactate_production_factor]
    lacking *= max(1.0 - y[S.lactate] / LACTATE_MAX, 0.0)
    lactate = made_at_rest + lacking - p[P.lactate_clearance] * math.sqrt(perfusion) * y[S.lactate]
    to_slow = p[P.tissue_co2_flow] * (y[S.venous_co2] - y[S.tissue_co2])
    slow = to_slow / p[P.tissue_co2_slow]
    base_slope = -lactate - p[P.base_shift] * slow

    # Lungs. What is breathed in exceeds what is breathed out by the gas taken up: so apnoea draws gas in.
    ventilation, _, alveolar, _, _ = breathing(y, p, u, flow)
    uptake, release = flow * (1.0 - past) * (o_e - o_v), flow * (1.0 - past) * (c_v - c_e)
    dry = p[P.barometric_pressure] - WATER_MMHG
    inspired_o, inspired_c = u[I.inspired_oxygen_fraction] * dry, u[I.inspired_co2_fraction] * dry
    drawn = max(alveolar + BTPS_MMHG * (uptake - release) / dry, 0.0)
    compliance = p[P.respiratory_compliance]
    volume = p[P.functional_residual_capacity] * (1.0 - 0.5 * y[S.collapse]) * (1.0 - 0.4 * u[I.lung_injury])
    volume += compliance * u[I.positive_end_expiratory_pressure]
    dydt[S.alveolar_oxygen] = (drawn * inspired_o - alveolar * y[S.alveolar_oxygen] - BTPS_MMHG * uptake) / volume
    dydt[S.alveolar_co2] = (drawn * inspired_c - alveolar * y[S.alveolar_co2] + BTPS_MMHG * release) / volume

    # Arteries: a mixed volume that stands for the way from lung to chemoreceptor.
    v = p[P.arterial_volume]
    into_o = flow * (past * o_v + (1.0 - past) * o_e - o_a) - v * bound * sab * base_slope
    into_c = flow * (past * c_v + (1.0 - past) * c_e - c_a) - v * cab * base_slope
    oo, oc, co, cc = v * (bound * sao + free), v * bound * sac, v * cao, v * cac
    determinant = oo * cc - oc * co
    dydt[S.arterial_oxygen] = (into_o * cc - oc * into_c) / determinant
    dydt[S.arterial_co2] = (oo * into_c - co * into_o) / determinant

    # Veins with quick tissue.
    v = p[P.venous_volume]
    into_o = flow * (o_a - o_v) - taken - v * bound * svb * base_slope
    into_c = flow * (c_a - c_v) + made - to_slow - v * cvb * base_slope
    oo, oc = v * (bound * svo + free) + p[P.tissue_oxygen], v * bound * svc
    co, cc = v * cvo, v * cvc + p[P.tissue_co2_quick]
    determinant = oo * cc - oc * co
    dydt[S.venous_oxygen] = (into_o * cc - oc * into_c) / determinant
    dydt[S.venous_co2] = (oo * into_c - co * into_o) / determinant
    dydt[S.tissue_co2] = slow

    # Control.
    dydt[S.brain_co2] = (y[S.arterial_co2] - y[S.brain_co2]) / p[P.brain_lag_s]
    dydt[S.brain_acid] = (p[P.base_excess_rest] - base_buffered(y, p) - y[S.brain_acid]) / p[P.brain_acid_lag_s]
    stagnant = low_flow(p, flow, o_a)
    dydt[S.drive] = (drive(y, p, u, made, stagnant) - y[S.drive]) / p[P.drive_lag_s]
    warm = 1.0 + p[P.warmth_gain] * warmer
    work = u[I.exercise] * p[P.oxygen_per_watt] + p[P.oxygen_unloaded] * min(u[I.exercise] / 20.0, 1.0)
    wanted = rest * u[I.metabolic_demand] * max(warm, 0.3) + work / 60.0
    dydt[S.demand] = (wanted - y[S.demand]) / p[P.demand_lag_s]
    dydt[S.lactate] = lactate
    dydt[S.pleural_pressure] = (pleural_target(y, p, u, ventilation) - y[S.pleural_pressure]) / p[P.pleural_lag_s]
    size = u[I.pneumothorax] if u[I.pneumothorax] > 0.0 else u[I.pneumothorax_open]
    dydt[S.collapse] = (size - y[S.collapse]) * (1.0 + u[I.mechanical_ventilation]) / p[P.collapse_lag_s]


@njit(error_model="numpy")
def base_buffered(y, p):  # type: ignore[no-untyped-def]
    """Base excess less the share that only moved between blood and tissue, mmol/L: what metabolic acid made of it."""
    return p[P.base_excess_rest] - (y[S.lactate] - p[P.lactate_rest])


@njit(error_model="numpy")
def observe(t, y, p, u, out):  # type: ignore[no-untyped-def]
    """What is seen, in the order of OUTPUTS."""
    flow, hb, warmer = max(u[I.cardiac_output], 0.5), max(u[I.hemoglobin_concentration], 1.0), u[I.temperature_shift]
    base = base_excess(y, p)
    s_a, ph, _ = contents(y[S.arterial_oxygen], y[S.arterial_co2], base, hb, warmer)
    s_v, _, _ = contents(y[S.venous_oxygen], y[S.venous_co2], base, hb, warmer)
    ventilation, rate, _, dead, unperfused = breathing(y, p, u, flow)
    hco3 = bicarbonate(y[S.arterial_co2], ph)
    taken, made = metabolism(y, p)
    out[0] = rate
    out[1] = 1000.0 * ventilation / rate if rate > 1e-6 else 0.0
    out[2] = ventilation
    out[3] = 100.0 * s_a
    out[4] = 100.0 * s_a
    out[5] = y[S.arterial_oxygen]
    out[6] = y[S.arterial_co2]
    out[7] = y[S.alveolar_co2] * (1.0 - unperfused) if rate > 1e-6 else 0.0
    out[8] = ph
    out[9] = hco3
    out[10] = (1.0 - 0.0143 * hb / 3.0) * ((hco3 - 24.26) + (9.5 + 1.63 * hb / 3.0) * (ph - 7.4))
    out[11] = y[S.lactate]
    out[12] = 100.0 * s_v
    out[13] = y[S.venous_oxygen]
    out[14] = 100.0 * fraction_past(y, p, u)
    out[15] = 100.0 * dead
    out[16] = 60.0 * flow * oxygen_content(s_a, y[S.arterial_oxygen], hb)
    out[17] = 60.0 * taken
    out[18] = 60.0 * made
    stiff = (1.0 - 0.6 * u[I.lung_injury]) * (1.0 - 0.4 * u[I.added_shunt]) * (1.0 - 0.5 * y[S.collapse])
    out[19] = p[P.respiratory_compliance] * stiff


@njit(error_model="numpy")
def emit(t, y, p, x):  # type: ignore[no-untyped-def]
    """Exports, in the order of EXPORTS."""
    _, ph, _ = contents(y[S.arterial_oxygen], y[S.arterial_co2], base_excess(y, p), p[P.hemoglobin_rest], 0.0)
    x[0] = y[S.arterial_oxygen]
    x[1] = y[S.arterial_co2]
    x[2] = y[S.pleural_pressure]
    x[3] = ph
    # Hypoxic constriction: half of its full effect at 50 mm[Hg] of alveolar oxygen (Marshall 1994, Intensive Care Med
    # 20:379); doubling at most.
    low = (50.0 / max(y[S.alveolar_oxygen], 1.0)) ** 3
    # The heart fails in extreme hypoxia, and in acid below pH 7.1 (Mitchell 1972, Am J Med 52:149, for the direction).
    # Assumption: halves at 10 mm[Hg] of arterial oxygen and at pH 6.85, so that asphyxia stops it within ten minutes.
    oxygen = (max(y[S.arterial_oxygen], 0.1) / 10.0) ** 6
    left = oxygen / (1.0 + oxygen) * (1.0 + 1e-6)
    x[5] = left / (1.0 + math.exp((6.85 - ph) / 0.06)) * (1.0 + math.exp((6.85 - 7.4) / 0.06))
    x[6] = 0.2 + 0.8 * left
    constricted = (1.0 + low / (1.0 + low)) / (1.0 + 1.0 / (1.0 + (103.0 / 50.0) ** 3))
    # Stretched lung presses on its capillaries; the pleural pressure stands for the airway's (assumption).
    pressed = 1.0 + STRETCH_PER_MMHG * max(y[S.pleural_pressure] - p[P.pleural_pressure_rest], 0.0)
    x[4] = constricted * (1.0 + 0.6 * y[S.collapse]) * pressed


@njit(error_model="numpy")
def start(p, u, y):  # type: ignore[no-untyped-def]
    """Near the resting state; `settle` does the rest."""
    co2 = p[P.co2_set]
    y[S.alveolar_oxygen] = max(0.21 * (p[P.barometric_pressure] - WATER_MMHG) - co2 / p[P.respiratory_quotient], 30.0)
    y[S.alveolar_co2] = co2
    y[S.arterial_oxygen] = 0.92 * y[S.alveolar_oxygen]
    y[S.arterial_co2] = co2
    y[S.venous_oxygen] = min(39.0, 0.6 * y[S.arterial_oxygen])
    y[S.venous_co2] = co2 + 5.0
    y[S.tissue_co2] = co2 + 5.0
    y[S.brain_co2] = co2
    y[S.brain_acid] = 0.0
    y[S.drive] = p[P.ventilation_rest]
    y[S.demand] = p[P.oxygen_consumption_rest] / 60.0
    y[S.lactate] = p[P.lactate_rest]
    y[S.pleural_pressure] = p[P.pleural_pressure_rest]
    y[S.collapse] = 0.0
