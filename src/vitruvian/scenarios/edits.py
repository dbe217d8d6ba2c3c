"""Taking something to be otherwise than it is: what that does to a body, and what no body can represent.

Three kinds of edit reach the body:

- a personal value (age, height, weight): parameters are scaled as `personalise` scales them from one person to the
  other, and states move by as much as the model's own start does;
- a parameter of the model: set in every member;
- an output (a vital sign or laboratory value that the model computes): the ensemble is taken to have been measured
  exactly there. Each member moves by the ensemble's own regression of states and parameters on that output (the
  analysis step of an ensemble Kalman filter without observation error: Evensen 2003, Ocean Dynamics 53:343), repeated
  because the output is not linear.

Anything else is read by the risk models alone, and the notes say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError, VocabularyError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.base import Model, Parameter
from vitruvian.physiology.person import Person
from vitruvian.physiology.run import observe, start

__all__ = ["PERSONAL", "Members", "apply_edits", "condition", "edit_person"]

Floats = NDArray[np.float64]
PERSONAL: Final[dict[str, str]] = {
    "age_years": "age_years",
    "body_height": "height_cm",
    "body_weight": "weight_kg",
}
ROUNDS: Final = 12
REACHED: Final = 0.02  # share of an edited value by which the body may miss it
RIDGE: Final = 1e-3  # of each output's variance: outputs that go together need no huge steps
EDGE: Final = 1e-6  # how near a bound, as a share of the range, a value may come


@dataclass(frozen=True)
class Members:
    """An ensemble at an instant: person, states (M, S), parameters (M, P); `notes` say what edits could not do, and
    `read` what risk models are to read in place of what was measured.
    """

    person: Person
    states: Floats
    parameters: Floats
    notes: tuple[str, ...] = ()
    read: tuple[tuple[str, float], ...] = field(default=())


def apply_edits(
    model: Model, members: Members, edits: Sequence[tuple[str, float]], u: Floats, about: Members | None = None
) -> Members:
    """Members as they would be with these values otherwise, under inputs `u` (U,); `about` as in `condition`.

    Raises ModelError for a value outside its range, VocabularyError for a name that nobody knows.
    """
    personal = {PERSONAL[name]: value for name, value in edits if name in PERSONAL}
    if personal:
        members = edit_person(model, members, replace(members.person, **personal), u)  # type: ignore[arg-type]
    outputs: list[tuple[str, float]] = []
    for name, value in edits:
        if name in PERSONAL:
            members = replace(members, read=(*members.read, (name, value)))
            continue
        if name in model.parameter_index:
            members = _set(model, members, name, value, u)
            continue
        concept = VOCABULARY.get(name)
        if concept is None or concept.kind == "intervention":
            raise VocabularyError(
                f"found {name[:80]!r} to edit, expected a vital sign or laboratory value of the vocabulary, "
                f"{', '.join(PERSONAL)}, or a parameter of {model.name}"
            )
        if not concept.is_plausible(value):
            low, high = concept.plausible
            raise ModelError(f"found {name} = {value:g} {concept.unit}, expected {low:g} to {high:g}; correct it")
        members = replace(members, read=(*members.read, (name, value)))
        if name in model.output_index:
            outputs.append((name, value))
        else:
            note = (
                f"{concept.display}: the body does not compute it; only scores and risk models read the edited value."
            )
            members = replace(members, notes=(*members.notes, note))
    return condition(model, members, outputs, u, about) if outputs else members


def edit_person(model: Model, members: Members, person: Person, u: Floats) -> Members:
    """The same members in another person's body. Raises ModelError where that person is outside the model's domain."""
    reason = model.domain(person) if model.domain is not None else ""
    if reason:
        raise ModelError(f"{model.name}: outside its domain: {reason}")
    before, after = model.parameter_values(members.person), model.parameter_values(person)
    moved = members.parameters.copy()
    for i, one in enumerate(model.parameters):
        scales = before[i] > 0 and after[i] > 0
        moved[:, i] = moved[:, i] * (after[i] / before[i]) if scales else moved[:, i] + after[i] - before[i]
        moved[:, i] = np.clip(moved[:, i], one.low, one.high)
    return _restarted(model, replace(members, person=person), moved, u)


def _set(model: Model, members: Members, name: str, value: float, u: Floats) -> Members:
    one = model.parameter(name)
    if not one.low <= value <= one.high:
        raise ModelError(
            f"{model.name}: found {name} = {value:g} {one.unit}, expected {one.low:g} to {one.high:g}; outside it the "
            "model says nothing"
        )
    moved = members.parameters.copy()
    moved[:, model.parameter_index[name]] = value
    return _restarted(model, members, moved, u)


def _restarted(model: Model, members: Members, parameters: Floats, u: Floats) -> Members:
    """States move by as much as the model's own beginning does between the two sets of parameters."""
    shift = start(model, parameters, u) - start(model, members.parameters, u)
    states = _bounded(model, members.states + np.nan_to_num(shift))
    return replace(members, states=states, parameters=parameters)


def _bounded(model: Model, states: Floats) -> Floats:
    low = np.array([one.low for one in model.states])
    high = np.array([one.high for one in model.states])
    return np.clip(states, low, high)


# --- outputs -----------------------------------------------------------------


def condition(
    model: Model, members: Members, wanted: Sequence[tuple[str, float]], u: Floats, about: Members | None = None
) -> Members:
    """Members that show these outputs now; what cannot be reached is told in the notes.

    The regression is that of `about` (by default of the members themselves): the wider ensemble from before any data
    tells better what goes with what. Steps that lead away are halved, and the nearest members found are returned.
    """
    places = [model.output_index[name] for name, _ in wanted]
    target = np.array([value for _, value in wanted])
    near = _tolerance(wanted)
    free = [i for i, one in enumerate(model.parameters) if one.spread > 0 or one.estimated]
    gain = _regression(model, about or members, places, free, u)

    def shown_by(which: Members) -> Floats:
        return observe(model, 0.0, which.states, which.parameters, u)[:, places]

    best, shown = members, shown_by(members)
    miss, share = _miss(shown, target, near), 1.0
    for _ in range(ROUNDS):
        if miss <= 0.25:
            break
        step = share * (gain @ (target - shown).T).T
        tried = _moved(model, best, np.where(np.isfinite(step), step, 0.0), free)
        seen = shown_by(tried)
        if (missed := _miss(seen, target, near)) < miss:
            best, shown, miss = tried, seen, missed
        else:
            share /= 2
    notes = [
        f"{VOCABULARY[name].display}: the body could be moved to {VOCABULARY[name].format(got)} only, not to "
        f"{VOCABULARY[name].format(value)} {VOCABULARY[name].unit}; scores and risk models read the edited value."
        for (name, value), got, least in zip(wanted, np.median(shown, axis=0).tolist(), near, strict=True)
        if not abs(got - value) <= least
    ]
    return replace(best, notes=(*members.notes, *notes))


def _miss(shown: Floats, target: Floats, near: Floats) -> float:
    """How far the members are from the target, in tolerances; infinite where they show nothing."""
    missed = float(np.abs((np.median(shown, axis=0) - target) / near).max())
    return missed if np.isfinite(missed) else np.inf


def _regression(model: Model, about: Members, places: Sequence[int], free: Sequence[int], u: Floats) -> Floats:
    plain = np.column_stack([about.states, _unbounded(model, about.parameters, free)])
    return _gain(plain, observe(model, 0.0, about.states, about.parameters, u)[:, places])


def _moved(model: Model, members: Members, step: Floats, free: Sequence[int]) -> Members:
    """Members moved by a step (M, Z): states as they are, then free parameters on their unbounded scale."""
    width = members.states.shape[1]
    parameters = members.parameters.copy()
    parameters[:, free] = _bound(model, _unbounded(model, parameters, free) + step[:, width:], free)
    return replace(members, states=_bounded(model, members.states + step[:, :width]), parameters=parameters)


def _tolerance(wanted: Sequence[tuple[str, float]]) -> Floats:
    steps = [10.0 ** -VOCABULARY[name].decimals for name, _ in wanted]
    return np.array([max(REACHED * abs(value), step) for (_, value), step in zip(wanted, steps, strict=True)])


def _gain(plain: Floats, shown: Floats) -> Floats:
    """Regression (Z, K) of every coordinate (M, Z) on the outputs (M, K); correlations lose what chance would give
    them, 1 / M of their square.
    """
    members = len(plain)
    about, seen = plain - plain.mean(axis=0), shown - shown.mean(axis=0)
    cross, spread = about.T @ seen / members, seen.T @ seen / members
    scale = np.sqrt(np.outer(about.var(axis=0), seen.var(axis=0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        square = np.where(scale > 0, (cross / scale) ** 2, 0.0)
        cross = np.where(square > 1 / members, cross * (1 - 1 / (members * square)), 0.0)
    ridge = np.diag(np.maximum(RIDGE * np.diag(spread), 1e-300))
    return np.asarray(cross @ np.linalg.pinv(spread + ridge), np.float64)


def _unbounded(model: Model, parameters: Floats, free: Sequence[int]) -> Floats:
    columns = [_coordinate(model.parameters[i], parameters[:, i]) for i in free]
    return np.column_stack(columns) if columns else np.empty((len(parameters), 0))


def _coordinate(one: Parameter, values: Floats) -> Floats:
    if one.scale == "log":
        return np.log(np.maximum(values, max(one.low, 1e-300)))
    if one.scale == "logit":
        share = np.clip((values - one.low) / (one.high - one.low), EDGE, 1 - EDGE)
        return np.asarray(np.log(share / (1 - share)), np.float64)
    return values


def _bound(model: Model, plain: Floats, free: Sequence[int]) -> Floats:
    columns = []
    for column, i in enumerate(free):
        one, z = model.parameters[i], plain[:, column]
        if one.scale == "log":
            z = np.exp(np.minimum(z, 700.0))
        elif one.scale == "logit":
            z = one.low + (one.high - one.low) / (1 + np.exp(-np.clip(z, -700.0, 700.0)))
        columns.append(np.clip(z, one.low, one.high))
    return np.column_stack(columns) if columns else np.empty((len(plain), 0))
