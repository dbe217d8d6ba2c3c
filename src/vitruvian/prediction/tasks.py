"""What can be predicted: one row a task, read by training, evaluation, serving and the pages alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from vitruvian.core.errors import ConfigurationError

__all__ = ["TASKS", "Task", "task"]

Moment = Literal["hourly", "stay"]


@dataclass(frozen=True, slots=True)
class Task:
    """A target of prediction.

    `moment`: "hourly" (a label for every hour of the stay) or "stay" (one label a stay, told at `at_h` hours).
    `horizon_h`: how far ahead the outcome lies; None where it is the end of the stay in hospital. `decision`: by which
    figure thresholds are chosen (`utility`: Challenge 2019; `event1`: Challenge 2012, the lesser of sensitivity and
    positive predictive value). `validated`: whether labels of real patients were there to measure on; where not, every
    place that shows the risk says "not validated". `aliases`: other names that are understood.
    """

    name: str
    title: str
    target: str
    moment: Moment
    horizon_h: float | None
    decision: Literal["utility", "event1"]
    validated: bool
    at_h: float | None = None
    aliases: tuple[str, ...] = ()


_ROWS: Final = (
    Task(
        "sepsis", "Sepsis", "onset of sepsis (Sepsis-3) within 6 h, or already begun", "hourly", 6.0, "utility", True,
    ),
    Task(
        "aki", "Acute kidney injury", "acute kidney injury (KDIGO stage 1 or more) within 6 h, or already begun",
        "hourly", 6.0, "event1", True, aliases=("acute_kidney_injury",),
    ),
    Task(
        "mortality24", "Death in hospital, told at 24 h", "death in hospital, told from the first 24 hours",
        "stay", None, "event1", True, at_h=24.0, aliases=("mortality_24h",),
    ),
    Task(
        "mortality", "Death in hospital, told at 48 h", "death in hospital, told from the first 48 hours",
        "stay", None, "event1", True, at_h=48.0,
        aliases=("hospital_mortality", "in_hospital_mortality", "mortality48", "mortality2012"),
    ),
    Task(
        "deterioration", "Deterioration",
        "a NEWS2 of 7 or more within 6 h in a patient who is below it now (made from the vital signs themselves)",
        "hourly", 6.0, "event1", True,
    ),
    Task(
        "cardiac_event", "Cardiac event or arrest", "a cardiac event or arrest within 6 h, as the user's data label it",
        "hourly", 6.0, "event1", False, aliases=("arrest", "cardiac_arrest", "cardiac"),
    ),
)  # fmt: skip
TASKS: Final[dict[str, Task]] = {row.name: row for row in _ROWS}


def task(name: str) -> Task:
    """The task of a name or alias (case, `-` and `_` do not matter). Raises ConfigurationError for another name."""
    wanted = name.lower().replace("-", "_")
    for row in TASKS.values():
        if wanted == row.name or wanted in row.aliases:
            return row
    raise ConfigurationError(f"found task {name!r}, expected one of {', '.join(TASKS)}")
