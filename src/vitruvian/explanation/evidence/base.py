"""Facts, and packets of them. A packet is all that an explanation may speak of: what is in no fact is never shown.

A fact states a number or words, never a sentence; how it reads (decimals, unit, per cent, hours) is decided here by the
vocabulary, not by whoever brings the packet. The schema is versioned, and documented in docs/explanation.md.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Annotated, Final, Literal

import msgspec

__all__ = ["FACTS_MAX", "RED_FLAGS", "SCHEMA", "Direction", "Evidence", "Fact", "Flag", "Kind", "Role"]

SCHEMA: Final = 1
FACTS_MAX: Final = 400
LABEL_CHARS_MAX: Final = 120
TEXT_CHARS_MAX: Final = 400

Kind = Literal["risk", "forecast", "what_if", "alert", "timeline", "handover", "card", "answer"]
Direction = Literal["rising", "falling", "steady", ""]
Role = Literal[
    # a risk
    "probability",  # of what `label` names; value 0 to 1
    "earlier",  # what the fact `of` was at `at_us`
    "interval_low", "interval_high",  # ends of the interval of the fact `of`
    "confidence",  # of an interval, in per cent
    "horizon",  # a span that lies ahead, hours; None: to the end of the stay
    "window",  # a span that lies behind, hours
    "usual",  # how often the outcome was met in training, 0 to 1
    "driver",  # a subject that moves the risk: its value, `weight` in log-odds
    # what is known, and what is not
    "measurement",  # measured at `at_us`
    "estimate",  # of a model; not measured
    "missing",  # wanted and not measured recently
    "score",  # an early-warning score
    "event",  # something happened at `at_us`: `label`, `text`
    "alarm",  # `text` states value and limit
    "limit",  # the limit that the fact `of` passed
    "count",
    # what may come
    "expected",  # a forecast's median after `horizon_h` hours
    "action",  # done in a scenario: `label`, value and unit; `text` says how (route, for how long)
    "edit",  # taken to be otherwise in a scenario
    "difference",  # scenario less baseline when it is largest, `horizon_h` hours from now
    "likelihood",  # share of members that agree with the direction of the fact `of`, 0 to 1
    "from_data",  # share of the fact `of` that this patient's data decided, 0 to 1
    # about the machine
    "figure",  # measured in a model's evaluation
    "model",  # its version
    "words",  # a plain statement of the twin's own: a reason, a note, a limit
    "place",  # a bed or ward
]  # fmt: skip
Flag = Literal[
    "critical",  # far outside the usual range: named in every explanation
    "rising_risk",  # a risk notably above what it was: its change is named
    "missing_key",  # a key input that is missing: named
    "high", "low",  # outside the usual range
    "stale", "simulated", "not_validated", "hypothetical", "sensitivity",
]  # fmt: skip
RED_FLAGS: Final[frozenset[str]] = frozenset({"critical", "rising_risk", "missing_key"})

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,79}$")]
# No control characters, no tags: a label stands within a sentence and is escaped again by whoever shows it.
_WORDS: Final = r"^[^\x00-\x1f\x7f<>{}\[\]\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*$"
Label = Annotated[str, msgspec.Meta(max_length=LABEL_CHARS_MAX, pattern=_WORDS)]
Words = Annotated[str, msgspec.Meta(max_length=TEXT_CHARS_MAX, pattern=_WORDS)]


class Fact(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One piece of evidence.

    `name` is of the vocabulary where it is about an observation (then label, unit and decimals are the vocabulary's),
    else free, and `label` says how it reads. `value` None: there is no number (or it is missing). `unit` is UCUM.
    `at_us`: when it was true; `source`: who measured or made it. `of`: the fact that this one belongs to. `direction`
    must agree with the numbers. `weight`: log-odds that a driver adds.
    """

    id: Id
    role: Role
    name: Label
    label: Label = ""
    value: float | None = None
    text: Words = ""
    unit: Annotated[str, msgspec.Meta(max_length=40)] = ""
    at_us: int | None = None
    horizon_h: float | None = None
    source: Words = ""
    of: str = ""
    direction: Direction = ""
    weight: float | None = None
    flags: tuple[Flag, ...] = ()


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, dict=True):
    """A packet: facts of one kind, true at `at_us` (of the clinical clock). `patient` is never shown nor sent.

    `zone`: IANA name of the facility's zone, in which times read. `model`: version of the predictive model or body.
    `brought`: read from outside (`read_packet` sets it): its words, and labels of names that are not known here
    (`labels.own_label`), are somebody's and are shown as such.
    """

    kind: Kind
    at_us: int
    facts: Annotated[tuple[Fact, ...], msgspec.Meta(max_length=FACTS_MAX)]
    schema: Literal[1] = 1
    patient: Annotated[str, msgspec.Meta(max_length=300)] = ""
    zone: Annotated[str, msgspec.Meta(max_length=64)] = "UTC"
    model: Words = ""
    simulated: bool = False
    brought: bool = False

    @cached_property
    def by_id(self) -> dict[str, Fact]:
        """The facts by their ids."""
        return {fact.id: fact for fact in self.facts}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the packet's canonical JSON, the patient left out."""
        whole = msgspec.structs.replace(self, patient="")
        return hashlib.sha256(msgspec.json.encode(whole, order="deterministic")).hexdigest()

    def of_role(self, *roles: Role, of: str | None = None) -> tuple[Fact, ...]:
        """The facts in one of these roles, in the packet's order; with `of`, those that belong to that fact."""
        return tuple(fact for fact in self.facts if fact.role in roles and (of is None or fact.of == of))

    @property
    def red_flags(self) -> tuple[Fact, ...]:
        """The facts that no explanation may leave out."""
        return tuple(fact for fact in self.facts if RED_FLAGS & set(fact.flags))
