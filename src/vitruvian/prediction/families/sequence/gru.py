"""Gated recurrent unit (Cho et al. 2014)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vitruvian.prediction.families.sequence.base import Recurrent

__all__ = ["Gru"]


class Gru(Recurrent):
    """Layers of `hidden` units; the state holds each layer's output."""

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.width, self.state_size, self.hidden = hidden, hidden * layers, hidden
        sizes = [inputs] + [hidden] * (layers - 1)
        self.inward = nn.ParameterList(
            nn.Parameter(nn.Linear(size, 3 * hidden, bias=False).weight.detach().t().contiguous()) for size in sizes
        )
        self.across = nn.ParameterList(
            nn.Parameter(nn.init.orthogonal_(torch.empty(3 * hidden, hidden)).t().contiguous()) for _ in sizes
        )
        with torch.no_grad():  # the alive column is the bias: the past is kept at first
            self.inward[0][-1, hidden : 2 * hidden] = 1.0

    def projected(self, read: Tensor) -> Tensor:
        """The first layer's gates from the input."""
        gates: Tensor = read @ self.inward[0]
        return gates

    def step(self, projected: Tensor, state: Tensor) -> Tensor:
        """Gates in the order reset, keep, candidate."""
        after: list[Tensor] = []
        for layer, (part, across) in enumerate(zip(torch.split(state, self.hidden, dim=1), self.across, strict=True)):
            into = (projected if layer == 0 else after[-1] @ self.inward[layer]).chunk(3, dim=1)
            past = (part @ across).chunk(3, dim=1)
            reset, keep = torch.sigmoid(into[0] + past[0]), torch.sigmoid(into[1] + past[1])
            candidate = torch.tanh(into[2] + reset * past[2])
            after.append(keep * part + (1.0 - keep) * candidate)
        return torch.cat(after, dim=1)

    def out(self, state: Tensor) -> Tensor:
        """The last layer's output."""
        return state[:, self.state_size - self.hidden :]
