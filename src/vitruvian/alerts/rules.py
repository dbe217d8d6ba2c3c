"""The rules: what raises an alert, read from a table and checked whole before any is used."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.signals.concepts import MONITORED

Priority = Literal["high", "medium", "low", "technical"]
When = Literal[">", ">=", "<", "<="]

PRIORITY_RANK: Final[Mapping[Priority, int]] = {"high": 3, "medium": 2, "low": 1, "technical": 1}
# `silence` is the whole monitor's, `silence:heart_rate` one signal's, in the order of the monitored vital signs.
PSEUDO_INPUTS: Final[tuple[str, ...]] = ("news2_red", "silence", *(f"silence:{name}" for name in MONITORED))
RULES_MAX: Final = 256
_WHENS: Final[tuple[When, ...]] = (">", ">=", "<", "<=")
CLOCK_BACK_US: Final = 60_000_000  # a monitor that for so long sends only values dated earlier has a clock set back
_REPEATS_S: Final = 60  # inputs with a cadence of this or less come from monitors
_DEFAULT_VALID_S: Final = 3600.0
_NEVER: Final = 2**62


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule; the fields are explained at the head of rules.toml. Limits are in the input's unit."""

    name: str = ""
    input: str
    priority: Priority
    when: When
    limit: float
    clear: float | None = None
    persistence_s: float = 0.0
    cooldown_s: float = 0.0
    escalate_after_s: float = 0.0
    ages: tuple[float, float] = (0.0, 200.0)
    covered_by: str = ""
    unless: str = ""
    message: str = ""
    source: str = ""

    @property
    def rank(self) -> int:
        """3 high, 2 medium, 1 low or technical."""
        return PRIORITY_RANK[self.priority]

    @property
    def technical(self) -> bool:
        """Whether it is about the equipment, not the patient."""
        return self.priority == "technical"

    def text(self, value: float) -> str:
        """What the alert says: the value and the limit, as `HR 134 > 120`, or the rule's own message."""
        if self.message:
            return self.message.replace("{value}", f"{value:.3g}").replace("{limit}", f"{self.limit:g}")
        concept = VOCABULARY.get(self.input)
        short = concept.short if concept else self.input
        shown = concept.format(value) if concept and math.isfinite(value) else f"{value:g}"
        # A value whose rounding would hide that it is past the limit is written out.
        if concept and not _past(self.when, _number(shown, value), self.limit):
            shown = f"{value:.6g}"
        return f"{short} {shown} {self.when} {self.limit:g}"


def _number(shown: str, value: float) -> float:
    try:
        return float(shown)
    except ValueError:
        return value


def _past(when: When, value: float, limit: float) -> bool:
    return {">": value > limit, ">=": value >= limit, "<": value < limit, "<=": value <= limit}[when]


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The rules in columns, R long, for the compiled loops; `of_input` (inputs, most) lists each input's rules, -1
    pads.
    """

    rules: tuple[Rule, ...]
    version: str
    upward: NDArray[np.bool_]
    inclusive: NDArray[np.bool_]
    limit: NDArray[np.float64]
    clear: NDArray[np.float64]
    persistence_us: NDArray[np.int64]
    cooldown_us: NDArray[np.int64]
    escalate_us: NDArray[np.int64]
    valid_us: NDArray[np.int64]
    older_us: NDArray[np.int64]
    age_from: NDArray[np.float64]
    age_to: NDArray[np.float64]
    cover: NDArray[np.int64]
    unless: NDArray[np.int64]
    of_input: NDArray[np.int64]

    def __len__(self) -> int:
        """The number of rules."""
        return len(self.rules)

    @property
    def inputs(self) -> NDArray[np.int64]:
        """The input of each rule, (R,)."""
        return np.array([input_index(rule.input) for rule in self.rules], np.int64)

    def index(self, name: str) -> int:
        """The place of a rule; -1 where there is none of that name."""
        return next((place for place, rule in enumerate(self.rules) if rule.name == name), -1)

    @property
    def columns(self) -> tuple[Any, ...]:
        """What the compiled loops take."""
        return (
            self.upward, self.inclusive, self.limit, self.clear, self.persistence_us, self.cooldown_us,
            self.escalate_us, self.valid_us, self.older_us, self.age_from, self.age_to, self.cover,
        )  # fmt: skip


def input_index(name: str) -> int:
    """The place of an input: a concept's index, then the pseudo inputs. Raises ConfigurationError for another name."""
    if name in PSEUDO_INPUTS:
        return len(VOCABULARY) + PSEUDO_INPUTS.index(name)
    concept = VOCABULARY.get(name)
    if concept is None:
        raise ConfigurationError(
            f"found the rule input {name!r}, expected a concept of the vocabulary or one of {', '.join(PSEUDO_INPUTS)}"
        )
    return concept.index


def load_rules(path: Path | None = None) -> RuleTable:
    """The rules of a file, or the default ones. Raises ConfigurationError where any of them cannot work."""
    text = path.read_text("utf-8") if path else resources.files(__package__).joinpath("rules.toml").read_text("utf-8")
    return parse_rules(text, str(path or "rules.toml"))


def parse_rules(text: str, where: str = "rules") -> RuleTable:
    """The rules of a TOML text; see `load_rules`."""
    try:
        document = tomllib.loads(text)
        version = str(document.pop("version", ""))
        rules = tuple(msgspec.convert({"name": name, **table}, Rule) for name, table in document.items())
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, TypeError) as error:
        raise ConfigurationError(f"found {where} that cannot be read: {error}") from error
    digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    return compile_rules(rules, f"{version}+{digest}")


def compile_rules(rules: Sequence[Rule], version: str) -> RuleTable:
    """The columns of these rules. Raises ConfigurationError."""
    if not 0 < len(rules) <= RULES_MAX:
        raise ConfigurationError(f"found {len(rules)} rules, expected 1 to {RULES_MAX}")
    names = [rule.name for rule in rules]
    for place, rule in enumerate(rules):
        _check(rule, names[:place])
    inputs = [input_index(rule.input) for rule in rules]
    most = max(inputs.count(place) for place in inputs)
    of_input = np.full((len(VOCABULARY) + len(PSEUDO_INPUTS), most), -1, np.int64)
    for place, found in enumerate(inputs):
        of_input[found, np.flatnonzero(of_input[found] < 0)[0]] = place
    valid_s = [concept.valid_for_s if (concept := VOCABULARY.get(rule.input)) else _DEFAULT_VALID_S for rule in rules]
    return RuleTable(
        rules=tuple(rules),
        version=version,
        upward=np.array([rule.when in (">", ">=") for rule in rules]),
        inclusive=np.array([rule.when in (">=", "<=") for rule in rules]),
        limit=np.array([rule.limit for rule in rules], np.float64),
        clear=np.array([rule.limit if rule.clear is None else rule.clear for rule in rules], np.float64),
        persistence_us=_us([rule.persistence_s for rule in rules]),
        cooldown_us=_us([rule.cooldown_s for rule in rules]),
        escalate_us=_us([rule.escalate_after_s for rule in rules]),
        valid_us=_us(valid_s),
        older_us=np.array([CLOCK_BACK_US if _repeats(rule) else _NEVER for rule in rules], np.int64),
        age_from=np.array([rule.ages[0] for rule in rules], np.float64),
        age_to=np.array([rule.ages[1] for rule in rules], np.float64),
        cover=np.array([names.index(rule.covered_by) if rule.covered_by else -1 for rule in rules], np.int64),
        unless=np.array([VOCABULARY[rule.unless].index if rule.unless else -1 for rule in rules], np.int64),
        of_input=of_input,
    )


def _repeats(rule: Rule) -> bool:
    concept = VOCABULARY.get(rule.input)
    return concept is not None and concept.kind == "vital" and concept.cadence_s <= _REPEATS_S


def _us(seconds: Sequence[float]) -> NDArray[np.int64]:
    return (np.array(seconds, np.float64) * 1e6).astype(np.int64)


def _check(rule: Rule, earlier: Sequence[str]) -> None:
    input_index(rule.input)
    upward = rule.when in (">", ">=")
    problem = ""
    if not rule.name or rule.name in earlier:
        problem = "a name that is empty or taken"
    elif rule.when not in _WHENS or not math.isfinite(rule.limit):
        problem = "a condition that cannot be evaluated"
    elif rule.clear is not None and (rule.clear > rule.limit if upward else rule.clear < rule.limit):
        problem = "a clear limit on the wrong side: it would end while it still holds"
    elif min(rule.persistence_s, rule.cooldown_s, rule.escalate_after_s) < 0:
        problem = "a negative time"
    elif not 0 <= rule.ages[0] < rule.ages[1]:
        problem = "ages that hold nobody"
    elif rule.covered_by and rule.covered_by not in earlier:
        problem = f"covered_by {rule.covered_by!r}, which must be a rule above it"
    elif rule.unless and ((declared := VOCABULARY.get(rule.unless)) is None or declared.kind != "state"):
        problem = f"unless {rule.unless!r}, which must be a declared state of the vocabulary"
    if problem:
        raise ConfigurationError(f"found rule {rule.name!r} with {problem}; correct the table of rules")
