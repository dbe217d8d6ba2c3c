"""The forecaster: an LSTM over closed hours says where each vital sign will lie in 1 and in 6 h, and how surely."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from vitruvian.prediction.families.sequence.lstm import Lstm
from vitruvian.prediction.families.sequence.prepare import Hours, carried
from vitruvian.prediction.inputs.hours import CONTEXT_H
from vitruvian.prediction.patterns.scores import AHEAD_H, RECENT_H

__all__ = ["Forecaster", "surprise_loss"]

_SCALE_MIN: Final = 0.03  # standard deviations: a forecast is never surer than that
_DEGREES: Final = 4.0  # of freedom of Student's t: artefacts are common


class Forecaster(nn.Module):
    """Steps from the last known value, and scales, of an LSTM's state and the patient's own mean and spread so far."""

    def __init__(self, hours: Hours, hidden: int) -> None:
        super().__init__()
        self.hours, self.channels = hours, hours.channels
        self.network = Lstm(hours.width, hidden, 1)
        self.mix = nn.Linear(hidden + hours.width + 3 * hours.channels, 2 * hidden)
        self.head = nn.Linear(2 * hidden, 2 * len(AHEAD_H) * hours.channels)
        with torch.no_grad():
            self.head.weight.mul_(0.1)

    def ahead(self, closed: Tensor) -> tuple[Tensor, Tensor]:
        """Of hours (n, L, C), standardised values and scales foretold 1 and 6 h after each: (n, 2, L, C) both."""
        read = carried(self.hours, closed)
        states = self.network.run(read)[1:]
        seen = self.network.out(states.flatten(0, 1)).reshape(closed.shape[1], -1, self.network.width).transpose(0, 1)
        last, known = read[:, :, : self.channels], read[:, :, self.channels : 2 * self.channels]
        told = self.head(torch.relu(self.mix(torch.cat([seen, read, self._own(last, known)], dim=2))))
        steps, widths = told.reshape(-1, closed.shape[1], 2, len(AHEAD_H), self.channels).permute(2, 0, 3, 1, 4)
        return last[:, None] + steps, functional.softplus(widths) + _SCALE_MIN

    def forward(self, closed: Tensor) -> tuple[Tensor, Tensor]:
        """Expected values and scales (n, 2, RECENT_H, C) in the vital signs' units, of the last hours of a window."""
        middle, scale = (self._recent(part) * self.hours.spread for part in self.ahead(closed))
        return middle + self.hours.mean, scale

    def _recent(self, part: Tensor) -> Tensor:
        """What was foretold of the same last hours from each distance: (n, 2, L, C) -> (n, 2, RECENT_H, C)."""
        ends = [CONTEXT_H - hours for hours in AHEAD_H]
        return torch.stack([part[:, row, end - RECENT_H : end] for row, end in enumerate(ends)], dim=1)

    def _own(self, last: Tensor, known: Tensor) -> Tensor:
        """Of values and masks (n, L, C): the mean so far as it lies from the last, the spread, how many: (n, L, 3C)."""
        count = torch.cumsum(known, dim=1)
        some = torch.clamp(count, min=1.0)
        mean = torch.cumsum(last * known, dim=1) / some
        spread = torch.sqrt(torch.relu(torch.cumsum(last * last * known, dim=1) / some - mean * mean) + 1e-4)
        return torch.cat([mean - last, spread, torch.log1p(count)], dim=2)


def surprise_loss(middle: Tensor, scale: Tensor, came: Tensor) -> Tensor:
    """Mean negative log likelihood, by Student's t, of what came (NaN = not measured); up to a constant."""
    known = ~torch.isnan(came)
    z = (torch.where(known, came, middle.detach()) - middle) / scale
    each = torch.log(scale) + 0.5 * (_DEGREES + 1) * torch.log1p(z * z / _DEGREES)
    return (each * known).sum() / known.sum().clamp(min=1) + 0.5 * math.log(_DEGREES * math.pi)
