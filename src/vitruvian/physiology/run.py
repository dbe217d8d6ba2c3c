"""Run members of a model from one time to another under schedules: the one way into the compiled drivers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.physiology.base import Model
from vitruvian.physiology.engine import drive
from vitruvian.physiology.engine.specialise import drivers

__all__ = ["STATUS", "Run", "Schedule", "held", "nothing", "observe", "packed", "run", "start"]

Floats = NDArray[np.float64]

STATUS: Final = {
    drive.OK: "done",
    drive.TOO_MANY_STEPS: "took more steps than allowed; shorten the run, loosen rtol, or raise steps_max",
    drive.STEP_TOO_SMALL: "needed a step too small to take: a state runs away or the model is stiff; check the inputs",
    drive.NOT_FINITE: "a state is no longer a finite number; check parameters and inputs against their ranges",
    drive.STOPPED: "stopped at an event of the model",
}


@dataclass(frozen=True)
class Schedule:
    """What is done and when, in a model's own terms and time unit.

    edges (E,) ascending, levels (E, U): row i of `u` holds from edges[i] until the next; the first also before it.
    Doses: times (D,) ascending, the state's index, the amount added.
    """

    edges: Floats
    levels: Floats
    dose_times: Floats
    dose_states: NDArray[np.int64]
    dose_amounts: Floats


def nothing(model: Model) -> Schedule:
    """Nothing done."""
    return held(model.rest())


def held(u: Floats) -> Schedule:
    """The inputs `u` (U,) held throughout, and no doses."""
    none = np.empty(0)
    return Schedule(np.zeros(1), np.asarray(u, np.float64)[None, :], none, np.empty(0, np.int64), none)


@dataclass(frozen=True)
class Run:
    """What came of it: outputs (M, T, O), end states (M, S), status (M,) (see `STATUS`) and steps (M,)."""

    outputs: Floats
    end: Floats
    status: NDArray[np.int64]
    steps: NDArray[np.int64]

    def check(self, model: Model) -> Run:
        """Itself, or ModelError where a member failed."""
        bad = (self.status != drive.OK) & (self.status != drive.STOPPED)
        if bad.any():
            first = int(self.status[bad][0])
            raise ModelError(f"{model.name}: {int(bad.sum())} of {bad.size} members {STATUS[first]}")
        return self


def start(model: Model, p: Floats, u: Floats | None = None) -> Floats:
    """Where members begin: (M, S) from p (M, P) and inputs u (M, U) or (U,), by default nothing done."""
    p = np.ascontiguousarray(p, np.float64)
    u = model.rest() if u is None else np.asarray(u, np.float64)
    y = np.empty((len(p), len(model.states)))
    drivers(model).starts(p, np.ascontiguousarray(np.broadcast_to(u, (len(p), len(model.rest())))), y)
    return y


def observe(model: Model, t: float, y: Floats, p: Floats, u: Floats) -> Floats:
    """What members show at one instant: (M, O) of y (M, S), p (M, P), u (M, U) or (U,)."""
    y, p = np.ascontiguousarray(y, np.float64), np.ascontiguousarray(p, np.float64)
    out = np.empty((len(y), len(model.outputs)))
    wide = np.ascontiguousarray(np.broadcast_to(np.asarray(u, np.float64), (len(y), len(model.rest()))))
    drivers(model).observes(float(t), y, p, wide, out)
    return out


def run(
    model: Model,
    y: Floats,
    p: Floats,
    begin: float,
    end: float,
    times: Floats | Sequence[float] = (),
    schedules: Schedule | Sequence[Schedule] | None = None,
    arm: NDArray[np.int64] | None = None,
    *,
    rtol: float | None = None,
    steps_max: int = 10_000_000,
) -> Run:
    """Integrate members y (M, S) with parameters p (M, P) from `begin` to `end`, in the model's time unit.

    Outputs are written at `times` (T,), ascending within [begin, end]. `arm` (M,) says which schedule each member
    follows. `y` is not changed. Raises ModelError where shapes or times do not fit; a member that fails says so in
    `status` and has NaN in `end`.
    """
    at = np.ascontiguousarray(times, np.float64)
    y = np.array(y, np.float64, order="C", copy=True)
    p = np.ascontiguousarray(p, np.float64)
    _check(model, y, p, begin, end, at)
    several = [schedules or nothing(model)] if schedules is None or isinstance(schedules, Schedule) else list(schedules)
    rows = packed(model, several)
    arm = np.zeros(len(y), np.int64) if arm is None else np.ascontiguousarray(arm, np.int64)
    if len(arm) != len(y) or (len(arm) and not 0 <= arm.min() <= arm.max() < len(several)):
        raise ModelError(f"{model.name}: found arms {arm.shape} of {len(several)} schedules for {len(y)} members")
    settings = np.array([model.rtol if rtol is None else rtol, model.first_step, model.h_max, float(steps_max)])
    atol = model.atol if rtol is None else model.atol * (rtol / model.rtol)
    out = np.full((len(y), len(at), len(model.outputs)), np.nan)
    status, steps = np.zeros(len(y), np.int64), np.zeros(len(y), np.int64)
    drivers(model).ensemble(y, p, float(begin), float(end), at, arm, *rows, settings, atol, out, status, steps)
    return Run(out, y, status, steps)


def _check(model: Model, y: Floats, p: Floats, begin: float, end: float, times: Floats) -> None:
    wanted = (len(model.states), len(model.parameters))
    if y.ndim != 2 or p.ndim != 2 or (y.shape[1], p.shape[1]) != wanted or len(y) != len(p):
        raise ModelError(
            f"{model.name}: found states {y.shape} and parameters {p.shape}, expected "
            f"(M, {wanted[0]}) and (M, {wanted[1]})"
        )
    if not end >= begin or (times.size and (times[0] < begin or times[-1] > end or (np.diff(times) < 0).any())):
        raise ModelError(
            f"{model.name}: found a run from {begin:g} to {end:g} with times outside it or out of order, "
            "expected ascending times within it"
        )


def packed(model: Model, several: Sequence[Schedule]) -> tuple[Floats, Floats, Floats, NDArray[np.int64], Floats]:
    """Schedules as the drivers take them, one row each: unused edges and doses lie at infinity. Raises ModelError."""
    count, width = len(several), len(model.rest())
    edge_max = max(len(one.edges) for one in several)
    dose_max = max(len(one.dose_times) for one in several)
    edges, levels = np.full((count, edge_max), np.inf), np.zeros((count, edge_max, width))
    dose_times, amounts = np.full((count, dose_max), np.inf), np.zeros((count, dose_max))
    states = np.zeros((count, dose_max), np.int64)
    for k, one in enumerate(several):
        if one.levels.shape != (len(one.edges), width) or not len(one.edges):
            raise ModelError(f"{model.name}: found levels {one.levels.shape}, expected ({len(one.edges)}, {width})")
        edges[k, : len(one.edges)], levels[k, : len(one.edges)] = one.edges, one.levels
        n = len(one.dose_times)
        dose_times[k, :n], states[k, :n], amounts[k, :n] = one.dose_times, one.dose_states, one.dose_amounts
    return edges, levels, dose_times, states, amounts
