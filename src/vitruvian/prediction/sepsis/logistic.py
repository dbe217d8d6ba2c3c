"""Where the regression used to live; it is `families.rows.ridge` now."""

from vitruvian.prediction.families.rows.ridge import Logistic, fit_logistic, fit_platt, replicas, sigmoid

__all__ = ["Logistic", "fit_logistic", "fit_platt", "replicas", "sigmoid"]
