"""All scores of many patients at once, in columns."""

from __future__ import annotations

from dataclasses import dataclass

from vitruvian.prediction.scores.inputs import Floats, Inputs
from vitruvian.prediction.scores.news2 import News2, news2
from vitruvian.prediction.scores.quick import Qsofa, qsofa, shock_index
from vitruvian.prediction.scores.sofa import Sofa, sofa


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of n patients and what they were computed from; every member is columns of n."""

    inputs: Inputs
    news2: News2
    qsofa: Qsofa
    sofa: Sofa
    shock_index: Floats

    def __len__(self) -> int:
        """The number of patients."""
        return len(self.inputs)


def score(inputs: Inputs) -> Scores:
    """Every score of every patient; pure. 10,000 patients take a few milliseconds
    (tests/unit/test_scores_columns.py).
    """
    return Scores(inputs, news2(inputs), qsofa(inputs), sofa(inputs), shock_index(inputs))
