"""Cleaning a whole series at once: the plausible range, and the causal Hampel filter, as the tracker applies them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vitruvian.core.errors import LimitError
from vitruvian.core.vocabulary import Concept
from vitruvian.signals.kernels import NEVER_US, RING, hampel_step


@dataclass(frozen=True, slots=True)
class Cleaned:
    """`values` (N,) as sent and `clean` (N,) after the filter, at `times_us`; `rejected` are in neither."""

    times_us: NDArray[np.int64]
    values: NDArray[np.float64]
    clean: NDArray[np.float64]
    rejected: int

    @property
    def outliers(self) -> NDArray[np.bool_]:
        """(N,) where the filter replaced the value."""
        replaced: NDArray[np.bool_] = self.clean != self.values
        return replaced


def clean_series(times_us: NDArray[np.int64], values: NDArray[np.float64], concept: Concept, floor: float) -> Cleaned:
    """Leave out the implausible and the missing, and de-noise the rest from its past only.

    `times_us` (N,) must not fall, else LimitError. `floor`: the smallest departure from the recent median, in the
    concept's unit, that may count as noise (`concepts.MONITORED` has one for each monitored vital sign). A change that
    lasts for three samples passes.
    """
    if times_us.shape != values.shape or np.any(np.diff(times_us) < 0):
        raise LimitError(
            "found times that fall or are of another number than the values, expected one rising time each"
        )
    low, high = concept.plausible
    with np.errstate(invalid="ignore"):
        plausible = (values >= low) & (values <= high)
    times, kept = np.ascontiguousarray(times_us[plausible]), np.ascontiguousarray(values[plausible])
    return Cleaned(times, kept, _filtered(times, kept, floor), int(values.size - kept.size))


@njit(cache=False)  # it calls a kernel of another file, whose changes numba's cache would not see
def _filtered(times_us: NDArray[np.int64], values: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    ring_value, ring_us = np.full(RING, np.nan), np.full(RING, NEVER_US, np.int64)
    state, scratch = np.zeros(2, np.int16), np.empty(RING)
    clean = np.empty_like(values)
    for i in range(values.size):
        clean[i] = hampel_step(values[i], times_us[i], floor, ring_value, ring_us, state, scratch)
    return clean
