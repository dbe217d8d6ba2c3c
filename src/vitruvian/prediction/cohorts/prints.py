"""Who a model has seen: a fingerprint of each patient's own data, since names differ or coincide between files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.cohorts.base import ORIGIN_US, Cohort

__all__ = ["FILE", "has_seen", "prints", "read_prints", "write_prints"]

FILE: Final = "seen.npy"  # in a bundle: the sorted fingerprints of the patients that fitted or calibrated it


def prints(cohort: Cohort) -> NDArray[np.uint64]:
    """A fingerprint of each patient's age, sex and samples, (P,); the same whatever the patient is called.

    Hours without a sample do not count, so that the same record in another form agrees.
    """
    took = cohort.samples
    order = np.lexsort((took.concept, took.at_us, took.patient))
    cuts = np.searchsorted(took.patient[order], np.arange(cohort.patients + 1))
    concept = took.concept[order].astype("<i4")
    at_us = (took.at_us[order] - ORIGIN_US).astype("<i8")
    value = took.value[order].astype("<f4")
    person = np.column_stack([cohort.age_years, cohort.male]).astype("<f4")
    out = np.empty(cohort.patients, np.uint64)
    for number in range(cohort.patients):
        part = slice(cuts[number], cuts[number + 1])
        told = hashlib.blake2b(person[number].tobytes(), digest_size=8)
        for column in (concept, at_us, value):
            told.update(column[part].tobytes())
        out[number] = int.from_bytes(told.digest(), "little")
    return out


def write_prints(folder: Path, cohort: Cohort, patients: NDArray[np.int64]) -> None:
    """Keep the fingerprints of these patients in a bundle's folder."""
    np.save(folder / FILE, np.sort(prints(cohort.of(patients))))


def read_prints(folder: Path) -> NDArray[np.uint64]:
    """The fingerprints of the patients a bundle has seen, rising; empty where the folder keeps none."""
    path = folder / FILE
    if not path.is_file():
        return np.empty(0, np.uint64)
    try:
        kept = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ModelError(f"found {path}, which cannot be read ({error}); copy the model's folder again") from None
    if kept.dtype != np.uint64 or kept.ndim != 1:
        raise ModelError(f"found {path} of type {kept.dtype}, expected uint64 in one row; copy the folder again")
    result: NDArray[np.uint64] = kept
    return result


def has_seen(folder: Path, cohort: Cohort) -> NDArray[np.bool_]:
    """(P,) which patients fitted or calibrated the bundle in a folder. Raises ModelError."""
    return np.isin(prints(cohort), read_prints(folder))
