"""The learned risks as they are shown: in a row, and in full with what moved them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
import numpy as np

from vitruvian import explanation as explained
from vitruvian.core.errors import NotFoundError
from vitruvian.core.time import HOUR_US
from vitruvian.explanation import Evidence, Issued, attributions_of, draft, risk_evidence
from vitruvian.explanation.subjects import subjects
from vitruvian.prediction.serve.columns import RiskColumns
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.tasks import Task
from vitruvian.service import build
from vitruvian.service.assess import Assessment, Assessor, Told
from vitruvian.service.models import MAIN, Loaded
from vitruvian.service.risk_views import Attribution, RiskCard, Trend
from vitruvian.service.views import RiskBrief
from vitruvian.signals.kernels import NEVER_US

ATTRIBUTIONS_MAX: Final = 5
DECIMALS: Final = 3  # of a probability, as shown and streamed: finer changes are no news
EARLIER_US: Final = 6 * HOUR_US
RECENT_US: Final = HOUR_US // 2
NOTHING_YET: Final = "nothing was measured yet"
NO_MODEL: Final = "no model of sepsis runs"
NOT_YET: Final = "not told yet"
FAULT: Final = "the model failed; the service's log says how"
NOT_VALIDATED: Final = "Not validated: no labelled data of real patients were there to measure it on."
SIMULATED: Final = "Trained on simulated patients."


def brief(found: Assessment, history: Iterable[tuple[int, float]], now_us: int) -> RiskBrief:
    """The main risk, of a row of the ward; `history` are the issued ones, oldest first."""
    spark, trend = _course(history, now_us)
    told = found.told()
    if told is None:
        return RiskBrief(None, insufficient=FAULT if MAIN in found.scored.by else NO_MODEL, spark=spark)
    if told.probability is None:
        return RiskBrief(None, insufficient=told.why, spark=spark)
    return RiskBrief(
        round(told.probability, DECIMALS),
        round(float(told.risks.low[told.at]), DECIMALS),
        round(float(told.risks.high[told.at]), DECIMALS),
        "",
        trend,
        found.driver,
        spark,
    )


def cards(assessor: Assessor, pid: int, now_us: int) -> list[RiskCard]:
    """Every task's risk in full, the main one first; `pid` may have none yet."""
    champions = assessor.models.running.champions
    order = sorted(champions, key=lambda task: task != MAIN)
    return [card(assessor, pid, champions[task], now_us) for task in order]


def card(assessor: Assessor, pid: int, loaded: Loaded, now_us: int) -> RiskCard:
    """One task's risk in full, by the model that told it."""
    task, found = loaded.predictor.task, assessor.latest.get(pid)
    told = found.told(task.name) if found else None
    predictor = told.predictor if told else loaded.predictor
    spark, trend = _course(assessor.points(task.name, pid), now_us)
    why = NOTHING_YET if found is None else FAULT if task.name in assessor.scoring.failed else NOT_YET
    figures = loaded.figures if predictor is loaded.predictor else {}
    frame = RiskCard(
        task.title, predictor.horizon_h, None, None, None, predictor.prevalence, why, predictor.version,
        told.now_us if told else 0, calibration=calibration_note(figures), task=task.name, about=about(task),
        validated=predictor.validated, notes=notes(predictor), spark=spark, served=predictor.served,
    )  # fmt: skip
    return frame if told is None else _filled(frame, assessor, pid, told, trend)


def _filled(frame: RiskCard, assessor: Assessor, pid: int, told: Told, trend: Trend) -> RiskCard:
    """The card with what was told."""
    risks, at, probability = told.risks, told.at, told.probability
    evidence = evidence_of(assessor, pid, told)
    why = told.why
    if why.startswith("too early"):
        why = f"{why}; so far {observed(assessor, pid, told.now_us)}"
    said = msgspec.structs.replace(
        frame,
        insufficient=why,
        sentence=draft(evidence).text,
        missing=tuple(fact.label or subjects(fact.name).label for fact in evidence.of_role("missing")),
    )
    if probability is None:
        return said
    several = len(risks.members) > 1
    return msgspec.structs.replace(
        said,
        probability=probability,
        low=float(risks.low[at]),
        high=float(risks.high[at]),
        attributions=tuple(
            Attribution(one.label, one.contribution, one.read)
            for one in _attributions(assessor, pid, told)[:ATTRIBUTIONS_MAX]
        ),
        trend=trend,
        explained=risks.explained if several or risks.explained not in risks.members else "",
        members=_members(risks, at) if several else {},
    )


def _members(risks: RiskColumns, at: int) -> Mapping[str, float]:
    """What each member says by itself."""
    return {
        name: round(float(value), DECIMALS)
        for name, value in zip(risks.members, risks.member_probability[at], strict=True)
    }


def evidence_of(assessor: Assessor, pid: int, told: Told, patient: str = "", zone: str = "UTC") -> Evidence:
    """The evidence of a patient's risk: what an explanation of it may speak of."""
    risks, at, predictor = told.risks, told.at, told.predictor
    task = predictor.task
    earlier = _earlier(assessor.points(task.name, pid), told.now_us)
    issued = Issued(
        task.name, predictor.horizon_h, told.now_us, told.probability, low=float(risks.low[at]),
        high=float(risks.high[at]), insufficient=told.why, earlier=earlier[1] if earlier else None,
        earlier_us=earlier[0] if earlier else None, about=about(task), usual=predictor.prevalence,
        model=predictor.version, notes=notes(predictor), validated=predictor.validated, simulated=predictor.simulated,
    )  # fmt: skip
    values = assessor.values(pid, predictor, told.now_us)
    return risk_evidence(issued, values, _added(risks, at), patient=patient, zone=zone)


def evidence_now(
    assessor: Assessor, pid: int, target: str, now_us: int, patient: str = "", zone: str = "UTC"
) -> Evidence:
    """The same of a target by its name; of one that is not told, only why. Raises NotFoundError where no model of it
    runs.
    """
    loaded = assessor.models.running.champions.get(target)
    if loaded is None:
        known = ", ".join(assessor.models.running.champions) or "none"
        raise NotFoundError(f"found no model of {target[:64]!r}, expected one of those that run: {known}")
    found = assessor.latest.get(pid)
    told = found.told(target) if found else None
    if told is not None:
        return evidence_of(assessor, pid, told, patient, zone)
    shown = card(assessor, pid, loaded, now_us)
    silent = Issued(
        target, shown.horizon_h, now_us, None, insufficient=shown.insufficient, about=shown.about, model=shown.model
    )
    return risk_evidence(silent, {}, None, patient=patient, zone=zone)


def _attributions(assessor: Assessor, pid: int, told: Told) -> tuple[explained.Attribution, ...]:
    values = assessor.values(pid, told.predictor, told.now_us)
    return attributions_of(values, _added(told.risks, told.at))


def _added(risks: RiskColumns, at: int) -> dict[str, float] | None:
    """What each feature adds, where the model can say."""
    return dict(zip(risks.names, risks.contributions[at].tolist(), strict=True)) if risks.names else None


def about(task: Task) -> str:
    """The outcome as it reads in a sentence: `death in hospital`."""
    words = task.title.split(",", maxsplit=1)[0]
    return words[0].lower() + words[1:]


def observed(assessor: Assessor, pid: int, now_us: int) -> str:
    """For how long a patient has been observed, in words."""
    first_us = assessor.first_us(pid)
    return "nothing" if first_us == NEVER_US else f"{max(now_us - first_us, 0) / HOUR_US:.0f} h"


def notes(predictor: Predictor) -> tuple[str, ...]:
    """What must be said wherever this model's risk is shown."""
    task = predictor.task
    said = [NOT_VALIDATED] if not predictor.validated else []
    said += [SIMULATED] if predictor.simulated else []
    if task.at_h is not None:
        said.append(f"Measured on what was known at {task.at_h:g} h; later it reads what is known now.")
    return tuple(said)


def _course(history: Iterable[tuple[int, float]], now_us: int) -> tuple[tuple[int | None, ...], Trend]:
    """Sparkline and trend of what was issued."""
    points = list(history)
    at_us = np.array([point[0] for point in points], np.int64)
    past = np.array([point[1] for point in points], np.float64)
    return build.spark(at_us, past, now_us), build.trend(at_us, past, now_us)


def _earlier(history: Iterable[tuple[int, float]], now_us: int) -> tuple[int, float] | None:
    """What was issued about six hours ago, or the oldest since then; nothing where that is hardly past."""
    return next((point for point in history if now_us - EARLIER_US <= point[0] < now_us - RECENT_US), None)


def calibration_note(figures: Mapping[str, object]) -> str:
    """How far the probability can be trusted, in one sentence of measured figures."""
    slope, auroc = figures.get("calibration_slope"), figures.get("auroc")
    if not isinstance(slope, int | float) or not isinstance(auroc, int | float):
        return "Not evaluated on held-out patients."
    return (
        f"In held-out patients of the data it was trained on: calibration slope {slope:.2f} (1 is exact), AUROC"
        f" {auroc:.2f}. Another hospital may differ."
    )
