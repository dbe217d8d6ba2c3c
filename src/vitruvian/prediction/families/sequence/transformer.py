"""A small causal transformer (Vaswani et al. 2017) with learned biases by distance instead of positions.

Only how long ago an hour was enters, so that a patient's first hours look the same wherever the window begins.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vitruvian.prediction.families.sequence.base import Window
from vitruvian.prediction.inputs.hours import CONTEXT_H

__all__ = ["Transformer"]

_HEADS = 4
_HIDDEN_FROM_VIEW = -1e4  # added to what must not be attended to


class Transformer(Window):
    """Layers of attention and a two-layer mixer, each with a norm before it; the last hour's column is read off."""

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.width = hidden
        self.inward = nn.Linear(inputs, hidden, bias=False)
        self.layers = nn.ModuleList(_Layer(hidden) for _ in range(layers))
        self.norm = nn.LayerNorm(hidden)

    def forward(self, read: Tensor) -> Tensor:
        """(n, CONTEXT_H, I) -> (n, hidden); zeros for a patient of whom nothing was seen."""
        alive = read[:, :, -1]
        x = self.inward(read)
        for layer in self.layers:
            x = layer(x, alive)
        last: Tensor = self.norm(x[:, -1]) * alive[:, -1:]
        return last


class _Layer(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.heads, self.size = _HEADS, hidden // _HEADS
        self.before, self.between = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.three = nn.Linear(hidden, 3 * hidden)
        self.joined = nn.Linear(hidden, hidden)
        self.mixer = nn.Sequential(nn.Linear(hidden, 2 * hidden), nn.ReLU(), nn.Linear(2 * hidden, hidden))
        self.distance = nn.Parameter(torch.zeros(_HEADS, CONTEXT_H))
        hours = torch.arange(CONTEXT_H)
        back = hours[:, None] - hours[None, :]
        self.register_buffer("back", back.clamp(min=0), persistent=False)
        self.register_buffer("later", (back < 0).float() * _HIDDEN_FROM_VIEW, persistent=False)

    back: Tensor
    later: Tensor

    def forward(self, x: Tensor, alive: Tensor) -> Tensor:
        """(n, CONTEXT_H, hidden), (n, CONTEXT_H) -> (n, CONTEXT_H, hidden)."""
        query, key, value = (
            part.reshape(-1, CONTEXT_H, self.heads, self.size).transpose(1, 2)
            for part in self.three(self.before(x)).chunk(3, dim=2)
        )
        weight = query @ key.transpose(2, 3) * self.size**-0.5 + self.distance[:, self.back] + self.later
        weight = weight + (1.0 - alive[:, None, None, :]) * _HIDDEN_FROM_VIEW
        seen = (torch.softmax(weight, dim=3) @ value).transpose(1, 2).reshape(-1, CONTEXT_H, self.heads * self.size)
        x = x + self.joined(seen)
        mixed: Tensor = x + self.mixer(self.between(x))
        return mixed
