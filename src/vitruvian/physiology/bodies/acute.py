"""The acute-care body: circulation, breathing, fluids, inflammation, kidneys and the drugs given at a bedside, on one
clock. `ACUTE` has the circulation averaged over beats, for hours; `ACUTE_BEATS` has it beat by beat, for minutes.
"""

from __future__ import annotations

from typing import Final

from vitruvian.physiology.base import Model
from vitruvian.physiology.bodies.compose import compose
from vitruvian.physiology.circulation import BEATS, CIRCULATION
from vitruvian.physiology.fluids import FLUIDS
from vitruvian.physiology.inflammation import INFLAMMATION
from vitruvian.physiology.kidney import KIDNEY
from vitruvian.physiology.pharmacology import ESMOLOL, FUROSEMIDE, NOREPINEPHRINE, PROPOFOL
from vitruvian.physiology.respiration import RESPIRATION

__all__ = ["ACUTE", "ACUTE_BEATS"]

_OTHERS: Final = (RESPIRATION, FLUIDS, INFLAMMATION, KIDNEY, NOREPINEPHRINE, PROPOFOL, ESMOLOL, FUROSEMIDE)

ACUTE: Final[Model] = compose(
    "acute", "Acute-care body", [CIRCULATION, *_OTHERS], settle=1_800.0, first_step=0.5, rtol=1e-4
)
ACUTE_BEATS: Final[Model] = compose(
    "acute_beats",
    "Acute-care body, beat by beat",
    [BEATS, *_OTHERS],
    settle=300.0,
    first_step=1e-3,
    h_max=0.1,
    rtol=1e-4,
)
