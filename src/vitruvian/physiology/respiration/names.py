"""Positions of states, parameters and inputs by name, as the kernels read them."""

from __future__ import annotations

from collections import namedtuple
from typing import Any, Final

from vitruvian.physiology.respiration.parameters import IMPORTS, INPUTS, PARAMETERS, STATES

__all__ = ["I", "P", "S"]


def _positions(kind: str, names: list[str]) -> Any:
    return namedtuple(kind, names)(*range(len(names)))


S: Final = _positions("S", [one.name for one in STATES])
P: Final = _positions("P", [one.name for one in PARAMETERS])
I: Final = _positions("I", [one.name for one in (*INPUTS, *IMPORTS)])  # noqa: E741 - as in `u`, inputs then imports
