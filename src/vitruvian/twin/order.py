"""The canonical order in which a twin folds its samples, and the grid on which models stand.

Order: by the instant it counts at, then by `occurred_us`, then by `order` (a digest of source and source id).
Within a patient only the order of one concept's samples matters, since no concept reads another's past.

The instant a sample counts at is `occurred_us`, with one exception: a sample that its source dated ahead of when it
became known (flag `clock skew`, up to a day) counts when it became known. Otherwise one monitor with a wrong clock
would hide every true value until its own time had come.

Grid: a model's state is declared every `GRID_US`; between two ticks its values are forecasts and are not stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.limits import FUTURE_US_MAX
from vitruvian.core.time import MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.twin.ports import Samples

SKEW_FLAG: Final = 1
IMPLAUSIBLE_FLAG: Final = 2
ORDER_SKEWED: Final = np.uint64(2**64 - 1)  # after every true order at the same instant
GRID_US: Final = MINUTE_US


def tick_of(us: int) -> int:
    """The number of the last tick of the grid at or before an instant."""
    return us // GRID_US


@dataclass(frozen=True, slots=True)
class Ordered:
    """Samples as the fold takes them: `at_us` is the instant each counts at; the rest as in `Samples`; length N."""

    patient: NDArray[np.int64]
    concept: NDArray[np.int64]
    at_us: NDArray[np.int64]
    order: NDArray[np.uint64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    seq: NDArray[np.int64]

    def __len__(self) -> int:
        """The number of samples."""
        return int(self.at_us.size)

    def where(self, mask: NDArray[np.bool_]) -> Ordered:
        """The samples that the mask keeps, in the same order."""
        return Ordered(
            self.patient[mask],
            self.concept[mask],
            self.at_us[mask],
            self.order[mask],
            self.value[mask],
            self.quality[mask],
            self.seq[mask],
        )


def counted_at(samples: Samples) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The instant each sample counts at, (N,), and whether that is not when its source says it occurred."""
    ahead_us = samples.occurred_us - samples.known_us
    moved = ((samples.quality & SKEW_FLAG) != 0) & (ahead_us > 0) & (ahead_us <= FUTURE_US_MAX)
    return np.where(moved, samples.known_us, samples.occurred_us), moved


def _known(samples: Samples) -> Samples:
    """The samples of concepts that this vocabulary holds; a journal that a newer one wrote may hold others."""
    known = (samples.concept >= 0) & (samples.concept < len(VOCABULARY))
    return samples if known.all() else samples.take(known)


def canonical(samples: Samples, *, sort: bool = True) -> Ordered:
    """Samples in the order of the fold. With `sort` false they already are, unless a skewed one moves."""
    samples = _known(samples)
    at_us, moved = counted_at(samples)
    any_moved = bool(moved.any())
    order = np.where(moved, ORDER_SKEWED, samples.order) if any_moved else samples.order
    ordered = Ordered(
        np.asarray(samples.patient, np.int64),
        samples.concept.astype(np.int64),
        at_us,
        np.asarray(order, np.uint64),
        samples.value,
        samples.quality,
        samples.seq,
    )
    if not (sort or any_moved):
        return ordered
    keys = (samples.order, samples.occurred_us, at_us, ordered.patient)
    place = np.lexsort(keys)
    return Ordered(
        ordered.patient[place],
        ordered.concept[place],
        ordered.at_us[place],
        ordered.order[place],
        ordered.value[place],
        ordered.quality[place],
        ordered.seq[place],
    )
