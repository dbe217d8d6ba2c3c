"""The two kinds of networks, as the trainer and the graphs see them.

Both read hours as `Hours.step` writes them, (..., I), and give (n, `width`). An hour before anything was seen reads as
zeros, and every network gives zeros of zeros: no layer but the alive column of the input carries a bias into the
state. So it does not matter how many empty hours come before a patient's first.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["Recurrent", "Window"]


class Recurrent(nn.Module):
    """A network whose past is a state (n, S) that starts at zeros."""

    width: int
    state_size: int

    def projected(self, read: Tensor) -> Tensor:
        """The part of a step that does not need the state, so that it is made for many hours at once."""
        raise NotImplementedError

    def step(self, projected: Tensor, state: Tensor) -> Tensor:
        """The state after one more hour: (n, P), (n, S) -> (n, S)."""
        raise NotImplementedError

    def out(self, state: Tensor) -> Tensor:
        """What the head is told of a state: (n, width)."""
        raise NotImplementedError

    def run(self, read: Tensor) -> Tensor:
        """States after each hour of (n, L, I) from zeros, and before the first: (L + 1, n, S)."""
        state = read.new_zeros(read.shape[0], self.state_size)
        states = [state]
        for hour in self.projected(read.transpose(0, 1).contiguous()).unbind(0):
            state = self.step(hour, state)
            states.append(state)
        return torch.stack(states)


class Window(nn.Module):
    """A network that reads all the hours of a window at once: (n, CONTEXT_H, I) -> (n, width)."""

    width: int
