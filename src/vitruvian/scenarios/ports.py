"""What a what-if is given: a patient's body as an ensemble, and what the live risk models have read so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vitruvian.physiology.base import Model
from vitruvian.physiology.person import Person
from vitruvian.signals.tracker import Tracker

__all__ = ["Posterior", "Signals"]

Floats = NDArray[np.float64]


class Posterior(Protocol):
    """One patient's body at an instant, M members: what is believed now, and what was believed before any data.

    `states` (M, S), `parameters` (M, P), and the `prior` (M, P) with its settled `prior_states` (M, S), drawn with the
    same random numbers. `u` (U,) is what is being done now. `status` is "tracking", "learning" (too few data yet),
    "lost" (the filter no longer follows the patient) or "outside" (the model is not made for this person); `reason`
    says why in words.
    """

    @property
    def model(self) -> Model:
        """The body."""
        ...

    @property
    def person(self) -> Person:
        """Whose it is."""
        ...

    @property
    def at_us(self) -> int:
        """When, in microseconds since 1970."""
        ...

    @property
    def states(self) -> Floats:
        """(M, S)."""
        ...

    @property
    def parameters(self) -> Floats:
        """(M, P)."""
        ...

    @property
    def prior(self) -> Floats:
        """(M, P)."""
        ...

    @property
    def prior_states(self) -> Floats:
        """(M, S)."""
        ...

    @property
    def u(self) -> Floats:
        """(U,)."""
        ...

    @property
    def status(self) -> str:
        """How far it can be trusted."""
        ...

    @property
    def reason(self) -> str:
        """Why, in words."""
        ...


@dataclass(frozen=True, slots=True)
class Signals:
    """What the live risk models have read of a patient: a tracker of one row (a copy: it is not changed), the birth
    date (`scores.inputs.NO_BIRTH` where unknown), the age, and the sex (1 male, 0 female), NaN where unknown.
    """

    tracker: Tracker
    birth_us: int
    age_years: float
    male: float
