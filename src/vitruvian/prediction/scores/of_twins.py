"""The scores of twins: gather what they hold now, and score it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.scores.columns import Scores, score
from vitruvian.prediction.scores.inputs import INPUTS, Floats, Inputs, inputs_from
from vitruvian.prediction.scores.views import ScoreView, views
from vitruvian.twin.ports import JournalReader
from vitruvian.twin.twins import Twins

_CONCEPTS: Final = np.array([VOCABULARY[name].index for name in INPUTS])
_VALID_S: Final = np.array([VOCABULARY[name].valid_for_s for name in INPUTS], np.float64)
_UNITS: Final = {name: VOCABULARY[name].unit for name in INPUTS}
_URINE: Final = VOCABULARY["urine_output"].index
_DAY_COVERED_US: Final = 23 * HOUR_US


def scores_of(
    twins: Twins, pids: Sequence[int] | NDArray[np.int64], now_us: int, urine_24h_ml: Floats | None = None
) -> Scores:
    """Every score of these patients at an instant, columns in their order. Raises NotFoundError for one without a
    twin.
    """
    return score(inputs_of(twins, pids, now_us, urine_24h_ml))


def inputs_of(
    twins: Twins,
    pids: Sequence[int] | NDArray[np.int64],
    now_us: int,
    urine_24h_ml: Floats | None = None,
    *,
    expire: bool = True,
) -> Inputs:
    """What the scores read of these twins. Without `expire`, as if no value were ever too old to be used."""
    rows = twins.rows(pids)
    value = twins.tracker.last_value[rows[:, None], _CONCEPTS].T
    occurred_us = twins.tracker.last_us[rows[:, None], _CONCEPTS].T
    valid_s = _VALID_S if expire else np.full(len(INPUTS), np.inf)
    return inputs_from(value, occurred_us, now_us, valid_s, twins.birth_us[rows], urine_24h_ml)


def score_views(twins: Twins, pid: int, now_us: int, journal: JournalReader | None = None) -> tuple[ScoreView, ...]:
    """One patient's scores with what they rest on. With a journal, SOFA's renal part knows the urine of the last
    day.
    """
    urine = None if journal is None else np.array([urine_24h(journal, pid, now_us)])
    return views(scores_of(twins, [pid], now_us, urine), 0, _UNITS)


def urine_24h(journal: JournalReader, pid: int, now_us: int) -> float:
    """Urine of the last 24 h in mL; NaN unless it was charted for (nearly) all of them.

    Charted means: there is an amount from 23 to 24 h ago, so that a patient who came an hour ago is not anuric.
    """
    samples = journal.series(pid, concepts=[_URINE], start_us=now_us - 24 * HOUR_US, end_us=now_us + 1)
    if not samples.occurred_us.size or now_us - int(samples.occurred_us.min()) < _DAY_COVERED_US:
        return float("nan")
    return float(samples.value.sum())
