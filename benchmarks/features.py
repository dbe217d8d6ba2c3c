"""What a patient's signals cost: a sample into the tracker, features and risk of 10,000 patients, memory a patient."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks._results import Bar, record
from vitruvian.core.time import HOUR_US, SECOND_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.inputs.blocks import Asked, columns
from vitruvian.prediction.inputs.hours import window
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.signals import FEATURES, Tracker
from vitruvian.signals.concepts import LABS, MONITORED
from vitruvian.signals.features import features
from vitruvian.signals.tracker import row_bytes

PATIENTS = 10_000
SAMPLES = 2_000_000
REPEATS = 7


def best_s(run: Callable[[], object]) -> float:
    """The least of several runs: what the code costs, without what else the machine did."""
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run()
        taken.append(time.perf_counter() - started)
    return min(taken)


def day(random: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A simulated day of a hospital: mostly monitors, some labs, patients in any order, time rising."""
    names = [*MONITORED, *LABS[:12]]
    chance = np.array([10.0] * len(MONITORED) + [0.2] * 12)
    place = random.choice(len(names), SAMPLES, p=chance / chance.sum())
    low, high = (np.array([VOCABULARY[name].plausible[side] for name in names]) for side in (0, 1))
    value = (low + (high - low) * 0.4)[place] * (1 + 0.05 * random.random(SAMPLES))
    index = np.array([VOCABULARY[name].index for name in names])
    at_us = 480_000 * HOUR_US + np.sort(random.integers(0, 86_400, SAMPLES)) * SECOND_US
    return random.integers(0, PATIENTS, SAMPLES), index[place], at_us, value


def main() -> None:
    random = np.random.default_rng(0)
    samples = day(random)
    tracker = Tracker(PATIENTS)
    tracker.update(*(column[:1000] for column in samples))  # compiles, or loads what was compiled
    started = time.perf_counter()
    tracker.update(*(column[1000:] for column in samples))
    update_ns = (time.perf_counter() - started) / (SAMPLES - 1000) * 1e9
    by_patient = tuple(column[np.argsort(samples[0], kind="stable")] for column in samples)
    sorted_tracker = Tracker(PATIENTS)
    started = time.perf_counter()
    sorted_tracker.update(*by_patient)
    sorted_ns = (time.perf_counter() - started) / SAMPLES * 1e9
    rows, now_us = np.arange(PATIENTS), int(samples[2][-1])
    age = np.full(PATIENTS, 65.0)
    features(tracker, rows, now_us, age_years=age, male=age % 2)  # compiles
    features_ms = best_s(lambda: features(tracker, rows, now_us, age_years=age, male=age % 2)) * 1e3
    model = Predictor.load(task="sepsis")
    states = model.new_states()
    asked = Asked(tracker, rows, np.full(PATIENTS, now_us), age, age % 2)
    read, hours = columns(model.needed, asked), window(tracker, rows, now_us)

    def risk(few: int) -> object:
        return model.predict(read[:few], model.needed, hours[:few], keys=rows[:few], states=states)

    risk(PATIENTS)
    predict_ms = best_s(lambda: risk(PATIENTS)) * 1e3
    one_ms = best_s(lambda: risk(1)) * 1e3
    record(
        "features",
        title="Signals, features and risk of 10,000 patients",
        provenance="simulated",
        bars=[
            Bar("a sample into the tracker, patients interleaved, ns", "< 1,000", round(update_ns), update_ns < 1000),
            Bar("features of 10,000 patients, ms", "< 100", round(features_ms, 1), features_ms < 100),
            Bar("risk of 10,000 patients, ms", "< 50", round(predict_ms, 1), predict_ms < 50),
        ],
        figures={
            "update_interleaved_ns": round(update_ns, 1),
            "update_by_patient_ns": round(sorted_ns, 1),
            "features_10000_ms": round(features_ms, 2),
            "risk_10000_ms": round(predict_ms, 2),
            "features_and_risk_of_one_ms": round(one_ms, 3),
            "patient_bytes": row_bytes(),
            "features": len(FEATURES),
            "model_features": len(model.features),
        },
        notes=["One thread. Updates are one pass; features and risk the least of 7 runs, compiled kernels at hand."],
    )


if __name__ == "__main__":
    main()
