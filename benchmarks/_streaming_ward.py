"""A simulated ward for the benchmark of streaming risks: patients with a day behind them, and single samples on top."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vitruvian.core.errors import ModelError
from vitruvian.core.time import HOUR_US, SECOND_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.inputs.blocks import Asked, columns
from vitruvian.prediction.inputs.hours import CHANNELS, window
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.serve.bundle import Bundle
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.tasks import TASKS
from vitruvian.signals import FEATURES, Tracker
from vitruvian.signals.concepts import LABS

NOW_US = 480_000 * HOUR_US + 20 * 60 * SECOND_US
MONITOR = ("heart_rate", "respiratory_rate", "oxygen_saturation", "mean_pressure")


def predictor_of(folder: Path) -> tuple[Predictor, str]:
    """The shipped sepsis LSTM, else one of the same size fitted for a moment to noise; and which of the two."""
    for serves in ("standard/lstm", "no_practice/lstm"):
        try:
            return Predictor.load(task="sepsis", serves=serves), f"the shipped {serves}"
        except ModelError:
            continue  # what ships has no LSTM to serve alone
    if not (folder / "bundle.json").is_file():
        made_up(folder)
    return Predictor.load(folder, task="sepsis"), "an LSTM of the default size, fitted to noise"


def made_up(folder: Path) -> None:
    """A bundle of one LSTM of the default settings."""
    from vitruvian.prediction.families.sequence import SequenceFamily, Settings

    random, count = np.random.default_rng(0), 2400
    values = random.standard_normal((count, len(FEATURES))).astype(np.float32)
    values[random.random(values.shape) < 0.3] = np.nan
    hours = random.standard_normal((2, count, len(CHANNELS))).astype(np.float32)
    label = (random.random(count) < 0.3).astype(np.int8)
    patient, hour, scored = np.repeat(np.arange(100), 24), np.tile(np.arange(24), 100), np.ones(count, np.bool_)
    table = Table(FEATURES, values, hours[0], hours[1], patient, hour, label, scored, 0, 0)
    goal = Goal(label.astype(np.float64), np.ones(count), np.arange(1800), np.arange(1800, count))
    fitted = SequenceFamily(Settings(epochs=1)).fit(table, FEATURES, goal, seed=0, say=print)
    member = fitted.save(folder, "lstm", table, np.arange(count)).as_json() | {"slope": 1.1, "intercept": -0.1}
    sepsis = TASKS["sepsis"]
    variant = {"members": {"lstm": 1.0}, "slope": 1.0, "intercept": 0.0, "policy": {}, "interval": {}, "conformal": {}}
    told = {
        "format": 1, "task": sepsis.name, "version": "0", "target": sepsis.target, "horizon_h": sepsis.horizon_h,
        "validated": False, "simulated": True, "data": "noise", "intended_use": "", "limits": [], "prevalence": 0.02,
        "split": {}, "members": [member], "variants": {"standard": variant}, "serves": "standard", "medians": {},
    }  # fmt: skip
    Bundle(folder, told).write()


class Ward:
    """Patients of a tracker, asked again after each sample, with the carried states kept between."""

    def __init__(self, predictor: Predictor, patients: int, seed: int) -> None:
        self.predictor, self.patients = predictor, patients
        self.random = np.random.default_rng(seed)
        self.tracker = Tracker(patients)
        self.states = predictor.new_states()
        self.age = np.full(patients, 65.0)
        self.male = self.age % 2
        self._admit()

    def _admit(self) -> None:
        """A day of hourly vital signs and a few labs of everybody."""
        names = [*CHANNELS, *LABS[:12]]
        for back in range(24, 0, -1):
            some = CHANNELS if back % 6 else names
            who = np.repeat(np.arange(self.patients), len(some))
            at = NOW_US - back * HOUR_US
            self.tracker.update(who, *self._values(np.tile(some, self.patients), np.full(who.size, at)))

    def _values(self, names: np.ndarray, at_us: np.ndarray) -> tuple[np.ndarray, ...]:
        concepts = {name: VOCABULARY[name] for name in np.unique(names)}
        index = np.array([concepts[name].index for name in names])
        low, high = (np.array([concepts[name].plausible[side] for name in names]) for side in (0, 1))
        return index, at_us, (low + (high - low) * 0.4) * (1 + 0.05 * self.random.random(names.size))

    def samples(self, count: int, number: int) -> tuple[np.ndarray, ...]:
        """One sample each of `count` patients, the next in turn."""
        who = (np.arange(count) + number * count) % self.patients
        at_us = np.full(count, NOW_US + (number * count // self.patients) * SECOND_US)
        return who, *self._values(np.array(MONITOR)[self.random.integers(0, len(MONITOR), count)], at_us)

    def updated(self, samples: tuple[np.ndarray, ...]) -> np.ndarray:
        """Take one sample a patient and say the risk of each, (n,)."""
        who, _, at_us, _ = samples
        self.tracker.update(*samples)
        names = self.predictor.needed
        values = columns(names, Asked(self.tracker, who, at_us, self.age[who], self.male[who]))
        hours = window(self.tracker, who, at_us)
        return self.predictor.predict(values, names, hours, keys=who, states=self.states).probability
