"""How a learned risk is written on its card, and on the page of its reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from vitruvian.dashboard.present import TREND_ARROW, insufficient_text, percent, round_half_up
from vitruvian.service.risk_views import Attribution, RiskCard

MEMBERS: Final = {
    "logistic": "logistic regression",
    "forest": "random forest",
    "lightgbm": "LightGBM",
    "lstm": "LSTM",
    "gru": "GRU",
    "tcn": "TCN",
}


def why_no_risk(risk: RiskCard) -> str:
    """Why a card has no risk, in full."""
    reason = risk.insufficient
    return reason if reason.startswith(("too early", "outside", "the model")) else insufficient_text(reason)


def until(risk: RiskCard) -> str:
    """By when the outcome is meant."""
    return "to the end of the stay in hospital" if risk.horizon_h is None else f"within {risk.horizon_h:g} h"


def trend_text(risk: RiskCard) -> str:
    """Where a risk is going, in words; so that nobody needs the line."""
    return f"{TREND_ARROW[risk.trend]} {risk.trend} over the last hours" if risk.trend else "no trend yet"


def any_spark(points: Sequence[int | None]) -> bool:
    """Whether anything was issued."""
    return any(point is not None for point in points)


def member_text(name: str) -> str:
    """What a member of a model is called."""
    return MEMBERS.get(name, name.replace("_", " "))


def member_list(names: Iterable[str]) -> str:
    """The members of a model."""
    return ", ".join(member_text(name) for name in names)


def members_text(risk: RiskCard) -> str:
    """What each member of a model says by itself."""
    return ", ".join(f"{member_text(name)} {percent(value)}" for name, value in risk.members.items())


def natural_frequency(probability: float) -> str:
    """The probability as people count."""
    count = round_half_up(100 * probability)
    return f"About {count} in 100 similar patients." if count else "Fewer than 1 in 100 similar patients."


def bar(one: Attribution, every: Sequence[Attribution]) -> tuple[float, float]:
    """Where an attribution's bar begins and how long it is, on -50 to 50."""
    longest = max(abs(other.contribution) for other in every) or 1.0
    length = 48 * abs(one.contribution) / longest
    return (0.0 if one.contribution > 0 else -length), length
