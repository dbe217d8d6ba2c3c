"""English: how it writes numbers and times, what things are called in plain words, and the drafts for both readers."""

from vitruvian.explanation.drafts.english.manner import MANNER

__all__ = ["MANNER"]
