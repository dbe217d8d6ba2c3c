"""Our receipts to the devices: one a device and commit batch. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from vitruvian.core.events import Reading, Receipt
from vitruvian.streams.mqtt import codec, topics
from vitruvian.streams.mqtt.messages import DeviceReceipt, RefusedPart

__all__ = ["Settled", "digest", "receipt_packets", "receipts", "stated_id"]

_encode: Final = msgspec.json.Encoder().encode
_ID: Final = re.compile(rb'"id"\s*:\s*(?:"([^"\\\x00-\x1f]{1,255})"|(\d{1,20}))')
REFUSED_MAX: Final = 256  # told of one device in one receipt; the rest are told by their ids


class Settled(NamedTuple):
    """One message that is durable: what was read from it, and the receipts of its entries, in order."""

    device: str
    payload: bytes
    readings: Sequence[Reading]
    receipts: Sequence[Receipt]


def digest(payload: bytes) -> str:
    """What names a message whose id could not be read."""
    return hashlib.blake2b(payload, digest_size=16).hexdigest()


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
        if len(message.readings) == 1 and reading.entries and not reading.refused_parts and outcome != "quarantined":
            receipt.ids.append(reading.entries[0].source_id[len(message.device) + 1 :])
        else:
            _tell(receipt, message)
    return told


def _tell(receipt: DeviceReceipt, message: Settled) -> None:
    """The slower way: something of the message was refused, or it held several resources."""
    name = stated_id(message.payload)
    if name:
        receipt.ids.append(name)
    reasons = [one.refusal.reason for one in message.readings if one.refusal is not None]
    reasons += [part.reason for one in message.readings for part in one.refused_parts]
    reasons += [one.reason for one in message.receipts if one.outcome == "quarantined"]
    if not name:
        reasons = reasons or ["malformed-message"]
    room = REFUSED_MAX - len(receipt.refused)
    unnamed = "" if name else digest(message.payload)
    receipt.refused.extend(RefusedPart(name, reason, unnamed) for reason in dict.fromkeys(reasons[:room]))


def stated_id(payload: bytes) -> str:
    """The first `id` of a message, even of one that is not JSON; empty where none is to be seen."""
    found = _ID.search(payload, 0, 4_096)
    if found is None:
        return ""
    return (found[1] or found[2]).decode(errors="replace")


def receipt_packets(settled: Iterable[Settled]) -> list[bytes]:
    """The receipts as MQTT packets at QoS 0: one that is lost is given again when the device sends again."""
    return [codec.publish(topics.receipts(device), _encode(receipt)) for device, receipt in receipts(settled).items()]
