"""From an entry to what will be written: checks, its bytes, its values by instant. Pure; never raises."""

from __future__ import annotations

import hashlib
import math
import struct
from collections.abc import Callable
from typing import Final

import msgspec

from vitruvian.core.events import Association, Coded, Dose, Entry, Event, Finding, Quantity, Refusal, Text
from vitruvian.core.identifiers import Identifier
from vitruvian.core.limits import IDENTIFIER_CHARS_MAX, MESSAGE_EVENTS_MAX, QUARANTINE_BYTES_MAX, TEXT_CHARS_MAX
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.journal.samples import CLOCK_SKEW, COMPARATOR, IMPLAUSIBLE, ORDER_BIAS, PACKED_FORMAT, PRELIMINARY

TIME_US_MIN: Final = -4_102_444_800_000_000  # the year 1840: nobody alive was observed before
TIME_US_MAX: Final = 10_413_792_000_000_000  # the year 2300; MIMIC's shifted dates reach into the 2210s
SUBJECT_IDENTIFIERS_MAX: Final = 32

OBSERVATION: Final = 1
KINDS: Final = {
    "observation": 1,
    "administration": 2,
    "order": 4,
    "condition": 8,
    "encounter": 16,
    "identity": 32,
    "device": 64,
    "derived": 128,
}
DERIVED: Final = KINDS["derived"]
IDENTITY_KINDS: Final = KINDS["encounter"] | KINDS["identity"] | KINDS["device"]
_MEASURING: Final = (1, 2, 8)  # kinds whose quantities are values of the patient; an order is not given yet
DEAD_STATUSES: Final = frozenset(("cancelled", "entered-in-error"))

# One instant of an entry: occurred_us, bits of the kinds of its events, packed values.
Group = tuple[int, int, bytes]

_encode: Final = msgspec.msgpack.Encoder().encode
# name -> index, low, high, unit
_CONCEPTS: Final = {c.name: (c.index, c.plausible[0], c.plausible[1], c.unit) for c in VOCABULARY}
_ADMINISTERED: Final = {c.name: c.administration for c in VOCABULARY if c.administration is not None}
_PACKERS: Final = tuple(struct.Struct("<" + PACKED_FORMAT * n).pack for n in range(65))


class Prepared:
    """An entry with what its commit needs; `groups` has one item for each instant that its events speak of."""

    __slots__ = ("entry", "groups", "key", "kinds", "order", "payload")

    def __init__(self, entry: Entry, key: bytes, payload: bytes, kinds: int, groups: list[Group]) -> None:
        self.entry = entry
        self.key = key
        self.order = int.from_bytes(key[:8], "big") - ORDER_BIAS
        self.payload = payload
        self.kinds = kinds
        self.groups = groups


class _Unfit(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def key_of(source: str, source_id: str) -> bytes:
    """`digest16(source, source_id)`, written out: it is on the path of every message."""
    first, second = source.encode(), source_id.encode()
    return hashlib.blake2b(
        b"%b%b%b%b" % (len(first).to_bytes(4, "little"), first, len(second).to_bytes(4, "little"), second),
        digest_size=16,
    ).digest()


def prepare(entry: Entry) -> Prepared | Refusal:
    """What is to be written, or why the entry goes to quarantine (limits, absurd times, values not finite)."""
    try:
        kinds, groups = _groups(entry)
        _check_header(entry, kinds)
        return Prepared(entry, key_of(entry.source, entry.source_id), _encode(entry), kinds, groups)
    except _Unfit as error:
        return _refusal(entry, error.reason, str(error))
    except Exception as error:
        # Structs built in code are not type-checked: text where a number belongs ends here, not in the stream.
        return _refusal(
            entry, "malformed", f"found an entry that cannot be kept ({type(error).__name__}); correct the source"
        )


def _refusal(entry: Entry, reason: str, detail: str) -> Refusal:
    try:
        raw = _encode(entry)[:QUARANTINE_BYTES_MAX]
    except Exception:
        raw = b""
    source, source_id = (_bounded(part) for part in (entry.source, entry.source_id))
    return Refusal(reason, detail, source, source_id, raw)


def _bounded(part: object) -> str:
    return part[:IDENTIFIER_CHARS_MAX].encode("utf-8", "replace").decode() if isinstance(part, str) else ""


def _check_header(entry: Entry, kinds: int) -> None:
    if not entry.source_id or not entry.source:
        raise _Unfit("no-source-id", "found an entry without a source or source_id, expected both; name each entry")
    longest = max(len(entry.source_id), len(entry.source), len(entry.device), len(entry.source_version))
    if longest > IDENTIFIER_CHARS_MAX:
        raise _Unfit("too-long", f"found a name of {longest} characters, expected at most {IDENTIFIER_CHARS_MAX}")
    if entry.available_us is not None:
        _check_time(entry.available_us)
    if len(entry.subject) > SUBJECT_IDENTIFIERS_MAX:
        raise _Unfit("too-many", f"found {len(entry.subject)} identifiers, expected at most {SUBJECT_IDENTIFIERS_MAX}")
    for identifier in entry.subject:
        _check_identifier(identifier)
    if entry.encounter is not None:
        _check_identifier(entry.encounter)
    if not entry.subject and not entry.device and entry.encounter is None and not _stands_alone(entry, kinds):
        raise _Unfit("no-subject", "found neither a patient, an encounter nor a device, expected one of them")


def _stands_alone(entry: Entry, kinds: int) -> bool:
    if kinds == DERIVED:
        return True
    return all(
        isinstance(event.value, Association) and (event.value.location is not None or event.value.action != "start")
        for event in entry.events
    )


def _check_identifier(identifier: Identifier) -> None:
    if (
        not identifier.value
        or len(identifier.value) > IDENTIFIER_CHARS_MAX
        or len(identifier.system) > IDENTIFIER_CHARS_MAX
    ):
        raise _Unfit("identifier", f"found an identifier without a value or over {IDENTIFIER_CHARS_MAX} characters")


def _check_time(moment_us: int) -> None:
    if not TIME_US_MIN <= moment_us <= TIME_US_MAX:
        raise _Unfit("absurd-time", f"found instant {moment_us} us, expected one between the years 1840 and 2300")


class _Instants:
    """Kinds and values of an entry, by instant."""

    __slots__ = ("rows",)

    def __init__(self) -> None:
        self.rows: dict[int, tuple[int, list[float]]] = {}

    def at(self, occurred_us: int, bit: int) -> list[float]:
        """The values of an instant, with the kind of an event noted."""
        row = self.rows.get(occurred_us)
        if row is None:
            _check_time(occurred_us)
            row = self.rows[occurred_us] = (bit, [])
        elif not row[0] & bit:
            row = self.rows[occurred_us] = (row[0] | bit, row[1])
        return row[1]


def _groups(entry: Entry) -> tuple[int, list[Group]]:
    """The kinds of all events, and the values by instant."""
    events = entry.events
    if not 0 < len(events) <= MESSAGE_EVENTS_MAX:
        raise _Unfit("event-count", f"found {len(events)} events, expected 1 to {MESSAGE_EVENTS_MAX}")
    base = PRELIMINARY if entry.status == "preliminary" else 0
    silent = entry.status in DEAD_STATUSES
    instants = _Instants()
    for event in events:
        bit = KINDS[event.kind]
        into = instants.at(event.occurred_us, bit)
        if event.ended_us is not None:
            _check_end(event)
        value = event.value
        if type(value) is Quantity:
            concept = _CONCEPTS.get(event.concept)
            number = value.value
            if not math.isfinite(number):
                raise _Unfit("not-finite", f"found a value of {event.concept or event.code!r} that is not finite")
            if concept is None:
                if event.concept:
                    raise _unknown(event)
            elif bit in _MEASURING:
                if value.unit != concept[3]:
                    raise _unit(event, value.unit, concept[3])
                if silent:
                    continue
                quality = base if concept[1] <= number <= concept[2] else base | IMPLAUSIBLE
                if value.comparator:
                    quality |= COMPARATOR
                if event.quality and "clock-skew" in event.quality:
                    quality |= CLOCK_SKEW
                into += (concept[0], quality, number)
        else:
            _other_value(event, bit, base, silent, instants)
    kinds = 0
    groups = []
    for occurred_us, (bits, values) in instants.rows.items():
        kinds |= bits
        groups.append((occurred_us, bits, pack(values)))
    return kinds, groups


def _unit(event: Event, found: str, expected: str) -> _Unfit:
    return _Unfit("unit-mismatch", f"found {event.concept} in {found[:64]!r}, expected {expected!r}; convert it")


def _unknown(event: Event) -> _Unfit:
    return _Unfit("unknown-concept", f"found concept {event.concept[:64]!r}, expected a name of the vocabulary or none")


def _check_end(event: Event) -> None:
    assert event.ended_us is not None
    _check_time(event.ended_us)
    if event.ended_us < event.occurred_us:
        raise _Unfit("interval", f"found an end {event.occurred_us - event.ended_us} us before its start")


def pack(flat: list[float]) -> bytes:
    """Concept, quality, value, concept, ... as the series keeps them."""
    count = len(flat) // 3
    packer: Callable[..., bytes] = (
        _PACKERS[count] if count < len(_PACKERS) else struct.Struct("<" + PACKED_FORMAT * count).pack
    )
    return packer(*flat)


def _other_value(event: Event, bit: int, base: int, silent: bool, instants: _Instants) -> None:
    """Coded answers and doses; texts are only bounded. What lasts until an end has an instant of its own there."""
    value = event.value
    if type(value) is Finding:
        if value.number is not None and not math.isfinite(value.number):
            raise _Unfit("not-finite", f"found a finding {value.name[:64]!r} that is not finite")
        return
    if type(value) is Text and len(value.text) > TEXT_CHARS_MAX:
        raise _Unfit("too-long", f"found a text of {len(value.text)} characters, expected at most {TEXT_CHARS_MAX}")
    if event.concept and event.concept not in _CONCEPTS:
        raise _unknown(event)
    number, lasts, implausible = _number(event)
    if number is None:
        return
    if not math.isfinite(number):
        raise _Unfit("not-finite", f"found a value of {event.concept!r} that is not finite")
    if silent:
        return
    quality = base | IMPLAUSIBLE if implausible else base
    if "clock-skew" in event.quality:
        quality |= CLOCK_SKEW
    index = _CONCEPTS[event.concept][0]
    instants.at(event.occurred_us, bit).extend((index, quality, number))
    if lasts and event.ended_us is not None and event.ended_us > event.occurred_us:
        instants.at(event.ended_us, 0).extend((index, quality, 0.0))


def _number(event: Event) -> tuple[float | None, bool, bool]:
    """The number kept for a coded answer or a dose; whether it lasts until the event's end; whether implausible."""
    value, concept = event.value, _CONCEPTS.get(event.concept)
    if concept is None:
        return None, False, False
    if type(value) is Coded and event.kind in ("observation", "condition", "order"):
        return value.number, event.kind == "condition", False
    if type(value) is not Dose or event.kind != "administration":
        return None, False, False
    given = _ADMINISTERED.get(event.concept)
    if value.rate is not None:
        fits = value.rate_unit in (concept[3], given.rate_unit if given else concept[3])
        low, high = (given.plausible_rate if given else None) or (-math.inf, math.inf)
        return (value.rate if fits else None), True, not low <= value.rate <= high
    if value.amount is not None:
        # A bolus of what is charted as a rate (epinephrine, ug/kg/min) is no value of that series: 1 mg is not a rate.
        kept_as_rate = given is not None and concept[3] == given.rate_unit != given.dose_unit
        dose_unit = given.dose_unit if given and not kept_as_rate else concept[3]
        fits = value.amount_unit in (concept[3], dose_unit)
        low, high = (given.plausible_dose if given else None) or (-math.inf, math.inf)
        return (value.amount if fits else None), False, not low <= value.amount <= high
    return None, False, False
