"""Logistic regression on a basis of clipped lines and hinges, as a family; its contributions leave the graph with it.

A feature at the training median adds nothing, so a contribution is the difference from a patient at all medians.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.families.base import Goal, MemberFile, Say
from vitruvian.prediction.families.rows.basis import KNOTS, TERMS, Basis, fit_basis
from vitruvian.prediction.families.rows.graph import BLOCK, Node, measure_parity, model_bytes, rows_of
from vitruvian.prediction.families.rows.ridge import Logistic, fit_logistic
from vitruvian.prediction.inputs.table import Table

__all__ = ["FittedLogistic", "LogisticFamily", "LogisticSettings", "contribution_constants", "contribution_steps"]

TERM_OUTPUTS: Final = ("line", *(f"hinge_{k}" for k in range(len(KNOTS))), "missing")


@dataclass(frozen=True, slots=True)
class LogisticSettings:
    """`penalties`: strengths of the ridge; of several, the one with the least weighted log loss on `goal.valid`.
    `indicators`: whether being missing may have a term of its own (off: a gap reads as the median).
    """

    penalties: tuple[float, ...] = (3000.0,)
    indicators: bool = True


@dataclass(frozen=True, slots=True)
class LogisticFamily:
    """Fits the regression."""

    settings: LogisticSettings = LogisticSettings()
    name: str = "logistic"

    def fit(
        self, table: Table, features: tuple[str, ...], goal: Goal, *, seed: int, say: Say, kept: Path | None = None
    ) -> FittedLogistic:
        """Fit on `goal.train`; nothing is drawn, so `seed` does not matter. Raises ModelError where no feature is
        known, all targets are equal, or there is more than one penalty and nothing to choose by.
        """
        del seed, kept  # convex, and done in a minute
        target, weight = goal.target[goal.train], goal.weight[goal.train]
        if not target.size or not 0 < float(np.average(target, weights=weight)) < 1:
            raise ModelError("found training rows of one outcome only, expected both; give more patients")
        values = rows_of(table, goal.train, features)
        basis, used = fit_basis(values, features)
        if not self.settings.indicators:
            basis = replace(basis, indicated=np.zeros_like(basis.indicated))
        design = basis.expand(np.ascontiguousarray(values[:, used]))
        del values
        fits = [fit_logistic(design, target, weight, penalty) for penalty in self.settings.penalties]
        say(f"logistic: {design.shape[0]:,} rows, {len(basis.names)} features, {design.shape[1]} terms")
        chosen = _least(fits, basis, table, goal) if len(fits) > 1 else 0
        return FittedLogistic(basis, fits[chosen], self.settings, self.settings.penalties[chosen])


def _least(fits: list[Logistic], basis: Basis, table: Table, goal: Goal) -> int:
    """Which fit has the least weighted log loss on the patients kept to choose by."""
    if not goal.valid.size:
        raise ModelError("found several penalties and nothing to choose by, expected goal.valid; give one penalty")
    target, weight = goal.target[goal.valid], goal.weight[goal.valid]
    losses = []
    for one in fits:
        logit = _logit(basis, one, rows_of(table, goal.valid, basis.names))
        losses.append(float(np.average(np.logaddexp(0, logit) - target * logit, weights=weight)))
    return int(np.argmin(losses))


def _logit(basis: Basis, model: Logistic, values: NDArray[np.float32]) -> NDArray[np.float64]:
    """The log-odds in double precision, block by block."""
    out = np.empty(values.shape[0])
    for start in range(0, values.shape[0], BLOCK):
        design = basis.expand(values[start : start + BLOCK]).astype(np.float64)
        out[start : start + BLOCK] = design @ model.coefficients + model.intercept
    return out


@dataclass(frozen=True, slots=True)
class FittedLogistic:
    """A fitted regression. `penalty` is the one that was chosen."""

    basis: Basis
    model: Logistic
    settings: LogisticSettings
    penalty: float

    @property
    def features(self) -> tuple[str, ...]:
        """The features that are known and vary."""
        return self.basis.names

    def logit(self, table: Table, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The uncalibrated log-odds of these rows, (n,)."""
        return _logit(self.basis, self.model, rows_of(table, rows, self.features))

    def save(self, folder: Path, name: str, table: Table, rows: NDArray[np.int64]) -> MemberFile:
        """Write NAME.onnx with outputs `logit` (n,) and `contributions` (n, F), which sum to it less the intercept."""
        path = folder / f"{name}.onnx"
        path.write_bytes(self.to_onnx(name))
        worst, count = measure_parity(
            path, self.features, lambda values: _logit(self.basis, self.model, values), table, rows
        )
        settings = asdict(self.settings) | {"penalty": self.penalty, "base": self.model.intercept}
        settings["penalties"] = list(self.settings.penalties)
        return MemberFile(name, "row", self.features, 0, {"family": "logistic", **settings}, worst, count)

    def to_onnx(self, name: str) -> bytes:
        """The serialised graph."""
        count = len(self.features)
        steps = [
            *contribution_steps(),
            Node("ReduceSum", ["contributions", "columns"], "departure", {"keepdims": 0}),
            Node("Add", ["departure", "base"], "logit", {}),
        ]
        constants = contribution_constants(self.basis, self.model.coefficients) | {
            "base": np.float32(self.model.intercept),
            "columns": np.array([1], np.int64),
        }
        return model_bytes(name, count, steps, constants, {"logit": None, "contributions": count})


def contribution_steps() -> list[Node]:
    """The operators from `features` to `contributions` (N, F); the terms on the way are named by `TERM_OUTPUTS`.

    Every array stays two-dimensional, one column a feature, and scales are folded into the coefficients: that is four
    times as fast as the same sums over a third axis of terms.
    """
    steps = [
        Node("IsNaN", ["features"], "absent", {}),
        Node("Where", ["absent", "center", "features"], "filled", {}),
        Node("Max", ["filled", "low_limit"], "raised", {}),
        Node("Min", ["raised", "high_limit"], "clipped", {}),
        Node("Sub", ["clipped", "center"], "line", {}),
        Node("Cast", ["absent"], "missing", {"to": 1}),
    ]
    for k in range(len(KNOTS)):
        steps += [
            Node("Sub", ["clipped", f"knot_{k}"], f"beyond_{k}", {}),
            Node("Relu", [f"beyond_{k}"], f"hinge_{k}", {}),
        ]
    total = "contributions_at_median"
    for k, term in enumerate(TERM_OUTPUTS):
        output = "contributions" if term == "missing" else f"sum_{k}"
        steps += [
            Node("Mul", [term, f"coefficient_{k}"], f"part_{k}", {}),
            Node("Add", [f"part_{k}", total], output, {}),
        ]
        total = output
    return steps


def term_scale(basis: Basis) -> NDArray[np.float64]:
    """What each term of the basis is divided by, (F, TERMS)."""
    count = len(basis.names)
    scale = np.column_stack([np.tile(basis.scale[:, None], TERMS - 1), np.ones(count)]).astype(np.float64)
    scale[:, -1] = 1.0 / np.maximum(basis.indicated, 1e-30)  # no indicator: a coefficient of (almost) nothing
    return scale


def terms_at_median(basis: Basis) -> NDArray[np.float64]:
    """Where the terms stand at the training median, (F, TERMS)."""
    count = len(basis.names)
    return np.column_stack([np.zeros(count), basis.hinge_center, np.zeros(count)]).astype(np.float64)


def contribution_constants(basis: Basis, coefficients: NDArray[np.float64]) -> dict[str, Any]:
    """The constants that `contribution_steps` names; `coefficients` (F x TERMS,) of the expanded basis."""
    scaled = coefficients.reshape(len(basis.names), TERMS) / term_scale(basis)
    constants: dict[str, Any] = {
        "center": basis.center,
        "low_limit": basis.low,
        "high_limit": basis.high,
        "contributions_at_median": -(scaled * terms_at_median(basis)).sum(axis=1),
    }
    constants |= {f"knot_{k}": basis.knots[:, k] for k in range(len(KNOTS))}
    return constants | {f"coefficient_{k}": scaled[:, k] for k in range(TERMS)}
