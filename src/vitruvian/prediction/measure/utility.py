"""The utility of the PhysioNet/Computing in Cardiology Challenge 2019 (Reyna et al., Crit Care Med 2020; 48:210-217).

For a patient with sepsis at t_sepsis (hours), a prediction at hour t is worth
    an alarm     0 at -12 h rising to 1 at -6 h, falling to 0 at +3 h; earlier than -12 h it costs 0.05
    no alarm     0 until -6 h, falling to -2 at +3 h
and later than +3 h nothing either way. Without sepsis an alarm costs 0.05 and none costs nothing. The label is 1 from
6 h before t_sepsis, so its first 1 tells t_sepsis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

EARLIEST_H: Final = -12.0
BEST_H: Final = -6.0
LATEST_H: Final = 3.0
ALARM_BEST: Final = 1.0
MISSED_WORST: Final = -2.0
FALSE_ALARM: Final = -0.05


@dataclass(frozen=True, slots=True)
class HourValues:
    """What each hour (N,) is worth with an alarm, without one, and with the best possible decisions."""

    alarm: NDArray[np.float64]
    silence: NDArray[np.float64]
    best: NDArray[np.float64]

    @property
    def gain(self) -> NDArray[np.float64]:
        """What an alarm is worth over silence, hour by hour."""
        return self.alarm - self.silence


def sepsis_times(patient: NDArray[np.int64], labels: NDArray[np.int8]) -> NDArray[np.float64]:
    """Hours of each row from its patient's t_sepsis (N,); +inf where the patient has none.

    Rows are hours in order, one patient after another; `patient` holds dense numbers 0, 1, ... that never decrease.
    """
    count = int(patient[-1]) + 1 if patient.size else 0
    starts = np.searchsorted(patient, np.arange(count))
    hour = np.arange(patient.size) - starts[patient]
    onset = np.full(count, np.inf)
    np.minimum.at(onset, patient[labels > 0], hour[labels > 0].astype(np.float64))
    since: NDArray[np.float64] = hour - (onset[patient] - BEST_H)
    return np.where(np.isfinite(onset[patient]), since, np.inf)


def hour_values(patient: NDArray[np.int64], labels: NDArray[np.int8]) -> HourValues:
    """The value of every hour; rows as in `sepsis_times`."""
    since = sepsis_times(patient, labels)
    rising = ALARM_BEST * (since - EARLIEST_H) / (BEST_H - EARLIEST_H)
    falling = ALARM_BEST * (LATEST_H - since) / (LATEST_H - BEST_H)
    alarm = np.where(since <= BEST_H, np.maximum(rising, FALSE_ALARM), falling)
    with np.errstate(invalid="ignore"):
        silence = np.where(since <= BEST_H, 0.0, MISSED_WORST * (since - BEST_H) / (LATEST_H - BEST_H))
    septic, over = np.isfinite(since), since > LATEST_H
    alarm = np.where(septic, np.where(over, 0.0, alarm), FALSE_ALARM)
    silence = np.where(septic & ~over, silence, 0.0)
    # The best possible predictor, as the Challenge defines it, alarms from -12 h to +3 h and never otherwise.
    best = np.where(septic & ~over & (since >= EARLIEST_H), alarm, silence)
    return HourValues(alarm, silence, best)


def normalized_utility(values: HourValues, alarms: NDArray[np.bool_]) -> float:
    """The Challenge's score of the decisions (N,): 0 for no alarm at all, 1 for the best possible.

    NaN where no patient has sepsis, since nothing can be won then.
    """
    silence, best = float(values.silence.sum()), float(values.best.sum())
    observed = float(np.where(alarms, values.alarm, values.silence).sum())
    return (observed - silence) / (best - silence) if best != silence else float("nan")


def best_threshold(values: HourValues, probability: NDArray[np.floating]) -> tuple[float, float]:
    """The threshold (alarm at or above) with the highest normalised utility, and that utility.

    Tune it on training patients only.
    """
    order = np.argsort(-probability, kind="stable")
    ranked, won = probability[order], np.cumsum(values.gain[order])
    ends = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)  # a threshold takes all rows that tie
    place = ends[int(np.argmax(won[ends]))]
    total = float(values.best.sum() - values.silence.sum())
    following = ranked[place + 1] if place + 1 < ranked.size else ranked[place]
    return float((ranked[place] + following) / 2), float(won[place]) / total
