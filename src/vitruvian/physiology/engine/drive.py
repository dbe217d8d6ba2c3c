"""The one adaptive driver and the one ensemble driver, as templates that `specialise` fills with a model's kernels.

A member is integrated from breakpoint to breakpoint (a change of an input, a dose, an event), so that no step spans a
jump. Cost grows as members x time / step; members are independent, so the result does not depend on the threads.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import prange
from numpy.typing import NDArray

OK: Final = 0
TOO_MANY_STEPS: Final = 1
STEP_TOO_SMALL: Final = 2
NOT_FINITE: Final = 3
STOPPED: Final = 4

SAFETY: Final = 0.9
SHRINK_MIN: Final = 0.2
GROW_MAX: Final = 6.0
BISECTIONS: Final = 50
STAGES: Final = 7

# Filled in by `specialise`.
ORDER: Final = 5
EVENTS: Final = 0


def rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """A model's kernel stands here."""
    raise NotImplementedError


def observe(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """A model's kernel stands here."""
    raise NotImplementedError


def event(t: float, y: Any, p: Any, u: Any, g: Any) -> None:
    """A model's kernel stands here."""
    raise NotImplementedError


def jump(which: int, t: float, y: Any, p: Any, u: Any) -> bool:
    """A model's kernel stands here."""
    raise NotImplementedError


def step(t: Any, h: Any, y: Any, p: Any, u: Any, rtol: Any, atol: Any, k: Any, trial: Any, work: Any) -> float:
    """A stepper stands here."""
    raise NotImplementedError


def dense(fraction: Any, h: Any, y: Any, after: Any, k: Any, result: Any) -> None:
    """A stepper's dense output stands here."""
    raise NotImplementedError


def first_crossing(
    t: float, h: float, y: Any, after: Any, p: Any, u: Any, k: Any, before_g: Any, g: Any, point: Any
) -> tuple[float, int]:
    """The fraction of the step at which the first event function rises through 0, and which; (2, -1) for none."""
    event(t + h, after, p, u, g)
    best, which = 2.0, -1
    for i in range(EVENTS):
        if before_g[i] < 0.0 <= g[i]:
            low, high = 0.0, 1.0
            for _ in range(BISECTIONS):
                middle = 0.5 * (low + high)
                dense(middle, h, y, after, k, point)
                event(t + middle * h, point, p, u, g)
                if g[i] < 0.0:
                    low = middle
                else:
                    high = middle
            event(t + h, after, p, u, g)
            if high < best:
                best, which = high, i
    return best, which


def advance(
    y: NDArray[np.float64],
    p: NDArray[np.float64],
    u: NDArray[np.float64],
    t: float,
    until: float,
    times: NDArray[np.float64],
    at: int,
    out: NDArray[np.float64],
    control: NDArray[np.float64],
    atol: NDArray[np.float64],
    scratch: tuple[Any, Any, Any, Any, Any, Any],
    tally: NDArray[np.int64],
) -> tuple[int, int]:
    """Integrate one member from t to `until` under constant inputs, writing outputs at `times[at:]` below `until`.

    y (S,) is changed in place. control is (rtol, h, h_max, steps_max): h is kept from segment to segment. Returns the
    next unwritten time and a status.
    """
    k, trial, point, before_g, g, work = scratch
    rtol, h_max, steps_max = control[0], control[2], control[3]
    h = min(control[1], h_max)
    rhs(t, y, p, u, k[0])
    if EVENTS > 0:
        event(t, y, p, u, before_g)
    while t < until:
        if tally[0] >= steps_max:
            return at, TOO_MANY_STEPS
        last = t + h * (1.0 + 1e-9) >= until
        length = until - t if last else h
        error = step(t, length, y, p, u, rtol, atol, k, trial, work)
        tally[0] += 1
        if not error <= 1.0:
            if not np.isfinite(error):
                error = 1e10
            h = length * max(SHRINK_MIN, SAFETY * error ** (-1.0 / ORDER))
            if h < 1e-12 * max(abs(t), abs(until - t), 1e-6) or h < 1e-300:
                return at, STEP_TOO_SMALL
            continue
        fraction, which = 2.0, -1
        if EVENTS > 0:
            fraction, which = first_crossing(t, length, y, trial, p, u, k, before_g, g, point)
        reached = t + min(fraction, 1.0) * length
        while at < times.shape[0] and (times[at] < reached or (which < 0 and times[at] <= reached < until)):
            dense((times[at] - t) / length, length, y, trial, k, point)
            observe(times[at], point, p, u, out[at])
            at += 1
        if which >= 0:
            dense(fraction, length, y, trial, k, point)
            y[:] = point
            t = reached
            if jump(which, t, y, p, u):
                return at, STOPPED
            rhs(t, y, p, u, k[0])
            event(t, y, p, u, before_g)
            before_g[which] = min(before_g[which], 0.0) if before_g[which] < 1e-9 else before_g[which]
            continue
        t = until if last else t + length
        y[:] = trial
        k[0, :] = k[6]
        if EVENTS > 0:
            before_g[:] = g
        grown = length * min(GROW_MAX, SAFETY * max(error, 1e-10) ** (-1.0 / ORDER))
        h = min(h_max, max(grown, h) if last else grown)
    control[1] = h
    return at, OK


def member(
    y: NDArray[np.float64],
    p: NDArray[np.float64],
    begin: float,
    end: float,
    times: NDArray[np.float64],
    edges: NDArray[np.float64],
    levels: NDArray[np.float64],
    dose_times: NDArray[np.float64],
    dose_states: NDArray[np.int64],
    dose_amounts: NDArray[np.float64],
    settings: NDArray[np.float64],
    atol: NDArray[np.float64],
    out: NDArray[np.float64],
    tally: NDArray[np.int64],
) -> int:
    """One member from `begin` to `end`. `levels[i]` (U,) holds from `edges[i]` on; doses in [begin, end) are added."""
    size = y.shape[0]
    scratch = (
        np.zeros((STAGES + 1, size)), np.empty(size), np.empty(size), np.empty(max(EVENTS, 1)),
        np.empty(max(EVENTS, 1)), np.empty((size, size)),
    )  # fmt: skip
    control = settings.copy()
    t, at, edge, dose = begin, 0, 0, 0
    while dose < dose_times.shape[0] and dose_times[dose] < begin:
        dose += 1
    status = OK
    while status == OK:
        while edge + 1 < edges.shape[0] and edges[edge + 1] <= t:
            edge += 1
        while dose < dose_times.shape[0] and dose_times[dose] <= t < end:
            y[dose_states[dose]] += dose_amounts[dose]
            dose += 1
        if t >= end:
            break
        until = end
        if edge + 1 < edges.shape[0]:
            until = min(until, edges[edge + 1])
        if dose < dose_times.shape[0]:
            until = min(until, dose_times[dose])
        at, status = advance(y, p, levels[edge], t, until, times, at, out, control, atol, scratch, tally)
        t = until
    if status == OK:
        while at < times.shape[0]:
            observe(times[at], y, p, levels[edge], out[at])
            at += 1
        for i in range(size):
            if not np.isfinite(y[i]):
                status = NOT_FINITE
    if status not in (STOPPED, OK):
        y[:] = np.nan
    return status


def ensemble(
    y: NDArray[np.float64],
    p: NDArray[np.float64],
    begin: float,
    end: float,
    times: NDArray[np.float64],
    arm: NDArray[np.int64],
    edges: NDArray[np.float64],
    levels: NDArray[np.float64],
    dose_times: NDArray[np.float64],
    dose_states: NDArray[np.int64],
    dose_amounts: NDArray[np.float64],
    settings: NDArray[np.float64],
    atol: NDArray[np.float64],
    out: NDArray[np.float64],
    status: NDArray[np.int64],
    steps: NDArray[np.int64],
) -> None:
    """All members, each under the schedule of its arm.

    y (M, S) and p (M, P); times (T,); arm (M,) picks of edges (K, E), levels (K, E, U) and doses (K, D); out (M, T, O),
    status (M,) and steps (M,) are filled. An arm's unused edges and doses lie at infinity.
    """
    for m in prange(y.shape[0]):
        which = arm[m]
        status[m] = member(
            y[m], p[m], begin, end, times, edges[which], levels[which], dose_times[which], dose_states[which],
            dose_amounts[which], settings, atol, out[m], steps[m : m + 1],
        )  # fmt: skip


def starts(p: NDArray[np.float64], u: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """Where each member begins: y (M, S) from p (M, P) and the inputs at the start u (M, U)."""
    for m in range(p.shape[0]):
        start(p[m], u[m], y[m])


def start(p: Any, u: Any, y: Any) -> None:
    """A model's kernel stands here."""
    raise NotImplementedError


def observes(t: float, y: Any, p: Any, u: Any, out: Any) -> None:
    """What each member shows at one instant: out (M, O) of y (M, S), p (M, P), u (M, U)."""
    for m in prange(y.shape[0]):
        observe(t, y[m], p[m], u[m], out[m])
