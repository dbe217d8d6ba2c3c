"""The ensemble and particle filters against the exact Kalman filter, where the model is linear and the noise normal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.estimation_support import LINEAR
from vitruvian.estimation import Filter, Observation, Settings, begin, key_of, particle, square_root, step_many

A = np.array([[-0.5, 0.0, 1.0], [0.2, -0.1, 0.0], [0.0, 0.0, 0.0]])  # d/dt of (first, second, feed), per minute
ERRORS = np.array([0.3, 0.2])


def exponential(a, terms=40):
    """The exponential of a matrix by its series; entries here are below 1."""
    result = term = np.eye(len(a))
    for k in range(1, terms):
        term = term @ a / k
        result = result + term
    return result


def kalman(values, walk):
    """Means (T, 3) and covariances (T, 3, 3) after each tick of values (T, 2), by the textbook equations."""
    step = exponential(A)
    h = np.eye(2, 3)
    mean, cov = np.array([2.0, 4.0, 1.0]), np.diag([0.0, 0.0, 0.25])
    means, covs = [], []
    for value in values:
        cov[2, 2] += walk**2
        mean, cov = step @ mean, step @ cov @ step.T
        gain = cov @ h.T @ np.linalg.inv(h @ cov @ h.T + np.diag(ERRORS**2))
        mean, cov = mean + gain @ (value - h @ mean), (np.eye(3) - gain @ h) @ cov
        means.append(mean)
        covs.append(cov.copy())
    return np.array(means), np.array(covs)


def measured(ticks=40):
    """What a hidden feed of 1.7 shows, with error."""
    rng = np.random.default_rng(11)
    state, step = np.array([2.0, 4.0, 1.7]), exponential(A)
    values = []
    for _ in range(ticks):
        state = step @ state
        values.append(state[:2] + rng.normal(0, ERRORS))
    return np.array(values)


def linear(settings):
    """The linear model under observation."""
    seen = tuple(Observation(name, sd) for name, sd in zip(("first_level", "second_level"), ERRORS, strict=True))
    return Filter(LINEAR, seen, settings)


@pytest.mark.parametrize("localise", [0.0, 4.0])
def test_ensemble_filter_reaches_the_exact_posterior(localise):
    values = measured()
    plain = Settings(members=3_000, walk_per_h=0.4, gate=1e6, relax_states=0.0, relax_parameters=0.0)
    one = linear(replace(plain, localise=localise))
    belief = begin(one, [key_of("exact")])
    means, covs = kalman(values, 0.4 * np.sqrt(1 / 60) * 0.5)
    for tick, value in enumerate(values):
        belief, _ = step_many(one, belief, value[None, :])
        found = np.concatenate([belief.states[0], belief.theta[0]], axis=1)
        sd = np.sqrt(np.diag(covs[tick]))
        assert np.abs(found.mean(0) - means[tick]).max() < 0.1 * sd.max()
        assert np.abs((found.mean(0) - means[tick]) / sd).max() < 0.15
        assert np.abs(found.std(0, ddof=1) / sd - 1).max() < 0.1


def test_one_analysis_is_the_kalman_update_of_the_sample():
    """For the ensemble's own mean and covariance the square root analysis is exact, whatever the members."""
    rng = np.random.default_rng(3)
    mixing = rng.normal(size=(3, 3))
    sample = rng.normal(size=(20, 3)) @ mixing + [2.0, 4.0, 1.0]
    one = linear(Settings(members=20, localise=0.0, gate=1e6))
    states, theta = sample[None, :, :2].copy(), sample[None, :, 2:].copy()
    bias, h = np.zeros((1, 20, 2)), sample[None, :, :2].copy()
    value = np.array([[2.7, 3.1]])
    fate, expected, spread, nis = np.zeros((1, 2), np.int64), np.empty((1, 2)), np.empty((1, 2)), np.empty((1, 2))
    rules = np.array([1e6, 3.0, 0.0, 0.9, 6.0])
    square_root.analyse(
        value, states, theta, bias, h, np.full((1, 20), 0.05), one.state_form.columns, one.parameter_form.columns,
        one.bias_form.columns, np.zeros(5), *one.errors, rules, np.zeros((1, 2, 4)), fate, expected, spread, nis,
    )  # fmt: skip
    found = np.concatenate([states[0], theta[0]], axis=1)
    pick, cov, mean = np.eye(2, 3), np.cov(sample.T), sample.mean(0)
    total = pick @ cov @ pick.T + np.diag(ERRORS**2)
    gain = cov @ pick.T @ np.linalg.inv(total)
    off = value[0] - pick @ mean
    assert found.mean(0) == pytest.approx(mean + gain @ off, abs=1e-10)
    assert np.cov(found.T) == pytest.approx((np.eye(3) - gain @ pick) @ cov, abs=1e-10)
    assert nis[0] == pytest.approx([off @ np.linalg.inv(total) @ off, 2.0], abs=1e-10)


def test_relaxation_gives_back_the_share_asked_for():
    values = measured(1)
    spreads = {}
    for share in (0.0, 0.4, 1.0):
        one = linear(Settings(members=200, relax_parameters=share, walk_per_h=0.0))
        belief = begin(one, [7])
        before = belief.theta.std()
        spreads[share] = step_many(one, belief, values)[0].theta.std()
    assert spreads[1.0] == pytest.approx(before, rel=1e-9)
    assert spreads[0.4] == pytest.approx(spreads[0.0] + 0.4 * (before - spreads[0.0]), rel=1e-9)


@pytest.mark.long
def test_particle_filter_reaches_the_exact_posterior():
    values = measured(25)
    one = linear(Settings(members=3_000, walk_per_h=2.0, gate=1e6))
    belief = begin(one, [key_of("exact")])
    means, covs = kalman(values, 2.0 * np.sqrt(1 / 60) * 0.5)
    for tick, value in enumerate(values):
        belief, _ = particle.step_many(one, belief, value[None, :], regularisation=particle.Regularisation(jitter=0.05))
        found, weights = np.concatenate([belief.states[0], belief.theta[0]], axis=1), belief.weights[0]
        mean, sd = weights @ found, np.sqrt(np.diag(covs[tick]))
        assert weights.sum() == pytest.approx(1.0)
        assert np.abs((mean - means[tick]) / sd).max() < 0.25
        assert np.abs(np.sqrt(weights @ (found - mean) ** 2) / sd - 1).max() < 0.2


def test_resampling_keeps_mean_and_covariance():
    one = linear(Settings(members=3_000))
    belief = begin(one, [5])
    rng = np.random.default_rng(2)
    cloud = rng.normal(size=(3_000, 3)) @ rng.normal(size=(3, 3))
    weights = np.exp(-0.5 * (cloud[:, 0] - 0.5) ** 2)
    weights /= weights.sum()
    belief = replace(belief, states=cloud[None, :, :2], theta=cloud[None, :, 2:], weights=weights[None])
    mean = weights @ cloud
    cov = (cloud - mean).T @ ((cloud - mean) * weights[:, None])
    for after in (
        particle.equalised(one, belief),
        particle.step_many(one, belief, np.full((1, 2), np.nan), regularisation=particle.Regularisation(1.0, 0.3))[0],
    ):
        assert after.weights == pytest.approx(1 / 3_000)
        if after.tick == belief.tick:
            moved = np.concatenate([after.states[0], after.theta[0]], axis=1)
            assert moved.mean(0) == pytest.approx(mean, abs=0.06)
            assert np.cov(moved.T) == pytest.approx(cov, abs=0.2)
            assert len(np.unique(after.theta)) < 2_500  # copies
        else:
            assert after.theta.std() == pytest.approx(np.sqrt(cov[2, 2]), rel=0.1)
            assert len(np.unique(after.theta)) == 3_000  # moved apart


def test_particle_filter_is_the_same_alone_and_among_others():
    one = linear(Settings(members=50))
    keys = [key_of(name) for name in "abc"]
    values = np.array([[2.5, 4.1], [1.5, 3.7], [np.nan, 5.0]])
    together, alone = begin(one, keys), [begin(one, [key]) for key in keys]
    for _ in range(6):
        together, _ = particle.step_many(one, together, values)
        alone = [particle.step_many(one, each, values[[n]])[0] for n, each in enumerate(alone)]
    for n, each in enumerate(alone):
        for name in ("states", "theta", "weights", "track"):
            assert np.array_equal(getattr(together, name)[n], getattr(each, name)[0])
