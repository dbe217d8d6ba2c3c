"""Calibrate scores on patients that nothing was fitted to: how rare each is, and the level that keeps to a budget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.inputs.table import Table, windows
from vitruvian.prediction.patterns.rule import Rule, alarms, any_flagged
from vitruvian.prediction.patterns.scores import RECENT_H, Scores, joined, scores
from vitruvian.prediction.patterns.tails import as_json, tails

__all__ = ["alarm_rate", "calibrated", "level_for", "scores_of"]

Columns = NDArray[np.float32]
Foretell = Callable[[Columns], tuple[Columns, Columns]]
_BLOCK: Final = 8192
_HALVINGS: Final = 18
_LEVELS: Final = (1e-5, 0.05)


def scores_of(foretell: Foretell, table: Table, rows: NDArray[np.int64]) -> Scores:
    """Scores of rows of a table, by windows as the ward has them."""
    parts = []
    for start in range(0, rows.size, _BLOCK):
        hours = windows(table, rows[start : start + _BLOCK])
        parts.append(scores(hours[:, -RECENT_H:], *foretell(hours)))
    return Scores(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("z", "each", "together")))


def alarm_rate(flag: NDArray[np.bool_], table: Table, rows: NDArray[np.int64]) -> float:
    """Alarms a patient-day of flagged rows (n,), each silencing its patient for six hours."""
    started = alarms(flag, table.patient[rows], table.hour[rows])
    return float(24.0 * started.sum() / rows.size)


def level_for(one: Scores, limits: NDArray[np.float64], table: Table, rows: NDArray[np.int64], per_day: float) -> float:
    """The largest level whose alarms on these rows stay within the budget, by halving on a log scale."""
    low, high = np.log(_LEVELS)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        flag = any_flagged(one, Rule(limits, float(np.exp(middle))))
        if alarm_rate(flag, table, rows) <= per_day:
            low = middle
        else:
            high = middle
    return float(np.exp(low))


def calibrated(foretell: Foretell, table: Table, rows: NDArray[np.int64], per_day: float) -> dict[str, Any]:
    """Limits of every score and the level of flags, as the card keeps them."""
    rows = np.sort(rows)
    one = scores_of(foretell, table, rows)
    side = joined(one)
    limits = np.array([tails(side[:, place], table.patient[rows]) for place in range(side.shape[1])])
    kept = [as_json(row) for row in limits]
    level = level_for(one, limits, table, rows, per_day)
    rate = alarm_rate(any_flagged(one, Rule(limits, level)), table, rows)
    return {"limits": kept, "level": float(f"{level:.6g}"), "alarms_per_day_calibrating": round(rate, 4)}
