"""When rare becomes a flag: very rare now, or rare in two of the last three hours on the same side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.patterns.scores import KINDS, Scores, joined
from vitruvian.prediction.patterns.tails import tail_of

__all__ = ["REFRACTORY_H", "Rule", "alarms", "any_flagged", "flagged", "least_rare", "probabilities"]

Floats = NDArray[np.float64]
LASTING: Final = 8.0  # how much less rare each hour may be where it lasts
_HOURS, _OF_THEM = 3, 2
REFRACTORY_H: Final = 6  # hours after an alarm in which the same patient makes no further one


@dataclass(frozen=True, slots=True)
class Rule:
    """`limits` (KC + 1, G): tails of each score; `level`: the p at or below which a score is flagged at once."""

    limits: Floats
    level: float


def probabilities(one: Scores, limits: Floats) -> Floats:
    """p of each score (n, KC + 1), in the order of `scores.joined`."""
    side = joined(one)
    return np.column_stack([tail_of(side[:, place], limits[place]) for place in range(side.shape[1])])


def least_rare(one: Scores, limits: Floats) -> Floats:
    """The level at which each score would just be flagged, (n, KC + 1): p itself, or less where a jump lasts."""
    p = probabilities(one, limits)
    channels = one.each.shape[1]
    for channel in range(channels):
        place = channel * len(KINDS)
        recent = one.z[:, 0, -_HOURS:, channel]
        rare = tail_of(np.abs(recent), limits[place]) / LASTING
        for sign in (-1.0, 1.0):
            same = np.where(np.sign(recent) == sign, rare, np.inf)
            lasting = np.sort(same, axis=1)[:, _OF_THEM - 1]
            lasting = np.where(np.sign(recent[:, -1]) == sign, lasting, np.inf)  # and it still does
            p[:, place] = np.fmin(p[:, place], np.where(np.isinf(lasting), np.nan, lasting))
    return p


def flagged(one: Scores, rule: Rule) -> NDArray[np.bool_]:
    """(n, KC + 1): which scores are flagged."""
    with np.errstate(invalid="ignore"):
        flag: NDArray[np.bool_] = least_rare(one, rule.limits) <= rule.level
    return flag


def any_flagged(one: Scores, rule: Rule, uses: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """(n,): whether any score is flagged, of those that `uses` (KC + 1,) allows."""
    flag = flagged(one, rule)
    told: NDArray[np.bool_] = np.any(flag if uses is None else flag & uses, axis=1)
    return told


def alarms(flag: NDArray[np.bool_], patient: NDArray[np.int64], hour: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which flagged hours (n,) start an alarm, when each silences its patient for `REFRACTORY_H`; rows in order."""
    out = np.zeros(flag.size, np.bool_)
    last_patient, silent_until = -1, 0
    for place in np.flatnonzero(flag):
        if patient[place] != last_patient or hour[place] >= silent_until:
            out[place] = True
            last_patient, silent_until = patient[place], int(hour[place]) + REFRACTORY_H
    return out
