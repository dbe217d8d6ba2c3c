"""Coverage, ranks, scores and innovations, against closed forms and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from vitruvian.core.errors import ModelError
from vitruvian.estimation.diagnostics import chi_square_tail, coverage, crps, innovations, rank_histogram

RNG = np.random.default_rng(20)


def test_crps_of_a_large_normal_ensemble_is_the_closed_form():
    """Gneiting and Raftery (2007, JASA 102:359, section 4.2)."""
    values = np.array([0.0, 0.7, -2.0])
    members = np.broadcast_to(stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000), (3, 20_000))
    closed = values * (2 * stats.norm.cdf(values) - 1) + 2 * stats.norm.pdf(values) - 1 / np.sqrt(np.pi)
    assert crps(members, values) == pytest.approx(closed, abs=2e-4)


def test_crps_is_the_definition():
    members, values = RNG.normal(size=(6, 9)), RNG.normal(size=6)
    pairs = np.abs(members[:, :, None] - members[:, None, :]).sum((1, 2))
    near = np.abs(members - values[:, None]).mean(1)
    assert crps(members, values) == pytest.approx(near - pairs / (2 * 9 * 8))
    assert crps(members, values, fair=False) == pytest.approx(near - pairs / (2 * 81))


def test_fair_crps_does_not_depend_on_the_members():
    values = RNG.normal(size=40_000)
    scores = [crps(RNG.normal(size=(40_000, count)), values).mean() for count in (3, 30)]
    assert scores[0] == pytest.approx(scores[1], abs=0.01)


@pytest.mark.parametrize(("scale", "shift", "shape"), [(1, 0, "flat"), (0.5, 0, "U"), (2, 0, "dome"), (1, 1, "slope")])
def test_rank_histogram_knows_what_is_wrong(scale, shift, shape):
    ranks = rank_histogram(shift + scale * RNG.normal(size=(3_000, 19)), RNG.normal(size=3_000))
    assert ranks.shape == shape
    assert ranks.counts.sum() == 3_000


def test_rank_histogram_leaves_out_the_unknown_and_bins_evenly():
    values = RNG.normal(size=100)
    values[::2] = np.nan
    ranks = rank_histogram(RNG.normal(size=(100, 19)), values, bins=5)
    assert ranks.counts.shape == (5,)
    assert ranks.counts.sum() == 50
    with pytest.raises(ModelError, match="divisor"):
        rank_histogram(RNG.normal(size=(100, 19)), values, bins=6)


def test_coverage_with_and_without_error():
    members, values = RNG.normal(size=(4_000, 200)), RNG.normal(size=4_000)
    assert coverage(members, values) == pytest.approx(0.9, abs=0.02)
    assert coverage(members, values, 0.5) == pytest.approx(0.5, abs=0.03)
    measured = values + RNG.normal(0, 2.0, 4_000)
    assert coverage(members, measured) < 0.7
    assert coverage(members, measured, error=2.0) == pytest.approx(0.9, abs=0.02)


def test_innovations_are_judged_by_chi_square():
    scores = RNG.normal(size=(400, 3))
    nis = np.stack([(scores**2).sum(1), np.full(400, 3.0)], axis=1)
    right = innovations(nis, scores)
    assert right.consistent
    assert abs(right.lag_1) < 0.1
    assert [right.low * 1_200, right.high * 1_200] == pytest.approx(stats.chi2.ppf([0.005, 0.995], 1_200), rel=1e-3)
    assert not innovations(nis * [2.0, 1.0]).consistent
    smooth = np.repeat(scores, 5, axis=0)
    assert innovations(nis, smooth).lag_1 > 0.7
    with pytest.raises(ModelError, match="no innovations"):
        innovations(np.zeros((3, 2)))


@pytest.mark.parametrize("freedom", [1, 5, 63])
def test_chi_square_tail_is_near_the_exact_one(freedom):
    for p in (0.3, 0.05, 0.01):
        assert chi_square_tail(stats.chi2.isf(p, freedom), freedom) == pytest.approx(p, rel=0.1)
