"""Thresholds without labels, lines from a few labels, and members weighed anew: against cases with a known answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.measure.platt import fit_platt, logit_of, sigmoid
from vitruvian.prediction.serve.combine import curved
from vitruvian.prediction.sites.lines import EVENTS_MIN, METHODS, fit_site, method_for
from vitruvian.prediction.sites.scoring import Scored
from vitruvian.prediction.sites.threshold import KINDS, alarm_rate_policy, checked, prevalence_of, threshold_for
from vitruvian.prediction.sites.weigh import weigh

Floats = NDArray[np.float64]


def site(
    patients: int, seed: int = 0, *, slope: float = 1.0, shift: float = 0.0, hours: int = 10
) -> tuple[Floats, NDArray[np.int8], NDArray[np.int64]]:
    """Logits of patients' hours, and labels whose true log-odds are slope x logit + shift."""
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), hours)
    logit = (random.normal(-2, 1.2, patients)[patient] + random.normal(0, 0.5, patient.size)).astype(np.float64)
    label = (random.random(patient.size) < sigmoid(slope * logit + shift)).astype(np.int8)
    return logit, label, patient


# --- thresholds --------------------------------------------------------------


def test_as_many_alarms_as_at_home() -> None:
    random = np.random.default_rng(0)
    home = sigmoid(random.normal(-2, 1, 20_000))
    away = sigmoid(random.normal(-1, 1.5, 20_000))  # riskier, and more spread
    policy = alarm_rate_policy(home, 0.4)
    assert threshold_for(home, policy) == pytest.approx(0.4, abs=2e-3)
    moved = threshold_for(away, policy)
    assert (away >= moved).mean() == pytest.approx((home >= 0.4).mean(), abs=1e-3)
    half = threshold_for(away, policy | {"weight": 0.5})
    assert logit_of(np.array([half]))[0] == pytest.approx(logit_of(np.array([0.4, moved])).mean(), abs=1e-9)
    assert threshold_for(away, policy | {"high": 0.5}) == 0.5
    assert threshold_for(away, {"kind": "fixed", "threshold": 0.4}) == 0.4


def test_few_scores_leave_the_threshold_where_it_was() -> None:
    policy = alarm_rate_policy(np.linspace(0, 1, 1000), 0.7)
    few = np.full(100, 0.01)
    assert threshold_for(few, policy) == 0.7
    assert threshold_for(few, policy | {"scores_min": 50}) == pytest.approx(0.01)
    assert threshold_for(np.append(few, np.full(900, np.nan)), policy) == 0.7, "what was not told is no score"


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_the_prevalence_of_a_site_from_scores_alone(share: float) -> None:
    """Where scores mean the same within each class, expectation-maximisation finds the share."""
    random = np.random.default_rng(1)
    trained, size = 0.1, 200_000
    sick = random.random(size) < share
    x = np.where(sick, random.normal(2, 1, size), random.normal(0, 1, size))
    # Bayes: the log-odds of two normal distributions with means 0 and 2 and the training share.
    scores = sigmoid(2 * x - 2 + np.log(trained / (1 - trained)))
    assert prevalence_of(scores, trained) == pytest.approx(share, rel=0.05)
    policy = {"kind": "prevalence", "threshold": 0.2, "prevalence": trained}
    moved = threshold_for(scores, policy)
    shift = np.log(share / (1 - share)) - np.log(trained / (1 - trained))
    assert logit_of(np.array([moved]))[0] == pytest.approx(np.log(0.25) - shift, abs=0.06)


def test_the_median_moves_the_threshold() -> None:
    home = np.random.default_rng(0).normal(-3, 1, 5_000)
    policy = {"kind": "median", "threshold": 0.1, "middle": float(np.median(home))}
    assert threshold_for(sigmoid(home), policy) == pytest.approx(0.1)
    moved = logit_of(np.array([threshold_for(sigmoid(home + 0.5), policy), 0.1]))
    assert moved[0] - moved[1] == pytest.approx(0.5, abs=1e-6)
    most = logit_of(np.array([threshold_for(sigmoid(home + 3), policy), 0.1]))
    assert most[0] - most[1] == pytest.approx(1.0, abs=1e-6), "a median that is too far away is no shift"


@given(st.lists(st.floats(0, 1), min_size=0, max_size=1200), st.sampled_from(KINDS), st.floats(0, 1))
def test_a_threshold_is_a_probability(scores: list[float], kind: str, fixed: float) -> None:
    policy = {"kind": kind, "threshold": fixed, "share": 0.1, "prevalence": 0.1, "middle": -2.0, "scores_min": 1}
    assert 0.0 <= threshold_for(np.array(scores, np.float64), policy) <= 1.0


@pytest.mark.parametrize(
    "policy",
    [
        {"kind": "luck", "threshold": 0.5}, {"kind": "fixed"}, {"threshold": 1.5}, {"threshold": "high"},
        {"kind": "alarm_rate", "threshold": 0.5}, {"kind": "prevalence", "threshold": 0.5, "prevalence": 2},
        {"kind": "median", "threshold": 0.5}, {"threshold": 0.5, "weight": 2.0}, {"threshold": float("nan")},
    ],
)  # fmt: skip
def test_what_is_no_policy(policy: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="found"):
        checked(policy)


# --- lines -------------------------------------------------------------------


def test_with_many_patients_a_line_is_what_is_true() -> None:
    found = fit_site(*site(20_000, slope=0.6, shift=-0.7))
    assert found.method == "platt"
    assert (found.slope, found.intercept) == (pytest.approx(0.6, abs=0.03), pytest.approx(-0.7, abs=0.06))


def test_with_few_patients_a_line_hardly_moves() -> None:
    """Averaged over sites where nothing is to be mended: the shrunk line harms less than one that is not."""
    shrunk, plain = [], []
    for seed in range(60):
        logit, label, patient = site(30, seed, hours=20)
        one = fit_site(logit, label, patient, "platt")
        other = fit_platt(logit, label.astype(np.float64))
        shrunk.append([one.slope - 1, one.intercept])
        plain.append([other[0] - 1, other[1]])
    assert (np.square(shrunk).mean(axis=0) < 0.7 * np.square(plain).mean(axis=0)).all()


def test_hours_are_no_evidence_of_their_own() -> None:
    """The same patients told ten times as often give the same line."""
    logit, label, patient = site(200, slope=0.5)
    again = [np.repeat(column, 10) for column in (logit, label, patient)]
    first, second = fit_site(logit, label, patient, "platt"), fit_site(again[0], again[1], again[2], "platt")
    assert (first.slope, first.intercept) == (pytest.approx(second.slope), pytest.approx(second.intercept))


def test_an_intercept_alone_keeps_the_slope_and_mends_the_prevalence() -> None:
    logit, label, patient = site(5_000, shift=-1.0)
    found = fit_site(logit, label, patient, "intercept")
    assert found.slope == 1.0 and found.intercept == pytest.approx(-1.0, abs=0.06)
    assert sigmoid(found.of(logit)).mean() == pytest.approx(label.mean(), rel=0.02)


def test_a_curve_is_monotone_and_follows_what_is_true() -> None:
    random = np.random.default_rng(0)
    logit = random.normal(-2, 1.5, 60_000)
    true = np.where(logit < -2, -4.0, -0.5) + 0.2 * logit  # a step, which no line can follow
    label = (random.random(logit.size) < sigmoid(true)).astype(np.int8)
    found = fit_site(logit, label, np.arange(logit.size), "isotonic")
    x, y = np.array(found.knots).T
    assert (np.diff(x) > 0).all() and (np.diff(y) >= 0).all()
    line = fit_site(logit, label, np.arange(logit.size), "platt")
    errors = [np.square(sigmoid(one.of(logit)) - sigmoid(true)).mean() for one in (found, line)]
    assert errors[0] < 0.35 * errors[1]
    np.testing.assert_allclose(curved(logit, np.array(found.knots)), found.of(logit), rtol=0, atol=1e-12)
    assert curved(logit, np.empty((0, 2))) is logit


def test_the_method_goes_by_how_many_had_the_outcome() -> None:
    assert [method_for(events) for events in (0, 4, 5, 19, 20, 5000)] == [
        "none", "none", "intercept", "intercept", "platt", "platt",
    ]  # fmt: skip
    assert method_for(EVENTS_MIN["isotonic"], curves=True) == "isotonic"
    logit, label, patient = site(50)
    none = fit_site(logit, np.zeros_like(label), patient)
    assert none.method == "none" and (none.of(logit) == logit).all()
    assert set(METHODS) == set(EVENTS_MIN)


def test_rows_without_a_score_are_refused() -> None:
    logit, label, patient = site(50)
    logit[3] = np.nan
    with pytest.raises(ModelError, match="no numbers"):
        fit_site(logit, label, patient)
    with pytest.raises(ModelError, match="found method 'luck'"):
        fit_site(np.zeros(2), np.array([0, 1], np.int8), np.arange(2), "luck")  # type: ignore[arg-type]


# --- weights -----------------------------------------------------------------


def scored(members: Floats, weights: list[float]) -> Scored:
    told = {"members": {f"m{place}": weight for place, weight in enumerate(weights)}, "slope": 1.0, "intercept": 0.0}
    names = tuple(told["members"])  # type: ignore[arg-type]
    return Scored("standard", members @ np.array(weights), names, members, np.array(weights), 1.0, 0.0, {}, told)


def test_a_member_that_says_nothing_here_loses_its_weight() -> None:
    random = np.random.default_rng(0)
    patients, hours = 3_000, 5
    patient = np.repeat(np.arange(patients), hours)
    good = random.normal(-2, 1.2, patient.size)
    label = (random.random(patient.size) < sigmoid(good)).astype(np.int8)
    noise = random.normal(-2, 1.2, patient.size)
    both = np.column_stack([good, noise])
    found = weigh(scored(both, [0.5, 0.5]), label, patient, np.arange(patient.size))
    assert found.members["m0"] > 0.9 and sum(found.members.values()) == pytest.approx(1.0)
    assert found.slope == pytest.approx(1.0, abs=0.1)
    few = patient < 20
    small = weigh(scored(both, [0.5, 0.5]), label[few], patient[few], np.flatnonzero(few))
    assert 0.4 < small.members["m0"] < 0.75, "twenty patients do not turn a model over"


def test_no_member_is_turned_upside_down() -> None:
    logit, label, patient = site(3_000)
    found = weigh(scored(np.column_stack([logit, -logit - 4]), [0.5, 0.5]), label, patient, np.arange(logit.size))
    assert min(found.members.values()) >= 0.0
    assert np.corrcoef(found.logit(np.column_stack([logit, -logit - 4])), logit)[0, 1] > 0.99


def test_new_rows_of_one_kind_are_refused() -> None:
    logit, label, patient = site(50)
    with pytest.raises(ModelError, match="new rows of one kind"):
        weigh(scored(logit[:, None], [1.0]), np.zeros_like(label), patient, np.arange(logit.size))
