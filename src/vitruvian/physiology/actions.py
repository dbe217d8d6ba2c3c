"""What is done to a patient, in a clinician's units, and what that means for a model.

The same object serves the command line, HTTP, what-if, treatment planning and virtual trials.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError, UnitError
from vitruvian.core.units import conversion
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.base import Dose, Input, Model
from vitruvian.physiology.run import Schedule

__all__ = ["Action", "find", "schedule"]

ACTIONS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Action:
    """An intervention: `value` in `unit` of what `name` names, from `start_s` on for `duration_s`.

    The unit tells what is meant: a rate or a setting holds for the duration (without one, to the end); an amount with
    a duration is given evenly over it; an amount without one is a bolus. Times are seconds from the start of the run.
    """

    name: str
    value: float
    unit: str = ""
    start_s: float = 0.0
    duration_s: float | None = None

    @property
    def end_s(self) -> float:
        """When it ends; infinite where it does not."""
        return math.inf if self.duration_s is None else self.start_s + self.duration_s


def find(model: Model, name: str) -> tuple[Input | None, Dose | None]:
    """The input and the dose that a name means to a model: its own name, or any alias of the vocabulary.

    Raises ModelError that lists what the model knows.
    """
    concept = VOCABULARY.get(name) or VOCABULARY.by_alias(name)
    names = {name, name.replace("-", "_").casefold()} | ({concept.name} if concept else set())
    given = next((one for one in model.inputs if one.name in names or (one.concept and one.concept in names)), None)
    dose = next((one for one in model.doses if one.name in names or (one.concept and one.concept in names)), None)
    if given is None and dose is None:
        known = ", ".join(sorted({one.name for one in model.inputs} | {one.name for one in model.doses}))
        raise ModelError(f"{model.name} has no intervention {name!r}; expected one of {known}")
    return given, dose


def schedule(
    model: Model,
    actions: Sequence[Action],
    *,
    p: NDArray[np.float64] | None = None,
    weight_kg: float | None = None,
    base: NDArray[np.float64] | None = None,
) -> Schedule:
    """The schedule of a model for these actions; `p` (P,) gives the parameters that a dose is scaled by.

    Rates given at the same time add up; of settings, the one that begins last holds. With `weight_kg`, amounts and
    rates may be given in total where the model takes them per kg. `base` (U,) is what goes on where no action speaks of
    an input (by default nothing done); while actions speak of one, they replace what went on. Raises ModelError or
    UnitError.
    """
    if len(actions) > ACTIONS_MAX:
        raise ModelError(f"found {len(actions)} interventions, expected at most {ACTIONS_MAX}; merge some")
    held: list[tuple[int, float, float, float]] = []
    doses: list[tuple[float, int, float]] = []
    for action in actions:
        _check(action)
        given, dose = find(model, action.name)
        level = None if given is None else _level(model, given, action, weight_kg)
        if given is not None and level is not None:
            held.append((model.input_index[given.name], level, action.start_s, action.end_s))
        elif dose is not None:
            doses += _doses(model, dose, action, p, weight_kg)
        else:
            assert given is not None
            raise UnitError(
                f"{model.name}: found {action.name} in {action.unit!r}, expected a unit like {given.unit!r}, "
                "or an amount with a duration"
            )
    edges = sorted({0.0} | {t for _, _, begin, end in held for t in (begin, end) if math.isfinite(t)})
    levels = np.tile(model.rest() if base is None else base, (len(edges), 1))
    for i, t in enumerate(edges):
        spoken: set[int] = set()
        for which, level, begin, end in sorted(held, key=lambda one: one[2]):
            if begin <= t < end:
                one = model.inputs[which]
                adds = one.default == 0.0 and "/" in one.unit
                before = levels[i, which] if which in spoken else one.default
                levels[i, which] = min(before + level if adds else level, one.high)
                spoken.add(which)
    doses.sort()
    return Schedule(
        np.array(edges) / model.seconds,
        levels,
        np.array([t for t, _, _ in doses]) / model.seconds,
        np.array([state for _, state, _ in doses], np.int64),
        np.array([amount for _, _, amount in doses]),
    )


def _check(action: Action) -> None:
    if action.start_s < 0:
        raise ModelError(f"found {action.name} from {action.start_s:g} s, expected a start of 0 or later")
    numbers = (action.value, action.start_s, 0.0 if action.duration_s is None else action.duration_s)
    if not all(math.isfinite(one) for one in numbers) or (action.duration_s is not None and action.duration_s <= 0):
        raise ModelError(
            f"found {action.name}: {action.value} from {action.start_s} s for {action.duration_s} s, expected finite "
            "numbers and a duration above 0"
        )


def _level(model: Model, given: Input, action: Action, weight_kg: float | None) -> float | None:
    """The level of an input; None where the unit does not fit it (an amount without a duration)."""
    value, unit = action.value, action.unit or given.unit
    level = _converted(value, unit, given.unit, weight_kg)
    if level is None and action.duration_s is not None:
        level = _converted(
            value / action.duration_s, f"{unit}/s" if "/" not in unit else f"{unit}.s-1", given.unit, weight_kg
        )
    if level is not None and not given.low <= level <= given.high:
        raise ModelError(
            f"{model.name}: found {action.name} at {level:g} {given.unit}, expected {given.low:g} to {given.high:g}; "
            "outside it the model says nothing"
        )
    return level


def _read(unit: str, wanted: str) -> str:
    """The unit as it is meant: units of insulin are written U, which UCUM has for the activity of enzymes."""
    return re.sub(r"(?<![A-Za-z\[])(IU|U|units?)(?![A-Za-z\]])", "[iU]", unit) if "[iU]" in wanted else unit


def _converted(value: float, unit: str, wanted: str, weight_kg: float | None) -> float | None:
    unit = _read(unit, wanted)
    if "/kg" in unit and "/kg" not in wanted and weight_kg is not None:
        unit, value = unit.replace("/kg", "", 1), value * weight_kg
    for scale, target in ((1.0, wanted), (weight_kg or 0.0, wanted.replace("/kg", ""))):
        if scale == 0.0 or (scale != 1.0 and target == wanted):
            continue
        try:
            factor, offset = conversion(unit, target)
        except UnitError:
            continue
        return (value * factor + offset) / scale
    return None


def _doses(
    model: Model, dose: Dose, action: Action, p: NDArray[np.float64] | None, weight_kg: float | None
) -> list[tuple[float, int, float]]:
    unit, value = _read(action.unit or dose.unit, dose.unit), action.value
    if unit.endswith("/kg") and not dose.unit.endswith("/kg") and weight_kg is not None:
        unit, value = unit.removesuffix("/kg"), value * weight_kg
    factor, _ = conversion(unit, dose.unit)
    amount = value * factor
    if not 0 <= amount <= dose.high:
        raise ModelError(f"{model.name}: found {action.name} of {amount:g} {dose.unit}, expected 0 to {dose.high:g}")
    scale = dose.factor
    if dose.factor_by:
        values = model.parameter_values() if p is None else p
        scale *= float(values[model.parameter_index[dose.factor_by]])
    return [(action.start_s, model.state_index[dose.into], amount * scale)]
