"""The same figures by sex, age and unit, with intervals, where a group is large enough to say anything at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.measure.decisions import decision_figures, decision_sums
from vitruvian.prediction.measure.ranking import Ranking
from vitruvian.prediction.measure.resampling import limits, patient_sums
from vitruvian.prediction.measure.rows import Rows

__all__ = ["EVENTS_MIN", "TOO_FEW", "by_group", "groups_of"]

EVENTS_MIN: Final = 20  # patients with the outcome, and as many without: fewer say nothing
TOO_FEW: Final = "too few"
AGES: Final = ((0, "under 18"), (18, "18 to 44"), (45, "45 to 64"), (65, "65 to 79"), (80, "80 and over"))
NOT_STATED: Final = "not stated"


def groups_of(cohort: Cohort) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Attribute, name and members (P,) of every group: sex, age, and what the cohort groups by."""
    male, age = cohort.male, cohort.age_years
    with np.errstate(invalid="ignore"):
        for name, members in (("female", male == 0), ("male", male == 1), (NOT_STATED, np.isnan(male))):
            yield "sex", name, members
        starts = np.array([start for start, _ in AGES], np.float64)
        place = np.searchsorted(starts, np.where(np.isnan(age), 0, age), side="right") - 1
    for number, (_, name) in enumerate(AGES):
        yield "age", name, (place == number) & ~np.isnan(age)
    yield "age", NOT_STATED, np.isnan(age)
    for attribute, texts in cohort.groups.items():
        column = np.array(texts)
        for name in sorted(set(texts)):
            yield attribute, name, column == name


def by_group(
    cohort: Cohort,
    rows: Rows,
    probability: NDArray[np.float64],
    threshold: float | NDArray[np.float64],
    draws: NDArray[np.int64],
) -> dict[str, Any]:
    """For every group its counts and AUROC, sensitivity, precision and specificity of rows at the threshold, and
    outcomes observed for each expected (1 = calibrated in the large), with intervals over patients; or "too few".

    `gaps`: for each attribute the difference between its best and worst group's AUROC, with its interval.
    """
    told: list[dict[str, Any]] = []
    areas: dict[str, list[NDArray[np.float64]]] = {}
    for attribute, name, members in groups_of(cohort):
        if not members.any():
            continue
        events = int((members & rows.event).sum())
        row: dict[str, Any] = {"attribute": attribute, "group": name, "patients": int(members.sum()), "events": events}
        if min(events, row["patients"] - events) < EVENTS_MIN:
            told.append(row | {"figures": TOO_FEW})
            continue
        figures, area = _figures(members[rows.patient], rows, probability, threshold, draws)
        areas.setdefault(attribute, []).append(area)
        told.append(row | {"figures": figures})
    return {"events_min": EVENTS_MIN, "groups": told, "gaps": {key: _gap(each) for key, each in areas.items()}}


def _figures(
    mine: NDArray[np.bool_],
    rows: Rows,
    probability: NDArray[np.float64],
    threshold: float | NDArray[np.float64],
    draws: NDArray[np.int64],
) -> tuple[dict[str, Any], NDArray[np.float64]]:
    label, patient, chance = rows.label[mine], rows.patient[mine], probability[rows.index[mine]]
    ranking = Ranking(chance, label)
    area = np.append(ranking.auroc(), ranking.drawn(patient, draws)[0])
    cut = np.broadcast_to(threshold, probability.shape)[rows.index][mine]
    counts = decision_sums(chance >= cut, label, patient, rows.patients)
    decided = decision_figures(np.vstack([counts.sum(axis=0), draws @ counts]))
    sums = patient_sums(patient, rows.patients, label, chance)
    came, expected = np.vstack([sums.sum(axis=0), draws @ sums]).T
    columns = {
        "auroc": area,
        "sensitivity": decided["recall"],
        "precision": decided["precision"],
        "specificity": decided["specificity"],
        "observed_per_expected": np.where(expected > 0, came / np.maximum(expected, 1e-12), np.nan),
    }
    out: dict[str, Any] = {"prevalence": float(label.mean())}
    for name, column in columns.items():
        out[name], out[f"{name}_95"] = float(column[0]), limits(column[1:])
    return out, area


def _gap(areas: list[NDArray[np.float64]]) -> dict[str, Any] | str:
    """Best less worst of the groups, as all patients say which these are; every draw keeps the two the same.

    Chosen by looking, so that some gap is to be expected between groups that do not differ.
    """
    if len(areas) < 2:
        return TOO_FEW
    first = [area[0] for area in areas]
    best, worst = areas[int(np.argmax(first))], areas[int(np.argmin(first))]
    gap = best - worst
    return {"auroc": float(gap[0]), "auroc_95": limits(gap[1:])}
