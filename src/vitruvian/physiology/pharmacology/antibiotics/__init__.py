"""Vancomycin, and ciprofloxacin with the bacteria it kills."""

from typing import Final

from vitruvian.physiology.base import Model
from vitruvian.physiology.pharmacology.antibiotics import equations, parameters

__all__ = ["CIPROFLOXACIN", "VANCOMYCIN"]

VANCOMYCIN: Final = Model(
    name="vancomycin",
    title="Vancomycin by infusion",
    time_unit="h",
    states=parameters.VANCOMYCIN_STATES,
    parameters=parameters.VANCOMYCIN_PARAMETERS,
    inputs=parameters.VANCOMYCIN_INPUTS,
    imports=parameters.VANCOMYCIN_IMPORTS,
    doses=parameters.VANCOMYCIN_DOSES,
    outputs=parameters.VANCOMYCIN_OUTPUTS,
    rhs=equations.vancomycin_rhs,
    observe=equations.vancomycin_observe,
    start=equations.start,
    personalise=parameters.personalise_vancomycin,
    domain=parameters.domain,
    rtol=1e-8,
    first_step=1e-3,
    h_max=24.0,
    grid_s=300.0,
    limits="Hospitalised adults; of haemodialysis only the mean effect (parameter dialysis).",
    sources=parameters.VANCOMYCIN_SOURCES,
)

CIPROFLOXACIN: Final = Model(
    name="ciprofloxacin",
    title="Ciprofloxacin and the bacteria it kills",
    time_unit="h",
    states=parameters.CIPROFLOXACIN_STATES,
    parameters=parameters.CIPROFLOXACIN_PARAMETERS,
    inputs=parameters.CIPROFLOXACIN_INPUTS,
    imports=parameters.CIPROFLOXACIN_IMPORTS,
    doses=parameters.CIPROFLOXACIN_DOSES,
    exports=parameters.CIPROFLOXACIN_EXPORTS,
    outputs=parameters.CIPROFLOXACIN_OUTPUTS,
    rhs=equations.ciprofloxacin_rhs,
    observe=equations.ciprofloxacin_observe,
    emit=equations.ciprofloxacin_emit,
    start=equations.ciprofloxacin_start,
    personalise=parameters.personalise_ciprofloxacin,
    domain=parameters.domain,
    rtol=1e-7,
    first_step=1e-3,
    h_max=6.0,
    grid_s=300.0,
    limits="Killing was measured in broth, of one strain; no immunity, no resistance, no site of infection but plasma.",
    sources=parameters.CIPROFLOXACIN_SOURCES,
)
