"""Adaptive learning: new labels change a model, behind a gate that refuses a change which does worse.

New patients are split by name: on one part the members are weighed and calibrated anew, drawn towards what they were;
the kept-back part decides. A change is refused unless the 95 % interval of its gain, paired by patient, lies above
minus the tolerance for every figure, and some figure is better. What was decided, and why, is kept as JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.prints import prints
from vitruvian.prediction.cohorts.split import apart
from vitruvian.prediction.measure.figures import Judge
from vitruvian.prediction.measure.platt import sigmoid
from vitruvian.prediction.measure.resampling import DRAWS
from vitruvian.prediction.serve.bundle import VARIANTS, Bundle
from vitruvian.prediction.sites.decide import conformal_of, policy_of
from vitruvian.prediction.sites.drift import column_reference
from vitruvian.prediction.sites.rebuild import rebuilt
from vitruvian.prediction.sites.refit import joined, site_member
from vitruvian.prediction.sites.scoring import (
    Scored,
    moved_threshold,
    score_site,
    split_site,
    unseen,
)
from vitruvian.prediction.sites.threshold import threshold_for
from vitruvian.prediction.sites.weigh import Weighed, weigh
from vitruvian.prediction.tasks import Task, task

__all__ = ["TOLERANCE", "Decision", "decide", "update"]

LEARN_SHARE: Final = 0.5
SEED: Final = "update"
# How much worse a figure may be, at the far end of its interval, before a change is refused; Brier score: relative.
TOLERANCE: Final[dict[str, float]] = {"auroc": 0.005, "utility": 0.02, "event1": 0.02, "brier": 0.01}
BETTER_IF_LESS: Final = ("brier",)
BEFORE, AFTER = "before", "after"
Floats = NDArray[np.float64]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a change is `accepted`, why not (`reasons`), and the gain of each figure with its interval: positive is
    better, whatever the figure.
    """

    accepted: bool
    reasons: tuple[str, ...]
    gains: dict[str, dict[str, float]]


def decide(
    judge: Judge, before: tuple[Floats, float], after: tuple[Floats, float], tolerance: Mapping[str, float] = TOLERANCE
) -> tuple[Decision, list[dict[str, Any]]]:
    """Judge a change on kept-back patients: probabilities (N,) and threshold, before and after. Also the figures."""
    rows = [
        judge.figures(BEFORE, before[0], before[1], probability=True),
        judge.figures(AFTER, after[0], after[1], probability=True),
    ]
    difference = judge.difference(AFTER, BEFORE)
    gains, reasons = {}, []
    figures = ("auroc", "brier", "utility" if judge.task.decision == "utility" else "event1")
    for name in figures:
        sign = -1.0 if name in BETTER_IF_LESS else 1.0
        limit = tolerance[name] * (rows[0]["brier"] if name == "brier" else 1.0)
        gain, ends = sign * difference[name], sorted(sign * one for one in difference[f"{name}_95"])
        gains[name] = {"gain": gain, "low_95": ends[0], "high_95": ends[1], "tolerance": limit}
        if not ends[0] >= -limit:  # also where it is not a number
            reasons.append(f"{name} may be worse by {-ends[0]:.4f} (95 % limit), more than {limit:.4f}")
    if not any(one["gain"] > 0 for one in gains.values()):
        reasons.append("no figure is better")
    return Decision(not reasons, tuple(reasons), gains), rows


def update(
    bundle: Bundle,
    cohort: Cohort,
    out: Path,
    *,
    share: float = LEARN_SHARE,
    tolerance: Mapping[str, float] = TOLERANCE,
    draws: int = DRAWS,
    seed: str = SEED,
    refit: bool = False,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Learn from new labelled patients; write the changed bundle to `out` only where the gate lets it through.

    `refit`: also fit a member of the site's own on half of the patients to learn from (extra `train`). Returns the
    record of the decision. Raises ModelError where the new patients lack a class on either side, or are all known to
    the model; ConfigurationError for a share outside 0 to 1.
    """
    if not 0.0 < share < 1.0:
        raise ConfigurationError(f"found a share of {share:g}, expected one between 0 and 1, such as {LEARN_SHARE}")
    of = task(bundle.told["task"])
    fresh = unseen(bundle, cohort, say)
    learn, kept = split_site(fresh, share, seed)
    apart([fresh.ids[one] for one in learn], [fresh.ids[one] for one in kept])
    table, scored = score_site(bundle, fresh)
    served = str(bundle.told["serves"]).partition("/")[0]
    say(f"{learn.size:,} new patients to learn from, {kept.size:,} kept back for the gate")
    # A member alone has nothing to be weighed against, and changes only if it is the one that is served.
    changing = [name for name in scored if name in (*VARIANTS, served)]
    added, weighing = None, learn
    if refit:
        fitting, _ = split_site(fresh, share / 2, seed)  # the same hash: half of those to learn from
        weighing = np.setdiff1d(learn, fitting)
        with TemporaryDirectory() as work:
            added = site_member(bundle, fresh, table, fitting, Path(work))
        scored = {name: joined(one, added) for name, one in scored.items()}
    made = {name: _learned(of, fresh, weighing, scored[name]) for name in changing}
    part = fresh.of(kept)
    mine = np.isin(fresh.patient, kept)
    decisions, tables = {}, {}
    for name in made:
        one = scored[name]
        old, new = sigmoid(one.logit), sigmoid(made[name][0].logit(one.member_logit))
        fixed = threshold_for(old[mine & fresh.scored], one.policy)
        pair = (old[mine], fixed), (new[mine], float(made[name][1]["policy"]["threshold"]))
        decisions[name], tables[name] = decide(Judge(of, part, draws), *pair, tolerance)
    decision = decisions[served]
    say("accepted" if decision.accepted else f"refused: {'; '.join(decision.reasons)}")
    record = {
        "kind": "update",
        "task": of.name,
        "data": fresh.data,
        "simulated": fresh.simulated,
        "from_version": bundle.told["version"],
        "accepted": decision.accepted,
        "reasons": list(decision.reasons),
        "gains": decision.gains,
        "learned_from": int(learn.size),
        "refit": added.row["name"] if added is not None else None,
        "kept_back": int(kept.size),
        "variant": served,
        "weights": {name: one.as_json() for name, (one, _) in made.items()},
        "rows": tables[served],
    }
    if decision.accepted:
        # A variant that is not served is changed only where it passes by itself.
        variants = {name: made[name][1] for name, one in decisions.items() if one.accepted}
        new_bundle = rebuilt(bundle, out, variants, {}, _provenance(record), prints(fresh.of(learn)), added)
        record |= {"version": new_bundle.told["version"], "changed_variants": sorted(variants)}
    return record


def _provenance(record: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("kind", "data", "simulated", "from_version", "learned_from", "refit", "kept_back", "gains", "weights")
    return {name: record[name] for name in kept}


def _learned(of: Task, cohort: Cohort, learn: NDArray[np.int64], scored: Scored) -> tuple[Weighed, dict[str, Any]]:
    """The members of a variant weighed anew on the patients `learn`, and the variant as bundle.json has it."""
    rows = cohort.measured_rows(learn)
    found = weigh(scored, cohort.label[rows], cohort.patient[rows], rows)
    logit = found.logit(scored.member_logit)
    part, probability = cohort.of(learn), sigmoid(logit)[np.isin(cohort.patient, learn)]
    kept = {name: value for name, value in scored.told.items() if name != "curve"}
    variant = kept | {
        "members": found.members,
        "slope": found.slope,
        "intercept": found.intercept,
        "reference": column_reference(probability[part.scored]),
        "policy": policy_of(of, part, probability, moved_threshold(cohort, scored, logit)),
        "conformal": conformal_of(of, part, probability),
    }
    return found, variant
