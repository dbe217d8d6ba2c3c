"""A LightGBM booster as flat trees."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.families.rows.trees import Trees, at_most

__all__ = ["average", "trees_of"]

ZERO: Final = float(np.float32(1e-35))  # LightGBM's kZeroThreshold

Row = tuple[int, float, int, int, bool, float, float]  # as the columns of `Trees`


def trees_of(booster: Any, rounds: int) -> Trees:
    """The first `rounds` trees. Raises ModelError for trees that this project does not grow (linear, categorical)."""
    rows: list[Row] = []
    roots = []
    for one in booster.dump_model(num_iteration=rounds)["tree_info"]:
        roots.append(len(rows))
        _walk(one["tree_structure"], rows)
    table = list(zip(*rows, strict=True))
    feature = np.array(table[0], np.int32)
    value = np.array(table[5], np.float64)
    return Trees(
        feature,
        at_most(np.array(table[1], np.float64)),
        np.array(table[2], np.int32),
        np.array(table[3], np.int32),
        np.array(table[4], np.bool_),
        np.where(feature < 0, value, 0.0).astype(np.float32),
        np.array(table[6], np.float32),
        np.array(roots, np.int64),
        np.zeros(1, np.float32),
    )


def _walk(root: dict[str, Any], rows: list[Row]) -> None:
    """Append a tree's nodes, the root first. A stack, since trees grown by leaf can be deep."""
    waiting: list[tuple[dict[str, Any], int, int]] = [(root, -1, 0)]  # node, parent's place, 0 left or 1 right
    while waiting:
        node, parent, side = waiting.pop()
        place = len(rows)
        if parent >= 0:
            held = list(rows[parent])
            held[2 + side] = place
            rows[parent] = tuple(held)  # type: ignore[assignment]
        if "leaf_value" in node:
            rows.append((-1, 0.0, 0, 0, False, float(node["leaf_value"]), float(node.get("leaf_count", 1))))
            continue
        rows.append(_branch(node))
        waiting += [(node["right_child"], place, 1), (node["left_child"], place, 0)]


def _branch(node: dict[str, Any]) -> Row:
    kind, missing = node["decision_type"], node["missing_type"]
    if kind != "<=" or missing not in ("None", "NaN"):
        raise ModelError(f"found a node that asks {kind!r} with missing type {missing!r}, expected '<=' and NaN")
    threshold = _flattened(float(node["threshold"]))
    # Where a feature was always known in training, LightGBM reads a missing value as zero.
    left = bool(node["default_left"]) if missing == "NaN" else threshold >= 0.0
    return int(node["split_feature"]), threshold, 0, 0, left, 0.0, float(node["internal_count"])


def _flattened(threshold: float) -> float:
    """The threshold as values meet it: LightGBM reads values as small as `ZERO` as zero before it asks."""
    if not abs(threshold) <= ZERO:
        return threshold
    return ZERO if threshold >= 0 else float(np.nextafter(np.float32(-ZERO), np.float32(-np.inf)))


def average(several: list[Trees]) -> Trees:
    """One ensemble that gives the mean of several. What each gives on average over training rows goes to the base."""
    starts = np.cumsum([0, *(one.feature.size for one in several)])
    shifted = [_centred(one) for one in several]
    share = np.float32(1.0 / len(several))

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(one, name) for one in shifted])

    def placed(name: str) -> NDArray[np.int32]:
        return np.concatenate(
            [getattr(one, name) + np.int32(start) for one, start in zip(shifted, starts[:-1], strict=True)]
        )

    roots = np.concatenate([one.roots + start for one, start in zip(shifted, starts[:-1], strict=True)])
    return Trees(
        joined("feature"), joined("threshold"), placed("left"), placed("right"), joined("missing_left"),
        joined("value") * share, joined("cover"), roots,
        (joined("base").sum(keepdims=True) * share).astype(np.float32),
    )  # fmt: skip


def _centred(one: Trees) -> Trees:
    """The same ensemble with the mean of its first tree, which holds the prevalence, moved to the base."""
    first = slice(0, int(one.roots[1]) if one.roots.size > 1 else one.feature.size)
    leaf = one.feature[first] < 0
    mean = np.float32(np.average(one.value[first][leaf], weights=one.cover[first][leaf]))
    value = one.value.copy()
    value[first][leaf] -= mean
    return Trees(
        one.feature, one.threshold, one.left, one.right, one.missing_left, value, one.cover, one.roots,
        one.base + mean,
    )  # fmt: skip
