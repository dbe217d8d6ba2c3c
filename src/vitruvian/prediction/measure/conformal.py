"""Class-conditional conformal prediction by patient: whether to say event, no event, both, or neither.

A patient has one score, the highest probability told: of a patient with the event, within the window that counts
(from 12 h before it to 3 h after), since an alarm long before does not count; of a patient without, over the whole
stay. For a task told once a stay it is the probability told. Two thresholds follow from calibration patients of each
class:

    "event" is in the set    where the score is at or above `event_from`
    "no event" is in the set where the score is at or below `none_to`

A patient with the event is covered if "event" is in the set, one without if "no event" is. At the bedside the score is
the highest probability so far, which is never below the window's, so that coverage of patients with the event can only
be higher, and a patient without one is covered at every hour or not at all.

With exchangeable patients, ordinary conformal prediction covers each class at the level on average over calibration
sets; with some 200 calibration patients of a class, one set in two falls short, some by several points. So the
thresholds are ranks for which, whatever the distribution, coverage is at least the level with `confidence` over the
calibration set (tolerance limits: Wilks, Ann Math Stat 1941;12:91; Vovk, Mach Learn 2013;92:349). Another hospital's
patients are not exchangeable with these: there the promise does not hold until the thresholds are found anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.measure.rows import Rows

__all__ = ["CONFIDENCE", "LEVEL", "clopper_pearson", "coverage", "fit_conformal", "patient_scores", "sets_of"]

Floats = NDArray[np.float64]
LEVEL: Final = 0.9
CONFIDENCE: Final = 0.95
_BOUNDS: Final = ("event_from", "none_to")


def patient_scores(rows: Rows, patient: NDArray[np.int64], probability: NDArray[np.floating]) -> Floats:
    """The score of each patient (P,), NaN where none of the patient's rows counts; `probability` (N,) of every row."""
    counts = np.where(rows.event[patient], rows.near, rows.measured)
    out = np.full(rows.patients, -np.inf)
    np.maximum.at(out, patient[counts], probability[counts].astype(np.float64))
    return np.where(np.isfinite(out), out, np.nan)


def fit_conformal(
    scores: Floats, event: NDArray[np.bool_], *, level: float = LEVEL, confidence: float | None = CONFIDENCE
) -> dict[str, Any]:
    """The two thresholds, as JSON, from the scores (P,) of calibration patients and whether they had the event.

    `confidence` None gives the ordinary thresholds, which hold on average. Too few patients of a class for the promise
    (29 for 90 % with 95 %) make its label part of every set. Raises ModelError where a class has nobody.
    """
    known = ~np.isnan(scores)
    with_event, without = np.sort(scores[known & event]), np.sort(scores[known & ~event])
    if not with_event.size or not without.size:
        raise ModelError(
            f"found {with_event.size} calibration patients with the event and {without.size} without, expected some of"
            " each; give more patients"
        )
    low, high = (_left_out(part.size, level, confidence) for part in (with_event, without))
    return {
        "level": level,
        "confidence": confidence,
        "event_from": float(with_event[low - 1]) if low else 0.0,
        "none_to": float(without[-high]) if high else 1.0,
        "calibrated_on": {"event": int(with_event.size), "none": int(without.size)},
    }


def sets_of(scores: Floats, thresholds: Mapping[str, Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether "event" and whether "no event" is in the set of each score (n,); thresholds are numbers or (n,)."""
    return scores >= np.asarray(thresholds["event_from"]), scores <= np.asarray(thresholds["none_to"])


def coverage(scores: Floats, event: NDArray[np.bool_], thresholds: Mapping[str, Any]) -> dict[str, Any]:
    """How often patients (P,) are covered, by class with its 95 % interval (Clopper and Pearson 1934), and the sets.

    `event_from` and `none_to` may be those of each patient (P,), as in cross-validation; told is their median.
    The lower end of that interval is a one-sided limit at 97.5 %, which is more than a bar at 95 % asks.
    """
    known = ~np.isnan(scores)
    out: dict[str, Any] = {key: thresholds[key] for key in ("level", "confidence")}
    each = {key: np.broadcast_to(np.asarray(thresholds[key], np.float64), scores.shape) for key in _BOUNDS}
    out |= {key: float(np.median(value)) for key, value in each.items()}
    out["calibrated_on"] = dict(thresholds["calibrated_on"])
    for name, mine in (("event", known & event), ("none", known & ~event)):
        says_event, says_none = sets_of(scores[mine], {key: value[mine] for key, value in each.items()})
        covered = says_event if name == "event" else says_none
        count, hits = int(mine.sum()), int(covered.sum())
        out[name] = {
            "patients": count,
            "covered": hits,
            "coverage": hits / count if count else float("nan"),
            "coverage_95": list(clopper_pearson(hits, count)),
            "sets": _shares(says_event, says_none),
        }
    out["all_sets"] = _shares(*sets_of(scores[known], {key: value[known] for key, value in each.items()}))
    return out


def clopper_pearson(hits: int, count: int, level: float = 0.95) -> tuple[float, float]:
    """The exact two-sided interval of a share; (0, 1) of nothing."""
    tail = (1 - level) / 2
    low = _root(lambda p: 1 - _at_most(hits - 1, count, p) - tail) if hits else 0.0
    high = _root(lambda p: tail - _at_most(hits, count, p)) if hits < count else 1.0
    return low, high


def _shares(says_event: NDArray[np.bool_], says_none: NDArray[np.bool_]) -> dict[str, float]:
    """Shares of each set and their mean size."""
    if not says_event.size:
        return dict.fromkeys(("event", "none", "both", "neither", "mean_size"), float("nan"))
    return {
        "event": float((says_event & ~says_none).mean()),
        "none": float((says_none & ~says_event).mean()),
        "both": float((says_event & says_none).mean()),
        "neither": float((~says_event & ~says_none).mean()),
        "mean_size": float((says_event.astype(np.int64) + says_none).mean()),
    }


def _left_out(count: int, level: float, confidence: float | None) -> int:
    """The rank from the far end at which the threshold lies; 0 = no threshold keeps the promise.

    Coverage of a threshold at rank k is Beta(count + 1 - k, k), whose chance of being at least p is that of at most
    count - k hits of probability p in `count`.
    """
    if confidence is None:
        return int(np.floor((count + 1) * (1 - level) + 1e-9))
    ranks = np.arange(1, count + 1)
    kept = _cumulated(count, level)[count - ranks] >= confidence
    return int(ranks[kept].max()) if kept.any() else 0


def _cumulated(count: int, p: float) -> Floats:
    """Chances of at most 0, 1, ..., count hits (count + 1,)."""
    places = np.arange(1, count + 1)
    steps = np.log((count - places + 1) / places) + log(p) - log(1 - p)
    chance: Floats = np.exp(count * log(1 - p) + np.append(0.0, np.cumsum(steps)))
    return np.cumsum(chance)


def _at_most(hits: int, count: int, p: float) -> float:
    if p <= 0 or hits >= count:
        return 1.0
    return float(_cumulated(count, p)[hits]) if hits >= 0 and p < 1 else 0.0


def _root(rising: Any) -> float:
    """Where a rising function of a share crosses 0, by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
