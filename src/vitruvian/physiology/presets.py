"""Named simulations: what `vitruvian simulate NAME` does when nothing more is said.

A preset is a body, what is done to it, and what to look at. Its first action is the one that `--rate`, `--amount`,
`--severity` and `--for` speak of.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from vitruvian.core.errors import ModelError, NotFoundError
from vitruvian.physiology.actions import Action

__all__ = ["PRESETS", "Preset", "preset"]

_HEART: Final = ("heart_rate", "mean_pressure", "systolic_pressure", "diastolic_pressure", "cardiac_output")
_BLOOD: Final = ("central_venous_pressure", "systemic_vascular_resistance", "blood_volume", "hemoglobin")
_LUNGS: Final = ("respiratory_rate", "oxygen_saturation", "arterial_oxygen", "arterial_co2", "ph", "lactate")
_ALL: Final = (*_HEART, *_BLOOD, *_LUNGS)
_SUGAR: Final = ("glucose", "plasma_insulin")
MIN: Final = 60.0
HOUR: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Preset:
    """A named simulation. `until_s` is the whole run; `also` is done besides and may be changed by name."""

    name: str
    title: str
    body: str
    action: Action
    until_s: float
    outputs: tuple[str, ...]
    also: tuple[Action, ...] = field(default=())

    def actions(self) -> tuple[Action, ...]:
        """Everything that is done."""
        return (self.action, *self.also)

    def changed(
        self,
        value: tuple[float, str] | None = None,
        for_s: float | None = None,
        until_s: float | None = None,
        start_s: float | None = None,
    ) -> Preset:
        """With another amount or rate, duration, end or start of the first action."""
        action = self.action
        if value is not None:
            action = replace(action, value=value[0], unit=value[1])
        if for_s is not None:
            action = replace(action, duration_s=for_s)
        if start_s is not None:
            action = replace(action, start_s=start_s)
        if until_s is None:
            ends = (one.start_s + (one.duration_s or 0.0) for one in (action, *self.also))
            until_s = max(self.until_s, *ends)
        if until_s <= 0:
            raise ModelError(f"found a run of {until_s} s, expected a time above 0")
        return replace(self, action=action, until_s=until_s)


def _made(
    name: str,
    title: str,
    action: Action,
    until_s: float,
    outputs: tuple[str, ...] = _ALL,
    also: tuple[Action, ...] = (),
    body: str = "acute",
) -> Preset:
    return Preset(name, title, body, action, until_s, outputs, also)


PRESETS: Final[Mapping[str, Preset]] = {
    one.name: one
    for one in (
        _made("haemorrhage", "Haemorrhage", Action("blood_loss", 140, "mL/min", 0, 560), 560),
        _made("fluid-bolus", "Fluid bolus", Action("crystalloid", 500, "mL", 5 * MIN, 15 * MIN), HOUR),
        _made(
            "transfusion",
            "Haemorrhage and transfusion",
            Action("red_cells", 500, "mL", 15 * MIN, 20 * MIN),
            HOUR,
            also=(Action("blood_loss", 140, "mL/min", 0, 560),),
        ),
        _made("vasopressor", "Norepinephrine", Action("norepinephrine", 0.1, "ug/kg/min", 5 * MIN, 30 * MIN), HOUR),
        _made("beta-blocker", "Esmolol", Action("esmolol", 100, "ug/kg/min", 5 * MIN, 30 * MIN), HOUR),
        _made("propofol", "Propofol infusion", Action("propofol", 4, "mg/kg/h", 5 * MIN, 30 * MIN), HOUR),
        _made("oxygen", "Oxygen", Action("inspired_oxygen_fraction", 0.5, "1", 5 * MIN, 20 * MIN), 40 * MIN),
        _made(
            "ventilator",
            "Mechanical ventilation",
            Action("tidal_volume_set", 480, "mL", 5 * MIN),
            40 * MIN,
            also=(
                Action("mechanical_ventilation", 1, "1", 5 * MIN),
                Action("respiratory_rate_set", 14, "/min", 5 * MIN),
                Action("positive_end_expiratory_pressure", 8, "cm[H2O]", 5 * MIN),
            ),
        ),
        _made("pneumothorax", "Pneumothorax", Action("pneumothorax", 0.8, "1", 2 * MIN), 20 * MIN),
        _made("airway-obstruction", "Airway obstruction", Action("airway_obstruction", 0.6, "1", 2 * MIN), 20 * MIN),
        _made("apnoea", "Breathing stops", Action("apnoea", 1, "1", MIN, 2 * MIN), 10 * MIN),
        _made("exercise", "Exercise", Action("exercise", 75, "W", 2 * MIN, 10 * MIN), 20 * MIN),
        _made("tilt", "Head-up tilt", Action("tilt", 1, "1", 2 * MIN, 10 * MIN), 15 * MIN),
        _made("pacing", "Pacing", Action("pacing_rate", 110, "/min", 2 * MIN, 10 * MIN), 15 * MIN),
        _made(
            "sepsis",
            "Sepsis, antibiotic after some hours",
            Action("infection", 0.5, "1", HOUR),
            48 * HOUR,
            (*_ALL, "body_temperature", "pathogen_load", "inflammation_level", "tissue_damage"),
            also=(Action("antibiotic", 1, "1", 18 * HOUR),),
        ),
        _made(
            "meal", "A meal", Action("meal", 60, "g", HOUR, 15 * MIN), 6 * HOUR, _SUGAR, body="uva_padova"
        ),
        _made(
            "insulin",
            "A meal with insulin",
            Action("insulin", 5, "[iU]", HOUR),
            6 * HOUR,
            _SUGAR,
            also=(Action("meal", 60, "g", HOUR, 15 * MIN),),
            body="uva_padova",
        ),
    )
}  # fmt: skip


def preset(name: str) -> Preset:
    """A named simulation; British and American spellings. Raises NotFoundError that lists them."""
    plain = name.casefold().replace("_", "-").replace("hemorrhage", "haemorrhage").replace("apnea", "apnoea")
    if plain not in PRESETS:
        raise NotFoundError(f"found simulation {name!r}, expected one of {', '.join(PRESETS)}, or infusion")
    return PRESETS[plain]
