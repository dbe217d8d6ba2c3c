"""The basis of the logistic regression: each feature as a clipped, centred line with hinges, and whether it is missing.

Everything here is fitted on training patients and stored with the model. A feature at the training median adds
nothing, so that a contribution reads as the difference from a patient at the median of everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.inputs.hybrid import HYBRID
from vitruvian.signals.features import WINDOWED

KNOTS: Final = (0.2, 0.5, 0.8)  # quantiles where the slope may change
TAILS: Final = (0.005, 0.995)  # beyond these quantiles a feature says no more
TERMS: Final = len(KNOTS) + 2  # the line, the hinges, the missing indicator
KNOWN_MIN: Final = 0.005  # a feature known in fewer training hours than this share is left out
QUANTILE_ROWS: Final = 100_000  # enough rows for quantiles to three digits

# These are absent mainly because the stay has only begun; an indicator would smuggle the time of stay in.
_NO_INDICATOR: Final = (*WINDOWED, "change")
# These are absent where one of their inputs is, which has an indicator of its own.
_MADE: Final = frozenset(HYBRID)


@dataclass(frozen=True, slots=True)
class Basis:
    """(F,) per feature unless said otherwise; `knots` (F, K); `indicated`: 1.0 where being missing has a term."""

    names: tuple[str, ...]
    center: NDArray[np.float32]
    scale: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    knots: NDArray[np.float32]
    indicated: NDArray[np.float32]

    @property
    def width(self) -> int:
        """Columns of the expansion: F x TERMS."""
        return len(self.names) * TERMS

    def expand(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Features (N, F) to (N, F x TERMS) f4: for each feature its line, its hinges, its missing indicator."""
        rows, count = values.shape
        if count != len(self.names):
            raise ModelError(f"found {count} features, expected the {len(self.names)} the model was fitted on")
        out = np.empty((rows, count, TERMS), np.float32)
        for start in range(0, rows, 16_384):
            part = slice(start, start + 16_384)
            missing = np.isnan(values[part])
            clipped = np.clip(np.where(missing, self.center, values[part]), self.low, self.high)
            out[part, :, 0] = (clipped - self.center) / self.scale
            hinge = np.maximum(clipped[:, :, None] - self.knots, np.float32(0))
            out[part, :, 1:-1] = (hinge - self.hinge_center) / self.scale[:, None]
            out[part, :, -1] = missing * self.indicated
        return out.reshape(rows, count * TERMS)

    @property
    def hinge_center(self) -> NDArray[np.float32]:
        """The hinges at the median (F, K), which are subtracted."""
        hinges: NDArray[np.float32] = np.maximum(self.center[:, None] - self.knots, np.float32(0))
        return hinges


def fit_basis(values: NDArray[np.float32], names: Sequence[str]) -> tuple[Basis, NDArray[np.int64]]:
    """The basis of training features (N, F), and which columns it uses: those that are known and vary."""
    stride = max(1, values.shape[0] // QUANTILE_ROWS)
    used, rows = [], []
    for place, name in enumerate(names):
        column = values[::stride, place]
        known = column[~np.isnan(column)]
        if known.size < KNOWN_MIN * column.size or known.size < 20:
            continue
        low, *knots, high = np.quantile(known, (TAILS[0], *KNOTS, TAILS[1]))
        if not high > low:
            continue
        indicated = known.size < column.size and not name.endswith(_NO_INDICATOR) and name not in _MADE
        used.append(place)
        rows.append((np.median(known), (high - low) / 4, low, high, *knots, float(indicated)))
    if not used:
        raise ModelError("found no feature that is known and varies in the training data; give more patients")
    table = np.array(rows, np.float32)
    basis = Basis(
        tuple(names[place] for place in used),
        center=np.ascontiguousarray(table[:, 0]),
        scale=np.ascontiguousarray(table[:, 1]),
        low=np.ascontiguousarray(table[:, 2]),
        high=np.ascontiguousarray(table[:, 3]),
        knots=np.ascontiguousarray(table[:, 4 : 4 + len(KNOTS)]),
        indicated=np.ascontiguousarray(table[:, -1]),
    )
    return basis, np.array(used, np.int64)
