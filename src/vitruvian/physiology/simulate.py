"""Simulate a person: `simulate(model, [Action(...)], for_s=560)`.

>>> from vitruvian.physiology.bodies import body
>>> from vitruvian.physiology.simulate import Action, simulate
>>> bleed = simulate(body("acute"), [Action("blood_loss", 140, "mL/min", 0, 560)], for_s=560)  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.physiology.actions import Action, schedule
from vitruvian.physiology.base import Model, Parameter
from vitruvian.physiology.person import REFERENCE, Person
from vitruvian.physiology.run import held, run, start
from vitruvian.physiology.trajectories import Trajectories

__all__ = ["Action", "Person", "Trajectories", "drawn", "population", "settled", "simulate"]

MEMBERS_MAX: Final = 100_000
POINTS_MAX: Final = 200_000
VALUES_MAX: Final = 200_000_000
# Where no adult lives for long, and no model of one should be believed: below, above.
BELIEVABLE: Final = {
    "mean_pressure": (40.0, 200.0),
    "oxygen_saturation": (50.0, 100.5),
    "ph": (6.9, 7.8),
    "hemoglobin": (3.0, 22.0),
    "blood_volume": (1_500.0, 12_000.0),
    "glucose": (20.0, 900.0),
}
Floats = NDArray[np.float64]


def simulate(
    model: Model,
    actions: Sequence[Action] = (),
    *,
    for_s: float,
    every_s: float | None = None,
    person: Person = REFERENCE,
    parameters: Mapping[str, float] | None = None,
    members: int = 1,
    seed: int = 1,
    outputs: Sequence[str] | None = None,
) -> Trajectories:
    """What happens to a person under `actions` for `for_s` seconds, seen every `every_s` (by default 400 times).

    With `members` above 1, the others are drawn from the model's population around the person. Raises ModelError where
    the person or an action is outside the model's domain, or the run fails.
    """
    times_s = _times(for_s, every_s)
    reason = model.domain(person) if model.domain is not None else ""
    if reason:
        raise ModelError(f"{model.name}: outside its domain: {reason}")
    if not 1 <= members <= MEMBERS_MAX or members * len(times_s) * len(model.outputs) > VALUES_MAX:
        raise ModelError(
            f"found {members} members at {len(times_s)} times, expected 1 to {MEMBERS_MAX} members and at most "
            f"{VALUES_MAX:,} values in all; take fewer members or look less often"
        )
    p = population(model, person, members, seed, parameters)
    y = settled(model, p)
    plan = schedule(model, actions, p=p[0], weight_kg=person.weight_kg)
    done = run(model, y, p, 0.0, times_s[-1] / model.seconds, times_s / model.seconds, plan).check(model)
    about = {
        "model": model.name,
        "title": model.title,
        "person": asdict(person),
        "actions": [asdict(one) for one in actions],
        "parameters": dict(parameters or {}),
        "seed": seed,
        "warnings": beyond(model, times_s, done.outputs),
    }
    made = Trajectories(model.outputs, times_s, done.outputs, about)
    return made if outputs is None else made.select(outputs)


def beyond(model: Model, times_s: Floats, outputs: Floats) -> list[str]:
    """From when on the typical member (M, T, O) leaves what a living adult can be, a sentence for each output."""
    found = []
    for name, (low, high) in BELIEVABLE.items():
        if name in model.output_index:
            course = np.median(outputs[:, :, model.output_index[name]], axis=0)
            out = np.flatnonzero((course < low) | (course > high))
            if len(out):
                unit = model.outputs[model.output_index[name]].unit
                found.append(
                    f"from {times_s[out[0]]:.0f} s on {name.replace('_', ' ')} is {course[out[0]]:.3g} {unit}, outside "
                    f"{low:g} to {high:g}: nothing the model says from then on should be believed"
                )
    return found


def _times(for_s: float, every_s: float | None) -> Floats:
    if not 0 < for_s < 1e10 or (every_s is not None and not 0 < every_s <= for_s):
        raise ModelError(f"found {for_s} s seen every {every_s} s, expected a time above 0 and a shorter interval")
    count = 400 if every_s is None else int(np.floor(for_s / every_s + 1e-9))
    if count > POINTS_MAX:
        raise ModelError(f"found {count} points in time, expected at most {POINTS_MAX}; look less often")
    times = np.asarray(np.linspace(0.0, for_s, 401) if every_s is None else np.arange(count + 1) * every_s, np.float64)
    return times if times[-1] >= for_s - 1e-9 else np.append(times, for_s)


def population(
    model: Model, person: Person, members: int, seed: int, changes: Mapping[str, float] | None = None
) -> Floats:
    """Parameters (M, P) of `members` people like `person`: the first is the typical one, each other is drawn from the
    spread of the parameters, within their ranges. What `changes` names is the same in all.
    """
    typical = model.parameter_values(person, changes)
    p = np.tile(typical, (members, 1))
    draws = np.random.Generator(np.random.Philox(key=seed)).standard_normal((members, len(model.parameters)))
    for i, one in enumerate(model.parameters):
        if one.spread > 0 and one.name not in (changes or {}):
            p[1:, i] = drawn(one, typical[i], draws[1:, i])
    return p


def drawn(one: Parameter, typical: float, z: Floats) -> Floats:
    """Values of a parameter drawn around `typical`, z standard deviations away (any shape), within its range."""
    if one.scale == "plain":
        values = typical + one.spread * z
    elif one.scale == "log":
        values = typical * np.exp(one.spread * z)
    else:
        span = one.high - one.low
        share = np.clip((typical - one.low) / span, 1e-9, 1 - 1e-9)
        slope = one.spread * max(abs(typical), 1e-12) / (share * (1 - share) * span)
        values = one.low + span / (1 + np.exp(-(np.log(share / (1 - share)) + slope * z)))
    return np.asarray(np.clip(values, one.low, one.high), np.float64)


def settled(model: Model, p: Floats, u: Floats | None = None) -> Floats:
    """Where members stand once the transients of the start have died away: (M, S) of p (M, P). Raises ModelError."""
    y = start(model, p, u)
    if model.settle <= 0:
        return y
    if len(p) == 1 and u is None:
        return _settled_one(model, p.tobytes()).copy()
    return run(model, y, p, -model.settle, 0.0, (), held(model.rest() if u is None else u)).check(model).end


@lru_cache(maxsize=256)
def _settled_one(model: Model, values: bytes) -> Floats:
    p = np.frombuffer(values).reshape(1, -1).copy()  # writable: read-only arrays would be compiled for once more
    return run(model, start(model, p), p, -model.settle, 0.0, (), held(model.rest())).check(model).end
