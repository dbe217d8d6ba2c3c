"""Who and what a reference means: resolved within the bundle, else named so that other files can be joined to it.

A resource is known by the same identifier wherever it is referred to:

- an id that is a UUID is universal: `urn:uuid:X`, `Patient/X` and `http://server/Patient/X` are one;
- any other id belongs to its server: the base of an absolute URL, a source that names a server (`fhir:north`), or
  the one server that is not named: `Patient/p1` is `fhir:Patient|p1` in files, messages and pushes alike;
- `Patient?identifier=system|value` and a logical reference name a business identifier.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar
from urllib.parse import unquote

import msgspec

from vitruvian.core.errors import LimitError
from vitruvian.core.identifiers import Identifier, Location, check_identifier
from vitruvian.records.base import Context
from vitruvian.records.fhir import structs
from vitruvian.records.fhir.outcome import Refused

URI_SYSTEM: Final = "urn:ietf:rfc:3986"  # FHIR's system for identifiers that are URIs
IDENTIFIERS_MAX: Final = 28  # business identifiers of one patient; the journal takes 32, and the record has its own
_CACHE_MAX: Final = 65_536
_PLACES_MAX: Final = 8  # levels of Location.partOf
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_URL: Final = re.compile(
    r"(?:(?P<base>https?://[^?#]{1,400})/)?(?P<type>[A-Z][A-Za-z]{1,40})/(?P<id>[A-Za-z0-9.\-_]{1,256})$"
)
_PLACE_FIELDS: Final = {
    "bd": "bed",
    "ro": "room",
    "wa": "ward",
    "lvl": "ward",
    "wi": "ward",
    "si": "facility",
    "bu": "facility",
}
_MAY_BE_REFERRED_TO: Final = frozenset({"Patient", "Medication", "Location", "Encounter"})

Subject = tuple[Identifier, ...]
_T = TypeVar("_T")


class References:
    """What one bundle (or stream of lines) says of the resources that others refer to.

    `base` is the server, where the bundle's own URLs tell it. Not thread-safe; one is made for every bundle.
    """

    def __init__(self, context: Context, base: str = "") -> None:
        self._context = context
        self._base = base or (context.source if context.source.startswith("fhir:") else "fhir")
        self._separator = "/" if "://" in self._base else ":"
        self._patients: dict[str, Subject] = {}
        self._medications: dict[str, structs.CodeableConcept] = {}
        self._locations: dict[str, structs.Location] = {}
        self._periods: dict[str, structs.Period] = {}
        self._subjects: dict[str, Subject] = {}
        self._visits: dict[str, Identifier] = {}

    def learn(self, kind: str, full_url: str, raw: bytes | msgspec.Raw) -> None:
        """Remember a resource that others may refer to; one that cannot be read is left to its own reading."""
        if kind not in _MAY_BE_REFERRED_TO:
            return
        try:
            if kind == "Patient":
                patient = structs.PATIENT.decode(raw)
                self._keep(self._patients, kind, full_url, patient.id, self.identity(patient, full_url))
            elif kind == "Medication":
                medication = structs.MEDICATION.decode(raw)
                self._keep(self._medications, kind, full_url, medication.id, medicine(medication))
            elif kind == "Encounter":
                encounter = structs.ENCOUNTER_PERIOD.decode(raw)
                if encounter.period is not None:
                    self._keep(self._periods, kind, full_url, encounter.id, encounter.period)
            else:
                location = structs.LOCATION.decode(raw)
                self._keep(self._locations, kind, full_url, location.id, location)
        except (msgspec.MsgspecError, UnicodeError, RecursionError, Refused):
            return

    def contained(self, resources: tuple[msgspec.Raw, ...]) -> References:
        """These references with a resource's contained ones (`#id`) added; self where there are none."""
        if not resources:
            return self
        inner = References(self._context, self._base)
        inner._patients = dict(self._patients)
        inner._medications = dict(self._medications)
        inner._locations = dict(self._locations)
        inner._periods = self._periods
        for raw in resources:
            try:
                head = structs.HEAD.decode(raw)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                continue
            if head.id and head.resource_type:
                inner.learn(head.resource_type, "#" + head.id.removeprefix("#"), raw)
        return inner

    # --- patients --------------------------------------------------------

    def identity(self, patient: structs.Patient, full_url: str) -> Subject:
        """A patient's identifiers: the business ones, their systems by the mapping's names, then the record's own id.

        Raises Refused where there is none, or one cannot be an identifier.
        """
        found: dict[str, Identifier] = {}
        for item in patient.identifier[:IDENTIFIERS_MAX]:
            business = self.business(item)
            if business is not None:
                found.setdefault(business.key, business)
        for reference in own_references("Patient", patient.id, full_url):
            own = self.named("Patient", reference, "PI")
            found.setdefault(own.key, own)
        if not found:
            raise Refused("no-subject", "found a Patient with neither id, URL nor identifier, expected one of them")
        return tuple(found.values())

    def business(self, item: structs.Identifier) -> Identifier | None:
        """A business identifier under its authority; None without a system, since its value is then unique nowhere."""
        if not item.system or not item.value:
            return None
        kind = next((coding.code for coding in item.type.coding if coding.code), "") if item.type else ""
        return Identifier(
            self._context.mapping.authority(_checked(item.system, "an identifier's system")),
            _checked(item.value, "an identifier"),
            kind if len(kind) <= 16 else "",
        )

    def subject(self, reference: structs.Reference | None) -> Subject:
        """The identifiers of the patient referred to; empty without a reference, or where it is not to a patient.

        Raises Refused for a reference that cannot be read.
        """
        if reference is None:
            return ()
        text = reference.reference
        known = self._subjects.get(text) if text else None
        if known is not None:
            return known
        found = self._find_subject(reference)
        if text and found and len(self._subjects) < _CACHE_MAX:
            self._subjects[text] = found
        return found

    def _find_subject(self, reference: structs.Reference) -> Subject:
        text = _unversioned(reference.reference)
        if text:
            known = self._patients.get(text)
            if known is not None:
                return known
            kind = type_of(text) or reference.type
            if kind not in ("", "Patient"):
                return ()
            return (self.named("Patient", text, "PI"),)
        if reference.identifier is not None and reference.type in ("", "Patient"):
            business = self.business(reference.identifier)
            return (business,) if business else ()
        return ()

    # --- others ----------------------------------------------------------

    def visit(self, reference: structs.Reference | None) -> Identifier | None:
        """The identifier of the encounter referred to; None without one."""
        if reference is None:
            return None
        text = reference.reference
        if not text:
            return self.business(reference.identifier) if reference.identifier else None
        known = self._visits.get(text)
        if known is None:
            if text.startswith("#"):
                return None  # a contained encounter has no identity of its own
            known = self.named("Encounter", _unversioned(text), "VN")
            if len(self._visits) < _CACHE_MAX:
                self._visits[text] = known
        return known

    def period(self, reference: structs.Reference | None) -> structs.Period | None:
        """When the encounter referred to was, where that is at hand."""
        return None if reference is None else self._periods.get(_unversioned(reference.reference))

    def device(self, reference: structs.Reference | None) -> str:
        """The device's name: its business identifier where the reference states it, else its id; empty without one."""
        if reference is None:
            return ""
        if reference.identifier is not None and reference.identifier.value:
            return _checked(reference.identifier.value, "a device's identifier")
        text = _unversioned(reference.reference)
        if not text or text.startswith("#") or type_of(text) not in ("", "Device"):
            return ""
        return _checked(text.rpartition("/")[2].removeprefix("urn:uuid:"), "a device's id")

    def medicine(self, reference: structs.Reference | None) -> structs.CodeableConcept | None:
        """What the Medication referred to is; None where the bundle does not hold it."""
        if reference is None:
            return None
        known = self._medications.get(_unversioned(reference.reference))
        if known is None and reference.display:
            return structs.CodeableConcept(text=reference.display)
        return known

    def place(self, reference: structs.Reference | None) -> Location:
        """The place referred to, with what it is part of; a place the bundle does not hold is taken for a ward."""
        parts: dict[str, str] = {}
        step = reference
        for _ in range(_PLACES_MAX):
            if step is None:
                break
            known = self._locations.get(_unversioned(step.reference))
            name = (known.name if known else "") or step.display or step.reference.rpartition("/")[2]
            kind = next((c.code for c in known.physical_type.coding), "") if known and known.physical_type else ""
            if name and name.isprintable():
                parts.setdefault(_PLACE_FIELDS.get(kind, "ward"), name[:256])
            step = known.part_of if known else None
        return Location(**parts)

    def named(self, kind: str, reference: str, type_code: str) -> Identifier:
        """The identifier that a literal reference is, whether or not what it means is at hand. Raises Refused."""
        if reference.startswith(("urn:uuid:", "urn:oid:")):
            return Identifier(URI_SYSTEM, _checked(reference.lower(), "a reference"), type_code)
        if reference.startswith(f"{kind}?"):
            return self._conditional(kind, reference, type_code)
        match = _URL.match(reference)
        if match is None or match["type"] != kind:
            detail = f"found reference {reference[:200]!r}, expected {kind}/id, an absolute URL or urn:uuid"
            raise Refused("reference", detail)
        if _UUID.fullmatch(match["id"]):
            return Identifier(URI_SYSTEM, f"urn:uuid:{match['id'].lower()}", type_code)
        system = f"{match['base']}/{kind}" if match["base"] else f"{self._base}{self._separator}{kind}"
        return Identifier(self._context.mapping.authority(system), match["id"], type_code)

    def _conditional(self, kind: str, reference: str, type_code: str) -> Identifier:
        """`Patient?identifier=system|value`, as transactions use it."""
        query = reference.removeprefix(f"{kind}?")
        name, _, value = query.partition("=")
        system, bar, text = unquote(value).partition("|")
        if name != "identifier" or not bar or not system or "&" in query:
            raise Refused(
                "reference", f"found conditional reference {reference[:200]!r}, expected ?identifier=system|value"
            )
        authority = self._context.mapping.authority(_checked(system, "an identifier's system"))
        return Identifier(authority, _checked(text, "an identifier"), type_code)

    @staticmethod
    def _keep(table: dict[str, _T], kind: str, full_url: str, id_: str, item: _T) -> None:
        for key in (full_url, f"{kind}/{id_}" if id_ and not full_url.startswith("#") else ""):
            if key and len(table) < _CACHE_MAX:
                table[key] = item


def medicine(medication: structs.Medication) -> structs.CodeableConcept:
    """What a medicine is: its own code, and where it has just one ingredient that ingredient's codings too."""
    own = medication.code or structs.CodeableConcept()
    if len(medication.ingredient) == 1 and medication.ingredient[0].item_codeable_concept is not None:
        item = medication.ingredient[0].item_codeable_concept
        return structs.CodeableConcept(own.coding + item.coding, own.text or item.text)
    return own


def type_of(reference: str) -> str:
    """The resource type a literal reference names; empty where it does not tell (urn:uuid, contained)."""
    match = _URL.match(reference)
    if match is not None:
        return match["type"]
    kind, question, _ = reference.partition("?")
    return kind if question and kind.isalpha() else ""


def own_references(kind: str, id_: str, full_url: str) -> tuple[str, ...]:
    """What a resource is referred to by beyond its own bundle; a `urn:` URL overrules an id that is no UUID."""
    if full_url.startswith("#"):
        return ()
    if not id_ or (full_url.startswith("urn:") and not is_uuid(id_)):
        return (full_url,) if full_url else ()
    return (full_url, f"{kind}/{id_}") if full_url else (f"{kind}/{id_}",)


def is_uuid(text: str) -> bool:
    """Whether an id is universal by itself."""
    return _UUID.fullmatch(text) is not None


def base_of(full_url: str) -> str:
    """The server's base of an absolute URL, else empty."""
    match = _URL.match(full_url)
    return (match["base"] or "") if match else ""


def _unversioned(reference: str) -> str:
    return reference.partition("/_history/")[0]


def _checked(text: str, what: str) -> str:
    try:
        return check_identifier(text, what)
    except LimitError as error:
        raise Refused("identifier", str(error)) from error
