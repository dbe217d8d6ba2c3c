"""A whole model: preparation of hours and columns, the network, and the head that joins them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vitruvian.prediction.families.sequence.base import Recurrent, Window
from vitruvian.prediction.families.sequence.gru import Gru
from vitruvian.prediction.families.sequence.lstm import Lstm
from vitruvian.prediction.families.sequence.prepare import Columns, Hours, carried
from vitruvian.prediction.families.sequence.settings import Settings
from vitruvian.prediction.families.sequence.tcn import Tcn
from vitruvian.prediction.families.sequence.transformer import Transformer

__all__ = ["Model", "network_of"]


def network_of(settings: Settings, inputs: int) -> Recurrent | Window:
    """The network of these settings; a TCN has at least the blocks it needs to see the whole window."""
    if settings.network == "lstm":
        return Lstm(inputs, settings.hidden, settings.layers)
    if settings.network == "gru":
        return Gru(inputs, settings.hidden, settings.layers)
    if settings.network == "tcn":
        return Tcn(inputs, settings.hidden, max(settings.layers, Tcn.layers_for()))
    return Transformer(inputs, settings.hidden, settings.layers)


class Model(nn.Module):
    """Log-odds from hours and columns: a line through the columns plus a small network of columns and state.

    The line and the network stand side by side ("wide and deep", Cheng et al. 2016). A recurrent model's state holds
    the network's, then the last known vital signs (C), then whether any was seen (1).
    """

    def __init__(self, settings: Settings, hours: Hours, columns: Columns, odds: float) -> None:
        super().__init__()
        self.hours, self.columns = hours, columns
        self.network = network_of(settings, hours.width)
        # The first unit is the line, the others the network's first layer. Two maps, so that no gradient is taken by
        # the columns.
        self.of_columns = nn.Linear(columns.width, 1 + settings.head)
        self.of_seen = nn.Linear(self.network.width, 1 + settings.head, bias=False)
        last = nn.Linear(settings.head, 1)
        self.deep = nn.Sequential(
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            nn.Linear(settings.head, settings.head),
            nn.ReLU(),
            nn.Dropout(settings.dropout),
            last,
        )
        self.ahead = nn.Linear(self.network.width + hours.width, 2 * hours.channels)
        with torch.no_grad():
            self.of_columns.weight[0], self.of_seen.weight[0] = 0.0, 0.0
            self.of_columns.bias[0] = odds
            last.weight.zero_()
            last.bias.zero_()

    @property
    def state_size(self) -> int:
        """S of a recurrent model, else 0."""
        if isinstance(self.network, Recurrent):
            return self.network.state_size + self.hours.channels + 1
        return 0

    def carry(self, hour: Tensor, state: Tensor) -> Tensor:
        """The state after one more hour: (n, C), (n, S) -> (n, S)."""
        assert isinstance(self.network, Recurrent)
        own, channels = self.network.state_size, self.hours.channels
        read, last, alive = self.hours.step(hour, state[:, own : own + channels], state[:, own + channels :])
        after = self.network.step(self.network.projected(read), state[:, :own])
        return torch.cat([after, last, alive], dim=1)

    def seen(self, state: Tensor) -> Tensor:
        """What the head is told of a state, (n, width)."""
        assert isinstance(self.network, Recurrent)
        return self.network.out(state[:, : self.network.state_size])

    def seen_of(self, window: Tensor) -> Tensor:
        """What the head is told of whole windows (n, CONTEXT_H, C), exactly as it is served: (n, width)."""
        if isinstance(self.network, Window):
            seen: Tensor = self.network(carried(self.hours, window))
            return seen
        state = window.new_zeros(window.shape[0], self.state_size)
        for hour in window.unbind(1):
            state = self.carry(hour, state)
        return self.seen(state)

    def logit(self, columns: Tensor, seen: Tensor) -> Tensor:
        """Log-odds (n,) of columns (n, F) and what the network saw (n, width)."""
        first = self.of_columns(self.columns(columns)) + self.of_seen(seen)
        odds: Tensor = (first[:, :1] + self.deep(first[:, 1:])).squeeze(1)
        return odds
