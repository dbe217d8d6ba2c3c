"""How a sequence model is built and fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from vitruvian.core.errors import ConfigurationError

__all__ = ["NETWORKS", "Settings"]

NETWORKS: Final = ("lstm", "gru", "tcn", "transformer")


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes and the fit; every field is JSON.

    `hidden`: width of the network's state; `layers`: how deep; `head`: width of the small network that joins state and
    columns; `dropout`: share dropped in it. `epochs`, `patience` (epochs without a better loss of the valid rows after
    which the fit ends), `rate` of learning (warm-up, then along a cosine), `decay` of weights (decoupled),
    `batch_rows`: most rows a step; `epoch_rows`: most rows an epoch for the networks that read a window for every row.
    `masked`: share of concepts that are hidden from a patient's hours in a step, so that no one measurement is leaned
    upon; `offset`: spread of a shift of each concept, by patient, in its own standard deviations, so that levels count
    less than courses. `ahead`: weight of foretelling the coming hours' vital signs from the state, beside the goal;
    `pretrain_epochs`: epochs of foretelling alone, before. `average`: how much of the running mean of the weights
    stays at each step; the mean is what is kept.
    """

    network: Literal["lstm", "gru", "tcn", "transformer"] = "lstm"
    hidden: int = 64
    layers: int = 1
    head: int = 64
    dropout: float = 0.4
    epochs: int = 6  # on hundreds of thousands of hours; a longer, slower fall of the rate was no better there
    patience: int = 4
    rate: float = 1.5e-3
    decay: float = 0.05
    batch_rows: int = 4096
    epoch_rows: int = 60_000
    masked: float = 0.2
    offset: float = 0.1
    ahead: float = 0.1
    pretrain_epochs: int = 0
    average: float = 0.995

    def __post_init__(self) -> None:
        if self.network not in NETWORKS:
            raise ConfigurationError(f"found network {self.network!r}, expected one of {', '.join(NETWORKS)}")
        whole = {name: getattr(self, name) for name in ("hidden", "layers", "head", "epochs", "batch_rows")}
        for name, value in whole.items():
            if value < 1:
                raise ConfigurationError(f"found {name} {value}, expected 1 or more")
        if self.network == "transformer" and self.hidden % 4:
            raise ConfigurationError(f"found hidden {self.hidden}, expected a multiple of its 4 heads")
        for name in ("dropout", "masked", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigurationError(f"found {name} {getattr(self, name)}, expected 0 or more and below 1")
