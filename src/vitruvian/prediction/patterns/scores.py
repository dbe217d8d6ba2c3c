"""How far the last hours lie from what was foretold: scores of which larger is stranger. Pure columns.

Every hour is held against three expectations: the LSTM's from all hours up to the one before it, the LSTM's from those
up to six hours before it, and the mean of the patient's own day up to six hours before it, so that what has come to
stay is not taken for granted an hour later. z = (found - expected) / scale. Four scores of each vital sign, and one of
all together:

    jump       |z| of the hour that runs, against what the hour before led to expect
    course     |mean z| of the last three hours, against what was expected six hours before each
    departure  |mean z| of the last three hours, against the patient's own day
    stillness  minus the mean change from hour to hour, in scales: a value that does not move as this one does
    together   mean z^2 of the hour over vital signs and expectations: combinations that no single one betrays
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["AHEAD_H", "KINDS", "OWN_H", "RECENT_H", "ROWS", "Scores", "joined", "scores"]

Columns = NDArray[np.float32]
RECENT_H: Final = 6  # hours that are foretold and compared, the running one last
AHEAD_H: Final = (1, 6)  # how far ahead the LSTM foretells each of them
OWN_H: Final = 6  # hours before an hour at which its own day ends
ROWS: Final = 3  # expectations
KINDS: Final = ("jump", "course", "departure", "stillness")
_COURSE_H, _COURSE_MIN = 3, 2  # hours of a course, and how many of them must be measured
_STILL_MIN: Final = 5
_TOGETHER_MIN: Final = 3  # vital signs
_FAR: Final = 8.0  # z is cut here where it is summed, so that one artefact does not stand for all


@dataclass(frozen=True, slots=True)
class Scores:
    """Of n patients: `z` (n, ROWS, RECENT_H, C); `each` (n, C, K) by `KINDS`; `together` (n,). NaN: none."""

    z: Columns
    each: Columns
    together: Columns


def scores(found: Columns, expected: Columns, scale: Columns) -> Scores:
    """Of the last hours: what was found (n, RECENT_H, C; NaN = not measured), what was expected and its scale
    (n, ROWS, RECENT_H, C).
    """
    z = (found[:, None] - expected) / scale
    cut = np.clip(z, -_FAR, _FAR)
    now = ~np.isnan(found[:, -1])
    jump = np.abs(z[:, 0, -1])
    course, departure = (_lasting(cut[:, row, -_COURSE_H:], now) for row in (1, 2))
    still = _stillness(found, scale[:, 0], now)
    each = np.stack([jump, course, departure, still], axis=2).astype(np.float32)
    seen = (~np.isnan(z[:, 0, -1])).sum(axis=1)
    square = np.nan_to_num(cut[:, :, -1] ** 2).sum(axis=(1, 2)) / np.maximum(ROWS * seen, 1)
    return Scores(z, each, np.where(seen >= _TOGETHER_MIN, square, np.nan).astype(np.float32))


def _lasting(z: Columns, now: NDArray[np.bool_]) -> Columns:
    """|mean z| of the last hours (n, 3, C), NaN where fewer than two of them, or not the last, were measured."""
    count = (~np.isnan(z)).sum(axis=1)
    mean = np.abs(np.nan_to_num(z).sum(axis=1)) / np.maximum(count, 1)
    lasting: Columns = np.where(now & (count >= _COURSE_MIN), mean, np.nan)
    return lasting


def _stillness(found: Columns, scale: Columns, now: NDArray[np.bool_]) -> Columns:
    """Minus the mean step between measured neighbours, in scales; NaN where fewer than five hours were measured."""
    step = np.abs(np.diff(found, axis=1)) / scale[:, 1:]
    count = (~np.isnan(step)).sum(axis=1)
    mean = np.nan_to_num(step).sum(axis=1) / np.maximum(count, 1)
    still: Columns = np.where(now & (count >= _STILL_MIN), -mean, np.nan)
    return still


def joined(one: Scores) -> Columns:
    """(n, KC + 1): the scores side by side, those of all together last."""
    return np.concatenate([one.each.reshape(len(one.each), -1), one.together[:, None]], axis=1)
