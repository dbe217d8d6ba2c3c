"""The twin experiment: bodies with hidden parameters, seen only through noisy vital signs, and what a filter finds.

Three generators of data: the filter's own body; the same with a lasting discrepancy of each patient between body and
monitor, as live filters assume; and a structurally different one, the circulation beat by beat, with every parameter
that the filter holds fixed drawn from its own spread. Patients are drawn from the prior of persons of all sizes; over
three hours they are given fluid, oxygen and a tilt, which the filter is told. What is scored are estimated parameters
and quantities that no monitor shows.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks._results import Bar, record
from benchmarks.live_filters import people
from vitruvian.estimation import begin, key_of, step_many
from vitruvian.estimation.base import Belief, Filter, Settings
from vitruvian.estimation.calibrate import Record
from vitruvian.estimation.health import health
from vitruvian.estimation.identifiability import Report, report
from vitruvian.physiology import run as running
from vitruvian.physiology.base import Model
from vitruvian.physiology.bodies import body
from vitruvian.physiology.person import Person
from vitruvian.twin.acute import acute_filter

Floats = NDArray[np.float64]
VITALS: Final = (
    "heart_rate", "mean_pressure", "systolic_pressure", "diastolic_pressure", "respiratory_rate", "oxygen_saturation",
)  # fmt: skip
LABS: Final = ("arterial_oxygen", "arterial_co2", "ph", "hemoglobin")
HIDDEN: Final = (
    "cardiac_output", "central_venous_pressure", "blood_volume", "stressed_volume", "oxygen_delivery",
    "oxygen_saturation_venous", "shunt_fraction", "minute_ventilation", "bicarbonate",
)  # fmt: skip
# What is done, in minutes: (input, level, from, to). The filter is told.
DONE: Final = (
    ("crystalloid", 30.0, 30, 60),
    ("inspired_oxygen_fraction", 0.4, 75, 100),
    ("tilt", 0.7, 120, 140),
)
SCORED: Final = (60, 120, 180)
LAB_EVERY: Final = 60
TOLERANCE: Final = 0.10  # relative standard deviation, by the Cramér-Rao bound, up to which a parameter is identifiable
NOTES: Final = (
    "Covered: the share of (patient, parameter or hidden quantity, time 1, 2, 3 h) whose truth lies in the ensemble's "
    "central 90 % interval.",
    "Vital signs each minute, laboratory values each hour; errors as in `vitruvian.twin.acute`. Identifiable: the "
    "Cramér-Rao bound of this design, errors independent and no prior, is at most 10 % of the value (1 sd).",
    "Beat by beat: the generator is the pulsating circulation, whose monitor shows the extremes of its own pressure "
    "wave, and every parameter of its own is drawn from its spread between people.",
    "Parameters of drugs that are not given, and of an infection that is not there, stay what the prior says: their "
    "coverage is the test that chance does not teach.",
)
SAMPLES: Final = 6  # looks within a minute whose mean the monitor shows


@dataclass(frozen=True)
class Truth:
    """shown (T, N, O) the observations' true values by tick; hidden (T, N, H); theta (N, E)."""

    shown: Floats
    hidden: Floats
    theta: Floats


def told(model: Model, tick: int) -> Floats:
    """The inputs (U,) during a tick."""
    u = model.rest()
    for name, level, start, end in DONE:
        if start <= tick < end:
            u[model.input_index[name]] = level
    return u


def plan(model: Model, ticks: int) -> running.Schedule:
    """The same as a schedule."""
    none = np.empty(0)
    levels = np.array([told(model, tick) for tick in range(ticks)])
    return running.Schedule(60.0 * np.arange(ticks), levels, none, np.empty(0, np.int64), none)


def hidden_parameters(one: Filter, persons: Sequence[Person]) -> Floats:
    """True values (N, E), drawn from each person's prior with keys that no filter uses."""
    few = replace(one, settings=Settings(members=4))
    return begin(few, [key_of(f"hidden-{n}") for n in range(len(persons))], persons).theta[:, 0]


def true_body(one: Filter, persons: Sequence[Person], theta: Floats, ticks: int, beats: bool) -> Truth:
    """What the generator's patients show and hide."""
    model, rng = (body("acute_beats") if beats else one.model), np.random.default_rng(17)
    p = np.array([model.parameter_values(person) for person in persons])
    if beats:  # what the filter holds fixed differs from person to person as well
        for i, each in enumerate(model.parameters):
            if each.spread > 0:
                drawn = rng.normal(size=len(p)) * each.spread
                p[:, i] = p[:, i] + drawn if each.scale == "plain" else p[:, i] * np.exp(drawn)
                p[:, i] = np.clip(p[:, i], each.low, each.high)
    for e, each in enumerate(one.parameters):
        other = each.name.replace("circulation.", "circulation_beats.") if beats else each.name
        if other in model.parameter_index:
            p[:, model.parameter_index[other]] = theta[:, e]
    y = running.run(model, running.start(model, p), p, -model.settle, 0.0).check(model).end
    seen = [each.output for each in one.observations]
    shown, hidden = np.empty((ticks, len(p), len(seen))), np.empty((ticks, len(p), len(HIDDEN)))
    looks = np.linspace(60 / SAMPLES, 60, SAMPLES)
    fast = np.arange(50.0, 60.0, 0.02) if beats else np.empty(0)
    at = np.union1d(looks, fast)
    for tick in range(ticks):
        done = running.run(model, y, p, 0.0, 60.0, at, running.held(told(model, tick))).check(model)
        y, out = done.end, done.outputs
        slow = out[:, np.isin(at, looks)].mean(1)
        wave = out[:, :, model.output_index["aortic_pressure"]][:, np.isin(at, fast)] if beats else None
        for o, name in enumerate(seen):
            if wave is not None and name == "systolic_pressure":
                shown[tick, :, o] = wave.max(1)
            elif wave is not None and name == "diastolic_pressure":
                shown[tick, :, o] = wave.min(1)
            else:
                shown[tick, :, o] = slow[:, model.output_index[name]]
        hidden[tick] = slow[:, [model.output_index[name] for name in HIDDEN]]
    return Truth(shown, hidden, theta)


def measured(one: Filter, truth: Truth, discrepancy: bool) -> Floats:
    """Values (T, N, O) as monitors and the laboratory give them; NaN for none."""
    rng = np.random.default_rng(23)
    sd, relative = one.errors
    ticks, count, shown = truth.shown.shape
    bias = np.zeros((count, shown))
    scale = np.array([each.bias_sd for each in acute_filter().observations if each.output in names(one)])
    keep = np.exp(-1 / 60 / np.array([each.bias_h for each in one.observations]))
    bias = rng.normal(size=(count, shown)) * scale * discrepancy
    values = np.empty_like(truth.shown)
    labs = [o for o, each in enumerate(one.observations) if each.output in LABS]
    for tick in range(ticks):
        exact = truth.shown[tick] + bias
        values[tick] = exact + rng.normal(size=exact.shape) * np.sqrt(sd**2 + (relative * exact) ** 2)
        if tick % LAB_EVERY != 5:
            values[tick][:, labs] = np.nan
        bias = keep * bias + np.sqrt(1 - keep**2) * scale * discrepancy * rng.normal(size=bias.shape)
    return values


def names(one: Filter) -> list[str]:
    """Outputs observed."""
    return [each.output for each in one.observations]


def followed(one: Filter, belief: Belief, values: Floats) -> tuple[list[Belief], Floats]:
    """Beliefs after the scored ticks, and normalised innovations (T, N, 2)."""
    kept, nis = [], []
    for tick in range(len(values)):
        belief, said = step_many(one, belief, values[tick], told(one.model, tick))
        nis.append(said.nis)
        if tick + 1 in SCORED:
            kept.append(belief)
    return kept, np.array(nis)


def unseen(one: Filter, belief: Belief, tick: int) -> Floats:
    """Hidden quantities of each member: (N, M, H)."""
    count, members = belief.theta.shape[:2]
    p = one.full(belief.constants, belief.theta).reshape(count * members, -1)
    shown = running.observe(one.model, 0.0, belief.states.reshape(count * members, -1), p, told(one.model, tick))
    return shown[:, [one.model.output_index[name] for name in HIDDEN]].reshape(count, members, -1)


def inside(members: Floats, truth: Floats, level: float = 0.9) -> NDArray[np.bool_]:
    """Whether truth (N, K) lies in the central interval of members (N, M, K)."""
    low, high = np.quantile(members, [(1 - level) / 2, (1 + level) / 2], axis=1, method="weibull")
    return (truth >= low) & (truth <= high)


def score(one: Filter, kept: list[Belief], truth: Truth) -> dict[str, Floats]:
    """Coverage by name of parameter (E,) and hidden quantity (H,), and relative errors (N, E) at the end."""
    told = len(one.estimated)
    parameters = np.array([inside(belief.theta[:, :, :told], truth.theta[:, :told]) for belief in kept])
    quantities = np.array(
        [
            inside(unseen(one, belief, tick - 1), truth.hidden[tick - 1])
            for belief, tick in zip(kept, SCORED, strict=False)
        ]
    )
    exact = truth.theta[:, :told]
    off = np.abs(np.median(kept[-1].theta[:, :, :told], axis=1) - exact) / np.maximum(np.abs(exact), 1e-9)
    middle = np.median(unseen(one, kept[-1], SCORED[-1] - 1), axis=1)
    hidden = truth.hidden[SCORED[-1] - 1]
    hidden_errors = np.abs(middle - hidden) / np.maximum(np.abs(hidden), 1e-9)
    return {"parameters": parameters, "quantities": quantities, "errors": off, "hidden_errors": hidden_errors}


def experiment_filter(discrepancy: bool, **settings: float) -> Filter:
    """The live filter, on vital signs each minute and a laboratory each hour, with or without its discrepancy."""
    live = acute_filter()
    seen = tuple(each for each in live.observations if each.output in (*VITALS, *LABS))
    if not discrepancy:
        seen = tuple(replace(each, bias_sd=0.0) for each in seen)
    return Filter(live.model, seen, replace(live.settings, **settings) if settings else live.settings)


def lab_mask(one: Filter, ticks: int) -> NDArray[np.bool_]:
    """Which values (T, O) are measured."""
    mask = np.ones((ticks, len(one.observations)), bool)
    labs = [o for o, each in enumerate(one.observations) if each.output in LABS]
    mask[:, labs] = (np.arange(ticks) % LAB_EVERY == 5)[:, None]
    return mask


def interval(covered: NDArray[np.bool_]) -> str:
    """The 95 % interval of a coverage (times, N, K), by drawing patients anew a thousand times."""
    by_patient, rng = covered.mean((0, 2)), np.random.default_rng(5)
    drawn = by_patient[rng.integers(0, len(by_patient), (1_000, len(by_patient)))].mean(1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{low:.3f} to {high:.3f}"


def row(title: str, one: Filter, kept: list[Belief], result: dict[str, Floats], nis: Floats) -> dict[str, Any]:
    """One line of the table of generators."""
    parameters, quantities = result["parameters"], result["quantities"]
    words = [each.word for each in health(one, kept[-1])]
    settled = nis[30:]
    return {
        "generator": title,
        "parameters_covered": round(float(parameters.mean()), 3),
        "parameters_interval": interval(parameters),
        "hidden_quantities_covered": round(float(quantities.mean()), 3),
        "hidden_quantities_interval": interval(quantities),
        "nis_per_value": round(float(settled[:, :, 0].sum() / settled[:, :, 1].sum()), 2),
        "median_relative_error_hidden": round(float(np.median(result["hidden_errors"])), 3),
        **{word: words.count(word) for word in ("tracking", "strained", "lost")},
    }


def recovered(told_of: Report, errors: Floats) -> list[dict[str, Any]]:
    """For each parameter, what the report says of it and how near the filter came (its own body, no discrepancy)."""
    return [
        {
            "parameter": each.name,
            "said_by_report": each.word,
            "relative_sd_by_report": round(each.relative_sd, 4) if np.isfinite(each.relative_sd) else "not told",
            "median_error": round(float(np.median(errors[:, e])), 4),
            "p90_error": round(float(np.quantile(errors[:, e], 0.9)), 4),
            "trades_with": ", ".join(name for name, _ in each.partners[:2]),
        }
        for e, each in enumerate(told_of.parameters)
    ]


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--patients", type=int, default=24)
    count = parser.parse_args().patients
    persons, ticks = people(count), max(SCORED)
    plain, live = experiment_filter(False), experiment_filter(True)
    theta = hidden_parameters(plain, persons)
    own, other = (true_body(plain, persons, theta, ticks, beats) for beats in (False, True))
    cases = {
        "own body": (plain, own, False),
        "own body with lasting discrepancy": (live, own, True),
        "beat by beat, all parameters differ": (live, other, False),
        "beat by beat, filter without discrepancy": (plain, other, False),
    }
    rows, by_name, errors = [], {name: {"name": name} for name in (*plain.estimated, *HIDDEN)}, np.empty(0)
    for title, (one, truth, discrepancy) in cases.items():
        values = measured(one, truth, discrepancy)
        kept, nis = followed(one, begin(one, [key_of(f"twin-{n}") for n in range(count)], persons), values)
        result = score(one, kept, truth)
        errors = errors if errors.size else result["errors"]
        rows.append(row(title, one, kept, result, nis))
        print(rows[-1], flush=True)
        covered = np.concatenate([result["parameters"].mean((0, 1)), result["quantities"].mean((0, 1))])
        for name, share in zip(by_name, covered, strict=True):
            by_name[name][title] = round(float(share), 3)
    known = np.where(lab_mask(plain, ticks), 0.0, np.nan)
    design = Record(60.0 * np.arange(1, ticks + 1), known, plan(plain.model, ticks))
    told_of = report(plain, design, tolerance=TOLERANCE)
    found, identifiable = recovered(told_of, errors), told_of.named("identifiable")
    worst = max((each["median_error"] for each in found if each["parameter"] in identifiable), default=float("nan"))
    bars = [
        Bar(
            f"90 % intervals cover, {what.replace('_', ' ')}: {each['generator']}",
            "0.85 to 0.95",
            each[f"{what}_covered"],
            met=0.85 <= each[f"{what}_covered"] <= 0.95,
            note=each[f"{what}_interval"],
        )
        for each in rows[:3]
        for what in ("parameters", "hidden_quantities")
    ]
    shown = f"{len(identifiable)} of {len(found)}: {', '.join(identifiable)}"
    bars.append(
        Bar("identifiable parameters: largest median error", "<= 0.10", worst, met=bool(worst <= 0.10), note=shown)
    )
    record(
        "twin_experiment",
        title="Twin experiment: what filters find of hidden bodies",
        provenance=f"simulated; {count} patients drawn from the priors of adults, {ticks} ticks of 60 s",
        bars=bars,
        figures={"patients": count, "generators": rows, "recovered": found, "coverage": list(by_name.values())},
        notes=NOTES,
    )


if __name__ == "__main__":
    main()
