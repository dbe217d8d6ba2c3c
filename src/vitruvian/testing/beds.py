"""Simulated patients in memory, for `testing.ward`: plain random walks about what a severity of illness would show."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from vitruvian.core.events import Entry, Event, Person, Quantity
from vitruvian.core.identifiers import Location
from vitruvian.core.time import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.scores.inputs import NO_BIRTH
from vitruvian.scenarios import Signals
from vitruvian.service.build import Latest
from vitruvian.service.views import AlertView
from vitruvian.signals.tracker import Tracker

SPREAD: Final = {
    "heart_rate": (82.0, 14.0),
    "respiratory_rate": (17.0, 3.0),
    "oxygen_saturation": (96.0, 1.5),
    "systolic_pressure": (122.0, 14.0),
    "diastolic_pressure": (72.0, 8.0),
    "mean_pressure": (88.0, 9.0),
    "body_temperature": (37.0, 0.4),
}
LABS: Final = {
    "lactate": (1.6, 0.9), "creatinine": (1.0, 0.4), "leukocytes": (9.5, 3.5), "potassium": (4.1, 0.4),
    "sodium": (139.0, 3.0), "hemoglobin": (12.5, 1.6), "platelets": (230.0, 60.0), "bilirubin_total": (0.8, 0.3),
    "c_reactive_protein": (40.0, 35.0), "glucose": (128.0, 30.0),
}  # fmt: skip
_FAMILIES: Final = (
    "Ahmadi", "Becker", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Hansen", "Ito", "Jansen", "Kaya", "Lopez",
    "Moreau", "Novak", "Okafor", "Petit", "Quinn", "Rossi", "Silva", "Tanaka", "Ueda", "Varga", "Weber", "Yilmaz",
)  # fmt: skip
_GIVEN: Final = (
    "Ana", "Bruno", "Chloe", "David", "Elena", "Farid", "Greta", "Hugo", "Irene", "Jonas", "Kemi", "Lars",
    "Maya", "Nils", "Olga", "Paul", "Rosa", "Sam", "Tara", "Uli", "Vera", "Wim", "Yara", "Zeno",
)  # fmt: skip
RULES: Final = (
    ("heart_rate", "HR", ">", 130.0, 3),
    ("heart_rate", "HR", ">", 115.0, 2),
    ("oxygen_saturation", "SpO₂", "<", 88.0, 3),
    ("oxygen_saturation", "SpO₂", "<", 91.0, 2),
    ("systolic_pressure", "SBP", "<", 90.0, 3),
    ("respiratory_rate", "RR", ">", 28.0, 2),
)


class Bed:
    """One simulated patient: values by concept as (times, values), alarms, and entries for the timeline."""

    def __init__(self, number: int, seed: int, now_us: int) -> None:
        self.random = np.random.default_rng((seed, number))
        self.id = f"sim-{number:03d}"
        # Most are well; every fifth is moderately and every eighth gravely ill.
        self.severity = 2.6 if number % 8 == 3 else 1.2 if number % 5 == 1 else float(self.random.uniform(0, 0.5))
        years = int(self.random.integers(34, 89))
        self.person = Person(
            _FAMILIES[number % len(_FAMILIES)], _GIVEN[(number * 7) % len(_GIVEN)],
            now_us - int((years + 0.5) * 365.2425) * DAY_US, "female" if number % 2 else "male",
        )  # fmt: skip
        self.location = Location("Simulated", "Ward 4", "", f"{1 + number // 6}{'ABCDEF'[number % 6]}")
        self.samples: dict[str, deque[tuple[int, float]]] = {}
        self.risks: deque[tuple[int, float]] = deque(maxlen=2_000)
        self.entries: deque[tuple[int, int, Entry]] = deque(maxlen=500)  # seq, recorded_us, entry
        self.alarms: dict[str, AlertView] = {}
        self.frozen = False

    def target(self, concept: str) -> float:
        mean, spread = SPREAD[concept]
        ill = {"heart_rate": 13, "respiratory_rate": 4.5, "oxygen_saturation": -2.8, "systolic_pressure": -13,
               "diastolic_pressure": -7, "mean_pressure": -9, "body_temperature": 0.7}  # fmt: skip
        person = np.random.default_rng((int(self.id[4:]), sum(map(ord, concept)))).normal()
        return mean + 0.4 * spread * person + self.severity * ill[concept]

    def put(self, concept: str, at_us: int, value: float) -> None:
        self.samples.setdefault(concept, deque(maxlen=6_000)).append((at_us, value))

    def measure(self, at_us: int, concepts: Sequence[str]) -> None:
        for concept in concepts:
            past = self.samples.get(concept)
            target, spread = self.target(concept), SPREAD[concept][1]
            before = past[-1][1] if past else target
            value = before + 0.04 * (target - before) + self.random.normal() * spread * 0.08
            low, high = VOCABULARY[concept].plausible
            high = min(high, 100.0) if concept == "oxygen_saturation" else high
            self.put(concept, at_us, round(float(np.clip(value, low, high)), VOCABULARY[concept].decimals))

    def latest(self) -> dict[str, Latest]:
        found = {}
        for concept, values in self.samples.items():
            apart = (values[-1][0] - values[-2][0]) / SECOND_US if len(values) > 1 else None
            found[concept] = Latest(values[-1][1], values[-1][0], apart)
        return found

    def newest(self) -> dict[str, float]:
        """The newest value of each concept."""
        return {concept: values[-1][1] for concept, values in self.samples.items() if values}

    def signals(self, now_us: int) -> Signals:
        """What risk models would have read: the last day of every concept, in a tracker."""
        tracker = Tracker(1)
        for concept, values in self.samples.items():
            at_us, number = (np.array(column) for column in zip(*values, strict=True))
            recent = (at_us > now_us - DAY_US) & (at_us <= now_us)
            rows = np.zeros(int(recent.sum()), np.int64)
            index = np.full(len(rows), VOCABULARY[concept].index, np.int64)
            tracker.update(rows, index, at_us[recent].astype(np.int64), number[recent].astype(np.float64))
        birth_us = NO_BIRTH if self.person.birth_us is None else self.person.birth_us
        years = (now_us - birth_us) / (365.2425 * DAY_US)
        return Signals(tracker, birth_us, years, 1.0 if self.person.sex == "male" else 0.0)

    def begin(self, now_us: int, history_h: float) -> None:
        """Hours of history by the minute, growing as ill as the patient is; then weight, oxygen and consciousness."""
        final, self.severity = self.severity, self.severity * 0.3
        start_us = now_us - int(history_h * HOUR_US)
        for at_us in range(start_us, now_us, MINUTE_US):
            self.severity += (final - self.severity) * 0.004
            self.measure(at_us, tuple(SPREAD))
            if (at_us - start_us) % (10 * MINUTE_US) == 0:
                self.risks.append((at_us, self.risk()))
        self.severity = final
        self.put("consciousness", now_us - 90 * MINUTE_US, 0.0 if final < 2 else 1.0)
        self.put("oxygen_supplementation", now_us - 80 * MINUTE_US, 1.0 if final > 1 else 0.0)
        self.put("body_weight", start_us, round(float(self.random.normal(76, 12)), 1))

    def results(self, now_us: int) -> Iterator[Entry]:
        """Three rounds of laboratory results, put and told."""
        for concept, (mean, spread) in LABS.items():
            for back_h in (20, 8, 2):
                number = abs(mean + spread * float(self.random.normal()) * 0.6 + spread * self.severity * 0.4)
                number, at_us = round(number, VOCABULARY[concept].decimals), now_us - back_h * HOUR_US
                self.put(concept, at_us, number)
                event = Event("observation", concept, Quantity(number, VOCABULARY[concept].unit), at_us)
                yield Entry("simulated:lab", f"{self.id}-{concept}-{back_h}", (event,))

    def risk(self) -> float:
        """A stand-in for a learned risk: a logistic of heart rate, breathing and pressure."""
        hr, rr, sbp = (self.samples[name][-1][1] for name in ("heart_rate", "respiratory_rate", "systolic_pressure"))
        return float(1 / (1 + np.exp(4.2 - 0.05 * (hr - 80) - 0.16 * (rr - 16) + 0.04 * (sbp - 120))))
