"""What must hold of breathing whatever the state: slopes are derivatives, and gas is neither made nor lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.physiology.respiration import RESPIRATION
from vitruvian.physiology.respiration.blood import blood, contents, oxygen_content
from vitruvian.physiology.respiration.control import breathing
from vitruvian.physiology.respiration.equations import BTPS_MMHG, WATER_MMHG, base_excess, metabolism

Y, P = RESPIRATION.state_index, RESPIRATION.parameter_index
U = {one.name: i for i, one in enumerate((*RESPIRATION.inputs, *RESPIRATION.imports))}


@given(st.floats(8, 600), st.floats(12, 110), st.floats(-20, 15), st.floats(5, 20), st.floats(-3, 4))
def test_slopes_are_derivatives(po2: float, pco2: float, base: float, hb: float, warmer: float) -> None:
    """Against central differences: within 1e-5 of the largest of each quantity's slopes (the differences' own error).

    The content equation is held beyond pH 7.9, short of its pole; the slope is then that of the held form.
    """
    if abs(blood(po2, pco2, base, hb, warmer)[1] - 7.9) < 0.01 or blood(po2, pco2, base, hb, warmer)[1] > 7.88:
        return
    at = np.array([po2, pco2, base])
    for quantity, slopes in ((0, (3, 4, 5)), (2, (6, 7, 8))):
        exact = np.array([blood(*at, hb, warmer)[i] for i in slopes])
        found = np.empty(3)
        for i in range(3):
            step = np.zeros(3)
            step[i] = 1e-4
            ahead, behind = (blood(*(at + sign * step), hb, warmer)[quantity] for sign in (1, -1))
            found[i] = (ahead - behind) / 2e-4
        np.testing.assert_allclose(exact, found, atol=1e-5 * np.abs(exact).max() + 1e-9)


def stores(y: np.ndarray, p: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Oxygen and carbon dioxide of the body, mL STPD: lungs, arteries, veins, tissue. Written apart from the room."""
    hb, warmer, base = u[U["hemoglobin_concentration"]], u[U["temperature_shift"]], base_excess(y, p)
    lung = p[P["functional_residual_capacity"]] * (1 - 0.5 * y[Y["collapse"]]) / BTPS_MMHG
    found = np.array([lung * y[Y["alveolar_oxygen"]], lung * y[Y["alveolar_co2"]]])
    for place, volume in (("arterial", "arterial_volume"), ("venous", "venous_volume")):
        po2 = y[Y[f"{place}_oxygen"]]
        saturation, _, co2 = contents(po2, y[Y[f"{place}_co2"]], base, hb, warmer)
        found += p[P[volume]] * np.array([oxygen_content(saturation, po2, hb), co2])
    found[0] += p[P["tissue_oxygen"]] * y[Y["venous_oxygen"]]
    found[1] += p[P["tissue_co2_quick"]] * y[Y["venous_co2"]] + p[P["tissue_co2_slow"]] * y[Y["tissue_co2"]]
    return found


@given(
    st.floats(40, 500), st.floats(20, 80), st.floats(0, 60), st.floats(20, 200), st.floats(6, 18), st.floats(1, 15),
    st.floats(0.15, 1.0), st.floats(2, 40),
)  # fmt: skip
def test_gas_is_conserved(
    oxygen: float, co2: float, apart: float, flow: float, hb: float, lactate: float, inspired: float, drive: float
) -> None:
    """What the stores gain is what was breathed in less what was breathed out and used: within 1e-4 of the turnover
    (finite differences of the stores along the slope).
    """
    p, u = RESPIRATION.parameter_values(), RESPIRATION.rest()
    y = np.empty(len(Y))
    RESPIRATION.start(p, u, y)
    y[Y["alveolar_oxygen"]], y[Y["alveolar_co2"]] = oxygen, co2
    y[Y["arterial_oxygen"]], y[Y["arterial_co2"]] = max(oxygen - apart, 20.0), co2 + 1
    y[Y["venous_oxygen"]], y[Y["venous_co2"]] = 35.0, co2 + 6
    y[Y["tissue_co2"]], y[Y["lactate"]], y[Y["drive"]] = co2 + 4, lactate, drive
    u[U["cardiac_output"]], u[U["hemoglobin_concentration"]] = flow, hb
    u[U["inspired_oxygen_fraction"]] = inspired
    slope = np.empty(len(Y))
    RESPIRATION.rhs(0.0, y, p, u, slope)
    step_s = 1e-4
    gained = (stores(y + step_s * slope, p, u) - stores(y - step_s * slope, p, u)) / (2 * step_s)
    dry = p[P["barometric_pressure"]] - WATER_MMHG
    alveolar = breathing(y, p, u, flow)[2]
    taken, made = metabolism(y, p)
    out_o, out_c = alveolar * oxygen / BTPS_MMHG, alveolar * co2 / BTPS_MMHG
    # Breathed in is what the oxygen's balance says; the same gas must then balance carbon dioxide and volume.
    used_o = gained[0] + taken + out_o
    drawn = used_o * BTPS_MMHG / (inspired * dry)
    assert gained[1] == pytest.approx(made - out_c, abs=1e-4 * (abs(out_c) + made + abs(gained[1])))
    # Inert gas: the lung's volume is held, so what comes in beyond what goes out makes up for the gas taken up.
    lung = p[P["functional_residual_capacity"]] / BTPS_MMHG
    into_blood = used_o - out_o - lung * slope[Y["alveolar_oxygen"]]
    from_blood = lung * slope[Y["alveolar_co2"]] + out_c
    expected = max(alveolar + BTPS_MMHG * (into_blood - from_blood) / dry, 0.0)
    assert drawn == pytest.approx(expected, abs=1e-3 * (alveolar + BTPS_MMHG * taken / dry))
