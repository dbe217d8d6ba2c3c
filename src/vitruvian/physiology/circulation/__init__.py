"""The circulation, in two forms that share their parameters: `BEATS` pulsates, `CIRCULATION` is averaged over beats."""

from typing import Final

from vitruvian.physiology.base import Model
from vitruvian.physiology.circulation import equations, pulsation
from vitruvian.physiology.circulation.parameters import (
    BEATS_ONLY,
    BEATS_OUTPUTS,
    BEATS_STATES,
    COMMON,
    EXPORTS,
    IMPORTS,
    INPUTS,
    MEAN_STATES,
    OUTPUTS,
    SHAPE,
    domain,
    personalise,
)

__all__ = ["BEATS", "CIRCULATION"]

_SOURCES: Final = (
    "M. Ursino, Interaction between carotid baroregulation and the pulsating heart, Am J Physiol 275 (1998) H1733",
    "K. Sunagawa et al., Left ventricular interaction with arterial load, Am J Physiol 245 (1983) H773",
)
_LIMITS: Final = (
    "Adults. No arrhythmia, valve disease, pericardium or shunt; one systemic bed; reflexes of hours (renin, "
    "vasopressin) are absent."
)

BEATS: Final = Model(
    name="circulation_beats",
    title="Circulation, beat by beat",
    time_unit="s",
    states=BEATS_STATES,
    parameters=(*COMMON, *BEATS_ONLY),
    inputs=INPUTS,
    imports=IMPORTS,
    exports=EXPORTS,
    outputs=BEATS_OUTPUTS,
    rhs=pulsation.rhs,
    observe=pulsation.observe,
    emit=pulsation.emit,
    start=pulsation.start,
    personalise=personalise,
    domain=domain,
    first_step=1e-3,
    h_max=0.1,
    rtol=1e-4,
    settle=180.0,
    limits=_LIMITS,
    sources=_SOURCES,
)

CIRCULATION: Final = Model(
    name="circulation",
    title="Circulation, averaged over beats",
    time_unit="s",
    states=MEAN_STATES,
    parameters=(*COMMON, *SHAPE),
    inputs=INPUTS,
    imports=IMPORTS,
    exports=EXPORTS,
    outputs=OUTPUTS,
    rhs=equations.rhs,
    observe=equations.observe,
    emit=equations.emit,
    start=equations.start,
    personalise=personalise,
    domain=domain,
    first_step=0.1,
    rtol=1e-4,
    settle=600.0,
    limits=_LIMITS + " Pulse pressures follow a fitted rule.",
    sources=_SOURCES,
)
