"""What the features say of small patients that can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vitruvian.core.errors import LimitError
from vitruvian.core.time import HOUR_US, MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.signals import FEATURES, PRACTICE_FEATURES, Tracker
from vitruvian.signals.derived import DERIVED, derive
from vitruvian.signals.features import features, practice_features

NOW_US = 480_000 * HOUR_US


def tracked(*samples: tuple[str, float, float]) -> Tracker:
    """A patient from (concept, hours before now, value)."""
    tracker = Tracker(1)
    for name, hours_ago, value in sorted(samples, key=lambda sample: -sample[1]):
        at_us = NOW_US - round(hours_ago * HOUR_US)
        tracker.update(np.array([0]), np.array([VOCABULARY[name].index]), np.array([at_us]), np.array([value]))
    return tracker


def read(tracker: Tracker, now_us: int = NOW_US, **person: np.ndarray) -> dict[str, float]:
    return dict(zip(FEATURES, features(tracker, np.array([0]), now_us, **person)[0].tolist(), strict=True))


def test_there_are_few_and_each_has_one_name() -> None:
    assert len(FEATURES) == len(set(FEATURES)) <= 250
    assert not set(FEATURES) & set(PRACTICE_FEATURES)


def test_a_patient_of_whom_nothing_is_known_has_no_features() -> None:
    assert all(math.isnan(value) for value in read(Tracker(1)).values())


def test_a_value_expires_and_is_missing_rather_than_zero() -> None:
    tracker = tracked(("heart_rate", 0.5, 80.0))
    assert read(tracker)["heart_rate"] == 80
    later = read(tracker, NOW_US + HOUR_US)
    assert math.isnan(later["heart_rate"])
    assert math.isnan(later["shock_index"])
    assert later["heart_rate_age_h"] == pytest.approx(1.5)
    assert later["heart_rate_mean_6h"] == 80, "what was measured within the window still tells of the window"
    assert read(tracker, NOW_US + 200 * HOUR_US)["heart_rate_age_h"] == 48


def test_changes_trends_and_extremes() -> None:
    made = read(tracked(*(("heart_rate", float(hours), 100.0 - hours) for hours in range(13))))
    assert [made[f"heart_rate_delta_{span}h"] for span in (2, 6, 12)] == [2, 6, 12]
    assert made["heart_rate_trend_6h"] == pytest.approx(1.0)
    assert (made["heart_rate_min_6h"], made["heart_rate_max_6h"], made["heart_rate_mean_6h"]) == (95, 100, 97.5)
    assert (made["heart_rate_min_24h"], made["heart_rate_mean_24h"]) == (88, 94)
    assert made["heart_rate_departure_24h"] == 6
    assert made["heart_rate_sd_6h"] == pytest.approx(np.std([95, 96, 97, 98, 99, 100]), rel=1e-6)


def test_a_window_reads_a_fast_monitor_by_its_hourly_means() -> None:
    made = read(
        tracked(*(("heart_rate", 1 + minute / 60, 60.0 + minute) for minute in range(1, 61)), ("heart_rate", 0, 70))
    )
    assert made["heart_rate_max_6h"] == pytest.approx(90.5)
    assert made["heart_rate_min_6h"] == 70


def test_the_arterial_line_comes_first_while_it_is_fresh() -> None:
    both = tracked(("systolic_pressure", 0.1, 120.0), ("systolic_pressure_arterial", 0.2, 95.0))
    assert read(both)["systolic_pressure"] == 95
    stale = tracked(("systolic_pressure", 0.1, 120.0), ("systolic_pressure_arterial", 3.0, 95.0))
    assert read(stale)["systolic_pressure"] == 120


def test_labs_tell_their_change_since_the_result_before() -> None:
    made = read(tracked(("lactate", 7.0, 1.5), ("lactate", 1.0, 4.0)))
    assert made["lactate"] == 4
    assert made["lactate_change"] == 2.5
    assert made["lactate_age_h"] == 1
    assert math.isnan(read(tracked(("lactate", 1.0, 4.0)))["lactate_change"])


def test_ratios_and_parts_of_scores() -> None:
    made = read(
        tracked(
            ("heart_rate", 0, 120.0), ("systolic_pressure", 0, 80.0), ("diastolic_pressure", 0, 45.0),
            ("mean_pressure", 0, 57.0), ("respiratory_rate", 0, 26.0), ("body_temperature", 0, 38.6),
            ("oxygen_saturation", 0, 90.0), ("inspired_oxygen_fraction", 0, 0.5), ("leukocytes", 2, 16.0),
            ("urea_nitrogen", 2, 40.0), ("creatinine", 2, 2.0), ("platelets", 2, 90.0), ("bilirubin_total", 2, 1.3),
        )
    )  # fmt: skip
    assert made["shock_index"] == pytest.approx(1.5)
    assert made["pulse_pressure"] == 35
    assert made["spo2_fio2"] == 180
    assert made["rox_index"] == pytest.approx(180 / 26)
    assert made["bun_creatinine"] == 20
    assert made["warm_heart_rate"] == pytest.approx(104)
    assert made["sirs"] == 4
    assert made["qsofa_known"] == 2
    parts = [made[f"sofa_{part}"] for part in ("respiration", "coagulation", "liver", "circulation", "kidney")]
    assert parts == [2, 2, 1, 1, 2]
    assert made["sofa_known"] == 8


@pytest.mark.parametrize(
    ("temperature", "heart_rate", "expected"), [(38.0, 90.0, 0), (38.1, 90.0, 1), (35.9, 91.0, 2), (36.0, 90.0, 0)]
)
def test_sirs_counts_only_what_lies_beyond_the_limits(temperature: float, heart_rate: float, expected: int) -> None:
    made = read(tracked(("body_temperature", 0, temperature), ("heart_rate", 0, heart_rate)))
    assert made["sirs"] == expected


def test_a_ratio_with_nothing_beneath_it_is_missing() -> None:
    table = np.full((1, len(FEATURES)), np.nan, np.float32)
    table[0, FEATURES.index("heart_rate")], table[0, FEATURES.index("systolic_pressure")] = 80, 0
    derive(table, FEATURES.index(DERIVED[0]), FEATURES)
    assert math.isnan(table[0, FEATURES.index("shock_index")])


def test_the_person_joins_where_known() -> None:
    made = read(tracked(("heart_rate", 0, 80.0)), age_years=np.array([71.5]), male=np.array([1.0]))
    assert (made["age_years"], made["male"]) == (71.5, 1)


def test_practice_features_count_hours_and_tests() -> None:
    tracker = tracked(("heart_rate", 48, 80.0), ("lactate", 24, 1.0), ("lactate", 1, 1.0), ("creatinine", 1, 1.0))
    made = dict(zip(PRACTICE_FEATURES, practice_features(tracker, np.array([0]), NOW_US)[0], strict=True))
    assert made == {"observed_h": 48, "tests": 3, "tests_per_day": 1.5}
    assert np.isnan(practice_features(Tracker(1), np.array([0]), NOW_US)[0, 0])


def test_each_row_may_have_its_own_instant() -> None:
    tracker = tracked(("heart_rate", 0, 80.0))
    made = features(tracker, np.array([0, 0]), np.array([NOW_US, NOW_US + 30 * MINUTE_US]))
    assert made[:, FEATURES.index("heart_rate_age_h")].tolist() == [0, 0.5]


def test_a_row_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LimitError, match="grow"):
        features(Tracker(1), np.array([1]), NOW_US)
