"""What a threshold decides, row by row: the confusion matrix, the figures of it, Event 1, and net benefit."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.measure.resampling import limits, patient_sums

__all__ = ["FIGURES", "RISKS", "best_event1", "confusion", "decision_curve", "decision_figures", "decision_sums"]

Floats = NDArray[np.float64]
RISKS: Final = tuple(percent / 100 for percent in range(2, 21))  # at which the decision curve is told
FIGURES: Final = ("accuracy", "precision", "recall", "specificity", "f1", "event1", "prevalence")


def decision_sums(
    alarm: NDArray[np.bool_], label: NDArray[np.int8], patient: NDArray[np.int64], patients: int
) -> Floats:
    """True positives, false positives, false negatives and true negatives of each patient: (patients, 4)."""
    sick = label > 0
    return patient_sums(patient, patients, alarm & sick, alarm & ~sick, ~alarm & sick, ~alarm & ~sick)


def decision_figures(counts: Floats) -> dict[str, Floats]:
    """`FIGURES` of counts (..., 4) in the order of `decision_sums`; NaN where nothing is divided by nothing.

    `event1` is the score of the Challenge 2012: the lesser of sensitivity (recall) and positive predictive value
    (precision; 0 where nothing is flagged, since an alarm that never sounds finds nobody).
    """
    hit, false, missed, right = np.moveaxis(counts, -1, 0)
    precision, recall = _share(hit, hit + false), _share(hit, hit + missed)
    return {
        "accuracy": _share(hit + right, counts.sum(axis=-1)),
        "precision": precision,
        "recall": recall,
        "specificity": _share(right, right + false),
        "f1": _share(2 * hit, 2 * hit + false + missed),
        "event1": np.minimum(np.where(hit + false > 0, precision, 0.0), recall),
        "prevalence": _share(hit + missed, counts.sum(axis=-1)),
    }


def confusion(counts: Floats) -> dict[str, int]:
    """The matrix of summed counts (4,) by name."""
    names = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    return {name: round(float(count)) for name, count in zip(names, counts, strict=True)}


def best_event1(label: NDArray[np.int8], score: NDArray[np.floating]) -> tuple[float, float]:
    """The threshold (at or above) with the highest lesser of sensitivity and precision, and that figure."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order].astype(np.float64)
    hits = np.cumsum(label[order] > 0)
    ends = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)  # a threshold takes all rows that tie
    worth = np.minimum(hits[ends] / hits[-1], hits[ends] / (ends + 1))
    place = int(ends[int(np.argmax(worth))])
    following = ranked[place + 1] if place + 1 < ranked.size else ranked[place]
    return float((ranked[place] + following) / 2), float(worth.max())


def decision_curve(
    probability: Floats, label: NDArray[np.int8], patient: NDArray[np.int64], draws: NDArray[np.int64]
) -> dict[str, Any]:
    """Net benefit at risks from 2 to 20 % (Vickers and Elkin 2006): true positives less false positives times the odds
    of the risk, a row; of the model, of treating all and of treating none (0).

    `gain` is the model's over the better of the two, with its interval over patients; `above_both` whether it is above
    0 at every risk.
    """
    sick, patients = label > 0, draws.shape[1]
    model, everyone, gain, model_95, gain_95 = [], [], [], [], []
    base = patient_sums(patient, patients, sick, ~sick, np.ones(sick.size))
    sick_sum, well_sum, rows = (np.vstack([base.sum(axis=0), draws @ base])).T
    for risk in RISKS:
        odds, alarm = risk / (1 - risk), probability >= risk
        own = patient_sums(patient, patients, alarm & sick, alarm & ~sick)
        hit, false = (np.vstack([own.sum(axis=0), draws @ own])).T
        mine, every = (hit - odds * false) / rows, (sick_sum - odds * well_sum) / rows
        over = mine - np.maximum(every, 0.0)
        model.append(float(mine[0]))
        everyone.append(float(every[0]))
        gain.append(float(over[0]))
        model_95.append(limits(mine[1:]))
        gain_95.append(limits(over[1:]))
    return {
        "risks": list(RISKS),
        "model": model,
        "model_95": model_95,
        "treat_all": everyone,
        "treat_none": [0.0] * len(RISKS),
        "gain": gain,
        "gain_95": gain_95,
        "above_both": all(each > 0 for each in gain),
        "above_both_surely": all(low > 0 for low, _ in gain_95),
    }


def _share(part: Floats, whole: Floats) -> Floats:
    out = np.full(np.shape(whole), np.nan)
    return np.asarray(np.divide(part, whole, out=out, where=np.asarray(whole) > 0), np.float64)
