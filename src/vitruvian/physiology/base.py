"""The contract of a model: what a room of `physiology/` declares, and the kernels it brings.

Notation, shapes and order are the same everywhere:

- `t` time in the model's `time_unit`; `y` (S,) states; `p` (P,) parameters; `u` (U,) what acts from outside, first the
  `inputs`, then the `imports` (couplings that another room provides in a body), each in declared order.
- `rhs(t, y, p, u, dydt)` writes the slope (S,), each state's unit per `time_unit`.
- `observe(t, y, p, u, out)` writes the outputs (O,).
- `emit(t, y, p, x)` writes the exports (X,): couplings for other rooms. They follow from the room's own states and
  parameters alone, so that no body has an algebraic loop and rooms need no order.
- `start(p, u, y)` writes where the model begins (S,): its steady state under those inputs where it has one.
- `event(t, y, p, u, g)` writes `events` functions; where g[i] rises through 0, `jump(i, t, y, p, u)` may change y and
  returns whether to stop.

All kernels are `numba.njit` functions on float64, without allocation where that can be helped, and must not keep state.
A dose (a bolus) is not an input: it adds an amount to a state at an instant, as `Dose` declares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError, UnitError
from vitruvian.core.units import conversion, parse
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.person import REFERENCE, Person

__all__ = ["Dose", "Export", "Import", "Input", "Model", "Output", "Parameter", "State", "TimeUnit"]

TimeUnit = Literal["s", "min", "h", "d"]
SECONDS: Final[dict[str, float]] = {"s": 1.0, "min": 60.0, "h": 3_600.0, "d": 86_400.0}
Kernel = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class State:
    """A state. `initial` is the published starting value; `low` and `high` bound what is physically possible;
    `tolerance` is the absolute error the integrator may make in it.
    """

    name: str
    unit: str
    initial: float
    about: str = ""
    low: float = 0.0
    high: float = math.inf
    tolerance: float = 1e-6


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: value in the reference person, unit, possible range, spread between people, and its source.

    `spread` is the coefficient of variation between people of the same build (the standard deviation of the logarithm;
    of the value itself where `scale` is "plain"); 0 is a constant of nature or of the method. Values stay in (low,
    high): filters work on the logarithm, the logit between the bounds, or the plain value, as `scale` says.
    `estimated` marks what data of one patient may move.
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    source: str
    about: str = ""
    spread: float = 0.0
    scale: Literal["log", "logit", "plain"] = "log"
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """Something done to the patient that holds until it is changed: a rate, a setting, a severity. `default` is
    "nothing done". `concept` is the vocabulary's name for it where that differs from `name`.
    """

    name: str
    unit: str
    default: float
    low: float
    high: float
    about: str = ""
    concept: str = ""


@dataclass(frozen=True, slots=True)
class Dose:
    """A bolus: an amount in `unit` adds `factor` times itself to the state `into` at an instant. `factor_by` names a
    parameter that multiplies it as well (bioavailability).
    """

    name: str
    unit: str
    into: str
    factor: float = 1.0
    high: float = math.inf
    about: str = ""
    factor_by: str = ""
    concept: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """Something seen. A name of the vocabulary has the vocabulary's unit; any other is internal to the model."""

    name: str
    unit: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Import:
    """A coupling taken from another room; `default` holds where no room provides it."""

    name: str
    unit: str
    default: float
    about: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """A coupling offered to other rooms."""

    name: str
    unit: str
    about: str = ""


@njit
def _no_event(t, y, p, u, g):  # type: ignore[no-untyped-def]
    pass


@njit
def _no_jump(which, t, y, p, u):  # type: ignore[no-untyped-def]
    return False


def _unchanged(values: dict[str, float], person: Person) -> dict[str, float]:
    return values


@njit
def _default_start(p, u, y):  # type: ignore[no-untyped-def]
    pass


@dataclass(frozen=True, eq=False)
class Model:
    """A model: declarations and kernels. Checked when made: ModelError or UnitError says what does not fit.

    `personalise(values, person)` returns parameter values scaled to a person's age, sex, height and weight from the
    reference values. `settle` is a time after which transients of the start have died away (0: `start` is steady).
    `grid_s` is the grid on which live filters step it. `first_step` and `h_max` are in `time_unit`. `limits` says in
    words where the model must not be used; `domain(person)` gives the reason a person is outside it, or "".
    """

    name: str
    title: str
    time_unit: TimeUnit
    states: tuple[State, ...]
    parameters: tuple[Parameter, ...]
    outputs: tuple[Output, ...]
    rhs: Kernel
    observe: Kernel
    inputs: tuple[Input, ...] = ()
    doses: tuple[Dose, ...] = ()
    imports: tuple[Import, ...] = ()
    exports: tuple[Export, ...] = ()
    emit: Kernel | None = None
    start: Kernel = _default_start
    event: Kernel = _no_event
    jump: Kernel = _no_jump
    events: int = 0
    personalise: Callable[[dict[str, float], Person], dict[str, float]] = _unchanged
    domain: Callable[[Person], str] | None = None
    method: Literal["tsit5", "rosenbrock", "rkc"] = "tsit5"
    rtol: float = 1e-5
    first_step: float = 1e-3
    h_max: float = math.inf
    settle: float = 0.0
    grid_s: float = 60.0
    limits: str = ""
    sources: tuple[str, ...] = ()
    source: str = ""  # text the kernels were generated from, where they were

    def __post_init__(self) -> None:
        if self.start is _default_start:
            object.__setattr__(self, "start", _constant_start(np.array([one.initial for one in self.states])))
            object.__setattr__(self, "source", self.source + repr([one.initial for one in self.states]))
        _check(self)

    # --- where things are ----------------------------------------------------

    @cached_property
    def state_index(self) -> dict[str, int]:
        """Position of each state."""
        return {one.name: i for i, one in enumerate(self.states)}

    @cached_property
    def parameter_index(self) -> dict[str, int]:
        """Position of each parameter."""
        return {one.name: i for i, one in enumerate(self.parameters)}

    @cached_property
    def output_index(self) -> dict[str, int]:
        """Position of each output."""
        return {one.name: i for i, one in enumerate(self.outputs)}

    @cached_property
    def input_index(self) -> dict[str, int]:
        """Position of each input in `u`."""
        return {one.name: i for i, one in enumerate(self.inputs)}

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """Every kernel of the model."""
        kernels = (self.rhs, self.observe, self.start, self.event, self.jump)
        return kernels if self.emit is None else (*kernels, self.emit)

    @property
    def seconds(self) -> float:
        """Seconds in the model's unit of time."""
        return SECONDS[self.time_unit]

    @cached_property
    def atol(self) -> NDArray[np.float64]:
        """Absolute tolerances (S,)."""
        return np.array([one.tolerance for one in self.states])

    # --- values --------------------------------------------------------------

    def rest(self) -> NDArray[np.float64]:
        """`u` with nothing done and nothing coupled (U,)."""
        return np.array([one.default for one in self.inputs] + [one.default for one in self.imports], np.float64)

    def parameter_values(
        self, person: Person = REFERENCE, changes: Mapping[str, float] | None = None
    ) -> NDArray[np.float64]:
        """The parameters (P,) of a person, with some of them set by name afterwards. Raises ModelError."""
        values = self.personalise({one.name: one.value for one in self.parameters}, person)
        for name, value in (changes or {}).items():
            one = self.parameter(name)
            if not one.low <= value <= one.high:
                raise ModelError(
                    f"{self.name}: found {name} = {value:g} {one.unit}, expected {one.low:g} to {one.high:g}; "
                    "give a value the model was made for"
                )
            values[name] = float(value)
        return np.array([values[one.name] for one in self.parameters], np.float64)

    def parameter(self, name: str) -> Parameter:
        """A parameter by name. Raises ModelError that names those there are."""
        if name not in self.parameter_index:
            raise ModelError(
                f"{self.name}: found parameter {name!r}, expected one of {', '.join(self.parameter_index)}"
            )
        return self.parameters[self.parameter_index[name]]

    def with_(self, **changes: Any) -> Model:
        """A copy with some fields changed."""
        return replace(self, **changes)


def _constant_start(values: NDArray[np.float64]) -> Kernel:
    @njit
    def start(p, u, y):  # type: ignore[no-untyped-def]
        for i in range(y.shape[0]):
            y[i] = values[i]

    kernel: Kernel = start
    return kernel


# --- checks ------------------------------------------------------------------


def _check(model: Model) -> None:
    if not model.name.isidentifier() or not model.name.islower():
        raise ModelError(f"found a model named {model.name!r}, expected lower case letters, digits and underscores")
    if not model.states or not model.outputs:
        raise ModelError(f"{model.name}: found no states or no outputs, expected at least one of each")
    for kind in ("states", "parameters", "outputs", "inputs", "doses", "imports", "exports"):
        items: Sequence[Any] = getattr(model, kind)
        names = [one.name for one in items]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ModelError(f"{model.name}: found {', '.join(sorted(twice))} twice in {kind}, expected each once")
        for one in items:
            parse(one.unit)
    for output in model.outputs:
        _check_concept_unit(model, output)
    for parameter in model.parameters:
        if not parameter.low <= parameter.value <= parameter.high or not parameter.source:
            raise ModelError(
                f"{model.name}: found {parameter.name} = {parameter.value} in [{parameter.low}, {parameter.high}] from "
                f"{parameter.source!r}, expected a value within its range and a source"
            )
    for given in model.inputs:
        if not given.low <= given.default <= given.high:
            raise ModelError(f"{model.name}: input {given.name}: found default {given.default} outside its range")
    for dose in model.doses:
        if dose.into not in model.state_index or (dose.factor_by and dose.factor_by not in model.parameter_index):
            raise ModelError(f"{model.name}: dose {dose.name}: found no state {dose.into!r} or no {dose.factor_by!r}")
    if model.exports and model.emit is None:
        raise ModelError(f"{model.name}: found exports and no emit, expected the kernel that writes them")


def _check_concept_unit(model: Model, output: Output) -> None:
    if output.name in VOCABULARY:
        wanted = VOCABULARY[output.name].unit
        if conversion(output.unit, wanted) != (1.0, 0.0):
            raise UnitError(f"{model.name}: found {output.name} in {output.unit}, expected the vocabulary's {wanted}")
