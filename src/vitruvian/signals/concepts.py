"""What the vocabulary means to the signals: what a monitor sends, which labs are followed, and the limits as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.time import SECOND_US
from vitruvian.core.vocabulary import VOCABULARY, Vocabulary

# Vital signs that a bedside monitor repeats, in the order of their slots, and the smallest departure from the
# neighbours' median (in the concept's unit) that may be called noise. The floors are about twice the sample-to-sample
# spread of a resting patient, so that a quiet stretch (a spread of zero) does not turn every change into an outlier.
MONITORED: Final[dict[str, float]] = {
    "heart_rate": 10.0,
    "respiratory_rate": 6.0,
    "oxygen_saturation": 4.0,
    "body_temperature": 0.5,
    "systolic_pressure": 15.0,
    "diastolic_pressure": 12.0,
    "mean_pressure": 12.0,
    "systolic_pressure_arterial": 15.0,
    "diastolic_pressure_arterial": 12.0,
    "mean_pressure_arterial": 12.0,
    "end_tidal_co2": 6.0,
}

# Labs whose change since the result before is followed. A single extreme result is a finding and is never filtered.
LABS: Final[tuple[str, ...]] = (
    "base_excess", "bicarbonate", "ph", "arterial_co2", "oxygen_saturation_arterial", "aspartate_aminotransferase",
    "urea_nitrogen", "alkaline_phosphatase", "calcium", "chloride", "creatinine", "bilirubin_direct", "glucose",
    "lactate", "magnesium", "phosphate", "potassium", "bilirubin_total", "troponin_i", "hematocrit", "hemoglobin",
    "aptt", "leukocytes", "fibrinogen", "platelets", "sodium", "inr", "albumin", "c_reactive_protein",
    "procalcitonin", "arterial_oxygen",
)  # fmt: skip

# What else is summed up over a stay, beside the monitored vital signs and the labs.
CARE: Final[tuple[str, ...]] = (
    "glasgow_coma_score", "urine_output", "inspired_oxygen_fraction", "mechanical_ventilation",
    "alanine_aminotransferase", "troponin_t",
)  # fmt: skip
STAY_SIGNALS: Final[tuple[str, ...]] = (*MONITORED, *LABS, *CARE)


@dataclass(frozen=True, slots=True)
class Tables:
    """Per concept index: plausible limits, validity in us, slot of a monitored vital sign, of a lab and of a
    signal that is summed up over the stay (-1: none).
    """

    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    valid_us: NDArray[np.int64]
    slot_of: NDArray[np.int64]
    lab_of: NDArray[np.int64]
    floor_of: NDArray[np.float64]
    stay_of: NDArray[np.int64]

    @property
    def slots(self) -> int:
        """How many vital signs are monitored."""
        return len(MONITORED)

    @property
    def labs(self) -> int:
        """How many labs are followed."""
        return len(LABS)

    @property
    def stays(self) -> int:
        """How many signals are summed up over the stay."""
        return len(STAY_SIGNALS)

    @property
    def kernel(self) -> tuple[Any, ...]:
        """What the compiled loops take."""
        return self.lowest, self.highest, self.slot_of, self.floor_of, self.lab_of, self.stay_of


def tables_of(vocabulary: Vocabulary) -> Tables:
    """The arrays of a vocabulary. Raises VocabularyError where it lacks a concept named here."""
    size = len(vocabulary)
    slot_of = np.full(size, -1, np.int64)
    lab_of = np.full(size, -1, np.int64)
    stay_of = np.full(size, -1, np.int64)
    floor_of = np.zeros(size)
    for slot, (name, floor) in enumerate(MONITORED.items()):
        slot_of[vocabulary[name].index] = slot
        floor_of[vocabulary[name].index] = floor
    for place, name in enumerate(LABS):
        lab_of[vocabulary[name].index] = place
    for place, name in enumerate(STAY_SIGNALS):
        stay_of[vocabulary[name].index] = place
    return Tables(
        lowest=np.array([concept.plausible[0] for concept in vocabulary], np.float64),
        highest=np.array([concept.plausible[1] for concept in vocabulary], np.float64),
        valid_us=np.array([concept.valid_for_s * SECOND_US for concept in vocabulary], np.int64),
        slot_of=slot_of,
        lab_of=lab_of,
        floor_of=floor_of,
        stay_of=stay_of,
    )


TABLES: Final = tables_of(VOCABULARY)
