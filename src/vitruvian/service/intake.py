"""Observations in our own JSON, as pushed over HTTP, to entries or refusals; pure.

    {"id": "a1", "time": "2026-01-31T08:30:00Z", "device": "monitor-7", "values": {"heart_rate": [80, "/min"]}}

What is not JSON, or not of this shape, is the sender's to mend (400, 422). What is of this shape and makes no sense
(an unknown concept, a unit that does not convert, a time in the far future) is kept in quarantine with a reason.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from vitruvian.core.errors import LimitError, ReadingError, VitruvianError
from vitruvian.core.events import Coded, Entry, Event, Quantity, Refusal, Status, Value
from vitruvian.core.identifiers import Identifier, check_identifier
from vitruvian.core.limits import (
    FUTURE_US_MAX,
    IDENTIFIER_CHARS_MAX,
    JSON_DEPTH_MAX,
    MESSAGE_EVENTS_MAX,
    QUARANTINE_BYTES_MAX,
    SKEW_US_MAX,
)
from vitruvian.core.time import Instant, parse_iso
from vitruvian.core.vocabulary import VOCABULARY, Concept

OBSERVATIONS_MAX: Final = 10_000  # in one request
_STRINGS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)

Name = Annotated[str, Meta(max_length=IDENTIFIER_CHARS_MAX)]
Number = float | int


class IdentifierIn(msgspec.Struct, forbid_unknown_fields=True):
    """A business identifier with its assigning authority."""

    system: Annotated[str, Meta(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
    value: Annotated[str, Meta(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
    type: Name = ""


class ObservationIn(msgspec.Struct, forbid_unknown_fields=True):
    """What one source measured at one time. `id` is unique within `source`; `version` orders corrections of it.

    `values` maps a concept of the vocabulary to [number, UCUM unit], or to the word of a coded answer ("alert").
    Who it is of: `patient`, or `encounter`, or the patient whom `device` belongs to at that time.
    """

    id: Annotated[str, Meta(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
    time: Annotated[str, Meta(max_length=64)]
    values: Annotated[
        # Lengths of these texts are checked in `_value`: with constraints inside this union, msgspec 0.22 builds a
        # decoder that crashes the interpreter when the garbage collector next walks it.
        dict[str, tuple[Number, str] | str],
        Meta(min_length=1, max_length=MESSAGE_EVENTS_MAX),
    ]
    source: Name = ""
    version: Name = ""
    device: Name = ""
    patient: IdentifierIn | None = None
    encounter: IdentifierIn | None = None
    available: Annotated[str, Meta(max_length=64)] = ""
    status: Status = "final"


class _Nonsense(Exception):
    """Why an observation goes to quarantine."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


_one = msgspec.json.Decoder(ObservationIn)
_many = msgspec.json.Decoder(Annotated[list[ObservationIn], Meta(min_length=1, max_length=OBSERVATIONS_MAX)])


def check_depth(data: bytes, depth_max: int = JSON_DEPTH_MAX) -> None:
    """Raise LimitError where JSON nests deeper than `depth_max`. Linear in the bytes, without decoding them."""
    if data.count(b"[") + data.count(b"{") <= depth_max:
        return
    depth = 0
    for byte in re.sub(rb"[^\[\]{}]+", b"", _STRINGS.sub(b"", data)):
        depth += 1 if byte in b"[{" else -1
        if depth > depth_max:
            raise LimitError(f"found JSON nested over {depth_max} deep, expected less; flatten it")


def decode(data: bytes) -> list[ObservationIn]:
    """One observation or a list. Raises ReadingError (not JSON), LimitError (too deep), ValidationError (shape)."""
    check_depth(data)
    try:
        return _many.decode(data) if data.lstrip()[:1] == b"[" else [_one.decode(data)]
    except msgspec.ValidationError:
        raise
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReadingError(
            f"found a body that is not JSON ({str(error)[:120]}), expected an observation or a list"
        ) from None


def read(observation: ObservationIn, *, source: str, now_us: int) -> Entry | Refusal:
    """The entry that an observation is, or why it cannot be one."""
    origin = f"{source}:{observation.source}" if observation.source else source
    try:
        return _entry(observation, origin, now_us)
    except _Nonsense as nonsense:
        reason, detail = nonsense.reason, nonsense.detail
    except VitruvianError as error:
        reason, detail = "unreadable", str(error)
    raw = msgspec.json.encode(observation)[:QUARANTINE_BYTES_MAX]
    return Refusal(reason, detail, origin, observation.id, raw)


def _entry(observation: ObservationIn, origin: str, now_us: int) -> Entry:
    check_identifier(origin, "source")
    when = _zoned(observation.time, "time", now_us)
    issued = _zoned(observation.available, "available", now_us) if observation.available else None
    if issued is not None and issued.us < when.us:
        raise _Nonsense("time", "found available before time, expected it at or after; correct one of them")
    skewed = when.us > now_us + SKEW_US_MAX
    if not (observation.device or observation.patient or observation.encounter):
        raise _Nonsense("no-subject", "found neither device, patient nor encounter; say whose it is")
    events = tuple(_event(name, stated, when.us, when.zone, skewed) for name, stated in observation.values.items())
    return Entry(
        source=origin,
        source_id=check_identifier(observation.id, "id"),
        source_version=observation.version,
        events=events,
        subject=(_identifier(observation.patient),) if observation.patient else (),
        encounter=_identifier(observation.encounter) if observation.encounter else None,
        device=check_identifier(observation.device, "device") if observation.device else "",
        available_us=issued.us if issued else None,
        status=observation.status,
    )


def _zoned(text: str, what: str, now_us: int) -> Instant:
    """A time with its zone, and not over 24 h ahead."""
    found = parse_iso(text)
    if not found.zone:
        raise _Nonsense("time-without-zone", f"found {what} without an offset, expected one such as Z or +02:00")
    if found.us > now_us + FUTURE_US_MAX:
        raise _Nonsense("future", f"found {what} over 24 h ahead of ours; set the source's clock")
    return found


def _identifier(stated: IdentifierIn) -> Identifier:
    return Identifier(check_identifier(stated.system, "system"), check_identifier(stated.value, "value"), stated.type)


def _event(name: str, stated: tuple[Number, str] | str, at_us: int, zone: str, skewed: bool) -> Event:
    concept = VOCABULARY.get(name) or VOCABULARY.by_alias(name)
    if concept is None:
        raise _Nonsense("unknown-concept", f"found concept {name[:64]!r}, expected a name of the vocabulary")
    if concept.kind in ("intervention", "score", "estimate"):
        raise _Nonsense("not-an-observation", f"found {concept.name}, which is a {concept.kind}; send it as FHIR")
    value = _value(concept, stated)
    number = value.value if isinstance(value, Quantity) else None
    implausible = number is not None and not concept.is_plausible(number)
    quality = (("clock-skew",) if skewed else ()) + (("implausible",) if implausible else ())
    return Event("observation", concept.name, value, at_us, zone=zone, quality=quality)


def _value(concept: Concept, stated: tuple[Number, str] | str) -> Value:
    text = stated if isinstance(stated, str) else stated[1]
    if len(text) > IDENTIFIER_CHARS_MAX:
        raise _Nonsense(
            "too-long", f"found a text of {len(text)} characters for {concept.name}; send its unit or answer"
        )
    if isinstance(stated, str):
        answer = concept.answer(stated)
        if answer is None:
            raise _Nonsense("unknown-answer", f"found an answer that {concept.name} does not have; see the vocabulary")
        return Coded("vitruvian", answer.code, answer.display, answer.number)
    number, unit = stated
    if not math.isfinite(number) or abs(number) > 1e15:
        raise _Nonsense("not-a-number", f"found a value of {concept.name} that no instrument gives")
    try:
        value = concept.normalize(float(number), unit)
    except VitruvianError as error:
        raise _Nonsense("unit", str(error)) from None
    same = unit == concept.unit
    return Quantity(value, concept.unit, stated_value=None if same else float(number), stated_unit="" if same else unit)


def split(readings: Sequence[Entry | Refusal]) -> tuple[list[Entry], list[Refusal]]:
    """Entries and refusals apart, each in order."""
    return (
        [reading for reading in readings if isinstance(reading, Entry)],
        [reading for reading in readings if isinstance(reading, Refusal)],
    )
