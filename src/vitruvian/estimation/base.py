"""What every filter and calibration shares: what is observed and how well, how values are transformed, the prior of a
person's parameters, and the belief about patients that filters carry from tick to tick.

Shapes: N patients, M members, S states, P parameters, E that differ between members, O observations.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.estimation import kernels, primitives
from vitruvian.physiology import run as running
from vitruvian.physiology.base import Model, Parameter, State
from vitruvian.physiology.person import REFERENCE, Person

__all__ = ["Belief", "Filter", "Form", "Observation", "Settings", "begin", "key_of", "standard_deviations"]

Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]
DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Observation:
    """One measured quantity: the model's output that it shows, and how far one tick's value lies from the truth.

    `sd` (in the output's unit) and `relative` (a share of the value) add in squares. `bias_sd` is how far the model may
    lie beside this patient's measurements for long: it is estimated with the states, as an autoregression that is
    forgotten over `bias_h` hours (Kennedy and O'Hagan 2001, J. R. Stat. Soc. B 63:425, call it the discrepancy).
    """

    output: str
    sd: float
    relative: float = 0.0
    bias_sd: float = 0.0
    bias_h: float = 24.0

    def __post_init__(self) -> None:
        values = (self.sd, self.relative, self.bias_sd)
        if not all(math.isfinite(one) and one >= 0 for one in values) or self.sd + self.relative <= 0:
            raise ModelError(f"{self.output}: found errors {values}, expected none negative and sd or relative above 0")
        if not self.bias_h > 0:
            raise ModelError(f"{self.output}: found bias_h = {self.bias_h}, expected hours above 0")


@dataclass(frozen=True, slots=True)
class Settings:
    """How a filter works. The defaults are those of the twin experiment in `benchmarks/twin_experiment.py`.

    members: size of each patient's ensemble. looks: how many moments of a tick, evenly spaced and the last at its end,
    the predicted value is the mean of. walk_per_h: a parameter's random step in an hour, as a share of its prior
    standard deviation. shake_per_h: a state's, as a share of its height. relax_states, relax_parameters: how much of
    the spread that an analysis took is given back, 0 to 1, the second of discrepancies as well. localise: how many
    variances of a chance correlation the square of a correlation must exceed to act (0: all act). gate: beyond how many
    standard deviations a value is rejected; patience: how many in a row before it is believed. memory_h: over how long
    innovations are remembered to judge the filter. start_spread: a state's at the beginning, as a share. rtol: relative
    tolerance of the integration, by default ten times the model's own; method: its integrator, by default the model's.
    first_step_s: its first step in a tick. steps_max: after how many steps in one tick a member has failed.
    """

    members: int = 64
    looks: int = 1
    walk_per_h: float = 0.1
    shake_per_h: float = 0.0
    relax_states: float = 0.2
    relax_parameters: float = 0.2
    localise: float = 4.0
    gate: float = 5.0
    patience: int = 3
    memory_h: float = 0.5
    start_spread: float = 0.0
    rtol: float | None = None
    method: Literal["tsit5", "rosenbrock", "rkc"] | None = None
    first_step_s: float | None = None
    steps_max: int = 20_000

    def __post_init__(self) -> None:
        if self.members < 4 or self.looks < 1 or self.patience < 0 or self.steps_max < 1:
            raise ModelError(
                f"found {self.members} members, {self.looks} looks, patience {self.patience}, {self.steps_max} steps; "
                "expected at least 4, 1, 0 and 1"
            )
        shares = (self.relax_states, self.relax_parameters)
        if not all(0 <= one <= 1 for one in shares) or self.gate <= 0 or self.memory_h <= 0:
            raise ModelError(
                f"found relaxation {shares}, gate {self.gate}, memory {self.memory_h} h; expected 0 to 1, > 0"
            )
        if min(self.walk_per_h, self.shake_per_h, self.start_spread, self.localise) < 0:
            raise ModelError("found a random step or a localisation below 0, expected 0 or more")


@dataclass(frozen=True)
class Form:
    """How a group of values is transformed: kind (K,) (see `primitives`), low, high and width (K,)."""

    kind: NDArray[np.int64]
    low: Floats
    high: Floats
    width: Floats

    @property
    def columns(self) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
        """As the kernels take it."""
        return self.kind, self.low, self.high, self.width

    def forward(self, values: Floats) -> Floats:
        """Values (..., K) in transformed space."""
        return self._each(primitives.forward, values)

    def back(self, z: Floats) -> Floats:
        """Values (..., K) of transformed ones, within their bounds."""
        return self._each(primitives.back, z)

    def _each(self, change: Any, values: Floats) -> Floats:
        given = np.asarray(values, np.float64)
        flat, result = (
            given.reshape(-1, len(self.kind)),
            np.empty((given.size // max(len(self.kind), 1), len(self.kind))),
        )
        for k in range(len(self.kind)):
            for row in range(len(flat)):
                result[row, k] = change(self.kind[k], self.low[k], self.high[k], self.width[k], flat[row, k])
        return result.reshape(given.shape)


def _form(rows: Sequence[tuple[int, float, float, float]]) -> Form:
    kind = np.array([one[0] for one in rows], np.int64)
    low, high, width = (np.array([one[i] for one in rows], np.float64) for i in (1, 2, 3))
    return Form(kind, low, high, width)


def _parameter_row(one: Parameter) -> tuple[int, float, float, float]:
    kind = {"log": primitives.LOG, "logit": primitives.LOGIT, "plain": primitives.PLAIN}[one.scale]
    return kind, one.low, one.high, 1.0


def _state_row(one: State) -> tuple[int, float, float, float]:
    """Two bounds: the logit; a lower one: softplus, whose curved part is a twentieth of the state's usual height."""
    if math.isfinite(one.low) and math.isfinite(one.high):
        return primitives.LOGIT, one.low, one.high, 1.0
    if math.isfinite(one.low):
        height = one.initial - one.low
        return primitives.SOFT, one.low, math.inf, 0.05 * height if height > 0 else 1_000 * one.tolerance
    return primitives.PLAIN, one.low, one.high, 1.0


def standard_deviations(parameters: Sequence[Parameter], centre: Floats) -> Floats:
    """Prior standard deviations (E,) in transformed space around centre (E,).

    `Parameter.spread` is that of the logarithm, or of the value itself where the scale is plain; on the logit scale it
    is carried over by the slope of the transformation at the centre.
    """
    result = np.empty(len(parameters))
    for i, one in enumerate(parameters):
        slope = 1.0
        if one.scale == "logit":
            low, high = one.low, one.high
            inside = min(max(centre[i], low + 1e-6 * (high - low)), high - 1e-6 * (high - low))
            slope = inside * (high - low) / ((inside - low) * (high - inside))
        result[i] = abs(one.spread * slope)
    return result


@dataclass(frozen=True, eq=False)
class Filter:
    """A model, what is observed of it, and how: all that a filter of any patient needs.

    `estimated` names the parameters to estimate; by default those the model marks and that differ between people.
    `considered` names those that differ from member to member as between people, and that data do not move, by default
    all others with a spread: without them the filter would be sure of what it only assumes (Schmidt 1966, in Advances
    in Control Systems 3, has such a filter). Raises ModelError where an observation or a parameter is not the model's.
    """

    model: Model
    observations: tuple[Observation, ...]
    settings: Settings = field(default_factory=Settings)
    estimated: tuple[str, ...] = ("*",)
    considered: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        differ = [one for one in self.model.parameters if one.spread > 0]
        if self.estimated == ("*",):
            object.__setattr__(self, "estimated", tuple(one.name for one in differ if one.estimated))
        if self.considered == ("*",):
            others = tuple(one.name for one in differ if one.name not in self.estimated)
            object.__setattr__(self, "considered", others)
        if not self.observations:
            raise ModelError(f"{self.model.name}: found nothing observed, expected at least one output")
        seen = [one.output for one in self.observations]
        strange = [one for one in seen if one not in self.model.output_index]
        if strange or len(set(seen)) < len(seen):
            raise ModelError(
                f"{self.model.name}: found observations of {', '.join(strange or seen)}, expected each once and among "
                f"{', '.join(self.model.output_index)}"
            )
        if set(self.estimated) & set(self.considered):
            raise ModelError(f"{self.model.name}: found parameters both estimated and considered, expected one or none")
        for name in (*self.estimated, *self.considered):
            if self.model.parameter(name).spread <= 0:
                raise ModelError(f"{self.model.name}: found no spread of {name}, expected one to vary it by")

    # --- where things are ----------------------------------------------------

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """The parameters that differ between members (E,): the estimated ones, then those considered."""
        return tuple(self.model.parameter(name) for name in (*self.estimated, *self.considered))

    @cached_property
    def where(self) -> NDArray[np.int64]:
        """Their positions among the model's (E,)."""
        return np.array([self.model.parameter_index[name] for name in (*self.estimated, *self.considered)], np.int64)

    @cached_property
    def outputs(self) -> NDArray[np.int64]:
        """Positions of the observations among the model's outputs (O,)."""
        return np.array([self.model.output_index[one.output] for one in self.observations], np.int64)

    @cached_property
    def state_form(self) -> Form:
        """How states are transformed."""
        return _form([_state_row(one) for one in self.model.states])

    @cached_property
    def parameter_form(self) -> Form:
        """How parameters are transformed."""
        return _form([_parameter_row(one) for one in self.parameters])

    @cached_property
    def bias_form(self) -> Form:
        """Discrepancies are as they are."""
        return _form([(primitives.PLAIN, -math.inf, math.inf, 1.0)] * len(self.observations))

    @cached_property
    def spreads(self) -> Floats:
        """Prior standard deviations (E,) in transformed space, of the reference person."""
        return standard_deviations(self.parameters, np.array([one.value for one in self.parameters]))

    @cached_property
    def errors(self) -> tuple[Floats, Floats]:
        """Errors of the observations (O,): additive, relative."""
        return np.array([one.sd for one in self.observations]), np.array([one.relative for one in self.observations])

    @cached_property
    def integrated(self) -> Model:
        """The model as the filter integrates it."""
        method = self.settings.method
        return self.model if method in (None, self.model.method) else self.model.with_(method=method)

    @property
    def tick_h(self) -> float:
        """Length of a tick in hours."""
        return self.model.grid_s / 3_600

    def full(self, constants: Floats, theta: Floats) -> Floats:
        """All parameters (N, M, P) from constants (N, P) and those that differ (N, M, E)."""
        result = np.repeat(np.asarray(constants)[:, None, :], theta.shape[1], axis=1)
        result[:, :, self.where] = theta
        return result


@dataclass(frozen=True)
class Belief:
    """What is believed of N patients at the start of `tick`: all that goes into a snapshot.

    keys (N,) of the noise, constants (N, P), states (N, M, S), theta (N, M, E), bias (N, M, O) in the outputs' units,
    track (N, O, 4): how the last innovations were (see `health`). weights (N, M) are equal but in a particle filter.
    """

    tick: int
    keys: Keys
    constants: Floats
    states: Floats
    theta: Floats
    bias: Floats
    track: Floats
    weights: Floats

    def rows(self, which: slice | Sequence[int] | NDArray[Any]) -> Belief:
        """The belief about some of the patients; a slice, a list of positions or a mask."""
        at = np.arange(len(self.keys))[which]
        parts = ("keys", "constants", "states", "theta", "bias", "track", "weights")
        return replace(self, **{name: getattr(self, name)[at] for name in parts})

    def __len__(self) -> int:
        return len(self.keys)


def key_of(patient: str, seed: int = 0) -> int:
    """The key of a patient's noise (64 bits): the same on every machine."""
    return int.from_bytes(hashlib.blake2b(f"{seed}:{patient}".encode(), digest_size=8).digest(), "little")


def begin(
    one: Filter,
    keys: Sequence[int] | Keys,
    persons: Sequence[Person] | Person = REFERENCE,
    tick: int = 0,
    inputs: Floats | None = None,
    changes: Mapping[str, float] | Sequence[Mapping[str, float]] | None = None,
) -> Belief:
    """The belief before any measurement: parameters drawn from each person's prior, states where the model starts.

    inputs (U,) or (N, U): what is being done as it begins; changes: parameters known of all, or of each. Raises
    ModelError where lengths differ or no member can be started.
    """
    known = np.array([int(key) for key in keys], np.uint64)
    count, members = len(known), one.settings.members
    people = [persons] * count if isinstance(persons, Person) else list(persons)
    told = [changes] * count if changes is None or isinstance(changes, Mapping) else list(changes)
    if len(people) != count or len(told) != count:
        raise ModelError(
            f"found {count} keys, {len(people)} persons, {len(told)} changes; expected one of each a patient"
        )
    model, size, shown = one.model, len(one.parameters), len(one.observations)
    constants = np.array([model.parameter_values(who, what) for who, what in zip(people, told, strict=True)])
    constants = constants.reshape(count, len(model.parameters))
    theta, bias = np.empty((count, members, size)), np.empty((count, members, shown))
    sds = np.array([standard_deviations(one.parameters, row[one.where]) for row in constants]).reshape(count, size)
    width = np.array([each.bias_sd for each in one.observations])
    kernels.draw(known, constants[:, one.where], sds, *one.parameter_form.columns, theta, width, bias)
    u = np.broadcast_to(model.rest() if inputs is None else np.asarray(inputs, np.float64), (count, len(model.rest())))
    p = one.full(constants, theta).reshape(count * members, -1)
    states = running.start(model, p, np.repeat(u, members, axis=0))
    if model.settle > 0:
        arms = [running.held(level) for level in u]
        settled = running.run(model, states, p, -model.settle, 0.0, (), arms, np.repeat(np.arange(count), members))
        states = settled.check(model).end
    states = states.reshape(count, members, -1)
    step = np.full(len(model.states), one.settings.start_spread)
    kernels.shake(known, tick - 1, states, *one.state_form.columns, step)
    if not np.isfinite(states).all():
        raise ModelError(f"{model.name}: a start is not finite; check the persons and the inputs against their ranges")
    track, weights = np.zeros((count, shown, 4)), np.full((count, members), 1.0 / members)
    return Belief(tick, known, constants, states, theta, bias, track, weights)
