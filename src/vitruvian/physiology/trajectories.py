"""What a forecast, a what-if or a trial returns: many members' outputs over time, with units; and one plot of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import NotFoundError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.base import Model, Output

if TYPE_CHECKING:
    import polars as pl

__all__ = ["BANDS", "Trajectories"]

BANDS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Trajectories:
    """Outputs over time of M members: `values` (M, T, O) in the units of `outputs` (O), at `times_s` (T,) seconds.

    Everything in it is simulated; `about` says by which model, for whom, with what done and which seed.
    """

    outputs: tuple[Output, ...]
    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The outputs' names."""
        return [one.name for one in self.outputs]

    def of(self, name: str) -> NDArray[np.float64]:
        """One output of every member (M, T). Raises NotFoundError that lists those there are."""
        if name not in self.names:
            raise NotFoundError(f"found output {name!r}, expected one of {', '.join(self.names)}")
        return self.values[:, :, self.names.index(name)]

    def unit(self, name: str) -> str:
        """The unit of an output."""
        self.of(name)
        return self.outputs[self.names.index(name)].unit

    def quantiles(self, q: Sequence[float] = BANDS) -> NDArray[np.float64]:
        """Quantiles over the members (len(q), T, O)."""
        return np.asarray(np.quantile(self.values, q, axis=0), np.float64)

    def select(self, names: Sequence[str]) -> Trajectories:
        """Only these outputs."""
        for name in names:
            self.of(name)
        at = [self.names.index(name) for name in names]
        return Trajectories(tuple(self.outputs[i] for i in at), self.times_s, self.values[:, :, at], self.about)

    def __sub__(self, other: Trajectories) -> Trajectories:
        """Member by member (common random numbers), the difference between two runs of the same shape."""
        return Trajectories(self.outputs, self.times_s, self.values - other.values, {"difference": True, **self.about})

    def table(self) -> pl.DataFrame:
        """A long table: member, time_s, output, unit, value."""
        import polars as pl

        members, times, outputs = self.values.shape
        return pl.DataFrame(
            {
                "member": np.repeat(np.arange(members, dtype=np.int32), times * outputs),
                "time_s": np.tile(np.repeat(self.times_s, outputs), members),
                "output": np.tile(self.names, members * times),
                "unit": np.tile([one.unit for one in self.outputs], members * times),
                "value": self.values.reshape(-1),
            }
        )

    def summary(self) -> dict[str, Any]:
        """For each output: unit, and the median (with its 5th and 95th percentile over members) at the start, at the
        end, of the smallest and of the largest value.
        """
        found: dict[str, Any] = {}
        for i, one in enumerate(self.outputs):
            over = self.values[:, :, i]
            found[one.name] = {"unit": one.unit} | {
                key: _spread(row)
                for key, row in (
                    ("start", over[:, 0]), ("end", over[:, -1]), ("lowest", over.min(axis=1)),
                    ("highest", over.max(axis=1)), ("mean", over.mean(axis=1)),
                )
            }  # fmt: skip
        return {"simulated": True, **self.about, "members": len(self.values), "outputs": found}

    def write(self, folder: Path | str) -> list[Path]:
        """Write `trajectory.parquet`, `summary.json` and `trajectory.svg` into a folder, which is made."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        table, summary, plot = folder / "trajectory.parquet", folder / "summary.json", folder / "trajectory.svg"
        self.table().write_parquet(table)
        summary.write_text(json.dumps(self.summary(), indent=2, allow_nan=False) + "\n", "utf-8")
        self.plot(plot)
        return [table, summary, plot]

    def plot(self, path: Path | str, names: Sequence[str] | None = None) -> Path:
        """Draw the outputs over time with their 50 and 90 % bands; the file's ending gives the format."""
        from vitruvian.physiology.draw import draw

        return draw(self if names is None else self.select(names), Path(path))


def _spread(row: NDArray[np.float64]) -> dict[str, float | None]:
    low, middle, high = (float(one) for one in np.quantile(row, (0.05, 0.5, 0.95)))
    finite = np.isfinite([low, middle, high]).all()
    return {"median": middle, "p5": low, "p95": high} if finite else {"median": None, "p5": None, "p95": None}


def concept_outputs(model: Model) -> list[str]:
    """The outputs that the vocabulary knows."""
    return [one.name for one in model.outputs if one.name in VOCABULARY]
