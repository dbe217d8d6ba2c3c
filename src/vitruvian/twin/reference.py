"""The twin's fold in plain Python: one sample in, a new state out. Slow, and what the batch form is tested equal to.

`apply(state, samples)` is the definition: samples in the canonical order (`twin.order`), none of it in place.
`tracked` writes a state out as a tracker's row, so that equality with the batch form is equality of bytes.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np

from vitruvian.signals import kernels
from vitruvian.signals.concepts import TABLES
from vitruvian.signals.kernels import MAD_TO_SIGMA, NEIGHBOURS_MIN, PERSISTENT, RECENT_US, RING, SPREADS
from vitruvian.signals.tracker import HOURS, Tracker
from vitruvian.twin.kernels import HOUR_US
from vitruvian.twin.order import IMPLAUSIBLE_FLAG, Ordered

_RUN_MAX: Final = 100
# The columns of an hour that the tracker keeps, by name.
_COLUMNS: Final = {
    name: getattr(kernels, name.upper()) for name in ("low", "high", "mean", "last") if hasattr(kernels, name.upper())
}


class Sample(NamedTuple):
    """One value: the concept's index, the instant it counts at, its place among ties, the number, its quality bits."""

    concept: int
    at_us: int
    order: int
    value: float
    quality: int


class Hour(NamedTuple):
    """One hour of a monitored vital sign; single precision, as it is kept."""

    hour: int
    samples: int
    low: np.float32
    high: np.float32
    mean: np.float32
    last: np.float32


class Stay(NamedTuple):
    """A signal since its first value, but for the hour that runs or the latest value; `time_h` since the epoch."""

    samples: int
    time_h: float
    stats: tuple[np.float32, ...]


@dataclass(frozen=True)
class Signal:
    """What is remembered of one concept. `ring` holds the newest raw (value, instant) pairs by place, `taken`
    counts all.
    """

    value: float
    at_us: int
    trend: float
    previous: tuple[float, int] | None = None
    ring: tuple[tuple[float, int] | None, ...] = (None,) * RING
    taken: int = 0
    run: int = 0
    hours: Mapping[int, Hour] = field(default_factory=dict)
    stay: Stay | None = None


@dataclass(frozen=True)
class State:
    """A twin's signals by concept index, and the counters of its row."""

    signals: Mapping[int, Signal] = field(default_factory=dict)
    first_us: int | None = None
    tests: int = 0
    rejected: int = 0
    outliers: int = 0


def samples_of(ordered: Ordered) -> list[Sample]:
    """The rows of columns, as plain samples."""
    columns = (ordered.concept, ordered.at_us, ordered.order, ordered.value, ordered.quality)
    return [Sample(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def apply(state: State, samples: Iterable[Sample]) -> State:
    """The state after these samples of one patient, in canonical order; `state` is not changed."""
    for sample in samples:
        state = step(state, sample)
    return state


def step(state: State, sample: Sample) -> State:
    """The state after one sample."""
    c, x = sample.concept, sample.value
    plausible = TABLES.lowest[c] <= x <= TABLES.highest[c]
    if sample.quality & IMPLAUSIBLE_FLAG or not plausible:
        return replace(state, rejected=state.rejected + 1)
    x = x + 0.0  # one zero, whatever its sign was
    held = state.signals.get(c)
    monitored, lab = TABLES.slot_of[c] >= 0, TABLES.lab_of[c] >= 0
    signal = held or Signal(x, sample.at_us, x)
    if held is not None and TABLES.stay_of[c] >= 0:
        signal = _over(signal, sample.at_us, monitored=bool(monitored))
    if monitored:
        signal = _monitor(signal, x, sample.at_us, float(TABLES.floor_of[c]))
    else:
        signal = replace(signal, trend=x)
    if lab and held is not None and sample.at_us > held.at_us:
        signal = replace(signal, previous=(held.trend, held.at_us))
    return replace(
        state,
        signals={**state.signals, c: replace(signal, value=x, at_us=sample.at_us)},
        first_us=sample.at_us if state.first_us is None else min(state.first_us, sample.at_us),
        tests=state.tests + int(lab),
        outliers=state.outliers + int(monitored and signal.trend != x),
    )


def _monitor(signal: Signal, value: float, at_us: int, floor: float) -> Signal:
    """The causal Hampel filter, the ring and the hour of a monitored vital sign."""
    recent = [held[0] for held in signal.ring if held is not None and at_us - held[1] <= RECENT_US]
    clean, run = value, 0
    if len(recent) >= NEIGHBOURS_MIN:
        middle = statistics.median(recent)
        spread = SPREADS * MAD_TO_SIGMA * statistics.median(abs(item - middle) for item in recent)
        if abs(value - middle) > max(spread, floor):
            side = 1 if value > middle else -1
            run = side * (abs(signal.run) + 1) if signal.run * side > 0 else side
            clean = middle if abs(run) < PERSISTENT else value
    place = signal.taken % RING
    ring = (*signal.ring[:place], (value, at_us), *signal.ring[place + 1 :])
    run = max(min(run, _RUN_MAX), -_RUN_MAX)
    hours = _hour(signal.hours, clean, at_us)
    return replace(signal, trend=clean, ring=ring, taken=signal.taken + 1, run=run, hours=hours)


def _hour(hours: Mapping[int, Hour], value: float, at_us: int) -> Mapping[int, Hour]:
    number, single = at_us // HOUR_US, np.float32(value)
    held = hours.get(number % HOURS)
    if held is None or held.hour != number:
        made = Hour(number, 1, single, single, single, single)
    else:
        mean = held.mean + np.float32((value - float(held.mean)) / (held.samples + 1))
        low, high = min(held.low, single), max(held.high, single)
        made = Hour(number, held.samples + 1, low, high, np.float32(mean), single)
    return {**hours, number % HOURS: made}


def _over(signal: Signal, at_us: int, *, monitored: bool) -> Signal:
    """Take in what is over by `at_us`: the hour of a monitored vital sign, or the value of another signal."""
    if not monitored:
        if at_us == signal.at_us:
            return signal
        gap_h = (at_us - signal.at_us) / HOUR_US
        return replace(signal, stay=_summed(signal.stay, signal.trend, signal.at_us / HOUR_US, gap_h))
    hour, now = signal.at_us // HOUR_US, at_us // HOUR_US
    if now == hour:
        return signal
    mean = float(signal.hours[hour % HOURS].mean)
    return replace(signal, stay=_summed(signal.stay, mean, float(hour), float(now - hour)))


def _summed(stay: Stay | None, value: float, at_h: float, gap_h: float) -> Stay:
    single, zero = np.float32(value), np.float32(0)
    held = stay or Stay(0, at_h, (single, single, single, *(zero,) * 6))
    first, least, greatest, *sums = held.stats
    old, squares, time_squares, products, faded, weight = (float(part) for part in sums)
    count = held.samples + 1
    from_mean, from_time = value - old, at_h - held.time_h
    mean, time_h = old + from_mean / count, held.time_h + from_time / count
    fade = math.exp(-gap_h / kernels.FADE_H)
    made = (
        mean, squares + from_mean * (value - mean), time_squares + from_time * (at_h - time_h),
        products + from_time * (value - mean), (faded + value) * fade, (weight + 1.0) * fade,
    )  # fmt: skip
    singles = (np.float32(part) for part in made)
    return Stay(count, time_h, (first, min(least, single), max(greatest, single), *singles))


def tracked(state: State) -> Tracker:
    """A tracker whose row 0 holds this state."""
    tracker = Tracker(1)
    for c, signal in state.signals.items():
        tracker.last_value[0, c], tracker.last_us[0, c] = signal.value, signal.at_us
        tracker.trend_value[0, c] = signal.trend
        lab, slot = TABLES.lab_of[c], TABLES.slot_of[c]
        if lab >= 0 and signal.previous is not None:
            tracker.previous_value[0, lab], tracker.previous_us[0, lab] = signal.previous
        if signal.stay is not None:
            kept = TABLES.stay_of[c]
            tracker.stay_count[0, kept], tracker.stay_time[0, kept] = signal.stay.samples, signal.stay.time_h
            tracker.stay_stats[0, kept] = signal.stay.stats
        if slot < 0:
            continue
        for place, held in enumerate(signal.ring):
            if held is not None:
                tracker.ring_value[0, slot, place], tracker.ring_us[0, slot, place] = held
        tracker.ring_state[0, slot] = signal.taken % RING, signal.run
        for place, hour in signal.hours.items():
            tracker.hour[0, slot, place], tracker.hour_count[0, slot, place] = hour.hour, hour.samples
            for name, column in _COLUMNS.items():
                tracker.hour_stats[0, slot, place, column] = getattr(hour, name)
    if state.first_us is not None:
        tracker.first_us[0] = state.first_us
    tracker.tests[0], tracker.rejected[0], tracker.outliers[0] = state.tests, state.rejected, state.outliers
    return tracker
