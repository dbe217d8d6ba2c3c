"""Serve the learned sepsis risk: features in, columns of risk out. Needs nothing that trains, only ONNX Runtime."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.signals.features import FEATURES, PRACTICE_FEATURES

SHIPPED: Final = Path(__file__).resolve().parent / "model"
BLOCK: Final = 128  # rows the graph sees at once: its intermediate columns then stay in the processor's cache

ADULT_YEARS: Final = 18.0
# At least this many of these must be fresh, else nothing is said.
VITALS_MIN: Final = 3
REQUIRED: Final[tuple[tuple[str, ...], ...]] = (
    ("heart_rate",),
    ("respiratory_rate",),
    ("oxygen_saturation",),
    ("systolic_pressure", "mean_pressure"),
    ("body_temperature",),
)
SUFFICIENT: Final = 0
TOO_FEW_VITALS: Final = 1
NOT_ADULT: Final = 2
REASONS: Final[tuple[str, ...]] = (
    "",
    f"insufficient data: fewer than {VITALS_MIN} of heart rate, respiratory rate, oxygen saturation, blood pressure and"
    " temperature are recent",
    f"outside intended use: made for adults, {ADULT_YEARS:.0f} years or older",
)


@dataclass(frozen=True, slots=True)
class RiskColumns:
    """The risk of n patients.

    `probability`, `low`, `high` (n,) f8: the calibrated probability and its 95 % interval; NaN where nothing may
    be said.
    `reason` (n,) u1: index into `REASONS`, 0 where all is well. `contributions` (n, F) f4 by `names`: the log-odds that
    each feature adds to those of a patient at the training medians (NaN likewise).

    The interval is the model's own uncertainty (which patients it happened to be trained on). It does not say how
    surely one patient will or will not have sepsis.
    """

    names: tuple[str, ...]
    probability: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    reason: NDArray[np.uint8]
    contributions: NDArray[np.float32]

    @property
    def insufficient(self) -> NDArray[np.bool_]:
        """(n,) where nothing may be said."""
        silent: NDArray[np.bool_] = self.reason != SUFFICIENT
        return silent

    def why(self, row: int) -> str:
        """Why nothing is said of a row; empty where a risk is."""
        return REASONS[int(self.reason[row])]


class SepsisModel:
    """A trained risk of sepsis. `card` tells target, horizon, version, threshold, intended use and its figures."""

    def __init__(self, session: Any, card: Mapping[str, Any]) -> None:
        self._session = session
        self.card = card
        self.names: tuple[str, ...] = tuple(card["features"])
        self.version: str = card["version"]
        self.threshold: float = card["threshold"]
        self.horizon_h: float = card["horizon_h"]
        self.prevalence: float = card["prevalence"]

    @classmethod
    def load(cls, path: Path | None = None) -> SepsisModel:
        """The model of a folder (`model.onnx`, `card.json`), or the shipped one. Raises ModelError for a bad one."""
        import onnxruntime

        folder = SHIPPED if path is None else Path(path)
        try:
            card = json.loads((folder / "card.json").read_text("utf-8"))
            graph = (folder / "model.onnx").read_bytes()
        except (OSError, ValueError) as error:
            raise ModelError(
                f"found no model in {folder} ({error}), expected model.onnx and card.json; train one"
            ) from None
        unknown = sorted(set(card.get("features", ())) - {*FEATURES, *PRACTICE_FEATURES})
        if card.get("model") != "sepsis" or unknown:
            raise ModelError(
                f"found a model {card.get('model')!r} in {folder} with features {', '.join(unknown) or '(all known)'},"
                " expected a sepsis model of this version's features; train it again"
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # a ward has other work; ten thousand patients take milliseconds
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ModelError(
                f"found {folder / 'model.onnx'}, which ONNX Runtime refuses ({error}); train it again"
            ) from None
        return cls(session, card)

    def predict(self, values: NDArray[np.float32], names: tuple[str, ...] = FEATURES) -> RiskColumns:
        """The risk of n patients from features (n, len(names)), as `signals.features.features` makes them.

        Raises ModelError where a feature of the model is not among `names`.
        """
        if values.ndim != 2 or values.shape[1] != len(names):
            raise ModelError(f"found features of shape {values.shape}, expected (n, {len(names)}), one column a name")
        reason = reasons(values, names)
        probability, low, high, contributions = self.run(values, names)
        for column in (probability, low, high, contributions):
            column[reason != SUFFICIENT] = np.nan
        return RiskColumns(self.names, probability, low, high, reason, contributions)

    def run(self, values: NDArray[np.float32], names: tuple[str, ...]) -> tuple[NDArray[Any], ...]:
        """Probability, low, high (n,) f8 and contributions (n, F) f4 of every row, whether or not enough is known."""
        places = {name: place for place, name in enumerate(names)}
        try:
            columns = np.array([places[name] for name in self.names])
        except KeyError as error:
            raise ModelError(
                f"found no feature {error}, which the model needs; make features of this version"
            ) from None
        rows = values.shape[0]
        thin = np.empty((3, rows))
        contributions = np.empty((rows, len(self.names)), np.float32)
        for start in range(0, rows, BLOCK):
            part = slice(start, start + BLOCK)
            *three, wide = self._session.run(None, {"features": np.take(values[part], columns, axis=1)})
            thin[:, part] = three
            contributions[part] = wide
        return thin[0], thin[1], thin[2], contributions


def reasons(values: NDArray[np.float32], names: tuple[str, ...]) -> NDArray[np.uint8]:
    """Why nothing may be said of each row (n,) u1, an index into `REASONS`; outside the intended use comes first.

    An unknown age is taken as an adult's: monitors often send no demographics, and the card says so.
    """
    places = {name: place for place, name in enumerate(names)}
    known = np.zeros(values.shape[0], np.int64)
    for alternatives in REQUIRED:
        known += np.any([~np.isnan(values[:, places[name]]) for name in alternatives], axis=0)
    reason = np.where(known < VITALS_MIN, TOO_FEW_VITALS, SUFFICIENT)
    return np.where(values[:, places["age_years"]] < ADULT_YEARS, NOT_ADULT, reason).astype(np.uint8)
