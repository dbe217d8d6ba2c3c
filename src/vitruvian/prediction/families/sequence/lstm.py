"""Long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vitruvian.prediction.families.sequence.base import Recurrent

__all__ = ["Lstm"]


class Lstm(Recurrent):
    """Layers of `hidden` cells; the state holds each layer's output and memory."""

    def __init__(self, inputs: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.width, self.state_size, self.hidden = hidden, 2 * hidden * layers, hidden
        sizes = [inputs] + [hidden] * (layers - 1)
        self.inward = nn.ParameterList(
            nn.Parameter(nn.Linear(size, 4 * hidden, bias=False).weight.detach().t().contiguous()) for size in sizes
        )
        self.across = nn.ParameterList(
            nn.Parameter(nn.init.orthogonal_(torch.empty(4 * hidden, hidden)).t().contiguous()) for _ in sizes
        )
        with torch.no_grad():  # the alive column is the bias: memories are kept at first
            self.inward[0][-1, hidden : 2 * hidden] = 1.0

    def projected(self, read: Tensor) -> Tensor:
        """The first layer's gates from the input."""
        gates: Tensor = read @ self.inward[0]
        return gates

    def step(self, projected: Tensor, state: Tensor) -> Tensor:
        """Gates in the order input, forget, output, candidate."""
        after: list[Tensor] = []
        parts = torch.split(state, self.hidden, dim=1)
        for layer, across in enumerate(self.across):
            into = projected if layer == 0 else after[-2] @ self.inward[layer]
            both = torch.addmm(into, parts[2 * layer], across)
            gates, candidate = both[:, : 3 * self.hidden], both[:, 3 * self.hidden :]
            enter, keep, leave = torch.sigmoid(gates).chunk(3, dim=1)
            memory = keep * parts[2 * layer + 1] + enter * torch.tanh(candidate)
            after += [leave * torch.tanh(memory), memory]
        return torch.cat(after, dim=1)

    def out(self, state: Tensor) -> Tensor:
        """The last layer's output."""
        return state[:, self.state_size - 2 * self.hidden : self.state_size - self.hidden]
