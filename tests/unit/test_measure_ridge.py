"""Figures, the regression and its basis, against second implementations (scikit-learn, double precision, by hand)."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from vitruvian.core.errors import ModelError
from vitruvian.prediction.families.rows.basis import TERMS, fit_basis
from vitruvian.prediction.families.rows.ridge import fit_logistic, replicas
from vitruvian.prediction.measure import calibration, ranking, resampling
from vitruvian.prediction.measure.alarms import alarm_figures, alarm_rows, threshold_for_sensitivity
from vitruvian.prediction.measure.platt import fit_platt


def scored(seed: int, ties: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    label = (random.random(800) < 0.15).astype(np.int8)
    score = random.normal(size=800) + label
    weight = random.integers(0, 4, 800).astype(np.float64)
    return (np.round(score) if ties else score), label, weight


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("seed", range(4))
def test_ranking_agrees_with_scikit_learn(seed: int, ties: bool) -> None:
    score, label, weight = scored(seed, ties)
    ranked = ranking.Ranking(score, label)
    assert ranked.auroc() == pytest.approx(roc_auc_score(label, score), abs=1e-12)
    assert ranked.auprc() == pytest.approx(average_precision_score(label, score), abs=1e-12)
    assert ranked.auroc(weight) == pytest.approx(roc_auc_score(label, score, sample_weight=weight), abs=1e-12)
    assert ranked.auprc(weight) == pytest.approx(average_precision_score(label, score, sample_weight=weight), abs=1e-12)


def test_ranking_of_one_class_is_not_a_number_and_of_nan_an_error() -> None:
    assert np.isnan(ranking.Ranking(np.arange(3.0), np.zeros(3, np.int8)).auroc())
    with pytest.raises(ModelError, match="not numbers"):
        ranking.Ranking(np.array([np.nan, 1.0]), np.array([0, 1], np.int8))


def test_calibration_of_a_known_distortion_is_found() -> None:
    random = np.random.default_rng(0)
    logit = random.normal(-2, 1.5, 60_000)
    label = (random.random(60_000) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    exact = 1 / (1 + np.exp(-logit))
    slope, intercept = calibration.calibration_line(exact, label)
    assert slope == pytest.approx(1, abs=0.03)
    assert intercept == pytest.approx(0, abs=0.04)
    overconfident = 1 / (1 + np.exp(-(2 * logit + 0.5)))
    slope, _ = calibration.calibration_line(overconfident, label)
    assert slope == pytest.approx(0.5, abs=0.02)
    assert calibration.adaptive_ece(exact, label) < 0.01 < calibration.adaptive_ece(overconfident, label)
    assert calibration.brier(exact, label) == pytest.approx(brier_score_loss(label, exact), abs=1e-12)
    share = np.full(label.size, label.mean())
    assert calibration.brier_skill(share, label) == pytest.approx(0, abs=1e-12)
    assert calibration.brier_skill(label.astype(float), label) == 1
    found = fit_platt(2 * logit + 0.5, label.astype(np.float64))
    assert found == pytest.approx((0.5, -0.25), abs=0.03)


def test_draws_take_whole_patients() -> None:
    draws = resampling.patient_draws(40, 100, seed=1)
    assert (draws.sum(axis=1) == 40).all()
    patient = np.repeat(np.arange(40), 5)
    low, high = resampling.interval(lambda weight: float(weight @ (patient < 20)) / weight.sum(), patient, draws)
    assert 0.3 < low < 0.5 < high < 0.7


@pytest.mark.parametrize("penalty", [1.0, 50.0])
def test_the_regression_finds_the_optimum_that_scikit_learn_finds(penalty: float) -> None:
    random = np.random.default_rng(2)
    design = random.normal(size=(1500, 12)).astype(np.float32)
    design[:, 6:] = design[:, :6] + 0.1 * design[:, 6:]  # nearly collinear, as windows of one signal are
    target = (random.random(1500) < 1 / (1 + np.exp(2 - design[:, 0] + design[:, 3]))).astype(np.float64)
    weight = random.uniform(0.2, 2, 1500)
    mine = fit_logistic(design, target, weight, penalty)
    theirs = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000)
    theirs.fit(design.astype(np.float64), target, sample_weight=weight)
    assert mine.coefficients == pytest.approx(theirs.coef_[0], abs=2e-4)
    assert mine.intercept == pytest.approx(float(theirs.intercept_[0]), abs=2e-4)


def test_replicas_spread_as_refitted_bootstrap_draws_do() -> None:
    random = np.random.default_rng(3)
    patient = np.repeat(np.arange(150), 10)
    design = (random.normal(size=(150, 4))[patient] + 0.5 * random.normal(size=(1500, 4))).astype(np.float32)
    target = (random.random(1500) < 1 / (1 + np.exp(1 - design[:, 0]))).astype(np.float64)
    weight, penalty = np.ones(1500), 5.0
    model = fit_logistic(design, target, weight, penalty)
    draws = resampling.patient_draws(150, 150, seed=4)
    quick = replicas(model, design, target, weight, penalty, patient, draws)
    slow = np.array(
        [fit_logistic(design, target, draw[patient].astype(np.float64) + 1e-9, penalty).coefficients for draw in draws]
    )
    assert quick[:, :4].std(axis=0) == pytest.approx(slow.std(axis=0), rel=0.15)
    assert np.corrcoef(quick[:, 0], slow[:, 0])[0, 1] > 0.97


def test_the_basis_is_nothing_at_the_median_and_clips_its_tails() -> None:
    random = np.random.default_rng(5)
    values = random.normal(100, 15, (4000, 3)).astype(np.float32)
    values[random.random(4000) < 0.3, 0] = np.nan
    values[:, 2] = 7.0
    basis, used = fit_basis(values, ["lactate", "heart_rate_mean_6h", "constant"])
    assert used.tolist() == [0, 1]
    at_median = basis.expand(basis.center[None, :])
    assert not at_median.any()
    beyond = basis.expand(np.array([[1e6, -1e6], [1e9, -1e9]], np.float32))
    assert np.array_equal(beyond[0], beyond[1])
    missing = basis.expand(np.full((1, 2), np.nan, np.float32)).reshape(2, TERMS)
    assert missing[0].tolist() == [0, 0, 0, 0, 1]
    assert not missing[1].any(), "a window that is not there yet tells the hour of the stay, so it has no indicator"
    with pytest.raises(ModelError, match="3 features"):
        basis.expand(values)
    with pytest.raises(ModelError, match="no feature"):
        fit_basis(values[:, 2:], ["constant"])


def test_an_alarm_is_followed_by_silence_and_each_patient_starts_anew() -> None:
    patient = np.repeat([0, 1], [16, 3])
    alarms = alarm_rows(patient, np.ones(19, bool), 6)
    assert np.flatnonzero(alarms).tolist() == [0, 6, 12, 16]


def test_alarm_figures_by_hand() -> None:
    # Patient 0: 24 h, label from hour 12, so t_sepsis is hour 18; caught from hour 6. Patient 1: 24 h, no sepsis.
    patient = np.repeat([0, 1], 24)
    label = np.concatenate([np.arange(24) >= 12, np.zeros(24)]).astype(np.int8)
    score = np.zeros(48)
    score[[2, 10, 30]] = 0.9, 0.8, 0.7
    found = alarm_figures(patient, label, score, 0.5)
    assert found.per_patient_day == 1.5
    assert found.precision == pytest.approx(1 / 3)
    assert found.sensitivity == 1
    assert found.lead_h == 8
    assert threshold_for_sensitivity(patient, label, score) == 0.8
    quiet = alarm_figures(patient, label, score, 0.95)
    assert (quiet.per_patient_day, quiet.sensitivity) == (0, 0)
    assert np.isnan(quiet.precision)
    assert np.isnan(quiet.lead_h)
