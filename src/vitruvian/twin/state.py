"""What a twin shows of itself: every concept ever seen, how old it is, whether it may still be used, and where it
is going.

- `live`: younger than twice its source's cadence (the median interval of its recent samples where it is monitored,
else
  the concept's own);
- `stale`: older than that, and still within the concept's `valid_for_s`;
- `expired`: older than `valid_for_s`: it counts as missing everywhere;
- `absent`: a monitored vital sign that was never seen. It has no value, never 0.

The trend is the least-squares slope over the hourly means of the last `TREND_HOURS` hours of a monitored vital
sign, and the difference to the result before for a lab; both per hour. It is a direction only where it would cross
`STEADY_PART` of the concept's normal range (of its own size, where none is tabulated) in `TREND_HOURS` hours.
"""

from __future__ import annotations

import math
from typing import Final, Literal

import msgspec
import numpy as np

from vitruvian.core.time import DAY_US, HOUR_US, SECOND_US, isoformat
from vitruvian.core.vocabulary import VOCABULARY, Concept
from vitruvian.signals.concepts import MONITORED, TABLES
from vitruvian.signals.kernels import MEAN, NEVER_US
from vitruvian.signals.tracker import Tracker
from vitruvian.twin import kernels
from vitruvian.twin.twins import NO_BIRTH, SEX_CODES, Twins, state_hash

Freshness = Literal["live", "stale", "expired", "absent"]
Direction = Literal["rising", "falling", "steady", ""]
Basis = Literal["live", "as-of", "as-known"]

STALE_CADENCES: Final = 2.0
TREND_HOURS: Final = 6
STEADY_PART: Final = 0.2
_ADULT_YEARS: Final = 30.0


class SignalState(msgspec.Struct, frozen=True):
    """One concept of a twin. `shown` is the value as people write it; `--` where absent. Times in microseconds,
    ages in s.
    """

    concept: str
    display: str
    unit: str
    value: float | None
    shown: str
    occurred_us: int | None
    occurred: str
    age_s: float | None
    cadence_s: float
    state: Freshness
    trend_per_hour: float | None
    direction: Direction
    smoothed: float | None
    flags: tuple[str, ...] = ()


class TwinState(msgspec.Struct, frozen=True):
    """A twin at an instant. `basis` says what it rests on: `live` (all that is applied, seen now), `as-of` (every
    event now known, up to `at_us`), `as-known` (what was available, else recorded, by `at_us`).
    """

    pid: int
    at_us: int
    at: str
    basis: Basis
    hash: str
    vocabulary: str
    age_years: float | None
    sex: str
    signals: tuple[SignalState, ...]
    rejected: int
    outliers: int

    def signal(self, concept: str) -> SignalState | None:
        """One concept's state; None where it was never seen."""
        return next((item for item in self.signals if item.concept == concept), None)


def state(twins: Twins, pid: int, now_us: int) -> TwinState:
    """The twin of one patient as it stands. Raises NotFoundError where there is none."""
    row = int(twins.rows([pid])[0])
    skewed = twins.last_order[row] == kernels.ORDER_LAST
    context = int(twins.birth_us[row]), int(twins.sex[row])
    return view(twins.tracker, row, pid, now_us, *context, basis="live", skewed=skewed)


def view(
    tracker: Tracker,
    row: int,
    pid: int,
    now_us: int,
    birth_us: int,
    sex: int,
    *,
    basis: Basis,
    skewed: np.typing.NDArray[np.bool_] | None = None,
) -> TwinState:
    """The view of one row of a tracker; see `TwinState`. `skewed` (C,) marks values whose source's clock was ahead."""
    years = None if birth_us == NO_BIRTH else (now_us - birth_us) / (365.2425 * DAY_US)
    measured_s = kernels.cadences(tracker.ring_us, np.array([row]))[0]
    seen = set(np.flatnonzero(tracker.last_us[row] != NEVER_US).tolist())
    shown = seen | {VOCABULARY[name].index for name in MONITORED}
    signals = []
    for index in sorted(shown):
        concept = VOCABULARY.by_index(index)
        slot = int(TABLES.slot_of[index])
        cadence_s = float(measured_s[slot]) if slot >= 0 else math.nan
        cadence_s = float(concept.cadence_s) if math.isnan(cadence_s) else cadence_s
        if index not in seen:
            signals.append(_absent(concept, cadence_s))
            continue
        flags = ("clock-skew",) if skewed is not None and skewed[index] else ()
        signals.append(_signal(tracker, row, concept, now_us, cadence_s, years, flags))
    return TwinState(
        pid, now_us, isoformat(now_us), basis, state_hash(tracker, row, birth_us, sex), VOCABULARY.version,
        years, SEX_CODES[sex], tuple(signals), int(tracker.rejected[row]), int(tracker.outliers[row]),
    )  # fmt: skip


def freshness(age_s: float, cadence_s: float, valid_for_s: float) -> Freshness:
    """What an age means; an age below 0 is a source slightly ahead of us."""
    if age_s > valid_for_s:
        return "expired"
    return "stale" if age_s > STALE_CADENCES * cadence_s else "live"


def _absent(concept: Concept, cadence_s: float) -> SignalState:
    return SignalState(
        concept.name, concept.display, concept.unit, None, "--", None, "", None, cadence_s, "absent", None, "", None
    )


def _signal(
    tracker: Tracker,
    row: int,
    concept: Concept,
    now_us: int,
    cadence_s: float,
    years: float | None,
    flags: tuple[str, ...],
) -> SignalState:
    index = concept.index
    value, smoothed = float(tracker.last_value[row, index]), float(tracker.trend_value[row, index])
    occurred_us = int(tracker.last_us[row, index])
    age_s = max(0.0, (now_us - occurred_us) / SECOND_US)
    slope = _slope(tracker, row, index, now_us)
    return SignalState(
        concept.name, concept.display, concept.unit, value, concept.format(value), occurred_us, isoformat(occurred_us),
        age_s, cadence_s, freshness(age_s, cadence_s, concept.valid_for_s), slope,
        _direction(slope, value, concept, years), smoothed, flags + (("outlier",) if smoothed != value else ()),
    )  # fmt: skip


def _slope(tracker: Tracker, row: int, index: int, now_us: int) -> float | None:
    """Change per hour, or None where there are not two points."""
    lab, slot = int(TABLES.lab_of[index]), int(TABLES.slot_of[index])
    if slot >= 0:
        hours = tracker.hour[row, slot].astype(np.int64)
        recent = (hours > now_us // HOUR_US - TREND_HOURS) & (tracker.hour_count[row, slot] > 0)
        if recent.sum() < 2:
            return None
        x = hours[recent].astype(np.float64)
        y = tracker.hour_stats[row, slot, recent, MEAN].astype(np.float64)
        x -= x.mean()
        return float((x * (y - y.mean())).sum() / (x * x).sum())
    if lab >= 0 and tracker.previous_us[row, lab] != NEVER_US:
        hours_between = (int(tracker.last_us[row, index]) - int(tracker.previous_us[row, lab])) / HOUR_US
        return float((tracker.last_value[row, index] - tracker.previous_value[row, lab]) / hours_between)
    return None


def _direction(slope: float | None, value: float, concept: Concept, years: float | None) -> Direction:
    if slope is None:
        return ""
    normal = concept.normal_range(_ADULT_YEARS if years is None else years)
    width = normal[1] - normal[0] if normal else abs(value)
    if abs(slope) * TREND_HOURS <= STEADY_PART * width:
        return "steady"
    return "rising" if slope > 0 else "falling"
