"""What hybrid features add to boosted trees that have the measurements anyway: in closed form, and from the filter.

Closed form: the same settings, columns with and without them, trained on the training patients of Challenge 2019 set A,
thresholds by calibration patients, measured on test patients; once also from one kind of unit to the other. Filtered:
a second stage on top of the first one's log-odds, patients out of fold, on those whom `_hybrid_filtered` followed.
Fits are kept in var/ and taken up again.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks._hybrid_filtered import DATA, FOLLOWED_H, KEPT, MEMBERS, NAMES, kept
from benchmarks._results import Bar, record
from tests.support import require_data
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.families.rows import Boosted, BoostedFamily
from vitruvian.prediction.inputs.hybrid import HYBRID, INPUTS
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.measure.ranking import Ranking
from vitruvian.prediction.measure.resampling import limits, patient_draws, patient_sums
from vitruvian.prediction.measure.split import patients_of, role_of
from vitruvian.prediction.measure.utility import HourValues, best_threshold, hour_values
from vitruvian.prediction.recipes.sepsis.features import CHARTED, STEADY
from vitruvian.prediction.recipes.sepsis.goal import wanted
from vitruvian.prediction.recipes.sepsis.plan import trees

Floats = NDArray[np.float64]
DRAWS: Final = 1000
FOLDS: Final = 5
SECOND: Final = replace(trees(), rounds=150, learning_rate=0.05, leaf_rows_min=100, l2=20.0, seeds=2, feature_share=0.5)


@dataclass(frozen=True, slots=True)
class Judged:
    """What every comparison is measured on: rows of some patients with what an alarm in each is worth."""

    patient: NDArray[np.int64]
    label: NDArray[np.int8]
    values: HourValues
    draws: NDArray[np.int64]

    @classmethod
    def of(cls, patient: NDArray[np.int64], label: NDArray[np.int8], values: HourValues) -> Judged:
        """Of rows; patients are numbered anew."""
        dense = np.unique(patient, return_inverse=True)[1]
        return cls(dense, label, values, patient_draws(int(dense[-1]) + 1, DRAWS))

    def figures(self, score: Floats, alarm: NDArray[np.bool_]) -> dict[str, Any]:
        """AUROC and utility, each with the value in every draw."""
        ranked = Ranking(score, self.label)
        won = np.where(alarm, self.values.alarm, self.values.silence)
        sums = patient_sums(
            self.patient, self.draws.shape[1], won - self.values.silence, self.values.best - self.values.silence
        )
        drawn = self.draws @ sums
        return {
            "auroc": ranked.auroc(), "auroc_draws": ranked.drawn(self.patient, self.draws)[0],
            "utility": float(sums[:, 0].sum() / sums[:, 1].sum()), "utility_draws": drawn[:, 0] / drawn[:, 1],
        }  # fmt: skip


def row_of(name: str, one: dict[str, Any], beside: dict[str, Any] | None) -> dict[str, Any]:
    """A row of a table: figures with intervals, and how far they lie over another's on the same draws."""
    row: dict[str, Any] = {"columns": name}
    for figure in ("auroc", "utility"):
        row[figure] = ranged(one[figure], one[f"{figure}_draws"])
        row[f"{figure}_gain"] = (
            "" if beside is None
            else ranged(one[figure] - beside[figure], one[f"{figure}_draws"] - beside[f"{figure}_draws"], sign=True)
        )  # fmt: skip
    return row


def ranged(value: float, drawn: Floats, *, sign: bool = False) -> str:
    """A figure with its 95 % interval."""
    low, high = limits(drawn)
    return f"{value:+.4f} ({low:+.4f} to {high:+.4f})" if sign else f"{value:.4f} ({low:.4f} to {high:.4f})"


def cut(values: HourValues, rows: NDArray[Any]) -> HourValues:
    """The worth of some of the hours."""
    return HourValues(values.alarm[rows], values.silence[rows], values.best[rows])


def roles(cohort: Cohort) -> NDArray[np.str_]:
    """The role of every row's patient."""
    named = np.array([role_of(name) for name in cohort.ids])
    return named[cohort.patient]


def first_stage(cohort: Cohort, table: Table, say: Any) -> dict[str, Floats]:
    """Log-odds of every row by each fit, (N,); kept, since they cost minutes."""
    goal, role = wanted(cohort), roles(cohort)
    unit = np.array(cohort.groups["unit"])[cohort.patient]
    everyone = (role == "train") & (goal.weight > 0)
    plans: dict[str, tuple[tuple[str, ...], NDArray[np.bool_]]] = {
        "steady": (STEADY, everyone),
        "steady + hybrid": ((*STEADY, *HYBRID), everyone),
        "charted": (CHARTED, everyone),
        "charted + hybrid": ((*CHARTED, *HYBRID), everyone),
        "medical: steady": (STEADY, everyone & (unit == "medical")),
        "medical: steady + hybrid": ((*STEADY, *HYBRID), everyone & (unit == "medical")),
    }
    found = {}
    for name, (columns, chosen) in plans.items():
        path = KEPT / f"first_{name.replace(' ', '').replace(':', '_').replace('+', '_')}.npy"
        if not path.exists():
            rows = np.flatnonzero(chosen)
            fitted = BoostedFamily(trees()).fit(
                table, columns, Goal(goal.target, goal.weight, rows, rows[:0]), seed=7, say=say
            )
            np.save(path, fitted.logit(table, np.arange(table.patient.size)))
        found[name] = np.load(path)
        say(f"{name}: done")
    return found


def closed_form(cohort: Cohort, logits: dict[str, Floats]) -> list[dict[str, Any]]:
    """The table of the first stage."""
    role, values = roles(cohort), hour_values(cohort.patient, cohort.label)
    unit = np.array(cohort.groups["unit"])[cohort.patient]
    table = []
    for plain, more, tested in (
        ("steady", "steady + hybrid", "all"),
        ("charted", "charted + hybrid", "all"),
        ("medical: steady", "medical: steady + hybrid", "surgical"),
    ):
        among = cohort.scored if tested == "all" else cohort.scored & (unit == tested)
        # The threshold comes from calibration patients of the kind of unit that was trained on.
        home = cohort.scored & (role == "calibrate") & ((unit == "medical") | (tested == "all"))
        rows = np.flatnonzero((role == "test") & among)
        judged = Judged.of(cohort.patient[rows], cohort.label[rows], cut(values, rows))
        before = None
        for name in (plain, more):
            threshold, _ = best_threshold(cut(values, np.flatnonzero(home)), logits[name][home])
            one = judged.figures(logits[name][rows], logits[name][rows] >= threshold)
            table.append(row_of(name, one, before) | {"tested_on": tested})
            before = one
    return table


def filtered(cohort: Cohort, table: Table, base: Floats) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The table of the second stage, and whom it is of."""
    followed = kept()
    if followed is None:
        return [], {}
    number = {name: n for n, name in enumerate(cohort.ids)}
    patient = np.array([number[name] for name in followed.patient.tolist()], np.int64)
    rows = np.searchsorted(cohort.patient, patient) + followed.row
    order = np.argsort(rows)
    rows, extra = rows[order], followed.values[order]
    usable = cohort.scored[rows]
    rows, extra = rows[usable], extra[usable]
    measured = table.values[np.ix_(rows, table.columns((*INPUTS, *HYBRID)))]
    columns = np.hstack([base[rows, None], measured, extra]).astype(np.float32)
    names = ("base", *INPUTS, *HYBRID, *NAMES)
    label, values = cohort.label[rows], cut(hour_values(cohort.patient, cohort.label), rows)
    judged = Judged.of(cohort.patient[rows], label, values)
    seen = replace_table(table, rows, names, columns)
    made: dict[str, dict[str, Any]] = {}
    found = []
    for name, wanted_names, beside in (
        ("log-odds", ("base",), ""),
        ("log-odds, measurements", ("base", *INPUTS), "log-odds"),
        ("log-odds, measurements, closed form", ("base", *INPUTS, *HYBRID), "log-odds, measurements"),
        ("log-odds, measurements, filtered", ("base", *INPUTS, *NAMES), "log-odds, measurements"),
        ("log-odds, measurements, both", names, "log-odds, measurements"),
    ):
        made[name] = judged.figures(*out_of_fold(seen, judged, wanted_names))
        found.append(row_of(name, made[name], made.get(beside)) | {"gain_over": beside})
    ill = np.unique(judged.patient[np.isin(judged.patient, judged.patient[label > 0])]).size
    return found, {"patients": judged.draws.shape[1], "septic_patients": int(ill), "hours": int(rows.size)}


def replace_table(table: Table, rows: NDArray[np.int64], names: tuple[str, ...], columns: NDArray[np.float32]) -> Table:
    """A table of other columns for some rows."""
    return Table(
        names, columns, table.running[rows], table.closed[rows], table.patient[rows], table.hour[rows],
        table.label[rows], table.scored[rows], 0, 0,
    )  # fmt: skip


def out_of_fold(table: Table, judged: Judged, columns: Sequence[str]) -> tuple[Floats, NDArray[np.bool_]]:
    """Log-odds out of fold by patient, and alarms at thresholds that other folds' patients chose."""
    fold = np.random.default_rng(11).permutation(judged.draws.shape[1])[judged.patient] % FOLDS
    target, weight = (judged.label > 0).astype(np.float64), np.ones(judged.label.size)
    settings: Boosted = SECOND if len(columns) > 1 else replace(SECOND, feature_share=1.0)
    score, alarm = np.empty(judged.label.size), np.zeros(judged.label.size, np.bool_)
    for number in range(FOLDS):
        train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        goal = Goal(target, weight, train, train[:0])
        fitted = BoostedFamily(settings).fit(table, tuple(columns), goal, seed=3, say=lambda _: None)
        score[test] = fitted.logit(table, test)
    for number in range(FOLDS):
        others = np.flatnonzero(fold != number)
        threshold, _ = best_threshold(cut(judged.values, others), score[others])
        alarm[fold == number] = score[fold == number] >= threshold
    return score, alarm


def main() -> None:
    """Fit, measure, record."""

    def say(text: str) -> None:
        sys.stderr.write(f"{text}\n")

    KEPT.mkdir(parents=True, exist_ok=True)
    cohort = read_challenge2019(require_data(DATA))
    table = table_of(cohort, (*CHARTED, *HYBRID))
    logits = first_stage(cohort, table, say)
    closed = closed_form(cohort, logits)
    second, whom = filtered(cohort, table, logits["charted"])
    tested = patients_of(cohort.ids, "test").size
    bars = [
        Bar(
            f"{row['columns']} (tested on {row['tested_on']}): gain in {figure}",
            "reported",
            row[f"{figure}_gain"],
            None,
        )
        for row in closed
        if row["auroc_gain"]
        for figure in ("auroc", "utility")
    ]
    bars += [Bar(f"second stage {row['columns']}: gain in auroc", "reported", row["auroc_gain"], None)
             for row in second[1:]]  # fmt: skip
    record(
        "hybrid_features",
        title="What hybrid features from the body's equations add",
        provenance=f"PhysioNet/CinC Challenge 2019 set A (CC BY 4.0), split by a hash of patients' names; {tested:,}"
        f" test patients; intervals from {DRAWS:,} bootstrap draws of patients, gains on the same draws",
        bars=bars,
        figures={"closed_form": closed, "filtered_second_stage": second, "filtered_patients": whom},
        notes=[
            f"{len(HYBRID)} features in closed form (prediction/inputs/hybrid.py): output, resistance, oxygen content"
            " and delivery, gradient and shunt, filtration and its kinetics, gaps, osmolality. Trees as in the sepsis"
            " recipe, the same settings with and without them; hours drawn as there; seed fixed beforehand.",
            "Utility at the threshold with the highest utility on calibration patients. From medical to surgical: the"
            " model and its threshold know medical units alone.",
            f"Filtered: {len(NAMES)} estimates of the acute body by an ensemble of {MEMBERS} members, an hour a tick,"
            f" over {FOLLOWED_H} hours of each patient, who were chosen one with sepsis to two without and cut"
            " differently, so levels of AUROC and utility there hold for no ward, and a column that tells the cut gains"
            " by that alone: the first table, of all test patients, is the one that counts. Second stage: trees on the"
            f" first stage's log-odds (charted, without hybrid) and the columns named, {FOLDS} folds by patient.",
            "The hours hold no treatment: what ventilators, fluids and vasopressors do ends up in the body's"
            " discrepancies.",
        ],
    )


if __name__ == "__main__":
    main()
