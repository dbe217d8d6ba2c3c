"""A concept: one thing that can be observed, derived or done, with its codes, its unit and its ranges."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from vitruvian.core import units
from vitruvian.core.errors import UnitError

Kind = Literal["vital", "lab", "score", "state", "intervention", "estimate"]
Sex = Literal["male", "female"]

_ACTIVITY: Final = re.compile(r"(?<![A-Za-z\[])([munk]?)(U|\[[iI]U\])(?![A-Za-z'\]])")
_ANNOTATION: Final = re.compile(r"\{[^{}]*\}")
_CONVERSIONS_MAX: Final = 256  # distinct unit texts remembered for one concept; a source that sends more is recomputed


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a system, the system as its FHIR URI."""

    system: str
    code: str


@dataclass(frozen=True, slots=True)
class NormalRange:
    """What is usual for ages in [`age_from_years`, `age_to_years`), in the concept's unit.

    `sex` None holds for everyone.
    """

    age_from_years: float
    age_to_years: float
    low: float
    high: float
    sex: Sex | None = None


@dataclass(frozen=True, slots=True)
class CodedValue:
    """One answer of a coded concept: its code, the number it is kept as, other texts and codes that mean it."""

    code: str
    number: float
    display: str
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Administration:
    """How an intervention is given. Doses and rates beyond the plausible are more likely a slip than a treatment.

    `dose_unit` measures what is given at once, `rate_unit` what is given continuously; either may be empty.
    """

    routes: tuple[str, ...]
    dose_unit: str = ""
    rate_unit: str = ""
    plausible_dose: tuple[float, float] | None = None
    plausible_rate: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Concept:
    """A row of the vocabulary. Numbers are in `unit` (UCUM) unless their name says otherwise.

    `index` is dense and never reused, so that stored series outlive additions. `plausible` are hard limits: outside
    them a value is an artefact or a slip. `valid_for_s` is how long a value may be carried forward before it is
    stale, `cadence_s` how often it is usually measured. `equivalents` are unit texts that mean a factor for this
    concept alone (`units` for pH). `generic` are codes of `codes` that are stated beside a more specific one (2708-6
    beside 59408-5 in FHIR vital signs).
    """

    name: str
    index: int
    kind: Kind
    display: str
    short: str
    unit: str
    decimals: int
    plausible: tuple[float, float]
    valid_for_s: int
    cadence_s: int
    codes: tuple[Code, ...] = ()
    generic: tuple[Code, ...] = ()
    aliases: tuple[str, ...] = ()
    normal: tuple[NormalRange, ...] = ()
    coded: tuple[CodedValue, ...] = ()
    molar_mass_g_per_mol: float | None = None
    charge: int | None = None
    equivalents: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    administration: Administration | None = None
    retired: bool = False
    source: str = ""
    _conversions: dict[str, tuple[float, float]] = field(default_factory=dict, repr=False, compare=False)

    def __hash__(self) -> int:
        return hash(self.name)

    def conversion(self, unit: str) -> tuple[float, float]:
        """(factor, offset) from `unit` to the concept's unit, by its molar mass and charge where these are needed.

        An empty unit is taken only where the concept is a pure number. Raises UnitError.
        """
        known = self._conversions.get(unit)
        if known is None:
            known = self._find_conversion(unit, self.unit)
            if len(self._conversions) < _CONVERSIONS_MAX:
                self._conversions[unit] = known
        return known

    def normalize(self, value: float, unit: str) -> float:
        """`value` stated in `unit`, expressed in the concept's unit. Raises UnitError, also where a unit is missing."""
        factor, offset = self.conversion(unit)
        return value * factor + offset

    def normalize_dose(self, amount: float, unit: str, weight_kg: float | None = None) -> float:
        """An amount given at once, in the administration's dose unit.

        Raises UnitError (also if a body weight is needed).
        """
        return self._normalize_administration(amount, unit, weight_kg, rate=False)

    def normalize_rate(self, rate: float, unit: str, weight_kg: float | None = None) -> float:
        """An infusion rate in the administration's rate unit; `weight_kg` passes between ug/min and ug/kg/min.

        Raises UnitError where the unit does not fit, or a body weight is needed and not given.
        """
        return self._normalize_administration(rate, unit, weight_kg, rate=True)

    def normal_range(self, age_years: float, sex: str | None = None) -> tuple[float, float] | None:
        """The usual range at an age; where it depends on a sex that is not known, the span of both.

        None if not tabulated.
        """
        rows = [row for row in self.normal if row.age_from_years <= age_years < row.age_to_years]
        if sex in ("male", "female"):
            rows = [row for row in rows if row.sex in (None, sex)]
        if not rows:
            return None
        return min(row.low for row in rows), max(row.high for row in rows)

    def is_plausible(self, value: float) -> bool:
        """Whether a value in the concept's unit lies within its hard limits; NaN does not."""
        return self.plausible[0] <= value <= self.plausible[1]

    def format(self, value: float) -> str:
        """The value as people write it: the coded answer's display, else the number with the concept's decimals."""
        if math.isnan(value):
            return "–"
        for answer in self.coded:
            if answer.number == value:
                return answer.display
        text = f"{value:.{self.decimals}f}"
        return text.removeprefix("-") if float(text) == 0 else text

    def answer(self, text: str) -> CodedValue | None:
        """The coded answer that a code or word stands for, regardless of case; None where it is not among them."""
        wanted = text.strip().casefold()
        for item in self.coded:
            if wanted == item.code or wanted == item.display.casefold() or wanted in item.synonyms:
                return item
        return None

    @property
    def substance(self) -> units.Substance | None:
        """What exchanges mass, amount and charge for this concept, if known."""
        if self.molar_mass_g_per_mol is None and self.charge is None:
            return None
        return units.Substance(self.molar_mass_g_per_mol, self.charge)

    def _find_conversion(self, unit: str, target: str) -> tuple[float, float]:
        stated = unit.strip()
        equivalent = self.equivalents.get(_ANNOTATION.sub("", stated).casefold())
        if equivalent is not None:
            return equivalent
        if not stated and not units.is_unitless(target):
            raise UnitError(
                f"found no unit for {self.name}, expected {target} or one that converts to it; state the unit"
            )
        try:
            _refuse_lookalikes(stated, target)
            return units.conversion(stated, target, self.substance)
        except UnitError as error:
            swapped = _swap_activity(stated)
            if swapped:
                try:
                    return units.conversion(swapped, target, self.substance)
                except UnitError:
                    pass  # the unit as it was stated makes the better message
            raise UnitError(f"{self.name}: {error}") from None

    def _normalize_administration(self, value: float, unit: str, weight_kg: float | None, *, rate: bool) -> float:
        given = self.administration
        target = "" if given is None else (given.rate_unit if rate else given.dose_unit)
        what = "rate" if rate else "dose"
        if not target:
            raise UnitError(
                f"{self.name} has no {what} unit; give it as a {'dose' if rate else 'rate'}, or add one to the table"
            )
        scale = _weight_scale(unit, target, weight_kg, self.name)
        factor, offset = self._find_conversion(unit if scale == 1.0 else _per_kg(unit, target), target)
        return value * scale * factor + offset


def _refuse_lookalikes(stated: str, target: str) -> None:
    """Refuse what arithmetic would convert although it measures something else."""
    found = units.canonical(stated)
    advice = "they do not measure alike; check the unit or the code it came with"
    scale = target != "1" and units.is_unitless(target) and not units.is_unitless(found)  # Quick's percentage is no INR
    weight = _is_per_kg(found) != _is_per_kg(target)  # ug/kg/min would reduce to a frequency
    assay = (
        "{DDU}" in found.upper() and "{FEU}" in target
    )  # D-dimer units and fibrinogen equivalents differ about twofold
    if scale or weight or assay:
        raise UnitError(f"found {found!r}, expected a unit that converts to {target!r}; {advice}")


def _swap_activity(unit: str) -> str:
    """`U` read as `[iU]` and the reverse, or empty where the unit has neither.

    One analyte or drug has one unit of activity: an enzyme's international unit is U, and a unit of insulin or
    heparin is [iU].
    """
    try:
        text = units.canonical(unit)
    except UnitError:
        return ""
    swapped = _ACTIVITY.sub(lambda match: match[1] + ("U" if match[2].startswith("[") else "[iU]"), text)
    return "" if swapped == text else swapped


def _is_per_kg(unit: str) -> bool:
    return "/kg/" in units.canonical(unit) + "/"


def _per_kg(stated: str, target: str) -> str:
    """The stated unit rewritten per kilogram, or without, as the target is."""
    if _is_per_kg(target):
        head, _, rest = units.canonical(stated).partition("/")
        return f"{head}/kg/{rest}" if rest else f"{head}/kg"
    return (units.canonical(stated) + "/").replace("/kg/", "/", 1).rstrip("/")


def _weight_scale(stated: str, target: str, weight_kg: float | None, name: str) -> float:
    """What to multiply by so that a rate a kilogram and a rate a patient agree."""
    per_kg, wanted = _is_per_kg(stated), _is_per_kg(target)
    if per_kg == wanted:
        return 1.0
    if weight_kg is None or not weight_kg > 0:
        raise UnitError(
            f"{name}: found {stated}, expected {target}; state the body weight in kg, which the conversion needs"
        )
    return 1.0 / weight_kg if wanted else weight_kg
