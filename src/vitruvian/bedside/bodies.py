"""Virtual patients with bodies: what happens to them follows from a model of physiology, not from a script.

Each adult has the acute-care body with parameters drawn around a person of that age, sex and build; a course is
something that happens to it (an infection, a bleed, a failing lung) and what is done about it. The true state is known
at every moment, so that an estimate, a forecast or a what-if about a virtual patient can be held against it. Children,
for whom the body is not made, keep the scripted values. Bodies are stepped half an hour at a time, all together, as far
as somebody asks; a minute of one costs about a fifth of a millisecond.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.bedside import noise
from vitruvian.bedside.courses import PERIOD_H, SIGNALS, CourseName
from vitruvian.bedside.patients import Patients
from vitruvian.core.errors import ModelError, NotFoundError
from vitruvian.physiology.actions import Action, schedule
from vitruvian.physiology.base import Model
from vitruvian.physiology.bodies import body
from vitruvian.physiology.person import Person
from vitruvian.physiology.run import Schedule, run
from vitruvian.physiology.simulate import drawn, settled

__all__ = ["BEFORE_H", "Bodies", "happenings"]

Floats = NDArray[np.float64]

BEFORE_H: Final = 12.0  # illness begins before the monitor is put on
CHUNK_MIN: Final = 30
PERIODS: Final = 8  # courses come again so often; after that, nothing happens any more
SPREAD: Final = 0.6  # of the population's spread: people a ward admits before they fall ill are not extremes
_STREAM: Final = 200
_OUTPUTS: Final = ("heart_rate", "respiratory_rate", "oxygen_saturation", "body_temperature", "systolic_pressure",
                   "diastolic_pressure", "mean_pressure", "heart_rate")  # fmt: skip
LABS: Final = ("lactate", "ph", "arterial_co2", "arterial_oxygen", "hemoglobin", "bicarbonate", "creatinine")
H: Final = 3_600.0


def happenings(course: CourseName, scale: float) -> list[Action]:
    """What happens in a course and what is done about it, in seconds from its onset; `scale` about 1 is how bad."""
    if course == "sepsis":
        return [
            Action("infection", 1.0 * scale, "1", -7 * H),
            Action("inspired_oxygen_fraction", 0.35, "1", 4 * H, 16 * H),
            Action("crystalloid", 500, "mL", 3 * H, 0.5 * H),
            Action("crystalloid", 500, "mL", 4 * H, 0.5 * H),
            Action("antibiotic", 1, "1", 2 * H, 24 * H),
            Action("norepinephrine", 0.06, "ug/kg/min", 5 * H, 12 * H),
        ]
    if course == "bleed":
        return [
            Action("blood_loss", 2_100 * scale, "mL", 0.0, 2 * H),
            Action("crystalloid", 1_500, "mL", 2 * H, 1.5 * H),
            Action("red_cells", 1_200, "mL", 2.5 * H, 2 * H),
        ]
    if course == "respiratory-failure":
        most, steps = 0.42 * scale, 5
        shares = [most * (i + 1) / steps for i in range(steps)]
        rise = [Action("added_shunt", share, "1", 4 * H * i / steps) for i, share in enumerate(shares)]
        fall = [
            Action("added_shunt", share, "1", (7 + 6 * i / steps) * H) for i, share in enumerate([*shares[-2::-1], 0.0])
        ]
        return [*rise, *fall, Action("inspired_oxygen_fraction", 0.45, "1", 2.5 * H, 9 * H)]
    return []


class Bodies:
    """The bodies of `patients`; time is hours of the course, from the moment the monitors begin."""

    def __init__(self, patients: Patients) -> None:
        self.model: Model = body("acute")
        self.patients = patients
        self.people = [self._person(i) for i in range(patients.count)]
        domain = self.model.domain
        fit = [i for i, person in enumerate(self.people) if domain is None or not domain(person)]
        self.rows = np.array(fit, np.int64)
        self._place = {index: at for at, index in enumerate(fit)}
        self.parameters = self._parameters()
        self._plans = [self._plan(index) for index in fit]
        self._states = settled(self.model, self.parameters) if fit else np.empty((0, len(self.model.states)))
        names = [*_OUTPUTS, *(one for one in LABS if one in self.model.output_index), "urine_flow"]
        self._columns = [self.model.output_index[name] for name in names]
        self._labs = [one for one in LABS if one in self.model.output_index]
        self._seen: list[NDArray[np.float32]] = []
        self._edges: list[Floats] = [self._states]

    def _person(self, index: int) -> Person:
        key = self.patients.keys[index : index + 1]
        draw = noise.normal(key, 3, _STREAM, 2)[0]
        female, age = bool(self.patients.female[index]), float(self.patients.age_years[index])
        height_cm = (161.3 + 6.5 * float(draw[0])) if female else (175.3 + 7.2 * float(draw[0]))
        if age < 16:
            height_cm = 75.0 + 6.2 * age
        weight_kg = (26.0 + 3.2 * float(draw[1])) * (height_cm / 100) ** 2 if age >= 16 else 8.0 + 2.6 * age
        sex: Literal["male", "female"] = "female" if female else "male"
        return Person(age, sex, round(height_cm, 1), round(weight_kg, 1))

    def _parameters(self) -> Floats:
        p = np.array([self.model.parameter_values(self.people[i]) for i in self.rows], np.float64)
        p = p.reshape(len(self.rows), len(self.model.parameters))
        z = noise.normal(self.patients.keys[self.rows], 4, _STREAM, len(self.model.parameters)).astype(np.float64)
        for k, one in enumerate(self.model.parameters):
            if one.spread > 0:
                for at in range(len(p)):
                    p[at, k] = drawn(one, p[at, k], SPREAD * z[at : at + 1, k])[0]
        return p

    def _plan(self, index: int) -> Schedule:
        draw = float(noise.uniform(self.patients.keys[index : index + 1], 5, _STREAM, 1)[0, 0])
        once = happenings(self.patients.courses[index], 0.85 + 0.3 * draw)
        actions = []
        for period in range(PERIODS if once else 0):
            onset_s = (float(self.patients.onset_h[index]) + BEFORE_H + period * PERIOD_H) * H
            actions += [Action(one.name, one.value, one.unit, onset_s + one.start_s, one.duration_s) for one in once]
        return schedule(self.model, actions, weight_kg=self.people[index].weight_kg)

    # --- the true course -----------------------------------------------------

    def _reach(self, minute: int) -> None:
        """Step everyone on until this minute is known."""
        per_min = 60.0 / self.model.seconds
        while len(self._seen) * CHUNK_MIN <= minute:
            first = len(self._seen) * CHUNK_MIN
            times = (first + np.arange(CHUNK_MIN)) * per_min
            end = (first + CHUNK_MIN) * per_min
            done = run(
                self.model, self._edges[-1], self.parameters, first * per_min, end, times.tolist(), self._plans,
                np.arange(len(self.rows)),
            )  # fmt: skip
            ends = np.where(np.isfinite(done.end), done.end, self._edges[-1])
            self._seen.append(done.outputs[:, :, self._columns].astype(np.float32))
            self._edges.append(ends)

    def _at(self, time_h: float) -> NDArray[np.float32]:
        """(bodies, columns) at an hour of the course, between minutes by straight lines."""
        exact = max((time_h + BEFORE_H) * 60.0, 0.0)
        minute = int(exact)
        self._reach(minute + 1)
        before = self._seen[minute // CHUNK_MIN][:, minute % CHUNK_MIN]
        after = self._seen[(minute + 1) // CHUNK_MIN][:, (minute + 1) % CHUNK_MIN]
        share = np.float32(exact - minute)
        mixed: NDArray[np.float32] = before + share * (after - before)
        return mixed

    def has(self, index: int) -> bool:
        """Whether a patient has a body."""
        return index in self._place

    def vitals(self, time_h: float, usual: NDArray[np.float32], rows: slice = slice(None)) -> None:
        """Put the true vitals (order of `SIGNALS`) of those of `rows` who have a body into `usual` (rows, signals)."""
        wanted = np.arange(self.patients.count)[rows]
        at = np.flatnonzero(np.isin(self.rows, wanted))
        if len(at):
            usual[np.searchsorted(wanted, self.rows[at])] = self._at(time_h)[at, : len(SIGNALS)]

    def labs(self, index: int, time_h: float) -> dict[str, float]:
        """The laboratory values that follow from the body of a patient; empty where there is none."""
        if index not in self._place:
            return {}
        row = self._at(time_h)[self._place[index]]
        return {name: float(row[len(SIGNALS) + i]) for i, name in enumerate(self._labs)}

    def urine_ml_h(self, index: int, time_h: float) -> float | None:
        """Urine flow; None without a body."""
        return float(self._at(time_h)[self._place[index], -1]) if index in self._place else None

    def given(self, index: int, time_h: float) -> dict[str, float]:
        """What is being given or done at an hour of the course, by input, where it is not nothing."""
        if index not in self._place:
            return {}
        plan = self._plans[self._place[index]]
        t = (time_h + BEFORE_H) * H / self.model.seconds
        level = plan.levels[max(int(np.searchsorted(plan.edges, t, side="right")) - 1, 0)]
        return {
            one.name: float(value) for one, value in zip(self.model.inputs, level, strict=False) if value != one.default
        }

    def truth(self, index: int, time_h: float) -> tuple[Floats, Floats, Schedule]:
        """The true state (S,) of a patient at the last half hour, its parameters (P,) and what will happen, from then
        on. Raises NotFoundError where a patient has no body.
        """
        if index not in self._place:
            raise NotFoundError(f"found no body of virtual patient {index + 1}: the model is not made for this person")
        at = self._place[index]
        chunk = int((time_h + BEFORE_H) * 60.0) // CHUNK_MIN
        self._reach(chunk * CHUNK_MIN)
        if chunk >= len(self._edges):
            raise ModelError("found a time that was not reached")
        return self._edges[chunk][at].copy(), self.parameters[at].copy(), self._plans[at]
