"""What moved a risk, in full: every input of every member that is served, adding up to the model's own log-odds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import NotFoundError
from vitruvian.explanation import Subject, subject_of, subjects
from vitruvian.prediction.reasons.attribute import attribute
from vitruvian.prediction.reasons.base import HOURLY, MISSING, Attributions
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.service.risk_views import Attribution, ReasonsView

__all__ = ["reasons_view"]

LEAST: Final = 0.005  # log-odds; what adds less is summed up in one line
Columns = NDArray[np.float32]


def reasons_view(
    patient: str, predictor: Predictor, values: Columns, window: Columns | None, now_us: int, why: str
) -> ReasonsView:
    """The reasons of one patient's risk now: features (1, len(needed)) as the predictor needs them, and their hours.

    `why` nothing may be said, where that is so: then there are no reasons either, and NotFoundError says so.
    """
    if why:
        raise NotFoundError(f"found no risk to explain ({why}), expected one; see the patient's page")
    found = attribute(predictor, values, predictor.needed, window)
    probability = float(predictor.score(values, predictor.needed, window, explain=False).probability[0])
    read = dict(zip(predictor.needed, values[0].tolist(), strict=True))
    rows = _rows(found, read)
    large = [one for one in rows if abs(one.contribution) >= LEAST]
    rest = sum(one.contribution for one in rows if abs(one.contribution) < LEAST)
    return ReasonsView(
        patient, predictor.task.name, predictor.task.title, predictor.version, predictor.served,
        tuple(member.name for member in predictor.members), now_us, probability, float(found.logit[0]),
        float(found.base[0]), tuple(large), rest + float(found.residual[0]), len(rows) - len(large),
    )  # fmt: skip


def _rows(found: Attributions, read: Mapping[str, float]) -> list[Attribution]:
    """By what they are about, the largest first."""
    summed: dict[str, float] = {}
    for name, part in zip(found.names, found.contributions[0].tolist(), strict=True):
        about = name if name.startswith(HOURLY) or name == MISSING else subject_of(name)
        summed[about] = summed.get(about, 0.0) + part
    ranked = sorted(summed.items(), key=lambda item: (-abs(item[1]), item[0]))
    return [_row(about, part, read) for about, part in ranked]


def _row(about: str, part: float, read: Mapping[str, float]) -> Attribution:
    if about == MISSING:
        return Attribution("what is missing, taken together", part)
    if about.startswith(HOURLY):
        return Attribution(f"{subjects(about.removeprefix(HOURLY)).label}, hour by hour", part)
    subject = subjects(about)
    return Attribution(subject.label, part, _shown(subject, read.get(about, math.nan), known=about in read))


def _shown(subject: Subject, value: float, *, known: bool) -> str:
    if math.isnan(value):
        return "missing" if known else ""
    if subject.name == "male":
        return "male" if value > 0.5 else "female"
    return subject.show(value)
