"""The kidney: filtration, urine, creatinine and urea."""

from typing import Final

from vitruvian.physiology.base import Model
from vitruvian.physiology.kidney import equations, parameters
from vitruvian.physiology.kidney.parameters import from_creatinine
from vitruvian.physiology.kidney.tools import ckd_epi_2021, kdigo_stage, kinetic_gfr

__all__ = ["KIDNEY", "ckd_epi_2021", "from_creatinine", "kdigo_stage", "kinetic_gfr"]

KIDNEY: Final = Model(
    name="kidney",
    title="Kidney: filtration, urine, creatinine",
    time_unit="min",
    states=parameters.STATES,
    parameters=parameters.PARAMETERS,
    inputs=parameters.INPUTS,
    imports=parameters.IMPORTS,
    exports=parameters.EXPORTS,
    outputs=parameters.OUTPUTS,
    rhs=equations.rhs,
    observe=equations.observe,
    emit=equations.emit,
    start=equations.start,
    personalise=parameters.personalise,
    domain=parameters.domain,
    rtol=1e-6,
    first_step=1e-2,
    h_max=30.0,
    grid_s=60.0,
    limits="Adults. Injury by low pressure and by toxins, and how it heals, are assumptions; the kidney of a healthy "
    "person unless a usual creatinine is given (from_creatinine).",
    sources=parameters.SOURCES,
)
