"""What a sepsis model keeps when it is sent elsewhere: parts of set A that mimic a change of hospital.

    python -m benchmarks.sepsis_transfer                  every candidate below; some minutes each on one core
    python -m benchmarks.sepsis_transfer lightgbm steady  only these

Patients with the role "test" are not touched: what is chosen here is later measured on them. Each candidate is fitted
on one kind of patients and measured on another, by rank and by utility, with the threshold that would have been best
there, with the home threshold, and with the recipe's, which follows the unlabelled scores.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks._results import REPOSITORY, Bar, record
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.cohorts.split import lab_density
from vitruvian.prediction.families.base import Family, Goal
from vitruvian.prediction.families.rows import Boosted, BoostedFamily, LogisticFamily, LogisticSettings
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.measure.platt import fit_platt, sigmoid
from vitruvian.prediction.measure.ranking import Ranking
from vitruvian.prediction.measure.split import role_of
from vitruvian.prediction.measure.utility import HourValues, best_threshold, hour_values, normalized_utility
from vitruvian.prediction.recipes.sepsis import wanted
from vitruvian.prediction.recipes.sepsis.features import CHARTED, CLOCK, HABITS, PATIENT, STEADY
from vitruvian.prediction.recipes.sepsis.plan import trees
from vitruvian.prediction.recipes.sepsis.policy import trained_policy
from vitruvian.prediction.recipes.sepsis.thinned import ThinnedFamily
from vitruvian.prediction.sites.threshold import threshold_for

DATA: Final = "physionet2019/training_setA.parquet"
HELD_SEED: Final = "held"  # a fifth of each home, on which thresholds are chosen
LOOSE: Final = Boosted(rounds=250, patience=0, learning_rate=0.05, leaves=31, leaf_rows_min=200, l2=1.0,
                       feature_share=0.5, row_share=0.7)  # fmt: skip
CANDIDATES: Final[dict[str, tuple[tuple[str, ...], Family]]] = {
    "clock": (CLOCK, ThinnedFamily(BoostedFamily(trees()))),
    "loose": (CHARTED + HABITS, BoostedFamily(LOOSE)),
    "lightgbm": (CHARTED + HABITS, ThinnedFamily(BoostedFamily(trees()))),
    "steady": (STEADY + HABITS, ThinnedFamily(BoostedFamily(trees(monotone=True)))),
    "logistic": (STEADY + HABITS, LogisticFamily(LogisticSettings((3_000.0,)))),
    "loose_no_practice": (CHARTED, BoostedFamily(LOOSE)),
    "charted_no_practice": (CHARTED, ThinnedFamily(BoostedFamily(trees()))),
    "patient_no_practice": (PATIENT, ThinnedFamily(BoostedFamily(trees()))),
}
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Shift:
    """Patients (P,) of a home, and of elsewhere; the first is no shift: both are the same kind of patients."""

    name: str
    home: Mask
    away: Mask


def shifts(cohort: Cohort) -> Iterator[Shift]:
    """From one kind of patients to another, both ways."""
    mine = np.array([role_of(name) != "test" for name in cohort.ids])
    held = np.array([role_of(name, HELD_SEED) == "test" for name in cohort.ids])
    yield Shift("none", mine, mine & held)
    medical, surgical = (cohort.admission[name] == 1 for name in ("medical_unit", "surgical_unit"))
    yield Shift("medical to surgical", mine & medical, mine & surgical)
    yield Shift("surgical to medical", mine & surgical, mine & medical)
    density = lab_density(cohort)
    third, half, two_thirds = np.quantile(density, (1 / 3, 1 / 2, 2 / 3))
    yield Shift("dense to sparse labs", mine & (density > half), mine & (density < third))
    yield Shift("sparse to dense labs", mine & (density < half), mine & (density > two_thirds))


def _worth(values: HourValues, rows: NDArray[np.int64]) -> HourValues:
    return HourValues(values.alarm[rows], values.silence[rows], values.best[rows])


def measured(cohort: Cohort, table: Table, shift: Shift, features: tuple[str, ...], family: Family) -> dict[str, Any]:
    """Fit at home, choose the threshold on held-out patients of home, measure elsewhere."""
    held = np.array([role_of(name, HELD_SEED) == "test" for name in cohort.ids])
    goal_of = wanted(cohort)
    fit, own, away = (
        np.flatnonzero(part[cohort.patient] & cohort.scored)
        for part in (shift.home & ~held, shift.home & held, shift.away)
    )
    goal = Goal(goal_of.target, goal_of.weight, fit[goal_of.weight[fit] > 0], own)
    fitted = family.fit(table, features, goal, seed=1, say=lambda _: None)
    values = hour_values(cohort.patient, cohort.label)
    at_home = fitted.logit(table, own)
    slope, intercept = fit_platt(at_home, cohort.label[own].astype(np.float64))
    home, there = (sigmoid(slope * logit + intercept) for logit in (at_home, fitted.logit(table, away)))
    policy = trained_policy(_worth(values, own), home)
    fixed, _ = best_threshold(_worth(values, own), home)
    worth = _worth(values, away)
    _, highest = best_threshold(worth, there)
    return {
        "shift": shift.name,
        "auroc": Ranking(there, cohort.label[away]).auroc(),
        "utility_best_threshold": highest,
        "utility_home_threshold": normalized_utility(worth, there >= fixed),
        "utility_policy": normalized_utility(worth, there >= threshold_for(there, policy)),
        "septic_patients": int(np.unique(cohort.patient[away][cohort.label[away] > 0]).size),
    }


def main(names: list[str]) -> None:
    root = Path(os.environ.get("VITRUVIAN_DATA", REPOSITORY.parent / "shared" / "data"))
    cohort = read_challenge2019(root / DATA)
    chosen = {name: CANDIDATES[name] for name in names or CANDIDATES}
    table = table_of(cohort, tuple(dict.fromkeys(one for features, _ in chosen.values() for one in features)))
    rows = []
    for name, (features, family) in chosen.items():
        for shift in shifts(cohort):
            rows.append(
                {"candidate": name, "features": len(features)} | measured(cohort, table, shift, features, family)
            )
            print(rows[-1], flush=True)
    away = [row for row in rows if row["shift"] != "none" and row["candidate"] != "clock"]
    gains = [row["utility_policy"] - row["utility_home_threshold"] for row in away]
    gain = round(float(np.mean(gains)), 3) if gains else None
    record(
        "sepsis_transfer",
        title="Sepsis risk sent to other kinds of patients",
        provenance="PhysioNet/CinC Challenge 2019 set A (CC BY 4.0), its training and calibration patients",
        bars=[
            Bar("utility that the policy gains over the home threshold, mean over shifts and models", "> 0",
                "not measured" if gain is None else gain, None if gain is None else gain > 0),
        ],
        figures={"rows": [{k: round(v, 4) if isinstance(v, float) else v for k, v in row.items()} for row in rows]},
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
