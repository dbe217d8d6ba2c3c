"""How breathing is controlled and patterned: chemoreflexes, what low flow adds, rate and tidal volume, dead space."""

from __future__ import annotations

import math
from typing import Final

from numba import njit

from vitruvian.physiology.respiration.names import I, P, S

__all__ = ["breathing", "drive", "low_flow", "rate_of"]

OXYGEN_REST: Final = 0.197  # mL of oxygen a mL of blood at 15 g/dL and 97 %
PATTERN_L: Final = 2.2  # most that tidal volume grows by (Hey 1966, Respir Physiol 1:193: to half the vital capacity)
PATTERN_PER_MIN: Final = 25.0  # slope of ventilation on tidal volume, after Hey 1966
STANDARD_P50_MMHG: Final = 26.8
STANDARD_HILL: Final = 2.7
RATE_MAX: Final = 60.0


@njit(error_model="numpy")
def low_flow(p, flow, oxygen):  # type: ignore[no-untyped-def]
    """How far oxygen delivery is below what the carotid bodies bear, 0 to 1. Flow counts more than content, as they
    take little from each mL (assumption: square root).
    """
    ratio = flow / p[P.cardiac_output_rest] * math.sqrt(max(oxygen, 0.0) / OXYGEN_REST)
    return smooth(p[P.flow_threshold] - ratio, 0.03)


@njit(error_model="numpy")
def smooth(x, width):  # type: ignore[no-untyped-def]
    """max(x, 0), rounded over `width`."""
    return 0.5 * (x + math.sqrt(x * x + width * width)) - 0.5 * width * width / math.sqrt(x * x + 4.0 * width * width)


@njit(error_model="numpy")
def desaturation(po2):  # type: ignore[no-untyped-def]
    """Percent of saturation lost at the standard curve: the carotid bodies sense pressure, not content."""
    ratio = max(po2, 0.5) / STANDARD_P50_MMHG
    bound = math.exp(STANDARD_HILL * math.log(ratio))
    return 100.0 * (0.968 - bound / (1.0 + bound))


@njit(error_model="numpy")
def awake(y, u):  # type: ignore[no-untyped-def]
    """The share of the drive that a brain short of blood or oxygen still gives: nothing without circulation.

    Assumption: half at 25 mm[Hg] of mean pressure and at 18 mm[Hg] of arterial oxygen (gasping, then apnoea).
    """
    pressure, oxygen = max(u[I.arterial_pressure], 0.1) / 25.0, max(y[S.arterial_oxygen], 0.1) / 18.0
    pressure, oxygen = pressure**6, oxygen**6
    return pressure / (1.0 + pressure) * oxygen / (1.0 + oxygen)


@njit(error_model="numpy")
def drive(y, p, u, made, stagnant):  # type: ignore[no-untyped-def]
    """Ventilation the respiratory centre asks for, L/min: wakefulness, work, chemoreflexes, low flow and pressure."""
    central = y[S.brain_co2] - p[P.co2_set] + p[P.acid_gain] * y[S.brain_acid]
    acid = y[S.lactate] - p[P.lactate_rest]
    peripheral = y[S.arterial_co2] - p[P.co2_set] + p[P.acid_gain] * acid
    chemical = p[P.central_gain] * central + p[P.peripheral_gain] * peripheral
    if chemical < 0.0:
        floor = p[P.wakefulness]
        chemical = -floor * (1.0 - math.exp(chemical / floor))
    together = math.exp(min(max(peripheral / p[P.hypoxic_scale], -3.0), 1.2))
    hypoxic = p[P.hypoxic_gain] * desaturation(y[S.arterial_oxygen]) * together
    rest = p[P.oxygen_consumption_rest] * p[P.respiratory_quotient] / 60.0
    work = p[P.exercise_gain] * 0.06 * (made - rest)
    low = p[P.flow_gain] * stagnant
    low += p[P.pressure_gain] * smooth(p[P.pressure_threshold] - u[I.arterial_pressure], 5.0)
    asked = p[P.ventilation_rest] + max(work, -0.3 * p[P.ventilation_rest]) + chemical + hypoxic + low
    asked = max(asked, 0.0) * max(u[I.ventilatory_drive_factor], 0.0) * (1.0 - u[I.apnoea]) * awake(y, u)
    most = p[P.ventilation_max]
    return capped(asked, most)


@njit(error_model="numpy")
def capped(asked, most):  # type: ignore[no-untyped-def]
    """`asked`, bent to stay below `most`."""
    ratio = asked / most
    ratio *= ratio
    return asked / math.sqrt(math.sqrt(1.0 + ratio * ratio))


@njit(error_model="numpy")
def reached(y, p, u):  # type: ignore[no-untyped-def]
    """What one's own breathing achieves of the drive, L/min: an obstructed airway caps it, a collapsed lung costs."""
    free = max(1.0 - u[I.airway_obstruction], 0.0)
    most = p[P.ventilation_max] * free * free + 1e-9
    lost = 0.25 * y[S.collapse] * (1.0 + u[I.pneumothorax_open])
    return capped(y[S.drive], most) * math.sqrt(math.sqrt(free)) * (1.0 - lost)


@njit(error_model="numpy")
def rate_of(y, p, u, stagnant):  # type: ignore[no-untyped-def]
    """Breaths a minute of one's own. Tidal volume grows first and saturates; low flow and stiff lungs quicken."""
    asked = math.sqrt(max(y[S.drive] * reached(y, p, u), 0.0))
    rest = p[P.ventilation_rest]
    if asked >= rest:
        tidal = rest / p[P.rate_rest] + PATTERN_L * (1.0 - math.exp(-(asked - rest) / (PATTERN_PER_MIN * PATTERN_L)))
        rate = asked / tidal
    else:
        rate = p[P.rate_rest] * math.sqrt(max(asked, 0.0) / rest)
    stiff = 1.0 + 0.6 * u[I.lung_injury] + 0.4 * u[I.added_shunt] + 0.6 * y[S.collapse]
    rate *= stiff + 0.2 * u[I.airway_obstruction]
    shock = stagnant + smooth(p[P.pressure_threshold] - u[I.arterial_pressure], 5.0) / 150.0
    rate += p[P.flow_rate_gain] * shock * min(max(asked, 0.0) / rest, 1.0) * u[I.ventilatory_drive_factor] * awake(y, u)
    return RATE_MAX * (1.0 - math.exp(-rate / RATE_MAX * (1.0 + 0.6 * rate / RATE_MAX)))


@njit(error_model="numpy")
def breathing(y, p, u, flow):  # type: ignore[no-untyped-def]
    """(ventilation L/min, breaths a minute, alveolar ventilation mL/s, dead share of a breath, unperfused share).

    A ventilator delivers its settings; one's own breathing delivers what it can of the drive.
    """
    blocked = u[I.airway_obstruction]
    own = 1.0 - u[I.mechanical_ventilation]
    stagnant = low_flow(p, flow, OXYGEN_REST)
    passage = math.sqrt(max(1.0 - blocked, 0.0))
    rate = own * rate_of(y, p, u, stagnant) * (1.0 - u[I.apnoea]) + (1.0 - own) * u[I.respiratory_rate_set]
    asked = reached(y, p, u) * (1.0 - u[I.apnoea])
    given = u[I.respiratory_rate_set] * u[I.tidal_volume_set] * 1e-3 * (1.0 - 0.15 * y[S.collapse]) * passage
    ventilation = own * asked + (1.0 - own) * given
    if rate < 1e-6 or ventilation < 1e-9:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    tidal = 1e3 * ventilation / rate
    space = p[P.anatomical_dead_space] + 0.04 * max(tidal - 500.0, 0.0)
    dead = space / tidal * (1.0 - math.exp(-tidal / space))
    poor = max(1.0 - flow / p[P.cardiac_output_rest], 0.0)
    unperfused = p[P.alveolar_dead_space] + 0.25 * poor + 0.30 * blocked**2 + 0.15 * u[I.lung_injury]
    unperfused = min(unperfused + 0.004 * u[I.positive_end_expiratory_pressure], 0.9)
    alveolar = ventilation * (1.0 - dead) * (1.0 - unperfused)
    return ventilation, rate, alveolar / 0.06, 1.0 - (1.0 - dead) * (1.0 - unperfused), unperfused
