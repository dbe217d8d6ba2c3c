"""Figures and their intervals against second implementations: scikit-learn, plain loops, refits of every draw."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)

from vitruvian.prediction.measure import calibration, decisions
from vitruvian.prediction.measure.platt import fit_platt, logit_of, sigmoid
from vitruvian.prediction.measure.ranking import Ranking
from vitruvian.prediction.measure.resampling import limits, patient_draws, patient_sums, weighted_median
from vitruvian.prediction.measure.tidy import rounded


def made(seed: int, patients: int = 60, hours: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Patients who differ, their hours, and probabilities that are true of them: patient, probability, label."""
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), hours)
    logit = -1.5 + random.normal(0, 1, patients)[patient] + random.normal(0, 0.5, patient.size)
    probability = np.asarray(sigmoid(logit))
    return patient, probability, (random.random(patient.size) < probability).astype(np.int8)


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
def test_draws_of_the_areas_are_those_of_weighted_rows(ties: bool) -> None:
    patient, score, label = made(1)
    score = np.round(score, 1) if ties else score
    draws = patient_draws(60, 25, seed=5)
    auroc, auprc = Ranking(score, label).drawn(patient, draws)
    for draw, one, other in zip(draws, auroc, auprc, strict=True):
        weight = draw[patient]
        assert one == pytest.approx(roc_auc_score(label, score, sample_weight=weight), abs=1e-12)
        assert other == pytest.approx(average_precision_score(label, score, sample_weight=weight), abs=1e-12)


def test_a_draw_without_the_outcome_has_no_area_and_is_left_out_of_the_interval() -> None:
    ranking = Ranking(np.array([0.9, 0.1, 0.5]), np.array([1, 0, 0], np.int8))
    draws = np.array([[1, 1, 1], [0, 2, 1], [2, 0, 1]])
    auroc, _ = ranking.drawn(np.arange(3), draws)
    assert auroc.tolist()[::2] == [1.0, 1.0]
    assert np.isnan(auroc[1])
    assert limits(auroc) == [1.0, 1.0]
    assert all(np.isnan(limits(np.array([np.nan]))))


def test_curves_are_the_whole_ones_thinned() -> None:
    _, score, label = made(2, 400)
    ranking = Ranking(score, label)
    x, y = ranking.roc()
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert x.size < 400
    assert np.trapezoid(y, x) == pytest.approx(ranking.auroc(), abs=2e-3)
    recall, precision = ranking.precision_recall()
    assert (np.diff(recall) >= 0).all()
    assert precision[-1] == pytest.approx(label.mean())


def test_decisions_agree_with_scikit_learn_row_by_row_and_draw_by_draw() -> None:
    patient, probability, label = made(3)
    alarm = probability >= 0.3
    counts = decisions.decision_sums(alarm, label, patient, 60)
    draws = patient_draws(60, 5, seed=1)
    told = decisions.decision_figures(np.vstack([counts.sum(axis=0), draws @ counts]))
    for place, weight in enumerate([np.ones(label.size), *(draw[patient] for draw in draws)]):
        theirs = {
            "accuracy": accuracy_score(label, alarm, sample_weight=weight),
            "precision": precision_score(label, alarm, sample_weight=weight),
            "recall": recall_score(label, alarm, sample_weight=weight),
            "specificity": recall_score(label, alarm, pos_label=0, sample_weight=weight),
            "f1": f1_score(label, alarm, sample_weight=weight),
        }
        for name, value in theirs.items():
            assert told[name][place] == pytest.approx(value, abs=1e-12), name
        assert told["event1"][place] == pytest.approx(min(theirs["precision"], theirs["recall"]))
    assert decisions.confusion(counts.sum(axis=0))["true_positives"] == int((alarm & (label > 0)).sum())


def test_never_alarming_is_right_as_often_as_nothing_happens_and_finds_nobody() -> None:
    told = decisions.decision_figures(np.array([0.0, 0.0, 2.0, 98.0]))
    assert told["accuracy"] == pytest.approx(0.98)
    assert np.isnan(told["precision"])
    assert (told["recall"], told["f1"], told["event1"]) == (0, 0, 0)


def test_the_best_event_1_is_the_best_of_all_thresholds() -> None:
    random = np.random.default_rng(4)
    for _ in range(50):
        label = (random.random(40) < 0.3).astype(np.int8)
        label[0] = 1
        score = random.integers(0, 8, 40) / 7  # ties on purpose
        threshold, found = decisions.best_event1(label, score)
        tried = []
        for cut in np.unique(score):
            alarm = score >= cut
            tried.append(min(precision_score(label, alarm), recall_score(label, alarm)))
        assert found == pytest.approx(max(tried))
        alarm = score >= threshold
        assert min(precision_score(label, alarm), recall_score(label, alarm)) == pytest.approx(found)


def test_net_benefit_by_hand() -> None:
    """Ten rows, two sick: at 10 % both are found with three false alarms: 2/10 - 3/10 x 1/9."""
    label = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], np.int8)
    probability = np.array([0.5, 0.3, 0.2, 0.15, 0.12, 0.05, 0.05, 0.01, 0.01, 0.01])
    curve = decisions.decision_curve(probability, label, np.arange(10), patient_draws(10, 20, seed=0))
    place = [round(risk, 2) for risk in curve["risks"]].index(0.1)
    assert curve["model"][place] == pytest.approx(0.2 - 0.3 / 9)
    assert curve["treat_all"][place] == pytest.approx(0.2 - 0.8 / 9)
    assert curve["gain"][place] == pytest.approx(0.5 / 9)
    assert (curve["risks"][0], curve["risks"][-1]) == (0.02, 0.2)
    assert curve["above_both"] == all(gain > 0 for gain in curve["gain"])


def test_calibration_of_every_draw_is_that_of_a_refit() -> None:
    patient, probability, label = made(6, 80)
    draws = patient_draws(80, 15, seed=2)
    told, drawn = calibration.calibration_figures(probability, label, patient, draws)
    logit = logit_of(probability)
    for place, draw in enumerate(draws):
        weight = draw[patient].astype(np.float64)
        slope, _ = fit_platt(logit, label.astype(np.float64), weight)
        assert drawn["calibration_slope"][place] == pytest.approx(slope, abs=1e-6)
        often = np.repeat(np.arange(label.size), draw[patient])
        again = calibration.calibration_line(probability[often], label[often])
        assert drawn["calibration_intercept"][place] == pytest.approx(again[1], abs=1e-6)
        assert drawn["brier"][place] == pytest.approx(calibration.brier(probability[often], label[often]))
        assert drawn["brier_skill"][place] == pytest.approx(calibration.brier_skill(probability[often], label[often]))
    unpenalised = LogisticRegression(C=np.inf, tol=1e-10).fit(logit[:, None], label)
    assert told["calibration_slope"] == pytest.approx(float(unpenalised.coef_[0, 0]), abs=1e-4)
    low, high = told["calibration_slope_95"]
    assert low < told["calibration_slope"] < high


def test_a_draw_of_one_class_has_no_line() -> None:
    probability, label = np.array([0.2, 0.4, 0.6, 0.8]), np.array([0, 1, 0, 1], np.int8)
    draws = np.array([[1, 1, 1, 1], [2, 0, 2, 0]])
    _, drawn = calibration.calibration_figures(probability, label, np.arange(4), draws)
    assert np.isnan(drawn["calibration_slope"][1])
    assert np.isnan(drawn["brier_skill"][1])


def test_reliability_bins_hold_all_rows_and_their_means() -> None:
    patient, probability, label = made(7, 100)
    told = calibration.reliability(probability, label, patient, patient_draws(100, 50, seed=1))
    assert sum(each["rows"] for each in told["bins"]) == label.size == sum(told["histogram"]["rows"])
    total = sum(each["rows"] * each["observed"] for each in told["bins"])
    assert total == pytest.approx(float(label.sum()))
    assert all(each["observed_95"][0] <= each["observed"] <= each["observed_95"][1] for each in told["bins"])


def test_the_weighted_median_is_that_of_repeated_values() -> None:
    random = np.random.default_rng(8)
    values, weights = random.integers(0, 9, 12).astype(np.float64), random.integers(0, 4, (30, 12))
    weights[0] = 0
    found = weighted_median(values, weights)
    assert np.isnan(found[0])
    for one, weight in zip(found[1:], weights[1:], strict=True):
        assert one == np.median(np.repeat(values, weight))


def test_intervals_over_patients_cover_the_truth_as_often_as_they_say_and_those_over_hours_do_not() -> None:
    """Hours of one patient are alike, so drawing hours pretends to more evidence than there is."""
    random = np.random.default_rng(9)
    covered, covered_by_hours, trials, patients, hours = 0, 0, 200, 60, 20
    patient = np.repeat(np.arange(patients), hours)
    draws = patient_draws(patients, 200, seed=3)
    by_hour = patient_draws(patient.size, 200, seed=3)
    for _ in range(trials):
        share = random.beta(2, 2, patients)
        label = (random.random(patient.size) < share[patient]).astype(np.float64)
        sums = patient_sums(patient, patients, label, np.ones(label.size))
        hits, rows = (draws @ sums).T
        low, high = limits(hits / rows)
        covered += low <= 0.5 <= high
        low, high = limits(by_hour @ label / label.size)
        covered_by_hours += low <= 0.5 <= high
    assert 0.88 <= covered / trials <= 0.99
    assert covered_by_hours / trials < 0.75


def test_json_holds_no_nan_and_six_digits() -> None:
    value = {"a": np.float32("nan"), "b": [np.inf, 1 / 3], "c": np.array([1.0, np.nan]), "d": np.int64(3), 4: True}
    assert rounded(value) == {"a": None, "b": [None, 0.333333], "c": [1.0, None], "d": 3, "4": True}
