"""Who trains, who calibrates, who tests: decided by the patient's name alone, so that no list has to be kept.

And parts of one hospital that mimic a change of hospital: held out whole, they say what transfer costs before another
hospital's data are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.core.identifiers import hash64
from vitruvian.core.time import HOUR_US
from vitruvian.prediction.cohorts.base import ORIGIN_US, Cohort
from vitruvian.prediction.measure.split import ROLES, SEED, Role, patients_of, role_of
from vitruvian.signals.concepts import TABLES

__all__ = [
    "FOLDS",
    "ROLES",
    "SEED",
    "PseudoSite",
    "Role",
    "apart",
    "folds_of",
    "patients_of",
    "pseudo_sites",
    "role_of",
]

FOLDS: Final = 5
SITE_PATIENTS_MIN: Final = 20  # a smaller part says nothing of a transfer
DENSITY_HOURS: Final = 24  # results are counted over so many first hours, so that a long stay is not a dense one
_DRAWS: Final = 10_000


def folds_of(names: Sequence[str], count: int = FOLDS, seed: str = SEED) -> NDArray[np.int64]:
    """The fold 0 ... count - 1 of each patient (P,): a hash of its own, so that folds say nothing of roles."""
    return np.array([_draw(f"{seed}|folds", name) * count // _DRAWS for name in names], np.int64)


def apart(left: Sequence[str], right: Sequence[str]) -> None:
    """Raise ModelError where a patient stands on both sides of a split."""
    both = sorted(set(left) & set(right))
    if both:
        raise ModelError(
            f"found {len(both)} patients on both sides of a split ({', '.join(both[:3])}), expected none; split by name"
        )


@dataclass(frozen=True, slots=True)
class PseudoSite:
    """A part of one hospital held out as if it were another. `patients`: their numbers, rising; the rest trains."""

    name: str
    why: str
    patients: NDArray[np.int64]


def pseudo_sites(cohort: Cohort) -> tuple[PseudoSite, ...]:
    """The parts of a cohort that differ as hospitals differ: by unit, by the way in, by how densely is measured.

    A part with fewer than SITE_PATIENTS_MIN patients, or that leaves as few, is not told.
    """
    found: list[PseudoSite] = []
    for unit in sorted(set(cohort.groups.get("unit", ()))):
        mine = np.array([one == unit for one in cohort.groups["unit"]])
        found.append(_site(f"unit {unit}", "another kind of unit", mine))
    before_h = cohort.admission.get("hospital_before_icu_h")
    if before_h is not None and np.isfinite(before_h).any():
        low, high = np.nanquantile(before_h, (1 / 3, 2 / 3))
        found.append(_site("early admission", "came to intensive care soonest after the hospital", before_h <= low))
        found.append(_site("late admission", "came to intensive care latest after the hospital", before_h > high))
    density = lab_density(cohort)
    low, high = np.quantile(density, (0.25, 0.75))
    found.append(_site("sparse measurement", "the quarter with the fewest laboratory results", density <= low))
    found.append(_site("dense measurement", "the quarter with the most laboratory results", density > high))
    most = cohort.patients - SITE_PATIENTS_MIN
    return tuple(one for one in found if SITE_PATIENTS_MIN <= one.patients.size <= most)


def lab_density(cohort: Cohort) -> NDArray[np.float64]:
    """Laboratory results an hour in a patient's first DENSITY_HOURS (P,)."""
    took = cohort.samples
    lab = TABLES.lab_of[took.concept] >= 0
    early = took.at_us <= ORIGIN_US + DENSITY_HOURS * HOUR_US
    counts = np.bincount(took.patient[lab & early], minlength=cohort.patients)
    stayed = np.bincount(cohort.patient[cohort.hour <= DENSITY_HOURS], minlength=cohort.patients)
    density: NDArray[np.float64] = counts / np.maximum(stayed, 1)
    return density


def _site(name: str, why: str, mine: NDArray[np.bool_]) -> PseudoSite:
    return PseudoSite(name, why, np.flatnonzero(mine))


def _draw(seed: str, name: str) -> int:
    return hash64(seed, name) % _DRAWS
