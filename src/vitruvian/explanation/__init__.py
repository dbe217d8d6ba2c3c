"""Why the twin says what it says, in words that can be checked: every number in them is a fact they cite."""

from vitruvian.explanation.claims import Audience, Explanation, Sentence
from vitruvian.explanation.drafting import draft
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.risk import Attribution, Issued, attributions_of, risk_evidence
from vitruvian.explanation.subjects import Subject, subject_of, subjects

__all__ = [
    "Attribution",
    "Audience",
    "Evidence",
    "Explanation",
    "Fact",
    "Issued",
    "Sentence",
    "Subject",
    "attributions_of",
    "draft",
    "risk_evidence",
    "subject_of",
    "subjects",
]
