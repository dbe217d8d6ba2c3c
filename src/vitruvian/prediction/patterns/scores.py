"""How far the last hours lie from what was foretold: scores of which larger is stranger. Pure columns.

Three of each vital sign, and one of all together:

    jump      |z| of the hour that runs, z = (found - expected) / scale
    course    |sum of z| over the last six hours / sqrt(how many were measured): steps and drifts that each hour hides
    stillness minus the mean change from hour to hour, in scales: a value that does not move as this one does
    together  mean z^2 over the vital signs of the hour: combinations that no single one betrays
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["KINDS", "RECENT_H", "Scores", "joined", "scores"]

Columns = NDArray[np.float32]
RECENT_H: Final = 6  # hours that are foretold and compared, the running one last
KINDS: Final = ("jump", "course", "stillness")
_COURSE_MIN: Final = 3  # measured hours below which nothing is said of a course
_STILL_MIN: Final = 5
_TOGETHER_MIN: Final = 3  # vital signs
_FAR: Final = 8.0  # z is cut here where it is summed, so that one artefact does not stand for all


@dataclass(frozen=True, slots=True)
class Scores:
    """Of n patients: `z` (n, RECENT_H, C); `each` (n, C, 3) by `KINDS`; `together` (n,). NaN: nothing can be said."""

    z: Columns
    each: Columns
    together: Columns


def scores(found: Columns, expected: Columns, scale: Columns) -> Scores:
    """Of the last hours (n, RECENT_H, C): what was found (NaN = not measured), expected, and its scale."""
    z = (found - expected) / scale
    cut = np.clip(z, -_FAR, _FAR)
    known = ~np.isnan(z)
    count = known.sum(axis=1)
    now = known[:, -1]
    jump = np.abs(z[:, -1])
    total = np.nan_to_num(cut).sum(axis=1)
    course = np.where(now & (count >= _COURSE_MIN), np.abs(total) / np.sqrt(np.maximum(count, 1)), np.nan)
    each = np.stack([jump, course, _stillness(found, scale, now)], axis=2).astype(np.float32)
    seen = now.sum(axis=1)
    square = np.nan_to_num(cut[:, -1] ** 2).sum(axis=1) / np.maximum(seen, 1)
    return Scores(z, each, np.where(seen >= _TOGETHER_MIN, square, np.nan).astype(np.float32))


def _stillness(found: Columns, scale: Columns, now: NDArray[np.bool_]) -> Columns:
    """Minus the mean step between measured neighbours, in scales; NaN where fewer than five hours were measured."""
    step = np.abs(np.diff(found, axis=1)) / scale[:, 1:]
    count = (~np.isnan(step)).sum(axis=1)
    mean = np.nan_to_num(step).sum(axis=1) / np.maximum(count, 1)
    still: Columns = np.where(now & (count >= _STILL_MIN), -mean, np.nan)
    return still


def joined(one: Scores) -> Columns:
    """(n, 3C + 1): the scores side by side, those of all together last."""
    return np.concatenate([one.each.reshape(len(one.each), -1), one.together[:, None]], axis=1)
