"""Noise by counter, and the transformations of bounded values: what all compiled parts of the filters share.

Noise is a hash of (patient's key, tick, member, stream, channel): no generator is carried along, so that a number does
not depend on who else is asked for, in what order, or by how many threads.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from vitruvian.estimation.compiled import njit

# How a value is carried: as it is, as its logarithm, as the logit between two bounds, or as the inverse of softplus
# above one bound (the value itself far from the bound, a logarithm near it).
PLAIN: Final = 0
LOG: Final = 1
LOGIT: Final = 2
SOFT: Final = 3

# Streams of noise: no two uses share one.
PRIOR: Final = 0
WALK: Final = 1
STATE: Final = 2
BIAS: Final = 3
RESCUE: Final = 4
PICK: Final = 5
JITTER: Final = 6
ERROR: Final = 7

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
_STREAM: Final = np.uint64(0xD1B54A32D192ED03)
_TINY: Final = 1e-300
_EDGE: Final = 1e-9  # how near a bound a value may come, as a share of the width between the bounds
_SOFT_EDGE: Final = 1e-6  # the same above one bound, in widths of the soft part


@njit()
def mix(word):  # type: ignore[no-untyped-def]
    """The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    word = (word ^ (word >> np.uint64(30))) * _FIRST
    word = (word ^ (word >> np.uint64(27))) * _SECOND
    return word ^ (word >> np.uint64(31))


@njit()
def word(key, tick, member, stream, channel):  # type: ignore[no-untyped-def]
    """64 random bits of (patient's key, tick, member, stream, channel)."""
    first = mix(key + np.uint64(tick) * _GOLDEN)
    second = mix(first + np.uint64(member + 1) * _STREAM)
    return mix(second + np.uint64(stream * 1_000_003 + channel + 1) * _GOLDEN)


@njit()
def uniform(key, tick, member, stream, channel):  # type: ignore[no-untyped-def]
    """A number in (0, 1)."""
    bits = word(key, tick, member, stream, channel)
    return (float(bits >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)


@njit()
def normal(key, tick, member, stream, channel):  # type: ignore[no-untyped-def]
    """A standard normal number (Box and Muller 1958)."""
    bits = word(key, tick, member, stream, channel)
    first = (float(bits >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)
    second = (float(mix(bits + _GOLDEN) >> np.uint64(11)) + 0.5) * (1.0 / 9007199254740992.0)
    return math.sqrt(-2.0 * math.log(first)) * math.cos(2.0 * math.pi * second)


@njit()
def forward(kind, low, high, width, value):  # type: ignore[no-untyped-def]
    """A value in transformed space. A value on or beyond a bound counts as just inside it."""
    if kind == LOG:
        return math.log(min(max(value, low, _TINY), high))
    if kind == LOGIT:
        part = min(max((value - low) / (high - low), _EDGE), 1.0 - _EDGE)
        return math.log(part / (1.0 - part))
    if kind == SOFT:
        above = max((value - low) / width, _SOFT_EDGE)
        return width * (above + math.log(-math.expm1(-above)))
    return min(max(value, low), high)


@njit()
def back(kind, low, high, width, z):  # type: ignore[no-untyped-def]
    """The value of a transformed one: always within its bounds."""
    if kind == LOG:
        return min(max(math.exp(min(z, 700.0)), low), high)
    if kind == LOGIT:
        part = 1.0 / (1.0 + math.exp(-z)) if z >= 0 else math.exp(z) / (1.0 + math.exp(z))
        return low + (high - low) * min(max(part, _EDGE), 1.0 - _EDGE)
    if kind == SOFT:
        part = z / width
        return low + width * (max(part, 0.0) + math.log1p(math.exp(-abs(part))))
    return min(max(z, low), high)


@njit()
def normals(keys, tick, stream, channel, out):  # type: ignore[no-untyped-def]
    """Fill out (N, M, K) with standard normal numbers, one for each patient, member and place."""
    patients, members, count = out.shape
    for n in range(patients):
        for m in range(members):
            for k in range(count):
                out[n, m, k] = normal(keys[n], tick, m, stream, channel + 64 * k)
