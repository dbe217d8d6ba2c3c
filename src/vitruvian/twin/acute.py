"""How live bodies are followed: the acute-care body, what of it is observed, and how well a bedside device shows it.

`sd` is the error of a tick's mean, device and beat-to-beat variation together; `bias_sd` is how far the patient may lie
beside the body for an hour or two, which people do whom no model wakes, moves or feeds. Sources: pulse oximeters'
accuracy (root mean square 2 to 3 %: ISO 80601-2-61); oscillometric cuffs (mean error within 5, standard deviation
within 8 mmHg: ISO 81060-2); the rest are assumptions that the twin experiment and the real forecasts put to the test.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from vitruvian.estimation import Filter, Observation, Settings
from vitruvian.physiology.bodies import body

__all__ = ["OBSERVED", "acute_filter"]

OBSERVED: Final = (
    Observation("heart_rate", 4.0, bias_sd=6.0, bias_h=2.0),
    Observation("mean_pressure", 5.0, bias_sd=5.0, bias_h=2.0),
    Observation("systolic_pressure", 6.0, bias_sd=7.0, bias_h=2.0),
    Observation("diastolic_pressure", 5.0, bias_sd=5.0, bias_h=2.0),
    Observation("respiratory_rate", 2.0, bias_sd=2.5, bias_h=2.0),
    Observation("oxygen_saturation", 1.2, bias_sd=1.0, bias_h=2.0),
    Observation("central_venous_pressure", 1.5, bias_sd=1.5, bias_h=2.0),
    Observation("arterial_oxygen", 5.0, relative=0.08, bias_sd=8.0, bias_h=6.0),
    Observation("arterial_co2", 2.5, bias_sd=2.0, bias_h=6.0),
    Observation("ph", 0.02, bias_sd=0.02, bias_h=6.0),
    Observation("hemoglobin", 0.5, bias_sd=0.3, bias_h=12.0),
)
MEMBERS: Final = 64


@lru_cache(maxsize=4)
def acute_filter(members: int = MEMBERS) -> Filter:
    """The filter of live bodies, with the observations that the acute body has."""
    model = body("acute")
    seen = tuple(one for one in OBSERVED if one.output in model.output_index)
    return Filter(model, seen, Settings(members=members, method="rkc", first_step_s=2.0))
