"""Who trains, who calibrates and who tests: decided by the patient's name alone, so that no list has to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.identifiers import hash64

Role = Literal["train", "calibrate", "test"]
SEED: Final = "challenge-2019-a"
ROLES: Final[tuple[Role, ...]] = ("train", "calibrate", "test")
SHARES_PERCENT: Final = (70, 10, 20)
_DRAWS: Final = 10_000


def role_of(name: str, seed: str = SEED) -> Role:
    """The role of a patient: a hash of seed and name, in shares of 70, 10 and 20 %."""
    place = hash64(seed, name) % _DRAWS
    limits = np.cumsum(SHARES_PERCENT) * _DRAWS // 100
    return ROLES[int(np.searchsorted(limits, place, side="right"))]


def patients_of(names: Sequence[str], role: Role, seed: str = SEED) -> NDArray[np.int64]:
    """The numbers of the patients with a role, rising."""
    return np.array([number for number, name in enumerate(names) if role_of(name, seed) == role], np.int64)
