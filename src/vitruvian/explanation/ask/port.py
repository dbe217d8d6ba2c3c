"""What answers need of a patient's twin. `service.asking` gives it from a running ward; tests may give it by hand.

Every value is in its concept's unit, every time in microseconds of the clinical clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from vitruvian.explanation.evidence.alert import Alarm
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.evidence.parts import Measured, Person
from vitruvian.explanation.evidence.timeline import Happened
from vitruvian.scenarios import Scenario

__all__ = ["Answers", "ScoreTold", "Source"]


class ScoreTold(msgspec.Struct, frozen=True):
    """A score now. `value` None: it does not apply or lacks inputs, for `reason`. `parts`: (name, points)."""

    name: str
    display: str
    value: float | None
    reason: str = ""
    parts: tuple[tuple[str, int], ...] = ()
    missing: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """A source of the patient's data over the last day: how many entries, how many flagged, and the newest."""

    name: str
    entries: int
    flagged: int
    last_us: int


class Answers(Protocol):
    """One patient's twin, as it may be asked. Nothing here writes; unknown things raise NotFoundError."""

    patient: str
    zone: str
    simulated: bool

    def now_us(self) -> int:
        """The clinical clock."""
        ...

    def person(self) -> Person:
        """Age and sex: what is usual depends on them."""
        ...

    def admitted_us(self) -> int | None:
        """When the stay began, where that is known."""
        ...

    def tasks(self) -> Sequence[str]:
        """The tasks whose risk is told, the main one first."""
        ...

    def risk(self, task: str) -> Evidence:
        """The packet of a risk as it is now."""
        ...

    def issued(self, task: str, start_us: int, end_us: int) -> Sequence[tuple[int, float]]:
        """The risks that were issued, oldest first."""
        ...

    def series(self, concept: str, start_us: int, end_us: int) -> Sequence[Measured]:
        """Measurements, oldest first; thinned, extremes kept."""
        ...

    def newest(self, concept: str) -> Measured | None:
        """The newest measurement, however old; None where there is none."""
        ...

    def estimated(self, concept: str) -> tuple[float, float, float] | None:
        """What the body estimates of something unmeasured: its median, 5th and 95th percentile."""
        ...

    def forecast(self, hours: float) -> Evidence:
        """The packet of a forecast."""
        ...

    def what_if(self, scenario: Scenario) -> Evidence:
        """The packet of a what-if, run in the patient's own body. Raises ModelError, UnitError, VocabularyError,
        NotFoundError (there is no body), Overloaded.
        """
        ...

    def weight_kg(self) -> float | None:
        """Body weight, where it is known."""
        ...

    def interventions(self) -> Mapping[str, float | None]:
        """What the body knows how to do, by name, and what goes on of it now (None: it is given at once)."""
        ...

    def alarms(self) -> Evidence:
        """The packet of the open alarms."""
        ...

    def alarms_since(self, start_us: int) -> Sequence[Alarm]:
        """Alarms raised since then, open or over."""
        ...

    def given(self, start_us: int) -> Sequence[Happened]:
        """Medicines given or running since then, the newest first."""
        ...

    def timeline(self, hours: int) -> Evidence:
        """The packet of the last hours."""
        ...

    def scores(self) -> Sequence[ScoreTold]:
        """Every score now."""
        ...

    def card(self, task: str) -> Evidence:
        """The packet of the model of a task."""
        ...

    def missing(self) -> Sequence[str]:
        """Key inputs that were not measured recently."""
        ...

    def expired(self) -> Sequence[Measured]:
        """Values that have outlived their validity."""
        ...

    def sources(self) -> Sequence[Source]:
        """Where the data came from over the last day."""
        ...
