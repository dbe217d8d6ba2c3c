"""A random forest (scikit-learn) as a family, small enough to ship.

Gaps are filled with the training median inside the graph. The mean of the trees is drawn a little towards the
prevalence, so that its log-odds are finite where every tree says never.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.families.base import Goal, MemberFile, Say
from vitruvian.prediction.families.rows.graph import BLOCK, Node, measure_parity, model_bytes, rows_of
from vitruvian.prediction.families.rows.trees import SUFFIX, Trees, at_most
from vitruvian.prediction.inputs.table import Table

__all__ = ["FittedForest", "Forest", "ForestFamily"]

QUANTILE_ROWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Forest:
    """`trees` of at most `leaves` leaves with at least `leaf_rows_min` rows each, each tree on a share of rows drawn
    with replacement, each split among a share of the features. `shrink`: how far the mean is drawn to the prevalence.
    """

    trees: int = 100
    leaves: int = 220
    leaf_rows_min: int = 60
    row_share: float = 0.15
    feature_share: float = 0.08
    shrink: float = 0.01
    most_bytes: int = 1_572_864


@dataclass(frozen=True, slots=True)
class ForestFamily:
    """Fits the forest."""

    settings: Forest = Forest()
    name: str = "forest"

    def fit(
        self, table: Table, features: tuple[str, ...], goal: Goal, *, seed: int, say: Say, kept: Path | None = None
    ) -> FittedForest:
        """Fit on `goal.train`. Raises ModelError where all targets are equal or no feature is known."""
        from sklearn.ensemble import RandomForestRegressor

        del kept  # done in minutes
        one, target, weight = self.settings, goal.target[goal.train], goal.weight[goal.train]
        if not target.size or target.min() == target.max():
            raise ModelError("found training rows of one outcome only, expected both; give more patients")
        values = rows_of(table, goal.train, features)
        median = _medians(values)
        known = np.flatnonzero(~np.isnan(median))
        if not known.size:
            raise ModelError("found no feature that is known in the training data; give other data or features")
        # Squared error of outcomes 0 and 1 is half of Gini's impurity, so these are a classifier's trees; targets in
        # between are understood as well.
        engine = RandomForestRegressor(
            n_estimators=one.trees,
            max_leaf_nodes=one.leaves,
            min_samples_leaf=one.leaf_rows_min,
            max_samples=min(1.0, one.row_share),
            max_features=one.feature_share,
            random_state=seed,
            n_jobs=1,
        )
        filled = np.where(np.isnan(values[:, known]), median[known], values[:, known])
        del values
        engine.fit(filled, target, sample_weight=weight)
        trees = _trees(engine)
        say(f"forest: {one.trees} trees, {trees.feature.size:,} nodes, {filled.shape[0]:,} rows")
        names = tuple(features[place] for place in known)
        return FittedForest(engine, names, median[known], float(np.average(target, weights=weight)), trees, one)


def _medians(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Medians of the known values, (F,), NaN where none is."""
    some = values[:: max(1, values.shape[0] // QUANTILE_ROWS)]
    median = np.full(values.shape[1], np.nan, np.float32)
    for place in range(values.shape[1]):
        known = some[:, place][~np.isnan(some[:, place])]
        if known.size:
            median[place] = np.median(known)
    return median


def _trees(engine: Any) -> Trees:
    """The forest's trees; leaves hold a share of the mean each."""
    count = len(engine.estimators_)
    parts: list[list[NDArray[Any]]] = []
    roots, start = [], 0
    for one in (each.tree_ for each in engine.estimators_):
        leaf = one.children_left < 0
        roots.append(start)
        parts.append(
            [
                np.where(leaf, -1, one.feature),
                np.where(leaf, 0.0, one.threshold),
                np.where(leaf, 0, one.children_left + start),
                np.where(leaf, 0, one.children_right + start),
                np.where(leaf, one.value[:, 0, 0] / count, 0.0),
                one.weighted_n_node_samples,
            ]
        )
        start += one.node_count
    feature, threshold, left, right, value, cover = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Trees(
        feature.astype(np.int32),
        at_most(threshold.astype(np.float64)),
        left.astype(np.int32),
        right.astype(np.int32),
        np.zeros(feature.size, np.bool_),  # gaps are filled before
        value.astype(np.float32),
        cover.astype(np.float32),
        np.array(roots, np.int64),
        np.zeros(1, np.float32),
    )


@dataclass(frozen=True, slots=True)
class FittedForest:
    """A fitted forest. `median` (F,) fills gaps; `prevalence` is what the mean is drawn to."""

    engine: Any
    features: tuple[str, ...]
    median: NDArray[np.float32]
    prevalence: float
    trees: Trees
    settings: Forest

    def logit(self, table: Table, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The uncalibrated log-odds of these rows by scikit-learn itself, (n,)."""
        out = np.empty(rows.size)
        for start in range(0, rows.size, BLOCK):
            out[start : start + BLOCK] = self._logit(rows_of(table, rows[start : start + BLOCK], self.features))
        return out

    def _logit(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        mean = self.engine.predict(np.where(np.isnan(values), self.median, values))
        shrunk = (1.0 - self.settings.shrink) * mean + self.settings.shrink * self.prevalence
        logit: NDArray[np.float64] = np.log(shrunk) - np.log1p(-shrunk)
        return logit

    def save(self, folder: Path, name: str, table: Table, rows: NDArray[np.int64]) -> MemberFile:
        """Write NAME.onnx, and NAME.trees.npz for the reasons. Raises ModelError where the graph is too large."""
        path = folder / f"{name}.onnx"
        graph = self.to_onnx(name)
        if len(graph) > self.settings.most_bytes:
            raise ModelError(
                f"found a graph of {len(graph):,} bytes, expected at most {self.settings.most_bytes:,}; fewer trees or"
                " leaves"
            )
        path.write_bytes(graph)
        self.trees.save(folder / f"{name}{SUFFIX}")
        worst, count = measure_parity(path, self.features, self._logit, table, rows)
        settings = asdict(self.settings) | {"prevalence": self.prevalence, "medians": [float(m) for m in self.median]}
        return MemberFile(name, "row", self.features, 0, {"family": "forest", **settings}, worst, count)

    def to_onnx(self, name: str) -> bytes:
        """The serialised graph."""
        steps = [
            Node("IsNaN", ["features"], "absent", {}),
            Node("Where", ["absent", "median", "features"], "filled", {}),
            *self.trees.steps("filled", "total"),
            Node("Squeeze", ["total", "columns"], "mean", {}),
            Node("Mul", ["mean", "kept"], "part", {}),
            Node("Add", ["part", "drawn"], "probability", {}),
            Node("Sub", ["one", "probability"], "other", {}),
            Node("Log", ["probability"], "log_probability", {}),
            Node("Log", ["other"], "log_other", {}),
            Node("Sub", ["log_probability", "log_other"], "logit", {}),
        ]
        shrink = self.settings.shrink
        constants = {
            "median": self.median,
            "kept": np.float32(1.0 - shrink),
            "drawn": np.float32(shrink * self.prevalence),
            "one": np.float32(1.0),
            "columns": np.array([1], np.int64),
        }
        return model_bytes(name, len(self.features), steps, constants, {"logit": None})
