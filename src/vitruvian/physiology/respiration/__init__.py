"""Breathing: gas exchange, blood gases and their transport, ventilatory control, acid-base and lactate."""

from __future__ import annotations

from typing import Final

from vitruvian.physiology.base import Model
from vitruvian.physiology.respiration.equations import emit, observe, rhs, start
from vitruvian.physiology.respiration.parameters import (
    EXPORTS,
    IMPORTS,
    INPUTS,
    LIMITS,
    OUTPUTS,
    PARAMETERS,
    SOURCES,
    STATES,
    domain,
    personalise,
)

__all__ = ["RESPIRATION"]

RESPIRATION: Final = Model(
    name="respiration",
    title="Breathing and blood gases",
    time_unit="s",
    states=STATES,
    parameters=PARAMETERS,
    inputs=INPUTS,
    imports=IMPORTS,
    exports=EXPORTS,
    outputs=OUTPUTS,
    rhs=rhs,
    observe=observe,
    emit=emit,
    start=start,
    personalise=personalise,
    domain=domain,
    rtol=1e-4,
    first_step=8.0,
    settle=3600.0,
    limits=LIMITS,
    sources=SOURCES,
)
