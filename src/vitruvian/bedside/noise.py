"""Noise keyed by (patient, tick, channel): the same whoever asks, in whatever order, for however many patients."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Smooth", "keys", "normal", "uniform"]

Keys = NDArray[np.uint64]
Floats = NDArray[np.float32]

_GOLDEN: Final = 0x9E3779B97F4A7C15
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_MASK: Final = (1 << 64) - 1
# Four uniform 16-bit parts: their sum has mean 4 * 32767.5 and variance 4 * (2**32 - 1) / 12.
_MEAN: Final = np.float32(131_070.0)
_SCALE: Final = np.float32(1 / np.sqrt((2.0**32 - 1) / 3))


def _mix(words: Keys) -> Keys:
    """The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)."""
    words = (words ^ (words >> np.uint64(30))) * _FIRST
    words = (words ^ (words >> np.uint64(27))) * _SECOND
    return words ^ (words >> np.uint64(31))


def keys(seed: int, count: int) -> Keys:
    """One key for each of patients 0..count-1; a patient's key does not depend on how many there are."""
    with np.errstate(over="ignore"):
        base = np.uint64((seed * _GOLDEN + 1) & _MASK)
        return _mix(_mix(np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN)) ^ base)


def _words(patients: Keys, counter: int, stream: int, channels: int) -> Keys:
    """(patients, channels) random words for one counter of one stream."""
    salts = [
        (counter * _GOLDEN + (stream * 1_000_003 + channel + 1) * 0xD1B54A32D192ED03) & _MASK
        for channel in range(channels)
    ]
    with np.errstate(over="ignore"):
        return _mix(patients[:, None] + np.array(salts, dtype=np.uint64)[None, :])


def uniform(patients: Keys, counter: int, stream: int, channels: int) -> Floats:
    """(patients, channels) numbers in [0, 1)."""
    return ((_words(patients, counter, stream, channels) >> np.uint64(40)) * (1 / (1 << 24))).astype(np.float32)


def normal(patients: Keys, counter: int, stream: int, channels: int) -> Floats:
    """(patients, channels) numbers, close to standard normal: the sum of four uniforms, never beyond 3.47."""
    words = _words(patients, counter, stream, channels)
    parts = np.ascontiguousarray(words).view(np.uint16).reshape(*words.shape, 4)
    total = parts[..., 0].astype(np.float32)
    for part in range(1, 4):
        total += parts[..., part]
    return (total - _MEAN) * _SCALE


class Smooth:
    """Slowly varying unit-variance noise: independent normals every `period_s`, turned one into the next.

    Its correlation falls to 0.5 after about two thirds of the period and to none after two periods.
    """

    def __init__(self, patients: Keys, period_s: float, stream: int, channels: int) -> None:
        self._patients, self._period_s = patients, period_s
        self._stream, self._channels = stream, channels
        self._knot: int | None = None
        self._from: Floats = np.zeros((len(patients), channels), np.float32)
        self._to = self._from

    def at(self, time_s: float, rows: slice = slice(None)) -> Floats:
        """(rows, channels) at a time."""
        knot, part = divmod(time_s / self._period_s, 1.0)
        if knot != self._knot:
            self._knot = int(knot)
            self._from = normal(self._patients, self._knot, self._stream, self._channels)
            self._to = normal(self._patients, self._knot + 1, self._stream, self._channels)
        angle = part * np.pi / 2
        blend: Floats = self._from[rows] * np.float32(np.cos(angle)) + self._to[rows] * np.float32(np.sin(angle))
        return blend
