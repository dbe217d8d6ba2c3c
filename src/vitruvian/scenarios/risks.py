"""The live risk models, run again on what a scenario would have them read.

Every member's simulated values are fed to a copy of the patient's own tracker, as a monitor and a laboratory would have
sent them: a sample every few minutes, scored every hour. Rules of feeding:

- Only what is measured of this patient is fed. A value that nobody took stays missing, and a result keeps its age.
- A body may sit a little off the patient. The level is the patient's (the last valid measurement), the change is the
  body's, in both arms alike.
- What no body computes (consciousness, oxygen by mask, ...) is carried on as it was last measured, in both arms.

A learned risk is a pattern in records, not a mechanism: its difference is *the model's sensitivity, not a causal
effect*. A score computed from simulated vitals by its fixed rule is as mechanistic as those vitals are; with an edited
vital or laboratory value it is a sensitivity too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import UnitError
from vitruvian.core.time import DAY_US, SECOND_US
from vitruvian.core.units import conversion
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.base import Model
from vitruvian.physiology.run import Schedule
from vitruvian.physiology.trajectories import BANDS, Trajectories
from vitruvian.prediction.scores import INPUTS, Scores, inputs_from, score
from vitruvian.scenarios.edits import Members
from vitruvian.scenarios.learned import RiskModels, learned_risks
from vitruvian.scenarios.ports import Signals
from vitruvian.scenarios.scenario import Scenario
from vitruvian.signals.concepts import LABS, MONITORED, TABLES
from vitruvian.signals.kernels import NEVER_US
from vitruvian.signals.tracker import Tracker

__all__ = ["SENSITIVITY", "Arm", "RiskEffect", "rerun"]

SENSITIVITY: Final = "the model's sensitivity, not a causal effect"
MECHANISTIC: Final = "computed from simulated vitals by its fixed rule"
EVERY_S: Final = 3_600.0
INSIST: Final = 4  # samples by which a change is believed (one more than the tracker's filter holds back)
YEAR_US: Final = 365.2425 * DAY_US
# An output speaks for every concept that measures the same.
SAME: Final[dict[str, tuple[str, ...]]] = {
    "heart_rate": ("heart_rate", "pulse_rate"),
    "systolic_pressure": ("systolic_pressure", "systolic_pressure_arterial"),
    "diastolic_pressure": ("diastolic_pressure", "diastolic_pressure_arterial"),
    "mean_pressure": ("mean_pressure", "mean_pressure_arterial"),
}
OXYGEN: Final = ("oxygen_supplementation", "oxygen_flow")  # what an inspired fraction makes out of date
_INDEX: Final = np.array([VOCABULARY[name].index for name in INPUTS])
_VALID_S: Final = np.array([VOCABULARY[name].valid_for_s for name in INPUTS], np.float64)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Arm:
    """One arm of a what-if: what its members show, what is done, and who they are."""

    shown: Trajectories
    plan: Schedule
    members: Members


@dataclass(frozen=True)
class RiskEffect:
    """A risk or score over time in both arms: quantiles (5, T) by `BANDS` at `times_s` (T,), NaN where nothing can be
    said; `insufficient` says why nothing can be said at all. `basis` is "sensitivity" or "mechanistic", `label` says
    that in words. A risk's unit is 1 (a probability), a score's {score}.
    """

    name: str
    display: str
    unit: str
    times_s: Floats
    baseline: Floats
    changed: Floats
    difference: Floats
    basis: Literal["sensitivity", "mechanistic"]
    label: str
    version: str = ""
    insufficient: str = ""


def rerun(
    models: RiskModels, signals: Signals, at_us: int, baseline: Arm, changed: Arm, model: Model, scenario: Scenario
) -> tuple[RiskEffect, ...]:
    """Every live risk and score in both arms, hour by hour."""
    count = len(baseline.shown.values)
    times_s = baseline.shown.times_s
    marks = _marks(times_s)
    hearing = _Hearing(signals, at_us, count, baseline, changed, model)
    numbers: dict[str, list[Floats]] = {}
    why: dict[str, str] = {}
    predictors = models.hourly()  # the same ones to the end, though they be exchanged meanwhile
    begin = 0
    for mark in marks.tolist():
        now_us = at_us + int(times_s[mark] * SECOND_US)
        hearing.hear(begin, mark)
        begin = mark + 1
        for name, values in _scored(hearing, now_us).items():
            numbers.setdefault(name, []).append(values)
        if predictors:
            told = learned_risks(predictors, hearing.tracker, now_us + INSIST + 1, hearing.ages, signals.male)
            for name, (values, silent) in told.items():
                numbers.setdefault(name, []).append(values)
                why[name] = silent
    versions = {f"{task}_risk": one.version for task, one in predictors.items()}
    edited = bool(scenario.edits)
    return tuple(
        _effect(
            name, np.stack(series, axis=1), count, times_s[marks], edited, versions.get(name, ""), why.get(name, "")
        )
        for name, series in numbers.items()
    )


def _marks(times_s: Floats) -> NDArray[np.int64]:
    """Places in time at which risks are computed: now, every hour, and at the end."""
    wanted = np.append(np.arange(0.0, times_s[-1] - 1.0, EVERY_S), times_s[-1])
    return np.unique(np.searchsorted(times_s, wanted - 1e-6).clip(max=len(times_s) - 1))


class _Hearing:
    """A tracker with a row a member and arm, the baseline's first, that hears what the members show."""

    def __init__(self, signals: Signals, at_us: int, count: int, baseline: Arm, changed: Arm, model: Model) -> None:
        self.at_us, self.count, self.signals = at_us, count, signals
        self.arms = (baseline, changed)
        self.tracker = Tracker(2 * count)
        self.tracker.copy_rows(signals.tracker, np.arange(2 * count), np.zeros(2 * count, np.int64))
        self.model = model
        self.ages = np.repeat([_age(signals.age_years, arm) for arm in self.arms], count)
        self.births = np.repeat([_birth_us(signals, at_us, arm) for arm in self.arms], count)
        self.edited = {name: value for name, value in changed.members.read if name in VOCABULARY}
        self.set_by_plan = self._set_by_plan()
        self.fed = self._fed()
        self.carried = self._carried()
        self._insist()

    def _fresh(self, concept: int) -> bool:
        last_us = int(self.signals.tracker.last_us[0, concept])
        return last_us != NEVER_US and self.at_us - last_us <= int(TABLES.valid_us[concept])

    def _fed(self) -> list[tuple[str, int, float]]:
        """(output, concept, offset) of every output that stands for something measured of this patient."""
        fed = []
        for output in self.arms[0].shown.names:
            for name in SAME.get(output, (output,)):
                if name not in VOCABULARY or name not in (*MONITORED, *LABS, *INPUTS):
                    continue
                concept = VOCABULARY[name].index
                if self._fresh(concept):
                    now = float(np.median(self.arms[0].shown.of(output)[:, 0]))
                    level = self.signals.tracker.trend_value[0, concept]
                    fed.append((output, concept, float(level if np.isfinite(level) else now) - now))
        return fed

    def _set_by_plan(self) -> list[tuple[int, int, float, float]]:
        """(input, concept, factor, offset) of inputs that risk models read and the scenario speaks of."""
        found = []
        for place, one in enumerate(self.model.inputs):
            name = one.concept or one.name
            touched = np.ptp([*self.arms[1].plan.levels[:, place], *self.arms[0].plan.levels[:, place]]) > 0
            if touched and name in INPUTS and name in VOCABULARY:
                try:
                    factor, offset = conversion(one.unit, VOCABULARY[name].unit)
                except UnitError:
                    continue
                found.append((place, VOCABULARY[name].index, factor, offset))
        return found

    def _carried(self) -> list[tuple[int, float]]:
        """(concept, value) of what nobody simulates: it goes on as last measured."""
        spoken = {concept for _, concept, _ in self.fed} | {concept for _, concept, _, _ in self.set_by_plan}
        if VOCABULARY["inspired_oxygen_fraction"].index in spoken:
            spoken |= {VOCABULARY[name].index for name in OXYGEN}
        names = [name for name in dict.fromkeys((*MONITORED, *INPUTS)) if name not in LABS]
        concepts = [VOCABULARY[name].index for name in names]
        return [
            (concept, float(self.signals.tracker.last_value[0, concept]))
            for concept in concepts
            if concept not in spoken and self._fresh(concept)
        ]

    def _insist(self) -> None:
        """An edited vital sign has lasted: it is heard often enough that the tracker does not take it for noise."""
        rows = np.arange(self.count, 2 * self.count)
        for name, value in self.edited.items():
            if TABLES.slot_of[VOCABULARY[name].index] >= 0:
                for again in range(INSIST):
                    at = np.array([(again - INSIST) / SECOND_US])
                    self._put(rows, VOCABULARY[name].index, at, np.full((self.count, 1), value))

    def hear(self, begin: int, mark: int) -> None:
        """Take what was shown from place `begin` in time up to `mark`; laboratory results and settings once, at the
        end of it.
        """
        times_s = self.arms[0].shown.times_s
        rows = np.arange(2 * self.count)
        for output, concept, offset in self.fed:
            vital = TABLES.slot_of[concept] >= 0
            places = np.arange(begin, mark + 1) if vital else np.array([mark])
            values = np.concatenate([arm.shown.of(output)[:, places] for arm in self.arms]) + offset
            name = output if output in self.edited else VOCABULARY.by_index(concept).name
            if name in self.edited:  # the level is the edited one, the change the body's
                own = self.arms[1].shown.of(output)
                values[self.count :] = self.edited[name] + own[:, places] - np.median(own[:, 0])
            low, high = VOCABULARY.by_index(concept).plausible
            self._put(rows, concept, times_s[places], np.clip(values, low, high))
        at = times_s[mark : mark + 1]
        for concept, value in self.carried:
            self._put(rows, concept, at, np.full((len(rows), 1), value))
        for place, concept, factor, offset in self.set_by_plan:
            levels = [self._level(arm.plan, place, float(times_s[mark])) * factor + offset for arm in self.arms]
            self._put(rows, concept, at, np.repeat(levels, self.count)[:, None])
        simulated = {output for output, _, _ in self.fed}
        for name, value in self.edited.items():
            if name not in simulated and (TABLES.slot_of[VOCABULARY[name].index] >= 0 or begin == 0):
                # A vital sign is sent again and again, a laboratory result once.
                self._put(rows[self.count :], VOCABULARY[name].index, at, np.full((self.count, 1), value))

    def _level(self, plan: Schedule, place: int, time_s: float) -> float:
        row = max(int(np.searchsorted(plan.edges, time_s / self.model.seconds, "right")) - 1, 0)
        return float(plan.levels[row, place])

    def _put(self, rows: NDArray[np.int64], concept: int, times_s: Floats, values: Floats) -> None:
        """Values (rows, T) at these times, each row's in order."""
        occurred = (
            self.at_us + np.rint(times_s * SECOND_US).astype(np.int64) + INSIST + 1
        )  # after what was measured now
        size = len(rows) * len(times_s)
        self.tracker.update(
            np.repeat(rows, len(times_s)),
            np.full(size, concept, np.int64),
            np.tile(occurred, len(rows)),
            np.ascontiguousarray(values, np.float64).reshape(-1),
        )


def _age(age_years: float, arm: Arm) -> float:
    """The age that a model reads: the record's, unless it was edited."""
    return dict(arm.members.read).get("age_years", age_years)


def _birth_us(signals: Signals, at_us: int, arm: Arm) -> int:
    """The birth date that scores read, to match an edited age."""
    age_years = dict(arm.members.read).get("age_years")
    return signals.birth_us if age_years is None else at_us - int((age_years + 0.01) * YEAR_US)


def _scored(hearing: _Hearing, now_us: int) -> dict[str, Floats]:
    """Scores (2 M,) of every member in both arms; NaN where a score does not apply or knows too little."""
    value = np.ascontiguousarray(hearing.tracker.last_value[:, _INDEX].T)
    occurred_us = np.ascontiguousarray(hearing.tracker.last_us[:, _INDEX].T)
    found: Scores = score(inputs_from(value, occurred_us, now_us + INSIST + 1, _VALID_S, hearing.births))
    return {
        "news2": found.news2.value,
        "qsofa": found.qsofa.value,
        "sofa_partial": found.sofa.value,
        "shock_index": found.shock_index,
    }


def _effect(name: str, values: Floats, count: int, times_s: Floats, edited: bool, version: str, why: str) -> RiskEffect:
    """Quantiles of values (2 M, T) in both arms and of their difference."""
    baseline, changed = values[:count], values[count:]
    learned = bool(version)
    concept = VOCABULARY[name]
    silent = bool(np.isnan(values).all())
    basis: Literal["sensitivity", "mechanistic"] = "sensitivity" if learned or edited else "mechanistic"
    return RiskEffect(
        name,
        concept.display,
        concept.unit,
        times_s,
        _quantiles(baseline),
        _quantiles(changed),
        _quantiles(changed - baseline),
        basis,
        SENSITIVITY if basis == "sensitivity" else MECHANISTIC,
        version,
        (why or "too few inputs are known") if silent else "",
    )


def _quantiles(values: Floats) -> Floats:
    made = np.full((len(BANDS), values.shape[1]), np.nan)
    for column in range(values.shape[1]):
        known = values[:, column][np.isfinite(values[:, column])]
        if known.size:
            made[:, column] = np.quantile(known, BANDS)
    return made
