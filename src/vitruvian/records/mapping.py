"""The site code map: what local codes, identifier systems, facilities and devices mean, read from `mapping.toml`.

    [codes."http://lab.example/codes"]            # a code system under any of its names
    "GLU" = "glucose"                             # local code -> concept
    "LAC" = { concept = "lactate", unit = "mg/dL" }   # with the unit to take where the source states none

    [systems]                                     # other names of a code system
    "http://lab.example/codes" = ["LABX", "http://old.lab.example/codes"]

    [authorities]                                 # identifier systems that are one assigning authority
    "urn:oid:2.16.840.1.113883.19.5" = ["M11", "http://hospital.example/mrn"]

    [facilities."GHH"]
    zone = "Europe/Paris"                         # of times without an offset
    charset = "latin-1"                           # of text that does not declare its own
    aliases = ["GOOD HEALTH HOSPITAL"]
    codes = { "HR" = "heart_rate" }               # local codes of this facility, whatever system they claim

    [beds]                                        # devices that stand at a bed
    "monitor-7" = { ward = "ICU", room = "2", bed = "A" }

Everything is checked at load: an unknown concept, a unit that does not convert, a zone or character set that does not
exist is a ConfigurationError that names the place.
"""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Callable
from collections.abc import Mapping as Table
from dataclasses import dataclass, field, fields
from datetime import tzinfo
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

from vitruvian.core.errors import ConfigurationError, UnitError
from vitruvian.core.identifiers import Location
from vitruvian.core.time import zone_named
from vitruvian.core.vocabulary import VOCABULARY, Concept, canonical_system

__all__ = ["Facility", "LocalCode", "Mapping", "default_mapping", "load_mapping", "parse_mapping"]

FILE_BYTES_MAX: Final = 4 << 20
_SECTIONS: Final = {"codes", "systems", "authorities", "facilities", "beds"}
_FACILITY_KEYS: Final = {"zone", "charset", "aliases", "codes"}


class LocalCode(NamedTuple):
    """The concept a local code means, and the unit to take where the source states none (empty: refuse then)."""

    concept: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Facility:
    """A sending facility's own conventions; None where it has none."""

    zone: tzinfo | None = None
    charset: str | None = None


@dataclass(frozen=True, slots=True)
class Mapping:
    """A checked site code map. Keys are folded: ask through the methods."""

    codes: Table[tuple[str, str], LocalCode] = field(default_factory=dict)
    facility_codes: Table[tuple[str, str], LocalCode] = field(default_factory=dict)
    systems: Table[str, str] = field(default_factory=dict)
    authorities: Table[str, str] = field(default_factory=dict)
    facilities: Table[str, Facility] = field(default_factory=dict)
    facility_names: Table[str, str] = field(default_factory=dict)
    beds: Table[str, Location] = field(default_factory=dict)

    def __hash__(self) -> int:
        return id(self)

    def code(self, system: str, code: str, facility: str = "") -> LocalCode | None:
        """What a local code means: at its facility, else in its code system; None where it is not mapped."""
        code = code.strip()
        if facility:
            found = self.facility_codes.get((self.facility_name(facility), code))
            if found is not None:
                return found
        key = _system_key(system)
        found = self.codes.get((key, code))
        return found if found is not None or key not in self.systems else self.codes.get((self.systems[key], code))

    def concept(self, system: str, code: str, facility: str = "") -> LocalCode | None:
        """What any code means: by this map, else by the vocabulary."""
        local = self.code(system, code, facility)
        if local is not None:
            return local
        found = VOCABULARY.by_code(system, code)
        return None if found is None else LocalCode(found.name)

    def authority(self, system: str) -> str:
        """The one name of an identifier system; a bare OID is `urn:oid:`, an unknown system is returned as it came."""
        stated = _oid(system.strip())
        return self.authorities.get(stated.casefold(), stated)

    def facility_name(self, name: str) -> str:
        """The folded key of a facility under any of its names."""
        folded = name.strip().casefold()
        return self.facility_names.get(folded, folded)

    def zone(self, facility: str, default: tzinfo) -> tzinfo:
        """The zone of a facility's times without an offset."""
        found = self.facilities.get(self.facility_name(facility))
        return default if found is None or found.zone is None else found.zone

    def charset(self, facility: str, default: str) -> str:
        """The Python codec of a facility's undeclared text."""
        found = self.facilities.get(self.facility_name(facility))
        return default if found is None or found.charset is None else found.charset

    def bed(self, device: str) -> Location | None:
        """Where a device stands, or None."""
        return self.beds.get(device)

    def merged(self, other: Mapping) -> Mapping:
        """Both maps in one; where they disagree, `other` holds."""
        return Mapping(
            **{item.name: {**getattr(self, item.name), **getattr(other, item.name)} for item in fields(self)}
        )


def load_mapping(path: Path | str, *, defaults: bool = True) -> Mapping:
    """Read a `mapping.toml`, over the mappings that ship with Vitruvian unless `defaults` is false.

    Raises ConfigurationError where the file cannot be read or anything in it is wrong.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"found no readable mapping at {path} ({error.strerror}); give the path of a mapping.toml"
        ) from error
    if len(data) > FILE_BYTES_MAX:
        raise ConfigurationError(f"found {path} of {len(data)} bytes, expected at most {FILE_BYTES_MAX}; split it")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"found {path} not in UTF-8 ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from error
    site = parse_mapping(text, str(path))
    return default_mapping().merged(site) if defaults else site


@lru_cache(maxsize=1)
def default_mapping() -> Mapping:
    """The mappings that ship: public data sets and samples whose codes have one certain meaning."""
    whole = Mapping()
    folder = resources.files("vitruvian.records") / "mappings"
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.name.endswith(".toml"):
            whole = whole.merged(parse_mapping(item.read_text("utf-8"), item.name))
    return whole


def parse_mapping(text: str, where: str = "mapping.toml") -> Mapping:
    """Read and check a mapping's text; `where` names it in errors. Raises ConfigurationError."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{where}: found {error}, expected TOML") from error
    _check_keys(document, _SECTIONS, where)
    codes: dict[tuple[str, str], LocalCode] = {}
    for system, table in _table(document.get("codes", {}), f"{where}: codes").items():
        codes.update(_codes(_system_key(system), table, f"{where}: codes.{system!r}"))
    facilities, names, facility_codes = _facilities(
        _table(document.get("facilities", {}), f"{where}: facilities"), where
    )
    return Mapping(
        codes=codes,
        facility_codes=facility_codes,
        systems=_aliases(document, "systems", _system_key, where),
        authorities=_authorities(document, where),
        facilities=facilities,
        facility_names=names,
        beds=_beds(_table(document.get("beds", {}), f"{where}: beds"), where),
    )


# --- sections ----------------------------------------------------------------


def _codes(owner: str, table: object, where: str) -> dict[tuple[str, str], LocalCode]:
    return {(owner, code.strip()): _local(value, f"{where}.{code!r}") for code, value in _table(table, where).items()}


def _local(value: object, where: str) -> LocalCode:
    """One local code, either a concept's name or a table of concept and unit."""
    if isinstance(value, str):
        return LocalCode(_concept(value, where).name)
    table = _table(value, where)
    _check_keys(table, {"concept", "unit"}, where)
    concept = _concept(table.get("concept"), where)
    unit = _string(table.get("unit", ""), f"{where}.unit")
    if unit:
        _check_unit(concept, unit, where)
    return LocalCode(concept.name, unit)


def _concept(name: object, where: str) -> Concept:
    found = VOCABULARY.get(name) if isinstance(name, str) else None
    if found is None:
        raise ConfigurationError(
            f"{where}: found concept {name!r}, expected a name of the vocabulary; correct it, or add a row there"
        )
    return found


def _check_unit(concept: Concept, unit: str, where: str) -> None:
    """The unit must convert, as a value, or for an intervention as a dose or a rate (a weight may be needed later)."""
    try:
        if concept.administration is None:
            concept.conversion(unit)
        elif not concept.administration.rate_unit or "/" not in unit:
            concept.normalize_dose(1.0, unit, weight_kg=1.0)
        else:
            concept.normalize_rate(1.0, unit, weight_kg=1.0)
    except UnitError as error:
        raise ConfigurationError(f"{where}: {error}") from error


def _authorities(document: dict[str, Any], where: str) -> dict[str, str]:
    """Folded name -> the name to use; the canonical name leads to itself, whatever its case."""
    names = _aliases(document, "authorities", lambda text: _oid(text.strip()).casefold(), where)
    spelled = {_oid(name.strip()).casefold(): _oid(name.strip()) for name in document.get("authorities", {})}
    return {alias: spelled[name] for alias, name in names.items()}


def _aliases(document: dict[str, Any], section: str, fold: Callable[[str], str], where: str) -> dict[str, str]:
    """Folded alias -> folded canonical name; one alias of two names is refused."""
    found: dict[str, str] = {}
    for name, aliases in _table(document.get(section, {}), f"{where}: {section}").items():
        canonical = fold(name)
        for alias in (name, *_strings(aliases, f"{where}: {section}.{name!r}")):
            other = found.setdefault(fold(alias), canonical)
            if other != canonical:
                raise ConfigurationError(
                    f"{where}: {section}: found {alias!r} under {other!r} and {canonical!r}, expected one; remove one"
                )
    return found


def _facilities(
    table: Table[str, Any], where: str
) -> tuple[dict[str, Facility], dict[str, str], dict[tuple[str, str], LocalCode]]:
    facilities: dict[str, Facility] = {}
    names: dict[str, str] = {}
    codes: dict[tuple[str, str], LocalCode] = {}
    for name, value in table.items():
        place = f"{where}: facilities.{name!r}"
        row = _table(value, place)
        _check_keys(row, _FACILITY_KEYS, place)
        key = name.strip().casefold()
        for alias in _strings(row.get("aliases", []), f"{place}.aliases"):
            if names.setdefault(alias.strip().casefold(), key) != key:
                raise ConfigurationError(f"{place}: found alias {alias!r} of another facility; keep it with one")
        facilities[key] = Facility(_zone(row.get("zone"), place), _charset(row.get("charset"), place))
        codes.update(_codes(key, row.get("codes", {}), f"{place}.codes"))
    return facilities, names, codes


def _zone(name: object, where: str) -> tzinfo | None:
    if name is None:
        return None
    try:
        return zone_named(_string(name, f"{where}.zone"))
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from error


def _charset(name: object, where: str) -> str | None:
    if name is None:
        return None
    try:
        return codecs.lookup(_string(name, f"{where}.charset")).name
    except LookupError as error:
        raise ConfigurationError(
            f"{where}: found charset {name!r}, expected a codec such as utf-8, latin-1 or shift_jis"
        ) from error


def _beds(table: Table[str, Any], where: str) -> dict[str, Location]:
    beds = {}
    for device, value in table.items():
        place = f"{where}: beds.{device!r}"
        row = _table(value, place)
        _check_keys(row, set(Location.__struct_fields__), place)
        beds[device] = Location(**{key: _string(part, f"{place}.{key}") for key, part in row.items()})
    return beds


# --- small checks ------------------------------------------------------------


def _system_key(system: str) -> str:
    return canonical_system(system).strip().casefold()


def _oid(system: str) -> str:
    """A bare OID gets its URI scheme."""
    if system[:1] in ("0", "1", "2") and "." in system and system.replace(".", "").isdecimal():
        return f"urn:oid:{system}"
    return system


def _check_keys(table: Table[str, Any], allowed: set[str], where: str) -> None:
    unknown = sorted(set(table) - allowed)
    if unknown:
        raise ConfigurationError(
            f"{where}: found {unknown[0]!r}, expected one of {', '.join(sorted(allowed))}; correct the name"
        )


def _table(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ConfigurationError(
            f"{where}: found {type(value).__name__}, expected a table; see the example in the documentation"
        )
    return value


def _string(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"{where}: found {type(value).__name__}, expected text in quotes")
    return value


def _strings(value: object, where: str) -> list[str]:
    if not isinstance(value, list):
        raise ConfigurationError(f"{where}: found {type(value).__name__}, expected a list of texts")
    return [_string(item, where) for item in value]
