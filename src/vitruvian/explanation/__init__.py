"""Why a risk is what it is, in sentences that can be checked: every number in them is a fact they cite."""

from vitruvian.explanation.facts import Attribution, Evidence, Fact, Sentence, Subject, subject_of, subjects
from vitruvian.explanation.risk import Issued, explain_risk

__all__ = [
    "Attribution",
    "Evidence",
    "Fact",
    "Issued",
    "Sentence",
    "Subject",
    "explain_risk",
    "subject_of",
    "subjects",
]
