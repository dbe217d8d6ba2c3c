"""Whether attributions of the shipped sepsis model add up and name what moves it, on real patients, and their cost.

`python -m benchmarks.attributions [FOLDER]`: of the bundle in FOLDER, else the shipped one. Deletion takes subjects
away (a vital sign or result with all its columns and hours) by setting them to training medians, most raising first.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks._results import Bar, record
from tests.support import require_data
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.inputs.hours import CHANNELS
from vitruvian.prediction.inputs.table import Table, table_of, windows
from vitruvian.prediction.measure.resampling import limits, patient_draws
from vitruvian.prediction.measure.split import patients_of
from vitruvian.prediction.reasons import MISSING, Attributions, attribute, attribute_member, subject
from vitruvian.prediction.serve.predictor import Predictor

DATA: Final = "physionet2019/training_setA.parquet"
PATIENTS: Final = 1_000  # test patients looked at, one hour each
HIGH: Final = 80  # of them, those with the highest risk are explained
MOST: Final = 8  # subjects taken away
DRAWS: Final = 1000
Columns = NDArray[np.float32]
Floats = NDArray[np.float64]


def chosen(predictor: Predictor) -> tuple[Table, NDArray[np.int64]]:
    """The table of some test patients, and the hour of each at which the risk is highest of a few drawn ones."""
    cohort = read_challenge2019(require_data(DATA))
    some = np.random.default_rng(1).permutation(patients_of(cohort.ids, "test"))[:PATIENTS]
    mine = cohort.of(np.sort(some))
    table = table_of(mine, predictor.needed)
    last = np.append(np.flatnonzero(np.diff(mine.patient)), mine.patient.size - 1)
    long = last[mine.hour[last] >= 8]
    back = np.random.default_rng(2).integers(0, 4, long.size)
    rows = long - back
    risk = predictor.over(table, rows).probability
    return table, rows[np.argsort(-risk, kind="stable")[:HIGH]]


class Deleter:
    """The log-odds of rows after subjects are set to the training medians, features and hours both."""

    def __init__(self, predictor: Predictor, table: Table, rows: NDArray[np.int64], member: str | None) -> None:
        self.predictor, self.names, self.member = predictor, table.names, member
        self.values = table.values[rows].copy()
        self.hours = windows(table, rows)
        told = predictor.bundle.told["medians"]
        self.medians = np.array([told.get(name, np.nan) for name in table.names], np.float32)
        self.subjects = np.array([subject(name) for name in table.names])
        self.flat = np.array([told.get(name, np.nan) for name in CHANNELS], np.float32)

    def logit(self, values: Columns, hours: Columns) -> Floats:
        """Of the member, or of all together, before a site's curve."""
        found = self.predictor.score(values, self.names, hours)
        if self.member is not None:
            p = found.member_probability[:, found.members.index(self.member)]
        else:
            p = found.probability
        odds: Floats = np.log(p) - np.log1p(-p)
        return odds

    def falls(self, order: list[list[str]]) -> Floats:
        """How far each row's log-odds fall as its subjects go, (n, MOST)."""
        values, hours = self.values.copy(), self.hours.copy()
        start, out = self.logit(values, hours), np.zeros((len(values), MOST))
        for gone in range(MOST):
            for row, names in enumerate(order):
                if gone < len(names):
                    self._take(values[row], hours[row], names[gone])
            out[:, gone] = start - self.logit(values, hours)
        return out

    def _take(self, row: Columns, day: Columns, name: str) -> None:
        there = (self.subjects == name) & ~np.isnan(row) & ~np.isnan(self.medians)
        row[there] = self.medians[there]
        if name in CHANNELS:
            channel = CHANNELS.index(name)
            known = ~np.isnan(day[:, channel])
            day[known, channel] = self.flat[channel]

    def known(self, row: int) -> set[str]:
        """Subjects of which something is there to be taken."""
        return set(self.subjects[~np.isnan(self.values[row]) & ~np.isnan(self.medians)].tolist())


def deletion(deleter: Deleter, found: Attributions) -> tuple[Floats, Floats]:
    """Mean falls of each row (n,): subjects in the named order, and at random."""
    people, random = found.by_subject(), np.random.default_rng(3)
    named, chance = [], []
    for row in range(len(found.base)):
        order = np.argsort(-people.contributions[row], kind="stable")
        there = deleter.known(row) & set(people.names) - {MISSING}
        named.append([people.names[place] for place in order if people.names[place] in there][:MOST])
        chance.append(random.permutation(sorted(there)).tolist()[:MOST])
    return deleter.falls(named).mean(axis=1), deleter.falls(chance).mean(axis=1)


def judge(predictor: Predictor, table: Table, rows: NDArray[np.int64], member: str | None) -> dict[str, Any]:
    """A row of the table of results."""
    deleter = Deleter(predictor, table, rows, member)
    begun = time.perf_counter()
    if member is None:
        found = attribute(predictor, deleter.values, table.names, deleter.hours)
    else:
        found = attribute_member(predictor, member, deleter.values, table.names, deleter.hours)
    spent_ms = 1e3 * (time.perf_counter() - begun) / rows.size
    served = deleter.logit(deleter.values, deleter.hours)
    named, chance = deletion(deleter, found)
    draws = patient_draws(rows.size, DRAWS) / rows.size
    low, high = limits(draws @ (named - chance))
    return {
        "explained": member or "all together",
        "rows": int(rows.size),
        "sum_less_served_max": round(float(np.abs(found.logit - served).max()), 7),
        "residual_max": round(float(np.abs(found.residual).max()), 6),
        "residual_share_median": round(float(np.median(np.abs(found.residual) / np.abs(served - found.base))), 6),
        "fall_named": round(float(named.mean()), 3),
        "fall_random": round(float(chance.mean()), 3),
        "difference": round(float((named - chance).mean()), 3),
        "difference_interval": f"{low:.3f} to {high:.3f}",
        "ms_a_row": round(spent_ms, 2),
    }


def main(folder: Path | None) -> None:
    """Measure and record."""
    predictor = Predictor.load(folder)
    table, rows = chosen(predictor)
    found = [judge(predictor, table, rows, one.name) for one in predictor.members]
    if len(found) > 1 and not predictor.bundle.told["variants"]["standard"].get("curve"):
        found.append(judge(predictor, table, rows, None))
    worst = max(row["residual_share_median"] for row in found)
    least = min(float(row["difference_interval"].split(" to ")[0]) for row in found)
    record(
        "attributions",
        title="Attributions of the sepsis model: do they add up, do they name what moves it",
        provenance=f"PhysioNet/CinC Challenge 2019 set A (CC BY 4.0), the {HIGH} hours at highest risk, one a patient,"
        f" of {PATIENTS:,} test patients; model {predictor.version}; intervals from {DRAWS:,} draws of patients",
        bars=[
            Bar("median share left unexplained, worst member", "<= 0.01", worst, worst <= 0.01),
            Bar("deletion: named less random, lowest limit of 95 %", "> 0", round(least, 3), least > 0),
        ],
        figures={"attributions": found},
        notes=[
            f"Deletion: up to {MOST} subjects (a vital sign or a result with all its columns and hours) are set to the"
            " training median; `fall` is the mean drop of log-odds over 1 to that many gone, in the order the"
            " attribution names (raising most first) and in a random order of the same patient's known subjects.",
            "Logistic regression by its own terms, trees by exact Shapley values, networks by integrated gradients.",
            "A named subject is what moved the model. It is no cause, and no treatment effect.",
            *([] if folder is None else ["Not the shipped bundle, but one given by its folder (see its version)."]),
        ],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
