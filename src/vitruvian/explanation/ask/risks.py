"""Facts of risks: how high one is, what it is associated with, and why it changed, if it did."""

from __future__ import annotations

from typing import Final

import msgspec

from vitruvian.core.errors import NotFoundError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.ask.kinds import Route
from vitruvian.explanation.ask.port import Answers
from vitruvian.explanation.ask.values import hours_back
from vitruvian.explanation.evidence import answer as made
from vitruvian.explanation.evidence.alert import course_facts, course_of
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.parts import direction_of, notes
from vitruvian.explanation.showing import PLAIN, percent

__all__ = ["change", "now", "task_of"]

CHANGE_H: Final = 6.0
NEAR_H: Final = 1.0  # a risk issued this near the asked time stands for it
MOVED_MAX: Final = 4
_SAME: Final = ("mortality", "mortality24")  # one outcome, told at 24 h and at 48 h


def task_of(route: Route, twin: Answers) -> str:
    """The task that is asked about, by default the main one. Raises NotFoundError where no such risk is told."""
    told = list(twin.tasks())
    if not told:
        raise NotFoundError("no model of a risk runs here, so no risk is told")
    if not route.concept:
        return told[0]
    if route.concept in told:
        return route.concept
    other = next((one for one in _SAME if route.concept in _SAME and one in told), None)
    if other is None:
        raise NotFoundError(f"no model of that risk runs here; those that run are of {', '.join(told)}")
    return other


def now(route: Route, twin: Answers) -> Evidence:
    """The packet of the risk as it is."""
    return twin.risk(task_of(route, twin))


def change(route: Route, twin: Answers) -> Evidence:
    """The risk then and now, and how the measurements that it is associated with moved in between.

    What a model added up then is not kept; so what is told is what became of the values that drive the risk now. Where
    the risk did not rise, that is said.
    """
    task = task_of(route, twin)
    packet = twin.risk(task)
    risk = next(iter(packet.of_role("probability")), None)
    if risk is None or risk.value is None:
        return packet
    hours = hours_back(route, twin, CHANGE_H)
    since_us = twin.now_us() - int(hours * HOUR_US)
    then = _then(task, since_us, twin)
    kept = [fact for fact in packet.facts if fact.role != "earlier"]
    if then is None:
        kept += notes(["no risk that was told around that time is kept, so no change is told"])
        return _answer(packet, _renoted(kept))
    at_us, share = then
    kept.append(Fact("earlier", "earlier", risk.name, risk.label, share, at_us=at_us, of=risk.id))
    if percent(share, PLAIN) == percent(risk.value, PLAIN) or risk.value < share:
        kept = [msgspec.structs.replace(one, flags=tuple(flag for flag in one.flags if flag != "rising_risk"))
                if one.id == risk.id else one for one in kept]  # fmt: skip
    kept += _moved(kept, at_us, twin)
    return _answer(packet, _renoted([*kept, *_premise(route, risk.value, share)]))


def _then(task: str, since_us: int, twin: Answers) -> tuple[int, float] | None:
    """The risk that was issued nearest that time; not one that is hardly past."""
    near_us, now_us = int(NEAR_H * HOUR_US), twin.now_us()
    found = twin.issued(task, since_us - near_us, min(since_us + near_us, now_us - HOUR_US // 12))
    return min(found, key=lambda one: abs(one[0] - since_us), default=None)


def _moved(kept: list[Fact], since_us: int, twin: Answers) -> list[Fact]:
    """How what drives the risk went since then, the strongest drivers first; each only if it moved notably."""
    made_of: list[Fact] = []
    for driver in [fact for fact in kept if fact.role == "driver"]:
        if driver.name not in VOCABULARY:
            continue
        seen = twin.series(driver.name, since_us, twin.now_us() + 1)
        course = course_of(driver.name, [one.at_us for one in seen], [one.value for one in seen], since_us)
        if course is None or direction_of(course.name, course.first, course.last) in ("", "steady"):
            continue
        moved = course_facts(course, twin.now_us(), twin.person())
        # The driver names what is critical already.
        made_of += [msgspec.structs.replace(one, flags=tuple(f for f in one.flags if f != "critical")) for one in moved]
        if len(made_of) >= 3 * MOVED_MAX:
            break
    return made_of


def _premise(route: Route, share: float, earlier: float) -> list[Fact]:
    """That it did not rise (or fall), where the question takes it for granted that it did."""
    if route.until_us is not None:  # what became of it by the end of that span is another question
        return notes(["the risk then is compared with the risk now; none of what moved is shown to be its cause"])
    rose, fell = share > earlier, share < earlier
    if percent(share, PLAIN) == percent(earlier, PLAIN):
        rose = fell = False
    if route.sign > 0 and not rose:
        return notes(["the risk did not rise over that time"])
    if route.sign < 0 and not fell:
        return notes(["the risk did not fall over that time"])
    if not rose and not fell:
        return notes(["the risk is what it was at that time"])
    return notes(["what moved along with the risk is told; none of it is shown to be its cause"])


def _renoted(facts: list[Fact]) -> list[Fact]:
    """Notes numbered anew: those of the packet and those added here."""
    others = [one for one in facts if one.name != "note"]
    return [*others, *notes(one.text for one in facts if one.name == "note")]


def _answer(packet: Evidence, facts: list[Fact]) -> Evidence:
    return made.answer_evidence(
        packet.at_us, facts, patient=packet.patient, zone=packet.zone, model=packet.model, simulated=packet.simulated
    )
