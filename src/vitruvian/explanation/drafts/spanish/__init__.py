"""Spanish: how it writes numbers and times, what things are called, and the drafts for both readers."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.drafts.base import Templates
from vitruvian.explanation.drafts.spanish import clinician, patient
from vitruvian.explanation.drafts.spanish.manner import MANNER

__all__ = ["MANNER", "TEMPLATES"]

TEMPLATES: Final[Templates] = {**clinician.TEMPLATES, **patient.TEMPLATES}
