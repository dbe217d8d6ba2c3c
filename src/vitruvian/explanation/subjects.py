"""What a model's features are about, and what people call it: names within a sentence, units as written, decimals."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import msgspec

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.units import printed
from vitruvian.signals.concepts import LABS
from vitruvian.signals.derived import DERIVED
from vitruvian.signals.features import PLAIN, VITALS, WINDOWED

__all__ = ["Subject", "in_sentence", "subject_of", "subjects"]

_SUFFIXES: Final = ("age_h", "change", *WINDOWED)
_MEASURED: Final = (*VITALS, *PLAIN, *LABS)
# Derived features and what is known of the person: what people call them, and decimals.
_OTHERS: Final[Mapping[str, tuple[str, str, int]]] = {
    "shock_index": ("shock index", "", 2),
    "modified_shock_index": ("heart rate over mean pressure", "", 2),
    "pulse_pressure": ("pulse pressure", "mmHg", 0),
    "warm_heart_rate": ("heart rate corrected for temperature", "/min", 0),
    "spo2_fio2": ("oxygen saturation over inspired fraction", "", 0),
    "rox_index": ("ROX index", "", 1),
    "bun_creatinine": ("urea nitrogen over creatinine", "", 0),
    "sirs": ("known SIRS criteria", "", 0),
    "qsofa_known": ("known qSOFA criteria", "", 0),
    "sofa_respiration": ("SOFA respiration points", "", 0),
    "sofa_coagulation": ("SOFA coagulation points", "", 0),
    "sofa_liver": ("SOFA liver points", "", 0),
    "sofa_circulation": ("SOFA circulation points", "", 0),
    "sofa_kidney": ("SOFA kidney points", "", 0),
    "sofa_known": ("known SOFA points", "", 0),
    "age_years": ("age", "years", 0),
    "male": ("sex", "", 0),
    "observed_h": ("hours observed", "h", 0),
    "tests": ("number of tests", "", 0),
    "tests_per_day": ("tests a day", "", 1),
    "medical_unit": ("medical unit", "", 0),
    "surgical_unit": ("surgical unit", "", 0),
    "hospital_before_icu_h": ("hours in hospital before intensive care", "h", 0),
    "height_cm": ("height", "cm", 0),
    "weight_kg": ("weight", "kg", 0),
    "body_mass": ("body mass index", "kg/m²", 1),
    "oxygenation": ("oxygenation", "", 0),
    "pulse_over_mean_pressure": ("heart rate over mean pressure", "", 2),
    "urea_over_creatinine": ("urea nitrogen over creatinine", "", 1),
    "age_times_log_urea": ("age and urea nitrogen together", "", 0),
    "age_over_coma": ("age and consciousness together", "", 1),
    "urine_ml_kg_h": ("urine output by weight", "mL/kg/h", 1),
    "urine_recent_ml_kg_h": ("recent urine output by weight", "mL/kg/h", 1),
    "urine_change_per_h": ("change of urine output", "mL/h", 0),
    "saps_coma_like": ("points for coma", "", 0),
}
_POINTS: Final = {"sofa_like": "organ failure points", "saps_like": "acute physiology points"}


# Shorter than the display name where a sentence needs no more.
_BRIEF: Final[Mapping[str, str]] = {
    "oxygen_saturation": "oxygen saturation",
    "calcium": "calcium",
    "bilirubin_total": "bilirubin",
    "troponin_i": "troponin I",
    "arterial_co2": "arterial carbon dioxide",
    "arterial_oxygen": "arterial oxygen",
    "oxygen_saturation_arterial": "arterial oxygen saturation",
}


class Subject(msgspec.Struct, frozen=True):
    """What one or more features are about: a concept of the vocabulary, or a quantity made from several.

    `label` is how it reads within a sentence; `unit` as people write it. `known`: its decimals are decided here.
    """

    name: str
    label: str
    unit: str
    decimals: int
    known: bool = True

    def show(self, value: float) -> str:
        """A value with its unit, in the vocabulary's decimals."""
        number = VOCABULARY[self.name].format(value) if self.name in VOCABULARY else f"{value:.{self.decimals}f}"
        joined = f"{number} {self.unit}" if self.unit else number
        return joined.replace(" /min", "/min") if self.unit == "/min" else joined


def in_sentence(display: str) -> str:
    """A display name as it stands within a sentence: `Heart rate` gives `heart rate`; `pH` and `PaO2` stay."""
    return display[0].lower() + display[1:] if display[1:2].islower() or display[1:2] == " " else display


@cache
def subject_of(feature: str) -> str:
    """The name of what a feature is about: `heart_rate_delta_6h` is about `heart_rate`, `shock_index` about itself."""
    if feature in _OTHERS or feature in DERIVED or feature in VOCABULARY:
        return feature
    for suffix in _SUFFIXES:
        head = feature.removesuffix(f"_{suffix}")
        if head != feature and head in _MEASURED:
            return head
    # A feature of another recipe: about what its name begins with, the longest that is known.
    words = feature.split("_")
    for count in range(len(words) - 1, 0, -1):
        head = "_".join(words[:count])
        if head in _OTHERS or head in VOCABULARY:
            return head
    points = any(feature.startswith(head) for head in _POINTS) and words[-1] in ("worst", "now")
    return "_".join(words[:-1]) if points else feature


@cache
def subjects(name: str) -> Subject:
    """The subject of that name."""
    if name in _OTHERS:
        return Subject(name, *_OTHERS[name])
    head = next((one for one in _POINTS if name.startswith(one)), "")
    if head:
        of = name.removeprefix(head).strip("_")
        return Subject(name, f"{_POINTS[head]}, {of}" if of else _POINTS[head], "", 0)
    concept = VOCABULARY.get(name)
    if concept is None:
        return Subject(name, name.replace("_", " "), "", 2, known=False)
    label = _BRIEF.get(name, in_sentence(concept.display))
    return Subject(name, label, printed(concept.unit), concept.decimals)
