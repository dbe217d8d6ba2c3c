"""A difference in a few words: how large, how sure, and how much of it comes from the patient's own data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.trajectories import BANDS, Trajectories

__all__ = ["Effect", "Verdict", "effects_of", "share_from_data"]

Verdict = Literal["rises", "falls", "probably rises", "probably falls", "open", "unchanged"]
Floats = NDArray[np.float64]
SURE: Final = 0.95
PROBABLE: Final = 0.80
NEGLIGIBLE_SHARE: Final = 0.005  # of the baseline, for an output that the vocabulary does not know


@dataclass(frozen=True)
class Effect:
    """What becomes of one output.

    `most` are the quantiles (5,) of the difference (`trajectories.BANDS`) at the time `most_s` when its median is
    furthest from 0, `end` those at the end; `above` is the share of members with a positive difference at `most_s`.
    `from_data` (0 to 1, None where nothing changes) is `share_from_data`; `narrowed` and `shifted` are its two parts.
    """

    output: str
    unit: str
    verdict: Verdict
    most_s: float
    most: tuple[float, ...]
    end: tuple[float, ...]
    above: float
    from_data: float | None
    narrowed: float | None
    shifted: float | None


def effects_of(
    baseline: Trajectories, changed: Trajectories, prior: Trajectories, prior_changed: Trajectories
) -> tuple[Effect, ...]:
    """One effect an output, in their order."""
    found = []
    for i, one in enumerate(baseline.outputs):
        difference = changed.values[:, :, i] - baseline.values[:, :, i]
        believed = prior_changed.values[:, :, i] - prior.values[:, :, i]
        quantiles = np.quantile(difference, BANDS, axis=0)
        at = int(np.argmax(np.abs(quantiles[2])))
        level = float(np.median(np.abs(baseline.values[:, at, i])))
        least = negligible(one.name, level)
        # The same draws on both sides: what their number alone makes of the spread cancels.
        share, narrowed, shifted = share_from_data(difference[: len(believed)], believed, least)
        above = float((difference[:, at] > 0).mean())
        verdict = _verdict(quantiles[:, at], above, float((difference[:, at] < 0).mean()), least)
        if verdict == "unchanged":
            share = narrowed = shifted = None
        found.append(
            Effect(
                one.name,
                one.unit,
                verdict,
                float(baseline.times_s[at]),
                tuple(quantiles[:, at].tolist()),
                tuple(quantiles[:, -1].tolist()),
                above,
                share,
                narrowed,
                shifted,
            )
        )
    return tuple(found)


def negligible(name: str, level: float) -> float:
    """The smallest difference worth a word: half of the last digit shown, or half a percent where nobody says."""
    if name in VOCABULARY:
        return 0.5 * 10.0 ** -VOCABULARY[name].decimals
    return NEGLIGIBLE_SHARE * abs(level)


def _verdict(quantiles: Floats, above: float, below: float, least: float) -> Verdict:
    if np.all(np.abs(quantiles) <= least):
        return "unchanged"
    if above >= SURE:
        return "rises"
    if below >= SURE:
        return "falls"
    if above >= PROBABLE:
        return "probably rises"
    if below >= PROBABLE:
        return "probably falls"
    return "open"


def share_from_data(
    difference: Floats, believed: Floats, least: float = 0.0
) -> tuple[float | None, float | None, float | None]:
    """How much of a difference the patient's data decided: (share, narrowed, shifted), from the posterior's members
    (M, T) and the prior's (M', T).

    With m1, s1 the posterior's mean and standard deviation and m0, s0 the prior's, at each time: seen from the
    posterior, the prior was wrong by s0^2 + (m1 - m0)^2 on average. Data have removed all of it but s1^2, so

        share = 1 - sum s1^2 / sum (s0^2 + (m1 - m0)^2),

    sums over time, and 0 where that is negative. It is 0 where the data changed nothing and 1 where they decided
    everything. `narrowed` is 1 - sum s1^2 / sum s0^2 (negative where the posterior is the wider), `shifted` the shift
    of the mean in prior standard deviations, sqrt(sum (m1 - m0)^2 / sum s0^2). All are None where the difference is
    nowhere larger than `least`, in either: there is nothing to decide then.
    """
    if not difference.size or not believed.size:
        return None, None, None
    if max(np.abs(difference).max(), np.abs(believed).max()) <= least:
        return None, None, None
    posterior_variance, prior_variance = float(difference.var(axis=0).sum()), float(believed.var(axis=0).sum())
    shift = float(((difference.mean(axis=0) - believed.mean(axis=0)) ** 2).sum())
    if prior_variance + shift <= 0:
        return None, None, None
    share = max(0.0, 1 - posterior_variance / (prior_variance + shift))
    if prior_variance <= 0:
        return share, None, None
    return share, 1 - posterior_variance / prior_variance, float(np.sqrt(shift / prior_variance))
