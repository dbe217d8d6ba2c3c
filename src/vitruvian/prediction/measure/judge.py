"""Judge a model and what it has to beat on one cohort: everything that `evaluation.json` holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.measure.alarm_curve import LEAD_MIN_H, SENSITIVITY, alarm_sums, fewer
from vitruvian.prediction.measure.alarms import REFRACTORY_H
from vitruvian.prediction.measure.baselines import NEWS2
from vitruvian.prediction.measure.calibration import reliability
from vitruvian.prediction.measure.conformal import coverage, patient_scores
from vitruvian.prediction.measure.decisions import (
    confusion,
    decision_curve,
    decision_figures,
    decision_sums,
)
from vitruvian.prediction.measure.fairness import by_group
from vitruvian.prediction.measure.figures import Judge, Threshold
from vitruvian.prediction.measure.resampling import DRAWS, SEED
from vitruvian.prediction.measure.tidy import rounded
from vitruvian.prediction.tasks import Task

__all__ = ["FORMAT", "judge"]

FORMAT: Final = 1
Scores = Mapping[str, NDArray[np.floating]]
Say = Callable[[str], None]


def judge(
    task: Task,
    cohort: Cohort,
    scores: Scores,
    thresholds: Mapping[str, Threshold],
    *,
    main: str,
    probabilities: Collection[str],
    split: str,
    model: str = "",
    conformal: Mapping[str, Any] | None = None,
    news2_lacks: Sequence[str] | None = None,
    draws: int = DRAWS,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """The evaluation of a cohort, ready for JSON (NaN is null).

    `scores`: (N,) of every row by name, higher = more at risk; `thresholds`: at or above which each alarms, chosen
    without these outcomes (or one of each row, (N,), where scores come out of several fits); `main`: the name of the
    model that is judged, whose figures stand at the top level; `probabilities`: names whose scores are probabilities;
    `split`: in words, which patients these are; `conformal`: thresholds of `conformal.fit_conformal`; `news2_lacks`:
    what NEWS2 had no data for (`Baselines.news2_lacks`).

    Raises ModelError for a score without a threshold, of another length or not a number, and for a cohort in which the
    task cannot be measured.
    """
    absent = [name for name in (main, *scores) if name not in scores or name not in thresholds]
    if absent or main not in probabilities:
        raise ModelError(
            f"found {', '.join(absent) or main} without scores, threshold or probability, expected all three of the"
            " model that is judged, and a threshold of every score"
        )
    judged = Judge(task, cohort, draws)
    rows = []
    for name in (main, *(each for each in scores if each != main)):
        rows.append(judged.figures(name, scores[name], thresholds[name], probability=name in probabilities))
        say(f"{name}: AUROC {rows[-1]['auroc']:.3f}")
    chance = scores[main].astype(np.float64)
    of_rows = chance[judged.rows.index], judged.rows.label, judged.rows.patient, judged.draws
    result = _about(task, cohort, judged, split, model, main)
    result |= {key: value for key, value in rows[0].items() if key != "score"}
    result["rows"] = rows
    result["differences"] = [judged.difference(main, row["score"]) for row in rows[1:]]
    result["confusion"] = _confusion(judged, chance, thresholds[main])
    result["reliability"] = reliability(*of_rows)
    result["decision_curve"] = decision_curve(*of_rows)
    result["curves"] = _curves(judged)
    result["fairness"] = by_group(cohort, judged.rows, chance, thresholds[main], judged.draws)
    result["conformal"] = _conformal(judged, chance, conformal)
    result["alarms_curve"] = _alarms_curve(judged)
    result["alarms_against_news2"] = _against_news2(judged, main, news2_lacks)
    return dict(rounded(result))


def _about(task: Task, cohort: Cohort, judged: Judge, split: str, model: str, main: str) -> dict[str, Any]:
    rows = judged.rows
    return {
        "format": FORMAT,
        "task": task.name,
        "title": task.title,
        "target": task.target,
        "moment": task.moment,
        "horizon_h": task.horizon_h,
        "decision": task.decision,
        "validated": task.validated and not cohort.simulated,
        "data": cohort.data,
        "simulated": cohort.simulated,
        "notes": list(cohort.notes),
        "split": split,
        "model": model,
        "main": main,
        "counts": {
            "patients": cohort.patients,
            "event_patients": int(rows.event.sum()),
            "rows": int(rows.index.size),
            "event_rows": int(rows.label.sum()),
        },
        "prevalence": float(rows.label.mean()),
        "intervals": {"draws": int(judged.draws.shape[0]), "seed": SEED, "over": "patients", "level": 0.95},
    }


def _confusion(judged: Judge, chance: NDArray[np.float64], threshold: Threshold) -> dict[str, Any]:
    """The matrix by row, and for hourly tasks by patient; beside each what never alarming would have."""
    rows = judged.rows
    cut = np.broadcast_to(np.asarray(threshold, np.float64), chance.shape)
    alarm = (chance >= cut)[rows.index]
    by_row = decision_sums(alarm, rows.label, rows.patient, rows.patients).sum(axis=0)
    out: dict[str, Any] = {"threshold": float(np.median(cut[rows.index])), "rows": _matrix(by_row)}
    if judged.task.moment == "hourly":
        # A patient with the event counts as found by an alarm in the window that counts; one without, as a false alarm
        # by any alarm at all.
        sums = alarm_sums(rows, judged.cohort.patient, chance, cut)
        found = np.where(rows.event, ~np.isnan(sums.lead_h), sums.sounded > 0)
        seen = rows.hours > 0
        who = np.arange(rows.patients)[seen]
        by_patient = decision_sums(found[seen], rows.event[seen].astype(np.int8), who, rows.patients).sum(axis=0)
        out["patients"] = _matrix(by_patient)
    return out


def _matrix(counts: NDArray[np.float64]) -> dict[str, Any]:
    figures = {key: float(value) for key, value in decision_figures(counts).items()}
    hit, false, missed, right = counts
    never = decision_figures(np.array([0.0, 0.0, hit + missed, false + right]))
    keys = ("accuracy", "precision", "recall", "f1")
    return confusion(counts) | figures | {"always_negative": {key: float(never[key]) for key in keys}}


def _curves(judged: Judge) -> dict[str, Any]:
    out = {}
    for name, ranking in judged.rankings.items():
        (false, hit), (recall, precision) = ranking.roc(), ranking.precision_recall()
        out[name] = {"roc": {"x": false, "y": hit}, "precision_recall": {"x": recall, "y": precision}}
    return out


def _conformal(
    judged: Judge, chance: NDArray[np.float64], thresholds: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    if thresholds is None:
        return None
    return coverage(patient_scores(judged.rows, judged.cohort.patient, chance), judged.rows.event, thresholds)


def _alarms_curve(judged: Judge) -> dict[str, Any] | None:
    if judged.task.moment != "hourly":
        return None
    return {
        "refractory_h": REFRACTORY_H,
        "window_h": [-12, 3],
        "scores": {name: curve.told() for name, curve in judged.curves.items()},
    }


def _against_news2(judged: Judge, main: str, lacks: Sequence[str] | None) -> dict[str, Any] | None:
    """Alarms against NEWS2's at the same sensitivity and refractory time, where NEWS2 was among the scores.

    `same`: at 80 %, NEWS2's own between two of its whole points; `reached`: at the sensitivity that the highest NEWS2
    of at least 80 % has in truth.
    """
    if NEWS2 not in judged.curves:
        return None
    mine, theirs = judged.curves[main], judged.curves[NEWS2]
    told, own = mine.at(SENSITIVITY, judged.draws)
    other, rate = theirs.at(SENSITIVITY, judged.draws)
    out = {
        "sensitivity": SENSITIVITY,
        "refractory_h": REFRACTORY_H,
        "lead_min_h": LEAD_MIN_H,
        "news2_lacks": None if lacks is None else list(lacks),
        "same": {"model": told, "news2": other} | fewer(own, rate),
        "lead_long_enough": bool(told.get("median_lead_h", 0.0) >= LEAD_MIN_H),
    }
    reached = other.get("sensitivity_at_threshold")
    if reached is not None:
        told, own = mine.at(reached, judged.draws)
        other, rate = theirs.at(reached, judged.draws)
        out["reached"] = {"sensitivity": reached, "model": told, "news2": other} | fewer(own, rate)
    return out
