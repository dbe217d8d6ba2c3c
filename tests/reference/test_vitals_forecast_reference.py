"""The score against its closed form, and the shipped forecaster against persistence on patients it has not seen."""

from __future__ import annotations

from math import erf, exp, pi, sqrt

import numpy as np
import pytest

from tests.support import require_data
from vitruvian.prediction.forecast import VITALS, Forecaster
from vitruvian.prediction.forecast.baselines import fit
from vitruvian.prediction.forecast.crps import crps, paired_interval
from vitruvian.prediction.forecast.grid import windows
from vitruvian.prediction.forecast.sources import SETS, read_2012, who


@pytest.mark.parametrize("observed", [-2.0, 0.0, 0.7, 3.0])
def test_many_members_reach_the_closed_form_of_a_normal_distribution(observed: float):
    """Gneiting and Raftery 2007, J Am Stat Assoc 102:359-378, equation 20."""
    members = np.sort(np.random.default_rng(0).standard_normal(400_000))
    density, below = exp(-(observed**2) / 2) / sqrt(2 * pi), (1 + erf(observed / sqrt(2))) / 2
    wanted = observed * (2 * below - 1) + 2 * density - 1 / sqrt(pi)
    assert crps(members[None], np.array([observed]))[0] == pytest.approx(wanted, abs=4e-3)


def test_on_test_patients_of_2012_the_shipped_forecaster_beats_dressed_persistence_and_is_calibrated():
    grid = read_2012(require_data(SETS["2012a"]))
    train, rows = grid.rows_of(who(grid, "2012a", "train")), grid.rows_of(who(grid, "2012a", "test"))
    patient, truth = grid.patient[rows], grid.targets(rows)
    made = Forecaster.load("2012a").forecast(
        windows(grid, rows), age_years=np.maximum(grid.age_years[patient], 18), male=grid.male[patient],
        line=grid.line[rows],
    )  # fmt: skip
    low, high = made.band(90)
    for v, vital in enumerate(VITALS):
        still = fit("persistence", vital, grid, train)
        points = still.points(grid.values[:, v].astype(np.float64), grid.patient)[rows]
        for k in range(3):
            known = ~np.isnan(points[:, k] + truth[:, v, k] + made.members[:, v, k, 0])
            seen = truth[known, v, k].astype(np.float64)
            ours = crps(made.members[known, v, k].astype(np.float64), seen)
            gap = paired_interval(ours - still.scores(points[known, k], seen, k), patient[known], draws=300)
            assert gap[2] < 0, (vital, k, gap)
            within = ((seen >= low[known, v, k] - 1e-4) & (seen <= high[known, v, k] + 1e-4)).mean()
            assert 0.87 < within < 0.93, (vital, k, within)
