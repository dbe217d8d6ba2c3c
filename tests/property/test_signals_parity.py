"""Batch and stream leave the same bits, features look only back, and a plain second implementation agrees with them."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.core.time import HOUR_US, MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.signals import FEATURES, Tracker
from vitruvian.signals.features import features
from vitruvian.signals.stay import stay_features, stay_practice

START_US = 480_000 * HOUR_US
NAMES = (
    "heart_rate", "respiratory_rate", "systolic_pressure", "systolic_pressure_arterial", "mean_pressure",
    "oxygen_saturation", "body_temperature", "inspired_oxygen_fraction", "lactate", "creatinine", "platelets",
)  # fmt: skip
INDEX = np.array([VOCABULARY[name].index for name in NAMES])
COLUMN = {name: place for place, name in enumerate(FEATURES)}

Samples = list[tuple[int, int, float]]  # (microseconds, place in NAMES, value), in the order of time


@st.composite
def histories(draw: st.DrawFn) -> Samples:
    """A patient's samples: gaps from seconds to days, values from calm to absurd."""
    count = draw(st.integers(0, 60))
    at_us, samples = START_US, []
    for _ in range(count):
        at_us += draw(st.sampled_from([0, 1_000_000, 20_000_000, MINUTE_US, 25 * MINUTE_US, HOUR_US, 9 * HOUR_US]))
        place = draw(st.sampled_from([0, 0, 0, *range(len(NAMES))]))
        low, high = VOCABULARY[NAMES[place]].plausible
        part = draw(st.floats(-0.02, 1.02))
        samples.append((at_us, place, low + part * (high - low)))
    return samples


def columns(samples: Samples, row: int = 0):
    at_us = np.array([sample[0] for sample in samples], np.int64)
    place = np.array([sample[1] for sample in samples], np.int64)
    value = np.array([sample[2] for sample in samples], np.float64)
    return np.full(at_us.size, row, np.int64), INDEX[place] if place.size else place, at_us, value


def batch(samples: Samples) -> Tracker:
    tracker = Tracker(1)
    tracker.update(*columns(samples))
    return tracker


def stay(tracker: Tracker, row: int, now_us: int) -> bytes:
    rows = np.array([row])
    return stay_features(tracker, rows, now_us).tobytes() + stay_practice(tracker, rows, now_us).tobytes()


@given(histories(), st.integers(0, 3))
def test_one_by_one_and_all_at_once_leave_the_same_bits(samples: Samples, row: int) -> None:
    whole, stream = batch(samples), Tracker(4)
    for sample in samples:
        stream.update(*columns([sample], row))
    assert stream.digest(row) == whole.digest(0)
    now_us = (samples[-1][0] if samples else START_US) + 17 * MINUTE_US
    one, other = features(whole, np.array([0]), now_us), features(stream, np.array([row]), now_us)
    assert one.tobytes() == other.tobytes()
    assert stay(whole, 0, now_us) == stay(stream, row, now_us)


@given(histories(), st.randoms(use_true_random=False))
def test_concepts_may_interleave_in_any_way(samples: Samples, random) -> None:
    """Order matters within a concept only, so that a commit may hand samples over concept by concept."""
    queues: dict[int, Samples] = defaultdict(list)
    for sample in samples:
        queues[sample[1]].append(sample)
    mixed: Samples = []
    while queues:
        place = random.choice(sorted(queues))
        mixed.append(queues[place].pop(0))
        if not queues[place]:
            del queues[place]
    assert batch(mixed).digest(0) == batch(samples).digest(0)


@given(histories(), histories(), st.integers(0, 60))
def test_what_comes_later_changes_no_earlier_feature(samples: Samples, others: Samples, cut: int) -> None:
    """Features at t, asked when t is reached, are bit-equal whatever is fed afterwards."""
    cut = min(cut, len(samples))
    now_us = samples[cut - 1][0] if cut else START_US
    moved = [(now_us + 1 + at_us - START_US, place, value) for at_us, place, value in others]

    def at_the_cut(rest: Samples) -> bytes:
        tracker = Tracker(1)
        made = b""
        for number, sample in enumerate([*samples[:cut], *rest]):
            if number == cut:
                made = features(tracker, np.array([0]), now_us).tobytes() + stay(tracker, 0, now_us)
            tracker.update(*columns([sample]))
        return made or features(tracker, np.array([0]), now_us).tobytes() + stay(tracker, 0, now_us)

    assert at_the_cut(moved) == at_the_cut([])


@given(st.lists(histories(), min_size=1, max_size=5))
def test_patients_of_a_batch_do_not_touch_each_other(patients: list[Samples]) -> None:
    now_us = max((samples[-1][0] for samples in patients if samples), default=START_US)
    parts = [columns(samples, row) for row, samples in enumerate(patients)]
    together = Tracker(len(patients))
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.argsort(joined[2], kind="stable")
    together.update(*(column[order] for column in joined))
    made = features(together, np.arange(len(patients)), now_us)
    for row, samples in enumerate(patients):
        alone = batch(samples)
        assert made[row].tobytes() == features(alone, np.array([0]), now_us)[0].tobytes()
        assert stay(together, row, now_us) == stay(alone, 0, now_us)


# --- a second implementation, in plain Python ----------------------------------


def clean(samples: list[tuple[int, float]], floor: float | None) -> list[tuple[int, float]]:
    """The trend of one concept: (microseconds, de-noised value)."""
    trend, run = [], 0
    for number, (at_us, value) in enumerate(samples):
        recent = [v for t, v in samples[max(0, number - 7) : number] if at_us - t <= 5 * MINUTE_US]
        taken = value
        if floor is not None and len(recent) >= 4:
            middle = statistics.median(recent)
            spread = 3 * 1.4826 * statistics.median(abs(v - middle) for v in recent)
            if abs(value - middle) > max(spread, floor):
                side = 1 if value > middle else -1
                run = run + side if run * side > 0 else side
                taken = value if abs(run) >= 3 else middle
            else:
                run = 0
        else:
            run = 0
        trend.append((at_us, taken))
    return trend


def expected_heart_rate(samples: Samples, now_us: int) -> dict[str, float]:
    """The heart rate's features from its samples alone, as docs/signals.md words them."""
    low, high = VOCABULARY["heart_rate"].plausible
    trend = clean([(t, v) for t, place, v in samples if place == 0 and low <= v <= high], 10.0)
    if not trend:
        return {}
    last_us, last = trend[-1]
    out = {"heart_rate_age_h": min((now_us - last_us) / HOUR_US, 48.0)}
    fresh = now_us - last_us <= VOCABULARY["heart_rate"].valid_for_s * 1_000_000
    if fresh:
        out["heart_rate"] = last
    hours: dict[int, list[float]] = defaultdict(list)
    for at_us, value in trend:
        hours[(at_us // HOUR_US) - (now_us // HOUR_US)].append(value)
    for span in (2, 6, 12):
        older = [hour for hour in hours if -23 <= hour <= -span]
        if fresh and older:
            out[f"heart_rate_delta_{span}h"] = last - hours[max(older)][-1]
    for span in (6, 12, 24):
        means = {hour: statistics.fmean(values) for hour, values in hours.items() if hour > -span}
        if not means:
            continue
        out[f"heart_rate_min_{span}h"] = min(means.values())
        out[f"heart_rate_max_{span}h"] = max(means.values())
        out[f"heart_rate_mean_{span}h"] = statistics.fmean(means.values())
        if span < 24 and len(means) > 1:
            out[f"heart_rate_trend_{span}h"] = statistics.linear_regression(list(means), list(means.values())).slope
            out[f"heart_rate_sd_{span}h"] = statistics.pstdev(means.values())
        if span == 24 and fresh:
            out["heart_rate_departure_24h"] = last - out["heart_rate_mean_24h"]
    return out


@given(histories(), st.sampled_from([0, 10 * MINUTE_US, 59 * MINUTE_US, 61 * MINUTE_US, 7 * HOUR_US, 30 * HOUR_US]))
def test_a_plain_implementation_agrees(samples: Samples, later_us: int) -> None:
    now_us = (samples[-1][0] if samples else START_US) + later_us
    made = features(batch(samples), np.array([0]), now_us)[0]
    wanted = expected_heart_rate(samples, now_us)
    for name in FEATURES:
        if name.startswith("heart_rate"):
            value = float(made[COLUMN[name]])
            if name in wanted:
                assert value == pytest.approx(wanted[name], rel=2e-5, abs=2e-3), name
            else:
                assert math.isnan(value), name
