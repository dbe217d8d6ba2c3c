"""The ensemble Kalman filter over states, parameters and discrepancies together, for thousands of patients in one call.

The analysis is the serial square root filter (Whitaker and Hamill 2002): exact for linear Gaussian models up to the
sampling error of the covariance, and without perturbed observations, whose noise would cost 64 members more than it
gives. docs/decisions/0010-estimation.md says why, and against what.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.estimation import kernels, primitives, square_root
from vitruvian.estimation.base import DAY_S, Belief, Filter
from vitruvian.physiology import run as running
from vitruvian.physiology.engine.specialise import drivers

__all__ = ["Prediction", "Report", "Schedules", "forecast", "propagate", "step_many"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# Inputs held over the tick, (U,) or (N, U), or what is done within it, one for each patient, its times from the tick's
# beginning; None is nothing done.
Rows = tuple[Floats, Floats, Floats, Integers, Floats]
Schedules = Floats | Sequence[running.Schedule] | None
CHUNK: Final = 256  # patients worked at once: bounds what is held beside the belief, changes no result
CAP: Final = 6.0  # an innovation counts as at most so many standard deviations when the filter is judged


@dataclass(frozen=True)
class Report:
    """What one tick showed, for N patients: all that is needed to judge the filter.

    fate (N, O): what became of each value (MISSING, USED, REJECTED, YIELDED of `square_root`); expected and spread
    (N, O): mean and variance of the prediction, without the measurement's error; nis (N, 2): the normalised innovation
    squared of the values used and its degrees of freedom; lost (N,): members that failed and were replaced, all of them
    where the patient's belief stands still.
    """

    fate: Integers
    expected: Floats
    spread: Floats
    nis: Floats
    lost: Integers


@dataclass(frozen=True)
class Prediction:
    """Ahead of a belief: times (T,) s from its tick; outputs (N, M, T, all outputs) of the model, plus the discrepancy
    where one is estimated; status (N, M) of the integration.
    """

    times_s: Floats
    outputs: Floats
    status: Integers


def _settings(one: Filter) -> tuple[Floats, Floats]:
    model, given = one.model, one.settings
    rtol = 10 * model.rtol if given.rtol is None else given.rtol
    first = model.first_step if given.first_step_s is None else given.first_step_s / model.seconds
    return np.array([rtol, first, model.h_max, float(given.steps_max)]), model.atol * (rtol / model.rtol)


def rules_of(one: Filter) -> Floats:
    """What the compiled analysis is told: gate, patience, whether to localise, memory kept from tick to tick, cap."""
    given = one.settings
    keep = np.exp(-one.tick_h / given.memory_h)
    return np.array([given.gate, given.patience, given.localise, keep, CAP], np.float64)


def _rows(
    one: Filter, schedules: Schedules, count: int, begin: float
) -> tuple[Floats, Floats, Floats, Integers, Floats]:
    """Schedules as the drivers take them, a row for each patient, on the model's clock."""
    model = one.model
    if schedules is None or isinstance(schedules, np.ndarray):
        u = model.rest() if schedules is None else np.asarray(schedules, np.float64)
        width = len(model.rest())
        if u.shape not in ((width,), (count, width)):
            raise ModelError(f"{model.name}: found inputs {u.shape}, expected ({width},) or ({count}, {width})")
        levels = np.ascontiguousarray(np.broadcast_to(u, (count, width)))[:, None, :]
        none = np.empty((count, 0))
        return np.full((count, 1), begin), levels, none, np.empty((count, 0), np.int64), none
    if len(schedules) != count:
        raise ModelError(f"{model.name}: found {len(schedules)} schedules, expected one for each of {count} patients")
    edges, levels, times, states, amounts = running.packed(model, schedules)
    return edges + begin, levels, times + begin, states, amounts


def _clock(one: Filter, tick: int) -> float:
    """The model's time at a tick: since midnight of the tick's own count, so that a model may know the hour."""
    return ((tick * one.model.grid_s) % DAY_S) / one.model.seconds


def _integrate(
    one: Filter, belief: Belief, schedules: Schedules, length: float, times: Floats
) -> tuple[Floats, Floats, Integers]:
    """States (N, M, S) after `length`, outputs (N, M, T, all) at times since the tick, status (N, M); by chunks."""
    model = one.model
    count, members, size = belief.states.shape
    begin = _clock(one, belief.tick)
    packed = _rows(one, schedules, count, begin)
    settings, atol = _settings(one)
    states = np.array(belief.states)
    shown = np.full((count, members, len(times), len(model.outputs)), np.nan)
    status = np.zeros((count, members), np.int64)
    for first in range(0, count, CHUNK):
        at = slice(first, min(first + CHUNK, count))
        rows = (at.stop - first) * members
        p = one.full(belief.constants[at], belief.theta[at]).reshape(rows, -1)
        arm = np.repeat(np.arange(at.stop - first), members)
        drivers(one.integrated).ensemble(
            states[at].reshape(rows, size), p, begin, begin + length, begin + times, arm,
            *(np.ascontiguousarray(part[at]) for part in packed), settings, atol,
            shown[at].reshape(rows, len(times), -1), status[at].reshape(rows), np.zeros(rows, np.int64),
        )  # fmt: skip
    return states, shown, status


def propagate(one: Filter, belief: Belief, schedules: Schedules = None) -> tuple[Belief, Floats, Integers]:
    """The belief one tick later, before its measurements; the predicted observations (N, M, O); members lost (N,).

    Parameters and discrepancies drift, states are given model error, then all is integrated. Pure: `belief` is left as
    it was. Members that fail take the place of one that did not.
    """
    given, hours = one.settings, one.tick_h
    theta, bias, states = np.array(belief.theta), np.array(belief.bias), np.array(belief.states)
    sd = np.array([each.bias_sd for each in one.observations])
    keep = np.exp(-hours / np.array([each.bias_h for each in one.observations]))
    step = given.walk_per_h * np.sqrt(hours) * one.spreads
    step[len(one.estimated) :] = 0.0
    kernels.walk(
        belief.keys, belief.tick, theta, *one.parameter_form.columns, step, bias, sd * np.sqrt(1 - keep**2), keep
    )
    size = np.full(len(one.model.states), given.shake_per_h * np.sqrt(hours))
    kernels.shake(belief.keys, belief.tick, states, *one.state_form.columns, size)
    moved = replace(belief, states=states, theta=theta, bias=bias)
    length = one.model.grid_s / one.model.seconds
    looks = length * np.arange(1, given.looks + 1) / given.looks
    looks[-1] = length
    states, shown, status = _integrate(one, moved, schedules, length, looks)
    h = np.empty(bias.shape)
    kernels.predicted(shown, one.outputs, bias, h)
    lost = np.zeros(len(belief), np.int64)
    kernels.rescue(
        belief.keys, belief.tick, status, states, theta, bias, h, belief.states, belief.theta, belief.bias, lost
    )
    return replace(moved, tick=belief.tick + 1, states=states), h, lost


def step_many(one: Filter, belief: Belief, observations: Floats, schedules: Schedules = None) -> tuple[Belief, Report]:
    """One tick for all patients: forecast over it, then use what was measured in it, (N, O), NaN for nothing.

    Pure, deterministic whatever the threads, and for each patient the same alone as among others. Raises ModelError
    where shapes do not fit.
    """
    values = np.ascontiguousarray(observations, np.float64)
    if values.shape != (len(belief), len(one.observations)):
        raise ModelError(
            f"{one.model.name}: found observations {values.shape}, expected ({len(belief)}, {len(one.observations)})"
        )
    moved, h, lost = propagate(one, belief, schedules)
    given = one.settings
    relax = np.concatenate(
        [
            np.full(len(one.model.states), given.relax_states),
            np.full(len(one.estimated), given.relax_parameters),
            np.full(len(one.considered), square_root.HELD),
            np.full(len(one.observations), given.relax_parameters),
        ]
    )
    track = np.array(belief.track)
    fate = np.zeros(values.shape, np.int64)
    expected, spread, nis = np.empty(values.shape), np.empty(values.shape), np.empty((len(belief), 2))
    square_root.analyse(
        values, moved.states, moved.theta, moved.bias, h, moved.weights, one.state_form.columns,
        one.parameter_form.columns, one.bias_form.columns, relax, *one.errors, rules_of(one), track, fate, expected,
        spread, nis,
    )  # fmt: skip
    return replace(moved, track=track), Report(fate, expected, spread, nis, lost)


def forecast(one: Filter, belief: Belief, times_s: Sequence[float] | Floats, schedules: Schedules = None) -> Prediction:
    """What is expected ahead of the belief's tick, at times (T,) in seconds from it, under schedules from it.

    The discrepancy of an observed output fades as its autoregression has it and regains its spread: each member draws
    where its own ends up. Measurement error is not in it. Raises ModelError where times do not ascend from 0 or more.
    """
    at_s = np.asarray(times_s, np.float64)
    if not len(at_s) or at_s[0] < 0 or (np.diff(at_s) < 0).any():
        raise ModelError(f"found forecast times {at_s}, expected ascending seconds from 0 on")
    times = at_s / one.model.seconds
    _, shown, status = _integrate(one, belief, schedules, float(times[-1]), times)
    noise = np.empty((len(belief), one.settings.members, len(at_s)))
    for o, each in enumerate(one.observations):
        if each.bias_sd > 0:
            keep = np.exp(-at_s / 3_600 / each.bias_h)
            primitives.normals(belief.keys, belief.tick, primitives.BIAS, 10_000 + o, noise)
            drift = belief.bias[:, :, o, None] * keep
            for t in range(len(at_s)):
                before = np.exp(-(at_s[t] - at_s[t - 1]) / 3_600 / each.bias_h) if t else keep[0]
                noise[:, :, t] *= np.sqrt(1 - before**2) * each.bias_sd
                if t:
                    noise[:, :, t] += before * noise[:, :, t - 1]
            shown[:, :, :, one.outputs[o]] += drift + noise
    return Prediction(at_s, shown, status)
