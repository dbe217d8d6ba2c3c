"""The bodies of a ward in memory: a stand-in of a filter about a stand-in of a body, quick and never right."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import NotFoundError
from vitruvian.physiology.base import Model
from vitruvian.physiology.person import Person
from vitruvian.physiology.run import held, observe, run
from vitruvian.physiology.simulate import population, settled
from vitruvian.physiology.trajectories import BANDS, Trajectories
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.scenarios import RiskModels, ScenarioStore, Signals
from vitruvian.scenarios.edits import Members, condition
from vitruvian.service.bodies import BodyAnswers
from vitruvian.testing.beds import Bed
from vitruvian.testing.stand_in import STAND_IN

__all__ = ["STAND_IN", "MemoryBodies", "memory_bodies"]

MEMBERS: Final = 32
KEPT_OF_PRIOR: Final = 0.25  # of the spread believed before, how much the stand-in of a filter leaves
FOLLOWED: Final = ("heart_rate", "mean_pressure", "respiratory_rate", "oxygen_saturation")
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Body:
    """A posterior (`scenarios.ports.Posterior`)."""

    model: Model
    person: Person
    at_us: int
    states: Floats
    parameters: Floats
    prior: Floats
    prior_states: Floats
    u: Floats
    status: str = "tracking"
    reason: str = ""
    updates: int = 60


@dataclass(frozen=True)
class Estimate:
    """An unmeasured quantity, with the middle 50 and 90 % of the members."""

    name: str
    unit: str
    median: float
    low: float
    high: float
    low50: float
    high50: float
    prior_low: float
    prior_high: float
    from_data: float


class MemoryBodies:
    """The bodies of a ward in memory: `newest(pid)` gives what is measured, None where nobody is there. A patient in
    `standing` has that (status, reason) instead of a body that tracks; of one in `without` there is none.
    """

    def __init__(
        self,
        newest: Callable[[int], Mapping[str, float] | None],
        now_us: Callable[[], int],
        model: Model = STAND_IN,
        members: int = MEMBERS,
    ) -> None:
        self._newest, self._now_us, self._model, self._members = newest, now_us, model, members
        self._made: dict[int, Body] = {}
        self.standing: dict[int, tuple[str, str]] = {}
        self.without: set[int] = set()

    def posterior(self, pid: int) -> Body | None:
        """The body, made anew each minute of clinical time."""
        values = None if pid in self.without else self._newest(pid)
        if values is None:
            return None
        now_us, known = self._now_us(), self._made.get(pid)
        status, reason = self.standing.get(pid, ("tracking", ""))
        if known is None or not 0 <= now_us - known.at_us < 60_000_000 or known.status != status:
            known = self._made[pid] = self._body(pid, values, now_us, status, reason)
        return known

    def _body(self, pid: int, values: Mapping[str, float], now_us: int, status: str, reason: str) -> Body:
        model, person, u = self._model, Person(), self._model.rest()
        prior = population(model, person, self._members, 1_000 + pid)
        prior_states = settled(model, prior, u)
        wanted = [(name, values[name]) for name in FOLLOWED if name in values and name in model.output_index]
        near = condition(model, Members(person, prior_states, prior), wanted, u) if wanted else None
        # A filter that has seen much leaves little of the prior's spread about what it found.
        parameters = prior
        if near is not None:
            found, middle = np.median(near.parameters, axis=0), np.median(prior, axis=0)
            parameters = found + KEPT_OF_PRIOR * (prior - middle)
        low, high = (np.array([getattr(one, end) for one in model.parameters]) for end in ("low", "high"))
        parameters = np.clip(parameters, low, high)
        return Body(model, person, now_us, settled(model, parameters, u), parameters, prior, prior_states, u,
                    status, reason)  # fmt: skip

    def forecast(self, pid: int, horizon_s: float, every_s: float = 300.0) -> Trajectories | None:
        """What comes next, with nothing changed."""
        body = self.posterior(pid)
        if body is None or body.status in ("lost", "outside"):
            return None
        times_s = np.arange(0.0, horizon_s + 1e-6, every_s)
        at = times_s / body.model.seconds
        done = run(body.model, body.states, body.parameters, 0.0, float(at[-1]), at, held(body.u)).check(body.model)
        return Trajectories(body.model.outputs, times_s, done.outputs, {"model": body.model.name})

    def estimates(self, pid: int) -> Sequence[Estimate]:
        """What is not measured, estimated."""
        body = self.posterior(pid)
        if body is None:
            return []
        now = observe(body.model, 0.0, body.states, body.parameters, body.u)
        before = observe(body.model, 0.0, body.prior_states, body.prior, body.u)
        found = []
        for name in ("cardiac_output", "systemic_vascular_resistance", "blood_volume", "shunt_fraction"):
            place = body.model.output_index[name]
            low, low50, middle, high50, high = np.quantile(now[:, place], BANDS).tolist()
            prior_low, prior_high = np.quantile(before[:, place], (0.05, 0.95)).tolist()
            share = float(np.clip(1 - now[:, place].var() / before[:, place].var(), 0, 1))
            unit = body.model.outputs[place].unit
            found.append(Estimate(name, unit, middle, low, high, low50, high50, prior_low, prior_high, share))
        return found


def memory_bodies(
    beds: Mapping[str, Bed], now_us: Callable[[], int], lock: threading.RLock
) -> tuple[MemoryBodies, BodyAnswers]:
    """The bodies of a ward in memory, and what the service answers of them; a bed's number is its patient's."""
    by_number = {int(one.id[4:]): one for one in beds.values()}

    def known(patient: str) -> tuple[int, str]:
        if patient not in beds:
            raise NotFoundError(f"found no patient {patient[:64]!r}; see the list of patients")
        return int(patient[4:]), patient

    def newest(pid: int) -> Mapping[str, float]:
        with lock:
            return by_number[pid].newest()

    def signals(pid: int) -> Signals:
        with lock:
            return by_number[pid].signals(now_us())

    bodies = MemoryBodies(newest, now_us)
    return bodies, BodyAnswers(ScenarioStore(), known, signals, now_us, RiskModels.of(_sepsis()), bodies)


@lru_cache(maxsize=1)
def _sepsis() -> Predictor:
    return Predictor.load()
