"""What another hospital may do to the numbers, done while fitting: concepts not measured, levels that lie elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.families.sequence.prepare import Columns
from vitruvian.prediction.inputs.hours import CHANNELS

__all__ = ["Concepts", "Draw", "concept_of", "concepts_of", "draw"]

_NAMES: Final = sorted((concept.name for concept in VOCABULARY), key=len, reverse=True)
_LEVELS: Final = ("", "min", "max", "mean", "median", "last", "value")  # what of a concept moves with its level


def concept_of(name: str) -> str:
    """The concept a column is of: the longest of the vocabulary that its name begins with, else the name itself."""
    return next((concept for concept in _NAMES if name == concept or name.startswith(f"{concept}_")), name)


@dataclass(frozen=True, slots=True)
class Concepts:
    """G groups of columns and vital signs that are measured together. `of_column` (F,), `of_channel` (C,): the group's
    number; `spread` (G,): standard deviation of its level, in its unit; `level` (F,): 1 where a column is a level.
    """

    of_column: Tensor
    of_channel: Tensor
    spread: Tensor
    level: Tensor


def concepts_of(names: Sequence[str], columns: Columns, hour_spread: Tensor) -> Concepts:
    """The groups of these columns and of `CHANNELS`."""
    owners = [concept_of(name) for name in names]
    groups = list(dict.fromkeys([*owners, *CHANNELS]))
    number = {name: place for place, name in enumerate(groups)}
    spread = np.zeros(len(groups), np.float32)
    for place, name in enumerate(names):
        if name == owners[place] and name in _NAMES:
            spread[number[name]] = float(columns.spread[place])
    for channel, name in enumerate(CHANNELS):
        spread[number[name]] = float(hour_spread[channel])
    level = [_is_level(name, owner) for name, owner in zip(names, owners, strict=True)]
    return Concepts(
        torch.tensor([number[owner] for owner in owners]),
        torch.tensor([number[name] for name in CHANNELS]),
        torch.from_numpy(spread),
        torch.tensor(level, dtype=torch.float32),
    )


def _is_level(name: str, owner: str) -> bool:
    rest = name[len(owner) :].strip("_").split("_")[0]
    return owner in _NAMES and owner not in ("age_years", "male") and rest in _LEVELS


@dataclass(frozen=True, slots=True)
class Draw:
    """What is done to m sequences: `hide`, `move` (m, G), None where nothing is; `move` in the concepts' units."""

    concepts: Concepts
    hide: Tensor | None
    move: Tensor | None

    def columns(self, columns: Tensor, of: Tensor) -> Tensor:
        """Columns (n, F) of rows that belong to sequences `of` (n,)."""
        owner = self.concepts.of_column
        if self.move is not None:
            columns = columns + self.move[:, owner][of] * self.concepts.level
        return columns if self.hide is None else columns.masked_fill(self.hide[:, owner][of], torch.nan)

    def hours(self, hours: Tensor, of: Tensor) -> Tensor:
        """Hours (n, ..., C) that belong to sequences `of` (n,)."""
        owner = self.concepts.of_channel
        shape = (hours.shape[0], *[1] * (hours.dim() - 2), hours.shape[-1])
        if self.move is not None:
            hours = hours + self.move[:, owner][of].reshape(shape)
        return hours if self.hide is None else hours.masked_fill(self.hide[:, owner][of].reshape(shape), torch.nan)


def draw(concepts: Concepts, sequences: int, masked: float, offset: float, random: np.random.Generator) -> Draw:
    """Of each sequence a share `masked` of concepts is hidden; levels move by draws of `offset` standard deviations.

    Columns that mix concepts (ratios, scores) count as concepts of their own.
    """
    size = (sequences, concepts.spread.numel())
    hide = torch.from_numpy(random.random(size, np.float32) < masked) if masked > 0 else None
    move = None
    if offset > 0:
        move = torch.from_numpy(random.standard_normal(size, np.float32)) * (offset * concepts.spread)
    return Draw(concepts, hide, move)
