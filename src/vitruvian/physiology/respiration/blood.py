"""What blood carries: saturation, pH and carbon dioxide content of a pair of pressures, with their slopes.

Sources: oxygen curve Dash, Korman, Bassingthwaighte 2016 (Eur J Appl Physiol 116:97, eqs 9-11 and table 1); acid-base
Zander's form of the Van Slyke equation (Lang, Zander 2002 Clin Chem Lab Med 40:404); carbon dioxide content Douglas,
Jones, Reed 1988 (J Appl Physiol 65:473). The slopes are exact derivatives of these forms, so that what flows into a
compartment of blood is what its pressures come to hold.
"""

from __future__ import annotations

import math
from typing import Final

from numba import njit

__all__ = ["HUFNER_ML_G", "SOLUBILITY_ML_ML_MMHG", "acid_base", "bicarbonate", "blood", "contents", "oxygen_content"]

LN10: Final = math.log(10.0)
HUFNER_ML_G: Final = 1.34  # oxygen bound by a gram of haemoglobin, with its usual inactive share (West, Nunn)
SOLUBILITY_ML_ML_MMHG: Final = 3.1e-5  # of oxygen in blood at 37 Cel

P50_MMHG: Final = 26.8
HILL_HIGH: Final = 2.82
HILL_FALL: Final = 1.20
HILL_SCALE_MMHG: Final = 29.25
RBC_PH_SLOPE: Final = 0.795  # of red cell pH on plasma pH (Siggaard-Andersen 1971, in Dash 2016)
HCO3_AT_74: Final = 0.0304 * 10.0**1.3  # mmol/L a mmHg of carbon dioxide at pH 7.4
HALLEY_STEPS: Final = 2


@njit(error_model="numpy")
def acid_base(pco2, base, hb):  # type: ignore[no-untyped-def]
    """(x, h, b): x = ln 10 (pH - 7.4) of oxygenated blood, bicarbonate h mmol/L, non-bicarbonate buffering b mmol/L.

    Solves Zander's equation h exp + b x = r; pco2 mmHg, base excess `base` mmol/L, hb g/dL.
    """
    a = HCO3_AT_74 * pco2
    b = (9.5 + 1.63 * hb) / LN10
    r = 24.26 + base / (1.0 - 0.0143 * hb)
    x = math.log((max(r, 1.0) + b) / (a + b)) * 1.1
    h = a * math.exp(x)
    for _ in range(HALLEY_STEPS):
        off, slope = h + b * x - r, h + b
        x -= 2.0 * off * slope / (2.0 * slope * slope - off * h)
        h = a * math.exp(x)
    return x, h, b


def _blood(po2, pco2, base, hb, warmer):  # type: ignore[no-untyped-def]
    """(saturation, pH, CO2 content, dS/dPO2, dS/dPCO2, dS/dBE, dC/dPO2, dC/dPCO2, dC/dBE) of blood.

    po2, pco2 mmHg; base excess mmol/L; hb g/dL; `warmer` Cel above 37. Content in mL (STPD) a mL of blood.
    """
    po2, pco2 = max(po2, 0.05), max(pco2, 0.5)
    x0, h, b = acid_base(pco2, base, hb)
    d = h + b
    share = 1.0 - 0.0143 * hb
    x0_c, x0_b = -h / (pco2 * d), 1.0 / (share * d)
    h_c, h_b = h / pco2 + h * x0_c, h * x0_b

    rbc = RBC_PH_SLOPE * x0 / LN10
    f1 = 1.0 + rbc * (-25.535 + rbc * (10.646 - 1.764 * rbc)) / P50_MMHG
    f1_x = (-25.535 + rbc * (21.292 - 5.292 * rbc)) / P50_MMHG * RBC_PH_SLOPE / LN10
    c = pco2 - 40.0
    f2 = 1.0 + c * (0.1273 + 1.083e-4 * c) / P50_MMHG
    f2_c = (0.1273 + 2.166e-4 * c) / P50_MMHG
    f3 = 1.0 + warmer * (1.435 + warmer * (4.163e-2 + 6.86e-4 * warmer)) / P50_MMHG
    fall = HILL_FALL * math.exp(-po2 * (LN10 / HILL_SCALE_MMHG))
    n = HILL_HIGH - fall
    distance = math.log(po2 / (P50_MMHG * f1 * f2 * f3))
    s = 1.0 / (1.0 + math.exp(-n * distance))
    slope = s * (1.0 - s)
    s_o = slope * (n / po2 + distance * fall * LN10 / HILL_SCALE_MMHG)
    s_c = -slope * n * (f2_c / f2 + f1_x / f1 * x0_c)
    s_b = -slope * n * f1_x / f1 * x0_b

    # Haemoglobin that gave up its oxygen binds protons (Haldane).
    k = 0.2 * hb / (share * d)
    x = x0 + k * (1.0 - s)
    x_o = -k * s_o
    x_c = x0_c - k * s_c - (1.0 - s) * k * h_c / d
    x_b = x0_b - k * s_b - (1.0 - s) * k * h_b / d
    ph = 7.4 + x / LN10

    # The content equation has a pole at pH 8.14 and says nothing of extreme acid: beyond its range it is held.
    off = min(max(x, -1.6), 1.15) / LN10
    within = 1.0 if -1.6 < x < 1.15 else 0.0
    g = math.exp(LN10 * (7.4 + off - 6.09072 + 0.04339 * off))
    plasma = 2.226 * 0.0307 * pco2 * (1.0 + g)
    plasma_x = 2.226 * 0.0307 * pco2 * g * 1.04339
    m1, m2 = 3.352 - 0.456 * s, 0.742 - off
    q = 0.0289 * hb / (m1 * m2)
    q_s, q_x = q * 0.456 / m1, q / (m2 * LN10)
    by_x = within * (plasma_x * (1.0 - q) - plasma * q_x)
    by_s = -plasma * q_s
    co2 = 0.01 * plasma * (1.0 - q)
    return (
        s, ph, co2, s_o, s_c, s_b,
        0.01 * (by_x * x_o + by_s * s_o),
        0.01 * (plasma * (1.0 - q) / pco2 + by_x * x_c + by_s * s_c),
        0.01 * (by_x * x_b + by_s * s_b),
    )  # fmt: skip


blood: Final = njit(error_model="numpy")(_blood)
_blood_within: Final = njit(error_model="numpy", inline="always")(_blood)


@njit(error_model="numpy")
def contents(po2, pco2, base, hb, warmer):  # type: ignore[no-untyped-def]
    """(saturation, pH, CO2 content) of `blood`, without the slopes."""
    s, ph, co2, _, _, _, _, _, _ = _blood_within(po2, pco2, base, hb, warmer)
    return s, ph, co2


@njit(error_model="numpy")
def oxygen_content(saturation, po2, hb):  # type: ignore[no-untyped-def]
    """Oxygen, mL (STPD) a mL of blood."""
    return 0.01 * HUFNER_ML_G * hb * saturation + SOLUBILITY_ML_ML_MMHG * po2


@njit(error_model="numpy")
def bicarbonate(pco2, ph):  # type: ignore[no-untyped-def]
    """Bicarbonate of plasma, mmol/L (Henderson-Hasselbalch, pK 6.1, 0.0304 mmol/L a mmHg as in Zander's equation)."""
    return 0.0304 * pco2 * math.exp(LN10 * (ph - 6.1))
