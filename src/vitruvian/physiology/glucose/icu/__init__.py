"""Glucose and insulin in intensive care."""

from typing import Final

from vitruvian.physiology.base import Model
from vitruvian.physiology.glucose.icu import equations, parameters

__all__ = ["ICU_GLUCOSE"]

ICU_GLUCOSE: Final = Model(
    name="icu_glucose",
    title="Glucose and insulin of the critically ill (ICING)",
    time_unit="min",
    states=parameters.STATES,
    parameters=parameters.PARAMETERS,
    inputs=parameters.INPUTS,
    doses=parameters.DOSES,
    imports=parameters.IMPORTS,
    outputs=parameters.OUTPUTS,
    rhs=equations.rhs,
    observe=equations.observe,
    start=equations.start,
    personalise=parameters.personalise,
    domain=parameters.domain,
    rtol=1e-6,
    first_step=0.1,
    h_max=60.0,
    grid_s=60.0,
    limits="Adults in intensive care under insulin and feed; insulin sensitivity changes from hour to hour.",
    sources=parameters.SOURCES,
)
