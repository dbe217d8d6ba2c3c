"""Propofol and fentanyl."""

from typing import Final

from vitruvian.physiology.base import Dose, Export, Input, Model, Output
from vitruvian.physiology.pharmacology.sedation import equations, parameters

__all__ = ["FENTANYL", "PROPOFOL"]

PROPOFOL: Final = Model(
    name="propofol",
    title="Propofol: anaesthesia, pressure and breathing",
    time_unit="min",
    states=parameters.PROPOFOL_STATES,
    parameters=parameters.PROPOFOL_PARAMETERS,
    inputs=parameters.PROPOFOL_INPUTS,
    doses=parameters.PROPOFOL_DOSES,
    exports=parameters.PROPOFOL_EXPORTS,
    outputs=parameters.PROPOFOL_OUTPUTS,
    rhs=equations.propofol_rhs,
    observe=equations.propofol_observe,
    emit=equations.propofol_emit,
    start=equations.propofol_start,
    personalise=parameters.propofol_personalise,
    domain=parameters.propofol_domain,
    rtol=1e-7,
    first_step=1e-2,
    h_max=30.0,
    grid_s=60.0,
    limits="No opioid besides (they act together more than added up). Breathing and pressure are of volunteers.",
    sources=parameters.PROPOFOL_SOURCES,
)

FENTANYL: Final = Model(
    name="fentanyl",
    title="Fentanyl into a vein, and breathing",
    time_unit="min",
    states=parameters.FENTANYL_STATES,
    parameters=parameters.FENTANYL_PARAMETERS,
    inputs=(Input("fentanyl", "ug/h", 0.0, 0.0, 2_000.0, "infusion into a vein"),),
    doses=(Dose("fentanyl", "ug", "central", high=1_000.0, about="into a vein"),),
    exports=(Export("ventilatory_drive_factor", "1", "on the drive to breathe"),),
    outputs=(
        Output("fentanyl_plasma", "ng/mL", "fentanyl in plasma"),
        Output("fentanyl_effect_site", "ng/mL", "fentanyl where it acts on breathing"),
        Output("fentanyl_ventilatory_drive", "1", "share of the drive to breathe that is left"),
    ),
    rhs=equations.fentanyl_rhs,
    observe=equations.fentanyl_observe,
    emit=equations.fentanyl_emit,
    start=equations.start,
    personalise=parameters.fentanyl_personalise,
    rtol=1e-7,
    first_step=1e-2,
    h_max=30.0,
    grid_s=60.0,
    limits="Adults; pain and other sedatives, which change what it does to breathing, are not in it.",
    sources=parameters.FENTANYL_SOURCES,
)
