"""`vitruvian evaluate`: a bundle's graphs on a cohort, beside what it has to beat, on patients it has not seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.open import open_cohort
from vitruvian.prediction.cohorts.prints import has_seen
from vitruvian.prediction.inputs.blocks import is_practice
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.measure import baselines
from vitruvian.prediction.measure.figures import Threshold
from vitruvian.prediction.measure.judge import judge
from vitruvian.prediction.serve.bundle import Bundle, shipped
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.sites.threshold import threshold_for
from vitruvian.prediction.tasks import Task, task

__all__ = [
    "EVALUATION",
    "Told",
    "Unseen",
    "evaluate",
    "judge_bundle",
    "judge_told",
    "spread",
    "summary_table",
    "unseen",
    "write",
]

EVALUATION: Final = "evaluation.json"
Floats = NDArray[np.float64]
Told = Mapping[str, tuple[Floats, Threshold]]  # probabilities (N,) by name, with the threshold of each
Say = Callable[[str], None]


def evaluate(
    name: str,
    data: Path,
    model: Path | None = None,
    *,
    out: Path | None = None,
    variant: str = "standard",
    member: str | None = None,
    all_patients: bool = False,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Measure a model's folder (or the shipped one) on the patients of `data` whom it has not seen.

    `variant`: "standard" or "no_practice"; `member`: one of its members alone. Writes `evaluation.json`, plots and
    `report.html` to `out`. Raises ReadingError for data in no known form.
    """
    of = task(name)
    bundle = Bundle.read(shipped(of.name) if model is None else model)
    cohort = open_cohort(of, data)
    say(f"{cohort.data}: {cohort.patients:,} patients, {cohort.patient.size:,} hours")
    who = Unseen(cohort, "all patients; some may have trained the model") if all_patients else unseen(cohort, bundle)
    if who.cohort.patients < cohort.patients:
        say(f"{cohort.patients - who.cohort.patients:,} patients left out: the model was trained on them")
    if who.flattered:
        say(f"Careful. {who.split}")
    result = judge_bundle(of, who, bundle, f"{variant}/{member}" if member else variant, say=say)
    if out is not None:
        write(result, bundle, out)
    return result


@dataclass(frozen=True, slots=True)
class Unseen:
    """A cohort to measure on, and in words who they are; `flattered` where the model was fitted on all of them."""

    cohort: Cohort
    split: str
    flattered: bool = False


def unseen(cohort: Cohort, bundle: Bundle) -> Unseen:
    """The patients whom a bundle has not seen, known by their own data; where it has seen all, all of them."""
    seen = has_seen(bundle.folder, cohort)
    if not seen.any():
        return Unseen(cohort, "all patients; none of them trained or calibrated the model")
    kept = np.flatnonzero(~seen)
    if not kept.size:
        return Unseen(
            cohort,
            "ALL PATIENTS WERE FITTED BY THIS MODEL: these figures flatter it and say nothing of other patients; see"
            " the model's own evaluation.json for patients it had not seen",
            flattered=True,
        )
    return Unseen(cohort.of(kept), f"{kept.size:,} of {cohort.patients:,} patients, those the model has not seen")


def judge_bundle(
    of: Task,
    who: Unseen,
    bundle: Bundle,
    serves: str,
    *,
    table: Table | None = None,
    compared: Told | None = None,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """The evaluation of what a bundle's graphs say of a cohort, with its members and the baselines beside it.

    `table`: of `who.cohort`, with every column that the bundle's members read; made here where none is given.
    `compared`: further probabilities (N,) with their thresholds.
    """
    main = Predictor.load(bundle.folder, of.name, serves)
    others = _others(bundle, main)
    cohort = who.cohort
    if table is None:
        needed = dict.fromkeys(name for one in (main, *others.values()) for name in one.needed)
        table = table_of(cohort, tuple(needed))
    rows = np.flatnonzero(cohort.scored)
    found = main.over(table, rows)
    members: dict[str, Floats] = {}
    if len(main.members) > 1:
        members = {
            name: spread(cohort, rows, found.member_probability[:, place]) for place, name in enumerate(found.members)
        }
    for name, one in others.items():
        say(f"{name}: scoring")
        members[name] = spread(cohort, rows, one.over(table, rows).probability)
    fixed = bundle.told["thresholds"]
    beside = {name: (score, float(fixed[name])) for name, score in members.items()} | dict(compared or {})
    return judge_told(of, who, bundle, serves, spread(cohort, rows, found.probability), beside, say=say)


def judge_told(
    of: Task,
    who: Unseen,
    bundle: Bundle,
    serves: str,
    told: Floats,
    beside: Told,
    *,
    threshold: Threshold | None = None,
    conformal: Mapping[str, Any] | None = None,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """The evaluation of probabilities (N,) that a bundle, or the folds it was made in, told of a cohort.

    `beside`: further probabilities with their thresholds. `threshold` and `conformal`: those of the folds; without them
    the threshold follows the bundle's policy, and the sets are the bundle's.
    """
    cohort = who.cohort
    shown = f"{of.title}: {serves}"
    variant = bundle.told["variants"][serves.partition("/")[0]]
    policy = variant["policy"]
    cut = threshold_for(told[cohort.scored], policy) if threshold is None else threshold
    scores, limits, known = baselines.scores_of(cohort, bundle.told["baselines"])
    result = judge(
        of,
        cohort,
        {shown: told} | {name: score for name, (score, _) in beside.items()} | scores,
        {shown: cut} | {name: limit for name, (_, limit) in beside.items()} | limits,
        main=shown,
        probabilities={shown, *beside},
        split=who.split,
        model=f"{of.name} {bundle.told['version']} ({serves})",
        conformal=variant.get("conformal") if conformal is None else conformal,
        news2_lacks=known.news2_lacks,
        say=say,
    )
    return result | {"threshold_policy": policy, "threshold_as_trained": float(policy["threshold"])}


def _others(bundle: Bundle, main: Predictor) -> dict[str, Predictor]:
    """Members of the bundle that the served variant does not hold, and that read practice patterns if it does."""
    mine = {member.name for member in main.members}
    rows = {row["name"]: row for row in bundle.told["members"]}
    cares = any(map(is_practice, (name for member in main.members for name in member.features)))
    return {
        name: Predictor.load(bundle.folder, main.task.name, name)
        for name, row in rows.items()
        if name not in mine and any(map(is_practice, row["features"])) == cares
    }


def spread(cohort: Cohort, rows: NDArray[np.int64], values: NDArray[np.floating]) -> Floats:
    """Values of rows among all rows; the others are never measured and stand at 0."""
    out = np.zeros(cohort.patient.size)
    out[rows] = values
    return out


def write(result: Mapping[str, Any], bundle: Bundle, out: Path) -> None:
    """Write the evaluation as JSON, plots and a page."""
    from vitruvian.prediction.report import write_report

    out.mkdir(parents=True, exist_ok=True)
    (out / EVALUATION).write_text(json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")
    write_report(out, bundle.told, dict(result))


def summary_table(result: Mapping[str, Any]) -> str:
    """The rows of an evaluation for a terminal."""
    decision = result["decision"]
    keys = ("auroc", "auprc", decision, "brier_skill", "calibration_slope")
    counts = result["counts"]
    lines = [
        f"{result['title']} on {result['data']}: {result['split']}",
        f"{counts['patients']:,} patients, {counts['event_patients']:,} with the event, {counts['rows']:,} rows",
        "",
        f"{'score':<28}" + "".join(f"{key:>26}" for key in keys),
    ]
    for row in result["rows"]:
        cells = []
        for key in keys:
            value, limits = row.get(key), row.get(f"{key}_95")
            text = "-" if value is None else f"{value:.3f}"
            if value is not None and limits and limits[0] is not None:
                text += f" ({limits[0]:.3f} to {limits[1]:.3f})"
            cells.append(f"{text:>26}")
        lines.append(f"{row['score']:<28}" + "".join(cells))
    return "\n".join(lines)
