"""Forecasts of vital signs: grids, features, baselines, the network's fit, and what the shipped forecasters say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from vitruvian.core.errors import LimitError, ModelError, NotFoundError, ReadingError
from vitruvian.core.time import HOUR_US, MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.forecast import CHANNELS, HORIZONS_H, VITALS, Body, Forecaster, history_of, vitals
from vitruvian.prediction.forecast.baselines import (
    damped_states,
    fit,
    half_mean_difference,
    last_values,
    running_means,
)
from vitruvian.prediction.forecast.features import FEATURES, features
from vitruvian.prediction.forecast.grid import PAST_HOURS, lay_out, windows
from vitruvian.prediction.forecast.model import NOT_ADULT, NOT_MEASURED, SAID
from vitruvian.prediction.forecast.network import LEVELS, MEMBERS, Network, Recipe, pinball
from vitruvian.prediction.forecast.network import fit as fit_network
from vitruvian.prediction.forecast.sources import read_2012, read_2019, who
from vitruvian.prediction.forecast.train import train
from vitruvian.signals.tracker import Tracker

NAN = float("nan")
HR, MAP, RR, SAT = range(4)


def table(hours: int, **columns: list[float]) -> np.ndarray:
    """An hourly table of a patient with some channels filled."""
    made = np.full((hours, len(CHANNELS)), NAN, np.float32)
    for name, values in columns.items():
        made[: len(values), CHANNELS.index(name)] = values
    return made


def grid_of(*tables: np.ndarray):
    flags = [np.zeros((len(one), 2), bool) for one in tables]
    names = [f"p{number}" for number in range(len(tables))]
    return lay_out(list(tables), np.full(len(tables), 60.0), np.ones(len(tables)), flags, names)


# --- grids -----------------------------------------------------------------------------------------------------------


def test_neither_windows_nor_targets_reach_into_another_patient():
    grid = grid_of(table(3, heart_rate=[70, 71, 72]), table(8, heart_rate=[100 + i for i in range(8)]))
    rows = grid.rows_of(np.array([1]))
    seen = windows(grid, rows)[:, HR]
    assert np.nanmin(seen) == 100
    assert [np.count_nonzero(~np.isnan(one)) for one in seen] == [1, 2, 3, 4, 5, 6, 7, 8]
    ends = grid.targets(grid.rows_of(np.array([0])))[:, HR]
    np.testing.assert_array_equal(ends, [[71, NAN, NAN], [72, NAN, NAN], [NAN, NAN, NAN]])
    np.testing.assert_array_equal(grid.targets(rows)[0, HR], [101, 103, 106])


def test_values_outside_the_limits_count_as_not_measured():
    grid = grid_of(table(4, heart_rate=[70, 0, 400, 80], mean_pressure=[10, 80, 250, NAN]))
    np.testing.assert_array_equal(grid.values[grid.patient == 0, HR], [70, NAN, NAN, 80])
    np.testing.assert_array_equal(grid.values[grid.patient == 0, MAP], [NAN, 80, NAN, NAN])


def test_rows_between_patients_have_no_window():
    with pytest.raises(LimitError, match="no hour of a patient"):
        windows(grid_of(table(2, heart_rate=[70, 71])), np.array([0]))


def test_a_tracker_gives_the_history_that_the_same_hours_give_as_a_table():
    hours, start = 30, 480_000
    generator = np.random.default_rng(1)
    made = np.full((hours, len(CHANNELS)), NAN, np.float32)
    made[:, :7] = [80, 75, 16, 96, 120, 60, 37]
    made[:, :7] += generator.normal(size=(hours, 7))
    made[:, :7][generator.random((hours, 7)) < 0.3] = NAN
    made[25, CHANNELS.index("arterial_oxygen")], made[27, CHANNELS.index("inspired_oxygen_fraction")] = 88.0, 0.5
    tracker = Tracker(2)
    for hour in range(hours):
        for place, channel in enumerate(CHANNELS):
            if np.isfinite(made[hour, place]):
                at_us = np.array([(start + hour) * HOUR_US + 5 * MINUTE_US])
                concept = np.array([VOCABULARY[channel].index])
                tracker.update(np.array([1]), concept, at_us, made[hour, place : place + 1].astype(np.float64))
    grid = grid_of(made)
    wanted = windows(grid, grid.rows_of(np.array([0]))[-1:])
    held = history_of(tracker, np.array([0, 1]), (start + hours - 1) * HOUR_US + 40 * MINUTE_US)
    assert np.isnan(held[0]).all()
    np.testing.assert_allclose(held[1], wanted[0], rtol=1e-6)


def test_the_arterial_line_goes_before_the_cuff_and_both_are_averaged_over_the_hour():
    tracker, hour = Tracker(1), 480_000
    for minute, concept, value in (
        (-50, "mean_pressure", 66.0), (1, "mean_pressure", 70.0),
        (2, "mean_pressure_arterial", 80.0), (20, "mean_pressure_arterial", 90.0),
    ):  # fmt: skip
        at_us = np.array([hour * HOUR_US + minute * MINUTE_US])
        tracker.update(np.zeros(1, np.int64), np.array([VOCABULARY[concept].index]), at_us, np.array([value]))
    held = history_of(tracker, np.array([0]), hour * HOUR_US + 30 * MINUTE_US)[0, MAP]
    assert held[-1] == 85
    assert held[-2] == 66


# --- features --------------------------------------------------------------------------------------------------------


def test_features_by_hand():
    history = np.full((1, len(CHANNELS), PAST_HOURS), NAN, np.float32)
    history[0, HR, -7:] = [60, NAN, 64, 66, NAN, 70, NAN]
    made = dict(zip(FEATURES, features(history, np.array([50.0]), np.array([0.0]), np.array([True]))[0], strict=True))
    assert made["heart_rate.last"] == 70
    assert made["heart_rate.age"] == pytest.approx(1 / 24)
    assert made["heart_rate.share"] == pytest.approx(4 / 24)
    assert made["heart_rate.mean_3h"] == 0  # of the last three hours, one has a value: the newest
    assert made["heart_rate.mean_6h"] == pytest.approx(200 / 3 - 70, abs=1e-4)
    assert made["heart_rate.mean_24h"] == pytest.approx(65 - 70)
    assert made["heart_rate.spread_24h"] == pytest.approx(np.std([60, 64, 66, 70]), rel=1e-5)
    assert made["heart_rate.step"] == pytest.approx(10 / 3)
    assert (made["heart_rate.lowest"], made["heart_rate.highest"]) == (-10, 0)
    assert (made["heart_rate.back_1h"], made["heart_rate.back_2h"], made["heart_rate.back_6h"]) == (0, -4, -10)
    assert made["heart_rate.slope_6h"] == pytest.approx(np.polyfit([2, 3, 5], [64, 66, 70], 1)[0], rel=1e-5)
    assert np.isnan(made["respiratory_rate.last"])
    assert made["respiratory_rate.age"] == 1
    assert (made["age_years"], made["male"], made["line"], made["known_hours"]) == (50, 0, 1, 7)


def test_a_history_of_another_shape_is_refused():
    with pytest.raises(LimitError, match="expected"):
        features(np.zeros((1, 3, 24), np.float32), np.array([1.0]), np.array([1.0]), np.array([False]))


# --- baselines -------------------------------------------------------------------------------------------------------


def test_baselines_start_anew_with_each_patient():
    series = np.array([NAN, 5.0, NAN, 7.0, NAN, NAN, 3.0])
    patient = np.array([-1, 0, 0, 0, -1, 1, 1])
    np.testing.assert_array_equal(last_values(series, patient, 23), [NAN, 5, 5, 7, NAN, NAN, 3])
    np.testing.assert_array_equal(last_values(series, patient, 0), [NAN, 5, NAN, 7, NAN, NAN, 3])
    np.testing.assert_array_equal(running_means(series, patient)[:, 1], [0, 1, 1, 2, 0, 0, 1])
    states = damped_states(series, patient, 0.5, 0.4, 0.8)
    # Level 5; an hour without a value; error 2 at the third hour: level 6, slope 0.4.
    np.testing.assert_allclose(states[3], [6.0, 0.4])
    np.testing.assert_allclose(states[6], [3.0, 0.0])


def test_half_the_mean_difference_is_that_of_all_pairs():
    errors = np.random.default_rng(0).normal(size=40)
    assert half_mean_difference(errors) == pytest.approx(np.abs(errors[:, None] - errors).mean() / 2)


def test_tuning_finds_the_coefficient_of_a_simulated_ar1():
    generator = np.random.default_rng(0)
    tables = []
    for _ in range(150):
        values, centre = [80.0], 80.0
        for _ in range(60):
            values.append(centre + 0.8 * (values[-1] - centre) + generator.normal(0, 3))
        tables.append(table(61, heart_rate=values))
    grid = grid_of(*tables)
    made = fit("AR(1)", "heart_rate", grid, grid.rows_of(np.arange(150)))
    assert [one[0] for one in made.settings] == pytest.approx([0.8, 0.8**3, 0.8**6], abs=0.11)
    # A dress is as wide as the errors: 3 at one hour, 3 sqrt(1 + 0.8^2 + 0.8^4) at three.
    assert made.residuals[0].std() == pytest.approx(3.0, rel=0.1)
    assert made.residuals[1].std() == pytest.approx(3 * np.sqrt(1 + 0.64 + 0.64**2), rel=0.1)


# --- the network -----------------------------------------------------------------------------------------------------


def test_the_gradient_is_that_of_finite_differences():
    generator = np.random.default_rng(0)
    out = generator.normal(size=(5, 2, MEMBERS)).astype(np.float32)
    truth = generator.normal(size=(5, 2)).astype(np.float32)
    truth[0, 1] = NAN
    weight = np.array([1.0, 2.0], np.float32)
    _, gradient = pinball(out, truth, weight)
    for place in ((0, 0, 3), (0, 1, 3), (2, 1, 20), (4, 0, 29)):
        step = np.zeros_like(out)
        step[place] = 1e-2
        slope = (pinball(out + step, truth, weight)[0] - pinball(out - step, truth, weight)[0]) / 2e-2
        assert gradient[place] == pytest.approx(slope, abs=2e-4)


def test_the_fit_finds_a_spread_that_depends_on_a_feature():
    generator = np.random.default_rng(0)
    x = generator.uniform(-1, 1, size=(12_000, 2)).astype(np.float32)
    spread = np.exp(x[:, 0])
    truth = (2 * x[:, 1] + spread * generator.normal(size=12_000)).astype(np.float32)[:, None]
    made = fit_network(x, truth, np.ones(1, np.float32), Recipe(hidden=(16, 16), passes=15, batch=256))
    steps = made.steps(np.array([[-0.8, 0.0], [0.8, 0.0], [0.0, 0.7]], np.float32))[:, 0]
    assert (np.diff(steps, axis=1) >= 0).all()
    wide = (steps[:, 25] - steps[:, 4]) / 2  # levels 0.15 and 0.85: 1.036 standard deviations
    assert wide[:2] / 1.036 == pytest.approx([np.exp(-0.8), np.exp(0.8)], rel=0.2)
    assert steps[2, 14:16].mean() == pytest.approx(1.4, abs=0.15)


def test_what_is_unknown_and_what_is_absurd_leave_the_network_in_bounds():
    network = Network({"centre": np.zeros(2, np.float32), "scale": np.ones(2, np.float32)})
    np.testing.assert_array_equal(network.standardise(np.array([[NAN, 1e9]], np.float32)), [[0.0, 6.0]])


# --- what is shipped -------------------------------------------------------------------------------------------------


def steady(count: int = 1, **levels: float) -> np.ndarray:
    history = np.full((count, len(CHANNELS), PAST_HOURS), NAN, np.float32)
    for name, level in levels.items():
        history[:, CHANNELS.index(name)] = level
    return history


USUAL = {
    "heart_rate": 82.0, "mean_pressure": 78.0, "respiratory_rate": 18.0, "oxygen_saturation": 97.0,
    "systolic_pressure": 120.0, "diastolic_pressure": 60.0, "body_temperature": 37.0,
}  # fmt: skip


@pytest.mark.parametrize("name", ["2012a", "2019A"])
def test_bands_are_ordered_widen_with_the_horizon_and_stay_within_limits(name: str):
    noise = np.array([5, 7, 3, 1.2, 9, 5, 0.3, 0, 0], np.float32)[:, None]
    jitter = np.random.default_rng(0).normal(size=(200, len(CHANNELS), PAST_HOURS)).astype(np.float32)
    history = np.minimum(steady(200, **USUAL) + noise * jitter, 300)
    history[:, SAT] = np.minimum(history[:, SAT], 100)
    made = Forecaster.load(name).forecast(history, age_years=np.full(200, 60.0), male=np.ones(200))
    assert (made.reason == SAID).all()
    low90, high90 = made.band(90)
    low50, high50 = made.band(50)
    assert (low90 <= low50).all() and (low50 <= made.median).all()
    assert (made.median <= high50).all() and (high50 <= high90).all()
    assert (high90[:, SAT] <= 100).all()
    width = (high90 - low90).mean(axis=0)
    assert (width[:2, 2] > width[:2, 0]).all()
    np.testing.assert_allclose(made.median[..., 0].mean(axis=0), list(USUAL.values())[:4], rtol=0.08)


def test_what_was_not_measured_or_is_not_adult_is_not_forecast():
    history = steady(2, heart_rate=80.0, mean_pressure=70.0)
    made = vitals(history, age_years=np.array([60.0, 12.0]), male=np.array([NAN, 1.0]))
    assert made.reason[0].tolist() == [SAID, SAID, NOT_MEASURED, NOT_MEASURED]
    assert made.reason[1].tolist() == [NOT_ADULT] * 4
    assert np.isnan(made.members[made.reason != SAID]).all()
    assert np.isfinite(made.members[made.reason == SAID]).all()


def test_a_patient_is_forecast_alike_alone_and_among_others():
    generator = np.random.default_rng(0)
    history = steady(50, **USUAL) + generator.normal(0, 3, size=(50, len(CHANNELS), PAST_HOURS)).astype(np.float32)
    ages, males = np.full(50, 60.0), np.ones(50)
    together = vitals(history, age_years=ages, male=males).members
    alone = vitals(history[7:8], age_years=ages[:1], male=males[:1]).members
    np.testing.assert_allclose(together[7], alone[0], rtol=1e-4)


def test_thirty_members_say_nothing_of_the_far_tails():
    made = vitals(steady(**USUAL), age_years=np.array([60.0]), male=np.array([1.0]))
    np.testing.assert_array_equal(made.quantiles((float(LEVELS[0]),))[..., 0], made.members[..., 0])
    with pytest.raises(LimitError, match="found levels"):
        made.quantiles((0.001,))


def test_a_body_draws_the_forecast_towards_it_by_its_share_and_where_it_speaks():
    shipped = Forecaster.load()
    share = np.zeros((len(VITALS), len(HORIZONS_H)), np.float32)
    share[HR] = 0.5
    made = Forecaster(shipped.parts, share, shipped.card)
    plain = made.forecast(steady(**USUAL), age_years=np.array([60.0]), male=np.array([1.0]))
    mean = np.full((1, 4, 3), NAN, np.float32)
    mean[0, HR, :2], mean[0, MAP] = 100.0, 40.0
    body = Body(mean, np.ones_like(mean))
    both = made.forecast(steady(**USUAL), age_years=np.array([60.0]), male=np.array([1.0]), body=body)
    moved = both.median[0] - plain.median[0]
    np.testing.assert_allclose(moved[HR, :2], 0.5 * (100 - plain.median[0, HR, :2]), rtol=1e-4)
    assert moved[HR, 2] == 0
    assert (moved[MAP] == 0).all()


def test_a_saved_forecaster_says_the_same_and_an_absent_one_says_so(tmp_path: Path):
    shipped = Forecaster.load("2012a")
    shipped.save(tmp_path, "copy")
    again = Forecaster.load("copy", tmp_path)
    given = {"age_years": np.array([60.0]), "male": np.array([1.0])}
    np.testing.assert_array_equal(
        shipped.forecast(steady(**USUAL), **given).members, again.forecast(steady(**USUAL), **given).members
    )
    with pytest.raises(ModelError, match="train it"):
        Forecaster.load("another", tmp_path)


# --- sources and training --------------------------------------------------------------------------------------------


def challenge_2012(path: Path) -> Path:
    rows = [
        (1, "Age", 70.0, 0), (1, "Gender", 0.0, 0), (1, "HR", 80.0, 5), (1, "HR", 90.0, 50), (1, "HR", 0.0, 55),
        (1, "NIMAP", 60.0, 10), (1, "MAP", 75.0, 20), (1, "NIMAP", 66.0, 70), (1, "SaO2", 97.0, 65),
        (2, "Age", 40.0, 0), (2, "Gender", -1.0, 0), (2, "HR", 60.0, 2_880),
    ]  # fmt: skip
    pl.DataFrame(rows, ["record", "parameter", "value", "minute"], orient="row").write_parquet(path)
    return path


def test_2012_is_averaged_by_hour_with_the_line_before_the_cuff(tmp_path: Path):
    grid = read_2012(challenge_2012(tmp_path / "a.parquet"))
    first = grid.values[grid.patient == 0]
    assert first[0, HR] == 85  # the zero is no heart rate
    assert first[:2, MAP].tolist() == [75, 66]
    assert grid.line[grid.patient == 0][:2].tolist() == [True, False]
    assert first[1, SAT] == 97
    assert grid.male[0] == 0 and np.isnan(grid.male[1])
    assert grid.values[grid.patient == 1][47, HR] == 60  # the last minute belongs to the last hour
    assert grid.ids == ("1", "2")


def test_2019_keeps_the_hours_that_are_missing(tmp_path: Path):
    columns = ["patient", "ICULOS", "Age", "Gender", "HR", "MAP", "Resp", "O2Sat", "SBP", "DBP", "Temp", "FiO2"]
    rows = [
        ("b", 2, 50.0, 1, 80.0, *[None] * 6, 0.4),
        ("b", 4, 50.0, 1, 82.0, *[None] * 7),
        ("a", 1, 30.0, 0, 60.0, *[None] * 7),
    ]
    pl.DataFrame(rows, columns, orient="row").write_parquet(tmp_path / "b.parquet")
    grid = read_2019(tmp_path / "b.parquet")
    assert grid.ids == ("a", "b")
    np.testing.assert_array_equal(grid.values[grid.patient == 1, HR], [80, NAN, 82])
    assert grid.values[grid.patient == 1, CHANNELS.index("inspired_oxygen_fraction")][0] == pytest.approx(0.4)


def test_another_table_is_refused(tmp_path: Path):
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(ReadingError, match="record"):
        read_2012(tmp_path / "x.parquet")
    with pytest.raises(ReadingError, match="no readable"):
        read_2019(tmp_path / "nowhere.parquet")
    with pytest.raises(NotFoundError, match="2012a"):
        train(tmp_path, "2024z")


def test_roles_part_the_patients(tmp_path: Path):
    grid = read_2012(challenge_2012(tmp_path / "a.parquet"))
    roles = [set(who(grid, "2012a", role)) for role in ("train", "calibrate", "test")]
    assert set.union(*roles) == {0, 1}
    assert sum(map(len, roles)) == 2
