"""The learned risks as they are shown: in a row, and in full with what moved them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from vitruvian.core.time import HOUR_US
from vitruvian.explanation import Evidence, Issued, explain_risk
from vitruvian.prediction.serve.columns import RiskColumns
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.tasks import Task
from vitruvian.service import build
from vitruvian.service.assess import Assessment, Assessor
from vitruvian.service.models import MAIN, Loaded
from vitruvian.service.views import Attribution, RiskBrief, RiskCard, Trend
from vitruvian.signals.kernels import NEVER_US

ATTRIBUTIONS_MAX: Final = 5
DECIMALS: Final = 3  # of a probability, as shown and streamed: finer changes are no news
EARLIER_US: Final = 6 * HOUR_US
RECENT_US: Final = HOUR_US // 2
NOTHING_YET: Final = "nothing was measured yet"
NO_MODEL: Final = "no model of sepsis runs"
FAULT: Final = "the model failed; the service's log says how"
NOT_VALIDATED: Final = "Not validated: no labelled data of real patients were there to measure it on."
SIMULATED: Final = "Trained on simulated patients."


def brief(found: Assessment, history: Iterable[tuple[int, float]], now_us: int) -> RiskBrief:
    """The main risk, of a row of the ward; `history` are the issued ones, oldest first."""
    spark, trend = _course(history, now_us)
    risks, probability = found.scored.risks.get(MAIN), found.probability
    if risks is None:
        return RiskBrief(None, insufficient=FAULT if MAIN in found.scored.by else NO_MODEL, spark=spark)
    if probability is None:
        return RiskBrief(None, insufficient=risks.why(found.at), spark=spark)
    return RiskBrief(
        round(probability, DECIMALS),
        round(float(risks.low[found.at]), DECIMALS),
        round(float(risks.high[found.at]), DECIMALS),
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
    risks = found.scored.risks.get(task.name) if found else None
    predictor = found.scored.by.get(task.name, loaded.predictor) if found else loaded.predictor
    spark, trend = _course(assessor.points(task.name, pid), now_us)
    of = loaded if predictor is loaded.predictor else None
    told = RiskCard(
        task.title, predictor.horizon_h, None, None, None, predictor.prevalence,
        NOTHING_YET if found is None else FAULT, predictor.version, found.now_us if found else 0,
        calibration=calibration_note(of.figures if of else {}), task=task.name, about=about(task),
        validated=predictor.validated, notes=notes(predictor), trend=trend, spark=spark, served=predictor.served,
    )  # fmt: skip
    if found is None or risks is None:
        return told
    return _told(told, assessor, pid, found, risks, predictor)


def _told(
    card: RiskCard, assessor: Assessor, pid: int, found: Assessment, risks: RiskColumns, predictor: Predictor
) -> RiskCard:
    """The card with what was found."""
    evidence = explain(assessor, pid, found, risks, predictor)
    at, probability = found.at, found.probability_of(card.task)
    shown = probability is not None
    attributions = tuple(
        Attribution(one.label, one.contribution, one.read) for one in evidence.attributions[:ATTRIBUTIONS_MAX]
    )
    why = risks.why(at)
    if why.startswith("too early"):
        why = f"{why}; so far {observed(assessor, pid, found.now_us)}"
    return RiskCard(
        card.target, card.horizon_h, probability, float(risks.low[at]) if shown else None,
        float(risks.high[at]) if shown else None, card.baseline, why, card.model, found.now_us,
        calibration=card.calibration, sentence=evidence.text, missing=evidence.missing,
        attributions=attributions if shown else (), task=card.task, about=card.about, validated=card.validated,
        notes=card.notes, trend=card.trend if shown else "", spark=card.spark, served=card.served,
        explained=risks.explained if len(risks.members) > 1 or risks.explained not in risks.members else "",
        members=_members(risks, at) if shown and len(risks.members) > 1 else {},
    )  # fmt: skip


def _members(risks: RiskColumns, at: int) -> Mapping[str, float]:
    """What each member says by itself."""
    return {
        name: round(float(value), DECIMALS)
        for name, value in zip(risks.members, risks.member_probability[at], strict=True)
    }


def explain(assessor: Assessor, pid: int, found: Assessment, risks: RiskColumns, predictor: Predictor) -> Evidence:
    """The evidence of a patient's latest risk: facts, sentences that cite them, attributions."""
    at, task = found.at, predictor.task
    earlier = _earlier(assessor.points(task.name, pid), found.now_us)
    issued = Issued(
        task.name,
        predictor.horizon_h,
        found.now_us,
        found.probability_of(task.name),
        low=float(risks.low[at]),
        high=float(risks.high[at]),
        insufficient=risks.why(at),
        earlier=earlier[1] if earlier else None,
        earlier_us=earlier[0] if earlier else None,
        about=about(task),
    )
    added = dict(zip(risks.names, risks.contributions[at].tolist(), strict=True)) if risks.names else None
    return explain_risk(issued, assessor.values(pid, predictor, found.now_us), added)


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
