"""Ensembles of trees as flat arrays: what forests and boosted trees become, as a graph and for their reasons.

A row goes left where its value is at most the threshold, or is missing and the node sends missing values left.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.families.rows.graph import Node

__all__ = ["SUFFIX", "Trees", "at_most"]

SUFFIX: Final = ".trees.npz"  # beside NAME.onnx; read only where reasons are asked for
CHUNK: Final = 64  # trees summed at once: single precision stays exact to 1e-6 over thousands of trees
_COLUMNS: Final = ("feature", "threshold", "left", "right", "missing_left", "value", "cover", "roots", "base")


@dataclass(frozen=True, slots=True)
class Trees:
    """M nodes of T trees, each tree's nodes together, its root first.

    (M,) each: `feature` i4, -1 at a leaf; `threshold` f4; `left`, `right` i4, places of the children; `missing_left`
    bool; `value` f4 of a leaf; `cover` f4, training rows that reached the node. `roots` (T,) i8. `base` f4 (1,) is
    added to the sum of the leaves.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    missing_left: NDArray[np.bool_]
    value: NDArray[np.float32]
    cover: NDArray[np.float32]
    roots: NDArray[np.int64]
    base: NDArray[np.float32]

    @property
    def used(self) -> NDArray[np.int64]:
        """Features that some node asks about, rising."""
        return np.unique(self.feature[self.feature >= 0]).astype(np.int64)

    def of(self, features: NDArray[np.int64]) -> Trees:
        """The same trees on some of the features only (numbers, rising), which must hold all that are used."""
        number = np.searchsorted(features, np.maximum(self.feature, 0)).astype(np.int32)
        feature = np.where(self.feature < 0, np.int32(-1), number)
        return Trees(
            feature, self.threshold, self.left, self.right, self.missing_left, self.value, self.cover, self.roots,
            self.base,
        )  # fmt: skip

    def save(self, path: Path) -> None:
        """Write them beside the graph."""
        np.savez_compressed(path, **{name: getattr(self, name) for name in _COLUMNS})

    @classmethod
    def load(cls, path: Path) -> Trees:
        """Read what `save` wrote. Raises ModelError for anything else."""
        try:
            with np.load(path, allow_pickle=False) as kept:
                return cls(**{name: kept[name] for name in _COLUMNS})
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(
                f"found no trees at {path} ({error}), expected the file that training leaves; copy the folder whole"
            ) from None

    def steps(self, features: str, total: str) -> list[Node]:
        """The operators from `features` (N, F) to the sum of the leaves and the base, `total` (N, 1)."""
        ends = np.append(self.roots[1:], self.feature.size)
        chunks = range(0, self.roots.size, CHUNK)
        nodes = []
        for start in chunks:
            attributes = self._attributes(self.roots[start : start + CHUNK], ends[start : start + CHUNK])
            if start == 0:
                attributes["base_values"] = [float(self.base[0])]
            nodes.append(Node("TreeEnsembleRegressor", [features], f"{total}_{start}", attributes, "ai.onnx.ml"))
        return [*nodes, Node("Sum", [f"{total}_{start}" for start in chunks], total, {})]

    def _attributes(self, roots: NDArray[np.int64], ends: NDArray[np.int64]) -> dict[str, Any]:
        """Attributes of an ONNX TreeEnsembleRegressor of the trees that lie from `roots` to `ends`."""
        part = slice(int(roots[0]), int(ends[-1]))
        lengths = ends - roots
        tree = np.repeat(np.arange(roots.size), lengths)
        first = np.repeat(roots, lengths)
        number = np.arange(part.start, part.stop) - first
        leaf = self.feature[part] < 0
        missing = self.missing_left[part]
        sent = {"nodes_missing_value_tracks_true": missing.astype(np.int64).tolist()} if missing.any() else {}
        return sent | {
            "n_targets": 1,
            "nodes_treeids": tree.tolist(),
            "nodes_nodeids": number.tolist(),
            "nodes_featureids": np.maximum(self.feature[part], 0).tolist(),
            "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
            "nodes_values": self.threshold[part].tolist(),
            "nodes_truenodeids": np.where(leaf, 0, self.left[part] - first).tolist(),
            "nodes_falsenodeids": np.where(leaf, 0, self.right[part] - first).tolist(),
            "target_treeids": tree[leaf].tolist(),
            "target_nodeids": number[leaf].tolist(),
            "target_ids": [0] * int(leaf.sum()),
            "target_weights": self.value[part][leaf].tolist(),
        }


def at_most(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest single-precision numbers that are not above thresholds: the same values are at most either."""
    with np.errstate(over="ignore"):
        near = thresholds.astype(np.float32)
    above = near.astype(np.float64) > thresholds
    return np.where(above, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)
