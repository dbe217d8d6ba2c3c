"""What the rules hear: values as they become known, scores, and silence, as readings.

- A value is read when it becomes known; one outside the plausible limits is not read. - A score raises by its lower
bound (`at_least`) and clears only when the score with every expired part *as it last was* is
  back too: an input that went stale never reads as normal. Where NEWS2 does not apply (under 16, pregnancy) it
  reads -1.
- `news2_red` is 1 where one parameter alone scores 3 and the sum is below 5 (above, the sum speaks), else 0. -
`silence` is the time since anything monitored was heard, on our clock, in units of the source's own interval (the
median
  of its recent ones, taken as at least `QUIET_MIN_S`). It is not read of a patient who has no monitor.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.alerts.lifecycle import NEVER_US, Readings
from vitruvian.alerts.rules import RuleTable, input_index
from vitruvian.core.time import HOUR_US, SECOND_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.scores.news2 import News2, news2
from vitruvian.prediction.scores.of_twins import inputs_of
from vitruvian.signals.concepts import MONITORED, TABLES
from vitruvian.twin.kernels import cadences
from vitruvian.twin.order import IMPLAUSIBLE_FLAG, counted_at
from vitruvian.twin.ports import Samples
from vitruvian.twin.twins import Twins

QUIET_MIN_S: Final = 2.5
HISTORY_US: Final = 25 * HOUR_US
CONTINUOUS_S: Final = 60.0
_MONITORED: Final = np.array([VOCABULARY[name].index for name in MONITORED])
_NEWS2: Final = VOCABULARY["news2"].index
_RED: Final = input_index("news2_red")
_SILENCE: Final = input_index("silence")
_MEDIUM: Final = 5


def value_readings(samples: Samples, rows: NDArray[np.int64], rules: RuleTable, now_us: int) -> Readings:
    """The samples that a rule watches, as readings; `rows` (N,) of the alerts' state."""
    known = np.minimum(samples.concept.astype(np.int64), len(VOCABULARY) - 1)
    watched = (rules.of_input[known, 0] >= 0) & (samples.concept == known)
    at_us, _ = counted_at(samples)
    recent = now_us - at_us <= np.maximum(TABLES.valid_us[known], HISTORY_US)
    keep = np.flatnonzero(watched & recent & ((samples.quality & IMPLAUSIBLE_FLAG) == 0))
    value = samples.value[keep]
    return Readings(rows[keep], samples.concept[keep].astype(np.int64), at_us[keep], value, value)


def score_readings(pids: NDArray[np.int64], rows: NDArray[np.int64], twins: Twins, now_us: int) -> Readings:
    """NEWS2 and its red parameter of these patients."""
    now, held = news2(inputs_of(twins, pids, now_us)), news2(inputs_of(twins, pids, now_us, expire=False))
    known = (now.points >= 0).any(axis=0) | (held.points >= 0).any(axis=0) | ~now.applicable
    keep = np.flatnonzero(known)
    value, held_value = _sum(now, keep), _sum(held, keep)
    red = (now.red[keep] & (value < _MEDIUM)).astype(np.float64)
    held_red = (held.red[keep] & (np.maximum(value, held_value) < _MEDIUM)).astype(np.float64)
    count = len(keep)
    return Readings(
        np.tile(rows[keep], 2),
        np.repeat(np.array([_NEWS2, _RED]), count),
        np.full(2 * count, now_us),
        np.concatenate([value, red]),
        np.concatenate([np.maximum(value, held_value), np.maximum(red, held_red)]),
    )


def _sum(scored: News2, keep: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(scored.applicable[keep], scored.at_least[keep].astype(np.float64), -1.0)


def withdrawn(
    pids: NDArray[np.int64], counted_us: NDArray[np.int64], rules: RuleTable, twins: Twins, now_us: int
) -> NDArray[np.bool_]:
    """Which rules (N, R) have nothing left to go by for these patients.

    Of a value: the twin holds none, or none that is still valid where the alerts had counted a newer one
    (`counted_us` (N, R), `NEVER_US` where none was). Of a score: none of its parts is known any more.
    """
    last_us = twins.tracker.last_us[twins.rows(pids)]
    places = rules.inputs
    scored = (places == _NEWS2) | (places == _RED)
    valued = (places < last_us.shape[1]) & ~scored
    place = np.where(valued, places, 0)
    newest_us = last_us[:, place]
    expired = newest_us < now_us - TABLES.valid_us[place]
    gone = (newest_us == NEVER_US) | (expired & (newest_us < counted_us))
    held = news2(inputs_of(twins, pids, now_us, expire=False))
    unknown = held.applicable & ~(held.points >= 0).any(axis=0)
    found: NDArray[np.bool_] = (valued & gone) | (scored & unknown[:, None])
    return found


def silence_readings(
    pids: NDArray[np.int64], rows: NDArray[np.int64], heard_us: NDArray[np.int64], twins: Twins, now_us: int
) -> Readings:
    """How long nothing was heard, in the source's own intervals; of patients whose interval is known.

    `heard_us` (N, V): when each monitored signal of these patients was last heard. A single signal is read only
    where it is continuous (an interval of `CONTINUOUS_S` or less): a cuff that is not pumped up is no fault.
    """
    own = twins.rows(pids)
    interval_s = cadences(twins.tracker.ring_us, own)
    slots_us = np.where(heard_us == NEVER_US, twins.tracker.last_us[own[:, None], _MONITORED], heard_us)
    shortest_s = np.fmin.reduce(interval_s, axis=1, initial=np.inf)
    # Who was last heard before all that is recent has no monitor now; an alert that is open stays open.
    slots_us = np.where(slots_us < now_us - HISTORY_US, NEVER_US, slots_us)
    newest_us = slots_us.max(axis=1)
    keep = np.flatnonzero(np.isfinite(shortest_s) & (newest_us != NEVER_US))
    whole = (now_us - newest_us[keep]) / SECOND_US / np.maximum(shortest_s[keep], QUIET_MIN_S)
    at, slot = np.nonzero((interval_s <= CONTINUOUS_S) & (slots_us != NEVER_US))
    single = (now_us - slots_us[at, slot]) / SECOND_US / np.maximum(interval_s[at, slot], QUIET_MIN_S)
    quiet = np.concatenate([whole, single])
    place = np.concatenate([np.full(len(keep), _SILENCE), _SILENCE + 1 + slot])
    return Readings(np.concatenate([rows[keep], rows[at]]), place, np.full(len(quiet), now_us), quiet, quiet)
