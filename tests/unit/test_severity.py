"""How ill over the stay: points against the published tables, the unknown as normal, and no look at other patients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from vitruvian.prediction.inputs.severity import NEEDS, SEVERITY, severity


def told(**known: float) -> dict[str, float]:
    """The severity of one patient of whom only these columns are known."""
    return dict(zip(SEVERITY, of([known])[0].tolist(), strict=True))


def of(patients: Sequence[Mapping[str, float]]) -> np.ndarray:
    unknown = {name for one in patients for name in one} - set(NEEDS)
    assert not unknown, f"a test that gives what no rule reads: {unknown}"

    def others(names: Sequence[str]) -> np.ndarray:
        return np.array([[one.get(name, np.nan) for name in names] for one in patients], np.float32)

    return severity(others)


def test_nothing_known_is_no_points_and_no_ratio() -> None:
    made = told()
    points = {name: value for name, value in made.items() if "_like" in name}
    assert points and set(points.values()) == {0.0}
    assert np.isnan([made["oxygenation_now"], made["body_mass"], made["age_over_coma_now"]]).all()


@pytest.mark.parametrize(
    ("column", "part", "points"),
    [
        # Vincent 1996, table 3: each limit from both sides.
        ("platelets_stay_last", "coagulation_now", {151: 0, 149: 1, 99: 2, 49: 3, 19: 4}),
        ("platelets_stay_min", "coagulation_worst", {150: 0, 149: 1, 19: 4}),
        ("bilirubin_total_stay_last", "liver_now", {1.1: 0, 1.3: 1, 2.1: 2, 6.1: 3, 12.1: 4}),
        ("creatinine_stay_max", "kidney_worst", {1.1: 0, 1.3: 1, 2.1: 2, 3.6: 3, 5.1: 4}),
        ("glasgow_coma_score_stay_last", "consciousness_now", {15: 0, 14: 1, 12: 2, 9: 3, 5: 4}),
        ("mean_pressure_min_24h", "circulation_now", {71: 0, 69: 1, 59: 2, 49: 3}),
    ],
)
def test_parts_of_sofa_have_their_published_limits(column: str, part: str, points: dict[float, float]) -> None:
    for value, expected in points.items():
        assert told(**{column: value})[f"sofa_like_{part}"] == expected, value


def test_oxygenation_is_a_ratio_of_the_latest_and_scores_below_400() -> None:
    made = told(arterial_oxygen_stay_last=80.0, inspired_oxygen_fraction_stay_last=0.5)
    assert made["oxygenation_now"] == pytest.approx(160.0)
    assert made["sofa_like_respiration_now"] == 3
    assert made["sofa_like_now"] == 3


def test_little_urine_is_kidney_points() -> None:
    assert told(urine_output_per_h=30.0)["sofa_like_kidney_worst"] == 0
    assert told(urine_output_per_h=15.0)["sofa_like_kidney_worst"] == 1.5
    assert told(urine_output_per_h=5.0)["sofa_like_kidney_worst"] == 3
    assert told(urine_output_per_h=5.0, creatinine_stay_max=6.0)["sofa_like_kidney_worst"] == 4


@pytest.mark.parametrize(
    ("low", "high", "points"), [(72, 100, 0), (60, 100, 1), (50, 100, 2), (72, 120, 1), (50, 150, 2), (30, 190, 3)]
)
def test_saps_counts_the_worse_of_both_ends(low: float, high: float, points: float) -> None:
    made = told(heart_rate_stay_min=low, heart_rate_stay_max=high)
    assert made["saps_like_pulse_worst"] == points
    assert made["saps_like_worst"] == points


def test_age_and_coma_join_the_sums() -> None:
    assert told(age_years=70.0)["saps_like_worst"] == 3
    assert told(age_years=70.0, glasgow_coma_score_stay_max=6.0)["saps_coma_like_worst"] == 3 + 2 * 4
    assert told(age_years=60.0, glasgow_coma_score_stay_last=6.0)["age_over_coma_now"] == 10


def test_a_patient_is_told_alone_as_among_others() -> None:
    random = np.random.default_rng(1)
    patients = [{name: float(random.uniform(1, 200)) for name in NEEDS if random.random() < 0.7} for _ in range(40)]
    together = of(patients)
    assert np.isfinite(together).mean() > 0.5
    for row, one in enumerate(patients):
        assert together[row].tobytes() == of([one])[0].tobytes()
