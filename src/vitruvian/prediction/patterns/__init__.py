"""Abnormal patterns: what is unusual for this patient, by an LSTM that foretells each vital sign an hour ahead."""

from vitruvian.prediction.patterns.watch import Unusual, Watch, Watched

__all__ = ["Unusual", "Watch", "Watched"]
