"""Early-warning scores: NEWS2, qSOFA, partial SOFA and the shock index, with what each of them lacked.

`score(inputs)` is pure and vectorised over patients; `views` shows one patient's scores with the points, values and
ages behind them. docs/scores.md states every band, rule and source.
"""

from vitruvian.prediction.scores.columns import Scores, score
from vitruvian.prediction.scores.inputs import INPUTS, NO_BIRTH, Inputs, inputs_from
from vitruvian.prediction.scores.of_twins import score_views, scores_of, urine_24h
from vitruvian.prediction.scores.views import SCORE_NAMES, InputView, PartView, ScoreView, score_event, views

__all__ = [
    "INPUTS",
    "NO_BIRTH",
    "SCORE_NAMES",
    "InputView",
    "Inputs",
    "PartView",
    "ScoreView",
    "Scores",
    "inputs_from",
    "score",
    "score_event",
    "score_views",
    "scores_of",
    "urine_24h",
    "views",
]
