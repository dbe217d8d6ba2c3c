"""The learned risk of sepsis: train, calibrate, evaluate, serve. The shipped model lies in `model/`, with its card."""

from vitruvian.prediction.sepsis.model import (
    NOT_ADULT,
    REASONS,
    SUFFICIENT,
    TOO_FEW_VITALS,
    RiskColumns,
    SepsisModel,
)

__all__ = ["NOT_ADULT", "REASONS", "SUFFICIENT", "TOO_FEW_VITALS", "RiskColumns", "SepsisModel"]
