"""The glucose models against what is published of people, not of models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.room_settings import Setting, check, settings
from vitruvian.physiology import glucose
from vitruvian.physiology.actions import Action
from vitruvian.physiology.glucose import ICU_GLUCOSE, UVA_PADOVA
from vitruvian.physiology.simulate import simulate

FOLDER = Path(glucose.__file__).parent / "reference"


@pytest.mark.parametrize("setting", settings(FOLDER))
def test_published_settings(setting: Setting) -> None:
    """Each setting of the room's `reference` folder, within its published range."""
    check(UVA_PADOVA, setting)


def test_rapid_insulin_peaks_when_it_should() -> None:
    """0.1 U/kg of a rapid-acting analogue under the skin peaks after 30 to 90 min (label of insulin lispro)."""
    found = simulate(UVA_PADOVA, [Action("insulin", 7.7, "[iU]", 0)], for_s=4 * 3_600, every_s=60)
    insulin = found.values[0, :, UVA_PADOVA.output_index["plasma_insulin"]]
    assert 30 <= int(insulin.argmax()) <= 90


def test_the_renal_threshold_is_where_it_is_in_people() -> None:
    """Glucose is lost in urine above about 180 mg/dL: 160 to 200."""
    values = dict(zip(UVA_PADOVA.parameter_index, UVA_PADOVA.parameter_values(), strict=True))
    assert 160 < values["ke2"] / values["glucose_volume"] < 200


def test_interstitial_insulin_is_half_of_plasma() -> None:
    """Interstitial insulin is 0.4 to 0.6 of plasma's in steady state, which Lin 2011 set n_i by."""
    found = simulate(ICU_GLUCOSE, [], for_s=3_600, every_s=600).values[0, -1]
    ratio = found[ICU_GLUCOSE.output_index["insulin_interstitial"]] / found[ICU_GLUCOSE.output_index["plasma_insulin"]]
    assert 0.4 < ratio < 0.6


def test_a_bolus_into_a_vein_is_gone_in_minutes() -> None:
    """Insulin leaves plasma with a half-life of 3 to 6 min at first."""
    found = simulate(ICU_GLUCOSE, [Action("insulin", 2, "[iU]", 0)], for_s=900, every_s=10)
    insulin = found.values[0, :, ICU_GLUCOSE.output_index["plasma_insulin"]]
    rest = simulate(ICU_GLUCOSE, [], for_s=900, every_s=10).values[0, 0, ICU_GLUCOSE.output_index["plasma_insulin"]]
    above = insulin - rest
    half_min = float(np.flatnonzero(above[1:] < 0.5 * above[1])[0]) * 10 / 60
    assert 3 <= half_min <= 6
