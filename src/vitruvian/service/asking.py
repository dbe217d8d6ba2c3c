"""Questions about a patient of the running ward: routed, and answered by the evidence of the ward's own views."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from vitruvian.core.errors import ModelError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.ask.answer import CAN_ASK, answer
from vitruvian.explanation.ask.embed import installed_embedder
from vitruvian.explanation.ask.judge import Judge, kept_judge
from vitruvian.explanation.ask.kinds import REFUSALS, Intent, Route
from vitruvian.explanation.ask.port import ScoreTold, Source
from vitruvian.explanation.ask.route import route
from vitruvian.explanation.claims import Audience
from vitruvian.explanation.drafts import manner_of
from vitruvian.explanation.evidence.alert import Alarm
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.evidence.parts import Measured, Person
from vitruvian.explanation.evidence.timeline import Happened
from vitruvian.explanation.subjects import in_sentence
from vitruvian.scenarios import Scenario
from vitruvian.service.explaining import Explaining
from vitruvian.service.ports import WardPort
from vitruvian.service.views import BedRow, StateRow, TwinView

__all__ = ["Asked", "Asking", "WardAnswers"]

POINTS: Final = 240
EVENTS_MAX: Final = 200
_VOID: Final = ("cancelled", "entered-in-error")


class Asked(msgspec.Struct, frozen=True):
    """What a question asked, and the packet that answers it. `answered`: false for a refusal, and where nothing is
    known. `can_ask`: questions that are understood, where this one was not.
    """

    route: Route
    evidence: Evidence
    answered: bool
    can_ask: tuple[str, ...] = ()

    @property
    def intent(self) -> Intent:
        """What was asked."""
        return self.route.intent


class Asking:
    """Questions to a ward. Thread-safe. `examples` gives what questions are judged by beside names and patterns, or
    None: by default what was learned on MiniLM's embeddings, where these are installed.
    """

    def __init__(
        self,
        ward: WardPort,
        explaining: Explaining | None = None,
        examples: Callable[[], Judge | None] | None = None,
    ) -> None:
        self._ward, self._explaining = ward, explaining or Explaining(ward)
        self._examples = examples or _installed
        self._judge: Judge | None = None
        self._prepared = False
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Read what questions are judged by, once; the first question does so where nobody did before."""
        with self._lock:
            if not self._prepared:
                self._judge, self._prepared = self._examples(), True

    def answer(self, patient: str, question: str, audience: Audience = "clinician", language: str = "en") -> Asked:
        """What the question asks, and the evidence that answers it, for that reader. Questions are understood in
        English whatever the `language` of the answer. Raises NotFoundError for an unknown patient, LimitError for a
        question that is too long, ConfigurationError for a language that is not there.
        """
        manner_of(language)
        self.prepare()
        found = route(question, self._ward.now_us(), self._ward.zone, self._judge)
        evidence = answer(found, WardAnswers(self._ward, self._explaining, patient), audience, language)
        silent = any(one.name in ("unknown", "refused", "reason") for one in evidence.of_role("words"))
        offered = CAN_ASK if found.intent == "unanswerable" and found.why == "unknown" else ()
        return Asked(found, evidence, found.intent not in REFUSALS and not silent, offered)


def _installed() -> Judge | None:
    embed = installed_embedder()
    if embed is None:
        return None
    try:
        return kept_judge(embed, embed.digest)
    except ModelError:  # other weights than those it was learned on
        return None


class WardAnswers:
    """One patient of a running ward, as `explanation.ask.port.Answers` asks for it."""

    def __init__(self, ward: WardPort, explaining: Explaining, patient: str) -> None:
        self._ward, self._explaining = ward, explaining
        self._row: BedRow = ward.rows(ward.now_us(), [patient])[0]
        self.patient, self.zone, self.simulated = self._row.id, ward.zone, self._row.simulated
        self._seen: TwinView | None = None

    def now_us(self) -> int:
        """The clinical clock."""
        return self._ward.now_us()

    def person(self) -> Person:
        """Age and sex."""
        years = self._row.age_years
        return Person(None if years is None else float(years), self._row.sex)

    def admitted_us(self) -> int | None:
        """When the stay began."""
        return self._ward.patient(self.patient).admitted_us

    def tasks(self) -> Sequence[str]:
        """The tasks whose risk is told."""
        return [card.task for card in self._ward.risk_cards(self.patient)]

    def risk(self, task: str) -> Evidence:
        """The packet of a risk now."""
        return self._explaining.evidence(self.patient, f"risk:{task}")

    def issued(self, task: str, start_us: int, end_us: int) -> Sequence[tuple[int, float]]:
        """The risks that were issued."""
        found = self._ward.risk_history(self.patient, start_us=start_us, end_us=end_us, target=task)
        return [(one.at_us, one.probability) for one in found]

    def series(self, concept: str, start_us: int, end_us: int) -> Sequence[Measured]:
        """Measurements, oldest first."""
        if concept not in VOCABULARY:
            return []
        views = self._ward.series(self.patient, [concept], start_us=start_us, end_us=end_us, points=POINTS)
        return [Measured(one.concept, value, at_us) for one in views
                for at_us, value in zip(one.at_us, one.value, strict=True)]  # fmt: skip

    def newest(self, concept: str) -> Measured | None:
        """The newest measurement of the twin's state."""
        row = next((one for one in self._twin().rows if one.concept == concept and one.value is not None), None)
        return None if row is None or row.kind == "intervention" else _measured(row)

    def estimated(self, concept: str) -> tuple[float, float, float] | None:
        """What the body estimates of it."""
        body = self._ward.body_answers.body(self.patient)
        found = next((one for one in body.estimates if one.name == concept), None)
        return None if found is None else (found.median, found.low, found.high)

    def forecast(self, hours: float) -> Evidence:
        """The packet of a forecast."""
        return self._explaining.forecast(self.patient, hours)

    def what_if(self, scenario: Scenario) -> Evidence:
        """The packet of a what-if, run in the patient's body."""
        return self._explaining.what_if(self._ward.body_answers.what_if(self.patient, scenario))

    def weight_kg(self) -> float | None:
        """The newest body weight on file."""
        found = self.newest("body_weight")
        return None if found is None else found.value

    def interventions(self) -> Mapping[str, float | None]:
        """What the body knows how to do, and what goes on of it now."""
        return {one.name: one.now for one in self._ward.body_answers.body(self.patient).interventions}

    def alarms(self) -> Evidence:
        """The packet of the open alarms."""
        return self._explaining.alerts(self.patient)

    def alarms_since(self, start_us: int) -> Sequence[Alarm]:
        """Alarms raised since then."""
        return [
            Alarm(one.rule, one.text, one.raised_us, one.priority, one.concept, technical=one.technical)
            for one in self._ward.alerts(patient=self.patient, resolved=True)
            if one.raised_us >= start_us
        ]

    def given(self, start_us: int) -> Sequence[Happened]:
        """Medicines given since then."""
        found = self._ward.timeline(
            self.patient, start_us=start_us, end_us=self.now_us() + 1, kinds=("administration",), limit=EVENTS_MAX
        )
        return [
            Happened(in_sentence(one.label), one.text, one.occurred_us, one.concept, one.source)
            for one in found
            if not one.superseded and one.status not in _VOID
        ]

    def timeline(self, hours: int) -> Evidence:
        """The packet of the last hours."""
        return self._explaining.timeline(self.patient, hours)

    def scores(self) -> Sequence[ScoreTold]:
        """Every score now."""
        return [
            ScoreTold(
                one.name, one.display, None if one.reason else one.value, one.reason,
                tuple((part.name, part.points) for part in one.parts if part.points is not None), one.missing,
            )
            for one in self._twin().scores
        ]  # fmt: skip

    def card(self, task: str) -> Evidence:
        """The packet of the model of a task."""
        return self._explaining.card(task)

    def missing(self) -> Sequence[str]:
        """Key inputs that were not measured recently: of the early-warning signs, and of the main risk."""
        packets = [self._explaining.timeline(self.patient, 1), *(self.risk(task) for task in self.tasks()[:1])]
        found = [one.name for packet in packets for one in packet.of_role("missing")]
        return list(dict.fromkeys(found))

    def expired(self) -> Sequence[Measured]:
        """Values that have outlived their validity."""
        return [_measured(one) for one in self._twin().rows
                if one.state == "expired" and one.kind in ("vital", "lab") and one.value is not None]  # fmt: skip

    def sources(self) -> Sequence[Source]:
        """Where the data came from over the last day."""
        found = self._ward.patient(self.patient).sources
        return [Source(one.source, one.entries, one.flagged, one.last_us) for one in found]

    def _twin(self) -> TwinView:
        if self._seen is None:
            self._seen = self._ward.twin(self.patient)
        return self._seen


def _measured(row: StateRow) -> Measured:
    assert row.value is not None
    return Measured(row.concept, row.value, row.at_us)
