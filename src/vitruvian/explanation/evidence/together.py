"""What must hold between the facts of a packet that someone brings: no two of them may tell different stories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.evidence.base import Evidence, Fact, Role
from vitruvian.explanation.evidence.checks import then_of
from vitruvian.explanation.evidence.possible import refuse
from vitruvian.prediction.serve.gate import REQUIRED

__all__ = ["EXTREMES", "check_together"]

EXTREMES: Final = {"highest": 1, "lowest": -1}  # how the ids of such facts begin
RISKS_MAX: Final = 2
SLACK_H: Final = 0.02  # spans are told in two decimals
_MEASURED: Final[tuple[Role, ...]] = ("measurement", "driver")
_S_US: Final = 1_000_000


def check_together(packet: Evidence) -> None:
    """Raises ReadingError at the first fact that another one contradicts."""
    _counts(packet)
    _risks(packet)
    _ahead(packet)
    for fact in packet.facts:
        _within(fact, packet)
        if fact.role == "missing":
            _missing(fact, packet)
        if _side(fact) and fact.value is not None:
            _extreme(fact, packet)
    if packet.kind == "answer":
        _newest(packet)


def _counts(packet: Evidence) -> None:
    """Counts agree with what is told: of alarms in an alert all are told or counted, elsewhere there are no fewer."""
    counts = {one.name: one for one in packet.of_role("count") if not one.of}
    alarms, beds = counts.get("alarms"), counts.get("beds")
    told = len(packet.of_role("alarm"))
    if alarms is not None and alarms.value is not None:
        more = sum(one.value or 0 for one in packet.of_role("count") if one.name == "more")
        if alarms.value < told or (packet.kind == "alert" and alarms.value != told + more):
            raise refuse(
                alarms, f"{alarms.value:g} alarms beside {told} that are told", "as many; count others as more"
            )
    places = len(packet.of_role("place"))
    if beds is not None and beds.value is not None and beds.value < places:
        raise refuse(beds, f"{beds.value:g} beds beside {places} places", "as many or more")


def _risks(packet: Evidence) -> None:
    risks = [one for one in packet.of_role("probability") if not one.of]
    if packet.kind == "risk" and len(risks) > RISKS_MAX:
        raise refuse(risks[RISKS_MAX], f"{len(risks)} risks in a packet", f"at most {RISKS_MAX}; make a packet of each")


def _ahead(packet: Evidence) -> None:
    """What is expected is expected at the horizon, or on the way; what stays as it is was something before."""
    horizon = next((one for one in packet.of_role("horizon") if not one.of), None)
    for one in packet.of_role("expected"):
        assert one.horizon_h is not None
        parent = packet.by_id.get(one.of)
        end_h = horizon.value if horizon is not None and parent is None else None
        if end_h is not None and abs(one.horizon_h - end_h) > SLACK_H:
            raise refuse(one, f"{one.horizon_h:g} h ahead of a horizon of {end_h:g} h", "the horizon")
        if parent is not None and parent.role == "expected" and one.horizon_h > (parent.horizon_h or 0.0) + SLACK_H:
            raise refuse(one, f"{one.horizon_h:g} h, beyond its own horizon", "a time on the way to it")
        if one.direction == "steady" and then_of(one, packet) is None:
            raise refuse(one, "steady without what it was", "a measurement or an estimate that belongs to it")


def _within(fact: Fact, packet: Evidence) -> None:
    """A first value or an extreme of a span was measured within it."""
    parent = packet.by_id.get(fact.of)
    if fact.role == "measurement" and parent is not None and parent.role == "measurement":
        free = [one for one in packet.of_role("window") if not one.of and packet.kind == "timeline"]
        spans = packet.of_role("window", of=parent.id) or free
    elif _side(fact):
        spans = packet.of_role("window", of=fact.id)
    else:
        return
    if spans and (fact.at_us is None or _age_h(fact, packet) > (spans[0].value or 0.0) + SLACK_H):
        old = "of an unknown time" if fact.at_us is None else f"{_age_h(fact, packet):.3g} h old"
        raise refuse(fact, f"a value {old} in a span of {spans[0].value or 0:g} h", "one measured within it")


def _missing(fact: Fact, packet: Evidence) -> None:
    """What is missing was not measured while a value of it holds, nor within the span that is named."""
    span = next(iter(packet.of_role("window", of=fact.id)), None)
    for one in packet.of_role(*_MEASURED):
        concept = VOCABULARY.get(one.name)
        if one.value is None or one.at_us is None or _is_past(one, packet) or one.name not in _group(fact.name):
            continue
        if _place(one, packet) != _place(fact, packet):
            continue
        holds_h = concept.valid_for_s * _S_US / HOUR_US if concept else 0.0
        if _age_h(one, packet) <= (holds_h if span is None else span.value or 0.0):
            raise refuse(fact, f"{fact.name} as missing beside {one.name} of {_age_h(one, packet):.2g} h ago", "either")


def _group(name: str) -> tuple[str, ...]:
    """The concepts of which one is enough."""
    if name == "blood_pressure":
        return next(names for names in REQUIRED if len(names) > 1)
    return (name,)


def _extreme(fact: Fact, packet: Evidence) -> None:
    """Nothing of the same name in the span goes beyond the extreme."""
    span = next(iter(packet.of_role("window", of=fact.id)), None)
    if span is None:
        return
    assert fact.value is not None
    for one in packet.of_role(fact.role):
        if one is fact or one.name != fact.name or one.value is None:
            continue
        if one.at_us is not None and _age_h(one, packet) > (span.value or 0.0):
            continue
        if (one.value - fact.value) * _side(fact) > 0:
            raise refuse(fact, f"{fact.value:g} as an extreme beside {one.value:g} of {one.id}", "the extreme of all")


def _newest(packet: Evidence) -> None:
    """Of several values of a name in an answer it is known which is the newest."""
    seen: dict[str, list[Fact]] = {}
    for one in packet.of_role("measurement"):
        if not one.of and not packet.of_role("window", of=one.id):
            seen.setdefault(one.name, []).append(one)
    for facts in seen.values():
        times = [one.at_us for one in facts]
        if len({one.value for one in facts}) > 1 and (None in times or len(set(times)) < len(times)):
            raise refuse(facts[-1], f"several values of {facts[-1].name} at one time or at none", "a time of each")


def _side(fact: Fact) -> int:
    """1 of the highest, -1 of the lowest, 0 of what is no extreme."""
    return EXTREMES.get(fact.id.split("-")[0], 0) if fact.role in ("measurement", "probability") else 0


def _age_h(fact: Fact, packet: Evidence) -> float:
    assert fact.at_us is not None
    return (packet.at_us - fact.at_us) / HOUR_US


def _is_past(fact: Fact, packet: Evidence) -> bool:
    parent = packet.by_id.get(fact.of)
    return parent is not None and parent.role in ("measurement", "driver", "expected")


def _place(fact: Fact, packet: Evidence) -> str:
    """The place that a fact belongs to, empty where it belongs to none."""
    above: Sequence[str] = ()
    while fact.of and fact.of not in above:
        above = (*above, fact.of)
        fact = packet.by_id[fact.of]
    return fact.id if fact.role == "place" else ""
