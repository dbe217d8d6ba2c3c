"""What a learned risk has to beat: the early-warning scores at every hour, and the hour itself.

They are made of any cohort by the same tracker and the same scoring that serve the ward. A part of a score that the
data do not hold adds no points, so scores are partial wherever the table of parts says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.inputs.table import replay
from vitruvian.prediction.measure.decisions import best_event1
from vitruvian.prediction.measure.rows import Rows, rows_of
from vitruvian.prediction.measure.utility import best_threshold
from vitruvian.prediction.scores import INPUTS, Scores, inputs_from, score
from vitruvian.prediction.scores.news2 import PARTS
from vitruvian.prediction.tasks import Task

__all__ = ["NEWS2", "SCORES", "TIME_ONLY", "Baselines", "TimeOnly", "learn", "score_table", "scores_of"]

NEWS2: Final = "NEWS2 (partial)"
SCORES: Final = (NEWS2, "qSOFA (partial)", "SOFA (partial)", "shock index")
TIME_ONLY: Final = "time only"
_TYPICAL_SHOCK_INDEX: Final = 0.7  # where heart rate or pressure is missing: neither calm nor alarmed
_YEAR_DAYS: Final = 365.2425
_PRESENT_MIN: Final = 0.01  # a part known in fewer rows than this share counts as lacking


@dataclass(frozen=True, slots=True)
class Baselines:
    """`values` (N, 4) of `SCORES` at every row of a cohort, 0 points where a row is not scored. `news2_known`: for each
    part of NEWS2, the share of scored rows in which something was known of it.
    """

    values: NDArray[np.float64]
    news2_known: dict[str, float]

    @property
    def news2_lacks(self) -> list[str]:
        """Parts of NEWS2 that the data as good as never hold."""
        return [part for part, share in self.news2_known.items() if share < _PRESENT_MIN]


def score_table(cohort: Cohort) -> Baselines:
    """The early-warning scores of every scored row: the points of the parts that are known by then."""
    out = np.zeros((cohort.patient.size, len(SCORES)))
    known, told = np.zeros(len(PARTS)), 0
    concepts = np.array([VOCABULARY[name].index for name in INPUTS])
    valid_for_s = np.array([float(VOCABULARY[name].valid_for_s) for name in INPUTS])
    for step in replay(cohort):
        wanted = cohort.scored[step.rows]
        if not wanted.any():
            continue
        who, now_us = step.asked.rows[wanted], step.asked.now_us[wanted]
        value = step.asked.tracker.trend_value[who][:, concepts].T
        at_us = step.asked.tracker.last_us[who][:, concepts].T
        born_us = _born_us(step.asked.age_years[wanted], now_us)
        scores = score(inputs_from(value, at_us, now_us, valid_for_s, born_us))
        out[step.rows[wanted]] = _columns(scores)
        known += (scores.news2.points >= 0).sum(axis=1)
        told += who.size
    return Baselines(out, {part: float(share) for part, share in zip(PARTS, known / max(told, 1), strict=True)})


def _born_us(age_years: NDArray[np.float64], now_us: NDArray[np.int64]) -> NDArray[np.int64]:
    """A birth that gives the stated age; where none is stated, an adult's, since these are patients of adult wards."""
    age = np.where(np.isnan(age_years), 60.0, age_years)
    born: NDArray[np.int64] = now_us - ((age + 0.5) * _YEAR_DAYS * 86_400e6).astype(np.int64)
    return born


def _columns(scores: Scores) -> NDArray[np.float64]:
    shock = np.where(np.isnan(scores.shock_index), _TYPICAL_SHOCK_INDEX, scores.shock_index)
    columns = (scores.news2.at_least, scores.qsofa.at_least, scores.sofa.at_least, shock)
    return np.column_stack([np.asarray(column, np.float64) for column in columns])


class TimeOnly:
    """How often the outcome is near at each hour of the stay, learned from training patients and the clock alone."""

    WIDTH_H: Final = 3
    PRIOR_HOURS: Final = 200  # keeps the rare late hours near the prevalence

    def __init__(self, hour: NDArray[np.int64], label: NDArray[np.int8]) -> None:
        place = np.maximum(hour, 0) // self.WIDTH_H
        hits, rows = np.bincount(place, weights=label), np.bincount(place)
        self.table = (hits + self.PRIOR_HOURS * label.mean()) / (rows + self.PRIOR_HOURS)

    @classmethod
    def from_table(cls, table: Sequence[float]) -> TimeOnly:
        """What was learned before, as it is kept with a model."""
        known = cls(np.zeros(1, np.int64), np.zeros(1, np.int8))
        known.table = np.array(table, np.float64)
        return known

    def score(self, hour: NDArray[np.int64]) -> NDArray[np.float64]:
        """The share of hours with the label at this hour of the stay (N,); later than any seen counts as the last."""
        place = np.maximum(hour, 0) // self.WIDTH_H
        result: NDArray[np.float64] = self.table[np.minimum(place, self.table.size - 1)]
        return result


def learn(task: Task, train: Cohort) -> dict[str, Any]:
    """What baselines take from training patients, as JSON to keep with a model: a threshold for each by the task's
    decision (utility or Event 1), and for hourly tasks the table of the time-only one.
    """
    rows, scores = rows_of(task, train), score_table(train).values
    thresholds = {name: best(task, rows, scores[:, column]) for column, name in enumerate(SCORES)}
    learned: dict[str, Any] = {"thresholds": thresholds}
    if task.moment == "hourly":
        clock = TimeOnly(train.hour[rows.index], rows.label)
        learned["time_only_table"] = [round(float(share), 6) for share in clock.table]
        thresholds[TIME_ONLY] = best(task, rows, TimeOnly.from_table(learned["time_only_table"]).score(train.hour))
    return learned


def best(task: Task, rows: Rows, score: NDArray[np.floating]) -> float:
    """The threshold (alarm at or above) with the best decision figure; `score` (N,) of every row of the cohort.

    Tune on training patients only.
    """
    if task.decision == "utility":
        return best_threshold(rows.values_scored, score[rows.index])[0]
    return best_event1(rows.label, score[rows.index])[0]


def scores_of(
    cohort: Cohort, learned: Mapping[str, Any]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, float], Baselines]:
    """Every baseline's scores (N,) and thresholds by name, from what `learn` kept, and the table they came from."""
    table = score_table(cohort)
    scores = {name: table.values[:, column] for column, name in enumerate(SCORES)}
    if "time_only_table" in learned:
        scores = {TIME_ONLY: TimeOnly.from_table(learned["time_only_table"]).score(cohort.hour)} | scores
    return scores, {name: float(learned["thresholds"][name]) for name in scores}, table
