"""What the monitors of virtual patients read at a moment, for all of them at once; a pure function of seed and time."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vitruvian.bedside import noise
from vitruvian.bedside.bodies import Bodies
from vitruvian.bedside.courses import COURSES, LABS, SIGNALS, severity
from vitruvian.bedside.patients import Patients
from vitruvian.core.time import DAY_US, HOUR_US, SECOND_US

__all__ = ["Round", "Vitals"]

_NAMES: Final = tuple(SIGNALS)
_HR, _RR, _SPO2, _TEMP, _SBP, _DBP, _MAP, _PR = range(8)

# Latent states that move signals together: sympathetic drive, breathing, vascular tone, warmth, oxygenation.
_LATENTS: Final = 5
_MIX: Final = np.array(
    #  HR    RR   SpO2   T    SBP   DBP
    [
        [5.0, 0.9, 0.0, 0.02, 5.0, 2.5],
        [1.2, 1.6, 0.2, 0.00, 0.0, 0.0],
        [-2.2, 0.0, 0.0, 0.00, 6.0, 4.5],
        [1.8, 0.3, 0.0, 0.16, -1.0, -0.8],
        [-0.4, -0.5, 0.8, 0.00, 0.0, 0.0],
    ],
    dtype=np.float32,
)
_PERIODS_S: Final = ((20.0, 0.35), (300.0, 0.50), (3_600.0, 0.79))  # their squares sum to one
_MEASURED: Final = np.array([0.8, 0.5, 0.35, 0.04, 1.3, 1.1, 0.0, 0.9], dtype=np.float32)
_CIRCADIAN: Final = np.array([4.5, 0.6, 0.0, 0.25, 5.5, 3.5, 0.0, 0.0], dtype=np.float32)
_LOW: Final = np.array([25, 4, 40, 31.0, 40, 20, 28, 25], dtype=np.float32)
_HIGH: Final = np.array([230, 60, 100, 42.0, 240, 150, 180, 230], dtype=np.float32)
_DECIMALS: Final = tuple(decimals for _, decimals in SIGNALS.values())
_ARTEFACT: Final = 0.04  # of the ticks of a noisy sensor
_LOOSE_S: Final = 90.0  # a loose lead comes and goes in spans of this length
_LOOSE: Final = 0.35


class Round(NamedTuple):
    """What a nurse notes of one patient: coded consciousness, oxygen given, its fraction, urine of the last hour."""

    consciousness: str
    oxygen: bool
    inspired_oxygen_fraction: float
    urine_ml: float


class Vitals:
    """Readings of `patients`. Courses begin at `start_us` and run `pace` times as fast as time (1 is real)."""

    def __init__(self, patients: Patients, start_us: int, pace: float = 1.0, bodies: Bodies | None = None) -> None:
        self.patients, self.start_us, self.pace, self.bodies = patients, start_us, pace, bodies
        self._smooth = [
            (noise.Smooth(patients.keys, period_s, stream, _LATENTS), np.float32(weight))
            for stream, (period_s, weight) in enumerate(_PERIODS_S, start=1)
        ]
        self._exotic = bool(patients.noisy.any() or patients.loose.any())

    def severity(self, at_us: int, rows: slice = slice(None)) -> NDArray[np.float32]:
        """How far each patient's course has gone, 0 to 1."""
        people = self.patients
        return severity(
            self._time_h(at_us), people.onset_h[rows], people.ramp_h[rows], people.hold_h[rows], people.recover_h[rows]
        )

    def _time_h(self, at_us: int) -> float:
        return (at_us - self.start_us) / HOUR_US * self.pace

    def at(self, at_us: int, rows: slice = slice(None)) -> NDArray[np.float32]:
        """(rows, 8) readings in the order and units of `SIGNALS`, rounded as monitors show them; NaN = no reading."""
        people, time_s = self.patients, at_us / SECOND_US
        level = self.severity(at_us, rows)[:, None]
        latent = sum((smooth.at(time_s, rows) * weight for smooth, weight in self._smooth), np.float32(0))
        day = np.float32(np.cos(2 * np.pi * (at_us % DAY_US / DAY_US - 16 / 24)))  # highest in the late afternoon
        usual = people.base[rows] + people.early[rows] * level + people.late[rows] * level**3
        values: NDArray[np.float32] = usual.astype(np.float32)
        if self.bodies is not None:
            self.bodies.vitals(self._time_h(at_us), values, rows)
        values += _CIRCADIAN * day
        values[:, :6] += latent @ _MIX
        values[:, _MAP] = values[:, _DBP] + (values[:, _SBP] - values[:, _DBP]) / 3
        values[:, _PR] = values[:, _HR]
        values += noise.normal(people.keys[rows], at_us // 1000, 10, len(_NAMES)) * _MEASURED
        np.minimum(values[:, _DBP], values[:, _SBP] - 12, out=values[:, _DBP])
        np.clip(values, _LOW, _HIGH, out=values)
        values[:, _TEMP] *= 10
        np.rint(values, out=values)
        values[:, _TEMP] /= 10
        if self._exotic:
            self._disturb(values, at_us, rows)
        return values

    def _disturb(self, values: NDArray[np.float32], at_us: int, rows: slice) -> None:
        """Artefacts of noisy sensors, and gaps of loose leads."""
        people = self.patients
        noisy = np.flatnonzero(people.noisy[rows])
        if len(noisy):
            draw = noise.uniform(people.keys[rows][noisy], at_us // 1000, 11, 4)
            for column, low, high, which in ((_HR, 180, 320, 0), (_SPO2, 45, 78, 1), (_SBP, 235, 298, 2)):
                hit = noisy[draw[:, which] < _ARTEFACT]
                size = draw[draw[:, which] < _ARTEFACT, 3]
                values[hit, column] = np.rint(low + (high - low) * size)
        loose = np.flatnonzero(people.loose[rows])
        if len(loose):
            gone = noise.uniform(people.keys[rows][loose], int(at_us / SECOND_US // _LOOSE_S), 12, 2)
            for columns, off in (((_HR, _RR), gone[:, 0] < _LOOSE), ((_SPO2, _PR), gone[:, 1] < _LOOSE / 2)):
                for column in columns:
                    values[loose[off], column] = np.nan

    def round_of(self, index: int, at_us: int) -> Round:
        """What the nurse notes of one patient."""
        course = COURSES[self.patients.courses[index]]
        level = float(self.severity(at_us, slice(index, index + 1))[0])
        clouded = course.clouded_from is not None and level >= course.clouded_from
        oxygen = course.oxygen_from is not None and level >= course.oxygen_from
        word = ("voice" if level > 0.97 else "confusion") if clouded else "alert"
        fraction = round(0.28 + 0.32 * level, 2) if oxygen else 0.21
        given = {} if self.bodies is None else self.bodies.given(index, self._time_h(at_us))
        if self.bodies is not None and self.bodies.has(index):
            fraction = round(given.get("inspired_oxygen_fraction", 0.21), 2)
            oxygen = fraction > 0.21
        draw = float(noise.normal(self.patients.keys[index : index + 1], at_us // SECOND_US, 13, 1)[0, 0])
        shocked = course.late.get("systolic_pressure", 0.0) < -20
        urine_ml = max(0.0, (62 + 14 * draw) * (1 - (0.8 * level if shocked else 0.0)))
        flow = None if self.bodies is None else self.bodies.urine_ml_h(index, self._time_h(at_us))
        urine_ml = urine_ml if flow is None else max(0.0, flow * (1 + 0.15 * draw))
        return Round(word, oxygen, fraction, round(urine_ml))

    def labs_of(self, index: int, at_us: int) -> dict[str, float]:
        """The laboratory values of blood drawn from one patient at a moment, in the units of `LABS`."""
        course = COURSES[self.patients.courses[index]]
        level = float(self.severity(at_us, slice(index, index + 1))[0])
        key = self.patients.keys[index : index + 1]
        usual, drawn = noise.normal(key, 2, 14, len(LABS))[0], noise.normal(key, at_us // SECOND_US, 15, len(LABS))[0]
        values = {}
        true = {} if self.bodies is None else self.bodies.labs(index, self._time_h(at_us))
        for column, (name, lab) in enumerate(LABS.items()):
            factor = 1 + (course.labs.get(name, 1.0) - 1) * level
            value = (lab.mean + lab.spread * (0.9 * float(usual[column]) + 0.4 * float(drawn[column]))) * factor
            if name in true:
                value = true[name] + 0.25 * lab.spread * float(drawn[column])
            values[name] = round(max(value, 10**-lab.decimals), lab.decimals)
        return values
