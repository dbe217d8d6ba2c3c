"""Blocks of columns that a model may read, the same code for a table of a cohort and for the live ward.

A block is a list of names and a pure function. `columns` makes the names that a model asks for and no other block.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.inputs.hybrid import HYBRID, hybrid
from vitruvian.prediction.inputs.severity import SEVERITY, severity
from vitruvian.signals.features import FEATURES, PRACTICE_FEATURES, features, practice_features
from vitruvian.signals.stay import STAY_FEATURES, STAY_PRACTICE, stay_features, stay_practice
from vitruvian.signals.tracker import Tracker

__all__ = ["ADMISSION", "BLOCKS", "Asked", "Block", "columns", "is_practice", "known_names"]

Columns = NDArray[np.float32]
ADMISSION: Final = ("medical_unit", "surgical_unit", "hospital_before_icu_h")
UNIT: Final = ("cardiac_unit",)  # coronary care and cardiac surgery, where the source tells them apart
BODY: Final = ("height_cm", "weight_kg")  # facts of admission that say how the patient is


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about: `rows` (n,) of a tracker at `now_us` (n,), none of whose samples is later; `age_years`,
    `male` (n,); `admission`: (n,) columns of facts of admission, absent = unknown.
    """

    tracker: Tracker
    rows: NDArray[np.int64]
    now_us: NDArray[np.int64]
    age_years: NDArray[np.float64]
    male: NDArray[np.float64]
    admission: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


Make = Callable[[Asked, Callable[[Sequence[str]], Columns]], Columns]


@dataclass(frozen=True, slots=True)
class Block:
    """`names` of the columns and what makes them: `make(asked, others)` gives (n, len(names)) f4. `others(names)` gives
    columns of blocks that stand before this one. `practice`: how care is given rather than how the patient is.
    """

    names: tuple[str, ...]
    make: Make
    practice: bool = False


def _signals(asked: Asked, _: Callable[[Sequence[str]], Columns]) -> Columns:
    return features(asked.tracker, asked.rows, asked.now_us, age_years=asked.age_years, male=asked.male)


def _practice(asked: Asked, _: Callable[[Sequence[str]], Columns]) -> Columns:
    return practice_features(asked.tracker, asked.rows, asked.now_us)


def _stay(asked: Asked, _: Callable[[Sequence[str]], Columns]) -> Columns:
    return stay_features(asked.tracker, asked.rows, asked.now_us)


def _stay_practice(asked: Asked, _: Callable[[Sequence[str]], Columns]) -> Columns:
    return stay_practice(asked.tracker, asked.rows, asked.now_us)


def _severity(_: Asked, others: Callable[[Sequence[str]], Columns]) -> Columns:
    return severity(others)


def _told(names: tuple[str, ...]) -> Make:
    def make(asked: Asked, _: Callable[[Sequence[str]], Columns]) -> Columns:
        unknown = np.full(asked.rows.shape, np.nan)
        return np.column_stack([asked.admission.get(name, unknown) for name in names]).astype(np.float32)

    return make


def _hybrid(asked: Asked, others: Callable[[Sequence[str]], Columns]) -> Columns:
    made: Columns = hybrid(asked.tracker, asked.rows, _CREATININE, others)
    return made


_CREATININE: Final = VOCABULARY["creatinine"].index
BLOCKS: Final[dict[str, Block]] = {
    "signals": Block(FEATURES, _signals),
    "practice": Block(PRACTICE_FEATURES, _practice, practice=True),
    "admission": Block(ADMISSION, _told(ADMISSION), practice=True),
    "unit": Block(UNIT, _told(UNIT), practice=True),
    "body": Block(BODY, _told(BODY)),
    "stay": Block(STAY_FEATURES, _stay),
    "stay_practice": Block(STAY_PRACTICE, _stay_practice, practice=True),
    "severity": Block(SEVERITY, _severity),
    "hybrid": Block(HYBRID, _hybrid),
}
_HOME: Final[dict[str, str]] = {name: block for block, one in BLOCKS.items() for name in one.names}
_PLACE: Final[dict[str, int]] = {name: place for one in BLOCKS.values() for place, name in enumerate(one.names)}


def known_names() -> tuple[str, ...]:
    """Every column that can be asked for."""
    return tuple(_HOME)


def is_practice(name: str) -> bool:
    """Whether a column says how care is given."""
    return BLOCKS[_HOME[name]].practice


def columns(names: Sequence[str], asked: Asked) -> Columns:
    """The named columns, (n, len(names)) f4, NaN where missing. Raises ModelError for a name that no block makes."""
    made: dict[str, Columns] = {}

    def take(wanted: Sequence[str]) -> Columns:
        unknown = [name for name in wanted if name not in _HOME]
        if unknown:
            raise ModelError(f"found features {', '.join(unknown[:5])}, which no block makes; train the model again")
        out = np.empty((asked.rows.size, len(wanted)), np.float32)
        for home in dict.fromkeys(_HOME[name] for name in wanted):
            if home not in made:
                made[home] = BLOCKS[home].make(asked, take)
            mine = [place for place, name in enumerate(wanted) if _HOME[name] == home]
            out[:, mine] = made[home][:, [_PLACE[wanted[place]] for place in mine]]
        return out

    return take(names)
