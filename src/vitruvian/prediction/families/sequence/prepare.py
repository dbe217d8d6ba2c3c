"""What happens to numbers before a network sees them; part of the network, and so of the graph that is served."""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vitruvian.prediction.inputs.table import Table

__all__ = ["Columns", "Hours", "carried", "columns_of", "hours_of"]

_CUT: Final = (0.005, 0.995)  # quantiles at which columns are clipped
_SEEN_MIN: Final = 0.01  # a column this often missing, and not nearly always, has an indicator of its being missing
_FAR: Final = 6.0  # standardised vital signs are cut here
_SAMPLE: Final = 60_000  # rows that quantiles are taken of


class Columns(nn.Module):
    """Columns (n, F), NaN = missing, to (n, F + K): the median where missing, clipped, standardised; then K indicators
    (1 = missing) of the columns that often are, one for those that always are together.
    """

    def __init__(self, middle: Tensor, low: Tensor, high: Tensor, mean: Tensor, spread: Tensor, often: Tensor) -> None:
        super().__init__()
        for name, value in (("middle", middle), ("low", low), ("high", high), ("mean", mean), ("spread", spread)):
            self.register_buffer(name, value)
        self.register_buffer("often", often)
        self.width = middle.numel() + often.numel()

    middle: Tensor
    low: Tensor
    high: Tensor
    mean: Tensor
    spread: Tensor
    often: Tensor

    def forward(self, columns: Tensor) -> Tensor:
        """As the class says."""
        absent = torch.isnan(columns)
        known = torch.minimum(torch.maximum(torch.where(absent, self.middle, columns), self.low), self.high)
        flags = torch.index_select(absent.to(columns.dtype), 1, self.often)
        return torch.cat([(known - self.mean) / self.spread, flags], dim=1)


class Hours(nn.Module):
    """Hourly vital signs (..., C) to standardised ones, cut far out; NaN stays NaN."""

    def __init__(self, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.channels = mean.numel()
        self.width = 2 * self.channels + 1

    mean: Tensor
    spread: Tensor

    def forward(self, hours: Tensor) -> Tensor:
        """As the class says."""
        z = (hours - self.mean) / self.spread
        return torch.where(torch.isnan(z), z, torch.clamp(torch.nan_to_num(z), -_FAR, _FAR))

    def step(self, hour: Tensor, last: Tensor, alive: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """One hour (n, C) after the last values known (n, C) and whether there were any (n, 1).

        Gives what a network reads (n, 2C + 1): the values, the last known where there is none, 0 where there never was;
        1 where the hour has one; 1 once anything was seen. Then the new last values, and whether any.
        """
        z = self(hour)
        absent = torch.isnan(z)
        last = torch.where(absent, last, z)
        seen = 1.0 - absent.to(last.dtype)
        alive = torch.maximum(alive, seen.amax(dim=1, keepdim=True))
        return torch.cat([last, seen, alive], dim=1), last, alive


def carried(hours: Hours, raw: Tensor) -> Tensor:
    """What a network reads of hours (n, L, C) that begin a sequence: (n, L, 2C + 1), see `Hours.step`."""
    last = torch.zeros_like(raw[:, 0])
    alive = torch.zeros_like(raw[:, 0, :1])
    out = []
    for hour in raw.unbind(1):
        read, last, alive = hours.step(hour, last, alive)
        out.append(read)
    return torch.stack(out, 1)


def columns_of(table: Table, places: NDArray[np.int64], rows: NDArray[np.int64]) -> Columns:
    """Fitted on these rows of the table (at most 60,000 of them, evenly spaced)."""
    values = table.values[_some(rows)][:, places].astype(np.float64)
    absent = np.isnan(values)
    never = absent.all(axis=0)
    values[:, never] = 0.0
    middle, low, high = np.nanquantile(values, [0.5, *_CUT], axis=0)
    known = np.clip(np.where(np.isnan(values), middle, values), low, high)
    mean, spread = known.mean(axis=0), known.std(axis=0)
    spread[spread < 1e-6 * np.maximum(np.abs(mean), 1.0)] = 1.0
    share = absent.mean(axis=0)
    often = np.flatnonzero((share > _SEEN_MIN) & (share < 1 - _SEEN_MIN / 10))
    _, first = np.unique(absent[:, often], axis=1, return_index=True)  # what goes missing together has one indicator
    often = np.sort(often[first])
    middle_, low_, high_, mean_, spread_ = _floats(middle, low, high, mean, spread)
    return Columns(middle_, low_, high_, mean_, spread_, torch.from_numpy(often))


def hours_of(table: Table, rows: NDArray[np.int64]) -> Hours:
    """Fitted on the closed and running hours of these rows."""
    chosen = _some(rows)
    values = np.concatenate([table.closed[chosen], table.running[chosen]]).astype(np.float64)
    values[:, np.isnan(values).all(axis=0)] = 0.0
    mean, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    spread[spread < 1e-6] = 1.0
    return Hours(*_floats(mean, spread))


def _some(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows[:: max(1, rows.size // _SAMPLE)]


def _floats(*arrays: NDArray[np.float64]) -> list[Tensor]:
    return [torch.from_numpy(array.astype(np.float32)) for array in arrays]
