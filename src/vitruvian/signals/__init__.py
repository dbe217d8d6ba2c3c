"""Cleaning, resampling and features: what was observed becomes regular numbers, in batch and in stream by the
same functions.
"""

from vitruvian.signals.tracker import LATE, NEVER_US, OUTLIER, REJECTED, TAKEN, Tracker

__all__ = ["LATE", "NEVER_US", "OUTLIER", "REJECTED", "TAKEN", "Tracker"]
