"""Members' log-odds to one calibrated probability with its interval. Training and serving both use these sums."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["INTERVAL_Z", "combined", "curved", "margin", "variance"]

Floats = NDArray[np.float64]
INTERVAL_Z: Final = 1.959964


def combined(members: Floats, weights: Floats, slope: float, intercept: float) -> Floats:
    """The variant's log-odds (n,) from its members' calibrated ones (n, M) and their weights (M,)."""
    found: Floats = slope * (members @ weights) + intercept
    return found


def curved(logit: Floats, knots: Floats) -> Floats:
    """The log-odds (n,) through a site's monotone curve: `knots` (K, 2), from and to, flat beyond its ends; none of
    them (0, 2) changes nothing.
    """
    if not len(knots):
        return logit
    return np.asarray(np.interp(logit, knots[:, 0], knots[:, 1]), np.float64)


def variance(members: Floats) -> Floats:
    """How far the members of a variant disagree: the variance (n,) of their calibrated log-odds (n, M), over M."""
    found: Floats = members.var(axis=1)
    return found


def margin(members: Floats, spread: float, floor: float) -> Floats:
    """Half the width of the 95 % interval of the log-odds, (n,): 1.96 sqrt(spread^2 var + floor^2).

    The interval is the model's own uncertainty (which members, which patients it happened to be trained on). It does
    not say how surely one patient will or will not have the outcome.
    """
    found: Floats = INTERVAL_Z * np.sqrt(spread**2 * variance(members) + floor**2)
    return found
