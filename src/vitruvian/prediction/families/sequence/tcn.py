"""Temporal convolutional network (Bai, Kolter and Koltun 2018): causal convolutions that look ever further back."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vitruvian.prediction.families.sequence.base import Window
from vitruvian.prediction.inputs.hours import CONTEXT_H

__all__ = ["Tcn"]

_TAPS = 3


class Tcn(Window):
    """Residual blocks, each of a dilated causal convolution of three taps and a mixing one, twice as far back each."""

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.width = hidden
        self.inward = nn.Conv1d(inputs, hidden, 1, bias=False)
        self.reach = [2**layer for layer in range(layers)]
        self.wide = nn.ModuleList(nn.Conv1d(hidden, hidden, _TAPS, dilation=d, bias=False) for d in self.reach)
        self.mix = nn.ModuleList(nn.Conv1d(hidden, hidden, 1, bias=False) for _ in self.reach)

    @staticmethod
    def layers_for(hours: int = CONTEXT_H) -> int:
        """How many blocks see this many hours."""
        layers, seen = 0, 1
        while seen < hours:
            seen += (_TAPS - 1) * 2**layers
            layers += 1
        return layers

    def forward(self, read: Tensor) -> Tensor:
        """The last hour's column: (n, L, I) -> (n, hidden)."""
        x = self.inward(read.transpose(1, 2))
        for reach, wide, mix in zip(self.reach, self.wide, self.mix, strict=True):
            past = functional.pad(x, ((_TAPS - 1) * reach, 0))
            x = x + mix(torch.relu(wide(past)))
        last: Tensor = torch.relu(x[:, :, -1])
        return last
