"""Sequence models as a family: fit on a table, keep the graphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.families.base import Goal, Kind, MemberFile
from vitruvian.prediction.families.sequence.settings import Settings
from vitruvian.prediction.inputs.table import Table, windows

if TYPE_CHECKING:
    from vitruvian.prediction.families.sequence.model import Model

__all__ = ["FittedSequence", "SequenceFamily"]

_PARITY_MAX: Final = 1e-4  # a graph further than that from its trainer is not the model that was measured
_BLOCK: Final = 4096


@dataclass(frozen=True)
class SequenceFamily:
    """One of the networks with its settings. `name` is the network's."""

    settings: Settings = field(default_factory=Settings)

    @property
    def name(self) -> str:
        """As tables print it."""
        return self.settings.network

    def fit(
        self,
        table: Table,
        features: tuple[str, ...],
        goal: Goal,
        *,
        seed: int,
        say: Callable[[str], None],
        kept: Path | None = None,
    ) -> FittedSequence:
        """Fit on `goal.train`. `kept`: a file that holds the fit after each epoch, taken up again if it is there.

        Raises ModelError where there is nothing to learn or PyTorch (extra `train`) is not installed.
        """
        try:
            from vitruvian.prediction.families.sequence import trainer
        except ModuleNotFoundError as error:
            raise ModelError(
                f"found no {error.name}, expected PyTorch to fit a {self.name}; install vitruvian[train]"
            ) from None
        places = table.columns(features)
        return FittedSequence(
            features, self.settings, trainer.fit(table, places, goal, self.settings, seed=seed, say=say, kept=kept)
        )


@dataclass(frozen=True)
class FittedSequence:
    """A fitted network, still PyTorch's."""

    features: tuple[str, ...]
    settings: Settings
    model: Model

    def logit(self, table: Table, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Uncalibrated log-odds (n,), by windows as they are served."""
        from vitruvian.prediction.families.sequence import trainer

        with trainer.one_thread():
            return trainer.logits(self.model, table, table.columns(self.features), rows)

    def save(self, folder: Path, name: str, table: Table, rows: NDArray[np.int64]) -> MemberFile:
        """Write the graphs and measure them on these rows. Raises ModelError where they are not the fitted model."""
        from vitruvian.prediction.families.sequence import export

        export.save_graphs(self.model, len(self.features), folder, name)
        places, apart = table.columns(self.features), 0.0
        for start in range(0, rows.size, _BLOCK):
            part = rows[start : start + _BLOCK]
            told = export.served(folder, name, np.take(table.values[part], places, axis=1), windows(table, part))
            apart = max(apart, float(np.abs(told - self.logit(table, part)).max()))
        if not apart <= _PARITY_MAX:
            raise ModelError(
                f"found graphs of {name} up to {apart:.1e} from the fitted model, expected the same; report it"
            )
        kind: Kind = "recurrent" if self.model.state_size else "window"
        return MemberFile(
            name, kind, self.features, self.model.state_size, asdict(self.settings), apart, int(rows.size)
        )
