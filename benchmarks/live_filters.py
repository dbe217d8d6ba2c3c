"""Live filters: how many patients' twins one machine follows in real time.

Each simulated patient is an acute-care body on its 60 s grid with an ensemble of 64. Six vital signs arrive at 1 Hz and
are averaged into the tick. What is timed is a whole tick of all patients: the averaging of 60 readings of each value,
the drift of parameters, the integration of every member over the minute, and the analysis. The patients that could be
followed are the 60 s of a tick over the seconds that a patient takes.
"""

from __future__ import annotations

import argparse
import time

import numba
import numpy as np

from benchmarks._results import Bar, record
from vitruvian.estimation import begin, key_of, step_many
from vitruvian.estimation.base import Belief, Filter
from vitruvian.physiology.person import Person
from vitruvian.twin.acute import acute_filter

BAR_TWINS = 10_000
VITALS = (
    "heart_rate", "mean_pressure", "systolic_pressure", "diastolic_pressure", "respiratory_rate", "oxygen_saturation",
)  # fmt: skip
TICKS = 5


def people(count: int) -> list[Person]:
    """Adults of all sizes, the same at every run."""
    rng = np.random.default_rng(1)
    return [
        Person(
            float(rng.uniform(25, 85)), "male" if rng.random() < 0.5 else "female", float(rng.uniform(155, 190)),
            float(rng.uniform(50, 110)),
        )
        for _ in range(count)
    ]  # fmt: skip


def averaged(seconds: np.ndarray) -> np.ndarray:
    """The tick's values (N, O) of readings (60, N, O), second after second as they arrive, NaN where none came."""
    total, number = np.zeros(seconds.shape[1:]), np.zeros(seconds.shape[1:])
    for values in seconds:
        known = np.isfinite(values)
        total += np.where(known, values, 0.0)
        number += known
    return np.where(number > 0, total / np.maximum(number, 1), np.nan)


def readings(one: Filter, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """60 readings (60, N, O) of six vital signs around truth (N, O), 2 % of them missing, and nothing else."""
    seconds = truth + rng.normal(0, 1.0, (60, *truth.shape)) * np.maximum(one.errors[0], 1.0)
    seconds[rng.random(seconds.shape) < 0.02] = np.nan
    seconds[:, :, [o for o, each in enumerate(one.observations) if each.output not in VITALS]] = np.nan
    return seconds


def parts(one: Filter, belief: Belief) -> dict[str, float]:
    """Seconds of CPU of the stages of one tick, by the functions that do them."""
    from vitruvian.estimation.enkf import _integrate, propagate

    length = one.model.grid_s / one.model.seconds
    started_s = time.process_time()
    _integrate(one, belief, None, length, np.array([length]))
    integration_s = time.process_time() - started_s
    started_s = time.process_time()
    propagate(one, belief)
    propagation_s = time.process_time() - started_s
    return {"integration": integration_s, "drift_and_prediction": max(propagation_s - integration_s, 0.0)}


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, default=1_000)
    count = parser.parse_args().patients
    one, rng = acute_filter(), np.random.default_rng(2)
    # Priors of 64 different persons, each shared by several patients: settling a prior is not what is measured.
    few = begin(one, [key_of(f"patient-{n}") for n in range(64)], people(64))
    belief = few.rows(np.arange(count) % 64)
    keys = np.array([key_of(f"patient-{n}") for n in range(count)], np.uint64)
    belief = Belief(**{**{name: getattr(belief, name) for name in belief.__dataclass_fields__}, "keys": keys})
    _, first = step_many(one, belief, np.full((count, len(one.observations)), np.nan))
    truth = first.expected + rng.normal(0, 1.0, first.expected.shape) * np.sqrt(first.spread)
    wall_s, cpu_s, used = [], [], 0
    for _ in range(TICKS):
        seconds = readings(one, truth, rng)
        wall, cpu = time.perf_counter(), time.process_time()
        belief, report = step_many(one, belief, averaged(seconds))
        wall_s.append(time.perf_counter() - wall)
        cpu_s.append(time.process_time() - cpu)
        used += int((report.fate > 0).sum())
    stages = parts(one, belief)
    tick_s, cores = float(np.median(wall_s)), numba.get_num_threads()
    cpu_tick_s = float(np.median(cpu_s))
    twins, by_cpu = int(60 * count / tick_s), int(60 * cores * count / cpu_tick_s)
    single = belief.rows([0])
    snapshot_bytes = single.states.nbytes + single.theta.nbytes + single.bias.nbytes
    integrated = stages["integration"] / cpu_tick_s
    record(
        "live_filters",
        title="Live filters: twins of the acute body in real time",
        provenance=f"simulated; {count} patients x {one.settings.members} members, {TICKS} ticks of 60 s, 1 Hz values",
        bars=[
            Bar(
                f"twins in real time, {cores} cores",
                f">= {BAR_TWINS:,}",
                twins,
                met=twins >= BAR_TWINS,
                note="by the clock on the wall",
            )
        ],
        figures={
            "twins_by_wall_clock": twins,
            "twins_by_cpu_time": by_cpu,
            "tick_wall_s": round(tick_s, 3),
            "tick_cpu_s": round(cpu_tick_s, 3),
            "microseconds_cpu_per_member_tick": round(1e6 * cpu_tick_s / count / one.settings.members, 1),
            "share_integration": round(integrated, 3),
            "share_analysis_and_averaging": round(1 - integrated - stages["drift_and_prediction"] / cpu_tick_s, 3),
            "model_states": len(one.model.states),
            "model_parameters": len(one.model.parameters),
            "estimated_parameters": len(one.estimated),
            "considered_parameters": len(one.considered),
            "values_used": used,
            "belief_kib_a_patient": round(snapshot_bytes / 1024, 1),
        },
        notes=[
            "Simulation alone: no transport, no journal, no risk models. Members and settings are those of live twins "
            "(`vitruvian.twin.acute`).",
            "What sets the limit: the integration of members. Their fastest decay is a second; the stabilised method "
            "bridges it with more stages to a step, and what is left is the cost of a slope of the whole body.",
            "Twins by CPU time are what the cores would do were they not shared with other work; by the wall clock, "
            "what they did.",
        ],
    )


if __name__ == "__main__":
    main()
