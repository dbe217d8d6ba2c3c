"""An ensemble of people like someone, before any data of theirs: where a what-if without a ward starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitruvian.physiology.base import Model
from vitruvian.physiology.implicit import implicit
from vitruvian.physiology.person import REFERENCE, Person
from vitruvian.physiology.simulate import population, settled

__all__ = ["Believed", "believed"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Believed:
    """A posterior (`ports.Posterior`) that has learnt nothing: no difference owes anything to data."""

    model: Model
    person: Person
    at_us: int
    states: Floats
    parameters: Floats
    prior: Floats
    prior_states: Floats
    u: Floats
    status: str = "learning"
    reason: str = "nothing was measured; this is anyone like this person"
    updates: int = 0


def believed(model: Model, person: Person = REFERENCE, *, members: int = 64, seed: int = 1, at_us: int = 0) -> Believed:
    """Members drawn from the model's population around a person, settled. Raises ModelError."""
    p = population(model, person, members, seed)
    y = settled(implicit(model), p)
    return Believed(model, person, at_us, y, p, p, y, model.rest())
