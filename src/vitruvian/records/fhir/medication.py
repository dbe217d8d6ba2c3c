"""Medicines given, ordered and reported.

Sources: https://hl7.org/fhir/R4/medicationadministration.html, .../medicationrequest.html, .../medicationstatement.html
"""

from __future__ import annotations

from typing import Final, NamedTuple

from vitruvian.core.errors import UnitError
from vitruvian.core.events import Dose, Entry, Event, Kind, Reading, Status, Value
from vitruvian.core.time import Instant
from vitruvian.core.vocabulary import Concept
from vitruvian.records.fhir import structs
from vitruvian.records.fhir.codes import stated_code
from vitruvian.records.fhir.outcome import Ignored, Refused
from vitruvian.records.fhir.references import Subject
from vitruvian.records.fhir.scope import Scope, entry_id, version_of
from vitruvian.records.fhir.values import UCUM, text_value

_ADMINISTERED: Final[dict[str, Status]] = {
    "in-progress": "final",
    "on-hold": "final",
    "completed": "final",
    "stopped": "final",
    "unknown": "preliminary",
    "entered-in-error": "entered-in-error",
}
_ORDERED: Final[dict[str, Status]] = {
    "active": "final",
    "on-hold": "final",
    "completed": "final",
    "stopped": "final",
    "intended": "preliminary",
    "draft": "preliminary",
    "unknown": "preliminary",
    "cancelled": "cancelled",
    "entered-in-error": "entered-in-error",
}
_ROUTE_CHARS_MAX: Final = 128
_AMOUNT_MAX: Final = 1e30  # no dose in any unit comes near; beyond it conversions lose their range


class _Amounts(NamedTuple):
    """What is stated of how much: an amount, a rate, a route, words."""

    dose: structs.Quantity | None
    rate: structs.Quantity | None
    route: str
    text: str


def read_administration(raw: bytes, full_url: str, scope: Scope) -> Reading:
    """MedicationAdministration: what was given, at once or over a time. Raises Refused, Ignored."""
    stated = structs.MEDICATION_ADMINISTRATION.decode(raw)
    if stated.status == "not-done":
        raise Ignored("not done")
    dosage = stated.dosage or structs.Dosage()
    rate = dosage.rate_quantity or _ratio_rate(dosage.rate_ratio)
    amounts = _Amounts(dosage.dose, rate, _route(dosage.route), dosage.text)
    scope = scope.within(scope.references.contained(stated.contained))
    start, end_us = scope.interval(stated.effective_date_time, stated.effective_period)
    what = _what(stated.medication_codeable_concept, stated.medication_reference, scope)
    event = _event("administration", what, amounts, start, end_us, scope)
    entry = Entry(
        scope.source,
        entry_id("MedicationAdministration", stated.id, full_url, raw),
        (event,),
        version_of(stated.meta),
        _subject(stated.subject, scope),
        scope.references.visit(stated.context),
        status=_status(stated.status, _ADMINISTERED),
    )
    return Reading("MedicationAdministration", (entry,), unmapped=_unmapped(event, what))


def read_request(raw: bytes, full_url: str, scope: Scope) -> Reading:
    """MedicationRequest: what was ordered. Raises Refused, Ignored."""
    return _read_order("MedicationRequest", raw, full_url, scope)


def read_statement(raw: bytes, full_url: str, scope: Scope) -> Reading:
    """MedicationStatement: what is said to be taken. Raises Refused, Ignored."""
    return _read_order("MedicationStatement", raw, full_url, scope)


def _read_order(kind: str, raw: bytes, full_url: str, scope: Scope) -> Reading:
    stated = structs.MEDICATION_ORDER.decode(raw)
    if stated.do_not_perform:
        raise Ignored("not to be given")
    if stated.status == "not-taken":
        raise Ignored("not taken")
    scope = scope.within(scope.references.contained(stated.contained))
    start, end_us = scope.interval(
        stated.effective_date_time, stated.effective_period, stated.authored_on, stated.date_asserted
    )
    what = _what(stated.medication_codeable_concept, stated.medication_reference, scope)
    event = _event("order", what, _ordered_amounts(stated), start, end_us, scope)
    said = scope.first(stated.authored_on, stated.date_asserted)
    entry = Entry(
        scope.source,
        entry_id(kind, stated.id, full_url, raw),
        (event,),
        version_of(stated.meta),
        _subject(stated.subject, scope),
        scope.references.visit(stated.encounter or stated.context),
        available_us=said.us if said else None,
        status=_status(stated.status, _ORDERED),
    )
    return Reading(kind, (entry,), unmapped=_unmapped(event, what))


def _ordered_amounts(stated: structs.MedicationOrder) -> _Amounts:
    """The first instruction's amounts, and the words of all."""
    instructions = stated.dosage_instruction or stated.dosage
    first = instructions[0] if instructions else structs.Instruction()
    much = first.dose_and_rate[0] if first.dose_and_rate else structs.DoseAndRate()
    rate = much.rate_quantity or _ratio_rate(much.rate_ratio)
    return _Amounts(
        much.dose_quantity, rate, _route(first.route), "; ".join(item.text for item in instructions if item.text)
    )


def _event(
    kind: Kind, what: structs.CodeableConcept, amounts: _Amounts, start: Instant, end_us: int | None, scope: Scope
) -> Event:
    known = scope.coder.find_medicine(what)
    code = known.code if known else stated_code(what)
    value, quality = _value(known.concept if known else None, amounts, what)
    return Event(kind, known.concept.name if known else "", value, start.us, end_us, start.zone, code, quality)


def _value(concept: Concept | None, amounts: _Amounts, what: structs.CodeableConcept) -> tuple[Value, tuple[str, ...]]:
    """A dose in the concept's units; what does not convert (tablets, mL, a rate that needs a weight) keeps the stated
    unit, by which everyone can tell that it is no number of the concept's.
    """
    dose, rate = _stated(amounts.dose), _stated(amounts.rate)
    if dose is None and rate is None:
        name = what.text or next((coding.display for coding in what.coding if coding.display), "")
        return text_value(amounts.text or name), ()
    taken = Dose(*_converted(concept, dose, rate=False), *_converted(concept, rate, rate=True), amounts.route)
    return taken, () if concept is None or _plausible(concept, taken) else ("implausible",)


def _converted(concept: Concept | None, stated: tuple[float, str] | None, *, rate: bool) -> tuple[float | None, str]:
    """A dose or rate in the concept's unit where it can be; (None, "") where there is none."""
    if stated is None:
        return None, ""
    given = concept.administration if concept else None
    if concept is None or given is None:
        return stated
    value, unit = stated
    try:
        if rate:
            return concept.normalize_rate(value, unit), given.rate_unit
        return concept.normalize_dose(value, unit), given.dose_unit
    except UnitError:
        return stated


def _plausible(concept: Concept, dose: Dose) -> bool:
    """Whether what was converted lies within the administration's hard limits."""
    given = concept.administration
    assert given is not None
    bounds = (
        (dose.amount, dose.amount_unit == given.dose_unit, given.plausible_dose),
        (dose.rate, dose.rate_unit == given.rate_unit, given.plausible_rate),
    )
    return all(
        value is None or not fits or limits is None or limits[0] <= value <= limits[1] for value, fits, limits in bounds
    )


def _stated(quantity: structs.Quantity | None) -> tuple[float, str] | None:
    """(value, unit): the UCUM code first, else the unit's text, else whatever code there is."""
    if quantity is None or quantity.value is None:
        return None
    if not abs(quantity.value) <= _AMOUNT_MAX:
        raise Refused("value", f"found {quantity.value:g}, expected an amount that can be given")
    unit = (quantity.code if quantity.system == UCUM else "") or quantity.unit or quantity.code
    return quantity.value, unit[:64]


def _ratio_rate(ratio: structs.Ratio | None) -> structs.Quantity | None:
    """An amount over a time as one rate; None where either is missing or the time is 0."""
    if ratio is None:
        return None
    top, bottom = ratio.numerator, ratio.denominator
    if top is None or bottom is None or top.value is None or not bottom.value:
        return None
    unit = f"{top.code or top.unit}/{bottom.code or bottom.unit}"
    return structs.Quantity(top.value / bottom.value, "", unit)


def _what(
    code: structs.CodeableConcept | None, reference: structs.Reference | None, scope: Scope
) -> structs.CodeableConcept:
    """The medicine: stated here, or in the Medication referred to; one that is elsewhere is known by its reference."""
    found = code or scope.references.medicine(reference)
    if found is None and reference is not None and reference.reference:
        found = structs.CodeableConcept(text=reference.reference)
    if found is None or not (found.coding or found.text):
        raise Refused("no-code", "found no medication, expected medicationCodeableConcept or medicationReference")
    return found


def _unmapped(event: Event, what: structs.CodeableConcept) -> tuple[str, ...]:
    """The code of a medicine that shows on the timeline only, for the site to map."""
    return () if event.concept or not what.coding else (event.code,)


def _subject(reference: structs.Reference | None, scope: Scope) -> Subject:
    found = scope.references.subject(reference)
    if not found:
        raise Refused("no-subject", "found a medicine for nobody, expected a patient as its subject")
    return found


def _status(stated: str, table: dict[str, Status]) -> Status:
    status = table.get(stated)
    if status is None:
        raise Refused("status", f"found status {stated[:32]!r}, expected one of {', '.join(table)}")
    return status


def _route(route: structs.CodeableConcept | None) -> str:
    if route is None:
        return ""
    text = route.text or next((coding.display or coding.code for coding in route.coding), "")
    return text[:_ROUTE_CHARS_MAX]
