"""The compiled loops that write the features of a patient at an instant.

Apart from the tracker's own loops (`kernels`), of which they use no function, so that neither leaves the other stale in
numba's cache.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vitruvian.signals.kernels import HOUR_US, LAST, MEAN, NEVER_US

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
