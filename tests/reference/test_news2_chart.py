"""NEWS2 against the Royal College of Physicians' charts (2017), at every boundary.

The rows below are transcribed from Chart 1 (scoring system) and Chart 2 (thresholds and triggers) of "National
Early Warning Score (NEWS) 2", RCP London 2017: each band's first and last value, and the values just beside them.
"""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.prediction.scores import INPUTS, Inputs
from vitruvian.prediction.scores.news2 import BANDS, PARTS, news2

NORMAL = {
    "respiratory_rate": 16.0, "oxygen_saturation": 97.0, "oxygen_supplementation": 0.0, "systolic_pressure": 120.0,
    "heart_rate": 70.0, "consciousness": 0.0, "body_temperature": 37.0,
}  # fmt: skip


def patient(**changes: float | None) -> Inputs:
    """One adult, all parameters normal but for the changes (None removes one)."""
    stated = {name: value for name, value in {**NORMAL, **changes}.items() if value is not None}
    value = np.array([[stated.get(name, np.nan)] for name in INPUTS])
    age_s = np.where(np.isnan(value), np.nan, 60.0)
    return Inputs(value, age_s, np.array([60.0]), np.array([np.nan]))


def points(part: str, **changes: float) -> int:
    return int(news2(patient(**changes)).points[PARTS.index(part), 0])


RESPIRATION = [(4, 3), (8, 3), (9, 1), (11, 1), (12, 0), (20, 0), (21, 2), (24, 2), (25, 3), (60, 3)]
SATURATION_1 = [(70, 3), (91, 3), (92, 2), (93, 2), (94, 1), (95, 1), (96, 0), (100, 0)]
SATURATION_2_AIR = [(70, 3), (83, 3), (84, 2), (85, 2), (86, 1), (87, 1), (88, 0), (92, 0), (93, 0), (96, 0), (100, 0)]
SATURATION_2_OXYGEN = [
    (83, 3), (84, 2), (85, 2), (86, 1), (87, 1), (88, 0), (92, 0), (93, 1), (94, 1), (95, 2), (96, 2),
    (97, 3), (100, 3),
]  # fmt: skip
SYSTOLIC = [(50, 3), (90, 3), (91, 2), (100, 2), (101, 1), (110, 1), (111, 0), (219, 0), (220, 3), (260, 3)]
PULSE = [
    (20, 3), (40, 3), (41, 1), (50, 1), (51, 0), (90, 0), (91, 1), (110, 1), (111, 2), (130, 2), (131, 3), (200, 3),
]  # fmt: skip
TEMPERATURE = [
    (33.0, 3), (35.0, 3), (35.1, 1), (36.0, 1), (36.1, 0), (38.0, 0), (38.1, 1), (39.0, 1), (39.1, 2), (41.0, 2),
]  # fmt: skip
CONSCIOUSNESS = [(0, 0), (1, 3), (2, 3), (3, 3), (4, 3)]


@pytest.mark.parametrize(("value", "expected"), RESPIRATION)
def test_respiration(value: float, expected: int) -> None:
    assert points("respiration", respiratory_rate=value) == expected


@pytest.mark.parametrize(("value", "expected"), SATURATION_1)
def test_saturation_scale_1(value: float, expected: int) -> None:
    assert points("oxygen_saturation", oxygen_saturation=value) == expected


@pytest.mark.parametrize(("value", "expected"), SATURATION_1)
def test_scale_1_stays_where_scale_2_was_prescribed_and_withdrawn(value: float, expected: int) -> None:
    assert points("oxygen_saturation", oxygen_saturation=value, spo2_scale_2=0.0) == expected


@pytest.mark.parametrize(("value", "expected"), SATURATION_2_AIR)
def test_saturation_scale_2_on_air(value: float, expected: int) -> None:
    assert points("oxygen_saturation", oxygen_saturation=value, spo2_scale_2=1.0) == expected


@pytest.mark.parametrize(("value", "expected"), SATURATION_2_OXYGEN)
def test_saturation_scale_2_on_oxygen(value: float, expected: int) -> None:
    assert (
        points("oxygen_saturation", oxygen_saturation=value, spo2_scale_2=1.0, oxygen_supplementation=1.0) == expected
    )


@pytest.mark.parametrize(("value", "expected"), SYSTOLIC)
@pytest.mark.parametrize("method", ["systolic_pressure", "systolic_pressure_arterial"])
def test_systolic(method: str, value: float, expected: int) -> None:
    changes = {"systolic_pressure": None, method: float(value)}
    assert news2(patient(**changes)).points[PARTS.index("systolic_pressure"), 0] == expected


@pytest.mark.parametrize(("value", "expected"), PULSE)
def test_pulse(value: float, expected: int) -> None:
    assert points("pulse", heart_rate=value) == expected


@pytest.mark.parametrize(("value", "expected"), TEMPERATURE)
def test_temperature(value: float, expected: int) -> None:
    assert points("temperature", body_temperature=value) == expected


@pytest.mark.parametrize("tenths", range(300, 430))
def test_every_tenth_of_a_degree(tenths: int) -> None:
    """Binary fractions must not move a boundary: the bands in whole tenths, read as text."""
    expected = 3 if tenths <= 350 else 1 if tenths <= 360 else 0 if tenths <= 380 else 1 if tenths <= 390 else 2
    assert points("temperature", body_temperature=float(f"{tenths // 10}.{tenths % 10}")) == expected


@pytest.mark.parametrize(("value", "expected"), CONSCIOUSNESS)
def test_consciousness(value: float, expected: int) -> None:
    assert points("consciousness", consciousness=value) == expected


@pytest.mark.parametrize(("value", "expected"), [(15, 0), (14, 3), (3, 3)])
def test_glasgow_stands_in_for_acvpu(value: float, expected: int) -> None:
    assert news2(patient(consciousness=None, glasgow_coma_score=float(value))).points[5, 0] == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 0),
        ({"oxygen_supplementation": 1.0}, 2),
        ({"oxygen_supplementation": None, "oxygen_flow": 0.0}, 0),
        ({"oxygen_supplementation": None, "oxygen_flow": 0.5}, 2),
        ({"oxygen_supplementation": None, "inspired_oxygen_fraction": 0.21}, 0),
        ({"oxygen_supplementation": None, "inspired_oxygen_fraction": 0.22}, 2),
        ({"oxygen_supplementation": None, "inspired_oxygen_fraction": 0.6}, 2),
    ],
)
def test_air_or_oxygen(changes: dict[str, float | None], expected: int) -> None:
    assert news2(patient(**changes)).points[2, 0] == expected


@pytest.mark.parametrize(
    ("changes", "total", "band", "red"),
    [
        ({}, 0, "none", False),
        ({"heart_rate": 95.0}, 1, "low", False),
        ({"heart_rate": 95.0, "respiratory_rate": 22.0, "body_temperature": 38.5}, 4, "low", False),
        ({"heart_rate": 135.0}, 3, "low-medium", True),
        ({"heart_rate": 135.0, "body_temperature": 38.5}, 4, "low-medium", True),
        ({"heart_rate": 115.0, "respiratory_rate": 22.0, "body_temperature": 38.5}, 5, "medium", False),
        ({"heart_rate": 115.0, "respiratory_rate": 22.0, "body_temperature": 39.5}, 6, "medium", False),
        ({"heart_rate": 135.0, "respiratory_rate": 22.0, "body_temperature": 38.5}, 6, "medium", True),
        (
            {"heart_rate": 115.0, "respiratory_rate": 22.0, "body_temperature": 39.5, "systolic_pressure": 105.0},
            7,
            "high",
            False,
        ),
        ({"consciousness": 3.0, "respiratory_rate": 30.0, "oxygen_saturation": 85.0}, 9, "high", True),
    ],
)
def test_aggregate_and_triggers(changes: dict[str, float], total: int, band: str, red: bool) -> None:
    scored = news2(patient(**changes))
    assert (scored.value[0], BANDS[scored.band[0]], bool(scored.red[0])) == (total, band, red)
    assert scored.exact[0]


def test_the_worst_is_20() -> None:
    worst = patient(
        respiratory_rate=30.0, oxygen_saturation=80.0, oxygen_supplementation=1.0, systolic_pressure=80.0,
        heart_rate=140.0,
        consciousness=4.0, body_temperature=34.0,
    )  # fmt: skip
    assert news2(worst).value[0] == 20


def test_values_between_whole_numbers_are_rounded_half_up_to_the_chart() -> None:
    assert points("respiration", respiratory_rate=20.4) == 0
    assert points("respiration", respiratory_rate=20.5) == 2
    assert points("oxygen_saturation", oxygen_saturation=95.5) == 0
    assert points("temperature", body_temperature=38.04) == 0
    assert points("temperature", body_temperature=38.05) == 1
