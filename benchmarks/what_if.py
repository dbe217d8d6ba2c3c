"""How long a what-if takes: six hours, 64 members, the acute-care body, the learned risk and the scores run again.

The ensemble is drawn from the model's population about one person and conditioned on a set of vital signs, as wide as a
filter that has followed a patient for some hours leaves it. What counts is the call that the service makes, in one
process, after its first compilation; a second clock counts the processor's time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks._results import Bar, quantiles_ms, record
from vitruvian.core.time import MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.actions import schedule
from vitruvian.physiology.bodies import body
from vitruvian.physiology.implicit import implicit
from vitruvian.physiology.run import held, run
from vitruvian.prediction.scores.inputs import NO_BIRTH
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.scenarios import Action, RiskModels, Scenario, Signals, what_if
from vitruvian.scenarios.what_if import LOOSER
from vitruvian.signals.tracker import Tracker
from vitruvian.testing.bodies import Body, MemoryBodies

NOW_US = 1_767_258_000_000_000
MEMBERS = 64
REPEATS = int(os.environ.get("VITRUVIAN_REPEATS", "8"))
BAR_S = 1.0
MEASURED = {
    "heart_rate": 98.0, "mean_pressure": 74.0, "systolic_pressure": 104.0, "diastolic_pressure": 58.0,
    "respiratory_rate": 20.0, "oxygen_saturation": 95.0, "body_temperature": 38.1, "consciousness": 0.0,
    "lactate": 2.4, "creatinine": 1.2, "hemoglobin": 11.5,
}  # fmt: skip
SCENARIOS = (
    Scenario("fluid and norepinephrine", (Action("crystalloid", 1_000, "mL", 0, 3_600),
                                          Action("norepinephrine", 0.1, "ug/kg/min", 1_800))),
    Scenario("bleed", (Action("blood_loss", 100, "mL/min", 0, 600),)),
    Scenario("oxygen and sedation", (Action("inspired_oxygen_fraction", 0.5),
                                     Action("propofol", 2, "mg/kg/h", 600, 3_600))),
    Scenario("edited vitals", (), (("heart_rate", 115.0), ("mean_pressure", 66.0), ("lactate", 5.0))),
    Scenario("another person", (), (("body_weight", 110.0), ("age_years", 78.0))),
)  # fmt: skip
CHECKED = 12  # members whose implicit run is compared with a tight explicit one


def signals() -> Signals:
    """Two hours of these values, a minute apart."""
    tracker = Tracker(1)
    for name, value in MEASURED.items():
        at_us = NOW_US - np.arange(120, 0, -1, dtype=np.int64) * MINUTE_US
        rows, index = np.zeros(120, np.int64), np.full(120, VOCABULARY[name].index, np.int64)
        tracker.update(rows, index, at_us, np.full(120, value))
    return Signals(tracker, NO_BIRTH, 61.0, 1.0)


def timed(ask: Callable[[Scenario], Any]) -> tuple[list[float], list[dict[str, Any]]]:
    """Durations in seconds of every scenario, one untimed run of each first; and a row a scenario."""
    durations_s: list[float] = []
    rows = []
    for scenario in SCENARIOS:
        ask(scenario)
        took_s, cpu_s = [], []
        for _ in range(REPEATS):
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
            ask(scenario)
            took_s.append(time.perf_counter() - began_s)
            cpu_s.append(time.process_time() - began_cpu_s)
        durations_s += took_s
        rows.append(
            {"scenario": scenario.name, **quantiles_ms(took_s), "cpu_median_s": round(float(np.median(cpu_s)), 3)}
        )
    return durations_s, rows


def accuracy(one: Body) -> list[dict[str, Any]]:
    """The implicit stepper against the explicit one at a tolerance a hundred times tighter: the largest error of the
    median and of any member, over six hours, in units of the last digit that is shown.
    """
    model, plan_of = one.model, SCENARIOS[0].actions
    y, p = one.states[:CHECKED], one.parameters[:CHECKED]
    times = np.linspace(0, 6 * 3_600, 73) / model.seconds
    plan = schedule(model, plan_of, p=p[0], weight_kg=one.person.weight_kg)
    rtol = LOOSER * model.rtol
    seen = run(implicit(model), y, p, 0.0, times[-1], times, plan, rtol=rtol).check(model).outputs
    exact = run(model, y, p, 0.0, times[-1], times, plan, rtol=model.rtol / 100).check(model).outputs
    rows = []
    for name in ("heart_rate", "mean_pressure", "cardiac_output", "oxygen_saturation", "respiratory_rate", "lactate",
                 "blood_volume", "systemic_vascular_resistance"):  # fmt: skip
        if name in model.output_index:
            i, digit = model.output_index[name], 10.0 ** -VOCABULARY[name].decimals
            middle = np.abs(np.median(seen[:, :, i], axis=0) - np.median(exact[:, :, i], axis=0)).max()
            worst = float(np.abs(seen - exact)[:, :, i].max())
            row = {"output": name, "unit": model.outputs[i].unit, "last_digit": digit}
            rows.append({**row, "median_error": float(middle), "member_error": worst})
    return rows


def explicit_cpu_s(one: Body) -> float:
    """Processor seconds of the baseline alone with the explicit stepper."""
    model = one.model
    began_s = time.process_time()
    run(model, one.states, one.parameters, 0.0, 6 * 3_600 / model.seconds, (), held(one.u)).check(model)
    return time.process_time() - began_s


def main() -> None:
    """Measure and record."""
    one = MemoryBodies(lambda pid: MEASURED, lambda: NOW_US, body("acute"), MEMBERS).posterior(1)
    assert one is not None
    models, heard = RiskModels.of(Predictor.load()), signals()
    durations_s, rows = timed(lambda scenario: what_if(one, scenario, risk_models=models, signals=heard))
    _, bare = timed(lambda scenario: what_if(one, scenario))
    found = quantiles_ms(durations_s)
    p95_s = found["p95_ms"] / 1e3
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    record(
        "what_if",
        title="What-if, six hours, 64 members",
        provenance="simulated: the acute-care body, one person, an ensemble conditioned on a set of vital signs",
        bars=[Bar("p95, s", f"< {BAR_S:g}", round(p95_s, 3), met=p95_s < BAR_S)],
        figures={
            **found,
            "scenarios": len(SCENARIOS),
            "repeats_each": REPEATS,
            "load_average_1min": round(load, 1),
            "explicit_baseline_cpu_s": round(explicit_cpu_s(one), 2),
            "by scenario": rows,
            "without scores and risks": bare,
            "implicit against explicit": accuracy(one),
        },
        notes=[
            "One call of `scenarios.what_if`: posterior and prior, both arms, all outputs, scores and learned risk.",
            "The posterior's 64 members and 24 of the prior's are each run twice.",
            "Wall-clock time depends on what else runs: the load average was read at the end, the cores are above.",
        ],
    )


if __name__ == "__main__":
    main()
