"""Infection and the inflammation it sets off, with what an antibiotic does to its course."""

from __future__ import annotations

from typing import Final

from vitruvian.physiology.base import Model
from vitruvian.physiology.inflammation.equations import emit, observe, rhs, start
from vitruvian.physiology.inflammation.parameters import (
    DOSES,
    EXPORTS,
    IMPORTS,
    INPUTS,
    LIMITS,
    OUTPUTS,
    PARAMETERS,
    SOURCES,
    STATES,
)

__all__ = ["INFLAMMATION"]

INFLAMMATION: Final = Model(
    name="inflammation",
    title="Infection and inflammation",
    time_unit="h",
    states=STATES,
    parameters=PARAMETERS,
    inputs=INPUTS,
    doses=DOSES,
    imports=IMPORTS,
    exports=EXPORTS,
    outputs=OUTPUTS,
    rhs=rhs,
    observe=observe,
    emit=emit,
    start=start,
    rtol=1e-6,
    first_step=1e-2,
    limits=LIMITS,
    sources=SOURCES,
)
