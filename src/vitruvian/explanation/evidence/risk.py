"""The evidence of a learned risk: its level and change, what it is associated with, what was missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import msgspec

from vitruvian.core.time import SECOND_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.evidence.base import Direction, Evidence, Fact, Flag
from vitruvian.explanation.evidence.parts import Person, critical_in, direction_of, notes, unit_of
from vitruvian.explanation.subjects import subject_of, subjects
from vitruvian.prediction.serve.gate import REQUIRED
from vitruvian.signals.features import VITALS

__all__ = ["DRIVER_MIN", "Attribution", "Issued", "attributions_of", "is_rising", "risk_evidence"]

DRIVERS_MAX: Final = 3
DRIVER_MIN: Final = 0.1  # log-odds; less is not worth a word
RISING_RATIO: Final = 1.5  # of the odds against those of hours ago: a rise that every explanation names
READ_WHOLE: Final = 0.0995  # from here on per cents are read without decimals
FEATURE_DIGITS: Final = 7
HOUR_S: Final = 3_600.0
CONFIDENCE_PERCENT: Final = 95
_UNSAID: Final = ("male",)  # moves the risk, is shown among the attributions, but explains nothing to a clinician


class Issued(msgspec.Struct, frozen=True):
    """A risk as issued: probabilities 0 to 1, None with the reason in `insufficient` where nothing may be said.

    `target` is the task; `about` how the outcome reads in a sentence, by default the task's name. `horizon_h` None: to
    the end of the stay in hospital. `earlier` is what was issued at `earlier_us`, where there was such. `usual`: how
    often the outcome was met in training. `model`: the version; `notes`: what must be said wherever it is shown.
    """

    target: str
    horizon_h: float | None
    at_us: int
    probability: float | None
    low: float | None = None
    high: float | None = None
    insufficient: str = ""
    earlier: float | None = None
    earlier_us: int | None = None
    about: str = ""
    usual: float | None = None
    model: str = ""
    notes: tuple[str, ...] = ()
    validated: bool = True
    simulated: bool = False


class Attribution(msgspec.Struct, frozen=True):
    """How one subject moved the risk, in log-odds, all of its features together; `read` is the value it had."""

    subject: str
    label: str
    contribution: float
    read: str = ""


def risk_evidence(
    risk: Issued,
    values: Mapping[str, float],
    contributions: Mapping[str, float] | None,
    occurred_us: Mapping[str, int] | None = None,
    *,
    patient: str = "",
    zone: str = "UTC",
) -> Evidence:
    """The packet of a risk; pure.

    `values`: features by name as the model read them (NaN where missing). `contributions`: by feature, log-odds
    against a patient at the training medians (`RiskColumns.contributions`); None where no model can say.
    `occurred_us`: when a concept was measured, where known.
    """
    values = {name: _as_measured(value) for name, value in values.items()}
    spoken = risk.probability is not None and not math.isnan(risk.probability)
    seen = occurred_us or {}
    facts = list(_level(risk)) if spoken else [_reason(risk)]
    if spoken:
        drivers = _drivers(_by_subject(contributions or {}), values, seen, risk.at_us)
        facts += drivers or _no_drivers(risk, contributions)
    named = {fact.name for fact in facts if fact.role == "driver" and "critical" in fact.flags}
    facts += [fact for fact in _critical(values, seen, risk.at_us) if fact.name not in named]
    facts += _missing(values)
    if spoken:
        facts += notes(risk.notes)
    return Evidence("risk", risk.at_us, tuple(facts), 1, patient, zone, risk.model, risk.simulated)


def attributions_of(values: Mapping[str, float], contributions: Mapping[str, float] | None) -> tuple[Attribution, ...]:
    """Every subject's part in the risk, the strongest first."""
    summed = _by_subject(contributions or {})
    ranked = sorted(summed.items(), key=lambda item: (-abs(item[1]), item[0]))
    made = []
    for name, weight in ranked:
        subject, value = subjects(name), values.get(name, math.nan)
        if name == "male":
            read = "" if math.isnan(value) else "male" if value > 0.5 else "female"
        else:
            read = "missing" if math.isnan(value) else subject.show(value)
        made.append(Attribution(name, subject.label, weight, read))
    return tuple(made)


def _no_drivers(risk: Issued, contributions: Mapping[str, float] | None) -> list[Fact]:
    """That nothing raises it notably, where a model can say so; silence where none can."""
    if contributions is None:
        return []
    text = "no measurement raises it notably above that of a typical patient"
    return [Fact("no-drivers", "words", f"{risk.target}_risk", risk.about or risk.target, text=text, of="risk")]


def _reason(risk: Issued) -> Fact:
    said = risk.insufficient or "insufficient data"
    return Fact("reason", "words", f"{risk.target}_risk", label=risk.about, text=said, at_us=risk.at_us)


def _level(risk: Issued) -> list[Fact]:
    assert risk.probability is not None
    name, about = f"{risk.target}_risk", risk.about or risk.target
    flags = _level_flags(risk)
    facts = [Fact("risk", "probability", name, about, risk.probability, at_us=risk.at_us, flags=flags)]
    if risk.low is not None and risk.high is not None:
        facts += [
            Fact("confidence", "confidence", "confidence", "", CONFIDENCE_PERCENT, unit="%", of="risk"),
            Fact("low", "interval_low", name, about, risk.low, of="risk"),
            Fact("high", "interval_high", name, about, risk.high, of="risk"),
        ]
    facts.append(Fact("horizon", "horizon", "horizon", "", risk.horizon_h, unit="h", of="risk"))
    if risk.usual is not None:
        facts.append(Fact("usual", "usual", name, about, risk.usual, of="risk"))
    if risk.earlier is not None and risk.earlier_us is not None and risk.earlier_us < risk.at_us:
        facts.append(Fact("earlier", "earlier", name, about, risk.earlier, at_us=risk.earlier_us, of="risk"))
    return facts


def _level_flags(risk: Issued) -> tuple[Flag, ...]:
    flags: list[Flag] = []
    assert risk.probability is not None
    known = risk.earlier_us is not None and risk.earlier_us < risk.at_us
    if is_rising(risk.probability, risk.earlier if known else None):
        flags.append("rising_risk")
    if not risk.validated:
        flags.append("not_validated")
    return tuple(flags)


def is_rising(probability: float, earlier: float | None) -> bool:
    """Whether a risk is notably above what it was: by its odds, and so that it reads otherwise (`showing.percent`)."""
    if earlier is None:
        return False
    least = 0.01 if probability >= READ_WHOLE else 0.001
    return probability - earlier >= least and _odds(probability) >= RISING_RATIO * _odds(earlier)


def _odds(probability: float) -> float:
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return bounded / (1 - bounded)


def _by_subject(contributions: Mapping[str, float]) -> dict[str, float]:
    summed: dict[str, float] = {}
    for feature in sorted(contributions):  # a fixed order: sums of floats depend on it, sentences must not
        added = contributions[feature]
        if not math.isnan(added):
            name = subject_of(feature)
            summed[name] = summed.get(name, 0.0) + float(added)
    return summed


def _drivers(
    summed: Mapping[str, float], values: Mapping[str, float], occurred_us: Mapping[str, int], at_us: int
) -> list[Fact]:
    # Ties by name, so that the same numbers always make the same sentence.
    ranked = sorted(
        ((-weight, name) for name, weight in summed.items() if weight >= DRIVER_MIN and name not in _UNSAID)
    )
    facts = []
    for negative, name in ranked[:DRIVERS_MAX]:
        subject, value = subjects(name), values.get(name, math.nan)
        known = not math.isnan(value)
        facts.append(
            Fact(
                f"driver-{name}"[:80],
                "driver",
                name,
                subject.label,
                value if known else None,
                text="" if known else "not measured recently",
                unit=unit_of(name),
                at_us=_measured_us(name, values, occurred_us, at_us),
                direction=_direction(name, value, values),
                weight=-negative,
                flags=("critical",) if known and critical_in(name, value, _person(values)) else (),
            )
        )
    return facts


def _critical(values: Mapping[str, float], occurred_us: Mapping[str, int], at_us: int) -> list[Fact]:
    """Recent values far outside the usual range, whether the model minds them or not."""
    found = []
    for name in sorted(values):
        value = values[name]
        if name in VOCABULARY and not math.isnan(value) and critical_in(name, value, _person(values)):
            found.append(
                Fact(
                    f"critical-{name}"[:80], "measurement", name, subjects(name).label, value, unit=unit_of(name),
                    at_us=_measured_us(name, values, occurred_us, at_us), direction=_direction(name, value, values),
                    flags=("critical",),
                )
            )  # fmt: skip
    return found


def _person(values: Mapping[str, float]) -> Person:
    """Who it is, as far as the model reads it."""
    age_years = values.get("age_years", math.nan)
    return Person(None if math.isnan(age_years) else age_years)


def _as_measured(value: float) -> float:
    """A feature in the digits that single precision holds: models read 4.6 as 4.599999904632568."""
    return float(f"{value:.{FEATURE_DIGITS}g}")


def _measured_us(name: str, values: Mapping[str, float], occurred_us: Mapping[str, int], at_us: int) -> int | None:
    if name in occurred_us:
        return occurred_us[name]
    age_h = values.get(f"{name}_age_h", math.nan)
    return None if math.isnan(age_h) else at_us - round(age_h * HOUR_S) * SECOND_US


def _direction(name: str, value: float, values: Mapping[str, float]) -> Direction:
    if math.isnan(value):
        return ""
    # Vital signs against six hours ago, laboratory values against the result before.
    moved = values.get(f"{name}_delta_6h" if name in VITALS else f"{name}_change", math.nan)
    return direction_of(name, value - moved, value)


def _missing(values: Mapping[str, float]) -> list[Fact]:
    """The vital signs the model wants and has not, each under its first name."""
    facts = []
    for names in REQUIRED:
        if all(math.isnan(values.get(name, math.nan)) for name in names):
            label = "blood pressure" if len(names) > 1 else subjects(names[0]).label
            name = "blood_pressure" if len(names) > 1 else names[0]
            facts.append(Fact(f"missing-{names[0]}", "missing", name, label, flags=("missing_key",)))
    return facts
