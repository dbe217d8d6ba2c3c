"""The watch for abnormal patterns on held-out patients: injected anomalies found, false alarms, cost."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._results import REPOSITORY, Bar, record
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.inputs.hours import CHANNELS
from vitruvian.prediction.inputs.table import Table, table_of, windows
from vitruvian.prediction.measure.split import patients_of
from vitruvian.prediction.patterns import Watch
from vitruvian.prediction.patterns.baseline import own_spread
from vitruvian.prediction.patterns.calibrate import Foretell, alarm_rate, level_for, scores_of
from vitruvian.prediction.patterns.evaluate import Candidate, false_alarms, flags, found, stable_patients
from vitruvian.prediction.patterns.inject import BEFORE, HOURS, KINDS, SIZES, events_of
from vitruvian.prediction.patterns.rule import REFRACTORY_H, Rule
from vitruvian.prediction.patterns.scores import KINDS as SCORES
from vitruvian.prediction.patterns.scores import Scores, joined
from vitruvian.prediction.patterns.tails import tails

DRAWS = 500
TIMES = 3  # events of a patient of each kind and size
OURS, PLAIN = "the watch", "z-score of the own day"
LSTM_ALONE = ("jump", "course", "stillness")
SHARES = {"step": (0.5, 1.0), "drift": (0.5, 1.0), "swap": (1.0,), "flat": (1.0,)}


def data() -> Path:
    root = Path(os.environ.get("VITRUVIAN_DATA", REPOSITORY.parent / "shared" / "data"))
    return root / "physionet2019" / "training_setA.parquet"


def only(kinds: tuple[str, ...]) -> np.ndarray:
    """Which scores these kinds are, (KC + 1,); none of all together."""
    return np.append(np.tile([kind in kinds for kind in SCORES], len(CHANNELS)), False)


def calibrated(
    foretell: Foretell, uses: np.ndarray, table: Table, rows: np.ndarray, calm: np.ndarray, per_day: float
) -> Candidate:
    """Another watch: tails of all calibration patients, and as many alarms on the stable ones among them."""
    one = scores_of(foretell, table, rows)
    side = np.where(uses, joined(one), np.nan).astype(np.float32)
    limits = np.array([tails(side[:, place], table.patient[rows]) for place in range(side.shape[1])])
    chosen = np.isin(rows, calm)
    each = side[:, :-1].reshape(one.each.shape)
    judged = Scores(one.z[chosen], each[chosen], side[chosen, -1])
    return Candidate(foretell, Rule(limits, level_for(judged, limits, table, rows[chosen], per_day)), uses)


def interval(hits: np.ndarray, patient: np.ndarray, random: np.random.Generator) -> str:
    """A share with its 95 % interval over patients."""
    place = np.unique(patient, return_inverse=True)[1]
    found_of, events_of_each = np.bincount(place, hits), np.bincount(place)
    drawn = random.integers(0, found_of.size, (DRAWS, found_of.size))
    low, high = np.quantile(found_of[drawn].sum(axis=1) / events_of_each[drawn].sum(axis=1), (0.025, 0.975))
    return f"{hits.mean():.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    cohort = read_challenge2019(data())
    table, watch = table_of(cohort, ()), Watch.load()
    chosen = patients_of(cohort.ids, "calibrate")
    calibrate, test = (np.flatnonzero(np.isin(table.patient, chosen[first::2])) for first in (0, 1))
    calm = calibrate[np.isin(table.patient[calibrate], stable_patients(table, calibrate))]
    every = np.ones(len(SCORES) * len(CHANNELS) + 1, np.bool_)
    simple = own_spread(np.nanstd(table.running[calibrate], axis=0))
    ours = Candidate(watch.foretold, watch.rule, every)
    same = (table, calibrate, calm, alarm_rate(flags(ours, table, calm), table, calm))
    candidates = {
        OURS: ours,
        "LSTM, jumps only": calibrated(watch.foretold, only(("jump",)), *same),
        "LSTM, without the own day": calibrated(watch.foretold, only(LSTM_ALONE), *same),
        PLAIN: calibrated(simple, only(("jump",)), *same),
    }
    stable = stable_patients(table, test)
    rows = test[np.isin(table.patient[test], stable)]
    false = rates(candidates, table, test, rows)
    events, finds = sensitivity(candidates, table, stable)
    write(watch, candidates, stable, rows, false, events, finds, cost_ms(watch, table, test))


def rates(candidates: dict[str, Candidate], table: Table, test: np.ndarray, rows: np.ndarray) -> list[dict[str, Any]]:
    out = []
    for name, one in candidates.items():
        line: dict[str, Any] = {"watch": name}
        for who, chosen in (("stable patients", rows), ("all held-out patients", test)):
            rate, low, high = false_alarms(flags(one, table, chosen), table, chosen, DRAWS, np.random.default_rng(1))
            line[f"alarms a patient-day, {who}"] = f"{rate:.3f} ({low:.3f} to {high:.3f})"
            line.setdefault("rate", rate)
        out.append(line)
    return out


def sensitivity(
    candidates: dict[str, Candidate], table: Table, stable: np.ndarray
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    random = np.random.default_rng(2019)
    out, finds = [], {}
    for kind in KINDS:
        for share in SHARES[kind]:
            events = [one for _ in range(TIMES) for one in events_of(table, stable, kind, share, random)]
            who = table.patient[[event.start for event in events]]
            line: dict[str, Any] = {"anomaly": kind, "size": f"{share:g}" if kind in ("step", "drift") else "-"}
            line["events"] = len(events)
            for name, one in candidates.items():
                hit, without = found(one, table, events)
                line[name] = interval(hit, who, np.random.default_rng(3)) + f", else {without.mean():.2f}"
                finds[f"{name}/{kind}/{share:g}"] = float(hit.mean())
            out.append(line)
    return out, finds


def cost_ms(watch: Watch, table: Table, rows: np.ndarray) -> float:
    hours = windows(table, rows[:: max(1, rows.size // 1000)][:1000])
    taken = []
    for _ in range(7):
        started = time.perf_counter()
        watch.watch(hours)
        taken.append(time.perf_counter() - started)
    return min(taken) * 1e3


def write(
    watch: Watch, candidates: dict[str, Candidate], stable: np.ndarray, rows: np.ndarray, false: list[dict[str, Any]],
    events: list[dict[str, Any]], finds: dict[str, float], cost: float,
) -> None:  # fmt: skip
    rate = false[0].pop("rate")
    gains = {kind: finds[f"{OURS}/{kind}/1"] - finds[f"{PLAIN}/{kind}/1"] for kind in KINDS}
    for line in false[1:]:
        line.pop("rate")
    bars = [
        Bar("false alarms a stable patient-day", "reported", round(rate, 3), None),
        *(Bar(f"{kind}: found", "reported", round(finds[f"{OURS}/{kind}/1"], 3), None) for kind in KINDS),
        *(
            Bar(f"{kind}: found, more than by the z-score", "> 0", round(gain, 3), gain > 0)
            for kind, gain in gains.items()
        ),
    ]
    record(
        "abnormal_patterns",
        title="What is unusual for this patient",
        provenance="PhysioNet/CinC Challenge 2019 set A, 5 % of patients, not those fitted to or calibrated on; "
        "anomalies are simulated, put into their recorded hours",
        bars=bars,
        figures={
            "stable_patients": int(stable.size),
            "stable_patient_days": round(rows.size / 24),
            "level": watch.rule.level,
            "watch_1000_patients_ms": round(cost, 1),
            "forecaster_kb": round(len((Path(_folder()) / "forecaster.onnx").read_bytes()) / 1000),
            "false_alarms": false,
            "found": events,
            "full_sizes": SIZES,
        },
        notes=[
            f"Ranges are 95 % intervals over {DRAWS} bootstrap draws of patients. The watch was given "
            f"{watch.card['recipe']['alarms_per_day']} alarms a patient-day of all calibration patients (5 %); the "
            "others as many as it makes on the stable ones among them. An alarm silences its patient for "
            f"{REFRACTORY_H} h.",
            f"{TIMES} events a patient of each kind and size. An anomaly lasts {HOURS} h, begins after {BEFORE} h or "
            "more of the stay, in a channel that was measured then; it is found where anything is flagged within its "
            "hours. Sizes are parts of `full_sizes`, up or down by lot (saturation down). `else`: the share flagged in "
            "the same hours as recorded.",
            "Stable: never septic, a day or longer, all measured vital signs within wide limits in 95 % of hours. What "
            "is flagged there may still be real: nobody labelled these hours.",
            "Hourly values: a flat line is told by six equal hours. Where a monitor sends more often, the mean of an "
            "hour is watched, not the waveform.",
        ],
    )


def _folder() -> Path:
    from vitruvian.prediction.patterns.watch import SHIPPED

    return SHIPPED


if __name__ == "__main__":
    main()
