"""What is answered and shown of a patient's body: estimates, forecasts, what-ifs and saved scenarios.

Everything here is simulated by a model. Quantiles are lists of five rows, for the 5th, 25th, 50th, 75th and 95th
percentile of the members.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Standing = Literal["none", "learning", "tracking", "strained", "blind", "lost", "outside"]


class EstimateView(msgspec.Struct, frozen=True):
    """A quantity of the body: the middle 50 and 90 % of the members, the 90 % believed before any data, and how much of
    the estimate comes from data (0 to 1). `measured` where the patient's own measurement of it is valid now.
    """

    name: str
    display: str
    unit: str
    decimals: int
    median: float
    low: float
    high: float
    low50: float
    high50: float
    prior_low: float
    prior_high: float
    from_data: float
    measured: bool


class UnitChoice(msgspec.Struct, frozen=True):
    """A unit in which an intervention may be given, and what it then means: "rate", "setting", "amount" (evenly over
    the duration) or "at once".
    """

    unit: str
    means: Literal["rate", "setting", "amount", "at once"]
    high: float


class InterventionView(msgspec.Struct, frozen=True):
    """Something the model knows how to do. `now` is what goes on at present, `low` the least a setting may be."""

    name: str
    display: str
    about: str
    units: list[UnitChoice]
    low: float
    now: float | None


class EditView(msgspec.Struct, frozen=True):
    """Something that may be taken to be otherwise. `moves_body` is false where only scores and risk models read it."""

    name: str
    display: str
    unit: str
    kind: Literal["personal", "vital", "lab", "parameter"]
    low: float
    high: float
    now: float | None
    moves_body: bool


class BodyView(msgspec.Struct, frozen=True):
    """A patient's body as the model has it: `status` and why, the estimates, and what a what-if may speak of."""

    patient: str
    status: Standing
    reason: str
    simulated: bool = True
    model: str = ""
    title: str = ""
    limits: str = ""
    at_us: int = 0
    members: int = 0
    updates: int = 0
    person: str = ""
    estimates: list[EstimateView] = []
    interventions: list[InterventionView] = []
    edits: list[EditView] = []


class BandView(msgspec.Struct, frozen=True):
    """One output over time: quantiles (5 rows)."""

    concept: str
    display: str
    unit: str
    decimals: int
    bands: list[list[float]]


class ForecastView(msgspec.Struct, frozen=True):
    """What comes next with nothing changed, from `at_us` on; empty with the reason where there is none."""

    patient: str
    reason: str
    at_us: int = 0
    times_us: list[int] = []
    outputs: list[BandView] = []
    simulated: bool = True


class EffectView(msgspec.Struct, frozen=True):
    """A difference in short: `most` its quantiles when it is largest (`most_s`), `end` those at the end; how sure its
    direction is (`above`: share of members above 0); how much of it data decided (`from_data`, null where there is
    nothing to decide), and its parts `narrowed` and `shifted`.
    """

    verdict: Literal["rises", "falls", "probably rises", "probably falls", "open", "unchanged"]
    most_s: float
    most: list[float]
    end: list[float]
    above: float
    from_data: float | None
    narrowed: float | None
    shifted: float | None


class ComparedView(msgspec.Struct, frozen=True):
    """One output without and with the scenario, and their difference, member by member: quantiles (5 rows)."""

    concept: str
    display: str
    unit: str
    decimals: int
    baseline: list[list[float]]
    scenario: list[list[float]]
    difference: list[list[float]]
    effect: EffectView


class RiskCompared(msgspec.Struct, frozen=True):
    """A risk (unit 1) or score in both arms, hour by hour; null where nothing can be said. `label` says whether the
    difference is mechanistic or the model's sensitivity.
    """

    name: str
    display: str
    unit: str
    decimals: int
    times_s: list[float]
    baseline: list[list[float | None]]
    scenario: list[list[float | None]]
    difference: list[list[float | None]]
    basis: Literal["mechanistic", "sensitivity"]
    label: str
    version: str
    insufficient: str


class ActionView(msgspec.Struct, frozen=True):
    """An intervention: times in seconds from the start; no duration is to the end, or at once where it is a dose."""

    name: str
    value: float
    unit: str
    start_s: float
    duration_s: float | None


class ScenarioView(msgspec.Struct, frozen=True):
    """A scenario; `id` is empty where it is not saved, `patient` where it is for everyone."""

    id: str
    patient: str
    name: str
    by: str
    saved_us: int
    actions: list[ActionView]
    edits: dict[str, float]
    horizon_s: float


class WhatIfView(msgspec.Struct, frozen=True):
    """The answer to a what-if. Where `standing` is "outside" there is none, and `outside` says why."""

    patient: str
    standing: Literal["answered", "outside"]
    outside: list[str]
    notes: list[str]
    at_us: int
    members: int
    took_ms: float
    scenario: ScenarioView
    times_s: list[float] = []
    outputs: list[ComparedView] = []
    risks: list[RiskCompared] = []
    simulated: bool = True
