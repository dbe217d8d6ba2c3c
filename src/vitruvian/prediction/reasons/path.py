"""Integrated gradients of any member through forward passes of its graph alone (Sundararajan 2017).

From a patient at the training medians, whose day is flat, to this patient along a straight line. Inputs that are
missing are missing all the way; what that does is told apart (`MISSING`). Along the line each input's share is the
change of the log-odds over one step of that input alone, half a step to either side of the middle of each of `steps`
steps: the central difference, as wide as the step, so that kinks are not missed. A vital sign's hours move together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.inputs.hours import CHANNELS
from vitruvian.prediction.reasons.base import HOURLY, MISSING, Attributions

__all__ = ["STEPS", "Member", "integrated_gradients"]

Columns = NDArray[np.float32]
Floats = NDArray[np.float64]
STEPS: Final = 32


@dataclass(frozen=True, slots=True)
class Member:
    """What is asked of a member: `features` it reads, whether it reads hours, and its two calls.

    `state(window (n, H, C))` gives what hours leave behind (n, S), or None where nothing is carried;
    `logit(values (n, F), window (n, H, C) or None, state or None)` the log-odds (n,).
    """

    features: tuple[str, ...]
    windowed: bool
    state: Callable[[Columns], Columns | None]
    logit: Callable[[Columns, Columns | None, Columns | None], Floats]

    def of(self, values: Columns, window: Columns | None) -> Floats:
        """The log-odds of rows."""
        return self.logit(values, window, self.state(window) if window is not None else None)


def integrated_gradients(
    member: Member, values: Columns, window: Columns | None, medians: Mapping[str, float], *, steps: int = STEPS
) -> Attributions:
    """Attributions of rows `values` (n, F), `window` (n, H, C): features, then the vital signs' hours, then `MISSING`.

    `base` is a patient at all medians with every hour known. `residual` is what the steps missed.
    """
    names = (*member.features, *(f"{HOURLY}{name}" for name in CHANNELS if member.windowed), MISSING)
    parts = np.zeros((len(values), len(names)))
    base, residual = np.zeros(len(values)), np.zeros(len(values))
    at_median = np.array([medians.get(name, np.nan) for name in member.features], np.float32)
    for row in range(len(values)):
        here = values[row]
        day = None if window is None or not member.windowed else window[row]
        parts[row], base[row], residual[row] = _one(member, here, day, at_median, medians, steps)
    return Attributions(names, parts, base, residual)


def _one(
    member: Member, here: Columns, day: Columns | None, at_median: Columns, medians: Mapping[str, float], steps: int
) -> tuple[Floats, float, float]:
    """Parts, base and residual of one row."""
    flat = None
    if day is not None:
        usual = np.array([medians.get(name, np.nan) for name in CHANNELS], np.float32)
        flat = np.broadcast_to(usual, day.shape).astype(np.float32)
    start = np.where(np.isnan(here), np.float32(np.nan), at_median)
    start = np.where(np.isnan(start), here, start)  # no median: stays where it is
    known_flat = None if day is None or flat is None else np.where(np.isnan(day) | np.isnan(flat), day, flat)
    total = float(member.of(here[None], _batch(day))[0])
    begin = float(member.of(start[None], _batch(known_flat))[0])
    base = float(member.of(np.where(np.isnan(at_median), start, at_median)[None], _batch(flat))[0])
    by_feature = _features(member, start, here, known_flat, day, steps)
    by_hour = _hours(member, start, here, known_flat, day, steps) if day is not None else np.zeros(0)
    parts = np.concatenate([by_feature, by_hour, [begin - base]])
    return parts, base, total - begin - float(by_feature.sum() + by_hour.sum())


def _batch(day: Columns | None) -> Columns | None:
    return None if day is None else np.ascontiguousarray(day[None])


def _middles(steps: int) -> NDArray[np.float32]:
    return ((np.arange(steps) + 0.5) / steps).astype(np.float32)


def _line(begin: Columns, end: Columns, share: NDArray[np.float32]) -> Columns:
    """Points on the line (K, ...); NaN where it is missing all the way."""
    shape = (-1, *([1] * begin.ndim))
    points: Columns = begin + share.reshape(shape) * (end - begin)
    return points


def _features(
    member: Member, start: Columns, here: Columns, flat: Columns | None, day: Columns | None, steps: int
) -> Floats:
    """What each feature adds along the line, (F,)."""
    out = np.zeros(here.size)
    moved = np.flatnonzero(~np.isnan(here) & ~np.isnan(start) & (here != start))
    if not moved.size:
        return out
    middles = _middles(steps)
    points = _line(start, here, middles)
    days = None if day is None or flat is None else _line(flat, day, middles)
    states = None if days is None else member.state(days)
    half = (here - start)[moved] / (2 * steps)
    many = 2 * moved.size
    for number in range(steps):
        rows = np.repeat(points[number : number + 1], many, axis=0)
        rows[np.arange(moved.size), moved] += half
        rows[np.arange(moved.size, many), moved] -= half
        window = None if days is None else np.ascontiguousarray(np.broadcast_to(days[number], (many, *days.shape[1:])))
        state = (
            None if states is None else np.ascontiguousarray(np.broadcast_to(states[number], (many, states.shape[1])))
        )
        logit = member.logit(rows, window, state)
        out[moved] += logit[: moved.size] - logit[moved.size :]
    return out


def _copies(points: Columns | None, number: int, many: int) -> Columns | None:
    """One of the points so many times."""
    return None if points is None else np.repeat(points[number : number + 1], many, axis=0)


def _hours(
    member: Member, start: Columns, here: Columns, flat: Columns | None, day: Columns | None, steps: int
) -> Floats:
    """What each vital sign's hours add along the line, (C,)."""
    assert day is not None and flat is not None
    middles = _middles(steps)
    points, days = _line(start, here, middles), _line(flat, day, middles)
    out = np.zeros(day.shape[1])
    for channel in range(day.shape[1]):
        half = (day - flat)[:, channel] / (2 * steps)
        if not (np.nan_to_num(half) != 0).any():
            continue
        both = np.concatenate([days, days])
        both[:steps, :, channel] += half
        both[steps:, :, channel] -= half
        logit = member.of(np.concatenate([points, points]), both)
        out[channel] = float((logit[:steps] - logit[steps:]).sum())
    return out
