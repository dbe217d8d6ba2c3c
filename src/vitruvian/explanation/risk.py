"""One or two deterministic sentences on a learned risk: how high, since when, and what it is associated with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from vitruvian.core.time import HOUR_US
from vitruvian.explanation.facts import (
    Attribution,
    Direction,
    Evidence,
    Fact,
    Role,
    Sentence,
    subject_of,
    subjects,
)
from vitruvian.prediction.serve.gate import REQUIRED

DRIVERS_MAX: Final = 3
DRIVER_MIN: Final = 0.1  # log-odds; less is not worth a word
CONFIDENCE_PERCENT: Final = 95
_UNSAID: Final = ("male",)  # moves the risk, is shown among the attributions, but explains nothing to a clinician
# A move over the last hours that is worth calling one, in the concept's unit.
_NOTABLE: Final[Mapping[str, float]] = {
    "heart_rate": 8.0, "respiratory_rate": 4.0, "oxygen_saturation": 2.0, "body_temperature": 0.4,
    "systolic_pressure": 12.0, "diastolic_pressure": 10.0, "mean_pressure": 10.0,
}  # fmt: skip
_NOTABLE_LAB_PART: Final = 0.1


class Issued(msgspec.Struct, frozen=True):
    """A risk as issued: probabilities 0 to 1, None with the reason in `insufficient` where nothing may be said.

    `target` is the task; `about` how the outcome reads in a sentence, by default the task's name. `horizon_h` None: to
    the end of the stay in hospital. `earlier` is what was issued at `earlier_us`, where there was such.
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


def explain_risk(
    risk: Issued,
    values: Mapping[str, float],
    contributions: Mapping[str, float] | None,
    occurred_us: Mapping[str, int] | None = None,
) -> Evidence:
    """The evidence of a risk; pure.

    `values`: features by name as the model read them (NaN where missing). `contributions`: by feature, log-odds
    against a patient at the training medians (`RiskColumns.contributions`); None where no model can say.
    `occurred_us`: when a concept was measured, where known.
    """
    missing = _missing(values)
    if risk.probability is None or math.isnan(risk.probability):
        return _silent(risk, missing)
    summed = _by_subject(contributions or {})
    drivers = _drivers(summed, values, occurred_us or {}, risk.at_us)
    level = _level(risk)
    facts = (*level, *drivers, *missing)
    moved = _driver_sentence(drivers, missing) if contributions is not None else _missing_sentence(missing)
    said = (_level_sentence(level), moved)
    return Evidence(
        facts,
        tuple(sentence for sentence in said if sentence.facts),
        tuple(fact.shown for fact in missing),
        _attributions(summed, values),
    )


def percent(probability: float) -> str:
    """A probability as people read it: one decimal below 10 %, none above; never 0 or 100."""
    share = 100 * probability
    if share < 0.1:
        return "<0.1 %"
    if share > 99:
        return ">99 %"
    return f"{share:.1f} %" if share < 9.95 else f"{share:.0f} %"


def hours(span_h: float) -> str:
    """A span of hours, in minutes where it is short."""
    return f"{span_h:.0f} h" if span_h >= 0.995 else f"{60 * span_h:.0f} min"


def _silent(risk: Issued, missing: tuple[Fact, ...]) -> Evidence:
    said = risk.insufficient or "insufficient data"
    reason = Fact("reason", "limit", f"{risk.target}_risk", None, "", said, risk.at_us)
    text = f"No risk is shown: {reason.shown}."
    if missing:
        text += f" Missing: {', '.join(fact.shown for fact in missing)}."
    cited = (reason, *missing)
    return Evidence(
        cited, (Sentence(text, tuple(fact.id for fact in cited)),), tuple(fact.shown for fact in missing), ()
    )


def _level(risk: Issued) -> tuple[Fact, ...]:
    assert risk.probability is not None
    name = f"{risk.target}_risk"
    facts = [_share(name, "risk", "risk", risk.probability, risk.at_us)]
    if risk.low is not None and risk.high is not None:
        facts.append(Fact("confidence", "interval", "confidence", CONFIDENCE_PERCENT, "%", f"{CONFIDENCE_PERCENT} %"))
        facts += [
            _share(name, "low", "interval", risk.low, risk.at_us),
            _share(name, "high", "interval", risk.high, risk.at_us),
        ]
    span = "to the end of the stay" if risk.horizon_h is None else hours(risk.horizon_h)
    facts.append(Fact("horizon", "horizon", risk.about or risk.target, risk.horizon_h, "h", span))
    if risk.earlier is not None and risk.earlier_us is not None and risk.earlier_us < risk.at_us:
        ago_h = (risk.at_us - risk.earlier_us) / HOUR_US
        facts.append(_share(name, "earlier", "before", risk.earlier, risk.earlier_us))
        facts.append(Fact("ago", "before", "elapsed", ago_h, "h", hours(ago_h)))
    return tuple(facts)


def _share(name: str, which: str, role: Role, probability: float, at_us: int) -> Fact:
    return Fact(which, role, name, probability, "1", percent(probability), at_us)


def _level_sentence(facts: Sequence[Fact]) -> Sentence:
    by = {fact.id: fact for fact in facts}
    text = f"Risk {by['risk'].shown}"
    if "confidence" in by:
        text += f" ({by['confidence'].shown} interval {by['low'].shown} to {by['high'].shown})"
    span = by["horizon"].shown if by["horizon"].value is None else f"over the next {by['horizon'].shown}"
    text += f" of {by['horizon'].name} {span}"
    if "earlier" in by:
        now, then = by["risk"].shown, by["earlier"].shown
        moved = (
            "as" if now == then else "up from" if (by["risk"].value or 0) > (by["earlier"].value or 0) else "down from"
        )
        text += f", {moved} {then} {by['ago'].shown} ago" if moved != "as" else f", as {by['ago'].shown} ago"
    cited = tuple(fact.id for fact in facts if fact.id != "earlier" or by["earlier"].shown in text)
    return Sentence(f"{text}.", cited)


def _driver_sentence(drivers: Sequence[Fact], missing: Sequence[Fact]) -> Sentence:
    gap = f"; {_listed([fact.shown for fact in missing])} missing" if missing else ""
    cited = tuple(fact.id for fact in (*drivers, *missing))
    if not drivers:
        what = "No measurement raises it notably above that of a typical patient"
        return Sentence(f"{what}{gap}.", cited or ("risk",))
    named = []
    for fact in drivers:
        moving = f" ({fact.direction})" if fact.direction in ("rising", "falling") else ""
        named.append(f"{subjects(fact.name).label} {fact.shown}{moving}")
    return Sentence(f"Associated most with (not caused by): {', '.join(named)}{gap}.", cited)


def _missing_sentence(missing: Sequence[Fact]) -> Sentence:
    text = f"Not measured recently: {_listed([fact.shown for fact in missing])}." if missing else ""
    return Sentence(text, tuple(fact.id for fact in missing))


def _listed(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


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
) -> tuple[Fact, ...]:
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
                f"driver-{name}",
                "driver",
                name,
                value if known else None,
                subject.unit,
                subject.show(value) if known else "not measured recently",
                _measured_us(name, values, occurred_us, at_us),
                _direction(name, value, values),
                -negative,
            )
        )
    return tuple(facts)


def _measured_us(name: str, values: Mapping[str, float], occurred_us: Mapping[str, int], at_us: int) -> int | None:
    if name in occurred_us:
        return occurred_us[name]
    age_h = values.get(f"{name}_age_h", math.nan)
    return None if math.isnan(age_h) else at_us - int(age_h * HOUR_US)


def _direction(name: str, value: float, values: Mapping[str, float]) -> Direction:
    if math.isnan(value):
        return ""
    vital = name in _NOTABLE
    moved = values.get(f"{name}_delta_6h" if vital else f"{name}_change", math.nan)
    if math.isnan(moved):
        return ""
    notable = _NOTABLE[name] if vital else _NOTABLE_LAB_PART * abs(value - moved)
    return "steady" if abs(moved) < notable or moved == 0 else "rising" if moved > 0 else "falling"


def _missing(values: Mapping[str, float]) -> tuple[Fact, ...]:
    """The vital signs the model wants and has not, each under its first name."""
    facts = []
    for names in REQUIRED:
        if all(math.isnan(values.get(name, math.nan)) for name in names):
            label = "blood pressure" if len(names) > 1 else subjects(names[0]).label
            facts.append(Fact(f"missing-{names[0]}", "missing", names[0], None, "", label))
    return tuple(facts)


def _attributions(summed: Mapping[str, float], values: Mapping[str, float]) -> tuple[Attribution, ...]:
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
