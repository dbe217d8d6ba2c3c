"""How much more or less of a drug there is when another slows or induces the enzyme that clears it, or an organ fails.

Rowland and Matin 1973 (J Pharmacokinet Biopharm 1:553): only the enzyme's share of clearance changes. The same shares
govern the models; these functions say what a course under them must come to.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["auc_ratio", "induced", "inhibition_of"]


def auc_ratio(
    *,
    enzyme_share: ArrayLike,
    inhibition: ArrayLike = 0.0,
    induction: ArrayLike = 0.0,
    renal_share: ArrayLike = 0.0,
    renal_function: ArrayLike = 1.0,
    hepatic_function: ArrayLike = 1.0,
) -> Any:
    """Area under the curve with the interaction over that without, arrays or a number.

    `enzyme_share` is of hepatic clearance, `renal_share` of all clearance (both 0 to 1); `inhibition` is the
    inhibitor's concentration over its Ki; `induction` the enzyme added in the steady state, as a share of what was
    there; functions of kidney and liver are shares of the person's own.
    """
    share, renal = np.asarray(enzyme_share, np.float64), np.asarray(renal_share, np.float64)
    by_enzyme = share * (1.0 + np.asarray(induction)) / (1.0 + np.asarray(inhibition)) + 1.0 - share
    left = renal * np.asarray(renal_function) + (1.0 - renal) * np.asarray(hepatic_function) * by_enzyme
    return 1.0 / left


def inhibition_of(concentration: ArrayLike, ki: ArrayLike, free_share: ArrayLike = 1.0) -> Any:
    """I/Ki of a reversible inhibitor: its free concentration over its Ki, in one unit."""
    return np.asarray(concentration, np.float64) * np.asarray(free_share) / np.asarray(ki)


def induced(concentration: ArrayLike, largest: ArrayLike, half: ArrayLike) -> Any:
    """Enzyme added in the steady state by an inducer: Emax times its concentration over EC50 and concentration."""
    level = np.asarray(concentration, np.float64)
    return np.asarray(largest) * level / (np.asarray(half) + level)
