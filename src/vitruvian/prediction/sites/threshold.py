"""Which probability is an alarm at a site whose outcomes nobody has labelled: a policy, and the scores seen there.

A policy is a JSON dict with `kind` and always `threshold`, the one chosen at the training site; it stands wherever too
few scores are there to adapt to.

    fixed        the training site's threshold
    alarm_rate   the quantile of the site's own scores above which the share `share` lies: as many alarms an hour as at
                 the training site. `weight` (0 to 1, default 1) mixes it with the fixed one, on the log-odds
    median       the threshold moves with the median log-odds of the site's scores; `middle` is the training site's, and
                 `most` (default 1) bounds the move; `weight` is the part of it that is made
    prevalence   the threshold moves with the share of outcomes, as the site's scores alone tell it (expectation-
                 maximisation; Saerens, Neural Comput 2002;14:21). `prevalence`: the training site's; `weight` as above

A quantile asks that patients at the site differ as those at the training site do; prevalence asks that the scores
mean the same within each class; the median asks that the bulk of hours, which are far from the outcome, differs by a
shift only. None holds for certain, so `low` and `high`, where given, bound what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.measure.platt import logit_of, sigmoid

__all__ = ["KINDS", "SCORES_MIN", "alarm_rate_policy", "checked", "prevalence_of", "threshold_for"]

KINDS: Final = ("fixed", "alarm_rate", "median", "prevalence")
SCORES_MIN: Final = 500  # fewer scores do not tell a tail
MOST_LOGIT: Final = 1.0  # sites whose medians lie further apart are not on one scale: recalibrate there
STEPS_MAX: Final = 200
_PREVALENCES: Final = (1e-4, 0.5)  # a share that is estimated is kept within these


def threshold_for(scores: NDArray[np.floating], policy: Mapping[str, Any]) -> float:
    """The threshold (alarm at or above) for a site with these probabilities (n,), NaN = not told; no labels are used.

    Raises ModelError for a policy that is not as described above.
    """
    kind, fixed = checked(policy)
    known = np.asarray(scores, np.float64)[np.isfinite(scores)]
    if kind == "fixed" or known.size < int(policy.get("scores_min", SCORES_MIN)):
        return fixed
    if kind == "alarm_rate":
        found = float(np.quantile(known, 1.0 - float(policy["share"])))
    elif kind == "median":
        found = _shifted(known, fixed, float(policy["middle"]), float(policy.get("most", MOST_LOGIT)))
    else:
        found = _moved(known, fixed, float(policy["prevalence"]))
    mixed = _mixed(fixed, found, float(policy.get("weight", 1.0)))
    return float(np.clip(mixed, float(policy.get("low", 0.0)), float(policy.get("high", 1.0))))


def alarm_rate_policy(scores: NDArray[np.floating], threshold: float, **more: float) -> dict[str, Any]:
    """The policy that alarms as often elsewhere as `threshold` does among these scores (n,) of the training site."""
    known = np.asarray(scores, np.float64)[np.isfinite(scores)]
    share = float((known >= threshold).mean()) if known.size else float("nan")
    policy = {"kind": "alarm_rate", "threshold": float(threshold), "share": share, **more}
    checked(policy)
    return policy


def checked(policy: Mapping[str, Any]) -> tuple[str, float]:
    """The kind and the fixed threshold of a policy. Raises ModelError where something is absent or out of range."""
    kind = policy.get("kind", "fixed")
    if kind not in KINDS:
        raise ModelError(f"found a policy of kind {kind!r}, expected one of {', '.join(KINDS)}; correct bundle.json")
    needed = {"fixed": (), "alarm_rate": ("share",), "median": (), "prevalence": ("prevalence",)}[kind]
    for name in ("threshold", *needed):
        value = policy.get(name)
        if not isinstance(value, int | float) or not 0.0 <= float(value) <= 1.0:
            raise ModelError(f"found {name} {value!r} in a policy of kind {kind}, expected a number from 0 to 1")
    if kind == "median" and not (
        isinstance(policy.get("middle"), int | float) and np.isfinite(policy["middle"]) and policy.get("most", 1.0) >= 0
    ):
        raise ModelError(
            f"found middle {policy.get('middle')!r} and most {policy.get('most')!r} in a policy of kind median,"
            " expected the training site's median log-odds and a bound of 0 or more; train the model again"
        )
    if not 0.0 <= float(policy.get("weight", 1.0)) <= 1.0:
        raise ModelError(f"found weight {policy['weight']!r} in a policy, expected a number from 0 to 1")
    return str(kind), float(policy["threshold"])


def prevalence_of(scores: NDArray[np.float64], trained: float) -> float:
    """The share of outcomes at a site, from probabilities (n,) calibrated where the share was `trained`."""
    share = trained
    for _ in range(STEPS_MAX):
        adapted = sigmoid(logit_of(scores) + _odds(share) - _odds(trained))
        following = float(np.clip(adapted.mean(), *_PREVALENCES))
        if abs(following - share) < 1e-9:
            break
        share = following
    return share


def _shifted(scores: NDArray[np.float64], fixed: float, middle: float, most: float) -> float:
    """The fixed threshold, moved as far as the median of the log-odds."""
    shift = float(np.clip(np.median(logit_of(scores)) - middle, -most, most))
    return float(sigmoid(logit_of(np.array([fixed])) + shift)[0])


def _moved(scores: NDArray[np.float64], fixed: float, trained: float) -> float:
    """The score whose probability under the site's own share is the fixed threshold."""
    trained = float(np.clip(trained, *_PREVALENCES))
    shift = _odds(prevalence_of(scores, trained)) - _odds(trained)
    return float(sigmoid(logit_of(np.array([fixed])) - shift)[0])


def _mixed(fixed: float, found: float, weight: float) -> float:
    both = logit_of(np.array([fixed, found]))
    return float(sigmoid(np.array([(1 - weight) * both[0] + weight * both[1]]))[0])


def _odds(share: float) -> float:
    return float(np.log(share / (1 - share)))
