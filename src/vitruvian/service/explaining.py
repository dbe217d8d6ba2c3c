"""From the running ward to packets of evidence: what an explanation of a patient, a ward or a model may speak of.

Everything is read through the ward's port, so that the packets hold what the pages show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from vitruvian.core.errors import ConfigurationError, NotFoundError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.evidence.alert import Alarm, Course, alert_evidence, course_of
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.evidence.card import Card, card_evidence
from vitruvian.explanation.evidence.forecast import forecast_evidence, outlook_of
from vitruvian.explanation.evidence.handover import BedStory, TheRisk, TheScore, handover_evidence
from vitruvian.explanation.evidence.parts import Measured, Person, label
from vitruvian.explanation.evidence.timeline import Happened, timeline_evidence
from vitruvian.explanation.evidence.what_if import Difference, RiskDifference, what_if_evidence, worst_of
from vitruvian.explanation.subjects import in_sentence
from vitruvian.physiology.actions import Action
from vitruvian.prediction.serve.gate import REQUIRED
from vitruvian.service.body_views import ForecastView, WhatIfView
from vitruvian.service.ports import WardPort
from vitruvian.service.risk_views import ModelView
from vitruvian.service.views import AlertView, BedRow, EventView, StateRow

__all__ = ["MAIN_SCORE", "Explaining", "places_of"]

MAIN_SCORE: Final = "news2"
MAIN_RISK: Final = "sepsis"
FORECAST_H: Final = 6.0
BEHIND_US_MAX: Final = HOUR_US  # a body this far behind the ward foretells the past
BEHIND: Final = "the body has not taken in the last hour yet"
COURSE_H: Final = 6.0
HANDOVER_H: Final = 12.0
EARLIER_H: Final = 6.0
TIMELINE_H: Final = 24
TIMELINE_H_MAX: Final = 24 * 7
EVENTS_MAX: Final = 200
ENDED: Final = "an alarm that has ended since"
POINTS: Final = 240  # of a course: thinning keeps first, last and extremes
_VITALS: Final = (
    "heart_rate", "respiratory_rate", "oxygen_saturation", "systolic_pressure", "mean_pressure", "body_temperature",
)  # fmt: skip
_LABS: Final = tuple(concept.name for concept in VOCABULARY if concept.kind == "lab" and not concept.retired)
_VOID: Final = ("cancelled", "entered-in-error")
_LANES: Final[Mapping[str, int]] = {"emergency": 0, "urgent": 1, "low": 2, "routine": 3, "unscored": 4}
_ABOUTS: Final = "risk:TASK, forecast, alerts, timeline:HOURS, handover, model:TASK"


class Explaining:
    """Packets of a running ward. Unknown patients, tasks and matters raise NotFoundError."""

    def __init__(self, ward: WardPort) -> None:
        self._ward = ward

    def evidence(self, patient: str, about: str, what_if: WhatIfView | None = None) -> Evidence:
        """The packet of a matter: `risk:TASK` (`risk`: of sepsis), `forecast`, `what_if` (of that answer), `alerts`,
        `timeline:HOURS` (`timeline`: 24), `handover` (of the patient's ward where one is named, else of everyone) and
        `model:TASK`.
        """
        matter, _, detail = about.partition(":")
        if matter == "risk":
            return self._ward.risk_evidence(patient, detail or MAIN_RISK)
        if matter == "forecast" and not detail:
            return self.forecast(patient)
        if matter == "what_if" and what_if is not None:
            return self.what_if(what_if)
        if matter == "alerts" and not detail:
            return self.alerts(patient)
        if matter == "timeline":
            return self.timeline(patient, _hours(detail))
        if matter == "handover":
            return self.handover(detail)
        if matter == "model" and detail:
            return self.card(detail)
        raise NotFoundError(f"found nothing to explain called {about[:80]!r}, expected one of {_ABOUTS}")

    # --- of a patient --------------------------------------------------------

    def forecast(self, patient: str, hours: float = FORECAST_H) -> Evidence:
        """What the patient's body is expected to show; where there is none, why."""
        row, zone = self._row(patient), self._ward.zone
        found: ForecastView = self._ward.body_answers.forecast(patient, hours)
        now_us = self._ward.now_us()
        behind = bool(found.at_us) and now_us - found.at_us > BEHIND_US_MAX
        at_us = now_us if behind or not found.at_us else found.at_us
        spans_h = [(one - at_us) / HOUR_US for one in found.times_us]
        outlooks = [
            outlook_of(one.concept, spans_h, one.bands[0], one.bands[2], one.bands[4])
            for one in found.outputs
            if spans_h and one.concept in VOCABULARY and not behind
        ]
        body = self._ward.body_answers.body(patient)
        said = [f"the body is {body.status}: {body.reason}"] if body.reason and body.status != "tracking" else []
        reach_h = round(spans_h[-1], 3) if spans_h and not behind else hours
        return forecast_evidence(
            at_us, reach_h, outlooks, measured=self._measured(row.id), reason=BEHIND if behind else found.reason,
            said=said if outlooks else (), person=_person(row), patient=row.id, zone=zone, model=body.model,
        )  # fmt: skip

    def what_if(self, found: WhatIfView) -> Evidence:
        """What a scenario would change, as it was answered."""
        scenario = found.scenario
        actions = [Action(one.name, one.value, one.unit, one.start_s, one.duration_s) for one in scenario.actions]
        hours = [one / 3_600.0 for one in found.times_s]
        differences = [
            Difference(
                one.concept, one.unit, one.effect.verdict, one.effect.most[2], one.effect.most[0], one.effect.most[4],
                one.effect.most_s / 3_600.0, one.effect.above, one.effect.from_data,
                one.baseline[2][_place(found.times_s, one.effect.most_s)],
                worst_of(one.concept, hours, one.scenario[2]),
            )
            for one in found.outputs
        ]  # fmt: skip
        risks = []
        for risk in found.risks:
            before, after = risk.baseline[2][-1], risk.scenario[2][-1]
            if before is not None and after is not None:
                risks.append(RiskDifference(risk.name, risk.display, before, after, risk.basis, risk.version))
        return what_if_evidence(
            found.at_us, scenario.horizon_s / 3_600.0, actions, list(scenario.edits.items()), differences, risks,
            outside=found.outside, said=found.notes, patient=found.patient, zone=self._ward.zone,
        )  # fmt: skip

    def alerts(self, patient: str) -> Evidence:
        """The open alarms, with the course of what they are about."""
        row, now_us = self._row(patient), self._ward.now_us()
        alarms = [_alarm(one) for one in self._ward.alerts(patient=row.id)]
        names = tuple(dict.fromkeys(one.concept for one in alarms if one.concept in VOCABULARY))
        return alert_evidence(
            now_us, alarms, {one.name: one for one in self._courses(row.id, names, now_us, COURSE_H)},
            measured=self._measured(row.id), person=_person(row), patient=row.id, zone=self._ward.zone,
            simulated=row.simulated,
        )  # fmt: skip

    def timeline(self, patient: str, hours: int = TIMELINE_H) -> Evidence:
        """What happened over the last hours."""
        row, now_us = self._row(patient), self._ward.now_us()
        start_us = now_us - hours * HOUR_US
        series = self._ward.series(row.id, _LABS, start_us=start_us, end_us=now_us + 1, points=0)
        results = [
            Measured(one.concept, value, at_us, "laboratory")
            for one in series
            for at_us, value in list(zip(one.at_us, one.value, strict=True))[-1:]
        ]
        happened = self._ward.timeline(
            row.id, start_us=start_us, end_us=now_us + 1, kinds=("administration", "encounter"), limit=EVENTS_MAX
        )
        valid = [one for one in happened if not one.superseded and one.status not in _VOID]
        alerts = self._ward.alerts(patient=row.id, resolved=True)
        ended = [
            Happened(ENDED, one.text, one.raised_us, "", one.rule)
            for one in alerts
            if one.state == "resolved" and one.raised_us >= start_us
        ]
        return timeline_evidence(
            now_us, float(hours), results=results,
            given=[_happened(one) for one in valid if one.kind == "administration"],
            events=[_happened(one) for one in valid if one.kind == "encounter"] + ended,
            alarms=[_alarm(one) for one in alerts if one.state != "resolved"],
            courses=self._courses(row.id, _VITALS, now_us, hours), measured=self._measured(row.id),
            missing=_missing(self._ward.twin(row.id).rows), person=_person(row), patient=row.id, zone=self._ward.zone,
            simulated=row.simulated,
        )  # fmt: skip

    # --- of a ward, and of models --------------------------------------------

    def handover(self, ward: str = "") -> Evidence:
        """The beds of a ward, by default everyone's. Raises NotFoundError for a ward in which nobody is."""
        now_us = self._ward.now_us()
        rows = [row for row in self._ward.rows(now_us) if not ward or row.ward == ward]
        if ward and not rows:
            raise NotFoundError(
                f"found nobody on a ward called {ward[:80]!r}, expected the name of a ward with patients"
            )
        alarms: dict[str, list[Alarm]] = {}
        for one in self._ward.alerts():
            alarms.setdefault(one.patient, []).append(_alarm(one))
        places = places_of(rows)
        beds = [self._bed(row, places[row.id], alarms.get(row.id, []), now_us) for row in rows]
        simulated = any(row.simulated for row in rows)  # one simulated patient must not pass as real
        return handover_evidence(now_us, beds, window_h=HANDOVER_H, zone=self._ward.zone, simulated=simulated)

    def card(self, task: str) -> Evidence:
        """The model that runs for a task. Raises NotFoundError where none does."""
        views = [one for one in self._ward.models() if one.role == "champion"]
        found = next((one for one in views if one.task == task), None)
        if found is None:
            known = ", ".join(one.task for one in views) or "none"
            raise NotFoundError(f"found no model of {task[:64]!r}, expected one of those that run: {known}")
        return card_evidence(_card(found), self._ward.now_us(), zone=self._ward.zone)

    # --- parts ---------------------------------------------------------------

    def _row(self, patient: str) -> BedRow:
        return self._ward.rows(self._ward.now_us(), [patient])[0]

    def _measured(self, patient: str) -> list[Measured]:
        return _valid(self._ward.twin(patient).rows)

    def _courses(self, patient: str, names: Sequence[str], now_us: int, hours: float) -> list[Course]:
        start_us = now_us - int(hours * HOUR_US)
        series = self._ward.series(patient, names, start_us=start_us, end_us=now_us + 1, points=POINTS)
        found = (course_of(one.concept, one.at_us, one.value, start_us) for one in series)
        return [one for one in found if one is not None]

    def _bed(self, row: BedRow, place: str, alarms: Sequence[Alarm], now_us: int) -> BedStory:
        rows = self._ward.twin(row.id).rows
        since_us = now_us - int(HANDOVER_H * HOUR_US)
        given = self._ward.timeline(
            row.id, start_us=since_us, end_us=now_us + 1, kinds=("administration",), limit=EVENTS_MAX
        )
        news2 = row.news2
        score = (
            None if news2.value is None else TheScore(MAIN_SCORE, VOCABULARY[MAIN_SCORE].short, float(news2.value),
                                                      news2.exact)
        )  # fmt: skip
        return BedStory(
            place, score, self._risk(row, now_us), tuple(alarms), tuple(_valid(rows)),
            tuple(_happened(one) for one in given if not one.superseded and one.status not in _VOID),
            _missing(rows), _person(row), _LANES.get(row.lane, 9),
        )  # fmt: skip

    def _risk(self, row: BedRow, now_us: int) -> TheRisk | None:
        if row.risk.probability is None:
            return None
        start_us, end_us = now_us - int(EARLIER_H * HOUR_US), now_us - HOUR_US // 2
        past = self._ward.risk_history(row.id, start_us=start_us, end_us=end_us, target=MAIN_RISK)
        earlier = past[0] if past else None
        return TheRisk(
            MAIN_RISK, "sepsis", row.risk.probability, earlier.probability if earlier else None,
            earlier.at_us if earlier else None,
        )  # fmt: skip


def places_of(rows: Sequence[BedRow]) -> dict[str, str]:
    """What each patient's place is called in a handover of these rows, by the patient's id: the bed, with the id where
    none is named or another patient is on it too, so that no two stories are taken for each other's.
    """
    beds = Counter(label(row.bed) for row in rows)
    named = {row.id: label(row.bed) for row in rows}
    return {one: bed if bed and beds[bed] == 1 else label(f"{one} {bed}") for one, bed in named.items()}


def _hours(text: str) -> int:
    if not text:
        return TIMELINE_H
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= TIMELINE_H_MAX:
        raise ConfigurationError(f"found {text[:20]!r} hours, expected a whole number from 1 to {TIMELINE_H_MAX}")
    return int(text)


def _place(times_s: Sequence[float], at_s: float) -> int:
    """Which of the times this is."""
    return min(range(len(times_s)), key=lambda one: abs(times_s[one] - at_s))


def _person(row: BedRow) -> Person:
    return Person(None if row.age_years is None else float(row.age_years), row.sex)


def _valid(rows: Sequence[StateRow]) -> list[Measured]:
    """What was measured and has not outlived its validity."""
    return [
        Measured(row.concept, row.value, row.at_us)
        for row in rows
        if row.value is not None and row.state in ("live", "stale") and row.kind in ("vital", "lab")
    ]


def _missing(rows: Sequence[StateRow]) -> tuple[str, ...]:
    """The vital signs that risk models want and that nobody measured recently."""
    fresh = {one.name for one in _valid(rows)}
    lacking = [names for names in REQUIRED if not fresh & _same(names)]
    return tuple("blood_pressure" if len(names) > 1 else names[0] for names in lacking)


def _same(names: Sequence[str]) -> set[str]:
    """These concepts, and what measures the same by another method."""
    arterial = {f"{name}_arterial" for name in names}
    other = {"heart_rate": {"pulse_rate"}, "body_temperature": {"core_temperature", "axillary_temperature"}}
    return {*names, *arterial, *other.get(names[0], set())}


def _alarm(one: AlertView) -> Alarm:
    return Alarm(one.rule, one.text, one.raised_us, one.priority, one.concept, one.value, one.limit, one.technical)


def _happened(one: EventView) -> Happened:
    known = one.concept in VOCABULARY
    about = in_sentence(one.label) if known else one.label
    return Happened(about, one.text, one.occurred_us, one.concept if known else "", one.source)


def _card(view: ModelView) -> Card:
    title = view.title.split(",", maxsplit=1)[0]
    evaluated = view.figures.get("data")
    return Card(
        view.task, in_sentence(title), view.version, view.horizon_h, view.data, view.usual, view.patients,
        evaluated if isinstance(evaluated, str) else "", view.figures, view.validated, view.simulated, view.limits,
        view.intended,
    )  # fmt: skip
