"""The compiled loops of the twins. One file on purpose: numba keys its cache by the file of the entry point."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

HOUR_US: Final = 3_600_000_000
NEVER_US: Final = -(2**63)
ORDER_LAST: Final = np.uint64(2**64 - 1)

PLAIN: Final = 0  # in order: apply to the row
BEFORE_ANCHOR: Final = 1  # in order, but older than the row's anchor: apply to both
LATE: Final = 2  # the row must be rewound


@njit(cache=True)
def sort_out(
    row: NDArray[np.int64],
    concept: NDArray[np.int64],
    at_us: NDArray[np.int64],
    order: NDArray[np.uint64],
    state: Any,
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Find what each sample needs, before any is applied.

    `state` is (last_us (n, C), last_order (n, C), newest_us (n,), anchor_us (n,)). Samples come grouped by row, in
    the order of the fold. Returns what to do with each sample (N,), and per group of one row: the row, its earliest
    instant, and whether its anchor must be taken first, since the last one is an hour old and all that was applied
    is older than this batch.
    """
    last_us, last_order, newest_us, anchor_us = state
    size = row.size
    needs = np.zeros(size, np.uint8)
    groups = np.empty(size, np.int64)
    earliest = np.empty(size, np.int64)
    anchor = np.zeros(size, np.bool_)
    count = 0
    start = 0
    while start < size:
        r = row[start]
        end = start
        late = False
        first = at_us[start]
        while end < size and row[end] == r:
            c, at = concept[end], at_us[end]
            first = min(first, at)
            held = last_us[r, c]
            if at < held or (at == held and (order[end] < last_order[r, c] or last_order[r, c] == ORDER_LAST)):
                late = True
            elif at < anchor_us[r]:
                needs[end] = BEFORE_ANCHOR
            end += 1
        if late:
            needs[start:end] = LATE
        groups[count], earliest[count] = r, first
        due = anchor_us[r] == NEVER_US or first - anchor_us[r] >= HOUR_US
        anchor[count] = not late and due and newest_us[r] != NEVER_US and newest_us[r] < first
        count += 1
        start = end
    return needs, groups[:count], earliest[:count], anchor[:count]


@njit(cache=True)
def note_orders(
    row: NDArray[np.int64],
    concept: NDArray[np.int64],
    at_us: NDArray[np.int64],
    order: NDArray[np.uint64],
    outcome: NDArray[np.uint8],
    rejected: int,
    last_order: NDArray[np.uint64],
    newest_us: NDArray[np.int64],
) -> None:
    """Remember the order of the newest sample of each row and concept, and the newest instant of each row."""
    for i in range(row.size):
        r = row[i]
        newest_us[r] = max(newest_us[r], at_us[i])
        if outcome[i] != rejected:
            last_order[r, concept[i]] = order[i]


@njit(cache=True)
def insert(ascending: NDArray[np.int64], count: int, item: int) -> None:
    """Put an item into its place among the first `count`, which are in order."""
    place = count
    while place > 0 and ascending[place - 1] > item:
        ascending[place] = ascending[place - 1]
        place -= 1
    ascending[place] = item


@njit(cache=True)
def cadences(ring_us: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """How often each monitored vital sign arrives: the median interval of its recent samples in seconds,
    (len(rows), V).

    NaN where fewer than three distinct instants are held.
    """
    count, slots, size = rows.size, ring_us.shape[1], ring_us.shape[2]
    result = np.full((count, slots), np.nan)
    held = np.empty(size, np.int64)
    gaps = np.empty(size, np.int64)
    for i in range(count):
        for slot in range(slots):
            known = 0
            for k in range(size):
                if ring_us[rows[i], slot, k] != NEVER_US:
                    insert(held, known, ring_us[rows[i], slot, k])
                    known += 1
            found = 0
            for k in range(1, known):
                if held[k] > held[k - 1]:
                    insert(gaps, found, held[k] - held[k - 1])
                    found += 1
            if found >= 2:
                middle = gaps[found // 2] if found % 2 else (gaps[found // 2] + gaps[found // 2 - 1]) / 2
                result[i, slot] = middle / 1e6
    return result
