"""Four sequence models side by side: LSTM, GRU, TCN and a small transformer, on the same patients and columns.

Fitted, stopped and calibrated on patients of the training and calibration parts of the Challenge 2019 set A, measured
on its test part (a hash of names), since scoring every window of five folds would take an hour for two of them.
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks._results import REPOSITORY, Bar, record
from vitruvian.prediction.cohorts.open import open_cohort
from vitruvian.prediction.inputs.table import table_of
from vitruvian.prediction.measure.baselines import best
from vitruvian.prediction.measure.figures import Judge
from vitruvian.prediction.measure.rows import rows_of
from vitruvian.prediction.measure.split import SEED
from vitruvian.prediction.recipes import recipe_for
from vitruvian.prediction.tasks import task
from vitruvian.prediction.training.fitting import fit, one_thread, said_of
from vitruvian.prediction.training.parts import split_parts

DATA = "physionet2019/training_setA.parquet"
NETWORKS = ("lstm", "gru", "tcn", "transformer")
SHOWN = ("auroc", "auprc", "utility", "accuracy", "precision", "recall", "f1", "brier_skill", "calibration_slope",
         "alarms_per_patient_day_at_80", "median_lead_h_at_80")  # fmt: skip


def shown(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row for the page: figures with their intervals."""
    cells: dict[str, Any] = {"network": name}
    for key in SHOWN:
        low, high = row[f"{key}_95"]
        cells[key] = f"{row[key]:.3f} ({low:.3f} to {high:.3f})"
    return cells


def main() -> None:
    root = Path(os.environ.get("VITRUVIAN_DATA", REPOSITORY.parent / "shared" / "data"))
    of = task("sepsis")
    cohort = open_cohort(of, root / DATA)
    recipe = recipe_for(of, cohort, compare=True)
    plans = tuple(plan for plan in recipe.members if plan.name in NETWORKS)
    parts = split_parts(cohort, SEED)
    judge = Judge(of, cohort.of(parts.test))
    rows, cpu_s = {}, {}
    with tempfile.TemporaryDirectory() as folder, one_thread():
        table = table_of(cohort, tuple(dict.fromkeys(name for plan in plans for name in plan.features)))
        for plan in plans:
            began = time.process_time()
            one = replace(recipe, members=(plan,), variants={"alone": {plan.name: 1.0}}, compared=frozenset())
            trained = fit(cohort, table, one, parts, Path(folder), lambda line: print(line, flush=True))
            cpu_s[plan.name] = round(time.process_time() - began)
            alone = trained.alone(plan.name)
            held, chance = said_of(trained, cohort, alone, parts.valid)
            threshold = best(of, rows_of(of, held), chance)
            _, told = said_of(trained, cohort, alone, parts.test)
            rows[plan.name] = judge.figures(plan.name, told, threshold, probability=True)
    record(
        "prediction_networks",
        title="Four sequence models of the sepsis risk",
        provenance=(
            f"{cohort.data} (CC BY 4.0), {parts.test.size:,} test patients by a hash of their names, fitted on"
            f" {parts.train.size:,} others; 95 % intervals over draws of patients; thresholds from patients who fitted"
            " nothing"
        ),
        bars=[Bar(f"{name}: AUROC", "-", round(row["auroc"], 4), None) for name, row in rows.items()],
        figures={"networks": [shown(name, row) for name, row in rows.items()], "cpu_s": cpu_s},
        notes=[
            "The same columns, epochs, masking and calibration for all four; the LSTM ships, the others are compared."
        ],
    )


if __name__ == "__main__":
    main()
