"""Bring a model to another site: recalibrate on a little labelled data, and say what that gave on everybody else.

The table sets side by side, on patients of the site that nothing was fitted on: the model as it came (zero-shot), the
same with the threshold that its policy finds without labels, and the recalibrated one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError, ModelError
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.prints import prints
from vitruvian.prediction.measure.figures import Judge
from vitruvian.prediction.measure.platt import sigmoid
from vitruvian.prediction.measure.resampling import DRAWS
from vitruvian.prediction.serve.bundle import VARIANTS, Bundle
from vitruvian.prediction.sites.decide import conformal_of, policy_of
from vitruvian.prediction.sites.drift import column_reference
from vitruvian.prediction.sites.lines import Method, SiteLine, fit_site
from vitruvian.prediction.sites.rebuild import rebuilt, with_line
from vitruvian.prediction.sites.scoring import (
    Scored,
    moved_threshold,
    score_site,
    split_site,
    unseen,
)
from vitruvian.prediction.sites.threshold import threshold_for
from vitruvian.prediction.tasks import Task, task

__all__ = ["SHARE", "ZERO_SHOT", "recalibrate", "recalibrated"]

SHARE: Final = 0.05
SEED: Final = "another-site"
ZERO_SHOT, WITHOUT_LABELS, RECALIBRATED = "zero-shot", "zero-shot, threshold adapted", "recalibrated"
Floats = NDArray[np.float64]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A variant at the site: its line, the new `variant` of bundle.json, and the log-odds (N,) it now gives."""

    line: SiteLine
    variant: dict[str, Any]
    logit: Floats


def recalibrate(
    bundle: Bundle,
    cohort: Cohort,
    out: Path,
    *,
    share: float = SHARE,
    method: Method | None = None,
    draws: int = DRAWS,
    seed: str = SEED,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Recalibrate on a share of a site's labelled patients, write the new bundle to `out`, and measure on the others.

    `method` None chooses by how many patients with the outcome there are (`lines.EVENTS_MIN`). Returns what
    `recalibration.json` holds. Raises ModelError where a part has no patient of a class, ConfigurationError for a
    share that leaves none, or a folder that is not empty.
    """
    if not 0.0 < share < 1.0:
        raise ConfigurationError(f"found a share of {share:g}, expected one between 0 and 1, such as {SHARE}")
    of = task(bundle.told["task"])
    fresh = unseen(bundle, cohort, say)
    learn, rest = split_site(fresh, share, seed)
    _, scored = score_site(bundle, fresh)
    say(f"{learn.size:,} patients to recalibrate on, {rest.size:,} to measure on")
    member_lines = _member_lines(fresh, learn, scored, method)
    fitted = {name: recalibrated(of, fresh, learn, one, member_lines, method) for name, one in scored.items()}
    provenance = {
        "kind": "recalibration",
        "data": fresh.data,
        "simulated": fresh.simulated,
        "from_version": bundle.told["version"],
        "share": share,
        "patients": int(learn.size),
        "lines": {name: one.line.as_json() for name, one in fitted.items()},
    }
    variants = {name: one.variant for name, one in fitted.items()}
    made = rebuilt(bundle, out, variants, member_lines, provenance, prints(fresh.of(learn)))
    served = str(bundle.told["serves"]).partition("/")[0]
    told = {
        "task": of.name,
        "model": bundle.told["version"],
        "recalibrated_model": made.told["version"],
        **provenance,
        "variant": served,
        "method": fitted[served].line.method,
        "measured_on": int(rest.size),
    }
    shown = [name for name in scored if name in (*VARIANTS, served)]  # members alone are recalibrated, and not measured
    return told | {"variants": {name: _table(of, fresh, rest, scored[name], fitted[name], draws) for name in shown}}


def recalibrated(
    of: Task,
    cohort: Cohort,
    learn: NDArray[np.int64],
    scored: Scored,
    member_lines: Mapping[str, SiteLine],
    method: Method | None,
) -> Fitted:
    """One variant fitted on the patients `learn` of a cohort, its threshold and conformal thresholds with it."""
    moved = np.column_stack(
        [member_lines[name].of(scored.member_logit[:, place]) for place, name in enumerate(scored.members)]
    )
    before = scored.slope * (moved @ scored.weights) + scored.intercept
    rows = cohort.measured_rows(learn)
    line = fit_site(before[rows], cohort.label[rows], cohort.patient[rows], method)
    logit = line.of(before)
    variant = with_line(scored.told, line)
    part, probability = _part(cohort, learn, sigmoid(logit))
    variant["reference"] = column_reference(probability[part.scored])
    variant["policy"] = policy_of(of, part, probability, moved_threshold(cohort, scored, logit))
    variant["conformal"] = conformal_of(of, part, probability)
    return Fitted(line, variant, logit)


def _member_lines(
    cohort: Cohort, learn: NDArray[np.int64], scored: Mapping[str, Scored], method: Method | None
) -> dict[str, SiteLine]:
    """A line for every member, so that each can still be served alone; never a curve."""
    rows = cohort.measured_rows(learn)
    if not cohort.label[rows].any() or cohort.label[rows].all():
        raise ModelError(
            f"found {rows.size} labelled rows of one kind to recalibrate on, expected both; give more patients, or a"
            " larger share"
        )
    lines: dict[str, SiteLine] = {}
    kept = "platt" if method == "isotonic" else method
    for one in scored.values():
        for place, name in enumerate(one.members):
            if name not in lines:
                mine = one.member_logit[rows, place]
                lines[name] = fit_site(mine, cohort.label[rows], cohort.patient[rows], kept)
    return lines


def _part(cohort: Cohort, patients: NDArray[np.int64], column: Floats) -> tuple[Cohort, Floats]:
    """The cohort of some patients, and their rows of a column."""
    return cohort.of(patients), column[np.isin(cohort.patient, patients)]


def _table(
    of: Task, cohort: Cohort, rest: NDArray[np.int64], scored: Scored, fitted: Fitted, draws: int
) -> dict[str, Any]:
    """Zero-shot against recalibrated, on patients that nothing was fitted on, with the paired differences."""
    part, before = _part(cohort, rest, sigmoid(scored.logit))
    _, after = _part(cohort, rest, sigmoid(fitted.logit))
    judge = Judge(of, part, draws)
    fixed = float(scored.policy["threshold"])
    without = threshold_for(before[part.scored], scored.policy)
    rows = [
        judge.figures(ZERO_SHOT, before, fixed, probability=True),
        judge.figures(WITHOUT_LABELS, before, without, probability=True),
        judge.figures(RECALIBRATED, after, float(fitted.variant["policy"]["threshold"]), probability=True),
    ]
    differences = [judge.difference(RECALIBRATED, ZERO_SHOT), judge.difference(RECALIBRATED, WITHOUT_LABELS)]
    return {"patients_with_outcome": int(judge.rows.event.sum()), "rows": rows, "differences": differences}
