"""The compiled inner loops of the tracker.

All of them live in this one file on purpose: numba keys its cache by the file that holds the entry point, so
a helper in another file could change and leave a stale kernel behind.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

HOUR_US: Final = 3_600_000_000
NEVER_US: Final = -(2**63)  # "no sample yet"; compared with, never computed with

TAKEN: Final = 0  # in the last value and in the trend
REJECTED: Final = 1  # implausible or not a number: nowhere but in the journal
OUTLIER: Final = 2  # raw kept as the last value; the trend takes the neighbours' median instead
LATE: Final = 3  # older than what this concept already holds: not taken, the caller rewinds

# The causal Hampel filter (Hampel 1974; Pearson 2002): a sample further from the median of its recent past than
# 3 scaled median absolute deviations is noise, unless it stays there.
RING: Final = 7
RECENT_US: Final = 300_000_000  # neighbours older than 5 min say nothing about noise
NEIGHBOURS_MIN: Final = 4
SPREADS: Final = 3.0
MAD_TO_SIGMA: Final = 1.4826
PERSISTENT: Final = 3  # samples in a row on one side are a change in the patient, not noise

# Columns of an hourly bucket.
MEAN: Final = 0
LAST: Final = 1

# What is kept of a whole stay, by column of `stay_stats`; in single precision, since it counts hours and results.
FIRST: Final = 0
LEAST: Final = 1
GREATEST: Final = 2
STAY_MEAN: Final = 3
SQUARES: Final = 4  # of the departures from the mean (Welford 1962)
TIME_SQUARES: Final = 5
PRODUCTS: Final = 6  # of the departures of time and value
FADED_SUM: Final = 7  # each value weighs exp(-age / FADE_H)
FADED_WEIGHT: Final = 8
STAY_STATS: Final = 9
FADE_H: Final = 12.0


@njit(cache=True)
def median_in_place(values: NDArray[np.float64], count: int) -> float:
    """The median of `values[:count]`, which is sorted on the way (insertion sort: count is at most 7)."""
    for i in range(1, count):
        item = values[i]
        j = i - 1
        while j >= 0 and values[j] > item:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = item
    middle = count // 2
    if count % 2:
        return float(values[middle])
    return float(0.5 * (values[middle - 1] + values[middle]))


@njit(cache=True)
def hampel_step(
    value: float,
    at_us: int,
    floor: float,
    ring_value: NDArray[np.float64],
    ring_us: NDArray[np.int64],
    state: NDArray[np.int16],
    scratch: NDArray[np.float64],
) -> float:
    """The de-noised value of one sample, from past samples only; then the raw sample joins the ring.

    `state` is (next position, side and length of the run of outliers so far). The result is `value` itself
    where it is no outlier.
    """
    count = 0
    for i in range(RING):
        if ring_us[i] != NEVER_US and at_us - ring_us[i] <= RECENT_US:
            scratch[count] = ring_value[i]
            count += 1
    clean = value
    streak = 0
    if count >= NEIGHBOURS_MIN:
        middle = median_in_place(scratch, count)
        for i in range(count):
            scratch[i] = abs(scratch[i] - middle)
        spread = SPREADS * MAD_TO_SIGMA * median_in_place(scratch, count)
        if abs(value - middle) > max(spread, floor):
            side = 1 if value > middle else -1
            streak = side * (abs(state[1]) + 1) if state[1] * side > 0 else side
            if abs(streak) < PERSISTENT:
                clean = middle
    position = state[0]
    ring_value[position] = value
    ring_us[position] = at_us
    state[0] = (position + 1) % RING
    state[1] = min(max(streak, -100), 100)
    return clean


@njit(cache=True)
def put_in_bucket(
    value: float,
    at_us: int,
    hours: NDArray[np.int32],
    counts: NDArray[np.int32],
    stats: NDArray[np.float32],
) -> None:
    """Add a value to the hour it belongs to: hours (H,), counts (H,), stats (H, 2)."""
    hour = at_us // HOUR_US
    place = hour % hours.shape[0]
    single = np.float32(value)
    if hours[place] != hour:
        hours[place] = hour
        counts[place] = 1
        stats[place, :] = single
        return
    counts[place] += 1
    stats[place, MEAN] += np.float32((value - stats[place, MEAN]) / counts[place])
    stats[place, LAST] = single


@njit(cache=True)
def fold(
    value: float,
    at_h: float,
    gap_h: float,
    count: NDArray[np.int32],
    time: NDArray[np.float64],
    stats: NDArray[np.float32],
) -> None:
    """Add what a signal showed at `at_h` to its stay: count (1,), mean time (1,) and stats (9,); in place.

    `gap_h`: hours from then to what came next, over which the recent mean fades.
    """
    count[0] += 1
    single = np.float32(value)
    if count[0] == 1:
        stats[FIRST] = stats[LEAST] = stats[GREATEST] = single
        stats[STAY_MEAN:] = 0.0
        time[0] = at_h
    stats[LEAST] = min(stats[LEAST], single)
    stats[GREATEST] = max(stats[GREATEST], single)
    old = np.float64(stats[STAY_MEAN])
    from_mean, from_time = value - old, at_h - time[0]
    mean = old + from_mean / count[0]
    stats[STAY_MEAN] = np.float32(mean)
    time[0] += from_time / count[0]
    stats[SQUARES] = np.float32(stats[SQUARES] + from_mean * (value - mean))
    stats[TIME_SQUARES] = np.float32(stats[TIME_SQUARES] + from_time * (at_h - time[0]))
    stats[PRODUCTS] = np.float32(stats[PRODUCTS] + from_time * (value - mean))
    fade = np.exp(-gap_h / FADE_H)
    stats[FADED_SUM] = np.float32((stats[FADED_SUM] + value) * fade)
    stats[FADED_WEIGHT] = np.float32((stats[FADED_WEIGHT] + 1.0) * fade)


@njit(cache=True)
def update_rows(
    row: NDArray[np.int64],
    concept: NDArray[np.int64],
    occurred_us: NDArray[np.int64],
    value: NDArray[np.float64],
    refused: NDArray[np.bool_],
    tables: Any,
    latest: Any,
    filters: Any,
    buckets: Any,
    stays: Any,
    counters: Any,
) -> NDArray[np.uint8]:
    """Apply samples one after another; the outcome of each. See `Tracker.update` for the meaning."""
    lowest, highest, slot_of, floor_of, lab_of, stay_of = tables
    last_value, last_us, trend_value, previous_value, previous_us = latest
    ring_value, ring_us, ring_state = filters
    hours, counts, stats = buckets
    stay_count, stay_time, stay_stats = stays
    first_us, tests, rejected, outliers = counters
    outcome = np.zeros(row.size, np.uint8)
    scratch = np.empty(RING, np.float64)
    for i in range(row.size):
        r, c, at, x = row[i], concept[i], occurred_us[i], value[i]
        if refused[i] or not (lowest[c] <= x <= highest[c]):  # a NaN fails the comparison
            rejected[r] += 1
            outcome[i] = REJECTED
            continue
        if at < last_us[r, c]:
            outcome[i] = LATE
            continue
        x = x + 0.0  # one zero, whatever its sign was: states are hashed
        clean = x
        slot, kept, before = slot_of[c], stay_of[c], last_us[r, c]
        # A stay takes in what is over: the hour of a monitor once a later one begins, a value once a later one comes.
        if kept >= 0 and before != NEVER_US and at > before:
            if slot < 0:
                mine = stay_count[r, kept : kept + 1], stay_time[r, kept : kept + 1], stay_stats[r, kept]
                fold(trend_value[r, c], before / HOUR_US, (at - before) / HOUR_US, *mine)
            else:
                hour, now = before // HOUR_US, at // HOUR_US
                if now > hour:
                    mine = stay_count[r, kept : kept + 1], stay_time[r, kept : kept + 1], stay_stats[r, kept]
                    mean = np.float64(stats[r, slot, hour % hours.shape[2], MEAN])
                    fold(mean, float(hour), float(now - hour), *mine)
        if slot >= 0:
            clean = hampel_step(x, at, floor_of[c], ring_value[r, slot], ring_us[r, slot], ring_state[r, slot], scratch)
            put_in_bucket(clean, at, hours[r, slot], counts[r, slot], stats[r, slot])
            if clean != x:
                outliers[r] += 1
                outcome[i] = OUTLIER
        lab = lab_of[c]
        if lab >= 0:
            tests[r] += 1
            if last_us[r, c] != NEVER_US and at > last_us[r, c]:
                previous_value[r, lab] = trend_value[r, c]
                previous_us[r, lab] = last_us[r, c]
        last_value[r, c] = x
        last_us[r, c] = at
        trend_value[r, c] = clean
        if first_us[r] == NEVER_US or at < first_us[r]:
            first_us[r] = at
    return outcome


# --- the stay as a whole --------------------------------------------------------

# Features of one signal over the stay, in this order (`stay.OF_SIGNAL` names them).
OF_STAY: Final = 8


@njit(cache=True)
def whole_stay(
    r: int, source: NDArray[np.int64], now: int, latest: Any, buckets: Any, stays: Any, time: Any, stats: Any
) -> int:
    """The stay of one source (concept, place, slot) with what is not over yet, faded to `now`.

    Fills `time` (1,) and `stats` (9,), and returns the count.
    """
    last_us, trend_value = latest
    hours, means = buckets
    stay_count, stay_time, stay_stats = stays
    c, kept, slot = source[0], source[1], source[2]
    at = last_us[r, c]
    if at == NEVER_US:
        return 0
    count = np.zeros(1, np.int32)
    count[0], time[0] = stay_count[r, kept], stay_time[r, kept]
    stats[:] = stay_stats[r, kept]
    if slot < 0:
        fold(trend_value[r, c], at / HOUR_US, max(now - at, 0) / HOUR_US, count, time, stats)
    else:
        hour = at // HOUR_US
        mean = np.float64(means[r, slot, hour % hours.shape[2], MEAN])
        fold(mean, float(hour), float(max(now // HOUR_US - hour, 0)), count, time, stats)
    return int(count[0])


@njit(cache=True)
def pool(n: int, time: Any, stats: Any, m: int, other_time: Any, other: Any) -> int:
    """Join a second series of m values to a first of n, in place (Chan 1983); returns how many they are."""
    if m == 0:
        return n
    if n == 0:
        time[:], stats[:] = other_time, other
        return m
    if m > n:
        stats[FIRST] = other[FIRST]
    stats[LEAST] = min(stats[LEAST], other[LEAST])
    stats[GREATEST] = max(stats[GREATEST], other[GREATEST])
    apart, later, share = other[STAY_MEAN] - stats[STAY_MEAN], other_time[0] - time[0], m / (n + m)
    stats[SQUARES] += other[SQUARES] + apart * apart * n * share
    stats[TIME_SQUARES] += other[TIME_SQUARES] + later * later * n * share
    stats[PRODUCTS] += other[PRODUCTS] + apart * later * n * share
    stats[STAY_MEAN] += apart * share
    time[0] += later * share
    stats[FADED_SUM] += other[FADED_SUM]
    stats[FADED_WEIGHT] += other[FADED_WEIGHT]
    return n + m


@njit(cache=True)
def fill_stay(
    rows: NDArray[np.int64],
    now_us: NDArray[np.int64],
    signals: NDArray[np.int64],
    latest: Any,
    buckets: Any,
    stays: Any,
    out: NDArray[np.float32],
    counts: NDArray[np.float32],
) -> None:
    """Write what the stay was into `out` (N, 8 S), filled with NaN, and its counts into `counts` (N, S).

    `signals` (S, 2, 3): concept, place among the signals of a stay, and slot (-1: not monitored) of the first source
    and of its second (-1: none), which is the cuff beside the arterial line.
    """
    last_us, trend_value = latest
    time, other_time = np.empty(1), np.empty(1)
    stats, other = np.empty(STAY_STATS, np.float32), np.empty(STAY_STATS, np.float32)
    for i in range(rows.size):
        r, now = rows[i], now_us[i]
        for s in range(signals.shape[0]):
            c, second = signals[s, 0, 0], signals[s, 1, 0]
            n = whole_stay(r, signals[s, 0], now, latest, buckets, stays, time, stats)
            if second >= 0:
                m = whole_stay(r, signals[s, 1], now, latest, buckets, stays, other_time, other)
                n = pool(n, time, stats, m, other_time, other)
                if last_us[r, second] > last_us[r, c]:
                    c = second
            counts[i, s] = n
            if n == 0:
                continue
            told = out[i, s * OF_STAY : (s + 1) * OF_STAY]
            told[0], told[1] = stats[FIRST], trend_value[r, c]
            told[2], told[3], told[4] = stats[LEAST], stats[GREATEST], stats[STAY_MEAN]
            if stats[FADED_WEIGHT] > 0.0:
                told[7] = stats[FADED_SUM] / stats[FADED_WEIGHT]
            if n > 1 and stats[TIME_SQUARES] > 0.0:
                told[5] = np.sqrt(stats[SQUARES] / n)
                told[6] = stats[PRODUCTS] / stats[TIME_SQUARES]
