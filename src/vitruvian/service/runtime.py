"""The running ward: one journal, everyone's twin, and what is known of them, behind `service.ports.WardPort`.

async with Ward.open(settings, clock) as ward:          # twins stand where they stood
    intake = MqttIntake(url, ward, clock)               # the ward is a Sink
    app = create_app(ward, ...)
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from vitruvian.alerts import Step, Webhook
from vitruvian.core.errors import JournalError, JournalUnavailable, NotFoundError, VitruvianError
from vitruvian.core.events import Entry, Receipt, Refusal
from vitruvian.core.identifiers import Identifier
from vitruvian.core.time import Clock
from vitruvian.journal import Journal
from vitruvian.scenarios import RiskModels, ScenarioStore
from vitruvian.service.bodies import BodyAnswers
from vitruvian.service.follower import Follower, Moved
from vitruvian.service.hub import Hub
from vitruvian.service.keeper import BodyKeeper
from vitruvian.service.model_settings import ModelSettings
from vitruvian.service.models import Models
from vitruvian.service.notes import Notes
from vitruvian.service.pipeline import Intake
from vitruvian.service.ports import Mode
from vitruvian.service.reading import Reading
from vitruvian.twin.acute import acute_filter

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
BODIES_S: Final = 1.0
DISAGREEMENT_S: Final = 3_600.0  # how often the difference of a shadow is put into the log of models
SNAPSHOT_S: Final = 60.0
ISSUE_ROUNDS_MAX: Final = 5
SNAPSHOT_SHARE_MAX: Final = 0.01  # of the time may go into snapshots


@dataclass(frozen=True, slots=True)
class WardSettings:
    """What a ward is opened with. `models`: which run instead of the shipped ones, or beside them; `speed` is told to
    the pages, not applied here. `bodies`: for how many patients at most a personalised body is kept, at about a
    fiftieth of a per cent of a core each; 0 for none.
    """

    journal: Path
    mode: Mode = "live"
    title: str = "Ward"
    zone: str = "UTC"
    speed: float = 1.0
    models: ModelSettings = field(default_factory=ModelSettings)
    bodies: int = 500


class Ward(Reading):
    """See the module. Entering starts the threads and the hub's feed; leaving commits what was accepted and stops."""

    def __init__(self, journal: Journal, clock: Clock, settings: WardSettings) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopping = asyncio.Event()
        self._webhook: Webhook | None = None
        models = Models(settings.models, settings.journal, clock)
        follower = Follower(journal, clock, models, self._issue, self._show)
        super().__init__(journal, clock, follower)
        if settings.bodies:
            self.keeper = BodyKeeper(
                journal, clock, follower.twins, follower.board, acute_filter, settings.bodies, follower.lock
            )
            follower.noted = self.keeper.note
        self.settings, self.clock = settings, clock
        self.mode, self.title, self.zone, self.speed = settings.mode, settings.title, settings.zone, settings.speed
        self.intake = Intake(journal, clock, follower.follow)
        self._scenarios = ScenarioStore(settings.journal.with_name(settings.journal.name + ".scenarios"))
        risk_models = RiskModels(lambda: models.running.predictors)
        self.body_answers = BodyAnswers(
            self._scenarios, self.known, self.signals, self.now_us, risk_models, self.keeper
        )
        self.notes = Notes(settings.journal.with_name(settings.journal.name + ".notes"), self._whose, self.now_us)
        self.hub = Hub(self.rows, self.alerts, self.seq, self.now_us, speed=settings.speed)

    @classmethod
    def open(cls, settings: WardSettings, clock: Clock) -> Ward:
        """Open the journal and recover every twin. Raises JournalUnavailable, JournalCorrupt, ModelError."""
        journal = Journal.open(settings.journal)
        try:
            return cls(journal, clock, settings)
        except BaseException:
            journal.close()
            raise

    async def __aenter__(self) -> Self:
        """Start."""
        self._loop = asyncio.get_running_loop()
        self.intake.start()
        self._follower.began()
        self._spawn(self._every(LOOK_S, self._look), "look")
        self._spawn(self._save_regularly(), "snapshots")
        self._spawn(self._every(DISAGREEMENT_S, self._follower.assessor.scoring.note_disagreements), "models")
        if self.keeper is not None:
            self._spawn(self._every(BODIES_S, self.keeper.look), "bodies")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop: commit what was accepted and what follows from it, keep the twins, close the journal."""
        self._stopping.set()
        if self.keeper is not None:
            self.keeper.stop()
        for _ in range(ISSUE_ROUNDS_MAX):  # what is issued is an entry too; nothing follows from most of those
            if not self._tasks:
                break
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self.intake.settled()
        await self.intake.close()
        self._loop = None
        await asyncio.to_thread(self._follower.assessor.scoring.close)
        try:
            await asyncio.to_thread(self._save)
        finally:
            self._scenarios.close()
            self.notes.close()
            self._journal.close()

    # --- the sink ------------------------------------------------------------

    async def submit(self, entries: Sequence[Entry], *, applied: bool = False) -> list[Receipt]:
        """See `core.ports.Sink`; with `applied`, returns when the twins have moved too."""
        self._check_open()
        return await self.intake.submit(entries, applied=applied)

    async def refuse(self, refusals: Sequence[Refusal]) -> list[Receipt]:
        """See `core.ports.Sink`."""
        self._check_open()
        return await self.intake.refuse(refusals)

    def _whose(self, patient: str) -> tuple[str, Identifier]:
        """A patient's public id, the survivor's where records were merged, and an identifier. Raises NotFoundError."""
        known = self._follower.board.patient(self.known(patient)[0])
        if not known.identifiers:
            raise NotFoundError("found a patient without an identifier, expected one; admit the patient first")
        return known.id, known.identifiers[0]

    def _check_open(self) -> None:
        if self._stopping.is_set():
            raise JournalUnavailable("the ward is stopping: nothing was committed; send again when it is back")

    # --- what the follower hands out -----------------------------------------

    def deliver_by(self, webhook: Webhook) -> None:
        """Offer the steps of alerts to a webhook, once they are durable."""
        self._webhook = webhook

    def _issue(self, entries: list[Entry], steps: list[Step]) -> None:
        loop = self._loop
        if loop is not None:
            loop.call_soon_threadsafe(self._spawn_issue, entries, steps)

    def _spawn_issue(self, entries: list[Entry], steps: list[Step]) -> None:
        self._spawn(self._keep_issued(entries, steps), "issue")

    async def _keep_issued(self, entries: list[Entry], steps: list[Step]) -> None:
        try:
            await self.intake.submit(entries)
        except JournalError as error:
            # Shown, though not kept: the alert matters more than its record. A restart finds the condition again.
            log.error("what was issued could not be kept: %s", error)
        if self._webhook is not None:
            for step in steps:
                self._webhook.offer(step, self._follower.board.patient(step.alert.pid).id)

    def _show(self, moved: Moved) -> None:
        board = self._follower.board
        ids = [board.patient(pid).id for pid in moved.pids]
        self.hub.touch(ids, moved.source_us, [board.patient(pid).id for pid in moved.gone])
        if moved.steps or moved.gone:
            self.hub.alerts_changed()

    def _look(self) -> None:
        self._follower.look()
        webhook = self._webhook
        if webhook is None:
            return
        with self._follower.lock:
            text = f"alerts are not delivered: {webhook.counts['failed'] + webhook.counts['dropped']} given up"
            changed = self._follower.alerts.system("webhook", text, webhook.failing, self.now_us())
        if changed:
            self.hub.alerts_changed()

    # --- tasks ---------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _every(self, seconds: float, look: Any) -> None:
        while not await self._stops_within(seconds):
            try:
                await asyncio.to_thread(look)
            except VitruvianError as error:
                log.error("looking at the ward failed: %s", error)
            except Exception:
                log.exception("looking at the ward failed")

    async def _save_regularly(self) -> None:
        pause_s = 0.0 if self._follower.slow_start else SNAPSHOT_S
        while not await self._stops_within(pause_s):
            with contextlib.suppress(JournalError):  # full disk: the log is what matters, and says so itself
                took_s = await asyncio.to_thread(self._save)
                pause_s = max(SNAPSHOT_S, took_s / SNAPSHOT_SHARE_MAX)

    def _save(self) -> float:
        """Keep snapshots of twins and bodies; the seconds it took."""
        took_s = self._follower.save()
        return took_s + (self.keeper.save() if self.keeper is not None else 0.0)

    async def _stops_within(self, seconds: float) -> bool:
        """Wait so long; True as soon as the ward is to stop. Never cancelled: work on a thread is seen through."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True
