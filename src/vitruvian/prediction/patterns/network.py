"""The forecaster: an LSTM over closed hours that says where each vital sign's next hour will lie, and how surely."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from vitruvian.prediction.families.sequence.lstm import Lstm
from vitruvian.prediction.families.sequence.prepare import Hours, carried
from vitruvian.prediction.patterns.scores import RECENT_H

__all__ = ["Forecaster", "surprise_loss"]

_SCALE_MIN: Final = 0.03  # standard deviations: a forecast is never surer than that
_DEGREES: Final = 4.0  # of freedom of Student's t: artefacts are common


class Forecaster(nn.Module):
    """Steps from the last known value, and scales, from the state of an LSTM of `hidden` cells."""

    def __init__(self, hours: Hours, hidden: int) -> None:
        super().__init__()
        self.hours, self.channels = hours, hours.channels
        self.network = Lstm(hours.width, hidden, 1)
        self.head = nn.Linear(hidden + hours.width, 2 * hours.channels)
        with torch.no_grad():
            self.head.weight.mul_(0.1)

    def ahead(self, closed: Tensor) -> tuple[Tensor, Tensor]:
        """Of hours (n, L, C), standardised values and scales foretold for the hour after each: (n, L, C) both."""
        read = carried(self.hours, closed)
        states = self.network.run(read)[1:]
        seen = self.network.out(states.flatten(0, 1)).reshape(closed.shape[1], -1, self.network.width)
        told = self.head(torch.cat([seen.transpose(0, 1), read], dim=2))
        step, width = told.split(self.channels, dim=2)
        return read[:, :, : self.channels] + step, functional.softplus(width) + _SCALE_MIN

    def forward(self, closed: Tensor) -> tuple[Tensor, Tensor]:
        """Expected values and scales (n, RECENT_H, C) in the vital signs' units, for the last hours of a window."""
        middle, scale = self.ahead(closed)
        middle, scale = middle[:, -RECENT_H:], scale[:, -RECENT_H:]
        return middle * self.hours.spread + self.hours.mean, scale * self.hours.spread


def surprise_loss(middle: Tensor, scale: Tensor, came: Tensor) -> Tensor:
    """Mean negative log likelihood, by Student's t, of what came (NaN = not measured); up to a constant."""
    known = ~torch.isnan(came)
    z = (torch.where(known, came, middle.detach()) - middle) / scale
    each = torch.log(scale) + 0.5 * (_DEGREES + 1) * torch.log1p(z * z / _DEGREES)
    return (each * known).sum() / known.sum().clamp(min=1) + 0.5 * math.log(_DEGREES * math.pi)
