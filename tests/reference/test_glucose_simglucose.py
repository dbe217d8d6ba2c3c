"""simglucose's thirty patients over a day, by simglucose itself and by our kernels."""

from __future__ import annotations

import types

import numpy as np
import pytest

from tests import glucose_support as support
from vitruvian.physiology.glucose import UVA_PADOVA
from vitruvian.physiology.run import run

BAR_MG_DL = 0.01


def ours(chosen: list[support.Patient], minutes: int) -> np.ndarray:
    """Plasma and sensor glucose (M, T, 2), mg/dL."""
    done = run(
        UVA_PADOVA,
        np.array([one.y for one in chosen]),
        np.array([one.p for one in chosen]),
        0.0,
        minutes,
        np.arange(minutes + 1.0),
        [support.plan(one) for one in chosen],
        np.arange(len(chosen)),
    ).check(UVA_PADOVA)
    return done.outputs[:, :, :2]


def worst(chosen: list[support.Patient], minutes: int) -> dict[str, float]:
    """The largest difference of each patient, mg/dL."""
    found = ours(chosen, minutes)
    differences = {}
    for member, one in zip(found, chosen, strict=True):
        # Their numbers without pandas' look-up of each: the same values and the same code, an order faster.
        plasma, sensor = support.theirs(one, types.SimpleNamespace(**one.row), minutes)
        differences[one.name] = float(max(abs(member[:, 0] - plasma).max(), abs(member[:, 1] - sensor).max()))
    return differences


def test_three_patients_over_a_day() -> None:
    """An adolescent, an adult and a child, three meals with boluses."""
    chosen = [one for one in support.patients() if one.name in ("adolescent#003", "adult#007", "child#001")]
    assert len(chosen) == 3
    differences = worst(chosen, support.DAY_MIN)
    assert max(differences.values()) < BAR_MG_DL, differences
    swing = np.ptp(ours(chosen, support.DAY_MIN)[:, :, 0], axis=1)
    assert (swing > 20).all(), "the day must move glucose for the comparison to mean anything"


@pytest.mark.long
def test_all_thirty_over_a_day() -> None:
    """The bar: every patient within 0.01 mg/dL."""
    differences = worst(support.patients(), support.DAY_MIN)
    assert len(differences) == 30
    assert max(differences.values()) < BAR_MG_DL, differences
