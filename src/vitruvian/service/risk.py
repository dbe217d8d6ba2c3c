"""The learned risk as it is shown: in a row, and in full with what moved it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.service import build
from vitruvian.service.assess import Assessment, Assessor
from vitruvian.service.views import Attribution, RiskBrief, RiskCard

ATTRIBUTIONS_MAX: Final = 5
TARGET: Final = "Sepsis"
DECIMALS: Final = 3  # of a probability, as shown and streamed: finer changes are no news


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
        _driver(found),
        spark,
    )


def card(assessor: Assessor, pid: int) -> RiskCard:
    """The risk in full; `pid` may have none yet."""
    model = assessor.model
    found = assessor.latest.get(pid)
    if found is None:
        return RiskCard(
            TARGET, model.horizon_h, None, None, None, model.prevalence, "nothing was measured yet", model.version, 0
        )
    told = explain(assessor, pid, found)
    shown = found.probability is not None
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
        calibration=calibration_note(model.card),
        sentence=told.text,
        missing=told.missing,
        attributions=told.attributions,
    )


def calibration_note(card_: Mapping[str, Any]) -> str:
    """What is known of how far the probability can be trusted, in one sentence."""
    return str(card_.get("calibration_note", ""))


def concept_of(feature: str) -> str:
    """The concept a feature is made from: the longest name of the vocabulary that begins it; empty for none."""
    parts = feature.split("_")
    for end in range(len(parts), 0, -1):
        name = "_".join(parts[:end])
        if name in VOCABULARY:
            return name
    return ""


class Told(NamedTuple):
    """A risk in words."""

    text: str
    missing: tuple[str, ...]
    attributions: tuple[Attribution, ...]


def by_concept(found: Assessment) -> list[tuple[str, float]]:
    """What each concept adds to the log-odds, its features together, the strongest first."""
    sums: dict[str, float] = {}
    for name, value in zip(found.risks.names, found.risks.contributions[found.at].tolist(), strict=True):
        concept = concept_of(name) or name
        sums[concept] = sums.get(concept, 0.0) + value
    return sorted(sums.items(), key=lambda item: -abs(item[1]))


def label(concept: str) -> str:
    """What a person calls it."""
    known = VOCABULARY.get(concept)
    return known.display if known else concept.replace("_", " ")


def _driver(found: Assessment) -> str:
    return next((label(name) for name, value in by_concept(found) if value > 0), "")


def explain(assessor: Assessor, pid: int, found: Assessment) -> Told:
    """The risk of a patient in words; nothing where there is none."""
    if found.probability is None:
        return Told("", (), ())
    told = [Attribution(label(name), value) for name, value in by_concept(found)[:ATTRIBUTIONS_MAX]]
    return Told(
        "Associated most with: " + ", ".join(item.label for item in told if item.contribution > 0), (), tuple(told)
    )
