"""From a route to the evidence of its answer: facts of the twin with identifiers, or what is not known; pure but for
what the port reads.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from vitruvian.core.errors import ModelError, NotFoundError, Overloaded, UnitError, VocabularyError
from vitruvian.explanation.ask import facts, risks, values, what_if
from vitruvian.explanation.ask.kinds import Intent, Route
from vitruvian.explanation.ask.port import Answers
from vitruvian.explanation.ask.refusals import reasons
from vitruvian.explanation.claims import Audience
from vitruvian.explanation.evidence import answer as made
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.parts import notes
from vitruvian.explanation.subjects import subjects
from vitruvian.prediction.tasks import TASKS

__all__ = ["CAN_ASK", "answer"]

# What is offered where a question was not understood, and on pages beside the box.
CAN_ASK: Final = (
    "How high is the risk of sepsis?", "Why did the risk rise since six?", "What drives the risk?",
    "When was the last lactate?", "How did the heart rate move over the last 6 hours?",
    "What was the lowest blood pressure overnight?", "What will the blood pressure be in 3 hours?",
    "What would 500 mL of saline change?", "What is missing?", "Which alarms are open?", "What was given today?",
    "What happened overnight?", "What is the NEWS2 and why?", "How good is the model?", "Can I trust these data?",
)  # fmt: skip


def answer(route: Route, twin: Answers, audience: Audience = "clinician", language: str = "en") -> Evidence:
    """The packet that answers; a refusal, or what is not known, is a packet as well. Its reason is in that language."""
    said = reasons(language)
    if route.intent == "forbidden":
        why = route.why or "decision"
        own = audience == "patient" and why in ("order", "dose", "decision", "disposition")
        return _packet(twin, made.refused(said["own_care" if own else why]))
    if route.intent == "unanswerable":
        more = [said["in_english"], said["offer"]] if route.why in (None, "unknown") else []
        return _packet(twin, made.unknown(". ".join(one for one in (said[route.why or "unknown"], *more) if one)))
    try:
        return _BY_INTENT[route.intent](route, twin)
    except (NotFoundError, ModelError, UnitError, VocabularyError, Overloaded) as error:
        return _packet(twin, made.unknown(str(error)))


def _packet(twin: Answers, found: list[Fact], model: str = "") -> Evidence:
    return made.answer_evidence(
        twin.now_us(), found, patient=twin.patient, zone=twin.zone, model=model, simulated=twin.simulated
    )


def _of_facts(build: Callable[[Route, Answers], list[Fact]]) -> Callable[[Route, Answers], Evidence]:
    return lambda route, twin: _packet(twin, build(route, twin))


def _alarms(route: Route, twin: Answers) -> Evidence:
    if route.since_us is None and route.window_h is None and not route.stay:
        return twin.alarms()
    return _packet(twin, facts.alarms(route, twin))


def _events(route: Route, twin: Answers) -> Evidence:
    hours = math.ceil(values.hours_back(route, twin, facts.EVENTS_H) - 1e-3)
    packet = twin.timeline(min(max(hours, 1), facts.EVENTS_H_MAX))
    if hours > facts.EVENTS_H_MAX:
        return _packet(
            twin, made.unknown(f"events are told of the last {facts.EVENTS_H_MAX // 24} days; ask for fewer")
        )
    return packet if route.until_us is None else _packet(twin, facts.events_until(packet, route))


def _model(route: Route, twin: Answers) -> Evidence:
    return twin.card(risks.task_of(route, twin))


def _forecast(route: Route, twin: Answers) -> Evidence:
    if route.concept in TASKS:
        packet = risks.now(route, twin)
        now = "this is the risk as it is now; how the risk itself will change is not forecast"
        said = notes([*(one.text for one in packet.facts if one.name == "note"), now])
        return _packet(twin, [*(one for one in packet.facts if one.name != "note"), *said], packet.model)
    ahead_h = route.ahead_h or what_if.FORECAST_H
    if ahead_h > what_if.FORECAST_H_MAX:
        told = f"a forecast reaches {what_if.FORECAST_H_MAX:g} h ahead at most; ask for less"
        return _packet(twin, made.unknown(told))
    packet = what_if.only(twin.forecast(ahead_h), route.concept)
    if route.concept and not what_if.asked(packet, route.concept):
        return _packet(twin, made.unknown(f"{subjects(route.concept).label} is not among what is forecast"))
    single = any(one.name == route.concept for one in packet.of_role("expected"))
    return msgspec.structs.replace(packet, kind="answer") if single else packet  # what is asked for is said first


_BY_INTENT: Final[Mapping[Intent, Callable[[Route, Answers], Evidence]]] = {
    "risk_now": risks.now, "risk_why": risks.now, "risk_change": risks.change, "latest": _of_facts(values.latest),
    "trend": _of_facts(values.trend), "extreme": _of_facts(values.extreme), "forecast": _forecast,
    "what_if": what_if.answer, "missing": _of_facts(facts.missing), "alarms": _alarms,
    "medicines": _of_facts(facts.medicines), "events": _events, "score": _of_facts(facts.scores), "model": _model,
    "state": _of_facts(facts.state), "quality": _of_facts(facts.quality),
}  # fmt: skip
