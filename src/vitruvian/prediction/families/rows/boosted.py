"""Gradient boosted trees (LightGBM) as a family: several seeds averaged in one graph, constraints by feature name.

One thread, deterministic: the same seed and data give the same trees on one processor family.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError, ModelError
from vitruvian.prediction.families.base import Goal, MemberFile, Say
from vitruvian.prediction.families.rows.booster import average, trees_of
from vitruvian.prediction.families.rows.graph import Node, measure_parity, model_bytes, rows_of
from vitruvian.prediction.families.rows.trees import SUFFIX, Trees
from vitruvian.prediction.inputs.table import Table

__all__ = ["Boosted", "BoostedFamily", "FittedBoosted"]

_EVERY: Final = 100  # rounds between two lines of progress


@dataclass(frozen=True, slots=True)
class Boosted:
    """How trees are grown (names as LightGBM's where they mean the same).

    `rounds`: at most so many trees a seed; fewer where `stop_by` on `goal.valid` has not improved for `patience`
    (0: never stop early). `row_share`: of rows, drawn anew for each tree. `patient_share`: of whole patients, drawn
    once a seed, so that seeds differ by whom they saw (LightGBM's own bagging by group leaves its scores wrong).
    `monotone`: feature -> 1 (risk never falls as it rises) or -1; names that are not among the features are ignored,
    since variants leave some out. `additive`: each tree asks about one feature only (a generalised additive model).
    `seeds`: models with different draws, averaged. `most_bytes`: a larger graph is refused.
    """

    rounds: int = 1500
    patience: int = 75
    stop_by: Literal["logloss", "auc"] = "logloss"
    learning_rate: float = 0.03
    leaves: int = 15
    depth: int = -1
    leaf_rows_min: int = 400
    l2: float = 20.0
    gain_min: float = 0.0
    path_smooth: float = 0.0
    feature_share: float = 0.4
    node_feature_share: float = 1.0
    row_share: float = 0.6
    patient_share: float = 1.0
    bins: int = 63
    extra: bool = False
    additive: bool = False
    monotone: Mapping[str, int] = field(default_factory=dict)
    seeds: int = 1
    most_bytes: int = 8_000_000

    def parameters(self, features: tuple[str, ...], seed: int, *, soft: bool) -> dict[str, Any]:
        """LightGBM's parameters. Raises ConfigurationError for a direction other than -1, 0 and 1."""
        wrong = {name: sign for name, sign in self.monotone.items() if sign not in (-1, 0, 1)}
        if wrong:
            raise ConfigurationError(f"found monotone directions {wrong}, expected 1 (rising), -1 (falling) or 0")
        told: dict[str, Any] = {
            "objective": "cross_entropy" if soft else "binary",
            "metric": "auc" if self.stop_by == "auc" else ("cross_entropy" if soft else "binary_logloss"),
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "max_depth": self.depth,
            "min_data_in_leaf": self.leaf_rows_min,
            "lambda_l2": self.l2,
            "min_gain_to_split": self.gain_min,
            "path_smooth": self.path_smooth,
            "feature_fraction": self.feature_share,
            "feature_fraction_bynode": self.node_feature_share,
            "bagging_fraction": self.row_share,
            "bagging_freq": 1 if self.row_share < 1 else 0,
            "extra_trees": self.extra,
            "max_bin": self.bins,
            "seed": seed,
            "num_threads": 1,
            "deterministic": True,
            "force_col_wise": True,
            "verbosity": -1,
        }
        signs = [int(self.monotone.get(name, 0)) for name in features]
        if any(signs):
            told |= {"monotone_constraints": signs, "monotone_constraints_method": "intermediate"}
        if self.additive:
            told["interaction_constraints"] = [[place] for place in range(len(features))]
        return told


@dataclass(frozen=True, slots=True)
class BoostedFamily:
    """Fits the trees."""

    settings: Boosted = Boosted()
    name: str = "boosted"

    def fit(
        self, table: Table, features: tuple[str, ...], goal: Goal, *, seed: int, say: Say, kept: Path | None = None
    ) -> FittedBoosted:
        """Fit on `goal.train`. Seeds that were finished are taken from `kept` where it was left by the same fit.

        Raises ModelError where all targets are equal, or where it shall stop early and nothing tells when.
        """
        one = self.settings
        target = goal.target[goal.train]
        if not target.size or target.min() == target.max():
            raise ModelError("found training rows of one outcome only, expected both; give more patients")
        if one.patience and not goal.valid.size:
            raise ModelError("found no rows to stop by, expected goal.valid; give some, or set patience=0")
        mark = _mark(one, features, goal, seed, table)
        texts = _resumed(kept, mark)[: one.seeds]
        if len(texts) < one.seeds:
            sets = _Sets(table, features, goal, one)
            for number in range(len(texts), one.seeds):
                texts.append(sets.fit(1_000 * seed + number, say, f"boosted, seed {number + 1} of {one.seeds}"))
                _keep(kept, mark, texts)
        return FittedBoosted.of(texts, features, one)


def _soft(goal: Goal) -> bool:
    target = goal.target[goal.train]
    return bool(((target > 0) & (target < 1)).any())


class _Sets:
    """The data of a fit, binned once for all seeds."""

    def __init__(self, table: Table, features: tuple[str, ...], goal: Goal, settings: Boosted) -> None:
        self._settings, self._features, self._soft = settings, features, _soft(goal)
        rows = np.sort(goal.train)
        self._train, self._patient = self._set(table, goal, rows, None), table.patient[rows]
        self._valid = self._set(table, goal, np.sort(goal.valid), self._train) if settings.patience else None

    def _set(self, table: Table, goal: Goal, rows: NDArray[np.int64], like: Any) -> Any:
        import lightgbm

        label = goal.target[rows] if self._soft else (goal.target[rows] > 0.5).astype(np.float64)
        made = lightgbm.Dataset(
            rows_of(table, rows, self._features),
            label,
            weight=goal.weight[rows],
            reference=like,
            free_raw_data=True,
            params={
                "max_bin": self._settings.bins, "num_threads": 1, "verbosity": -1, "force_col_wise": True,
                "min_data_in_leaf": self._settings.leaf_rows_min, "feature_pre_filter": False,
            },
        )  # fmt: skip
        made.construct()
        return made

    def _drawn(self, seed: int) -> Any:
        """The rows of a share of the patients, binned as the whole."""
        share = self._settings.patient_share
        if share >= 1:
            return self._train
        everyone = np.unique(self._patient)
        count = max(1, round(share * everyone.size))
        some = np.random.default_rng(seed).choice(everyone, count, replace=False)
        return self._train.subset(np.flatnonzero(np.isin(self._patient, some)).tolist())

    def fit(self, seed: int, say: Say, what: str) -> str:
        """One booster, as LightGBM's text."""
        import lightgbm

        calls: list[Any] = [_progress(say, what)]
        if self._settings.patience:
            calls.append(lightgbm.early_stopping(self._settings.patience, first_metric_only=True, verbose=False))
        booster = lightgbm.train(
            self._settings.parameters(self._features, seed, soft=self._soft),
            self._drawn(seed),
            num_boost_round=self._settings.rounds,
            valid_sets=[self._valid] if self._valid is not None else None,
            callbacks=calls,
        )
        rounds = booster.best_iteration if self._settings.patience else booster.current_iteration()
        say(f"{what}: {rounds} trees")
        return str(booster.model_to_string(num_iteration=rounds))


def _progress(say: Say, what: str) -> Any:
    def tell(env: Any) -> None:
        if (env.iteration + 1) % _EVERY == 0:
            told = ", ".join(f"{name} {value:.4f}" for _, name, value, *_ in env.evaluation_result_list or [])
            say(f"{what}: {env.iteration + 1} trees {told}")

    return tell


def _mark(settings: Boosted, features: tuple[str, ...], goal: Goal, seed: int, table: Table) -> str:
    """What must be equal for a kept fit to be this one."""
    digest = blake2b(digest_size=12)
    digest.update(json.dumps([asdict(settings) | {"seeds": 0}, features, seed], default=dict).encode())
    for column in (goal.train, goal.valid, goal.target[goal.train], goal.weight[goal.train]):
        digest.update(np.ascontiguousarray(column).tobytes())
    digest.update(rows_of(table, goal.train[:: max(1, goal.train.size // 1_000)], features).tobytes())
    return digest.hexdigest()


def _resumed(kept: Path | None, mark: str) -> list[str]:
    if kept is None or not kept.exists():
        return []
    held = json.loads(kept.read_text("utf-8"))
    return list(held["models"]) if held.get("mark") == mark else []


def _keep(kept: Path | None, mark: str, texts: list[str]) -> None:
    if kept is None:
        return
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(".partial")
    partial.write_text(json.dumps({"mark": mark, "models": texts}), "utf-8")
    partial.replace(kept)  # whole or not at all


@dataclass(frozen=True, slots=True)
class FittedBoosted:
    """Fitted trees: `texts` as LightGBM writes them, on `given` features, of which `features` are used."""

    texts: tuple[str, ...]
    given: tuple[str, ...]
    features: tuple[str, ...]
    trees: Trees
    settings: Boosted

    @classmethod
    def of(cls, texts: list[str], given: tuple[str, ...], settings: Boosted) -> FittedBoosted:
        """From boosters' texts. Raises ModelError where no tree asks anything: nothing was learned."""
        import lightgbm

        boosters = [lightgbm.Booster(model_str=text) for text in texts]
        trees = average([trees_of(one, one.current_iteration()) for one in boosters])
        if not trees.used.size:
            raise ModelError("found trees that ask nothing, expected some split; give more patients or smaller leaves")
        features = tuple(given[place] for place in trees.used)
        return cls(tuple(texts), given, features, trees.of(trees.used), settings)

    def logit(self, table: Table, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The uncalibrated log-odds of these rows by LightGBM itself, (n,)."""
        return self._engine()(rows_of(table, rows, self.features))

    def _engine(self) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
        import lightgbm

        boosters = [lightgbm.Booster(model_str=text) for text in self.texts]
        places = [self.given.index(name) for name in self.features]

        def logit(values: NDArray[np.float32]) -> NDArray[np.float64]:
            wide = np.zeros((values.shape[0], len(self.given)), np.float32)
            wide[:, places] = values
            several = [one.predict(wide, raw_score=True, num_threads=1) for one in boosters]
            mean: NDArray[np.float64] = np.mean(several, axis=0)
            return mean

        return logit

    def save(self, folder: Path, name: str, table: Table, rows: NDArray[np.int64]) -> MemberFile:
        """Write NAME.onnx, and NAME.trees.npz for the reasons."""
        path = folder / f"{name}.onnx"
        graph = self.to_onnx(name)
        if len(graph) > self.settings.most_bytes:
            raise ModelError(
                f"found a graph of {len(graph):,} bytes, expected at most {self.settings.most_bytes:,}; fewer rounds,"
                " leaves or seeds"
            )
        path.write_bytes(graph)
        self.trees.save(folder / f"{name}{SUFFIX}")
        worst, count = measure_parity(path, self.features, self._engine(), table, rows)
        settings = asdict(self.settings) | {"monotone": dict(self.settings.monotone)}
        grown = {"family": "boosted", "trees": int(self.trees.roots.size), "nodes": int(self.trees.feature.size)}
        return MemberFile(name, "row", self.features, 0, grown | settings, worst, count)

    def to_onnx(self, name: str) -> bytes:
        """The serialised graph."""
        steps = [
            *self.trees.steps("features", "total"),
            Node("Squeeze", ["total", "columns"], "logit", {}),
        ]
        return model_bytes(name, len(self.features), steps, {"columns": np.array([1], np.int64)}, {"logit": None})
