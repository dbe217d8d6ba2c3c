"""Every model by name: `body("acute")`. Modules are imported when asked for: nothing unused is compiled."""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Final

from vitruvian.core.errors import NotFoundError
from vitruvian.physiology.base import Model

__all__ = ["NAMES", "body"]

_ROOMS: Final = "vitruvian.physiology"
# name -> (module, attribute)
_WHERE: Final[dict[str, tuple[str, str]]] = {
    "acute": ("bodies.acute", "ACUTE"),
    "acute_beats": ("bodies.acute", "ACUTE_BEATS"),
    "circulation": ("circulation", "CIRCULATION"),
    "circulation_beats": ("circulation", "BEATS"),
    "fluids": ("fluids", "FLUIDS"),
    "respiration": ("respiration", "RESPIRATION"),
    "inflammation": ("inflammation", "INFLAMMATION"),
    "kidney": ("kidney", "KIDNEY"),
    "uva_padova": ("glucose", "UVA_PADOVA"),
    "icu_glucose": ("glucose", "ICU_GLUCOSE"),
    "norepinephrine": ("pharmacology", "NOREPINEPHRINE"),
    "propofol": ("pharmacology", "PROPOFOL"),
    "esmolol": ("pharmacology", "ESMOLOL"),
    "vancomycin": ("pharmacology", "VANCOMYCIN"),
    "warfarin": ("pharmacology", "WARFARIN"),
    "theophylline": ("pharmacology", "THEOPHYLLINE"),
    "caffeine": ("pharmacology", "CAFFEINE"),
    "caffeine_newborn": ("pharmacology", "CAFFEINE_NEWBORN"),
    "phenobarbital_newborn": ("pharmacology", "PHENOBARBITAL_NEWBORN"),
    "metoprolol": ("pharmacology", "METOPROLOL"),
    "fentanyl": ("pharmacology", "FENTANYL"),
    "furosemide": ("pharmacology", "FUROSEMIDE"),
    "ciprofloxacin": ("pharmacology", "CIPROFLOXACIN"),
}
NAMES: Final = tuple(_WHERE)


@lru_cache(maxsize=64)
def body(name: str) -> Model:
    """A model by name. Raises NotFoundError that lists them."""
    if name not in _WHERE:
        raise NotFoundError(f"found model {name!r}, expected one of {', '.join(NAMES)}")
    module, attribute = _WHERE[name]
    found = getattr(importlib.import_module(f"{_ROOMS}.{module}"), attribute)
    assert isinstance(found, Model)
    return found
