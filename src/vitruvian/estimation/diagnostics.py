"""Whether an ensemble's claims are true: coverage, rank histograms, the continuous ranked probability score, and
whether innovations are as large and as independent as the filter says.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError

__all__ = ["Innovations", "Ranks", "coverage", "crps", "innovations", "rank_histogram"]

Floats = NDArray[np.float64]


def crps(members: Floats, values: Floats, *, fair: bool = True) -> Floats:
    """The continuous ranked probability score (...) of ensembles (..., M) at values (...), in the values' unit.

    Mean |x - y| less half the mean |x - x'|; `fair` divides the second by M (M - 1) in place of M2, so that small
    ensembles are not punished for being small (Ferro 2014, Q. J. R. Meteorol. Soc. 140:1917).
    """
    x, y = np.sort(np.asarray(members, np.float64), axis=-1), np.asarray(values, np.float64)
    count = x.shape[-1]
    if count < 2 or x.shape[:-1] != y.shape:
        raise ModelError(f"found ensembles {x.shape} and values {y.shape}, expected (..., M > 1) and (...)")
    weights = 2.0 * np.arange(1, count + 1) - count - 1
    pairs = (x * weights).sum(-1) * 2.0  # the sum of |x - x'| over all ordered pairs
    result: Floats = np.abs(x - y[..., None]).mean(-1) - 0.5 * pairs / (count * (count - 1 if fair else count))
    return result


def coverage(members: Floats, values: Floats, level: float = 0.9, error: Floats | float = 0.0) -> float:
    """The share of values (...), NaN left out, in the central interval of their ensembles (..., M).

    `error` (...) is a standard deviation to add to each member's (the measurement's, where values are measured): the
    interval is then that of the normal mixture's variance, mean +- z sd. Quantiles are those that a further draw of the
    same distribution passes with their probability (rank over M + 1), so that a right ensemble of any size covers.
    """
    x, y = np.asarray(members, np.float64), np.asarray(values, np.float64)
    if np.any(np.asarray(error) > 0):
        half = _normal_quantile(0.5 + level / 2) * np.sqrt(x.var(-1, ddof=1) + np.square(error))
        low, high = x.mean(-1) - half, x.mean(-1) + half
    else:
        low, high = np.quantile(x, [(1 - level) / 2, (1 + level) / 2], axis=-1, method="weibull")
    known = np.isfinite(y)
    return float(((y >= low) & (y <= high))[known].mean())


@dataclass(frozen=True)
class Ranks:
    """counts (M + 1,) of how many members lay below the value; the chi-square distance from flat, and its p value."""

    counts: NDArray[np.int64]
    chi_square: float
    p: float

    @property
    def shape(self) -> str:
        """In a word: flat, U (too narrow), dome (too wide) or slope (biased), by the ranks' first two moments."""
        if self.p > 0.01:
            return "flat"
        share = (np.arange(len(self.counts)) + 0.5) / len(self.counts)
        total = self.counts.sum()
        mean = float((share * self.counts).sum() / total)
        spread = float((((share - 0.5) ** 2) * self.counts).sum() / total) * 12
        lean, width = (mean - 0.5) * math.sqrt(12 * total), (spread - 1) * math.sqrt(1.25 * total)
        if abs(lean) > abs(width):
            return "slope"
        return "U" if width > 0 else "dome"


def rank_histogram(members: Floats, values: Floats, bins: int | None = None) -> Ranks:
    """Ranks of values (...) among members (..., M); ties fall in the middle. `bins` must divide M + 1.

    The members must be draws of what the values are draws of: where values carry an error, add one to each member.
    """
    x, y = np.asarray(members, np.float64), np.asarray(values, np.float64)
    known = np.isfinite(y)
    below, equal = (x < y[..., None]).sum(-1), (x == y[..., None]).sum(-1)
    counts = np.bincount((below + equal // 2)[known], minlength=x.shape[-1] + 1)
    if bins is not None:
        if len(counts) % bins:
            raise ModelError(f"found {bins} bins for {len(counts)} ranks, expected a divisor")
        counts = counts.reshape(bins, -1).sum(1)
    expected = counts.sum() / len(counts)
    chi = float(((counts - expected) ** 2 / expected).sum()) if expected else 0.0
    return Ranks(counts, chi, chi_square_tail(chi, len(counts) - 1))


@dataclass(frozen=True)
class Innovations:
    """Of a filter's run: nis_mean, the normalised innovation squared for each degree of freedom, which is 1 where the
    filter knows its errors; low and high, the 99 % range of that mean for a right filter; lag_1, the correlation of
    standardised innovations from tick to tick, which is 0 for a right filter.
    """

    nis_mean: float
    low: float
    high: float
    lag_1: float

    @property
    def consistent(self) -> bool:
        """Whether the size of the innovations is what chance allows."""
        return self.low <= self.nis_mean <= self.high


def innovations(nis: Floats, scores: Floats | None = None) -> Innovations:
    """From nis (..., 2) of many ticks and patients, and scores (K, ...) of standardised innovations by tick.

    Bar-Shalom, Li, Kirubarajan (2001, Estimation with Applications to Tracking and Navigation, section 5.4).
    """
    total, freedom = np.asarray(nis).reshape(-1, 2).sum(0)
    if freedom <= 0:
        raise ModelError("found no innovations, expected at least one value used")
    low, high = (_chi_square_quantile(p, freedom) / freedom for p in (0.005, 0.995))
    lag = 0.0
    if scores is not None and len(scores) > 2:
        a, b = np.asarray(scores)[:-1], np.asarray(scores)[1:]
        both = np.isfinite(a) & np.isfinite(b)
        lag = float((a[both] * b[both]).mean() / np.nanmean(np.square(scores)))
    return Innovations(float(total / freedom), low, high, lag)


# --- the chi-square and normal distributions, near enough for a judgement ------


def _normal_quantile(p: float) -> float:
    low, high = -10.0, 10.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if 0.5 * math.erfc(-middle / math.sqrt(2)) < p else (low, middle)
    return 0.5 * (low + high)


def _chi_square_quantile(p: float, freedom: float) -> float:
    """Wilson and Hilferty (1931, PNAS 17:684)."""
    part = 2 / (9 * freedom)
    return float(freedom * max(1 - part + _normal_quantile(p) * math.sqrt(part), 0.0) ** 3)


def chi_square_tail(value: float, freedom: float) -> float:
    """The share of a chi-square distribution above `value` (Wilson and Hilferty 1931)."""
    part = 2 / (9 * freedom)
    z = ((max(value, 0.0) / freedom) ** (1 / 3) - (1 - part)) / math.sqrt(part)
    return 0.5 * math.erfc(z / math.sqrt(2))
