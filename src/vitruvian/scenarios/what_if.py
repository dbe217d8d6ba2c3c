"""What if? A patient's ensemble is run twice, with and without a scenario, and the runs are compared member by member.

The same members, and so the same random numbers, are in both arms: what is uncertain of the patient in the same way in
both cancels in the difference. The ensemble that was believed before any data runs beside them, so that each difference
can say how much of it the patient's data have decided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.actions import find, schedule
from vitruvian.physiology.base import Model
from vitruvian.physiology.engine import drive
from vitruvian.physiology.implicit import implicit
from vitruvian.physiology.run import Schedule, held, run
from vitruvian.physiology.simulate import beyond
from vitruvian.physiology.trajectories import Trajectories
from vitruvian.scenarios.edits import Members, apply_edits
from vitruvian.scenarios.effects import Effect, effects_of
from vitruvian.scenarios.learned import RiskModels
from vitruvian.scenarios.ports import Posterior, Signals
from vitruvian.scenarios.risks import Arm, RiskEffect, rerun
from vitruvian.scenarios.scenario import Scenario

__all__ = ["WhatIf", "what_if"]

POINTS: Final = 72  # in time, at most
EVERY_S_MIN: Final = 10.0
LOOSER: Final = 3.0  # than the model's own tolerance: what it costs in accuracy, benchmarks/what_if.py records
PRIOR_MEMBERS: Final = 24
STEPS_MAX: Final = 20_000  # of a member: one that needs more has failed, and holds nobody up
LOST_MEMBERS_MAX: Final = 0.2  # share of the members whose run may fail
Floats = NDArray[np.float64]
Standing = Literal["answered", "outside"]


@dataclass(frozen=True)
class WhatIf:
    """The answer. Where `outside` is not empty it says why there is none, and everything else is empty.

    `baseline` and `changed` have the same members at the same times, `difference` is changed less baseline; `effects`
    sums it up for each output. `notes` say what the answer rests on and what it could not do.
    """

    scenario: Scenario
    at_us: int
    baseline: Trajectories | None = None
    changed: Trajectories | None = None
    difference: Trajectories | None = None
    effects: tuple[Effect, ...] = ()
    risks: tuple[RiskEffect, ...] = ()
    outside: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def standing(self) -> Standing:
        """Whether there is an answer."""
        return "outside" if self.outside else "answered"


@dataclass(frozen=True)
class _Pair:
    """Members without and with the edits, and what each does."""

    now: Members
    edited: Members
    plan: Schedule


def what_if(
    posterior: Posterior,
    scenario: Scenario,
    *,
    outputs: Sequence[str] | None = None,
    risk_models: RiskModels | None = None,
    signals: Signals | None = None,
) -> WhatIf:
    """What the scenario would change in this patient, from now on.

    `outputs` are the model's (by default those the vocabulary knows). With `risk_models` and `signals`, scores and
    learned risks are computed again from both arms. Out of the model's domain the answer says so. Raises ModelError,
    UnitError, VocabularyError or NotFoundError for a scenario that makes no sense to this model.
    """
    model = posterior.model
    names = [one.name for one in model.outputs if one.name in VOCABULARY] if outputs is None else list(outputs)
    for action in scenario.actions:
        find(model, action.name)  # an unknown intervention is a mistake, not a question outside the domain
    reasons = _not_answerable(posterior)
    if reasons:
        return WhatIf(scenario, posterior.at_us, outside=reasons)
    try:
        mine, believed = _pairs(posterior, scenario)
    except ModelError as error:
        return WhatIf(scenario, posterior.at_us, outside=(str(error),))
    arms, failed = _run(model, posterior.u, mine, believed, scenario.horizon_s)
    members = len(mine.now.states)
    if failed > LOST_MEMBERS_MAX * members:
        said = f"{failed} of {members} members of the ensemble cannot be followed there: the body is outside its domain"
        return WhatIf(scenario, posterior.at_us, outside=(said,))
    beyond_belief = _beyond(model, arms[0], arms[1])
    if beyond_belief:
        return WhatIf(scenario, posterior.at_us, outside=beyond_belief)
    baseline, changed, prior, prior_changed = (one.select(names) for one in arms)
    risks: tuple[RiskEffect, ...] = ()
    if risk_models is not None and signals is not None:
        every = (arms[0], arms[1])
        risks = rerun(
            risk_models, signals, posterior.at_us, Arm(every[0], held(posterior.u), mine.now),
            Arm(every[1], mine.plan, mine.edited), model, scenario,
        )  # fmt: skip
    notes = (*_standing_notes(posterior), *mine.edited.notes)
    if failed:
        notes += (f"{failed} of {members} members could not be followed and are left out.",)
    return WhatIf(
        scenario,
        posterior.at_us,
        baseline,
        changed,
        changed - baseline,
        effects_of(baseline, changed, prior, prior_changed),
        risks,
        notes=notes + _implausible(changed),
    )


def _beyond(model: Model, baseline: Trajectories, changed: Trajectories) -> tuple[str, ...]:
    """Why the scenario ends where no model should be believed; not what is so without it already."""
    before = {one.split(" on ", 1)[1].split(" is ")[0] for one in beyond(model, baseline.times_s, baseline.values)}
    found = beyond(model, changed.times_s, changed.values)
    return tuple(one for one in found if one.split(" on ", 1)[1].split(" is ")[0] not in before)


def _not_answerable(posterior: Posterior) -> tuple[str, ...]:
    model = posterior.model
    reason = model.domain(posterior.person) if model.domain is not None else ""
    if reason:
        return (f"{model.title}: outside its domain: {reason}",)
    if posterior.status in ("lost", "outside"):
        return (posterior.reason or f"the body is {posterior.status}",)
    return ()


def _standing_notes(posterior: Posterior) -> tuple[str, ...]:
    if posterior.status == "learning":
        return (f"The body is still learning this patient: {posterior.reason or 'few data so far'}.",)
    if posterior.status in ("strained", "blind"):
        return (f"The body follows this patient with strain. {posterior.reason}",)
    return ()


def _pairs(posterior: Posterior, scenario: Scenario) -> tuple[_Pair, _Pair]:
    model, u = posterior.model, posterior.u
    mine = Members(posterior.person, posterior.states, posterior.parameters)
    every = Members(posterior.person, posterior.prior_states, posterior.prior)
    kept = slice(0, min(len(posterior.prior), PRIOR_MEMBERS))
    believed = Members(posterior.person, posterior.prior_states[kept], posterior.prior[kept])
    pairs = []
    for now in (mine, believed):
        edited = apply_edits(model, now, scenario.edits, u, every) if scenario.edits else now
        typical = np.median(edited.parameters, axis=0)
        plan = schedule(model, scenario.actions, p=typical, weight_kg=edited.person.weight_kg, base=u)
        pairs.append(_Pair(now, edited, plan))
    return pairs[0], pairs[1]


def _run(
    model: Model, u: Floats, mine: _Pair, believed: _Pair, horizon_s: float
) -> tuple[tuple[Trajectories, Trajectories, Trajectories, Trajectories], int]:
    """Baseline and scenario of the posterior and of the prior, all in one call; how many members failed."""
    every_s = max(EVERY_S_MIN, horizon_s / POINTS)
    times_s = np.append(np.arange(0.0, horizon_s - 1e-6, every_s), horizon_s)
    parts = (mine.now, mine.edited, believed.now, believed.edited)
    arm = np.repeat(np.array([0, 1, 0, 2]), [len(one.states) for one in parts])
    done = run(
        implicit(model),
        np.concatenate([one.states for one in parts]),
        np.concatenate([one.parameters for one in parts]),
        0.0,
        float(times_s[-1]) / model.seconds,
        times_s / model.seconds,
        [held(u), mine.plan, believed.plan],
        arm,
        rtol=LOOSER * model.rtol,
        steps_max=STEPS_MAX,
    )
    fine = (done.status == drive.OK) & np.isfinite(done.outputs).all(axis=(1, 2))
    ends = np.cumsum([0, *(len(one.states) for one in parts)])
    pieces = [slice(ends[i], ends[i + 1]) for i in range(4)]
    both, prior_both = fine[pieces[0]] & fine[pieces[1]], fine[pieces[2]] & fine[pieces[3]]
    about = {"model": model.name, "title": model.title, "horizon_s": horizon_s}
    made = tuple(
        Trajectories(model.outputs, times_s, done.outputs[piece][kept], about)
        for piece, kept in zip(pieces, (both, both, prior_both, prior_both), strict=True)
    )
    return (made[0], made[1], made[2], made[3]), int((~both).sum())


def _implausible(changed: Trajectories) -> tuple[str, ...]:
    """Outputs that leave what is possible in a person in a good part of the members."""
    notes = []
    for name in changed.names:
        low, high = VOCABULARY[name].plausible if name in VOCABULARY else (-np.inf, np.inf)
        values = changed.of(name)
        share = float(((values < low) | (values > high)).any(axis=1).mean()) if len(values) else 0.0
        if share > LOST_MEMBERS_MAX:
            notes.append(
                f"{VOCABULARY[name].display}: {100 * share:.0f} % of the members leave what is possible in a person "
                f"({low:g} to {high:g} {VOCABULARY[name].unit}); do not rely on it."
            )
    return tuple(notes)
