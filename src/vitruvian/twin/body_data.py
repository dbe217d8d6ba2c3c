"""What a body's filter reads of the journal: values averaged into ticks, and what is being given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import UnitError
from vitruvian.core.time import SECOND_US
from vitruvian.core.units import conversion
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.base import Input, Model
from vitruvian.twin.ports import Samples

__all__ = ["METHODS", "Given", "Taps", "taps"]

Floats = NDArray[np.float64]

# The concepts that answer for a model's output, best first: an arterial line before a cuff.
METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "heart_rate": ("heart_rate", "pulse_rate"),
    "systolic_pressure": ("systolic_pressure_arterial", "systolic_pressure"),
    "diastolic_pressure": ("diastolic_pressure_arterial", "diastolic_pressure"),
    "mean_pressure": ("mean_pressure_arterial", "mean_pressure"),
    "body_temperature": ("core_temperature", "body_temperature"),
}
BOLUS_S: Final = 900.0  # a volume that is recorded as given at an instant is taken to run in over a quarter of an hour
_UNFIT: Final = 2 | 8  # implausible, or "less than": not for a filter


@dataclass(frozen=True)
class Taps:
    """How a model is joined to the series: concept index -> (observation, rank of the method), and -> inputs."""

    model: Model
    outputs: tuple[str, ...]
    observed: dict[int, tuple[int, int]]
    given: dict[int, tuple[int, float, float]]  # concept -> (input, factor to its unit, how long it holds in s)
    amounts: frozenset[int]  # inputs of which amounts are told, not rates

    @property
    def concepts(self) -> frozenset[int]:
        """Every concept that moves the body."""
        return frozenset(self.observed) | frozenset(self.given)

    def values(self, samples: Samples, first_tick: int, ticks: int, grid_us: int) -> Floats:
        """Means within each tick (ticks, O); NaN where nothing fit was measured. The best method of a tick counts."""
        ranks = 1 + max((rank for _, rank in self.observed.values()), default=0)
        total = np.zeros((ticks, len(self.outputs), ranks))
        count = np.zeros_like(total)
        which = np.asarray(samples.concept)
        tick = np.asarray(samples.occurred_us) // grid_us - first_tick
        fit = (tick >= 0) & (tick < ticks) & (np.asarray(samples.quality) & _UNFIT == 0) & np.isfinite(samples.value)
        for concept, (at, rank) in self.observed.items():
            rows = fit & (which == concept)
            np.add.at(total[:, at, rank], tick[rows], samples.value[rows])
            np.add.at(count[:, at, rank], tick[rows], 1.0)
        with np.errstate(invalid="ignore"):
            means = np.where(count > 0, total / count, np.nan)
        best = np.full((ticks, len(self.outputs)), np.nan)
        for rank in range(ranks):
            best = np.where(np.isnan(best), means[:, :, rank], best)
        return best


def taps(model: Model, outputs: Sequence[str]) -> Taps:
    """The joints of a model that is observed by `outputs`."""
    observed: dict[int, tuple[int, int]] = {}
    for at, name in enumerate(outputs):
        for rank, method in enumerate(METHODS.get(name, (name,))):
            observed[VOCABULARY[method].index] = (at, rank)
    given: dict[int, tuple[int, float, float]] = {}
    amounts = set()
    for at, one in enumerate(model.inputs):
        found = _giving(one)
        if found is not None:
            given[found[0]] = (at, found[1], found[2])
            if found[3]:
                amounts.add(at)
    return Taps(model, tuple(outputs), observed, given, frozenset(amounts))


def _giving(one: Input) -> tuple[int, float, float, bool] | None:
    concept = VOCABULARY.get(one.concept or one.name)
    if concept is None:
        return None
    for unit, holds_s, scale in (
        (concept.unit, float(concept.valid_for_s), 1.0),
        (f"{concept.unit}.s-1", BOLUS_S, BOLUS_S),
    ):
        try:
            factor, offset = conversion(unit, one.unit)
        except UnitError:
            continue
        if offset == 0.0:
            return concept.index, factor / scale, holds_s, scale != 1.0
    return None


@dataclass(frozen=True)
class Given:
    """What is being given: the level of each input (U,) and until when it holds (U,), microseconds."""

    level: Floats
    until_us: NDArray[np.int64]

    @classmethod
    def none(cls, model: Model) -> Given:
        """Nothing."""
        rest = model.rest()
        return cls(rest, np.zeros(len(rest), np.int64))

    def at(self, now_us: int, rest: Floats) -> Floats:
        """The inputs (U,) that hold at an instant."""
        return np.where(self.until_us > now_us, self.level, rest)

    def lasting(self, joint: Taps, now_us: int) -> Floats:
        """The inputs (U,) that go on until somebody changes them: without what is left of a volume."""
        rest = joint.model.rest()
        held = self.at(now_us, rest)
        held[list(joint.amounts)] = rest[list(joint.amounts)]
        return held

    def after(self, joint: Taps, samples: Samples, until_us: int) -> Given:
        """Moved on by what the samples say was given before an instant."""
        return self.walk(joint, samples, [until_us])[0]

    def walk(self, joint: Taps, samples: Samples, ends_us: Sequence[int]) -> list[Given]:
        """What is being given at each of these ascending instants, by what was recorded before it."""
        occurred_us = np.asarray(samples.occurred_us)
        known = np.flatnonzero(np.isin(samples.concept, list(joint.given)))
        known = known[np.argsort(occurred_us[known], kind="stable")]
        level, until_us = self.level.copy(), self.until_us.copy()
        made, at = [], 0
        for end_us in ends_us:
            while at < len(known) and int(occurred_us[known[at]]) < end_us:
                _take(joint, samples, int(known[at]), level, until_us)
                at += 1
            made.append(Given(level.copy(), until_us.copy()))
        return made


def _take(joint: Taps, samples: Samples, i: int, level: Floats, until_us: NDArray[np.int64]) -> None:
    which, factor, holds_s = joint.given[int(samples.concept[i])]
    one = joint.model.inputs[which]
    value = float(samples.value[i]) * factor
    if not np.isfinite(value) or int(samples.quality[i]) & _UNFIT:
        return
    begin_us, length_us = int(samples.occurred_us[i]), int(holds_s * SECOND_US)
    if which in joint.amounts:  # runs in from the next tick on, with what is left of the one before: the sum is exact
        grid_us = int(joint.model.grid_s * SECOND_US)
        begin_us = (begin_us // grid_us + 1) * grid_us
        value += level[which] * max(int(until_us[which]) - begin_us, 0) / length_us
    level[which] = min(max(value, one.low), one.high)
    until_us[which] = begin_us + length_us
