"""A ward read from its journal alone, as it stood at the last entry: nothing runs, nothing is written.

It may lie beside a running ward: the journal's readers do not hold up its writer, and see whole commits only. Twins and
bodies are taken up from their snapshots, like at a start.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self

from vitruvian.core.errors import JournalUnavailable, NotFoundError
from vitruvian.core.events import Entry, Receipt, Refusal
from vitruvian.core.time import ManualClock
from vitruvian.journal import Journal
from vitruvian.scenarios import RiskModels, Scenario, ScenarioStore
from vitruvian.service.bodies import BodyAnswers
from vitruvian.service.body_views import BodyView, ForecastView, WhatIfView
from vitruvian.service.follower import Follower
from vitruvian.service.hub import Hub
from vitruvian.service.keeper import BodyKeeper
from vitruvian.service.model_settings import ModelSettings
from vitruvian.service.models import Models
from vitruvian.service.notes import Notes
from vitruvian.service.pipeline import Intake
from vitruvian.service.ports import Mode
from vitruvian.service.reading import Reading
from vitruvian.twin.acute import acute_filter

__all__ = ["Aside"]

BODIES_MAX: Final = 500
READ_ONLY: Final = "this ward is read from its journal, and takes nothing in; send it to the running ward"


class _BodiesOnDemand(BodyAnswers):
    """The bodies are taken up by the first question that needs one: it takes seconds, and most need none."""

    def __init__(self, ward: Aside, store: ScenarioStore) -> None:
        risk_models = RiskModels(lambda: ward.follower.assessor.models.running.predictors)
        super().__init__(store, ward.known, ward.signals, ward.now_us, risk_models)
        self._ward, self._turn = ward, threading.Lock()

    def body(self, patient: str) -> BodyView:
        """See `BodyAnswers`."""
        self._take_up()
        return super().body(patient)

    def forecast(self, patient: str, hours: float) -> ForecastView:
        """See `BodyAnswers`."""
        self._take_up()
        return super().forecast(patient, hours)

    def what_if(self, patient: str, scenario: Scenario, outputs: Sequence[str] | None = None) -> WhatIfView:
        """See `BodyAnswers`."""
        self._take_up()
        return super().what_if(patient, scenario, outputs)

    def _take_up(self) -> None:
        with self._turn:
            if self.bodies is None:
                self.bodies = self._ward.take_up_bodies()


class Aside(Reading):
    """See the module."""

    mode: Mode = "replay"
    title = "Ward"
    speed = 1.0

    def __init__(self, journal: Journal, path: Path, zone: str) -> None:
        clock = ManualClock(_last_us(journal))
        models = Models(ModelSettings(), path, clock)
        follower = Follower(journal, clock, models, lambda entries, steps: None, lambda moved: None)
        super().__init__(journal, clock, follower)
        self.zone = zone
        self.intake = Intake(journal, clock, follower.follow)  # never started: what it counts stays 0
        self._scenarios = ScenarioStore()
        self.body_answers = _BodiesOnDemand(self, self._scenarios)
        self.hub = Hub(self.rows, self.alerts, self.seq, self.now_us)

    @classmethod
    def open(cls, path: Path, zone: str = "UTC") -> Self:
        """Read the ward of a journal. Raises JournalUnavailable, JournalCorrupt, ModelError."""
        journal = Journal.open(path, read_only=True)
        try:
            return cls(journal, path, zone)
        except BaseException:
            journal.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the journal; nothing was written to it."""
        self._follower.assessor.scoring.shadows.close()
        self._scenarios.close()
        self._journal.close()

    def take_up_bodies(self) -> BodyKeeper:
        """The bodies as they were kept, folded up to the last entry."""
        follower = self._follower
        keeper = BodyKeeper(
            self._journal, self._clock, follower.twins, follower.board, acute_filter, BODIES_MAX, follower.lock
        )
        keeper.look()
        self.keeper = keeper
        return keeper

    @property
    def notes(self) -> Notes:
        """Raises JournalUnavailable: what waits for a person is the running ward's to show."""
        raise JournalUnavailable(READ_ONLY)

    async def submit(self, entries: Sequence[Entry], *, applied: bool = False) -> list[Receipt]:
        """Raises JournalUnavailable."""
        raise JournalUnavailable(READ_ONLY)

    async def refuse(self, refusals: Sequence[Refusal]) -> list[Receipt]:
        """Raises JournalUnavailable."""
        raise JournalUnavailable(READ_ONLY)


def _last_us(journal: Journal) -> int:
    """When the journal's last entry was recorded, by the clinical clock: the ward's present."""
    last = journal.last_seq()
    if last == 0:
        raise NotFoundError("found an empty journal, expected one with patients; name another, or let the ward run")
    return journal.entry(last).recorded_us
