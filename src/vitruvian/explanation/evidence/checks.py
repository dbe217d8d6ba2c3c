"""What must hold within a packet that someone brings: each rule by itself, each refusal in a line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from vitruvian.core.errors import ConfigurationError, ReadingError
from vitruvian.core.time import DAY_US, HOUR_US, zone_named
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.evidence.base import Evidence, Fact, Flag, Kind, Role
from vitruvian.explanation.evidence.parts import notable
from vitruvian.explanation.evidence.possible import check_label, check_possible, check_unit, refuse
from vitruvian.explanation.evidence.risk import is_rising

__all__ = ["MEASURED", "check_numbers", "check_shape", "is_past", "is_share", "then_of"]

MEASURED: Final[tuple[Role, ...]] = ("measurement", "driver", "estimate", "expected", "difference")
SHARES: Final[tuple[Role, ...]] = ("probability", "usual", "likelihood", "from_data")
HORIZON_H_MAX: Final = 24 * 366.0
FIRST_US: Final = -70 * 365 * DAY_US  # 1900
LAST_US: Final = 230 * 365 * DAY_US  # about 2200
AHEAD_US: Final = HOUR_US  # clocks differ; what is further ahead is a mistake
DEPTH_MAX: Final = 4  # of facts that belong to facts
SLACK: Final = 1e-9

_VALUED: Final[tuple[Role, ...]] = (
    "probability", "earlier", "interval_low", "interval_high", "confidence", "usual", "measurement", "estimate",
    "expected", "difference", "likelihood", "from_data", "figure", "count", "score", "limit", "window", "edit",
)  # fmt: skip
_BELONGING: Final[tuple[Role, ...]] = (
    "earlier", "interval_low", "interval_high", "likelihood", "from_data", "limit",
)  # fmt: skip
# Values: one that belongs to another is of the same name (what it was, what it becomes).
_TOLD: Final[tuple[Role, ...]] = (
    "probability", "score", "measurement", "estimate", "expected", "difference", "driver", "earlier",
)  # fmt: skip
_UNITS: Final[Mapping[Role, tuple[str, ...]]] = {
    "confidence": ("", "%"), "horizon": ("", "h"), "window": ("", "h"), "count": ("", "1"),
    **dict.fromkeys(SHARES, ("", "1")),
}  # fmt: skip
_FLAGGED: Final[Mapping[Flag, tuple[Role, ...]]] = {
    "critical": ("measurement", "driver", "expected"), "rising_risk": ("probability",), "missing_key": ("missing",),
}  # fmt: skip
# What a packet must speak of to be one of its kind.
_LEADS: Final[Mapping[Kind, tuple[Role, ...]]] = {
    "risk": ("probability", "words"), "forecast": ("expected", "words"), "what_if": ("action", "edit"),
    "alert": ("alarm", "count"), "timeline": ("measurement", "event", "alarm", "count"), "handover": ("place",),
    "card": ("words", "figure"),
    "answer": (
        "measurement", "missing", "words", "probability", "alarm", "event", "expected", "difference", "score",
        "estimate", "figure",
    ),
}  # fmt: skip


def is_share(fact: Fact, packet: Evidence) -> bool:
    """Whether its number is a probability or share, 0 to 1."""
    if fact.role in SHARES:
        return True
    parent = packet.by_id.get(fact.of)
    return fact.role in ("earlier", "interval_low", "interval_high") and parent is not None and parent.role in SHARES


def is_past(fact: Fact, packet: Evidence) -> bool:
    """Whether it is what another measurement was before."""
    parent = packet.by_id.get(fact.of)
    return fact.role == "measurement" and parent is not None and parent.role in ("measurement", "driver")


def check_shape(packet: Evidence) -> None:
    """What does not depend on units. Raises ReadingError at the first thing that does not hold."""
    try:
        zone_named(packet.zone)
    except (ConfigurationError, ValueError):
        raise ReadingError(f"found zone {packet.zone!r}, expected an IANA name like Europe/Paris or +02:00") from None
    _time(packet.at_us, "the packet")
    if len(packet.by_id) != len(packet.facts):
        ids = [fact.id for fact in packet.facts]
        again = next(one for one in ids if ids.count(one) > 1)
        raise ReadingError(f"found two facts called {again!r}, expected each id once; name one of them otherwise")
    leads = _LEADS[packet.kind]
    if not any(fact.role in leads for fact in packet.facts):
        raise ReadingError(
            f"found no fact that a packet of kind {packet.kind} is about, expected role {', '.join(leads)}; add one"
        )
    for fact in packet.facts:
        for rule in (_belongs, _complete, _numbers, _flags, _moment, check_label, check_unit):
            rule(fact, packet)


def check_numbers(packet: Evidence) -> None:
    """What compares numbers, once they are in the vocabulary's units. Raises ReadingError."""
    for fact in packet.facts:
        for rule in (_inside, _agrees, check_possible):
            rule(fact, packet)


def _time(at_us: int, what: str) -> None:
    if not FIRST_US <= at_us <= LAST_US:
        raise ReadingError(f"{what}: found the time {at_us} us, expected microseconds since 1970 (UTC), 1900 to 2200")


def _belongs(fact: Fact, packet: Evidence) -> None:
    if not fact.of:
        if fact.role in _BELONGING:
            raise refuse(fact, f"a fact of role {fact.role} that belongs to none", "`of`: the id of its fact")
        return
    above, steps = fact, 0
    while above.of:
        parent = packet.by_id.get(above.of)
        steps += 1
        if parent is None:
            raise refuse(fact, f"of {above.of[:80]!r}", "the id of a fact of this packet")
        if steps > DEPTH_MAX:
            raise refuse(fact, "a chain of facts that belong to each other", f"at most {DEPTH_MAX} steps, no circle")
        above = parent
    named = packet.by_id[fact.of]
    alike = fact.role in _BELONGING or (fact.role in _TOLD and named.role in _TOLD)
    if alike and fact.name != named.name:
        raise refuse(fact, f"the name {fact.name[:80]!r} beside {named.name[:80]!r}", "the name of the fact it is of")


def _complete(fact: Fact, packet: Evidence) -> None:
    if not fact.name.strip():
        raise refuse(fact, "no name", "a name of the vocabulary, or one of your own")
    if fact.role in _VALUED and fact.value is None:
        raise refuse(fact, f"a fact of role {fact.role} without a value", "a value")
    if fact.role == "missing" and fact.value is not None:
        raise refuse(fact, "a value of what is missing", "none")
    if fact.role in ("alarm", "model") and not fact.text.strip():
        raise refuse(fact, f"a fact of role {fact.role} without a text", "one")
    if fact.role == "words" and not (fact.text.strip() or fact.label.strip()):
        raise refuse(fact, "words without a text", "one")
    if fact.role in ("place", "event") and not fact.label.strip() and fact.name not in VOCABULARY:
        raise refuse(fact, f"a fact of role {fact.role} without a label", "one")
    if fact.role in ("alarm", "event", "earlier") and fact.at_us is None:
        raise refuse(fact, f"a fact of role {fact.role} without a time", "`at_us`")
    if fact.role == "driver" and fact.value is None and not fact.text.strip():
        raise refuse(fact, "a driver without a value and without a text", "one of them")
    if fact.role in ("expected", "difference") and fact.horizon_h is None:
        raise refuse(fact, f"a fact of role {fact.role} without `horizon_h`", "the hours from now")


def _numbers(fact: Fact, packet: Evidence) -> None:
    for name, number in (("value", fact.value), ("weight", fact.weight), ("horizon_h", fact.horizon_h)):
        if number is not None and (not math.isfinite(number) or abs(number) > 1e15):
            raise refuse(fact, f"{name} {number}", "a finite number")
    if fact.horizon_h is not None and not 0 <= fact.horizon_h <= HORIZON_H_MAX:
        raise refuse(fact, f"{fact.horizon_h:g} hours ahead", f"0 to {HORIZON_H_MAX:g}")
    if fact.role == "expected" and fact.horizon_h == 0:
        raise refuse(fact, "a forecast of now", "more than 0 hours ahead")
    if fact.value is None:
        return
    value = fact.value
    if is_share(fact, packet) and not 0 <= value <= 1:
        raise refuse(fact, f"{value:g} as a probability", "0 to 1")
    if fact.role == "confidence" and not 0 < value < 100:
        raise refuse(fact, f"a confidence of {value:g} %", "more than 0 and less than 100")
    if fact.role in ("horizon", "window") and not 0 < value <= HORIZON_H_MAX:
        raise refuse(fact, f"a span of {value:g} h", f"more than 0, at most {HORIZON_H_MAX:g}")
    if fact.role == "count" and (value < 0 or value != int(value)):
        raise refuse(fact, f"a count of {value:g}", "a whole number of 0 or more")
    if fact.role == "action" and value < 0:
        raise refuse(fact, f"{value:g} given", "0 or more")
    units = _UNITS.get(fact.role)
    if units is not None and fact.unit not in units:
        raise refuse(fact, f"the unit {fact.unit!r} of a fact of role {fact.role}", " or ".join(map(repr, units)))


def _flags(fact: Fact, packet: Evidence) -> None:
    for flag, roles in _FLAGGED.items():
        if flag in fact.flags and fact.role not in roles:
            raise refuse(fact, f"{flag} on a fact of role {fact.role}", f"it on {', '.join(roles)}")
        if flag == "critical" and flag in fact.flags and fact.value is None:
            raise refuse(fact, "a critical value without a value", "one")
    if "rising_risk" in fact.flags:
        then = packet.of_role("earlier", of=fact.id)
        if not then or fact.value is None or not is_rising(fact.value, then[0].value):
            raise refuse(fact, "a rising risk that was not notably lower", "a fact of role earlier that shows it")
    if len(set(fact.flags)) != len(fact.flags):
        raise refuse(fact, "a flag twice", "each once")


def _moment(fact: Fact, packet: Evidence) -> None:
    if fact.at_us is None:
        return
    _time(fact.at_us, f"fact {fact.id}")
    if fact.at_us > packet.at_us + AHEAD_US:
        raise refuse(fact, "a time after the packet's own", "one at or before it; what may come has `horizon_h`")
    if fact.role == "earlier" and fact.at_us >= packet.at_us:
        raise refuse(fact, "an earlier value of now", "a time before the packet's")


def _inside(fact: Fact, packet: Evidence) -> None:
    if fact.role not in ("interval_low", "interval_high"):
        return
    parent = packet.by_id[fact.of]
    if parent.value is None or fact.value is None:
        raise refuse(fact, f"an interval of {parent.id}, which has no value", "one of a fact with a value")
    if fact.unit != parent.unit and not is_share(fact, packet):
        raise refuse(fact, f"an interval in {fact.unit!r} of a value in {parent.unit!r}", "the same unit")
    slack = SLACK * max(1.0, abs(parent.value))
    beyond = fact.value > parent.value + slack if fact.role == "interval_low" else fact.value < parent.value - slack
    if beyond:
        raise refuse(fact, f"{fact.role} {fact.value:g} of {parent.value:g}", "an interval that holds its value")


def _agrees(fact: Fact, packet: Evidence) -> None:
    """A direction against the packet's own numbers is refused."""
    if fact.direction == "" or fact.value is None:
        return
    if fact.role == "difference":
        moved, least = fact.value, 0.0
    else:
        then = then_of(fact, packet)
        if then is None or then.value is None:
            return
        if then.unit != fact.unit:
            raise refuse(then, f"{then.unit!r} beside {fact.unit!r}", "the same unit as the fact it belongs to")
        moved, least = fact.value - then.value, notable(fact.name, then.value)
    if (fact.direction == "rising" and moved <= 0) or (fact.direction == "falling" and moved >= 0):
        raise refuse(fact, f"{fact.direction} by {moved:g}", "the direction that its numbers show")
    if fact.direction == "steady" and fact.role != "difference" and abs(moved) > max(least, SLACK):
        raise refuse(fact, f"steady by {moved:g}", "rising or falling, as its numbers show")


def then_of(now: Fact, packet: Evidence) -> Fact | None:
    """The fact that says what another was before, if there is one."""
    roles: tuple[Role, ...] = ("measurement", "estimate") if now.role == "expected" else ("measurement", "earlier")
    found = [one for one in packet.of_role(*roles, of=now.id) if one.name == now.name]
    return min(found, key=lambda one: roles.index(one.role), default=None)
