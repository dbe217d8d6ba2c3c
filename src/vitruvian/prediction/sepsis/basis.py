"""Where the basis used to live; it is `families.rows.basis` now."""

from vitruvian.prediction.families.rows.basis import KNOTS, TERMS, Basis, fit_basis

__all__ = ["KNOTS", "TERMS", "Basis", "fit_basis"]
