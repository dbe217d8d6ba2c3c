"""The side task: foretelling the vital signs of the coming hours, which every row teaches without a label."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vitruvian.prediction.inputs.table import Table

__all__ = ["ahead_loss", "coming"]

_HOURS: Final = 6


def coming(table: Table) -> NDArray[np.float32]:
    """(N, 2C) f4: each vital sign's mean in the hour after the one that runs, and in the 6 after it; NaN where none."""
    count, channels = table.closed.shape
    total, known = np.zeros((count, channels), np.float32), np.zeros((count, channels), np.int8)
    out = np.full((count, 2 * channels), np.nan, np.float32)
    for ahead in range(_HOURS):
        source = np.arange(count) + ahead + 2  # a row holds the hour before its own
        same = (source < count) & (table.patient[np.minimum(source, count - 1)] == table.patient)
        values = table.closed[source[same]]
        if ahead == 0:
            out[same, :channels] = values
        known[same] += ~np.isnan(values)
        total[same] += np.nan_to_num(values)
    out[:, channels:] = np.where(known > 0, total / np.maximum(known, 1), np.nan)
    return out


def ahead_loss(foretold: Tensor, came: Tensor) -> Tensor:
    """Mean Huber loss of standardised vital signs (n, 2C) where they came (NaN where not)."""
    known = ~torch.isnan(came)
    each = functional.smooth_l1_loss(foretold, torch.where(known, came, foretold.detach()), reduction="none")
    return each.sum() / known.sum().clamp(min=1)
