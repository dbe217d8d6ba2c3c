"""What the service and the pages ask of the ward at run time. `service.runtime.Ward` is the real one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from vitruvian.core.events import Entry, Receipt, Refusal
from vitruvian.explanation import Evidence
from vitruvian.physiology.trajectories import Trajectories
from vitruvian.scenarios import Posterior, Scenario
from vitruvian.service.body_views import BodyView, ForecastView, ScenarioView, WhatIfView
from vitruvian.service.hub import Hub
from vitruvian.service.model_settings import Role
from vitruvian.service.notes import Notes
from vitruvian.service.risk_views import ModelView, ReasonsView, RiskCard, RiskPoint
from vitruvian.service.views import (
    AlertView,
    BedRow,
    Column,
    EventView,
    PatientDetail,
    PatientPage,
    QuarantineView,
    SeriesView,
    StreamView,
    TwinView,
)

Mode = Literal["simulated", "replay", "live"]


class Estimated(Protocol):
    """An unmeasured quantity as a filter estimates it: the middle 90 and 50 % of its members, the 90 % believed before
    any data, and how much of it comes from data (0 to 1).
    """

    @property
    def name(self) -> str:
        """Of the vocabulary, or the model's own."""
        ...

    @property
    def unit(self) -> str:
        """UCUM."""
        ...

    @property
    def median(self) -> float:
        """The middle member."""
        ...

    @property
    def low(self) -> float:
        """5th percentile."""
        ...

    @property
    def high(self) -> float:
        """95th percentile."""
        ...

    @property
    def low50(self) -> float:
        """25th percentile."""
        ...

    @property
    def high50(self) -> float:
        """75th percentile."""
        ...

    @property
    def prior_low(self) -> float:
        """5th percentile before any data."""
        ...

    @property
    def prior_high(self) -> float:
        """95th percentile before any data."""
        ...

    @property
    def from_data(self) -> float:
        """Share that data decided."""
        ...


class BodiesPort(Protocol):
    """Whatever keeps patients' bodies, by the patient's number."""

    def posterior(self, pid: int) -> Posterior | None:
        """The body now; None where there is none yet."""
        ...

    def forecast(self, pid: int, horizon_s: float, every_s: float = 300.0) -> Trajectories | None:
        """What comes next with nothing changed; None where nothing can be said."""
        ...

    def estimates(self, pid: int) -> Sequence[Estimated]:
        """What is not measured."""
        ...


class BodyAnswersPort(Protocol):
    """What is answered of bodies; `service.bodies.BodyAnswers` is the real one. NotFoundError for unknown ids."""

    def body(self, patient: str) -> BodyView:
        """The body now: its standing, estimates, and what may be asked of it."""
        ...

    def forecast(self, patient: str, hours: float) -> ForecastView:
        """What comes next with nothing changed."""
        ...

    def what_if(self, patient: str, scenario: Scenario, outputs: Sequence[str] | None = None) -> WhatIfView:
        """What a scenario would change."""
        ...

    def saved(self, patient: str | None) -> list[ScenarioView]:
        """Saved scenarios of a patient and for everyone; None: all."""
        ...

    def scenario(self, which: str) -> ScenarioView:
        """One of them."""
        ...

    def save(self, patient: str, scenario: Scenario, by: str) -> ScenarioView:
        """Keep one, durably; for everyone where `patient` is empty."""
        ...

    def delete(self, which: str) -> ScenarioView:
        """Forget one."""
        ...


class WardPort(Protocol):
    """The running ward. Reads answer from memory or by the journal's indexes; none of them waits for a commit.

    Public patient ids are texts. Raises NotFoundError for one that is not known; a merged patient's id answers with
    the survivor.
    """

    hub: Hub
    mode: Mode
    title: str  # what the ward is called on its page
    speed: float  # clinical seconds a second; 1 unless a replay runs faster
    zone: str  # IANA name of the facility's zone, in which pages show times

    @property
    def body_answers(self) -> BodyAnswersPort:
        """What is answered of patients' bodies."""
        ...

    @property
    def notes(self) -> Notes:
        """What clinical notes suggest."""
        ...

    def now_us(self) -> int:
        """The clinical clock."""
        ...

    def seq(self) -> int:
        """The last commit that the twins have seen: what an answer is fresh up to."""
        ...

    def columns(self) -> Sequence[Column]:
        """How the concepts of a row are shown, in order."""
        ...

    def rows(self, now_us: int, ids: Sequence[str] | None = None) -> list[BedRow]:
        """The patients in beds (or the given ones), in no order that matters."""
        ...

    def find_patients(
        self, *, text: str = "", identifier: str = "", ward_only: bool = False, limit: int = 100, after: str = ""
    ) -> PatientPage:
        """Of all that the journal knows, those whom `text` or `identifier` (`SYSTEM|VALUE`) names; see `directory`."""
        ...

    def patient(self, patient: str) -> PatientDetail:
        """One patient in full."""
        ...

    def twin(self, patient: str, *, as_of_us: int | None = None, as_known_us: int | None = None) -> TwinView:
        """The twin now, as it was, or as it was known then."""
        ...

    def series(
        self,
        patient: str,
        concepts: Sequence[str],
        *,
        start_us: int,
        end_us: int,
        known_by_us: int | None = None,
        points: int = 600,
    ) -> list[SeriesView]:
        """Each concept over [start, end), thinned to about `points` a concept (0: all)."""
        ...

    def timeline(
        self,
        patient: str,
        *,
        start_us: int,
        end_us: int,
        kinds: Sequence[str] | None = None,
        known_by_us: int | None = None,
        limit: int = 200,
    ) -> list[EventView]:
        """What happened, newest first."""
        ...

    def risk_history(self, patient: str, *, start_us: int, end_us: int, target: str = "sepsis") -> list[RiskPoint]:
        """The risks of a target (a task) that were issued, oldest first; as issued, never recomputed."""
        ...

    def risk_cards(self, patient: str) -> list[RiskCard]:
        """Every target's risk in full, the main one first."""
        ...

    def risk_evidence(self, patient: str, target: str = "sepsis") -> Evidence:
        """What an explanation of a target's risk may speak of; where none is told, why. NotFoundError where no model
        of it runs.
        """
        ...

    def reasons(self, patient: str, target: str = "sepsis") -> ReasonsView:
        """What moved a target's risk, in full. Raises NotFoundError where no risk is told."""
        ...

    def models(self) -> list[ModelView]:
        """What runs: every task's champion, and its shadow where there is one."""
        ...

    def load_model(self, task: str, folder: str, role: Role, by: str, serves: str = "") -> ModelView:
        """Let a model of the configured directory run from the next batch on. Raises ModelError where it does not load
        or pass its checks (what ran goes on running), NotFoundError, ConfigurationError.
        """
        ...

    def drop_shadow(self, task: str, by: str) -> None:
        """Run a task's champion alone. Raises NotFoundError where it has no shadow."""
        ...

    def alerts(self, *, patient: str | None = None, resolved: bool = False) -> list[AlertView]:
        """Open alarms, the gravest and newest first; with `resolved`, the closed ones of the last day too."""
        ...

    async def acknowledge(self, alert: str, who: str, reason: str) -> AlertView:
        """Someone has seen it and says what is done; durable on return."""
        ...

    async def snooze(self, alert: str, who: str, reason: str, minutes: int) -> AlertView:
        """Silence it for a time; durable on return."""
        ...

    async def submit(self, entries: Sequence[Entry], *, applied: bool = False) -> list[Receipt]:
        """See `core.ports.Sink`; with `applied`, returns when the twins have moved too."""
        ...

    async def refuse(self, refusals: Sequence[Refusal]) -> list[Receipt]:
        """See `core.ports.Sink`."""
        ...

    def quarantine(self, *, limit: int = 100, after: int = 0) -> list[QuarantineView]:
        """Refused inputs, newest first; `after` an id continues from there."""
        ...

    def streams(self) -> list[StreamView]:
        """What is coming in."""
        ...

    def health(self) -> dict[str, object]:
        """`ready` (bool) and what it rests on; `counts` for the data page. No patient data."""
        ...

    def metrics(self) -> bytes:
        """The Prometheus text exposition."""
        ...
