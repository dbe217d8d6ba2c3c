"""Who fits, who stops and chooses, who calibrates, who tests: rows of each part, always by whole patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.core.identifiers import hash64
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.measure.split import role_of

__all__ = ["Parts", "split_parts"]

Rows = NDArray[np.int64]
VALID_PERCENT: Final = 15  # of the patients who train: they stop a fit and choose the threshold
CLASS_MIN: Final = 3  # patients of each class in every part, fewer cannot be calibrated or measured on


@dataclass(frozen=True, slots=True)
class Parts:
    """Numbers of the patients of each part, rising; no patient is in two."""

    train: Rows
    valid: Rows
    calibrate: Rows
    test: Rows


def split_parts(cohort: Cohort, seed: str) -> Parts:
    """The split of a training run, by a hash of the patients' names: 70 % train (15 % of them `valid`), 10 % calibrate,
    20 % test. Raises ModelError where a part has too few patients of a class.
    """
    role = np.array([role_of(name, seed) for name in cohort.ids])
    held = np.array([hash64(f"{seed}:valid", name) % 100 < VALID_PERCENT for name in cohort.ids])
    train = role == "train"
    parts = Parts(
        np.flatnonzero(train & ~held),
        np.flatnonzero(train & held),
        np.flatnonzero(role == "calibrate"),
        np.flatnonzero(role == "test"),
    )
    for name in ("train", "valid", "calibrate", "test"):
        _check(cohort, cohort.measured_rows(getattr(parts, name)), name)
    return parts


def _check(cohort: Cohort, rows: Rows, name: str) -> None:
    for label in (0, 1):
        found = np.unique(cohort.patient[rows[cohort.label[rows] == label]]).size
        if found < CLASS_MIN:
            raise ModelError(
                f"found {found} patients with label {label} in the part {name!r} of {cohort.data}, expected at least"
                f" {CLASS_MIN}; give more patients"
            )
