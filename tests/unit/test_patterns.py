"""The watch for what is unusual: calibrated on others, blind to the future, silent where nothing was measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.sequence_support import made_up
from vitruvian.core.errors import ModelError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H
from vitruvian.prediction.patterns import Watch
from vitruvian.prediction.patterns.baseline import own_spread
from vitruvian.prediction.patterns.calibrate import calibrated
from vitruvian.prediction.patterns.evaluate import stable_patients
from vitruvian.prediction.patterns.inject import BEFORE, HOURS, SIZES, Event, events_of, injected
from vitruvian.prediction.patterns.rule import Rule, alarms, flagged
from vitruvian.prediction.patterns.scores import KINDS, RECENT_H, ROWS, joined, scores
from vitruvian.prediction.patterns.tails import GRID, as_json, from_json, tail_of, tails
from vitruvian.prediction.patterns.watch import TOGETHER
from vitruvian.signals.tracker import Tracker

SCORES = len(KINDS) * len(CHANNELS) + 1
QUIET = {
    "heart_rate": 80.0, "respiratory_rate": 16.0, "oxygen_saturation": 97.0, "body_temperature": 36.9,
    "systolic_pressure": 120.0, "diastolic_pressure": 65.0, "mean_pressure": 83.0,
}  # fmt: skip
SPREAD = np.array([3.0, 1.0, 0.7, 0.1, 5.0, 3.0, 3.0], np.float32)


def day(seed: int = 0, patients: int = 1) -> np.ndarray:
    """Windows (n, CONTEXT_H, C) of resting patients."""
    random = np.random.default_rng(seed)
    middle = np.array([QUIET[name] for name in CHANNELS], np.float32)
    return (middle + SPREAD * random.standard_normal((patients, CONTEXT_H, len(CHANNELS)))).astype(np.float32)


def test_tails_hold_for_new_patients_and_count_each_patient_once() -> None:
    random = np.random.default_rng(0)
    # Patients differ, and those with the largest scores stay ten times as long.
    spread = random.uniform(0.5, 2.0, 400)
    who = np.repeat(np.arange(400), np.where(spread > 1.5, 100, 10))
    limits = tails(np.abs(random.standard_normal(who.size) * spread[who]).astype(np.float32), who)
    assert (limits[1:] >= limits[:-1]).all()
    fresh = np.abs(random.standard_normal(40_000) * random.uniform(0.5, 2.0, 40_000)).astype(np.float32)
    p = tail_of(fresh, limits)
    for level in (0.01, 0.05, 0.2):  # rounded up to the grid, and never rarer than one of 401
        assert 0.4 * level < (p <= level).mean() < 1.2 * level
    assert np.isnan(tail_of(np.array([np.nan], np.float32), limits)).all()
    assert np.isinf(limits[GRID < 1 / 401]).all()  # rarer than that cannot be told from 400 patients
    assert np.array_equal(from_json(as_json(limits))[~np.isinf(limits)] > 0, limits[~np.isinf(limits)] > 0)
    assert np.isinf(tails(np.full(5, np.nan, np.float32), np.arange(5))).all()


def test_ties_go_together() -> None:
    limits = tails(np.array([1, 1, 1, 2], np.float32), np.arange(4))
    assert tail_of(np.array([2], np.float32), limits)[0] >= 2 / 5  # one of four, and the patient asked about
    assert tail_of(np.array([1], np.float32), limits)[0] == 1.0


def test_scores_say_what_they_are_defined_as() -> None:
    found = np.full((1, RECENT_H, len(CHANNELS)), np.nan, np.float32)
    shape = (1, ROWS, RECENT_H, len(CHANNELS))
    expected, scale = np.zeros(shape, np.float32), np.full(shape, 2.0, np.float32)
    scale[:, 1], scale[:, 2] = 4.0, 8.0
    found[0, :, 0] = [2, 4, 2, 4, 2, 4]
    found[0, -1, 1:4] = [2, -4, 6]
    one = scores(found, expected, scale)
    assert one.each[0, 0, 0] == 2.0
    assert one.each[0, 0, 1] == pytest.approx((4 + 2 + 4) / 3 / 4)
    assert one.each[0, 0, 2] == pytest.approx((4 + 2 + 4) / 3 / 8)
    assert one.each[0, 0, 3] == pytest.approx(-1.0)
    assert np.isnan(one.each[0, 1, 1:]).all()  # one hour is no course
    assert one.together[0] == pytest.approx((4 + 1 + 4 + 9) / 4 * (1 + 1 / 4 + 1 / 16) / 3)
    assert joined(one).shape == (1, SCORES)


def test_a_flag_is_rare_now_or_less_rare_twice_on_one_side() -> None:
    limits = np.tile(np.interp(-np.log10(GRID), [0, 4.7], [0, 4.7]), (SCORES, 1))  # p = 10^-score
    rule = Rule(limits, 1e-3)
    found = np.zeros((4, RECENT_H, len(CHANNELS)), np.float32)
    zeros = np.zeros((4, ROWS, RECENT_H, len(CHANNELS)), np.float32)
    found[0, -1, 0] = 3.2  # rare at once
    found[1, -3, 0] = found[1, -1, 0] = 2.4  # twice of three, same side
    found[2, -3, 0], found[2, -1, 0] = -2.4, 2.4  # two sides
    found[3, -3, 0] = found[3, -2, 0] = 2.4  # it is over
    one = scores(found, zeros, np.ones_like(zeros))
    assert flagged(one, rule)[:, 0].tolist() == [True, True, False, False]


def test_an_alarm_silences_its_patient_and_nobody_else() -> None:
    patient, hour = np.array([0, 0, 0, 0, 1, 1]), np.array([1, 2, 6, 7, 7, 8])
    told = alarms(np.array([True] * 6), patient, hour)
    assert told.tolist() == [True, False, False, True, True, False]


def test_the_shipped_watch_flags_what_leaves_the_patients_own_course() -> None:
    watch = Watch.load()
    quiet = watch.watch(day(patients=200))
    assert quiet.flag.any(axis=1).mean() < 0.1
    inside = (quiet.found >= quiet.low) & (quiet.found <= quiet.high)
    assert inside.mean() > 0.85 and (quiet.low < quiet.expected).all()
    hours = day(1)
    hours[0, -1, CHANNELS.index("heart_rate")] = 140
    flags = watch.watch(hours).of(0)
    first = next(flag for flag in flags if flag.channel == "heart_rate")
    assert first.kind == "jump" and first.found == 140 and first.high < 140 and 70 < first.expected < 90
    assert first.surprise > 2
    swapped = day(2)
    swapped[0, -1, [0, 6]] = [45, 130]
    assert TOGETHER in {flag.channel for flag in watch.watch(swapped).of(0)}


def test_nothing_measured_nothing_said_and_the_hour_itself_is_not_foretold_from_itself() -> None:
    watch = Watch.load()
    empty = np.full((3, CONTEXT_H, len(CHANNELS)), np.nan, np.float32)
    watched = watch.watch(empty)
    assert not watched.flag.any() and np.isnan(watched.surprise).all() and watched.of(0) == []
    assert np.isfinite(watched.expected).all()
    hours, other = day(3), day(3)
    other[0, -1] += 25
    assert np.array_equal(watch.watch(hours).expected, watch.watch(other).expected)
    two = np.concatenate([other, hours])
    assert np.abs(watch.watch(two).expected - watch.watch(hours).expected).max() < 1e-4
    with pytest.raises(ModelError, match="hours of shape"):
        watch.watch(hours[:, 1:])
    with pytest.raises(ModelError, match="no watch in"):
        Watch.load(Path("nowhere"))


def test_a_tracker_is_watched_as_its_window() -> None:
    watch, hours = Watch.load(), day(4)
    hours[0, -1, CHANNELS.index("respiratory_rate")] = 40
    tracker, first_h = Tracker(3), 480_000
    index = np.array([VOCABULARY[name].index for name in CHANNELS])
    for place in range(CONTEXT_H):
        at_us = np.full(index.size, (first_h + place) * HOUR_US)
        tracker.update(np.full(index.size, 1), index, at_us, hours[0, place].astype(np.float64))
    live = watch.at(tracker, np.array([1, 2]), (first_h + CONTEXT_H - 1) * HOUR_US + 5)
    assert np.array_equal(live.flag[0], watch.watch(hours).flag[0]) and not live.flag[1].any()
    assert "respiratory_rate" in {flag.channel for flag in live.of(0)}


def test_calibration_keeps_to_its_budget() -> None:
    table = made_up(patients=80, hours=40, pattern=False)
    told = calibrated(own_spread(np.full(len(CHANNELS), 10.0)), table, np.arange(table.label.size), 0.5)
    assert 0.1 < told["alarms_per_day_calibrating"] <= 0.5
    assert len(told["limits"]) == SCORES and len(told["limits"][0]) == GRID.size


def test_injected_anomalies_are_what_they_say() -> None:
    table = made_up(patients=6, hours=40, pattern=False)
    shifted = np.concatenate([table.running[:1], table.running[:-1]])
    table = replace(table, closed=shifted)
    start, heart = 30, CHANNELS.index("heart_rate")
    table.running[start - BEFORE : start + HOURS] = 80.0 + np.arange(len(CHANNELS))
    table.running[start + 3, heart] = np.nan
    kinds = [Event(start, "step", heart, heart, 30.0), Event(start, "drift", heart, heart, -16.0)]
    kinds += [Event(start, "swap", heart, 6, 0.0), Event(start, "flat", heart, heart, 0.0)]
    made, rows = injected(table, kinds)
    assert rows.size == 4 * HOURS and made.patient[rows[0]] == 0
    step, drift, swap, flat = made.running[rows].reshape(4, HOURS, -1)
    assert step[0, 0] == 110 and drift[0, 0] == 78 and drift[-1, 0] == 64 and swap[0, 0] == 86 and flat[0, 0] == 80
    assert np.isnan(step[3, 0]) and np.isnan(swap[3, 6])
    assert np.array_equal(made.closed[rows[1:HOURS]], made.running[rows[: HOURS - 1]], equal_nan=True)
    assert np.array_equal(step[:, 1:], np.broadcast_to(80.0 + np.arange(1, 7), (HOURS, 6)))
    drawn = events_of(table, np.arange(6), "step", 0.5, np.random.default_rng(0))
    assert all(abs(event.size) == abs(0.5 * SIZES[CHANNELS[event.channel]]) for event in drawn)
    assert all(table.hour[event.start] > BEFORE for event in drawn)


def test_stable_patients_are_those_within_limits() -> None:
    table = made_up(patients=3, hours=30, pattern=False)
    table.running[:] = [QUIET[name] for name in CHANNELS]
    table.running[30:60:2, 0] = 170
    table.label[70:] = 1
    assert stable_patients(table, np.arange(90)).tolist() == [0]


def test_each_forecast_knows_the_hours_it_says_and_no_later_one() -> None:
    watch, hours = Watch.load(), day(5, patients=2)
    told, scale = watch.foretold(hours)
    assert told.shape == scale.shape == (2, ROWS, RECENT_H, len(CHANNELS)) and (scale > 0).all()
    for row, ahead in enumerate((1, 6, 6)):
        for place in range(RECENT_H):
            known = CONTEXT_H - RECENT_H + place - ahead + 1  # hours up to this one may count
            later, within = hours.copy(), hours.copy()
            later[:, known:] += 9
            within[:, known - 1] += 9
            assert np.allclose(watch.foretold(later)[0][:, row, place], told[:, row, place], atol=1e-4)
            assert (np.abs(watch.foretold(within)[0][:, row, place] - told[:, row, place]).max(axis=1) > 0.3).all()
