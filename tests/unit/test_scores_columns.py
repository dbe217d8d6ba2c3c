"""The scores beyond the chart: missing, expired, applicable, choice of method, qSOFA, SOFA, shock index, views and
speed.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.support import limit_s
from vitruvian.core.events import Finding
from vitruvian.core.time import to_us
from vitruvian.prediction.scores import INPUTS, NO_BIRTH, Inputs, ScoreView, inputs_from, score, score_event, views
from vitruvian.prediction.scores.inputs import AT, completed_years
from vitruvian.prediction.scores.sofa import PARTS as SOFA_PARTS
from vitruvian.prediction.scores.sofa import oxygen_pressure

NOW_US = to_us(datetime(2026, 3, 1, 12, tzinfo=UTC))
VALID_S = 3600.0


def patient(
    ages_s: dict[str, float] | None = None, *, years: float = 60.0, urine_24h_ml: float = np.nan, **values: float
) -> Inputs:
    """One patient with these values, a minute old unless `ages_s` says otherwise; everything is valid for an hour."""
    value = np.array([[values.get(name, np.nan)] for name in INPUTS])
    ages = np.array([[(ages_s or {}).get(name, 60.0)] for name in INPUTS])
    occurred_us = NOW_US - (ages * 1e6).astype(np.int64)
    made = inputs_from(value, occurred_us, NOW_US, np.full(len(INPUTS), VALID_S))
    return Inputs(made.value, made.age_s, np.array([years]), np.array([urine_24h_ml]))


def view(name: str, inputs: Inputs) -> ScoreView:
    return {item.name: item for item in views(score(inputs), 0, {"heart_rate": "/min"})}[name]


NORMAL = {
    "respiratory_rate": 16.0, "oxygen_saturation": 97.0, "oxygen_supplementation": 0.0, "systolic_pressure": 120.0,
    "heart_rate": 70.0, "consciousness": 0.0, "body_temperature": 37.0,
}  # fmt: skip


def test_an_expired_input_is_missing_never_zero() -> None:
    shown = view("news2", patient({"heart_rate": VALID_S + 1}, **{**NORMAL, "heart_rate": 140.0}))
    assert (shown.value, shown.exact, shown.missing, shown.text) == (0, False, ("pulse",), "at least 0")
    pulse = next(part for part in shown.parts if part.name == "pulse")
    assert pulse.points is None
    assert [(item.value, item.age_s) for item in pulse.inputs] == [(None, VALID_S + 1)]


def test_an_input_is_valid_to_its_last_second() -> None:
    assert view("news2", patient({"heart_rate": VALID_S}, **{**NORMAL, "heart_rate": 140.0})).value == 3


def test_a_value_ahead_of_the_clock_counts_as_new() -> None:
    assert view("news2", patient({"heart_rate": -600.0}, **{**NORMAL, "heart_rate": 140.0})).value == 3


def test_few_parts_give_no_value_but_keep_what_is_known() -> None:
    shown = view("news2", patient(heart_rate=140.0, respiratory_rate=30.0))
    assert (shown.value, shown.at_least, shown.band, shown.text) == (None, 6.0, "medium", "--")
    assert "red" in shown.flags
    assert set(shown.missing) == {"oxygen_saturation", "oxygen", "systolic_pressure", "consciousness", "temperature"}


def test_nothing_known_has_no_band() -> None:
    shown = view("news2", patient())
    assert (shown.value, shown.at_least, shown.band) == (None, None, "")


@pytest.mark.parametrize(("years", "applicable"), [(15.0, False), (16.0, True), (90.0, True), (np.nan, True)])
def test_news2_is_not_for_children(years: float, applicable: bool) -> None:
    shown = view("news2", patient(years=years, **{**NORMAL, "heart_rate": 160.0}))
    assert shown.applicable is applicable
    assert (shown.reason == "under 16 years") is not applicable
    assert (shown.value is None) is not applicable
    assert ("age-unknown" in shown.flags) is bool(np.isnan(years))


def test_news2_is_not_for_pregnancy() -> None:
    shown = view("news2", patient(**NORMAL, pregnancy=1.0))
    assert (shown.applicable, shown.reason, shown.text, shown.band) == (False, "pregnancy", "not applicable", "")
    assert view("news2", patient(**NORMAL, pregnancy=0.0)).applicable


def test_sixteen_on_the_birthday() -> None:
    born = to_us(datetime(2010, 3, 1, tzinfo=UTC))
    moments = [datetime(2026, 2, 28, 23, 59, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)]
    years = completed_years(np.array([born, born]), np.array([to_us(moment) for moment in moments]))
    assert years.tolist() == [15, 16]
    assert np.isnan(completed_years(np.array([NO_BIRTH]), np.array([NOW_US]))[0])


@pytest.mark.parametrize(
    ("line_age_s", "cuff_age_s", "used"),
    [(60, 60, "line"), (350, 60, "line"), (361, 60, "cuff"), (60, 3000, "line"), (VALID_S + 1, 3000, "cuff")],
)
def test_the_line_or_the_cuff_by_freshness(line_age_s: float, cuff_age_s: float, used: str) -> None:
    ages = {"systolic_pressure_arterial": line_age_s, "systolic_pressure": cuff_age_s}
    inputs = patient(ages, **{**NORMAL, "systolic_pressure_arterial": 85.0})
    shown = view("news2", inputs)
    assert shown.value == (3 if used == "line" else 0)
    part = next(part for part in shown.parts if part.name == "systolic_pressure")
    name = "systolic_pressure_arterial" if used == "line" else "systolic_pressure"
    assert [item.concept for item in part.inputs] == [name]


def test_the_freshest_statement_of_oxygen_decides() -> None:
    ages = {"oxygen_supplementation": 60.0, "inspired_oxygen_fraction": 1800.0}
    assert view("news2", patient(ages, **NORMAL, inspired_oxygen_fraction=0.5)).value == 0
    ages = {"oxygen_supplementation": 1800.0, "inspired_oxygen_fraction": 60.0}
    assert view("news2", patient(ages, **NORMAL, inspired_oxygen_fraction=0.5)).value == 2
    assert view("news2", patient(**NORMAL, inspired_oxygen_fraction=0.5)).value == 2


def test_glasgow_parts_sum_only_when_all_are_there() -> None:
    rest = {name: value for name, value in NORMAL.items() if name != "consciousness"}
    assert view("news2", patient(**rest, glasgow_eye=4, glasgow_verbal=5, glasgow_motor=6)).exact
    assert "consciousness" in view("news2", patient(**rest, glasgow_eye=4, glasgow_motor=6)).missing


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"respiratory_rate": 22, "systolic_pressure": 100, "glasgow_coma_score": 14}, 3),
        ({"respiratory_rate": 21, "systolic_pressure": 101, "glasgow_coma_score": 15}, 0),
        ({"respiratory_rate": 22, "systolic_pressure": 101, "consciousness": 1}, 2),
    ],
)
def test_qsofa(values: dict[str, float], expected: int) -> None:
    shown = view("qsofa", patient(**values))
    assert (shown.value, shown.exact) == (expected, True)


def test_qsofa_is_for_adults_and_a_lower_bound_when_partial() -> None:
    assert not view("qsofa", patient(years=17.0, respiratory_rate=30)).applicable
    assert view("qsofa", patient(respiratory_rate=30, systolic_pressure=90)).text == "at least 2"
    assert view("qsofa", patient(respiratory_rate=30)).value is None


def test_shock_index() -> None:
    assert view("shock_index", patient(heart_rate=120, systolic_pressure=80)).value == pytest.approx(1.5)
    assert view("shock_index", patient(heart_rate=120)).missing == ("systolic_pressure",)
    assert view("shock_index", patient(heart_rate=120, systolic_pressure=0)).value is None


SOFA_CASES = [
    ("respiration", {"arterial_oxygen": 84, "inspired_oxygen_fraction": 0.21}, 0),
    ("respiration", {"arterial_oxygen": 83, "inspired_oxygen_fraction": 0.21}, 1),
    ("respiration", {"arterial_oxygen": 120, "inspired_oxygen_fraction": 0.4}, 1),
    ("respiration", {"arterial_oxygen": 119, "inspired_oxygen_fraction": 0.4}, 2),
    ("respiration", {"arterial_oxygen": 60, "inspired_oxygen_fraction": 0.8}, 2),
    ("respiration", {"arterial_oxygen": 60, "inspired_oxygen_fraction": 0.4, "mechanical_ventilation": 1}, 3),
    ("respiration", {"arterial_oxygen": 60, "inspired_oxygen_fraction": 0.8, "mechanical_ventilation": 1}, 4),
    ("coagulation", {"platelets": 150}, 0), ("coagulation", {"platelets": 149}, 1),
    ("coagulation", {"platelets": 99}, 2),
    ("coagulation", {"platelets": 49}, 3), ("coagulation", {"platelets": 19}, 4), ("coagulation", {"platelets": 20}, 3),
    ("liver", {"bilirubin_total": 1.1}, 0), ("liver", {"bilirubin_total": 1.2}, 1),
    ("liver", {"bilirubin_total": 2.0}, 2),
    ("liver", {"bilirubin_total": 6.0}, 3), ("liver", {"bilirubin_total": 12.1}, 4),
    ("cardiovascular", {"mean_pressure": 70}, 0), ("cardiovascular", {"mean_pressure": 69}, 1),
    ("cardiovascular", {"systolic_pressure": 90, "diastolic_pressure": 50}, 1),
    ("cardiovascular", {"dopamine": 5}, 2), ("cardiovascular", {"dobutamine": 1}, 2),
    ("cardiovascular", {"dopamine": 5.1}, 3),
    ("cardiovascular", {"epinephrine": 0.1}, 3), ("cardiovascular", {"norepinephrine": 0.1}, 3),
    ("cardiovascular", {"norepinephrine": 0.11}, 4), ("cardiovascular", {"epinephrine": 0.11}, 4),
    ("cardiovascular", {"dopamine": 15.1}, 4), ("cardiovascular", {"norepinephrine": 0.0, "mean_pressure": 80}, 0),
    ("nervous_system", {"glasgow_coma_score": 15}, 0), ("nervous_system", {"glasgow_coma_score": 14}, 1),
    ("nervous_system", {"glasgow_coma_score": 13}, 1), ("nervous_system", {"glasgow_coma_score": 12}, 2),
    ("nervous_system", {"glasgow_coma_score": 10}, 2), ("nervous_system", {"glasgow_coma_score": 9}, 3),
    ("nervous_system", {"glasgow_coma_score": 6}, 3), ("nervous_system", {"glasgow_coma_score": 5}, 4),
    ("renal", {"creatinine": 1.1}, 0), ("renal", {"creatinine": 1.2}, 1), ("renal", {"creatinine": 2.0}, 2),
    ("renal", {"creatinine": 3.5}, 3), ("renal", {"creatinine": 5.1}, 4),
    ("renal", {"urine_24h_ml": 499}, 3), ("renal", {"urine_24h_ml": 199}, 4), ("renal", {"urine_24h_ml": 500}, 0),
    ("renal", {"urine_24h_ml": 499, "creatinine": 5.1}, 4),
]  # fmt: skip


@pytest.mark.parametrize(("part", "values", "expected"), SOFA_CASES)
def test_sofa_table_3(part: str, values: dict[str, float], expected: int) -> None:
    scored = score(patient(**values)).sofa
    assert scored.points[SOFA_PARTS.index(part), 0] == expected
    assert not scored.respiration_substituted[0]


@pytest.mark.parametrize(
    ("saturation", "fraction", "supported", "expected"),
    [
        (96, 0.21, 0, 1),  # PaO2 82 on air is P/F 390
        (92, 0.21, 0, 1),  # 64: P/F 304
        (91, 0.21, 0, 2),  # 61: P/F 291
        (85, 0.21, 0, 2),  # 50: P/F 237; by a straight line through ventilated patients it would be 405
        (94, 0.40, 0, 2),  # 71: P/F 177, but no support is known
        (97, 0.40, 1, 2),  # 91: P/F 226
        (95, 0.40, 1, 3),  # 76: P/F 189, and ventilated
        (88, 0.60, 1, 4),  # 55: P/F 91
        (97, 0.21, 0, 0),
        (100, 0.21, 0, 0),  # even 97 % on air would be above P/F 400
        (100, 0.60, 0, -1),  # the curve is flat: nothing can be said
    ],
)
def test_saturation_stands_in_for_the_gas(saturation: float, fraction: float, supported: float, expected: int) -> None:
    values = {
        "oxygen_saturation": saturation,
        "inspired_oxygen_fraction": fraction,
        "mechanical_ventilation": supported,
    }
    scored = score(patient(**values)).sofa
    assert scored.points[0, 0] == expected
    assert bool(scored.respiration_substituted[0]) is (expected != -1)


@pytest.mark.parametrize(
    ("saturation", "pressure"),
    [(50, 26.9), (75, 39.9), (80, 44.5), (90, 57.8), (95, 75.0), (97, 91.0)],
)
def test_the_dissociation_curve(saturation: float, pressure: float) -> None:
    """Well-known points of the standard curve (P50 26.9; 40 mm[Hg] at 75 %, 60 at about 90 %), within 1 mm[Hg]."""
    assert oxygen_pressure(np.array([float(saturation)]))[0] == pytest.approx(pressure, abs=1.0)


@pytest.mark.parametrize(
    ("total_age_s", "parts_age_s", "motor_age_s", "used"),
    [
        (3000, 60, 60, 9),  # the parts are of this hour: worse since the total was charted
        (60, 3000, 3000, 15),
        (350, 60, 60, 15),  # together: the charted total
        (3000, 2900, 60, 15),  # a sum is as old as its oldest part
        (VALID_S + 1, 3000, 3000, 9),  # the total has expired
    ],
)
def test_the_fresher_of_the_glasgow_total_and_its_parts(
    total_age_s: float, parts_age_s: float, motor_age_s: float, used: int
) -> None:
    ages = {
        "glasgow_coma_score": total_age_s, "glasgow_eye": parts_age_s, "glasgow_verbal": parts_age_s,
        "glasgow_motor": motor_age_s,
    }  # fmt: skip
    charted = {"glasgow_coma_score": 15.0, "glasgow_eye": 2.0, "glasgow_verbal": 2.0, "glasgow_motor": 5.0}
    scored = score(patient(ages, **charted))
    assert scored.sofa.points[SOFA_PARTS.index("nervous_system"), 0] == (0 if used == 15 else 3)
    assert scored.news2.points[5, 0] == (0 if used == 15 else 3)


@pytest.mark.parametrize(("total_age_s", "expected"), [(3000.0, 0), (60.0, 3)])
def test_the_age_of_a_sum_is_not_the_age_of_one_part(total_age_s: float, expected: int) -> None:
    """ACVPU of ten minutes ago says alert; a sum whose eyes were looked at 50 minutes ago is no newer than that."""
    ages = {"consciousness": 600.0, "glasgow_eye": 3000.0, "glasgow_motor": 60.0, "glasgow_coma_score": total_age_s}
    charted = {"glasgow_eye": 3.0, "glasgow_verbal": 4.0, "glasgow_motor": 6.0, "glasgow_coma_score": 13.0}
    assert score(patient(ages, consciousness=0.0, **charted)).news2.points[5, 0] == expected


def test_sofa_says_which_organs_lacked() -> None:
    shown = view("sofa_partial", patient(platelets=40, creatinine=2.5))
    assert (shown.value, shown.exact) == (5, False)
    assert shown.missing == ("respiration", "liver", "cardiovascular", "nervous_system")
    assert view("sofa_partial", patient(platelets=40)).value is None


def test_the_issued_score_records_what_it_lacked() -> None:
    inputs = patient({"heart_rate": VALID_S + 1}, **{**NORMAL, "heart_rate": 140.0})
    event = score_event(view("news2", inputs), now_us=NOW_US, input_seq=42)
    assert isinstance(event.value, Finding)
    assert (event.kind, event.concept, event.value.number, event.value.input_seq) == ("derived", "news2", 0, 42)
    assert event.value.detail["missing"] == ["pulse"]
    assert "points.pulse" not in event.value.detail


def test_units_reach_the_view() -> None:
    part = next(part for part in view("news2", patient(**NORMAL)).parts if part.name == "pulse")
    assert [(item.concept, item.value, item.unit, item.age_s) for item in part.inputs] == [
        ("heart_rate", 70, "/min", 60)
    ]


def test_ten_thousand_patients_are_scored_quickly_and_as_one_by_one() -> None:
    rng = np.random.default_rng(7)
    count = 10_000
    value = rng.uniform(0, 150, (len(INPUTS), count))
    value[AT["pregnancy"]] = np.nan
    value[rng.random(value.shape) < 0.3] = np.nan
    occurred_us = NOW_US - (rng.uniform(0, 5000, value.shape) * 1e6).astype(np.int64)
    valid_s = np.full(len(INPUTS), VALID_S)
    birth_us = NOW_US - (rng.uniform(1, 100, count) * 365.25 * 86400e6).astype(np.int64)
    times_ms = []
    for _ in range(7):
        started = time.perf_counter()
        scored = score(inputs_from(value, occurred_us, NOW_US, valid_s, birth_us))
        times_ms.append((time.perf_counter() - started) * 1000)
    # The bar is 20 ms; a busy machine is given room, the benchmark states the figure.
    assert min(times_ms) < limit_s(0.060) * 1e3
    for index in rng.integers(0, count, 50):
        at = slice(index, index + 1)
        alone = score(inputs_from(value[:, at], occurred_us[:, at], NOW_US, valid_s, birth_us[at]))
        assert np.array_equal(alone.news2.points[:, 0], scored.news2.points[:, index])
        assert np.array_equal(alone.sofa.points[:, 0], scored.sofa.points[:, index])
        assert np.array_equal(alone.news2.value, scored.news2.value[at], equal_nan=True)
    print(f"10,000 patients: {min(times_ms):.1f} ms")
