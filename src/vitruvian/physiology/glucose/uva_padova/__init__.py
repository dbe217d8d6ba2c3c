"""The UVA/Padova meal model of type 1 diabetes."""

from typing import Final

from vitruvian.physiology.base import Model
from vitruvian.physiology.glucose.uva_padova import equations, parameters

__all__ = ["UVA_PADOVA"]

UVA_PADOVA: Final = Model(
    name="uva_padova",
    title="Glucose and insulin of type 1 diabetes over meals (UVA/Padova)",
    time_unit="min",
    states=parameters.STATES,
    parameters=parameters.PARAMETERS,
    inputs=parameters.INPUTS,
    doses=parameters.DOSES,
    outputs=parameters.OUTPUTS,
    rhs=equations.rhs,
    observe=equations.observe,
    start=equations.start,
    personalise=parameters.personalise,
    domain=parameters.domain,
    rtol=1e-7,
    first_step=0.1,
    h_max=15.0,  # so that a meal on the plate cannot fall between two steps
    grid_s=300.0,
    limits="Adults with type 1 diabetes over a day or so; no counter-regulation, no glucagon, no beta cells.",
    sources=parameters.SOURCES,
)
