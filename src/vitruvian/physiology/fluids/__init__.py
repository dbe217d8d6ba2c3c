"""Body fluids: blood volume, its red cells and haemoglobin, and the exchange with the tissue."""

from typing import Final

from vitruvian.physiology.base import Model
from vitruvian.physiology.fluids import equations
from vitruvian.physiology.fluids.parameters import EXPORTS, IMPORTS, INPUTS, OUTPUTS, PARAMETERS, STATES, personalise

__all__ = ["FLUIDS"]

FLUIDS: Final = Model(
    name="fluids",
    title="Blood volume and fluid shift",
    time_unit="s",
    states=STATES,
    parameters=PARAMETERS,
    inputs=INPUTS,
    imports=IMPORTS,
    exports=EXPORTS,
    outputs=OUTPUTS,
    rhs=equations.rhs,
    observe=equations.observe,
    emit=equations.emit,
    start=equations.start,
    personalise=personalise,
    first_step=0.1,
    rtol=1e-5,
    limits="Isotonic fluids and water that moves with salt; no free water, no albumin kinetics.",
    sources=(
        "R. Bighamian, A. T. Reisner, J.-O. Hahn, Front Physiol 7 (2016) 390",
        "R. G. Hahn, Anesthesiology 113 (2010) 470",
    ),
)
