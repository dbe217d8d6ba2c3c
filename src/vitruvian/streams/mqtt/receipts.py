"""Our receipts to the devices: one a device and commit batch. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from vitruvian.core.events import Reading, Receipt
from vitruvian.core.limits import IDENTIFIER_CHARS_MAX
from vitruvian.streams.mqtt import codec, topics
from vitruvian.streams.mqtt.messages import DeviceReceipt, RefusedPart

__all__ = ["UNNAMED", "Settled", "digest", "receipt_packets", "receipts", "stated_id"]

_encode: Final = msgspec.json.Encoder().encode
_ID: Final = re.compile(rb'"id"\s*:\s*(?:"([^"\\\x00-\x1f]{1,255})"|(\d{1,20}))')
REFUSED_MAX: Final = 256  # told of one device in one receipt; the rest are told by their ids
UNNAMED: Final = "blake2b:"
_OURS: Final = ("observations", "association")  # kinds whose entries are named after the message


class _Named(msgspec.Struct):
    id: str | int | None = None


_named: Final = msgspec.json.Decoder(_Named).decode


class Settled(NamedTuple):
    """One message that is durable: what was read from it, and the receipts of its entries, in order."""

    device: str
    payload: bytes
    readings: Sequence[Reading]
    receipts: Sequence[Receipt]


def digest(payload: bytes) -> str:
    """What names a message whose id could not be read."""
    return UNNAMED + hashlib.blake2b(payload, digest_size=16).hexdigest()


def receipts(settled: Iterable[Settled]) -> dict[str, DeviceReceipt]:
    """One receipt for each device."""
    told: dict[str, DeviceReceipt] = {}
    for message in settled:
        kept = message.receipts
        outcome = kept[0].outcome if kept else "quarantined"
        receipt = told.get(message.device)
        if receipt is None:
            receipt = told[message.device] = DeviceReceipt([], outcome)
        elif receipt.outcome != outcome:
            receipt.outcome = "mixed"
        reading = message.readings[0]
        if len(message.readings) == 1 and reading.kind in _OURS and reading.entries and not reading.refused_parts:
            name = reading.entries[0].source_id[len(message.device) + 1 :]
        else:
            name = stated_id(message.payload) or digest(message.payload)
        receipt.ids.append(name)
        if outcome == "quarantined" or reading.refused_parts or len(message.readings) > 1:
            room = REFUSED_MAX - len(receipt.refused)
            receipt.refused.extend(RefusedPart(name, reason) for reason in _reasons(message)[:room])
    return told


def _reasons(message: Settled) -> list[str]:
    reasons = [one.refusal.reason for one in message.readings if one.refusal is not None]
    reasons += [part.reason for one in message.readings for part in one.refused_parts]
    reasons += [one.reason for one in message.receipts if one.outcome == "quarantined"]
    return list(dict.fromkeys(reasons))


def stated_id(payload: bytes) -> str:
    """The `id` of a message, or the first that is to be seen in one that is not JSON; empty where there is none."""
    try:
        name = _named(payload).id
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        found = _ID.search(payload, 0, 4_096)
        return (found[1] or found[2]).decode(errors="replace") if found else ""
    return "" if name is None else str(name)[:IDENTIFIER_CHARS_MAX]


def receipt_packets(settled: Iterable[Settled]) -> list[bytes]:
    """The receipts as MQTT packets at QoS 0: one that is lost is given again when the device sends again."""
    return [codec.publish(topics.receipts(device), _encode(receipt)) for device, receipt in receipts(settled).items()]
