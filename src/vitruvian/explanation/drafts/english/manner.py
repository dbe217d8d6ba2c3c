"""How English writes: plain labels, coded answers, counts, and the twin's own words for patients."""

from __future__ import annotations

from typing import Final

import msgspec

from vitruvian.explanation.drafts.names import labels_of, texts_of
from vitruvian.explanation.manner import PLAIN, Manner

__all__ = ["MANNER"]

# Outcomes as they follow "the risk of", for clinicians; whatever else they read goes by the vocabulary's name.
_OUTCOMES: Final = {
    "sepsis_risk": "sepsis", "aki_risk": "acute kidney injury", "mortality24_risk": "death in hospital",
    "mortality_risk": "death in hospital", "deterioration_risk": "deterioration",
    "cardiac_event_risk": "a cardiac event or arrest",
}  # fmt: skip
_ANSWERS: Final = {
    "Alert": "awake and alert", "Confusion": "newly confused", "Voice": "responds to voice only",
    "Pain": "responds to pain only", "Unresponsive": "does not respond", "Air": "room air", "Oxygen": "extra oxygen",
    "Yes": "yes", "No": "no", "Pregnant": "pregnant", "Not pregnant": "not pregnant",
}  # fmt: skip
MANNER: Final[Manner] = msgspec.structs.replace(
    PLAIN,
    labels={
        **{(name, "clinician"): label for name, label in _OUTCOMES.items()},
        **labels_of("english", "patient"),
    },
    answers={(answer, "patient"): plain for answer, plain in _ANSWERS.items()},
    counted={
        "heart_rate": "beats a minute", "pulse_rate": "beats a minute", "respiratory_rate": "breaths a minute",
        "warm_heart_rate": "beats a minute",
    },
    counts={
        "beds": ("bed", "beds"), "alarms": ("open alarm", "open alarms"), "more": ("more", "more"),
        "patients": ("patient", "patients"),
    },
    texts=texts_of("english"),
)  # fmt: skip
