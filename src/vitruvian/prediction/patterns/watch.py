"""Serve the watch for what is unusual: windows of hours in, flags out. Needs only ONNX Runtime.

watch = Watch.load()
watched = watch.at(tracker, rows, now_us)
watched.of(0)          # [Unusual(channel="heart_rate", kind="jump", expected=82, low=70, high=95, found=131, ...)]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H, window
from vitruvian.prediction.patterns.baseline import own_day
from vitruvian.prediction.patterns.rule import Rule, flagged, probabilities
from vitruvian.prediction.patterns.scores import AHEAD_H, KINDS, OWN_H, RECENT_H, Scores, scores
from vitruvian.prediction.patterns.tails import GRID, from_json
from vitruvian.signals.tracker import Tracker

__all__ = ["SHIPPED", "TOGETHER", "Unusual", "Watch", "Watched"]

Columns = NDArray[np.float32]
SHIPPED: Final = Path(__file__).resolve().parent / "model"
TOGETHER: Final = "together"
BAND: Final = 0.05  # low to high holds all but this share of hours
_BLOCK: Final = 512


@dataclass(frozen=True, slots=True)
class Unusual:
    """A flag. `channel`: a vital sign, or "together"; `kind`: one of `scores.KINDS`, or "together". `expected`, `low`,
    `high`: what this hour was foretold to be and the 95 % band of it, `found`: what it is, in the vocabulary's unit (of
    the vital sign that departs most, where they are flagged together). `surprise`: -log10 of how rarely calibration
    patients' hours score so.
    """

    channel: str
    kind: str
    expected: float
    low: float
    high: float
    found: float
    surprise: float


@dataclass(frozen=True, slots=True)
class Watched:
    """Columns of n patients. `expected`, `low`, `high`, `found` (n, C) by `CHANNELS`, `found` NaN where the running
    hour has no value; `surprise` (n, KC + 1) and `flag` likewise, the K kinds of each vital sign and all together last.
    """

    expected: Columns
    low: Columns
    high: Columns
    found: Columns
    surprise: NDArray[np.float64]
    flag: NDArray[np.bool_]

    def of(self, row: int) -> list[Unusual]:
        """The flags of a patient, the rarest first."""
        flags = [self._one(row, int(place)) for place in np.flatnonzero(self.flag[row])]
        return sorted(flags, key=lambda flag: -flag.surprise)

    def _one(self, row: int, place: int) -> Unusual:
        channel, kind = divmod(place, len(KINDS))
        together = channel == len(CHANNELS)
        if together:
            apart = np.abs(self.found[row] - self.expected[row]) / (self.high[row] - self.low[row])
            channel = int(np.nanargmax(apart))
        expected, low, high, found = (
            float(column[row, channel]) for column in (self.expected, self.low, self.high, self.found)
        )
        name, of = (TOGETHER, TOGETHER) if together else (CHANNELS[channel], KINDS[kind])
        return Unusual(name, of, expected, low, high, found, float(self.surprise[row, place]))


class Watch:
    """A forecaster, its calibration and the rule. `card` says what it was made of."""

    def __init__(self, session: Any, card: Mapping[str, Any]) -> None:
        self._session, self.card = session, card
        limits = np.array([from_json(row) for row in card["limits"]])
        if limits.shape != (len(KINDS) * len(CHANNELS) + 1, GRID.size) or tuple(card["channels"]) != CHANNELS:
            raise ModelError(
                f"found limits of shape {limits.shape}, expected those of {len(CHANNELS)} vital signs; train it again"
            )
        self.rule = Rule(limits, float(card["level"]))
        self._spread = np.array(card["spread"], np.float32)
        band = int(np.flatnonzero(GRID == BAND)[0])
        self._half = limits[: -1 : len(KINDS), band].astype(np.float32)

    @classmethod
    def load(cls, folder: Path | None = None) -> Watch:
        """The watch of a folder (`forecaster.onnx`, `watch.json`), by default the shipped one. Raises ModelError."""
        import onnxruntime

        folder = SHIPPED if folder is None else Path(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            card = json.loads((folder / "watch.json").read_text("utf-8"))
            graph = (folder / "forecaster.onnx").read_bytes()
            session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
            return cls(session, card)
        except ModelError:
            raise
        except Exception as error:  # ONNX Runtime has no error of its own to name
            raise ModelError(
                f"found no watch in {folder} ({error}), expected forecaster.onnx and watch.json; train one"
            ) from None

    def at(self, tracker: Tracker, rows: NDArray[np.int64], now_us: int | NDArray[np.int64]) -> Watched:
        """What is unusual now of these rows (n,) of a tracker."""
        return self.watch(window(tracker, rows, now_us))

    def watch(self, hours: Columns) -> Watched:
        """The same of windows (n, CONTEXT_H, C), the running hour last."""
        found = hours[:, -RECENT_H:]
        expected, scale = self.foretold(hours)
        one = scores(found, expected, scale)
        half = self._half * scale[:, 0, -1]
        with np.errstate(divide="ignore"):
            surprise = -np.log10(probabilities(one, self.rule.limits))
        middle = expected[:, 0, -1]
        return Watched(middle, middle - half, middle + half, found[:, -1], surprise, flagged(one, self.rule))

    def scores(self, hours: Columns) -> Scores:
        """The scores alone, as calibration takes them."""
        return scores(hours[:, -RECENT_H:], *self.foretold(hours))

    def foretold(self, hours: Columns) -> tuple[Columns, Columns]:
        """Expected values and scales (n, ROWS, RECENT_H, C) of the last hours, each from hours before it alone."""
        if hours.ndim != 3 or hours.shape[1:] != (CONTEXT_H, len(CHANNELS)):
            raise ModelError(
                f"found hours of shape {hours.shape}, expected (n, {CONTEXT_H}, {len(CHANNELS)});"
                " make them with inputs.hours.window"
            )
        return expectations(self._session, self._spread, hours)


def run(session: Any, hours: Columns) -> tuple[Columns, Columns]:
    """The graph over windows (n, CONTEXT_H, C), in blocks: (n, 2, RECENT_H, C) by `AHEAD_H`, both."""
    out = np.empty((2, len(hours), len(AHEAD_H), RECENT_H, len(CHANNELS)), np.float32)
    for start in range(0, len(hours), _BLOCK):
        part = slice(start, start + _BLOCK)
        closed = np.ascontiguousarray(hours[part, :-1], np.float32)
        out[0, part], out[1, part] = session.run(["expected", "scale"], {"closed": closed})
    return out[0], out[1]


def expectations(session: Any, spread: NDArray[np.floating], hours: Columns) -> tuple[Columns, Columns]:
    """The LSTM's and the own day's: (n, ROWS, RECENT_H, C) both; `spread` (C,) of the population."""
    told, own = run(session, hours), own_day(hours, spread, OWN_H)
    expected, scale = (np.concatenate([one, two[:, None]], axis=1) for one, two in zip(told, own, strict=True))
    return expected, scale
