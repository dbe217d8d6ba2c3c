"""What a learned risk has to beat: the early-warning scores at every hour, and the hour itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.scores import INPUTS, inputs_from, score
from vitruvian.prediction.sepsis.challenge import Cohort, replay

SCORES: Final = ("NEWS2 (partial)", "qSOFA (partial)", "SOFA (partial)", "shock index")
_TYPICAL_SHOCK_INDEX: Final = 0.7  # where heart rate or pressure is missing: neither calm nor alarmed
_YEAR_DAYS: Final = 365.2425


def score_table(cohort: Cohort) -> NDArray[np.float64]:
    """`SCORES` of every hour of the cohort (N, 4), from the ward's own scoring: the points of the parts that are known.

    Consciousness, oxygen supplementation, urine and vasopressors are not in the Challenge's data; their parts are
    missing, which is why all are partial.
    """
    out = np.empty((cohort.patient.size, len(SCORES)))
    concepts = np.array([VOCABULARY[name].index for name in INPUTS])
    valid_for_s = np.array([float(VOCABULARY[name].valid_for_s) for name in INPUTS])
    for hour in replay(cohort):
        born_us = hour.now_us - ((cohort.age_years[hour.rows] + 0.5) * _YEAR_DAYS * 86_400e6).astype(np.int64)
        value = hour.tracker.trend_value[hour.patient][:, concepts].T
        at_us = hour.tracker.last_us[hour.patient][:, concepts].T
        scores = score(inputs_from(value, at_us, hour.now_us, valid_for_s, born_us))
        shock = np.where(np.isnan(scores.shock_index), _TYPICAL_SHOCK_INDEX, scores.shock_index)
        columns = (scores.news2.at_least, scores.qsofa.at_least, scores.sofa.at_least, shock)
        out[hour.rows] = np.column_stack([np.asarray(column, np.float64) for column in columns])
    return out


class TimeOnly:
    """How often sepsis is near at each hour of the stay, learned from training patients and from the clock alone."""

    WIDTH_H: Final = 3
    PRIOR_HOURS: Final = 200  # keeps the rare late hours near the prevalence

    def __init__(self, hour: NDArray[np.int64], label: NDArray[np.int8]) -> None:
        place = hour // self.WIDTH_H
        hits, rows = np.bincount(place, weights=label), np.bincount(place)
        self.table = (hits + self.PRIOR_HOURS * label.mean()) / (rows + self.PRIOR_HOURS)

    @classmethod
    def from_table(cls, table: Sequence[float]) -> TimeOnly:
        """What was learned before, as it is kept in a card."""
        known = cls(np.zeros(1, np.int64), np.zeros(1, np.int8))
        known.table = np.array(table, np.float64)
        return known

    def score(self, hour: NDArray[np.int64]) -> NDArray[np.float64]:
        """The share of hours with the label at this hour of the stay (N,); later than any seen counts as the last."""
        result: NDArray[np.float64] = self.table[np.minimum(hour // self.WIDTH_H, self.table.size - 1)]
        return result
