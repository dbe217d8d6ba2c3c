"""When nothing may be said: too little measured, outside the intended use, or too early in the stay."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.tasks import Task

__all__ = [
    "ADULT_YEARS", "GATED", "NOT_ADULT", "REQUIRED", "SUFFICIENT", "TOO_EARLY", "TOO_FEW_VITALS", "VITALS_MIN", "gate",
    "lacking", "reasons_of",
]  # fmt: skip

ADULT_YEARS: Final = 18.0
# At least this many of these must be fresh, else nothing is said.
VITALS_MIN: Final = 3
REQUIRED: Final[tuple[tuple[str, ...], ...]] = (
    ("heart_rate",),
    ("respiratory_rate",),
    ("oxygen_saturation",),
    ("systolic_pressure", "mean_pressure"),
    ("body_temperature",),
)
GATED: Final = (*(name for names in REQUIRED for name in names), "age_years")  # columns that the gate reads
SUFFICIENT: Final = 0
TOO_FEW_VITALS: Final = 1
NOT_ADULT: Final = 2
TOO_EARLY: Final = 3


def reasons_of(task: Task) -> tuple[str, ...]:
    """Why nothing is said, in words, by the code of the reason; empty where a risk is."""
    early = f"too early: told once {task.at_h:g} h have been observed" if task.at_h else ""
    return (
        "",
        f"insufficient data: fewer than {VITALS_MIN} of heart rate, respiratory rate, oxygen saturation, blood pressure"
        " and temperature are recent",
        f"outside intended use: made for adults, {ADULT_YEARS:.0f} years or older",
        early,
    )


def lacking(values: NDArray[np.float32], names: tuple[str, ...]) -> NDArray[np.bool_]:
    """(n, 5) which of `REQUIRED` are not recent, from features (n, len(names))."""
    places = {name: place for place, name in enumerate(names)}
    return np.column_stack(
        [np.all([np.isnan(values[:, places[name]]) for name in alternatives], axis=0) for alternatives in REQUIRED]
    )


def gate(
    task: Task, values: NDArray[np.float32], names: tuple[str, ...], observed_h: NDArray[np.float64] | None = None
) -> NDArray[np.uint8]:
    """Why nothing may be said of each row (n,) u1, a place in `reasons_of`; outside the intended use comes first.

    An unknown age is taken as an adult's: monitors often send no demographics, and the card says so. `observed_h`
    (n,): hours since the first measurement, for a task that is told at a certain hour; None where the caller sees to
    that (rows of a table).
    """
    age_years = values[:, names.index("age_years")]
    known = len(REQUIRED) - lacking(values, names).sum(axis=1)
    reason = np.where(known < VITALS_MIN, TOO_FEW_VITALS, SUFFICIENT)
    if task.at_h is not None and observed_h is not None:
        reason = np.where(observed_h >= task.at_h, reason, TOO_EARLY)  # NaN: nothing was observed yet
    return np.where(age_years < ADULT_YEARS, NOT_ADULT, reason).astype(np.uint8)
