"""Exact Shapley values of trees, leaf by leaf (path-dependent TreeSHAP).

Lundberg et al., Nat Mach Intell 2020;2:56, algorithm 2, in the form of its sum over leaves: a leaf asks each feature on
its path for an interval. With z the share of training rows that stays on the path where a feature is not known and o
whether the row itself does, a leaf of value v gives feature i

    v (o_i - z_i) sum_k k! (d - 1 - k)! / d! [t^k] prod_{j != i} (z_j + o_j t)

The product is formed once a leaf and divided by each factor, which is stable since 0 < z <= 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vitruvian.prediction.families.rows.trees import Trees

__all__ = ["Leaves", "leaves_of", "shapley"]

DEPTH_MAX: Final = 64  # different features on one path


@dataclass(frozen=True, slots=True)
class Leaves:
    """L leaves with K conditions in all: leaf l has conditions `starts[l]` to `starts[l + 1]`, one a feature.

    `feature`, `low`, `high` (K,): on the path where low < value <= high; `missing` (K,): also where it is missing;
    `share` (K,): z. `value` (L,). `base`: the mean over training rows.
    """

    starts: NDArray[np.int64]
    feature: NDArray[np.int64]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    missing: NDArray[np.bool_]
    share: NDArray[np.float64]
    value: NDArray[np.float64]
    base: float


def leaves_of(trees: Trees) -> Leaves:
    """The leaves of an ensemble with what each asks of a row."""
    rows: list[tuple[int, float, float, bool, float]] = []
    starts, values, base = [0], [], float(trees.base[0])
    for root in trees.roots:
        waiting: list[tuple[int, dict[int, tuple[float, float, bool, float]]]] = [(int(root), {})]
        while waiting:
            node, path = waiting.pop()
            feature = int(trees.feature[node])
            if feature < 0:
                rows += [(name, *asked) for name, asked in path.items()]
                starts.append(len(rows))
                values.append(float(trees.value[node]))
                base += values[-1] * float(np.prod([asked[3] for asked in path.values()]))
                continue
            waiting += [_child(trees, node, path, left) for left in (False, True)]
    table = list(zip(*rows, strict=True)) if rows else [()] * 5
    return Leaves(
        np.array(starts, np.int64),
        np.array(table[0], np.int64),
        np.array(table[1], np.float32),
        np.array(table[2], np.float32),
        np.array(table[3], np.bool_),
        np.array(table[4], np.float64),
        np.array(values, np.float64),
        base,
    )


def _child(
    trees: Trees, node: int, path: dict[int, tuple[float, float, bool, float]], left: bool
) -> tuple[int, dict[int, tuple[float, float, bool, float]]]:
    """A child with the path to it."""
    feature, cut = int(trees.feature[node]), float(trees.threshold[node])
    child = int(trees.left[node] if left else trees.right[node])
    low, high, missing, share = path.get(feature, (-np.inf, np.inf, True, 1.0))
    low, high = (low, min(high, cut)) if left else (max(low, cut), high)
    missing = missing and bool(trees.missing_left[node]) == left
    share *= float(trees.cover[child]) / float(trees.cover[node])
    return child, {**path, feature: (low, high, missing, share)}


def shapley(leaves: Leaves, values: NDArray[np.float32]) -> NDArray[np.float64]:
    """What each feature adds to the base for rows (n, F) f4, NaN = missing: (n, F) f8, summing to sum less base."""
    out = np.zeros(values.shape)
    _shapley(
        np.ascontiguousarray(values, np.float32), leaves.starts, leaves.feature, leaves.low, leaves.high,
        leaves.missing, leaves.share, leaves.value, _weights(), out,
    )  # fmt: skip
    return out


def _weights() -> NDArray[np.float64]:
    """k! (d - 1 - k)! / d! at [d, k]."""
    table = np.zeros((DEPTH_MAX + 1, DEPTH_MAX))
    for d in range(1, DEPTH_MAX + 1):
        table[d, :d] = [factorial(k) * factorial(d - 1 - k) / factorial(d) for k in range(d)]
    return table


@njit(cache=True, error_model="numpy")
def _shapley(
    values: Any, starts: Any, feature: Any, low: Any, high: Any, missing: Any, share: Any, value: Any, weights: Any,
    out: Any,
) -> None:  # fmt: skip
    product = np.empty(DEPTH_MAX + 1)
    on_path = np.empty(DEPTH_MAX, np.bool_)
    for row in range(values.shape[0]):
        for leaf in range(starts.shape[0] - 1):
            begin, depth = starts[leaf], starts[leaf + 1] - starts[leaf]
            product[0] = 1.0
            for j in range(depth):
                x = values[row, feature[begin + j]]
                on = missing[begin + j] if np.isnan(x) else (x > low[begin + j] and x <= high[begin + j])
                on_path[j] = on
                z = share[begin + j]
                product[j + 1] = product[j] if on else 0.0
                for k in range(j, 0, -1):
                    product[k] = z * product[k] + (product[k - 1] if on else 0.0)
                product[0] *= z
            for j in range(depth):
                z, total = share[begin + j], 0.0
                if on_path[j]:
                    quotient = product[depth]
                    for k in range(depth - 1, -1, -1):
                        total += weights[depth, k] * quotient
                        quotient = product[k] - z * quotient
                    total *= 1.0 - z
                else:
                    for k in range(depth):
                        total += weights[depth, k] * product[k]
                    total = -total  # (0 - z) times the sum over product / z
                out[row, feature[begin + j]] += value[leaf] * total
