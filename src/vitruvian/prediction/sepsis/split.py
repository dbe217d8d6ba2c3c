"""Moved to `prediction.measure.split`."""

from __future__ import annotations

from vitruvian.prediction.measure.split import ROLES, SEED, SHARES_PERCENT, Role, patients_of, role_of

__all__ = ["ROLES", "SEED", "SHARES_PERCENT", "Role", "patients_of", "role_of"]
