"""Serve a bundle: features and hours in, columns of risk out. Needs nothing that trains, only ONNX Runtime.

predictor = Predictor.load(task="sepsis")
states = predictor.new_states()                     # live: carried states of whom is asked about again
risks = predictor.predict(values, names, window, states=states, keys=pids)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.inputs.blocks import is_practice, known_names
from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H
from vitruvian.prediction.inputs.table import Table, windows
from vitruvian.prediction.measure.platt import sigmoid
from vitruvian.prediction.serve.bundle import Bundle, shipped
from vitruvian.prediction.serve.columns import RiskColumns
from vitruvian.prediction.serve.combine import combined, curved, margin
from vitruvian.prediction.serve.gate import GATED, gate, lacking, reasons_of
from vitruvian.prediction.serve.members import Member
from vitruvian.prediction.serve.states import States
from vitruvian.prediction.tasks import task as task_of

__all__ = ["Predictor"]

Columns = NDArray[np.float32]
ROWS_AT_ONCE: Final = 8_192  # of a table: their hours take 6 MB


class Predictor:
    """One task's bundle, as it is served. Nothing changes after loading, so threads may share it; `States` they must
    not.

    `features`: what its members read; `needed`: what `predict` must be given, the gate's columns too. `windowed`:
    whether it reads hours. `served`: "VARIANT" or "VARIANT/MEMBER". `threshold`: of the variant's policy, else of
    prevalence.
    """

    def __init__(self, bundle: Bundle, served: str) -> None:
        told = bundle.told
        self.bundle, self.served = bundle, served
        self.task = task_of(told["task"])
        self.version: str = told["version"]
        self.horizon_h: float | None = told["horizon_h"]
        self.prevalence: float | None = told.get("prevalence")
        self.validated = bool(told["validated"]) and self.task.validated
        self.simulated = bool(told.get("simulated", False))
        self.reasons = reasons_of(self.task)
        variant, alone = _variant(told, served)
        rows = {row["name"]: row for row in told["members"]}
        loaded = {name: Member.load(bundle.folder, rows[name]) for name in variant["members"]}
        self.members = (loaded[alone],) if alone else tuple(loaded.values())
        self.explainer = _explainer((*self.members, *loaded.values()), bundle)
        self._weights = np.array([1.0] if alone else [float(variant["members"][name]) for name in loaded])
        self._slope = 1.0 if alone else float(variant["slope"])
        self._intercept = 0.0 if alone else float(variant["intercept"])
        self._curve = np.array([] if alone else variant.get("curve") or [], np.float64).reshape(-1, 2)
        if (np.diff(self._curve, axis=0) < 0).any():
            raise ValueError("its curve, whose knots do not rise")
        interval = variant.get("interval") or {}
        self._spread, self._floor = float(interval.get("spread", 1.0)), float(interval.get("floor", 0.0))
        self.policy: dict[str, Any] = dict(variant.get("policy") or {})
        self.threshold = float(self.policy.get("threshold", self.prevalence or 0.5))
        read = (*self.members, *([self.explainer] if self.explainer else []))
        self.features: tuple[str, ...] = tuple(dict.fromkeys(name for member in read for name in member.features))
        self.needed: tuple[str, ...] = tuple(dict.fromkeys((*self.features, *GATED)))
        self.windowed = any(member.kind != "row" for member in self.members)
        self.recurrent = any(member.kind == "recurrent" for member in self.members)

    @classmethod
    def load(cls, folder: Path | None = None, task: str = "sepsis", serves: str | None = None) -> Predictor:
        """The bundle of a folder, or the shipped one of a task; `serves` instead of what the bundle says it serves.

        Raises ModelError for a bad one, for one of another task, or one that reads features no block makes.
        """
        path = shipped(task_of(task).name) if folder is None else Path(folder)
        bundle = Bundle.read(path)
        try:
            made = cls(bundle, serves or str(bundle.told["serves"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f"found {path} whose bundle.json lacks or misstates {error}; train the model again"
            ) from None
        if made.task is not task_of(task):
            raise ModelError(f"found a model of {made.task.name} in {path}, expected {task}; give the folder of {task}")
        unknown = sorted(set(made.features) - set(known_names()))
        if unknown:
            raise ModelError(
                f"found {path} with features {', '.join(unknown[:5])}, which this version does not make; train it again"
            )
        return made

    def new_states(self) -> States:
        """An empty cache of carried states, for one thread that asks about the same patients again and again."""
        return States(self.members)

    def predict(
        self,
        values: Columns,
        names: Sequence[str],
        window: Columns | None = None,
        *,
        keys: NDArray[np.int64] | None = None,
        states: States | None = None,
        observed_h: NDArray[np.float64] | None = None,
    ) -> RiskColumns:
        """The risk of n patients, NaN where nothing may be said.

        `values` (n, len(names)) f4, NaN = missing, with every name of `needed`. `window` (n, CONTEXT_H, C): hourly
        means as `inputs.hours.window` gives them, where `windowed`. `keys` (n,) with `states`: whose rows these are, so
        that carried states are kept. `observed_h` (n,): hours since the first measurement. Raises ModelError where an
        input is absent or of another shape.
        """
        return self.score(values, names, window, keys=keys, states=states, observed_h=observed_h).silenced()

    def score(
        self,
        values: Columns,
        names: Sequence[str],
        window: Columns | None = None,
        *,
        keys: NDArray[np.int64] | None = None,
        states: States | None = None,
        observed_h: NDArray[np.float64] | None = None,
        explain: bool = True,
    ) -> RiskColumns:
        """As `predict`, with the numbers of every row, whether or not they may be shown; without `explain`, without
        contributions.
        """
        names, window = tuple(names), self._window(values, names, window)
        places = {name: place for place, name in enumerate(names)}
        absent = [name for name in self.needed if name not in places]
        if absent:
            raise ModelError(f"found no feature {absent[0]}, which the model needs; make features of this version")
        carried: dict[str, Columns] = {}
        if self.recurrent:
            assert window is not None
            if states is None or keys is None:
                carried = {one.name: one.carry(window[:, :-1]) for one in self.members if one.kind == "recurrent"}
            else:
                carried = states.of(keys, window)
        logits = np.empty((len(values), len(self.members)))
        parts: Columns | None = None
        for place, member in enumerate(self.members):
            taken = _taken(values, member.features, places)
            mine = explain and member is self.explainer
            logits[:, place], found = member.logit(taken, window, carried.get(member.name), explain=mine)
            parts = found if mine else parts
        explainer = self.explainer if explain else None
        if explainer is not None and parts is None:
            _, parts = explainer.logit(_taken(values, explainer.features, places), explain=True)
        return self._answer(
            logits, gate(self.task, values, names, observed_h), lacking(values, names), parts
        )  # fmt: skip

    def over(self, table: Table, rows: NDArray[np.int64] | None = None) -> RiskColumns:
        """The risk at rows of a table (by default all), as the ward would have told it, without contributions; numbers
        of every row, also where nothing may be said (`reason`). Raises ModelError where the table lacks what the model
        needs.
        """
        rows = np.arange(len(table.values)) if rows is None else rows
        parts = []
        for start in range(0, max(rows.size, 1), ROWS_AT_ONCE):
            part = rows[start : start + ROWS_AT_ONCE]
            window = windows(table, part) if self.windowed else None
            parts.append(self.score(table.values[part], table.names, window, explain=False))
        first = parts[0]

        def joined(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(part, name) for part in parts])

        return RiskColumns(
            joined("probability"), joined("low"), joined("high"), joined("reason"), first.reasons, first.members,
            joined("member_probability"), joined("missing"), first.explained, first.names, joined("contributions"),
        )  # fmt: skip

    def _window(self, values: Columns, names: Sequence[str], window: Columns | None) -> Columns | None:
        if values.ndim != 2 or values.shape[1] != len(names):
            raise ModelError(f"found features of shape {values.shape}, expected (n, {len(names)}), one column a name")
        expected = (len(values), CONTEXT_H, len(CHANNELS))
        if self.windowed and (window is None or window.shape != expected):
            found = None if window is None else window.shape
            raise ModelError(f"found hours of shape {found}, expected {expected}; make them with inputs.hours.window")
        return window

    def _answer(
        self,
        logits: NDArray[np.float64],
        reason: NDArray[np.uint8],
        missing: NDArray[np.bool_],
        parts: Columns | None,
    ) -> RiskColumns:
        logit = combined(logits, self._weights, self._slope, self._intercept)
        half = margin(logits, self._spread, self._floor)
        middle, low, high = (curved(one, self._curve) for one in (logit, logit - half, logit + half))
        told = self.explainer if parts is not None else None
        return RiskColumns(
            sigmoid(middle),
            sigmoid(low),
            sigmoid(high),
            reason,
            self.reasons,
            tuple(member.name for member in self.members),
            sigmoid(logits),
            missing,
            told.name if told else "",
            told.features if told else (),
            parts if parts is not None else np.empty((len(logit), 0), np.float32),
        )


def _explainer(members: Sequence[Member], bundle: Bundle) -> Member | None:
    """The first of these members that can say what moves it; else the bundle's logistic regression, as long as it reads
    nothing of how care is given that these do not read either.
    """
    for member in members:
        if member.explains:
            return member
    read = {name for member in members for name in member.features}
    for row in bundle.told["members"]:
        if row.get("settings", {}).get("family") != "logistic":
            continue
        if {name for name in row["features"] if is_practice(name)} <= read:
            found = Member.load(bundle.folder, row)
            return found if found.explains else None
    return None


def _variant(told: dict[str, Any], served: str) -> tuple[dict[str, Any], str]:
    """The variant that is served, and the member that is served alone (empty: all of them)."""
    name, _, alone = served.partition("/")
    variant = told["variants"].get(name)
    if variant is None or (alone and alone not in variant["members"]):
        known = [f"{one}/{member}" for one, row in told["variants"].items() for member in row["members"]]
        raise ModelError(f"found {served!r} to serve, expected one of {', '.join([*told['variants'], *known])}")
    return variant, alone


def _taken(values: Columns, names: tuple[str, ...], places: dict[str, int]) -> Columns:
    """The named columns, as one block of memory."""
    return np.ascontiguousarray(values[:, [places[name] for name in names]], np.float32)
