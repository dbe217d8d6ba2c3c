"""Spanish: how it writes numbers and times, what things are called, and the drafts for both readers."""

from vitruvian.explanation.drafts.spanish.manner import MANNER

__all__ = ["MANNER"]
