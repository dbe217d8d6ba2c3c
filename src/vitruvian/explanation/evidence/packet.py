"""Reading a packet that someone brings: strictly, in the vocabulary's units, with its red flags worked out again.

What a packet claims is not believed where its own numbers can tell: a direction against them is refused, a critical
value is critical whether it is flagged or not. Names of the vocabulary bring their own labels.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec

from vitruvian.core.errors import ReadingError, UnitError
from vitruvian.core.units import parse
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.core.vocabulary.concept import Concept
from vitruvian.explanation.drafting import AUDIENCES, plan_of
from vitruvian.explanation.evidence.base import SCHEMA, Direction, Evidence, Fact, Flag, Kind, Role
from vitruvian.explanation.evidence.checks import MEASURED, check_numbers, check_shape, is_past, is_share, then_of
from vitruvian.explanation.evidence.labels import relabelled
from vitruvian.explanation.evidence.parts import KEY_INPUTS, direction_of
from vitruvian.explanation.evidence.ranges import is_critical
from vitruvian.explanation.evidence.risk import is_rising
from vitruvian.explanation.evidence.together import check_together
from vitruvian.explanation.subjects import in_sentence, subjects

__all__ = ["PACKET_BYTES_MAX", "SCHEMA_FILE", "packet_schema", "read_packet"]

PACKET_BYTES_MAX: Final = 256 * 1024
SCHEMA_FILE: Final = "packet.schema.json"
_SIMULATED_KINDS: Final[tuple[Kind, ...]] = ("forecast", "what_if")
_CRITICAL_ROLES: Final[tuple[Role, ...]] = ("measurement", "driver", "expected")
_UNIT_ROLES: Final[tuple[Role, ...]] = (
    *MEASURED, "interval_low", "interval_high", "earlier", "limit", "alarm", "action", "edit", "event",
)  # fmt: skip
_decoder: Final = msgspec.json.Decoder(Evidence, strict=True)


def packet_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a packet; `packet.schema.json` holds it for other programs."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(Evidence)}
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made))
    return plain


def shipped_schema() -> Mapping[str, Any]:
    """The schema as it is shipped."""
    text = resources.files("vitruvian.explanation").joinpath(SCHEMA_FILE).read_text("utf-8")
    found: Mapping[str, Any] = msgspec.json.decode(text)
    return found


def read_packet(data: bytes) -> Evidence:
    """The packet in these bytes of JSON, in the vocabulary's units. Raises ReadingError, which says what was found,
    what was expected and what to do.
    """
    if len(data) > PACKET_BYTES_MAX:
        raise ReadingError(
            f"found a packet of {len(data)} bytes, expected at most {PACKET_BYTES_MAX}; leave out what nobody reads"
        )
    try:
        packet = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReadingError(
            f"found a packet that is not of the schema ({error}), expected schema {SCHEMA}; see docs/explanation.md"
        ) from None
    packet = _with_facts(packet, (relabelled(fact) for fact in packet.facts))
    check_shape(packet)
    packet = _with_facts(packet, (_normalised(fact, packet) for fact in packet.facts))
    check_numbers(packet)
    check_together(packet)
    packet = _with_facts(packet, (_directed(fact, packet) for fact in packet.facts))
    packet = _with_facts(packet, (_flagged(fact, packet) for fact in packet.facts))
    simulated = packet.simulated or packet.kind in _SIMULATED_KINDS
    packet = msgspec.structs.replace(packet, simulated=simulated, brought=True)
    if not all(plan_of(packet, audience) for audience in AUDIENCES):
        raise ReadingError(
            f"found a packet of kind {packet.kind} with nothing in it that can be told, expected what such a packet is"
            " about; see docs/explanation.md"
        )
    return packet


def _with_facts(packet: Evidence, facts: Iterable[Fact]) -> Evidence:
    return msgspec.structs.replace(packet, facts=tuple(facts))


def _normalised(fact: Fact, packet: Evidence) -> Fact:
    """In the vocabulary's unit, under the vocabulary's label."""
    concept = VOCABULARY.get(fact.name)
    if concept is None or fact.role not in _UNIT_ROLES or is_share(fact, packet):
        return fact
    label = in_sentence(concept.display) if concept.kind == "intervention" else subjects(fact.name).label
    value, unit = _converted(fact, concept, packet)
    return msgspec.structs.replace(fact, label=label, value=value, unit=unit)


def _directed(fact: Fact, packet: Evidence) -> Fact:
    """With the direction that its numbers show, where it brings none: a difference whose interval holds nothing of the
    other sign, a value beside what it was.
    """
    if fact.direction or fact.value is None:
        return fact
    found: Direction = ""
    if fact.role == "difference":
        ends = [one.value for one in packet.of_role("interval_low", "interval_high", of=fact.id)]
        known = [end for end in ends if end is not None] or [fact.value]
        found = "rising" if min(known) > 0 else "falling" if max(known) < 0 else ""
    elif fact.role in ("measurement", "driver", "expected"):
        then = then_of(fact, packet)
        if then is not None and then.value is not None:
            found = direction_of(fact.name, then.value, fact.value)
    return msgspec.structs.replace(fact, direction=found) if found else fact


def _converted(fact: Fact, concept: Concept, packet: Evidence) -> tuple[float | None, str]:
    if fact.value is None:
        return None, fact.unit
    if fact.unit in ("", concept.unit):
        return fact.value, concept.unit
    try:
        if concept.kind == "intervention":  # an amount, a rate or a setting: each stays as it was ordered
            parse(fact.unit)
            return fact.value, fact.unit
        factor, offset = concept.conversion(fact.unit)
    except UnitError as error:
        raise ReadingError(f"fact {fact.id}: {error}") from None
    parent = packet.by_id.get(fact.of)
    relative = fact.role == "difference" or (parent is not None and parent.role == "difference")
    value = fact.value * factor + (0.0 if relative and fact.role != "expected" else offset)
    if not math.isfinite(value):
        raise ReadingError(f"fact {fact.id}: found {fact.value:g} {fact.unit}, expected a number that can be converted")
    return value, concept.unit


def _flagged(fact: Fact, packet: Evidence) -> Fact:
    """With the red flags that its own numbers call for, beside those that it brings."""
    wanted: list[Flag] = []
    if fact.role in _CRITICAL_ROLES and fact.value is not None and not _is_told_elsewhere(fact, packet):
        wanted += ["critical"] if is_critical(fact.name, fact.value) else []
    if fact.role == "probability" and fact.value is not None:
        earlier = next((one.value for one in packet.of_role("earlier", of=fact.id)), None)
        wanted += ["rising_risk"] if is_rising(fact.value, earlier) else []
    if fact.role == "missing" and fact.name in KEY_INPUTS:
        wanted.append("missing_key")
    if packet.kind == "what_if" and fact.role in ("action", "edit", "difference", "expected"):
        wanted.append("hypothetical")
    added = tuple(flag for flag in wanted if flag not in fact.flags)
    return msgspec.structs.replace(fact, flags=(*fact.flags, *added)) if added else fact


def _is_told_elsewhere(fact: Fact, packet: Evidence) -> bool:
    """Whether it is a past value, or the same measurement stands in the packet by itself."""
    if is_past(fact, packet):
        return True
    alone = [one for one in packet.of_role("measurement") if not one.of and one.name == fact.name]
    return fact.role == "measurement" and bool(fact.of) and any(one.value == fact.value for one in alone)


if __name__ == "__main__":  # writes the schema that is shipped
    text = msgspec.json.format(msgspec.json.encode(packet_schema()), indent=1).decode()
    (Path(__file__).parent.parent / SCHEMA_FILE).write_text(f"{text}\n", "utf-8")
