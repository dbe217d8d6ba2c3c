"""The learned risk as it is shown: in a row, and in full with what moved it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np

from vitruvian.core.time import HOUR_US
from vitruvian.explanation import Evidence, Issued, explain_risk
from vitruvian.service import build
from vitruvian.service.assess import Assessment, Assessor
from vitruvian.service.views import Attribution, RiskBrief, RiskCard
from vitruvian.signals.features import FEATURES

ATTRIBUTIONS_MAX: Final = 5
TARGET: Final = "Sepsis"
DECIMALS: Final = 3  # of a probability, as shown and streamed: finer changes are no news
EARLIER_US: Final = 6 * HOUR_US
RECENT_US: Final = HOUR_US // 2
NOTHING_YET: Final = "nothing was measured yet"


def brief(found: Assessment, history: Iterable[tuple[int, float]], now_us: int) -> RiskBrief:
    """The risk of a row of the ward; `history` are the issued ones, oldest first."""
    points = list(history)
    at_us = np.array([point[0] for point in points], np.int64)
    past = np.array([point[1] for point in points], np.float64)
    spark = build.spark(at_us, past, now_us)
    probability = found.probability
    if probability is None:
        return RiskBrief(None, insufficient=found.risks.why(found.at), spark=spark)
    return RiskBrief(
        round(probability, DECIMALS),
        round(float(found.risks.low[found.at]), DECIMALS),
        round(float(found.risks.high[found.at]), DECIMALS),
        "",
        build.trend(at_us, past, now_us),
        found.driver,
        spark,
    )


def card(assessor: Assessor, pid: int) -> RiskCard:
    """The risk in full; `pid` may have none yet."""
    model = assessor.model
    found = assessor.latest.get(pid)
    if found is None:
        return RiskCard(TARGET, model.horizon_h, None, None, None, model.prevalence, NOTHING_YET, model.version, 0)
    evidence = explain(assessor, pid, found)
    shown = found.probability is not None
    attributions = tuple(
        Attribution(one.label, one.contribution, one.read) for one in evidence.attributions[:ATTRIBUTIONS_MAX]
    )
    return RiskCard(
        TARGET,
        model.horizon_h,
        found.probability,
        float(found.risks.low[found.at]) if shown else None,
        float(found.risks.high[found.at]) if shown else None,
        model.prevalence,
        found.risks.why(found.at),
        model.version,
        found.now_us,
        calibration=calibration_note(assessor),
        sentence=evidence.text,
        missing=evidence.missing,
        attributions=attributions if shown else (),
    )


def explain(assessor: Assessor, pid: int, found: Assessment) -> Evidence:
    """The evidence of a patient's latest risk: facts, sentences that cite them, attributions."""
    risks, at = found.risks, found.at
    values = dict(zip(FEATURES, assessor.features(np.array([pid]), found.now_us)[0].tolist(), strict=True))
    earlier = _earlier(assessor.history.get(pid, ()), found.now_us)
    issued = Issued(
        "sepsis",
        assessor.model.horizon_h,
        found.now_us,
        found.probability,
        low=float(risks.low[at]),
        high=float(risks.high[at]),
        insufficient=risks.why(at),
        earlier=earlier[1] if earlier else None,
        earlier_us=earlier[0] if earlier else None,
    )
    return explain_risk(issued, values, dict(zip(risks.names, risks.contributions[at].tolist(), strict=True)))


def _earlier(history: Iterable[tuple[int, float]], now_us: int) -> tuple[int, float] | None:
    """What was issued about six hours ago, or the oldest since then; nothing where that is hardly past."""
    return next((point for point in history if now_us - EARLIER_US <= point[0] < now_us - RECENT_US), None)


def calibration_note(assessor: Assessor) -> str:
    """How far the probability can be trusted, in one sentence of measured figures."""
    told = assessor.model.card.get("evaluation")
    if not told:
        return "Not evaluated on held-out patients."
    return (
        f"In held-out patients of the data it was trained on: calibration slope {told['calibration_slope']:.2f}"
        f" (1 is exact), AUROC {told['auroc']:.2f}. Another hospital may differ."
    )
