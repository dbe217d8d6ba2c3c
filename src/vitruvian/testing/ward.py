"""A ward in memory behind the service's port: simulated patients, driven by hand, for testing pages and routes.

Everything shown is computed by the code that the real ward uses (`service.build`, `prediction.scores`), apart from the
risk, which is a plain stand-in and named so. Nothing is durable here.
"""

from __future__ import annotations

import functools
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Final, ParamSpec, TypeVar

import numpy as np

from vitruvian.core.errors import JournalUnavailable, NotFoundError
from vitruvian.core.events import Coded, Entry, Quantity, Receipt, Refusal
from vitruvian.core.identifiers import Identifier
from vitruvian.core.time import DAY_US, MINUTE_US, SECOND_US, ManualClock
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation import Evidence
from vitruvian.prediction.scores import INPUTS, Scores, inputs_from, score
from vitruvian.prediction.scores.inputs import NO_BIRTH
from vitruvian.service import build, directory
from vitruvian.service.build import Latest
from vitruvian.service.details import detail_of, event_views, score_cards, state_rows
from vitruvian.service.hub import Hub
from vitruvian.service.notes import Notes
from vitruvian.service.ports import Mode
from vitruvian.service.risk_views import ReasonsView, RiskCard, RiskPoint
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
from vitruvian.testing.beds import RULES, SPREAD, Bed
from vitruvian.testing.bodies import memory_bodies
from vitruvian.testing.risks import StandInModels, reasons_view, risk_brief, risk_cards, risk_evidence_of

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
START_US: Final = 1_767_258_000_000_000  # 2026-01-01T09:00:00Z


def _locked(method: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """One thread at a time: the service reads on its threads while a test drives on its own."""

    @functools.wraps(method)
    def held(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        ward = args[0]
        assert isinstance(ward, MemoryWard)
        with ward._lock:
            return method(*args, **kwargs)

    return held


class MemoryWard(StandInModels):
    """See the module. `step()` moves the clock and every patient that is not `freeze`d; pages see it by the hub."""

    mode: Mode = "simulated"
    speed = 1.0
    zone = "UTC"

    def __init__(self, beds: int = 24, seed: int = 7, *, history_h: float = 24.0) -> None:
        self.title = "Ward 4"
        self.clock = ManualClock(START_US)
        self.unavailable = False
        self._seq = itertools.count(1)
        self._last_seq = 0
        self._beds = {bed.id: bed for bed in (Bed(number, seed, START_US) for number in range(beds))}
        self._refused: list[QuarantineView] = []
        self._minutes = 0
        self._lock = threading.RLock()
        for bed in self._beds.values():
            bed.begin(START_US, history_h)
            for entry in bed.results(START_US):
                self._keep(bed, entry, entry.events[0].occurred_us + 20 * MINUTE_US)
        self.hub = Hub(self.rows, self.alerts, self.seq, self.now_us)
        self.notes = Notes(None, lambda one: (self._bed(one).id, Identifier("urn:vitruvian:test", one)), self.now_us)
        self.bodies, self.body_answers = memory_bodies(self._beds, self.now_us, self._lock)

    def _keep(self, bed: Bed, entry: Entry, recorded_us: int) -> int:
        self._last_seq = next(self._seq)
        bed.entries.appendleft((self._last_seq, recorded_us, entry))
        return self._last_seq

    # -- driving ------------------------------------------------------------------

    @_locked
    def step(self, seconds: float = 1.0) -> None:
        """Move the clock; every live bed measures its vitals once (temperature each minute), and its alarms follow."""
        self.clock.advance(int(seconds * SECOND_US))
        now_us, moved = self.now_us(), []
        minute = now_us // MINUTE_US != self._minutes
        self._minutes = now_us // MINUTE_US
        concepts = [name for name in SPREAD if minute or name != "body_temperature"]
        for bed in self._beds.values():
            if not bed.frozen:
                bed.measure(now_us, concepts)
                self._alarm(bed)
                moved.append(bed.id)
        self._last_seq = next(self._seq)
        self.hub.touch(moved, now_us)

    def freeze(self, patient: str, frozen: bool = True) -> None:
        """Stop (or resume) a patient's monitor: nothing more is measured."""
        self._bed(patient).frozen = frozen

    @_locked
    def set_value(self, patient: str, concept: str, value: float) -> int:
        """Measure one value now; returns the seq by which readers will have seen it."""
        bed = self._bed(patient)
        bed.put(concept, self.now_us(), value)
        self._last_seq = next(self._seq)
        self._alarm(bed)
        self.hub.touch([patient], self.now_us())
        return self._last_seq

    def _alarm(self, bed: Bed) -> None:
        latest = bed.latest()
        for concept, label, sign, limit, priority in RULES:
            rule = f"{concept}{sign}{limit:g}"
            value = latest[concept].value
            beyond = value > limit if sign == ">" else value < limit
            before = bed.alarms.get(rule)
            if beyond and (before is None or before.state == "resolved"):
                bed.alarms[rule] = AlertView(
                    f"{bed.id}.{rule}",
                    bed.id,
                    bed.location.label,
                    build.name_of(bed.person, bed.id),
                    rule,
                    priority,
                    f"{label} {value:g} {sign} {limit:g}",
                    "open",
                    self.now_us(),
                    concept,
                )
                self.hub.alerts_changed()
            elif not beyond and before is not None and before.state != "resolved":
                del bed.alarms[rule]
                self.hub.alerts_changed()

    # -- the port -----------------------------------------------------------------

    def now_us(self) -> int:
        """The clinical clock."""
        return self.clock.now_us()

    def seq(self) -> int:
        """The last commit seen."""
        return self._last_seq

    def columns(self) -> Sequence[Column]:
        """How a row's concepts are shown."""
        return build.ward_columns()

    def _bed(self, patient: str) -> Bed:
        try:
            return self._beds[patient]
        except KeyError:
            raise NotFoundError(f"found no patient {patient[:64]!r}; see the list of patients") from None

    def _scores(self, beds: Sequence[Bed], now_us: int) -> Scores:
        value = np.full((len(INPUTS), len(beds)), np.nan)
        at_us = np.zeros((len(INPUTS), len(beds)), np.int64)
        for column, bed in enumerate(beds):
            for row, name in enumerate(INPUTS):
                if name in bed.samples:
                    at_us[row, column], value[row, column] = bed.samples[name][-1]
        valid = np.array([VOCABULARY[name].valid_for_s for name in INPUTS], float)
        births = np.array([NO_BIRTH if b.person.birth_us is None else b.person.birth_us for b in beds], np.int64)
        return score(inputs_from(value, at_us, now_us, valid, births))

    @_locked
    def rows(self, now_us: int, ids: Sequence[str] | None = None) -> list[BedRow]:
        """Rows of the ward."""
        beds = list(self._beds.values()) if ids is None else [self._bed(one) for one in ids]
        scores = self._scores(beds, now_us)
        return [
            build.bed_row(
                bed.id,
                bed.person,
                bed.location,
                bed.latest(),
                build.news2_brief(scores.news2, at),
                build.news2_points(scores.news2, at),
                risk_brief(bed, now_us),
                self.alerts(patient=bed.id),
                now_us,
                simulated=True,
            )
            for at, bed in enumerate(beds)
        ]

    @_locked
    def find_patients(
        self, *, text: str = "", identifier: str = "", ward_only: bool = False, limit: int = 100, after: str = ""
    ) -> PatientPage:
        """Those whom `text` or `identifier` names."""
        everyone = [
            directory.Known(
                bed.id, bed.person, (Identifier("urn:vitruvian:test", bed.id, "MR"),), bed.location,
                max((values[-1][0] for values in bed.samples.values() if values), default=0), True,
            )
            for bed in self._beds.values()
        ]  # fmt: skip
        return directory.find(
            everyone, text=text, identifier=identifier, ward_only=ward_only, limit=limit, after=after
        )  # fmt: skip

    @_locked
    def patient(self, patient: str) -> PatientDetail:
        """One patient in full."""
        bed, now_us = self._bed(patient), self.now_us()
        row = self.rows(now_us, [patient])[0]
        return detail_of(
            row,
            bed.person,
            [f"MRN {bed.id}"],
            self.twin(patient),
            risk_cards(row, now_us),
            [(seq, recorded, None, entry) for seq, recorded, entry in bed.entries],
            self.alerts(patient=patient),
            now_us,
            admitted_us=START_US - DAY_US,
        )

    @_locked
    def twin(self, patient: str, *, as_of_us: int | None = None, as_known_us: int | None = None) -> TwinView:
        """The twin now, or as it was."""
        bed, at_us = self._bed(patient), as_of_us or as_known_us or self.now_us()
        latest = {}
        for concept, values in bed.samples.items():
            past = [pair for pair in values if pair[0] <= at_us][-2:]
            if past:
                apart = (past[-1][0] - past[0][0]) / SECOND_US if len(past) > 1 else None
                latest[concept] = Latest(past[-1][1], past[-1][0], apart)
        basis = "as_of" if as_of_us else "as_known" if as_known_us else "live"
        age = build.age_years(bed.person, at_us)
        cards = score_cards(self._scores([bed], at_us), 0)
        rows = state_rows(latest, age, bed.person.sex, at_us)
        return TwinView(bed.id, basis, at_us, self._last_seq, "0" * 16, rows, cards)  # type: ignore[arg-type]

    @_locked
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
        """Values over time."""
        bed, made = self._bed(patient), []
        for name in concepts:
            concept = VOCABULARY[name]
            past = [
                pair for pair in bed.samples.get(name, ()) if start_us <= pair[0] < min(end_us, known_by_us or end_us)
            ]
            at_us, value = np.array([p[0] for p in past], np.int64), np.array([p[1] for p in past], float)
            at, kept, _ = build.thin(at_us, value, points)
            usual = concept.normal_range(build.age_years(bed.person, end_us) or 60, bed.person.sex) or (None, None)
            made.append(
                SeriesView(name, concept.unit, at.tolist(), kept.tolist(), len(past), len(kept) < len(past), *usual)
            )
        return made

    @_locked
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
        stored = [(seq, recorded, None, entry) for seq, recorded, entry in self._bed(patient).entries]
        views = [view for view in event_views(stored) if start_us <= view.occurred_us < end_us]
        return sorted((v for v in views if not kinds or v.kind in kinds), key=lambda v: -v.occurred_us)[:limit]

    def risk_history(self, patient: str, *, start_us: int, end_us: int, target: str = "sepsis") -> list[RiskPoint]:
        """Issued risks; only those of sepsis are kept here."""
        known = self._bed(patient).risks if target == "sepsis" else ()
        return [RiskPoint(at, value, 0) for at, value in known if start_us <= at < end_us]

    def risk_cards(self, patient: str) -> list[RiskCard]:
        """The stand-ins of a patient."""
        now_us = self.now_us()
        return risk_cards(self.rows(now_us, [patient])[0], now_us)

    @_locked
    def risk_evidence(self, patient: str, target: str = "sepsis") -> Evidence:
        """The stand-in's level, with the bed's own newest values as what it is associated with."""
        card = next((one for one in self.risk_cards(patient) if one.task == target), None)
        if card is None:
            raise NotFoundError(f"found no model of {target[:64]!r}; see the patient's page")
        return risk_evidence_of(card, self._bed(patient), self.now_us(), self.zone)

    def reasons(self, patient: str, target: str = "sepsis") -> ReasonsView:
        """Two made-up reasons."""
        card = next((one for one in self.risk_cards(patient) if one.task == target), None)
        if card is None or card.probability is None:
            raise NotFoundError(f"found no risk of {target[:64]} of this patient; see the patient's page")
        return reasons_view(card, patient)

    @_locked
    def alerts(self, *, patient: str | None = None, resolved: bool = False) -> list[AlertView]:
        """Open alarms."""
        beds = self._beds.values() if patient is None else [self._bed(patient)]
        found = [alarm for bed in beds for alarm in bed.alarms.values()]
        return sorted(found, key=lambda alarm: (-alarm.priority, -alarm.raised_us))

    async def acknowledge(self, alert: str, who: str, reason: str) -> AlertView:
        """Acknowledge an alarm."""
        return self._settle(alert, "acknowledged", who, reason)

    async def snooze(self, alert: str, who: str, reason: str, minutes: int) -> AlertView:
        """Silence an alarm."""
        return self._settle(alert, "snoozed", who, reason, self.now_us() + minutes * MINUTE_US)

    def _settle(self, alert: str, state: str, who: str, reason: str, until_us: int | None = None) -> AlertView:
        import msgspec

        for bed in self._beds.values():
            for rule, alarm in bed.alarms.items():
                if alarm.id == alert:
                    done = msgspec.structs.replace(alarm, state=state, by=who, reason=reason, until_us=until_us)
                    bed.alarms[rule] = done
                    self.hub.alerts_changed()
                    self.hub.touch([bed.id])
                    return done
        raise NotFoundError("found no such alarm; it may be over")

    async def submit(self, entries: Sequence[Entry], *, applied: bool = False) -> list[Receipt]:
        """Keep entries of beds by their device's name, which is the patient's id here."""
        if self.unavailable:
            raise JournalUnavailable("the disk is full: nothing was committed; send again later")
        receipts = []
        for entry in entries:
            bed = self._beds.get(entry.device) or next(
                (self._beds[i.value] for i in entry.subject if i.value in self._beds), None
            )
            if bed is None:
                receipts.append(Receipt("waiting", next(self._seq)))
                continue
            for event in entry.events:
                number = event.value.value if isinstance(event.value, Quantity) else None
                if isinstance(event.value, Coded):
                    number = event.value.number
                if number is not None:
                    bed.put(event.concept, event.occurred_us, number)
            receipts.append(Receipt("committed", self._keep(bed, entry, self.now_us())))
            self.hub.touch([bed.id], self.now_us())
        return receipts

    async def refuse(self, refusals: Sequence[Refusal]) -> list[Receipt]:
        """Keep refused inputs."""
        if self.unavailable:
            raise JournalUnavailable("the disk is full: nothing was committed; send again later")
        receipts = []
        for one in refusals:
            number = next(self._seq)
            raw = one.raw[:200].decode("utf-8", "replace")
            view = QuarantineView(
                number, self.now_us(), one.source, one.source_id, one.reason, one.detail, len(one.raw), raw
            )
            self._refused.insert(0, view)
            receipts.append(Receipt("quarantined", number, one.reason))
        return receipts

    def quarantine(self, *, limit: int = 100, after: int = 0) -> list[QuarantineView]:
        """Refused inputs, newest first."""
        return [view for view in self._refused if not after or view.id < after][:limit]

    def streams(self) -> list[StreamView]:
        """What is coming in."""
        return [StreamView("simulated:monitors", self._last_seq, float(len(self._beds)), self.now_us(), 0.2)]

    def health(self) -> dict[str, object]:
        """Ready unless told otherwise."""
        return {"ready": not self.unavailable, "beds": len(self._beds), "mode": self.mode}

    def metrics(self) -> bytes:
        """One gauge."""
        return f"# TYPE vitruvian_beds gauge\nvitruvian_beds {len(self._beds)}\n".encode()
