"""What is wrong with a site's data before any model reads them: coverage, the implausible, units, duplicates, gaps.

All from the samples of patients, so any form of data can be looked at. Nothing is corrected; a suspicion names the
concept, what was found, and what would explain it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY, Concept
from vitruvian.prediction.cohorts.base import Samples
from vitruvian.signals.concepts import MONITORED

__all__ = ["UNITS", "Unit", "quality_of"]

FLAT_HOURS: Final = 6  # a monitored vital sign that keeps one value so long, in FLAT_SAMPLES or more, is not living
FLAT_SAMPLES: Final = 6
GAP_HOURS: Final = 12  # without a single vital sign
SAMPLES_MIN: Final = 20  # of a concept, before its median is held against anything
FAR: Final = 1.8  # a median this many times off the usual is looked at
IMPLAUSIBLE_SHARE: Final = 0.01
COVERAGE_MIN: Final = 0.05
# Values of the sick reach many times the usual, so that only a mistake of most values shows.
_SKEWED: Final = ("bilirubin_total", "troponin_i", "c_reactive_protein", "lactate")
# Vital signs that hardly differ when they are recorded coarsely: a day at 98 % is no fault.
_MAY_STAND: Final = ("oxygen_saturation", "body_temperature", "end_tidal_co2")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that values may be in by mistake: value in it = factor x value in the vocabulary's unit + offset."""

    unit: str
    factor: float
    offset: float = 0.0


# Concept: its usual median in intensive care, in the vocabulary's unit, and units that are mistaken for it.
UNITS: Final[dict[str, tuple[float, tuple[Unit, ...]]]] = {
    "body_temperature": (37.0, (Unit("[degF]", 1.8, 32.0), Unit("K", 1.0, 273.15))),
    "inspired_oxygen_fraction": (0.45, (Unit("%", 100.0),)),
    "oxygen_saturation": (97.0, (Unit("1", 0.01),)),
    "creatinine": (1.0, (Unit("umol/L", 88.42), Unit("mmol/L", 0.08842))),
    "urea_nitrogen": (18.0, (Unit("mmol/L", 0.357),)),
    "glucose": (130.0, (Unit("mmol/L", 0.05551),)),
    "bilirubin_total": (0.9, (Unit("umol/L", 17.1),)),
    "lactate": (1.7, (Unit("mg/dL", 9.01),)),
    "hemoglobin": (10.5, (Unit("g/L", 10.0),)),
    "hematocrit": (31.0, (Unit("1", 0.01),)),
    "calcium": (8.4, (Unit("mmol/L", 0.2495),)),
    "magnesium": (2.0, (Unit("mmol/L", 0.4114),)),
    "phosphate": (3.4, (Unit("mmol/L", 0.3229),)),
    "albumin": (3.0, (Unit("g/L", 10.0),)),
    "leukocytes": (11.0, (Unit("/uL", 1000.0),)),
    "platelets": (190.0, (Unit("/uL", 1000.0),)),
    "arterial_co2": (40.0, (Unit("kPa", 0.1333),)),
    "arterial_oxygen": (110.0, (Unit("kPa", 0.1333),)),
    "troponin_i": (0.3, (Unit("ng/L", 1000.0),)),
    "c_reactive_protein": (80.0, (Unit("mg/dL", 0.1),)),
    "body_weight": (80.0, (Unit("[lb_av]", 2.2046), Unit("g", 1000.0))),
    "body_height": (170.0, (Unit("m", 0.01), Unit("[in_i]", 0.3937))),
    "mean_pressure": (78.0, (Unit("kPa", 0.1333),)),
    "systolic_pressure": (120.0, (Unit("kPa", 0.1333),)),
}


def quality_of(
    samples: Samples, patients: int, hours: int, *, data: str = "", in_order: bool | None = None
) -> dict[str, Any]:
    """The report of samples of so many patients over so many hours of stay, as JSON. `in_order`: whether the source
    gave each patient's samples in time's order, None = not known. `suspicions` are sentences, the gravest first.
    """
    order = np.lexsort((samples.at_us, samples.concept, samples.patient))
    took = Samples(*(getattr(samples, name)[order] for name in ("patient", "concept", "at_us", "value")))
    by_index = {concept.index: concept for concept in VOCABULARY}
    concepts = [_concept(by_index[int(index)], took, patients, hours) for index in np.unique(took.concept)]
    concepts.sort(key=lambda one: -int(one["samples"]))
    told: dict[str, Any] = {
        "data": data,
        "patients": patients,
        "hours": hours,
        "samples": int(took.value.size),
        "not_numbers": int((~np.isfinite(took.value)).sum()),
        "patients_without_samples": patients - int(np.unique(took.patient).size),
        "duplicates": _duplicates(took),
        "contradictions": _duplicates(took, contradicting=True),
        "gaps": _gaps(took),
        "in_order": in_order,
        "concepts": concepts,
        "absent": [name for name in MONITORED if VOCABULARY[name].index not in set(took.concept.tolist())],
    }
    return told | {"suspicions": _suspicions(told)}


def _concept(concept: Concept, took: Samples, patients: int, hours: int) -> dict[str, Any]:
    mine = took.concept == concept.index
    value, patient, at_us = took.value[mine], took.patient[mine], took.at_us[mine]
    known = value[np.isfinite(value)]
    low, high = concept.plausible
    implausible = int(((known < low) | (known > high)).sum())
    slots = np.unique(np.column_stack([patient, at_us // HOUR_US]), axis=0).shape[0]
    told: dict[str, Any] = {
        "concept": concept.name,
        "unit": concept.unit,
        "samples": int(value.size),
        "patients": int(np.unique(patient).size),
        "coverage": np.unique(patient).size / max(patients, 1),
        "hours": slots / max(hours, 1),
        "implausible": implausible,
        "median": float(np.median(known)) if known.size else None,
        "flat": _flat(patient, at_us, value) if concept.name in MONITORED and concept.name not in _MAY_STAND else 0,
        "suspected_unit": None,
    }
    if known.size >= SAMPLES_MIN:
        told["suspected_unit"], told["suspected_share"] = suspected_unit(concept.name, known)
    return told


def suspected_unit(name: str, value: NDArray[np.float64]) -> tuple[str | None, float]:
    """The unit that explains values (n,) better than the vocabulary's, and the share of them that it explains; a part
    counts from a twentieth on (mixed units), since few values lie far off by themselves.
    """
    if name not in UNITS:
        return None, 0.0
    usual, units = UNITS[name]
    off = _far(value, usual)
    best: tuple[str | None, float] = (None, 0.0)
    for unit in units:
        there = _far((value - unit.offset) / unit.factor, usual)
        # Explained: far from the usual as it stands, near to it when converted.
        explained = float(((off > np.log(FAR) * _sharpness(name)) & (there < off / 2)).mean())
        if explained > max(best[1], 0.05):
            best = (unit.unit, explained)
    # A factor of three or less is within what patients differ by, so most values must agree on it.
    if best[0] is not None and best[1] < 0.5 and (name in _SKEWED or _small(name, best[0])):
        return None, 0.0
    return best


def _far(value: NDArray[np.float64], usual: float) -> NDArray[np.float64]:
    """How far values lie from the usual, as the size of the logarithm of their ratio."""
    return np.asarray(np.abs(np.log(np.maximum(value, 1e-6) / usual)), np.float64)


def _sharpness(name: str) -> float:
    """Temperature and saturation hardly vary between patients, so that less than FAR is far."""
    return 0.5 if name in ("body_temperature", "oxygen_saturation") else 1.0


def _small(name: str, unit: str) -> bool:
    found = next(one for one in UNITS[name][1] if one.unit == unit)
    return max(found.factor, 1 / found.factor) < 8.0 and not found.offset


def _duplicates(took: Samples, *, contradicting: bool = False) -> int:
    """Samples of one patient, concept and instant after the first; with `contradicting` those of another value."""
    same = (np.diff(took.patient) == 0) & (np.diff(took.concept) == 0) & (np.diff(took.at_us) == 0)
    differs = np.diff(took.value) != 0
    return int((same & (differs if contradicting else True)).sum())


def _gaps(took: Samples) -> dict[str, int]:
    """Times longer than GAP_HOURS between two vital signs of a patient: how many, and of how many patients."""
    vitals = [VOCABULARY[name].index for name in MONITORED]
    mine = np.isin(took.concept, vitals)
    order = np.lexsort((took.at_us[mine], took.patient[mine]))
    patient, at_us = took.patient[mine][order], took.at_us[mine][order]
    long = (np.diff(patient) == 0) & (np.diff(at_us) > GAP_HOURS * HOUR_US)
    return {"longer_than_h": GAP_HOURS, "count": int(long.sum()), "patients": int(np.unique(patient[1:][long]).size)}


def _flat(patient: NDArray[np.int64], at_us: NDArray[np.int64], value: NDArray[np.float64]) -> int:
    """Runs of FLAT_SAMPLES or more equal values over FLAT_HOURS or longer."""
    if not value.size:
        return 0
    new = np.concatenate([[True], (np.diff(patient) != 0) | (np.diff(value) != 0)])
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], value.size) - 1
    long = (ends - starts + 1 >= FLAT_SAMPLES) & (at_us[ends] - at_us[starts] >= FLAT_HOURS * HOUR_US)
    return int(long.sum())


def _suspicions(told: dict[str, Any]) -> list[str]:
    said: list[str] = []
    concepts: Sequence[dict[str, Any]] = told["concepts"]
    for one in concepts:
        if one["suspected_unit"]:
            said.append(
                f"{one['concept']}: {one['suspected_share']:.0%} of values look like {one['suspected_unit']}"
                f" (median {one['median']:g}, expected {one['unit']}); state the unit in the mapping"
            )
    for one in concepts:
        if one["implausible"] > IMPLAUSIBLE_SHARE * one["samples"]:
            said.append(f"{one['concept']}: {one['implausible']:,} of {one['samples']:,} values are implausible")
    for one in concepts:
        if one["flat"]:
            said.append(f"{one['concept']}: {one['flat']:,} runs of {FLAT_HOURS} h or more without any change")
    if told["contradictions"]:
        said.append(f"{told['contradictions']:,} samples contradict another of the same patient, concept and instant")
    elif told["duplicates"]:
        said.append(f"{told['duplicates']:,} samples are given twice")
    if told["patients_without_samples"]:
        said.append(f"{told['patients_without_samples']:,} patients have no sample at all")
    if told["in_order"] is False:
        said.append("samples are not in time's order; live, those that come late are taken by rewinding the patient")
    if told["absent"]:
        said.append(f"never measured: {', '.join(told['absent'])}")
    rare = [one["concept"] for one in concepts if one["coverage"] < COVERAGE_MIN]
    if rare:
        said.append(f"measured in fewer than {COVERAGE_MIN:.0%} of patients: {', '.join(rare)}")
    return said
