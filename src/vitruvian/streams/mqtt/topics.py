"""The topics: `vitruvian/v1/{device}/{channel}`. They name devices, never patients."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from vitruvian.core.errors import ConfigurationError

__all__ = ["CHANNELS", "PREFIX", "Channel", "Topic", "check_device", "filters", "parse", "receipts", "topic"]

PREFIX: Final = "vitruvian/v1"
Channel = Literal["observations", "fhir", "association", "waveform"]
CHANNELS: Final[tuple[Channel, ...]] = ("observations", "fhir", "association", "waveform")
_TOPIC_BYTES_MAX: Final = 192  # the prefix, the longest device and the longest channel take 162
_DEVICE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")


class Topic(NamedTuple):
    """A topic that devices publish on."""

    device: str
    channel: Channel


def check_device(device: str) -> str:
    """The device's name, if it can stand in a topic; else ConfigurationError."""
    if not _DEVICE.fullmatch(device):
        raise ConfigurationError(
            f"found device name {device[:64]!r}, expected 1 to 128 of A-Z a-z 0-9 . _ : - and a letter or digit first"
        )
    return device


def topic(device: str, channel: Channel) -> bytes:
    """The topic on which a device publishes."""
    return f"{PREFIX}/{check_device(device)}/{channel}".encode()


def receipts(device: str) -> bytes:
    """The topic on which a device gets its receipts."""
    return f"{PREFIX}/{device}/receipts".encode()


def filters() -> tuple[str, ...]:
    """What the ward subscribes to."""
    return tuple(f"{PREFIX}/+/{channel}" for channel in CHANNELS)


def parse(text: bytes) -> Topic | None:
    """The device and channel of a topic; None where it is none of ours."""
    return _parse(text) if len(text) <= _TOPIC_BYTES_MAX else None


@lru_cache(maxsize=65_536)  # what it keeps is bounded in length too: anyone may publish on topics of 64 KiB
def _parse(text: bytes) -> Topic | None:
    parts = text.decode(errors="replace").split("/")
    if len(parts) != 4 or "/".join(parts[:2]) != PREFIX or parts[3] not in CHANNELS or not _DEVICE.fullmatch(parts[2]):
        return None
    return Topic(parts[2], parts[3])
