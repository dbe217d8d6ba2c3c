"""What the running ward answers: rows, patients, series, the past, alarms, health. The reading half of `WardPort`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, get_args

from vitruvian.alerts import Alert, Step
from vitruvian.core.errors import NotFoundError
from vitruvian.core.events import Kind
from vitruvian.core.time import DAY_US, Clock
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation import Evidence
from vitruvian.journal import Journal, Patient
from vitruvian.prediction.scores.of_twins import urine_24h
from vitruvian.scenarios import Signals
from vitruvian.service import build, directory, risk
from vitruvian.service.assess import Assessment
from vitruvian.service.board import latest_of_rows
from vitruvian.service.build import Latest
from vitruvian.service.details import STORED_DAYS, detail_of, event_views
from vitruvian.service.follower import Follower
from vitruvian.service.hub import Hub
from vitruvian.service.keeper import BodyKeeper
from vitruvian.service.metrics import Metrics
from vitruvian.service.model_settings import Role
from vitruvian.service.model_view import model_view, model_views
from vitruvian.service.models import MAIN
from vitruvian.service.pipeline import Intake
from vitruvian.service.ports import Mode
from vitruvian.service.reasons import reasons_view
from vitruvian.service.risk_views import ModelView, ReasonsView, RiskCard, RiskPoint
from vitruvian.service.twin_view import twin_view
from vitruvian.service.views import (
    AlertView,
    BedRow,
    Column,
    EventView,
    News2Brief,
    PatientDetail,
    PatientPage,
    QuarantineView,
    RiskBrief,
    SeriesView,
    StreamView,
    TwinView,
)
from vitruvian.twin import Twins, as_known, as_of, state

STORED_MAX: Final = 500
RAW_SHOWN: Final = 500
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
SIMULATED: Final = "urn:vitruvian:simulated"


class Reading:
    """Answers from the live state and the journal; the running ward adds the writing half."""

    mode: Mode
    zone: str
    intake: Intake
    hub: Hub

    def __init__(self, journal: Journal, clock: Clock, follower: Follower) -> None:
        self._journal, self._clock, self._follower = journal, clock, follower
        self._metrics = Metrics(self)
        self.keeper: BodyKeeper | None = None
        self.stream_counts: dict[str, Mapping[str, int]] = {}  # live counts of the intakes, by name, for the metrics

    @property
    def follower(self) -> Follower:
        """The live state."""
        return self._follower

    @property
    def twins(self) -> Twins:
        """Every patient's twin."""
        return self._follower.twins

    def now_us(self) -> int:
        """The clinical clock."""
        return self._clock.now_us()

    def seq(self) -> int:
        """The last commit that the twins have seen."""
        return self._follower.seq

    def columns(self) -> Sequence[Column]:
        """How the concepts of a row are shown, in order."""
        return build.ward_columns()

    # --- rows ----------------------------------------------------------------

    def rows(self, now_us: int, ids: Sequence[str] | None = None) -> list[BedRow]:
        """The patients on the ward (or the given ones)."""
        board = self._follower.board
        pids = board.on_ward(self.twins, now_us) if ids is None else [board.pid_of(one) for one in ids]
        known = [pid for pid in pids if pid in self.twins]
        latest = dict(zip(known, latest_of_rows(self.twins, self.twins.rows(known)), strict=True)) if known else {}
        alarms: dict[int, list[AlertView]] = {}
        for alert in self._follower.alerts.open():
            alarms.setdefault(alert.pid, []).append(self._alert_view(alert))
        return [self._row(board.patient(pid), latest.get(pid, {}), alarms.get(pid, []), now_us) for pid in pids]

    def _row(self, patient: Patient, latest: dict[str, Latest], alarms: list[AlertView], now_us: int) -> BedRow:
        found = self._follower.assessor.latest.get(patient.pid)
        scores = found.scores.news2 if found else None
        return build.bed_row(
            patient.id,
            patient.person,
            patient.location,
            latest,
            build.news2_brief(scores, found.at) if found and scores else News2Brief(None, "--", exact=False),
            build.news2_points(scores, found.at) if found and scores else {},
            self._risk_brief(patient.pid, found, now_us),
            alarms,
            now_us,
            simulated=is_simulated(patient),
        )

    def _risk_brief(self, pid: int, found: Assessment | None, now_us: int) -> RiskBrief:
        if found is None:
            return RiskBrief(None, insufficient="nothing was measured yet")
        return risk.brief(found, self._follower.assessor.points(MAIN, pid), now_us)

    def find_patients(
        self, *, text: str = "", identifier: str = "", ward_only: bool = False, limit: int = 100, after: str = ""
    ) -> PatientPage:
        """Of all that the journal knows, those whom `text` or `identifier` names; see `directory.find`."""
        board, twins = self._follower.board, self.twins
        here = set(board.on_ward(twins, self.now_us()))
        newest = dict(zip(twins.pid_of.tolist(), twins.newest_us.tolist(), strict=True))
        everyone = (
            directory.Known(
                one.id, one.person, one.identifiers, one.location, max(newest.get(pid, 0), 0), pid in here
            )
            for pid, one in list(board.patients.items())
            if one.merged_into is None
        )  # fmt: skip
        return directory.find(
            everyone, text=text, identifier=identifier, ward_only=ward_only, limit=limit, after=after
        )  # fmt: skip

    # --- one patient ---------------------------------------------------------

    def patient(self, patient: str) -> PatientDetail:
        """One patient in full."""
        now_us, board = self.now_us(), self._follower.board
        who = board.patient(board.pid_of(patient))
        row = self.rows(now_us, [who.id])[0]
        kinds: list[Kind] = ["administration", "order", "condition", "encounter", "identity", "device"]
        slow = self._journal.timeline(
            who.pid, start_us=now_us - STORED_DAYS * DAY_US, end_us=now_us + DAY_US, kinds=kinds, limit=STORED_MAX
        )
        heard = self._journal.timeline(
            who.pid, start_us=now_us - DAY_US, end_us=now_us + 1, kinds=["observation"], limit=STORED_MAX
        )
        stored = [(one.seq, one.recorded_us, one.superseded_by, one.entry) for one in (*slow, *heard)]
        visit = who.visit.visit.value if who.visit and who.visit.visit else ""
        return detail_of(
            row,
            who.person,
            [f"{one.type or 'ID'} {one.value}" for one in who.identifiers],
            self.twin(who.id),
            risk.cards(self._follower.assessor, who.pid, now_us),
            stored,
            self.alerts(patient=who.id),
            now_us,
            visit=visit,
            admitted_us=who.visit.admitted_us if who.visit else None,
        )

    def twin(self, patient: str, *, as_of_us: int | None = None, as_known_us: int | None = None) -> TwinView:
        """The twin now, as it was, or as it was known then."""
        board = self._follower.board
        who = board.patient(board.pid_of(patient))
        if as_of_us is not None:
            return twin_view(as_of(self._journal, who.pid, as_of_us), "as_of", who, self.seq())
        if as_known_us is not None:
            return twin_view(as_known(self._journal, who.pid, as_known_us), "as_known", who, self.seq())
        if who.pid not in self.twins:
            return TwinView(who.id, "live", self.now_us(), self.seq(), "", [])
        with self._follower.lock:
            now_us, seq = self.now_us(), self.seq()
            found = state(self.twins, who.pid, now_us)
        return twin_view(found, "live", who, seq, urine_24h(self._journal, who.pid, now_us))

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
        board = self._follower.board
        who = board.patient(board.pid_of(patient))
        wanted = [VOCABULARY[name] for name in concepts]
        samples = self._journal.series(
            who.pid,
            concepts=[concept.index for concept in wanted],
            start_us=start_us,
            end_us=end_us,
            known_by_us=known_by_us,
        )
        age = build.age_years(who.person, self.now_us())
        made = []
        for concept in wanted:
            mine = samples.take(samples.concept == concept.index)
            at_us, value, kept = build.thin(mine.occurred_us, mine.value, points)
            usual = concept.normal_range(age, who.person.sex if who.person else "") if age is not None else None
            made.append(
                SeriesView(
                    concept.name,
                    concept.unit,
                    at_us.tolist(),
                    value.tolist(),
                    len(mine.value),
                    len(kept) < len(mine.value),
                    low=usual[0] if usual else None,
                    high=usual[1] if usual else None,
                    quality=mine.quality[kept].tolist(),
                )
            )
        return made

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
        board = self._follower.board
        asked = None if kinds is None else [kind for kind in KINDS if kind in kinds]
        stored = self._journal.timeline(
            board.pid_of(patient), start_us=start_us, end_us=end_us, kinds=asked, known_by_us=known_by_us, limit=limit
        )
        views = event_views([(one.seq, one.recorded_us, one.superseded_by, one.entry) for one in stored])
        return views[:limit]

    def risk_history(self, patient: str, *, start_us: int, end_us: int, target: str = MAIN) -> list[RiskPoint]:
        """The risks of a target (a task) that were issued, oldest first; as issued, never recomputed."""
        pid = self._follower.board.pid_of(patient)
        found = self._journal.findings(pid, f"{target}_risk", start_us=start_us, end_us=end_us)
        columns = zip(found.occurred_us.tolist(), found.number.tolist(), found.seq.tolist(), strict=True)
        return [RiskPoint(at_us, number, seq) for at_us, number, seq in columns if number == number]

    # --- bodies --------------------------------------------------------------

    def known(self, patient: str) -> tuple[int, str]:
        """A patient's number and public id, the survivor's where records were merged. Raises NotFoundError."""
        board = self._follower.board
        pid = board.pid_of(patient)
        return pid, board.patient(pid).id

    def signals(self, pid: int) -> Signals | None:
        """A copy of what the risk models have read of a patient; None where nothing was measured."""
        with self._follower.lock:
            return self._follower.assessor.signals(pid, self.now_us()) if pid in self.twins else None

    def risk_cards(self, patient: str) -> list[RiskCard]:
        """Every target's risk in full, the main one first."""
        board = self._follower.board
        return risk.cards(self._follower.assessor, board.pid_of(patient), self.now_us())

    def risk_evidence(self, patient: str, target: str = MAIN) -> Evidence:
        """What an explanation of a target's risk may speak of; where none is told, why."""
        board = self._follower.board
        who = board.patient(board.pid_of(patient))
        with self._follower.lock:  # told and read at one moment
            return risk.evidence_now(self._follower.assessor, who.pid, target, self.now_us(), who.id, self.zone)

    def reasons(self, patient: str, target: str = MAIN) -> ReasonsView:
        """What moved a target's risk, in full. Raises NotFoundError where no risk is told."""
        board, assessor = self._follower.board, self._follower.assessor
        who = board.patient(board.pid_of(patient))
        with self._follower.lock:  # the patient as they stand: assessed and read at one moment
            found = assessor.latest.get(who.pid)
            told = found.told(target) if found else None
            if told is None:
                raise NotFoundError(f"found no risk of {target[:64]} of this patient; see the patient's page")
            values, hours = assessor.read(who.pid, told.predictor, told.now_us)
        return reasons_view(who.id, told.predictor, values, hours, told.now_us, told.why)

    # --- models --------------------------------------------------------------

    def models(self) -> list[ModelView]:
        """What runs: every task's champion, and its shadow where there is one."""
        return model_views(self._follower.assessor.scoring)

    def load_model(self, task: str, folder: str, role: Role, by: str, serves: str = "") -> ModelView:
        """Let a model of the configured directory run from the next batch on; see `Models.load`."""
        scoring = self._follower.assessor.scoring
        made = scoring.models.load(task, folder, role, by, serves)
        return model_view(scoring, made, role)

    def drop_shadow(self, task: str, by: str) -> None:
        """Run a task's champion alone. Raises NotFoundError where it has no shadow."""
        self._follower.assessor.models.drop_shadow(task, by)

    # --- alarms --------------------------------------------------------------

    def alerts(self, *, patient: str | None = None, resolved: bool = False) -> list[AlertView]:
        """Open alarms, the gravest and newest first; with `resolved`, the closed ones of the last day too."""
        pid = None if patient is None else self._follower.board.pid_of(patient)
        engine = self._follower.alerts
        found = engine.open(pid)
        if resolved:
            found += engine.resolved(self.now_us() - DAY_US, pid)
        return [self._alert_view(alert) for alert in found]

    def _alert_view(self, alert: Alert) -> AlertView:
        who = self._follower.board.patient(alert.pid) if alert.pid >= 0 else None  # the ward's own has no patient
        return AlertView(
            alert.id,
            who.id if who else "",
            who.location.label if who and who.location else "",
            build.name_of(who.person, who.id) if who else "The ward",
            alert.rule,
            alert.rank,
            alert.text,
            alert.state,
            alert.raised_us,
            concept=alert.concept if alert.concept in VOCABULARY else "",
            technical=alert.technical,
            escalated=alert.escalated,
            by=alert.by,
            reason=alert.reason,
            until_us=alert.until_us,
            resolved_us=alert.ended_us,
            value=alert.value,
            limit=alert.limit,
        )

    async def acknowledge(self, alert: str, who: str, reason: str) -> AlertView:
        """Someone has seen it and says what is done; durable on return."""
        with self._follower.lock:
            step = self._follower.alerts.acknowledge(alert, who, reason, self.now_us())
        return await self._settle(step)

    async def snooze(self, alert: str, who: str, reason: str, minutes: int) -> AlertView:
        """Silence it for a time; durable on return."""
        with self._follower.lock:
            step = self._follower.alerts.snooze(alert, who, reason, minutes, self.now_us())
        return await self._settle(step)

    async def _settle(self, step: Step) -> AlertView:
        await self.intake.submit(self._follower.entries_of([step]))
        with self._follower.lock:
            alert = self._follower.alerts.accept(step)
        self.hub.alerts_changed()
        self.hub.touch([self._follower.board.patient(alert.pid).id])
        return self._alert_view(alert)

    # --- the service ---------------------------------------------------------

    def quarantine(self, *, limit: int = 100, after: int = 0) -> list[QuarantineView]:
        """Refused inputs, newest first; `after` an id continues from there."""
        return [
            QuarantineView(
                row.id, row.recorded_us, row.source, row.source_id, row.reason, row.detail, len(row.raw),
                row.raw[:RAW_SHOWN].decode("utf-8", "replace"),
            )
            for row in self._journal.quarantined(limit, after, newest=True)
        ]  # fmt: skip

    def streams(self) -> list[StreamView]:
        """What is coming in."""
        return self.intake.sources.views(self.now_us())

    def health(self) -> dict[str, object]:
        """`ready` and what it rests on. No patient data."""
        return {
            "ready": not self.intake.unavailable,
            "journal": self.intake.unavailable or "committing",
            "mode": self.mode,
            "models": "; ".join(self._follower.assessor.models.notes) or "running",
            "seq": self.seq(),
            "patients": len(self._follower.board.patients),
            "waiting": self.intake.waiting,
            "counts": dict(self.intake.counts) | dict(self._follower.counts) | self._journal.counts(),
        }

    def metrics(self) -> bytes:
        """The Prometheus text exposition."""
        return self._metrics.text()


def is_simulated(patient: Patient) -> bool:
    """Whether a patient exists only in a simulation, by the authority of the identifiers."""
    return any(one.system.startswith(SIMULATED) for one in patient.identifiers)
