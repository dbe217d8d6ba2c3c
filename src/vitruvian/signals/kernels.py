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
    counters: Any,
) -> NDArray[np.uint8]:
    """Apply samples one after another; the outcome of each. See `Tracker.update` for the meaning."""
    lowest, highest, slot_of, floor_of, lab_of = tables
    last_value, last_us, trend_value, previous_value, previous_us = latest
    ring_value, ring_us, ring_state = filters
    hours, counts, stats = buckets
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
        slot = slot_of[c]
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


# --- features: what is written for one patient at one instant ------------------

# Window features of one vital sign, in this order (`features.WINDOWED` names them).
WINDOW_FEATURES: Final = 17


@njit(cache=True)
def window_features(
    last: float, hour: int, hours: NDArray[np.int32], stats: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    """Changes, trends, extremes and means of one vital sign over the hours up to `hour`; NaN where there are none.

    `last` is NaN where it is stale: then only what does not compare with it is told.

    A window of k hours is the running hour and the k - 1 before it. Extremes are those of hourly means, so that a
    monitor that sends every second and a table with one value an hour are read alike.
    """
    size = hours.shape[0]
    for j in range(out.shape[0]):
        out[j] = np.nan
    low, high = np.inf, -np.inf
    n, total, squares, moment, ages, ages2 = 0, 0.0, 0.0, 0.0, 0.0, 0.0
    seen2 = seen6 = seen12 = False
    for back in range(size - 1):
        place = (hour - back) % size
        if hours[place] == hour - back:
            mean, ended = float(stats[place, MEAN]), float(stats[place, LAST])
            low, high = min(low, mean), max(high, mean)
            n += 1
            total += mean
            squares += mean * mean
            moment -= mean * back
            ages -= back
            ages2 += back * back
            if back >= 2 and not seen2:
                out[0], seen2 = last - ended, True
            if back >= 6 and not seen6:
                out[1], seen6 = last - ended, True
            if back >= 12 and not seen12:
                out[2], seen12 = last - ended, True
        if n == 0 or back not in (5, 11, 23):
            continue
        first = 3 if back == 5 else 8 if back == 11 else 13
        out[first], out[first + 1], out[first + 2] = low, high, total / n
        if back < 23 and n > 1:
            out[first + 3] = (n * moment - ages * total) / (n * ages2 - ages * ages)
            variance = squares / n - (total / n) ** 2
            out[first + 4] = np.sqrt(max(variance, 0.0))
    if n > 0:
        out[16] = last - total / n


@njit(cache=True)
def fill_features(
    rows: NDArray[np.int64],
    now_us: NDArray[np.int64],
    valid_us: NDArray[np.int64],
    age_hours_max: float,
    vitals: NDArray[np.int64],
    plain: NDArray[np.int64],
    labs: NDArray[np.int64],
    latest: Any,
    buckets: Any,
    out: NDArray[np.float32],
) -> None:
    """Write the measured features of each row into `out` (N, F), which comes filled with NaN.

    `vitals` (S, 4): for each signal, concept and slot of the first choice (the arterial line), then of the second (-1:
    no other). `plain` (P,) and `labs` (L,): concepts. The order of columns is that of `features.FEATURES`.
    """
    last_us, trend_value, previous_value, previous_us = latest
    hours, stats = buckets
    for i in range(rows.size):
        r, now = rows[i], now_us[i]
        hour = now // HOUR_US
        column = 0
        for s in range(vitals.shape[0]):
            c, slot = vitals[s, 0], vitals[s, 1]
            stale = last_us[r, c] == NEVER_US or now - last_us[r, c] > valid_us[c]
            if stale and vitals[s, 2] >= 0 and last_us[r, vitals[s, 2]] > last_us[r, c]:
                c, slot = vitals[s, 2], vitals[s, 3]
            at = last_us[r, c]
            if at != NEVER_US:
                out[i, column + 1] = min(max(now - at, 0) / HOUR_US, age_hours_max)
                if now - at <= valid_us[c]:
                    out[i, column] = trend_value[r, c]
                span = out[i, column + 2 : column + 2 + WINDOW_FEATURES]
                window_features(out[i, column], hour, hours[r, slot], stats[r, slot], span)
            column += 2 + WINDOW_FEATURES
        for p in range(plain.size):
            c = plain[p]
            at = last_us[r, c]
            if at != NEVER_US:
                out[i, column + 1] = min(max(now - at, 0) / HOUR_US, age_hours_max)
                if now - at <= valid_us[c]:
                    out[i, column] = trend_value[r, c]
            column += 2
        for k in range(labs.size):
            c = labs[k]
            at = last_us[r, c]
            if at != NEVER_US:
                out[i, column + 1] = min(max(now - at, 0) / HOUR_US, age_hours_max)
                if now - at <= valid_us[c]:
                    out[i, column] = trend_value[r, c]
                    if previous_us[r, k] != NEVER_US and at - previous_us[r, k] <= 2 * valid_us[c]:
                        out[i, column + 2] = trend_value[r, c] - previous_value[r, k]
            column += 3
