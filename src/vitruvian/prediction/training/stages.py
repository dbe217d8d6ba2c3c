"""Fitting the members of a recipe, each a stage that is kept: a killed run takes up where it was.

A stage is known by a digest of all that went into it, so that other data, features or settings are fitted anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.families.base import Goal, MemberFile
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.recipes.base import Plan

__all__ = ["WORK", "Done", "Known", "fit_member", "stage_digest"]

WORK: Final = ".work"  # inside the model's folder; removed when all is done
PARITY_ROWS: Final = 20_000
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Done:
    """A fitted member: its file in the bundle, and its uncalibrated logits (N,), NaN on rows that are not scored."""

    file: MemberFile
    logit: NDArray[np.float64]


class Known:
    """A table known by digests: each column by its own, so that a member is fitted anew only where what it reads, or
    the rows themselves, changed.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._columns: dict[str, bytes] = {}
        told = hashlib.blake2b(digest_size=16)
        for name in ("running", "closed", "patient", "hour", "label", "scored"):
            told.update(np.ascontiguousarray(getattr(table, name)).data)
        self._rows = told.digest()

    def of(self, features: tuple[str, ...]) -> str:
        """A digest of everything that a fit on these columns reads."""
        told = hashlib.blake2b(self._rows, digest_size=16)
        for name, place in zip(features, self._table.columns(features).tolist(), strict=True):
            if name not in self._columns:
                column = np.ascontiguousarray(self._table.values[:, place])
                self._columns[name] = hashlib.blake2b(column.data, digest_size=16).digest()
            told.update(self._columns[name])
        return told.hexdigest()


def fit_member(
    plan: Plan, table: Table, known: Known, goal: Goal, rows: NDArray[np.int64], out: Path, seed: int, say: Say
) -> Done:
    """Fit a member and write its graphs to `out`, or take up what an earlier run left there.

    `known`: the table's digests; `rows`: those whose logits are wanted.
    """
    work = out / WORK
    work.mkdir(parents=True, exist_ok=True)
    digest = stage_digest(plan, known, goal, rows, seed)
    kept = _taken_up(work, plan.name, digest)
    if kept is not None:
        say(f"{plan.name}: taken up from an earlier run")
        return kept
    fitted = plan.family.fit(table, plan.features, goal, seed=seed, say=say, kept=work / f"{plan.name}.{digest}.fit")
    logit = np.full(table.patient.size, np.nan)
    logit[rows] = fitted.logit(table, rows)
    random = np.random.default_rng(seed)
    asked = np.sort(random.choice(rows, min(PARITY_ROWS, rows.size), replace=False))
    done = Done(fitted.save(out, plan.name, table, asked), logit)
    np.save(work / f"{plan.name}.npy", logit)
    told = json.dumps({"digest": digest, "file": done.file.as_json()}, allow_nan=False)
    (work / f"{plan.name}.json").write_text(told, "utf-8")  # last: its presence says that the stage is whole
    return done


def stage_digest(plan: Plan, known: Known, goal: Goal, rows: NDArray[np.int64], seed: int) -> str:
    """A digest of all that goes into a fit and the logits of `rows`."""
    what = f"{plan.name}|{plan.family!r}|{plan.features}|{known.of(plan.features)}|{seed}"
    told = hashlib.blake2b(what.encode(), digest_size=16)
    for column in (goal.target, goal.weight, goal.train, goal.valid, rows):
        told.update(np.ascontiguousarray(column).data)
    return told.hexdigest()


def _taken_up(work: Path, name: str, digest: str) -> Done | None:
    try:
        told: dict[str, Any] = json.loads((work / f"{name}.json").read_text("utf-8"))
        logit = np.load(work / f"{name}.npy", allow_pickle=False)
    except (OSError, ValueError):
        return None
    if told.get("digest") != digest or not (work.parent / f"{name}.onnx").is_file():
        return None
    file = told["file"] | {"features": tuple(told["file"]["features"])}
    return Done(MemberFile(**file), logit)
