"""How a fact reads in full, for whoever checks a sentence: what it is, its value with unit, when, and from where.

Pages show it when a fact is pointed at, paper as a footnote. Nothing here is worded by a language model.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final

import msgspec

from vitruvian.core.time import from_us, zone_named
from vitruvian.explanation.claims import Audience, Explanation
from vitruvian.explanation.drafts import manner_of
from vitruvian.explanation.evidence.base import Evidence, Fact, Flag, Role
from vitruvian.explanation.showing import Manner, label_of, value_of

__all__ = ["Footnote", "footnote", "footnotes"]

ABSENT: Final = "--"
MINUS: Final = "-"
SIGNS: Final = "+-\u2212"
_STANDING: Final[Mapping[Role, str]] = {
    "probability": "risk, by a learned model",
    "earlier": "the same risk, as it was issued then",
    "interval_low": "low end of the interval",
    "interval_high": "high end of the interval",
    "confidence": "of the interval",
    "horizon": "the time ahead that is meant",
    "window": "the time past that is meant",
    "usual": "how often it was met in the training data",
    "driver": "read by the risk model; associated with the risk, not its cause",
    "measurement": "measured",
    "estimate": "estimated by a model; not measured",
    "missing": "wanted, and not measured recently",
    "score": "an early-warning score",
    "event": "happened",
    "alarm": "an alarm",
    "limit": "the limit that was passed",
    "count": "counted",
    "expected": "forecast by a model: the middle of its members",
    "action": "done in the scenario",
    "edit": "taken to be otherwise in the scenario",
    "difference": "with the scenario less without it, where it is largest",
    "likelihood": "share of the model's members that agree",
    "from_data": "share that this patient's data decided",
    "figure": "measured in the model's evaluation",
    "model": "version of the model",
    "words": "said by the twin",
    "place": "a place on the ward",
}
_FLAGGED: Final[Mapping[Flag, str]] = {
    "critical": "critical: far outside the usual range",
    "rising_risk": "notably above what it was",
    "missing_key": "a key input is missing",
    "high": "above the usual range",
    "low": "below the usual range",
    "stale": "old",
    "simulated": "simulated",
    "not_validated": "not validated on real patients",
    "hypothetical": "hypothetical",
    "sensitivity": "the model's sensitivity, not a causal effect",
}
_BY_MODEL: Final = ("probability", "earlier", "interval_low", "interval_high", "usual", "driver", "expected", "figure")


class Footnote(msgspec.Struct, frozen=True):
    """A fact in full. `what`: its name; `value`: with unit, or its words; `when`: day and time in the facility's zone,
    empty where it has none; `standing`: what kind of fact it is; `source`: who measured or made it; `notes`: what to
    know about it.
    """

    fact: str
    what: str
    value: str
    when: str
    standing: str
    source: str
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Name and value."""
        return f"{self.what}: {self.value}" if self.value else self.what

    @property
    def lines(self) -> tuple[str, ...]:
        """What is read beneath name and value, a line each."""
        stated = " · ".join(part for part in (self.standing, self.when, self.source) if part)
        return tuple(part for part in (stated, "; ".join(self.notes)) if part)


def footnotes(explanation: Explanation, evidence: Evidence) -> dict[str, Footnote]:
    """Of every fact that an explanation cites, by its id, in the order in which they are first cited."""
    manner = manner_of(explanation.language)
    cited = dict.fromkeys(name for sentence in explanation.sentences for name in sentence.facts)
    return {name: footnote(evidence.by_id[name], evidence, explanation.audience, manner) for name in cited}


def footnote(fact: Fact, evidence: Evidence, audience: Audience, manner: Manner) -> Footnote:
    """A fact in full; pure."""
    what = label_of(fact, audience, manner)
    return Footnote(
        fact.id, what[:1].upper() + what[1:], _value(fact, evidence, manner), _when(fact, evidence),
        _STANDING.get(fact.role, fact.role), _source(fact, evidence), _notes(fact, evidence),
    )  # fmt: skip


def _value(fact: Fact, evidence: Evidence, manner: Manner) -> str:
    try:
        number = value_of(fact, evidence, manner)
    except ValueError:  # what is missing, said in words, or a place
        return fact.text or ("" if fact.role == "place" else ABSENT)
    if fact.role == "difference" and fact.value:  # signed, since no verb stands beside it here
        number = f"{'+' if fact.value > 0 else MINUS}{number.lstrip(SIGNS)}"
    return f"{number}, {fact.text}" if fact.text else number


def _when(fact: Fact, evidence: Evidence) -> str:
    ahead = "" if fact.horizon_h is None else f"{fact.horizon_h:.3g} h ahead"
    if fact.at_us is None:
        return ahead
    return " ".join(part for part in (_moment(fact.at_us, zone_named(evidence.zone), evidence.at_us), ahead) if part)


def _moment(at_us: int, zone: tzinfo, now_us: int) -> str:
    then, now = from_us(at_us).astimezone(zone), from_us(now_us).astimezone(zone)
    day = "%H:%M" if then.date() == now.date() else "%d %b %H:%M" if then.year == now.year else "%d %b %Y %H:%M"
    return then.strftime(day)


def _source(fact: Fact, evidence: Evidence) -> str:
    if fact.source:
        return fact.source
    if fact.role in _BY_MODEL and evidence.model:
        return f"model {evidence.model}"
    return ""


def _notes(fact: Fact, evidence: Evidence) -> tuple[str, ...]:
    said = [_FLAGGED[flag] for flag in fact.flags]
    if fact.role == "driver" and fact.weight is not None:
        said.append(f"adds {fact.weight:+.2f} in log-odds")
    if fact.direction and fact.direction != "steady":
        said.append(fact.direction)
    if evidence.simulated and "simulated" not in fact.flags:
        said.append("simulated")
    return tuple(said)
