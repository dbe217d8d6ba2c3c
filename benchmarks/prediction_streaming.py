"""What a live learned risk costs: a sample in, features, the LSTM with its carried state, calibration, a risk out.

Throughput on two processes; the latency of updates that arrive at random, 1,000 a second; one update alone.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._results import Bar, quantiles_ms, record
from benchmarks._streaming_ward import Ward, predictor_of

PATIENTS = 5_000  # of each process
BATCH = 1_000
THROUGHPUT_S = 10.0
RATE_HZ, OPEN_LOOP_S = 1_000, 30.0
ALONE = 2_000


def throughput(folder: str, seed: int, start: Barrier, out: Queue[dict[str, float]]) -> None:
    """One process: its patients in turn, `BATCH` at a time, for `THROUGHPUT_S`."""
    ward = Ward(predictor_of(Path(folder))[0], PATIENTS, seed)
    turns = [ward.samples(BATCH, number) for number in range(200)]
    for turn in turns[: PATIENTS // BATCH]:  # the first hour carries the states; then they are kept
        ward.updated(turn)
    start.wait()
    wall, cpu, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - wall < THROUGHPUT_S:
        told = ward.updated(turns[done % len(turns)])
        done += 1
    assert np.isfinite(told).all()
    out.put(
        {
            "updates": done * BATCH,
            "wall_s": time.perf_counter() - wall,
            "cpu_s": time.process_time() - cpu,
            "states_kept_percent": 100 * ward.states.kept / (ward.states.kept + ward.states.carried),
        }
    )


def two_processes(folder: Path) -> list[dict[str, float]]:
    context = multiprocessing.get_context("spawn")
    start, out = context.Barrier(2), context.Queue()
    workers = [context.Process(target=throughput, args=(str(folder), seed, start, out)) for seed in range(2)]
    for worker in workers:
        worker.start()
    results = [out.get(timeout=300) for _ in workers]
    for worker in workers:
        worker.join()
    return results


def open_loop(ward: Ward) -> dict[str, float]:
    """Updates arrive by a Poisson process whether or not the ward keeps up; each turn takes all that have arrived."""
    random = np.random.default_rng(7)
    due = np.cumsum(random.exponential(1 / RATE_HZ, int(RATE_HZ * OPEN_LOOP_S)))
    who, concept, at_us, value = ward.samples(due.size, 0)
    latencies, done, began = [], 0, time.perf_counter()
    while done < due.size:
        now = time.perf_counter() - began
        arrived = int(np.searchsorted(due, now))
        if arrived == done:
            time.sleep(max(0.0, due[done] - now))
            continue
        part = slice(done, min(arrived, done + BATCH))  # fewer than there are patients, so each comes once
        ward.updated((who[part], concept[part], at_us[part], value[part]))
        latencies.append(time.perf_counter() - began - due[part])
        done = part.stop
    return quantiles_ms(np.concatenate(latencies).tolist())


def alone(ward: Ward) -> dict[str, float]:
    """One update after another."""
    taken = []
    for number in range(ALONE):
        turn = ward.samples(1, number)
        started = time.perf_counter()
        ward.updated(turn)
        taken.append(time.perf_counter() - started)
    return quantiles_ms(taken)


def main() -> None:
    with tempfile.TemporaryDirectory() as held:
        folder = Path(held)
        predictor, which = predictor_of(folder)
        load = os.getloadavg()[0]
        ward = Ward(predictor, PATIENTS, 2)
        for number in range(PATIENTS // BATCH):
            ward.updated(ward.samples(BATCH, number))
        one = alone(ward)
        stream = open_loop(ward)
        two = two_processes(folder)
    write(which, load, len(predictor.features), one, stream, two)


def write(
    which: str, load: float, features: int, one: dict[str, float], stream: dict[str, float], two: list[dict[str, float]]
) -> None:
    rate = sum(each["updates"] / each["wall_s"] for each in two)
    free = 2 * sum(each["updates"] for each in two) / sum(each["cpu_s"] for each in two)
    figures: dict[str, Any] = {
        "updates_per_s": round(rate),
        "updates_per_s_of_two_free_cores": round(free),
        "features": features,
        "patients": 2 * PATIENTS,
        "load_before": round(load, 1),
        "one_alone": one,
        "at_1000_per_s": stream,
        "processes": [{name: round(value, 2) for name, value in each.items()} for each in two],
    }
    record(
        "prediction_streaming",
        title="Live learned risk: features, LSTM and calibration",
        provenance="simulated samples",
        bars=[
            Bar("patient-updates a second, two processes", ">= 20,000", round(rate), rate >= 20_000),
            Bar("at 1,000 updates/s: p99, ms", "<= 50", stream["p99_ms"], stream["p99_ms"] <= 50),
            Bar("one update alone: p50, ms", "<= 2", one["p50_ms"], one["p50_ms"] <= 2),
        ],
        figures=figures,
        notes=[
            f"Model: {which}. An update is one sample of one patient into the tracker, then that patient's features, "
            "hours, log-odds and calibrated probability with interval, one thread a process.",
            "States are carried over the closed hours once an hour and patient; `states_kept_percent` includes the "
            "first time.",
            "`updates_per_s_of_two_free_cores` is updates by processor time, twice: what the measured rate would be "
            "where nothing else ran. `load_before` is the machine's load as the run began; the run itself adds two.",
        ],
    )


if __name__ == "__main__":
    main()
