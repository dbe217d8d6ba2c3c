"""Measure a trained risk on patients it was not trained on, beside what it has to beat."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vitruvian.core.errors import ModelError
from vitruvian.prediction.sepsis.baselines import SCORES, TimeOnly, score_table
from vitruvian.prediction.sepsis.challenge import Cohort, FeatureTable, feature_table, read_cohort
from vitruvian.prediction.sepsis.figures import Judge, tabulate
from vitruvian.prediction.sepsis.model import SUFFICIENT, SepsisModel, reasons
from vitruvian.prediction.sepsis.split import patients_of


def evaluate(path: Path, model: Path | None = None, *, who: Literal["test", "all"] = "test") -> dict[str, Any]:
    """Figures of a model (the shipped one by default) on the Challenge-form hours at `path`.

    `who`: the patients whom the split set aside for testing, or all (data of a hospital the model never saw). Raises
    ReadingError for unreadable data, ModelError where no patient is left or none has sepsis.
    """
    cohort = read_cohort(path)
    if who == "test":
        cohort = cohort.of(patients_of(cohort.ids, "test"))
    return judge(SepsisModel.load(model), cohort)


def judge(model: SepsisModel, cohort: Cohort, table: FeatureTable | None = None) -> dict[str, Any]:
    """The figures of a model and of the baselines on every hour of a cohort. Thresholds are those tuned in training."""
    if not cohort.patient.size or not cohort.label.any():
        raise ModelError("found no hour with sepsis to test on, expected some; give more patients, or take all of them")
    table = feature_table(cohort) if table is None else table
    probability, _, _, _ = model.run(table.values, table.names)
    silent = reasons(table.values, table.names) != SUFFICIENT
    judged = Judge(cohort)
    rows = [
        judged.figures("sepsis model", probability, model.threshold, probability=True),
        judged.figures("sepsis model as served", np.where(silent, 0.0, probability), model.threshold),
    ]
    baselines = model.card["baselines"]
    clock = TimeOnly.from_table(baselines["time_only_table"])
    rows.append(
        judged.figures("time only", clock.score(cohort.hour), baselines["thresholds"]["time only"], probability=True)
    )
    scores = score_table(cohort)
    for column, name in enumerate(SCORES):
        rows.append(judged.figures(name, scores[:, column], baselines["thresholds"][name]))
    return {
        "model": model.version,
        "patients": len(cohort.ids),
        "septic_patients": int(np.unique(cohort.patient[cohort.label > 0]).size),
        "hours": int(cohort.patient.size),
        "prevalence": float(cohort.label.mean()),
        "insufficient_share": float(silent.mean()),
        "rejected_samples": table.rejected,
        "rows": rows,
    }


def to_markdown(result: dict[str, Any]) -> str:
    """The result as a page."""
    return "\n".join(
        [
            f"# Sepsis risk {result['model']}",
            "",
            f"{result['patients']:,} patients ({result['septic_patients']:,} with sepsis), {result['hours']:,} hours,"
            f' of which {100 * result["prevalence"]:.2f} % carry the label. The model says "insufficient data"'
            f" in {100 * result['insufficient_share']:.1f} % of them; {result['rejected_samples']:,} implausible ones"
            " were left out. Ranges are 95 % intervals over 200 bootstrap draws of patients.",
            "",
            *tabulate(result["rows"]),
            "",
        ]
    )


def write(result: dict[str, Any], folder: Path) -> None:
    """Write `evaluation.json` and `evaluation.md`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(rounded(result), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "evaluation.json").write_text(text + "\n", "utf-8")
    (folder / "evaluation.md").write_text(to_markdown(result), "utf-8")


def rounded(value: Any) -> Any:
    """Numbers to six significant digits, NaN as null: what a JSON file should hold."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(each) for each in value]
    return value
