"""Warfarin and the INR."""

from typing import Final

from vitruvian.physiology.base import Model
from vitruvian.physiology.pharmacology.anticoagulant import equations, parameters
from vitruvian.physiology.pharmacology.anticoagulant.parameters import CYP2C9, VKORC1, genotype

__all__ = ["CYP2C9", "VKORC1", "WARFARIN", "genotype"]

WARFARIN: Final = Model(
    name="warfarin",
    title="Warfarin and the INR",
    time_unit="h",
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
    rtol=1e-8,
    first_step=1e-2,
    h_max=24.0,
    grid_s=3_600.0,
    limits="Adults. Vitamin K in food, illness and interactions other than by CYP2C9 are not in it.",
    sources=parameters.SOURCES,
)
