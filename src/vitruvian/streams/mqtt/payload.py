"""A device's message to an entry, or the reason why not; pure, and never raises for what a device may send.

A message stands or falls as one entry. Within it, a value that cannot be taken (an unknown concept, a wrong unit, an
absurd number) is quarantined on its own and the others are taken; where none is left, the message is refused whole.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple, cast

import msgspec

from vitruvian.core.errors import TimestampError, UnitError
from vitruvian.core.events import Coded, Comparator, Entry, Event, Quantity, Reading, Refusal, Value
from vitruvian.core.limits import (
    BODY_BYTES_MAX,
    FUTURE_US_MAX,
    IDENTIFIER_CHARS_MAX,
    MESSAGE_EVENTS_MAX,
    QUARANTINE_BYTES_MAX,
    SKEW_US_MAX,
)
from vitruvian.core.time import Instant, parse_iso
from vitruvian.core.vocabulary import VOCABULARY, Concept
from vitruvian.streams.mqtt.associations import Problem, association_entry
from vitruvian.streams.mqtt.messages import AssociationMessage, ObservationsMessage
from vitruvian.streams.mqtt.receipts import digest, stated_id
from vitruvian.streams.mqtt.topics import Topic

__all__ = ["SOURCE", "decode", "refused"]

SOURCE: Final = "mqtt"
MAGNITUDE_MAX: Final = 1e12  # no measure of a patient, in any unit we convert, comes near it
EPOCH_US_MIN: Final = 100_000_000_000_000  # March 1973: a smaller number is seconds or milliseconds by mistake
EPOCH_US_MAX: Final = 7_258_118_400_000_000  # the year 2200
_OBSERVABLE: Final = frozenset(("vital", "lab", "state"))
_COMPARATORS: Final = frozenset(("<", "<=", ">=", ">"))
_KNOWN_MAX: Final = 8_192
_DETAIL_CHARS_MAX: Final = 500
_IMPLAUSIBLE: Final = ("implausible",)
_SKEWED: Final = ("clock-skew",)
_SKEWED_IMPLAUSIBLE: Final = ("clock-skew", "implausible")


class _Known(NamedTuple):
    """What turns a number in one unit into the concept's own."""

    unit: str
    factor: float
    offset: float
    low: float
    high: float
    same: bool  # stated in the concept's unit: the number is kept as it came


class _Header(NamedTuple):
    source: str
    id: str
    occurred: Instant
    skewed: bool


_KNOWN: dict[tuple[str, str], _Known] = {}
_OBSERVATIONS: Final = msgspec.json.Decoder(ObservationsMessage)
_ASSOCIATION: Final = msgspec.json.Decoder(AssociationMessage)


def decode(topic: Topic, payload: bytes, now_us: int) -> Reading:
    """The entry that a message on an `observations` or `association` topic states, with what was not taken of it.

    `now_us` is the ward's clinical clock: a time more than 5 min ahead of it is flagged `clock-skew`, more than 24 h
    ahead of it is quarantined. The reading has an entry, or a refusal; never both.
    """
    source_id = ""
    try:
        if len(payload) > BODY_BYTES_MAX:
            raise Problem(
                "too-large", f"found {len(payload)} bytes, expected at most {BODY_BYTES_MAX}; send less at once"
            )
        if topic.channel == "observations":
            message = _OBSERVATIONS.decode(payload)
            header = _header(topic.device, message, now_us)
            source_id = header.id
            return _observations(topic.device, message, header, payload)
        if topic.channel == "association":
            stated = _ASSOCIATION.decode(payload)
            header = _header(topic.device, stated, now_us)
            source_id = header.id
            entry = association_entry(topic.device, stated, header.source, header.id, header.occurred, header.skewed)
            return Reading("association", (entry,))
        raise Problem("not-supported", f"{topic.channel} messages are not taken yet")
    except Problem as problem:
        return refused(topic, problem.reason, problem.detail, payload, source_id)
    except msgspec.DecodeError as error:  # also ValidationError: not the shape that docs/streams.md describes
        reason = "malformed-message" if isinstance(error, msgspec.ValidationError) else "malformed-json"
        return refused(topic, reason, str(error), payload, source_id)
    except RecursionError:
        return refused(topic, "too-deep", "found JSON nested beyond any message", payload, source_id)
    except UnicodeError:
        return refused(topic, "malformed-json", "found text that is not UTF-8", payload, source_id)


def refused(topic: Topic, reason: str, detail: str, payload: bytes, source_id: str = "") -> Reading:
    """A message that goes to quarantine whole. A waveform's bytes are not kept there."""
    raw = b"" if topic.channel == "waveform" else payload[:QUARANTINE_BYTES_MAX]
    name = source_id or f"{topic.device}/{stated_id(payload) or digest(payload)}"[:IDENTIFIER_CHARS_MAX]
    return Reading(topic.channel, refusal=Refusal(reason, detail[:_DETAIL_CHARS_MAX], SOURCE, name, raw))


def _header(device: str, message: ObservationsMessage | AssociationMessage, now_us: int) -> _Header:
    name = message.id if type(message.id) is str else str(message.id)
    if not name or len(name) + len(device) >= IDENTIFIER_CHARS_MAX or not name.isprintable():
        raise Problem(
            "malformed-id",
            f"found an id of {len(name)} characters, expected 1 to {IDENTIFIER_CHARS_MAX - 1 - len(device)}, printable",
        )
    occurred = _instant(message.time)
    ahead_us = occurred.us - now_us
    if ahead_us > FUTURE_US_MAX:
        raise Problem(
            "future", f"found a time {ahead_us / 3.6e9:.1f} h ahead of the ward's clock; set the device's clock"
        )
    if message.simulated:
        source = "mqtt:simulated"
    elif message.replayed:
        source = "mqtt:replayed"
    else:
        source = SOURCE
    return _Header(source, f"{device}/{name}", occurred, ahead_us > SKEW_US_MAX)


def _instant(stated: str | int) -> Instant:
    """A time as RFC 3339 text with its offset, or as microseconds since the epoch."""
    if type(stated) is int:
        if not EPOCH_US_MIN <= stated <= EPOCH_US_MAX:
            raise Problem(
                "time-unit", f"found time {stated}, expected microseconds since 1970; multiply seconds by 1000000"
            )
        return Instant(stated, "")
    try:
        instant = parse_iso(cast(str, stated))
    except (TimestampError, UnicodeError) as error:
        raise Problem("malformed-time", str(error)) from None
    if not instant.zone:
        raise Problem("time-without-zone", "found a time without an offset, expected 2026-01-31T08:30:00Z or +02:00")
    if not EPOCH_US_MIN <= instant.us <= EPOCH_US_MAX:
        raise Problem("absurd-time", "found a time before March 1973 or after 2200; set the device's clock")
    return instant


def _observations(device: str, message: ObservationsMessage, header: _Header, payload: bytes) -> Reading:
    values = message.values
    if len(values) > MESSAGE_EVENTS_MAX:
        raise Problem(
            "too-many", f"found {len(values)} values, expected at most {MESSAGE_EVENTS_MAX}; send several messages"
        )
    occurred_us, zone = header.occurred
    usual = _SKEWED if header.skewed else ()
    doubtful = _SKEWED_IMPLAUSIBLE if header.skewed else _IMPLAUSIBLE
    events: list[Event] = []
    refused: list[Problem] = []
    unmapped: list[str] = []
    for name, stated in values.items():
        if type(stated) is list and len(stated) == 2:
            number, unit = stated
            if type(number) is float and type(unit) is str:
                known = _KNOWN.get((name, unit))
                if known is not None and -MAGNITUDE_MAX < number < MAGNITUDE_MAX:
                    own, factor, offset, low, high, same = known
                    if same:
                        value = Quantity(number, own)
                        quality = usual if low <= number <= high else doubtful
                    else:
                        converted = number * factor + offset
                        value = Quantity(converted, own, "", number, unit)
                        quality = usual if low <= converted <= high else doubtful
                    events.append(Event("observation", name, value, occurred_us, None, zone, "", quality))
                    continue
        elif stated is None:
            continue  # not measured
        try:
            found, plausible = _value(name, stated)
        except Problem as problem:
            refused.append(problem)
            if problem.reason == "unknown-concept":
                unmapped.append(name[:IDENTIFIER_CHARS_MAX])
            continue
        events.append(Event("observation", name, found, occurred_us, None, zone, "", usual if plausible else doubtful))
    return _reading(device, message, header, events, refused, tuple(unmapped), payload)


def _reading(
    device: str,
    message: ObservationsMessage,
    header: _Header,
    events: list[Event],
    refused: list[Problem],
    unmapped: tuple[str, ...],
    payload: bytes,
) -> Reading:
    withdrawn = message.status in ("cancelled", "entered-in-error")
    if not events and not (withdrawn and not refused):
        first = refused[0] if refused else Problem("no-values", "found no value, expected at least one")
        raise Problem(first.reason, first.detail)
    available_us = None if message.issued is None else _instant(message.issued).us
    version = message.version if type(message.version) is str else str(message.version)
    if len(version) > IDENTIFIER_CHARS_MAX:
        raise Problem(
            "too-long", f"found a version of {len(version)} characters, expected at most {IDENTIFIER_CHARS_MAX}"
        )
    entry = Entry(header.source, header.id, tuple(events), version, (), None, device, available_us, message.status)
    if not refused:
        return Reading("observations", (entry,))
    raw = payload[:QUARANTINE_BYTES_MAX]
    parts = tuple(
        Refusal(one.reason, one.detail[:_DETAIL_CHARS_MAX], header.source, header.id, raw) for one in refused[:16]
    )
    return Reading("observations", (entry,), refused_parts=parts, unmapped=unmapped)


def _value(name: str, stated: object) -> tuple[Value, bool]:
    """A value as stated, in the concept's own terms, and whether it is plausible. Raises Problem."""
    concept = VOCABULARY.get(name)
    if concept is None or concept.retired:
        raise Problem(
            "unknown-concept", f"found {name[:80]!r}, expected a name of the vocabulary; see docs/vocabulary.md"
        )
    if concept.kind not in _OBSERVABLE:
        raise Problem("not-observable", f"{name} is a {concept.kind}, which a device does not measure")
    if type(stated) is not list:
        return _bare(concept, stated)
    if concept.coded and stated and type(stated[0]) is str:
        return _coded(concept, stated[0]), True
    if not 1 <= len(stated) <= 3 or type(stated[0]) is not float or any(type(one) is not str for one in stated[1:]):
        raise Problem("malformed-value", f'{name}: expected [number, "unit"] or [number, "unit", "<"]')
    comparator = cast(str, stated[2]) if len(stated) == 3 else ""
    if comparator and comparator not in _COMPARATORS:
        raise Problem("comparator", f"{name}: found comparator {comparator[:8]!r}, expected <, <=, >= or >")
    return _quantity(concept, stated[0], cast(str, stated[1]) if len(stated) > 1 else "", cast(Comparator, comparator))


def _bare(concept: Concept, stated: object) -> tuple[Value, bool]:
    if type(stated) is bool:
        if not concept.coded:
            raise Problem("malformed-value", f"{concept.name}: found true or false, expected [number, unit]")
        wanted = [answer for answer in concept.coded if answer.number == float(stated)]
        if len(concept.coded) != 2 or not wanted:
            raise Problem("malformed-value", f"{concept.name}: found true or false, expected one of its answers")
        return Coded("", wanted[0].code, wanted[0].display, wanted[0].number), True
    if type(stated) is str:
        return _coded(concept, stated), True
    return _quantity(concept, cast(float, stated), "", "")


def _coded(concept: Concept, text: str) -> Coded:
    answer = concept.answer(text) if len(text) <= IDENTIFIER_CHARS_MAX else None
    if answer is None:
        known = ", ".join(one.code for one in concept.coded) or f"a number in {concept.unit}"
        raise Problem("unknown-answer", f"{concept.name}: found {text[:40]!r}, expected {known}")
    return Coded("", answer.code, answer.display, answer.number)


def _quantity(concept: Concept, number: float, unit: str, comparator: Comparator) -> tuple[Value, bool]:
    if not -MAGNITUDE_MAX < number < MAGNITUDE_MAX:
        raise Problem("absurd-number", f"{concept.name}: found {number:g}, which no patient has; check the device")
    if concept.coded:
        for answer in concept.coded:
            if answer.number == number:
                return Coded("", answer.code, answer.display, answer.number), True
        raise Problem("unknown-answer", f"{concept.name}: found {number:g}, expected the number of one of its answers")
    try:
        factor, offset = concept.conversion(unit)
    except UnitError as error:
        raise Problem("unit", str(error)) from None
    value = number * factor + offset
    if not math.isfinite(value) or abs(value) > MAGNITUDE_MAX:
        raise Problem("absurd-number", f"{concept.name}: found {number:g} {unit[:32]}, which no patient has")
    same = unit == concept.unit
    if len(_KNOWN) < _KNOWN_MAX:
        low, high = concept.plausible
        _KNOWN[concept.name, unit] = _Known(concept.unit, factor, offset, low, high, same)
    if same:
        return Quantity(number, concept.unit, comparator), concept.is_plausible(value)
    return Quantity(value, concept.unit, comparator, number, unit), concept.is_plausible(value)
