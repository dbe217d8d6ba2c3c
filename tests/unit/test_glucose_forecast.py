"""Forecasts of sensor glucose: nothing from the future, the parts by hand, and the shipped forecasters' use."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vitruvian.core.errors import ModelError
from vitruvian.physiology.glucose.forecast import KINDS, Forecaster, Series, load, regular
from vitruvian.physiology.glucose.forecast import body as bodies
from vitruvian.physiology.glucose.forecast.body import Body, exponential, follow
from vitruvian.physiology.glucose.forecast.features import NAMES, features
from vitruvian.physiology.glucose.forecast.fit import Sums, fit, fit_body, origins, rows, solve

BODY = Body(0.01, 12.0, 1.5, 0.5, 0.3, 2.7, 130.0)


def made_up(seed: int, hours: float = 72.0, step_min: float = 5.0, noise: float = 2.0) -> Series:
    """A simulated course of a person who eats, with gaps."""
    rng = np.random.default_rng(seed)
    size = int(hours * 60 / step_min)
    minutes = np.arange(size) * step_min
    glucose = np.full(size, 120.0 + 20 * rng.standard_normal())
    for at in rng.uniform(0, hours * 60, int(hours / 5)):
        since = np.maximum(minutes - at, 0.0)
        glucose += rng.uniform(20, 90) * since / 45 * np.exp(1 - since / 45)
    glucose += noise * rng.standard_normal(size)
    glucose[rng.random(size) < 0.03] = np.nan
    return Series(600.0, step_min, np.clip(np.round(glucose), 40, 400))


def test_nothing_is_taken_from_the_future() -> None:
    """Whatever is read later, a forecast made now is the same to the last bit."""
    whole = made_up(1)
    at = int(np.flatnonzero(np.isfinite(whole.glucose))[500])
    changed = whole.glucose.copy()
    changed[at + 1 :] = 300.0
    for kind in KINDS:
        forecaster = load(kind)
        now = [one[at] for one in forecaster.run(whole)]
        other = [one[at] for one in forecaster.run(Series(600.0, 5.0, changed))]
        cut = [one[at] for one in forecaster.run(Series(600.0, 5.0, whole.glucose[: at + 1]))]
        for a, b, c in zip(now, other, cut, strict=True):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(a, c)


def test_the_exponential_is_scipys() -> None:
    """Against an independent implementation."""
    linalg = pytest.importorskip("scipy.linalg")
    rng = np.random.default_rng(2)
    for size, scale in ((2, 0.1), (5, 1.0), (10, 4.0)):
        matrix = scale * rng.standard_normal((size, size))
        np.testing.assert_allclose(exponential(matrix), linalg.expm(matrix), rtol=1e-9, atol=1e-9)


def test_the_filter_is_the_textbooks() -> None:
    """The compiled filter against matrices written out with numpy, gaps included."""
    series = made_up(3, hours=6)
    forecasts, states = follow(series.glucose, 5.0, BODY)
    forward, noise = BODY.transition(5.0)
    x, cov, see = np.zeros(5), np.diag(bodies.START_SD**2), np.eye(5)[:1]
    for t, reading in enumerate(series.glucose):
        if t:
            x, cov = forward @ x, forward @ cov @ forward.T + noise
        if np.isfinite(reading):
            gain = cov @ see.T / (see @ cov @ see.T + BODY.noise_mg_dl**2)
            x = x + (gain * (reading - BODY.level_mg_dl - see @ x)).ravel()
            cov = (np.eye(5) - gain @ see) @ cov
        np.testing.assert_allclose(states[t], x, rtol=1e-8, atol=1e-8)
        ahead = BODY.level_mg_dl + (BODY.transition(60.0)[0] @ x)[0]
        assert forecasts[t, 1] == pytest.approx(ahead, rel=1e-8)


def test_the_transition_composes() -> None:
    """Twice five minutes is ten, in the mean and in the noise gathered."""
    f5, q5 = BODY.transition(5.0)
    f10, q10 = BODY.transition(10.0)
    np.testing.assert_allclose(f5 @ f5, f10, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(f5 @ q5 @ f5.T + q5, q10, rtol=1e-8, atol=1e-12)


def test_a_person_is_left_out_by_subtraction() -> None:
    """Sums less a person's own give the ridge regression of the others, solved here the long way."""
    people = [rows(made_up(seed, 30), BODY) for seed in range(4)]
    sums = [Sums.of(one.table, one.left) for one in people]
    total = sums[0] + sums[1] + sums[2] + sums[3]
    weights, offset = solve(total - sums[2], 1e-3)
    table = np.concatenate([people[i].table for i in (0, 1, 3)])
    left = np.concatenate([people[i].left for i in (0, 1, 3)])
    sd = table.std(axis=0)
    used = sd > 1e-6
    unit = (table - table.mean(axis=0))[:, used] / sd[used]
    beta = np.linalg.solve(
        unit.T @ unit / len(unit) + 1e-3 * np.eye(used.sum()), unit.T @ (left - left.mean(axis=0)) / len(unit)
    )
    wanted = left.mean(axis=0) + unit @ beta
    np.testing.assert_allclose(table @ weights + offset, wanted, atol=2e-3)


def test_fitting_beats_standing_still_on_people_it_has_not_seen() -> None:
    """On simulated eaters: fitted to eight, forecasting four others, and the 90 % interval holds about so often."""
    pytest.importorskip("scipy")
    known = [made_up(seed, noise=0.7) for seed in range(14)]
    body = fit_body(known[:3], tries=80)
    forecaster = fit("type1_dexcom", known, "simulated", body)
    ours, still, inside = [], [], []
    for seed in range(20, 24):
        series = made_up(seed, noise=0.7)
        at = origins(series)
        mean, quantiles, _ = forecaster.run(series)
        came = np.column_stack([series.ahead(30), series.ahead(60)])[at]
        ours.append(((mean[at] - came) ** 2).mean(axis=0))
        still.append(((series.glucose[at][:, None] - came) ** 2).mean(axis=0))
        inside.append(((came >= quantiles[at][:, :, 0]) & (came <= quantiles[at][:, :, 4])).mean(axis=0))
    assert (np.mean(ours, axis=0) < 0.8 * np.mean(still, axis=0)).all()
    assert (np.abs(np.mean(inside, axis=0) - 0.9) < 0.06).all()


@pytest.mark.parametrize("kind", KINDS)
def test_shipped_forecasters_answer(kind: str) -> None:
    """Each gives ordered quantiles around a plausible mean, and comes back from JSON as it was."""
    series = made_up(5)
    forecaster = load(kind)
    times_s = 60 * (series.start_min + 5 * np.arange(len(series.glucose)))
    known = np.isfinite(series.glucose)
    found = forecaster.forecast(times_s[known], series.glucose[known])
    assert found.horizons_min == (30.0, 60.0)
    assert (np.diff(found.quantiles, axis=1) > 0).all()
    assert (found.quantiles[:, 0] < found.mean).all() and (found.mean < found.quantiles[:, 4]).all()
    assert found.at_s == pytest.approx(times_s[known][-1])
    spread = forecaster.run(series)[1]
    width = np.nanmean(spread[:, :, 4] - spread[:, :, 0], axis=0)
    assert width[1] > width[0] > 5
    again = Forecaster.from_json(json.loads(json.dumps(forecaster.to_json())))
    np.testing.assert_array_equal(again.forecast(times_s[known], series.glucose[known]).mean, found.mean)
    assert "people of" in forecaster.about


def test_readings_become_a_grid() -> None:
    """Jitter and order do not matter; disagreeing readings of one moment, impossible and stuck ones are dropped."""
    minutes = np.array([0, 5.1, 9.9, 15, 15.05, 20, 30.0])
    values = np.array([100, 105, 110, 115, 140, 125, 135.0])
    series = regular(60 * minutes[::-1], values[::-1])
    np.testing.assert_array_equal(series.glucose, [100, 105, 110, np.nan, 125, np.nan, 135])
    assert (series.step_min, series.start_min) == (5.0, 0.0)
    assert regular(900 * np.arange(9.0), 100 + np.arange(9.0)).step_min == 15.0
    stuck = regular(300 * np.arange(40.0), np.r_[[100.0] * 30, 101 + np.arange(10.0)])
    assert np.isnan(stuck.glucose[:30]).all() and np.isfinite(stuck.glucose[30:]).all()
    assert np.isnan(regular(300 * np.arange(3.0), np.array([100, 900, 101.0])).glucose[1])


@pytest.mark.parametrize(
    ("times_s", "values"),
    [([0.0], [100.0]), ([0.0, 1.0], [100.0]), ([0.0, np.nan], [1.0, 2.0]), ([0.0, 300.0], [900.0, 901.0])],
)
def test_what_is_no_course_is_refused(times_s: list[float], values: list[float]) -> None:
    """With what was found and what is expected."""
    with pytest.raises(ModelError, match="expected"):
        regular(np.array(times_s), np.array(values))


def test_too_short_a_course_and_unknown_kinds_are_refused() -> None:
    """Rather than guessed at."""
    with pytest.raises(ModelError, match="120 min or more"):
        load("type1_dexcom").forecast(300 * np.arange(12.0), 100 + np.arange(12.0))
    with pytest.raises(ModelError, match="type1_dexcom"):
        load("type1")
    broken = load("type1_dexcom").to_json()
    broken["weights"] = {"glucose": [0.0, 0.0]}
    with pytest.raises(ModelError, match="fit it again"):
        Forecaster.from_json(broken)


def test_columns_have_names() -> None:
    """One name a column, each once."""
    table, ahead, restless = features(made_up(4, 24), BODY)
    assert table.shape[1] == len(NAMES) == len(set(NAMES))
    assert ahead.shape == (len(table), 2) and restless.shape == (len(table),)
