"""Cards and models of the test ward: plain stand-ins that show every state a risk can be in, and are named so."""

from __future__ import annotations

from vitruvian.service.model_settings import Role
from vitruvian.service.risk import NOT_VALIDATED
from vitruvian.service.views import Attribution, BedRow, ModelView, ReasonsView, RiskCard

__all__ = ["model_view", "reasons_view", "risk_cards"]


def risk_cards(row: BedRow, now_us: int) -> list[RiskCard]:
    """A risk told, one of several members, one that is not validated, one told too early, and one for want of data."""
    version, note = "test-ward-1", "Not calibrated: a stand-in for tests."
    risk = row.risk
    heart, pressure = Attribution("Heart rate", 0.42, "118 /min"), Attribution("Systolic pressure", -0.18, "121 mmHg")
    low, high = risk.low or 0.0, risk.high or 0.0
    return [
        RiskCard(
            "Sepsis (stand-in of the test ward)", 6.0, risk.probability, risk.low, risk.high, 0.08, "", version, now_us,
            note, f"Driven by {risk.driver.lower()}.", ("procalcitonin",), (heart, pressure), about="sepsis",
            trend=risk.trend, spark=risk.spark, served="standard",
        ),
        RiskCard(
            "Acute kidney injury (stand-in)", 6.0, risk.probability, low, high, 0.11, "", version, now_us, note,
            "Driven by nothing: a stand-in.", (), (pressure,), task="aki", about="acute kidney injury",
            trend="steady", spark=risk.spark, served="standard", explained="logistic",
            members={"logistic": low, "lstm": high},
        ),
        RiskCard(
            "Death in hospital, told at 24 h (stand-in)", None, None, None, None, 0.1,
            "too early: told once 24 h have been observed; so far 9 h", version, now_us, note, task="mortality24",
            about="death in hospital",
        ),
        RiskCard(
            "Cardiac event or arrest (stand-in)", 6.0, 0.004, 0.001, 0.013, None, "", version, now_us,
            "Not evaluated on held-out patients.", "", (), (), task="cardiac_event", about="a cardiac event or arrest",
            validated=False, notes=(NOT_VALIDATED,), trend="falling",
        ),
        RiskCard(
            "Deterioration (stand-in)", 6.0, None, None, None, 0.2, "insufficient data: 2 of 5 vital signs are recent",
            version, now_us, note, missing=("respiratory rate",), task="deterioration", about="deterioration",
        ),
    ]  # fmt: skip


def reasons_view(card: RiskCard, patient: str) -> ReasonsView:
    """Reasons of a stand-in, that add up."""
    rows = (Attribution("heart rate", 0.42, "118/min"), Attribution("systolic pressure", -0.18, "121 mmHg"))
    return ReasonsView(
        patient, card.task, card.target, card.model, "standard", ("stand-in",), card.made_us, card.probability or 0.0,
        -2.5, -2.75, rows, 0.01, 3,
    )  # fmt: skip


def model_view(role: Role) -> ModelView:
    """What runs on the test ward, as an operator sees it."""
    differs = {"compared": 10, "over_both": 1, "over_champion_only": 2, "mean_distance": 0.01, "dropped": 0}
    return ModelView(
        "sepsis", "Sepsis (stand-in of the test ward)", role, "test-ward-1", "standard", ("stand-in",), "stand-in", 6.0,
        0.05, False, True, "none", 0, "the test ward", (), {}, disagreement=differs if role == "shadow" else None,
    )  # fmt: skip
