"""Conformal sets by patient: coverage on exchangeable patients, exact limits, who counts where."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, binomtest

from vitruvian.core.errors import ModelError
from vitruvian.prediction.cohorts.base import Cohort, Samples
from vitruvian.prediction.measure import conformal
from vitruvian.prediction.measure.rows import rows_of
from vitruvian.prediction.tasks import task


def drawn(random: np.random.Generator, events: int, others: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of exchangeable patients of two classes that overlap."""
    event = np.arange(events + others) < events
    return np.where(event, random.beta(4, 3, event.size), random.beta(2, 5, event.size)), event


def true_coverage(told: dict[str, object]) -> tuple[float, float]:
    """The chance that a new patient of each class is covered, from the distributions themselves."""
    return float(beta(4, 3).sf(told["event_from"])), float(beta(2, 5).cdf(told["none_to"]))


def test_nine_in_ten_are_covered_with_the_confidence_promised() -> None:
    random = np.random.default_rng(0)
    trials = 400
    found = np.array([true_coverage(conformal.fit_conformal(*drawn(random, 190, 700))) for _ in range(trials)])
    kept = (found >= 0.9).mean(axis=0)
    assert (kept >= 0.925).all(), kept  # 0.95 promised; 400 trials leave +- 0.02
    assert (found.mean(axis=0) < 0.95).all(), "no more cautious than the promise asks"


def test_ordinary_thresholds_hold_on_average_and_fail_every_second_time() -> None:
    random = np.random.default_rng(1)
    found = np.array(
        [true_coverage(conformal.fit_conformal(*drawn(random, 190, 700), confidence=None)) for _ in range(400)]
    )
    assert found.mean(axis=0) == pytest.approx([0.9, 0.9], abs=0.005)
    assert ((found >= 0.9).mean(axis=0) < 0.7).all()


def test_the_rank_is_the_largest_that_keeps_the_promise() -> None:
    for count in (29, 60, 193, 1905):
        rank = conformal._left_out(count, 0.9, 0.95)
        assert beta(count + 1 - rank, rank).sf(0.9) >= 0.95
        assert beta(count - rank, rank + 1).sf(0.9) < 0.95
    assert conformal._left_out(28, 0.9, 0.95) == 0


def test_too_few_patients_put_their_label_into_every_set() -> None:
    scores, event = drawn(np.random.default_rng(2), 10, 12)
    told = conformal.fit_conformal(scores, event)
    says_event, says_none = conformal.sets_of(scores, told)
    assert says_event.all()
    assert says_none.all()
    with pytest.raises(ModelError, match="0 calibration patients with the event"):
        conformal.fit_conformal(scores, np.zeros(22, np.bool_))


@pytest.mark.parametrize(("hits", "count"), [(0, 5), (5, 5), (324, 360), (1, 1), (3700, 4000)])
def test_limits_are_clopper_and_pearsons(hits: int, count: int) -> None:
    theirs = binomtest(hits, count).proportion_ci(method="exact")
    assert conformal.clopper_pearson(hits, count) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_coverage_counts_each_class_and_each_set() -> None:
    told = {
        "level": 0.9,
        "confidence": 0.95,
        "event_from": 0.3,
        "none_to": 0.6,
        "calibrated_on": {"event": 50, "none": 50},
    }
    scores = np.array([0.1, 0.4, 0.9, 0.2, 0.5, 0.7, np.nan])
    event = np.array([True, True, True, False, False, False, False])
    found = conformal.coverage(scores, event, told)
    assert (found["event"]["patients"], found["event"]["covered"]) == (3, 2)
    assert (found["none"]["patients"], found["none"]["covered"]) == (3, 2)
    assert found["event"]["sets"] == pytest.approx(
        {"event": 1 / 3, "none": 1 / 3, "both": 1 / 3, "neither": 0, "mean_size": 4 / 3}
    )
    swapped = conformal.coverage(scores, event, told | {"event_from": 0.6, "none_to": 0.3})
    assert swapped["all_sets"]["neither"] == pytest.approx(2 / 6)


def test_a_patient_with_the_event_is_scored_in_the_window_that_counts_and_one_without_over_the_stay() -> None:
    """Patient 0: label from hour 20, so the event is at 26 and the window runs from 14 to 29. Patient 1: none."""
    hours = 40
    label = np.concatenate([np.arange(hours) >= 20, np.zeros(hours)]).astype(np.int8)
    patient = np.repeat([0, 1], hours)
    none = np.zeros(0, np.int64)
    cohort = Cohort(
        "made up", True, ("a", "b"), patient, np.tile(np.arange(hours), 2), label, np.ones(2 * hours, np.bool_),
        np.full(2, 50.0), np.zeros(2), Samples(none, none, none, np.zeros(0)),
    )  # fmt: skip
    rows = rows_of(task("sepsis"), cohort)
    probability = np.zeros(2 * hours)
    probability[[13, 14, 29, 30, 40, 79]] = 0.9, 0.2, 0.3, 0.8, 0.1, 0.6
    assert conformal.patient_scores(rows, patient, probability).tolist() == [0.3, 0.6]
