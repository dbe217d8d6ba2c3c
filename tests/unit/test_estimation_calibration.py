"""Offline calibration, posteriors and identifiability, on models whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.estimation_support import KESSEL, LINEAR
from vitruvian.core.errors import ModelError
from vitruvian.estimation import Filter, Observation
from vitruvian.estimation.calibrate import Problem, Record, fit
from vitruvian.estimation.identifiability import profile, report
from vitruvian.estimation.posterior import sample
from vitruvian.physiology import run as running

pytestmark = pytest.mark.long  # numerics of minutes, compiled anew on a fresh machine

TIMES_S = np.arange(1.0, 121.0)
FULL = (Observation("mean_pressure", 1.0), Observation("heart_rate", 0.7), Observation("cardiac_output", 0.1))
TRUTH = {"resistance": 1.4, "compliance": 1.2, "stroke_volume": 62.0, "gain": 0.6, "intrinsic_rate": 80.0}


def challenged():
    """An infusion begins at 30 s and ends at 70 s: something for compliance and gain to show themselves by."""
    none = np.empty(0)
    return running.Schedule(
        np.array([0.0, 30.0, 70.0]), np.array([[0.0], [8.0], [0.0]]), none, np.empty(0, np.int64), none
    )


def record(noise=1.0, seen=FULL, plan=None):
    """What a hidden windkessel shows."""
    plan = challenged() if plan is None else plan
    p = KESSEL.parameter_values(changes=TRUTH)[None]
    y = running.start(KESSEL, p, plan.levels[0])
    shown = running.run(KESSEL, y, p, 0.0, 120.0, TIMES_S, plan, rtol=1e-9).outputs[0]
    columns = [KESSEL.output_index[one.output] for one in seen]
    error = np.random.default_rng(5).normal(size=(120, len(seen))) * [one.sd for one in seen] * noise
    return Record(TIMES_S, shown[:, columns] + error, plan)


def test_exact_data_give_back_the_parameters():
    found = fit(Filter(KESSEL, FULL), record(noise=0.0), starts=2, prior=False)
    for name, value in found.as_changes().items():
        assert value == pytest.approx(TRUTH[name], rel=1e-4)
    assert found.chi_square < 1e-3
    assert found.at_bound == ()


def test_noisy_data_give_errors_as_large_as_claimed():
    found = fit(Filter(KESSEL, FULL), record(), starts=2)
    one = Filter(KESSEL, FULL)
    truth = one.parameter_form.forward(np.array([TRUTH[name] for name in found.names]))
    score = (found.z - truth) / np.sqrt(np.diag(found.covariance))
    assert np.abs(score).max() < 3.5
    assert 0.8 < found.chi_square / found.freedom < 1.2
    told = report(one, record(), found.values).named("identifiable")
    assert len(told) >= 3
    assert all(found.as_changes()[name] == pytest.approx(TRUTH[name], rel=0.1) for name in told)


def test_outliers_are_borne_with_a_robust_loss():
    wild = record()
    wild.values[::17, 0] += 60.0
    fits = [fit(Filter(KESSEL, FULL), wild, starts=1, loss=loss) for loss in ("linear", "soft_l1")]
    plain, robust = (one.as_changes()["resistance"] for one in fits)
    assert abs(robust - 1.4) < 0.5 * abs(plain - 1.4)


@pytest.mark.long
def test_slopes_are_those_of_the_closed_form():
    """The first level after a feed f: 2 f + (2 - 2 f) exp(-t / 2); its slope in f is 2 - 2 exp(-t / 2)."""
    one = Filter(LINEAR, (Observation("first_level", 0.1),))
    minutes = np.array([0.5, 2.0, 10.0])
    problem = Problem(one, Record(60 * minutes, np.zeros((3, 1))), prior=False)
    wanted = (2 - 2 * np.exp(-minutes / 2)) * 0.5 / 0.1
    assert problem.slopes(np.zeros(1))[:, 0] == pytest.approx(wanted, rel=1e-5)


def test_posterior_is_the_normal_one_of_a_linear_model():
    one = Filter(LINEAR, (Observation("first_level", 0.6),))
    minutes = np.linspace(1, 10, 8)
    slope = 2 - 2 * np.exp(-minutes / 2)
    values = 2 * np.exp(-minutes / 2) + 1.4 * slope + np.random.default_rng(1).normal(0, 0.6, 8)
    precision = 1 / 0.5**2 + (slope**2).sum() / 0.6**2
    mean = (1.0 / 0.5**2 + (slope * (values - 2 * np.exp(-minutes / 2))).sum() / 0.6**2) / precision
    told = Record(60 * minutes, values[:, None])
    found = sample(one, told, steps=700, walkers=24, warm_up=100, seed=3)
    sd = 1 / np.sqrt(precision)
    assert found.effective > 400
    assert found.values.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(found.effective))
    assert found.values.std() == pytest.approx(sd, rel=0.1)
    assert found.interval(0.9)[0] == pytest.approx([mean - 1.645 * sd, mean + 1.645 * sd], abs=0.25 * sd)
    best = fit(one, told)
    assert best.values[0] == pytest.approx(mean, rel=1e-5)
    assert best.covariance[0, 0] == pytest.approx(sd**2, rel=1e-4)
    again = sample(one, told, steps=700, walkers=24, warm_up=100, seed=3)
    assert np.array_equal(found.values, again.values)


def test_report_tells_what_steady_pressure_cannot():
    """At rest, pressure and rate fix the product of resistance and stroke volume, and nothing of compliance."""
    one = Filter(KESSEL, FULL[:2])
    said = report(one, record(seen=FULL[:2], plan=running.nothing(KESSEL)))
    by_name = {each.name: each for each in said.parameters}
    assert by_name["compliance"].word == "prior only"
    assert by_name["compliance"].shrinkage == pytest.approx(0.0, abs=1e-3)
    assert np.isinf(by_name["resistance"].relative_sd)
    assert by_name["resistance"].partners[0][0] == "stroke_volume"
    assert by_name["resistance"].partners[0][1] < -0.8
    assert said.collinearity > 100
    assert "identifiable" not in {each.word for each in said.parameters if each.name != "intrinsic_rate"}
    text = str(said)
    assert "compliance: prior only; not told" in text


def test_report_after_a_challenge_with_output_measured_tells_all():
    said = report(Filter(KESSEL, FULL), record())
    assert {each.name for each in said.parameters} == set(TRUTH)
    assert {"resistance", "stroke_volume", "intrinsic_rate"} <= set(said.named("identifiable"))
    assert said.collinearity < 20
    assert all(np.isfinite(each.relative_sd) for each in said.parameters)


def test_cramer_rao_bound_is_what_fits_reach():
    """Fits of repeated noisy records scatter as the report says."""
    one = Filter(LINEAR, (Observation("first_level", 0.6),))
    minutes = np.linspace(1, 10, 8)
    slope, rng = 2 - 2 * np.exp(-minutes / 2), np.random.default_rng(8)
    found = []
    for _ in range(40):
        values = 2 * np.exp(-minutes / 2) + slope + rng.normal(0, 0.6, 8)
        found.append(fit(one, Record(60 * minutes, values[:, None]), starts=1, prior=False).values[0])
    said = report(one, Record(60 * minutes, values[:, None])).parameters[0]
    assert said.relative_sd == pytest.approx(0.6 / np.sqrt((slope**2).sum()), rel=1e-3)
    assert np.std(found) == pytest.approx(said.relative_sd, rel=0.3)


def test_profile_is_a_parabola_where_the_model_is_linear_and_flat_where_nothing_is_told():
    one = Filter(LINEAR, (Observation("first_level", 0.6),))
    minutes = np.linspace(1, 10, 8)
    slope = 2 - 2 * np.exp(-minutes / 2)
    values = 2 * np.exp(-minutes / 2) + 1.1 * slope
    found = profile(one, Record(60 * minutes, values[:, None]), "feed", points=31)
    half = 1.96 * 0.6 / np.sqrt((slope**2).sum())
    assert found.bounded
    assert [found.low, found.high] == pytest.approx([1.1 - half, 1.1 + half], abs=0.05)
    rest = record(noise=0.0, seen=FULL[:2], plan=running.nothing(KESSEL))
    flat = profile(Filter(KESSEL, FULL[:2]), rest, "compliance", points=5)
    assert not flat.bounded
    assert flat.above.max() < 0.1


def test_what_does_not_fit_is_refused():
    one = Filter(KESSEL, FULL)
    with pytest.raises(ModelError, match="expected"):
        Problem(one, Record(TIMES_S, np.zeros((3, 3))))
    with pytest.raises(ModelError, match="expected one of"):
        profile(one, record(), "length")
    with pytest.raises(ModelError, match="walkers"):
        sample(one, record(), walkers=6)
