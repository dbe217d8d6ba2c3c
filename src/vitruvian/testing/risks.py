"""Cards and models of the test ward: plain stand-ins that show every state a risk can be in, and are named so."""

from __future__ import annotations

import math

import numpy as np

from vitruvian.core.errors import NotFoundError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation import Evidence, Issued, risk_evidence
from vitruvian.service import build
from vitruvian.service.model_settings import Role
from vitruvian.service.risk import NOT_VALIDATED
from vitruvian.service.risk_views import Attribution, ModelView, ReasonsView, RiskCard
from vitruvian.service.views import BedRow, RiskBrief
from vitruvian.testing.beds import SPREAD, Bed

__all__ = ["StandInModels", "model_view", "reasons_view", "risk_brief", "risk_cards", "risk_evidence_of"]


def risk_brief(bed: Bed, now_us: int) -> RiskBrief:
    """The risk of a row."""
    risk = round(bed.risk(), 3)
    at_us, past = (np.array(column) for column in zip(*bed.risks, strict=True))
    worst = max(SPREAD, key=lambda c: abs(bed.samples[c][-1][1] - SPREAD[c][0]) / SPREAD[c][1])
    high = bed.samples[worst][-1][1] > SPREAD[worst][0]
    driver = f"{VOCABULARY[worst].display} {'high' if high else 'low'}"
    return RiskBrief(
        risk,
        round(risk * 0.7, 3),
        round(min(1.0, risk * 1.3 + 0.02), 3),
        "",
        build.trend(at_us, past, now_us),
        driver,
        build.spark(at_us, past, now_us),
    )


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


def risk_evidence_of(card: RiskCard, bed: Bed, now_us: int, zone: str) -> Evidence:
    """The evidence of a stand-in: its own level, and the bed's newest values as what moves it."""
    earlier = next(((at, one) for at, one in bed.risks if at >= now_us - 6 * HOUR_US), None)
    issued = Issued(
        card.task, card.horizon_h, now_us, card.probability, card.low, card.high, card.insufficient,
        earlier[1] if earlier and card.task == "sepsis" else None, earlier[0] if earlier else None, card.about,
        card.baseline, card.model, card.notes, validated=card.validated, simulated=True,
    )  # fmt: skip
    values = {
        name: math.nan if name == "respiratory_rate" and card.missing else one for name, one in bed.newest().items()
    }
    moved = {one: 0.9 - 0.3 * place for place, one in enumerate(("heart_rate", "lactate", "systolic_pressure"))}
    occurred = {concept: samples[-1][0] for concept, samples in bed.samples.items() if samples}
    return risk_evidence(issued, values, moved if card.attributions else {}, occurred, patient=bed.id, zone=zone)


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


class StandInModels:
    """The half of a ward that speaks of its models; nothing is loaded here."""

    _shadows: tuple[ModelView, ...] = ()

    def models(self) -> list[ModelView]:
        """The stand-ins."""
        return [model_view("champion"), *self._shadows]

    def load_model(self, task: str, folder: str, role: Role, by: str, serves: str = "") -> ModelView:
        """Take a name for a model."""
        if folder != "stand-in":
            raise NotFoundError(f"found no model {folder[:100]!r}, expected 'stand-in'; this is a ward for tests")
        made = model_view(role)
        if role == "shadow":
            self._shadows = (made,)
        return made

    def drop_shadow(self, task: str, by: str) -> None:
        """Forget the shadow."""
        if not self._shadows:
            raise NotFoundError(f"found no shadow of {task[:100]}; see the list of models")
        self._shadows = ()
