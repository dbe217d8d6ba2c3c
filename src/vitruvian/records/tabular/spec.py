"""What the columns of a table mean: read from `columns.toml`, or from headers that name concept and unit.

    [table]
    patient = "mrn"                    # the column that names the patient
    authority = "urn:hospital:mrn"     # of those names; empty: the source's own
    encounter = "visit"                # optional column
    time = "charted"                   # when it was measured
    format = "%d/%m/%Y %H:%M"          # strftime; or epoch-s, epoch-ms; or s, min, h, d after `origin`. Empty: ISO 8601
    origin = "2000-01-01T00:00:00Z"
    zone = "Europe/Paris"              # of times without an offset
    available = "reported"             # optional column: when the source issued it
    id = "row"                         # optional column that names the row; else its content does

    [values]                           # wide: a column a concept
    "HR" = "heart_rate"                # in the concept's own unit
    "Temp" = { concept = "body_temperature", unit = "[degF]" }

    [long]                             # or long: a row a value
    code = "parameter"
    value = "value"
    unit = "unit"                      # optional column

    [codes]                            # what the codes of a long table mean; else the site's map and the vocabulary
    "K" = { concept = "potassium", unit = "mmol/L" }

Everything is checked at load: ConfigurationError names the place.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from vitruvian.core.errors import ConfigurationError, TimestampError, UnitError
from vitruvian.core.time import parse_iso, zone_named
from vitruvian.core.vocabulary import VOCABULARY, Concept
from vitruvian.records.mapping import LocalCode

FILE_BYTES_MAX: Final = 4 << 20
UNITS_US: Final = {"s": 1_000_000, "min": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
EPOCHS_US: Final = {"epoch-s": 1_000_000, "epoch-ms": 1_000, "epoch-us": 1}
_TABLE_KEYS: Final = ("patient", "authority", "encounter", "time", "format", "origin", "zone", "available", "id")
_LONG_KEYS: Final = ("code", "value", "unit")
# Headers that need no description.
_PATIENTS: Final = ("patient", "patient_id", "patientid", "subject", "subject_id", "mrn")
_TIMES: Final = ("time", "timestamp", "datetime", "date_time", "charttime", "measured_at", "observed_at")
_HEADER: Final = re.compile(r"^\s*(.+?)\s*\[(.*)\]\s*$")


@dataclass(frozen=True, slots=True)
class Columns:
    """A checked description. `values` is empty in a long table, `code` and `value` in a wide one."""

    patient: str
    time: str
    authority: str = ""
    encounter: str = ""
    available: str = ""
    id: str = ""
    format: str = ""
    origin_us: int = 0
    zone: tzinfo | None = None
    values: Table[str, LocalCode] = field(default_factory=dict)
    code: str = ""
    value: str = ""
    unit: str = ""
    codes: Table[str, LocalCode] = field(default_factory=dict)

    @property
    def needed(self) -> set[str]:
        """The columns that a table must have; of a wide one's values it must have one."""
        return {name for name in (self.patient, self.time, self.code, self.value) if name}

    def fits(self, names: Table[str, object] | set[str] | tuple[str, ...]) -> bool:
        """Whether a table of these columns is meant."""
        have = set(names)
        return self.needed <= have and (bool(self.code) or bool(have & set(self.values)))


def load_columns(path: Path | str) -> Columns:
    """Read a `columns.toml`. Raises ConfigurationError where it cannot be read or anything in it is wrong."""
    path = Path(path)
    try:
        data = path.read_bytes()
        text = data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"found no readable description of columns at {path}; give the path of a columns.toml in UTF-8"
        ) from error
    if len(data) > FILE_BYTES_MAX:
        raise ConfigurationError(f"found {path} of {len(data)} bytes, expected at most {FILE_BYTES_MAX}")
    return parse_columns(text, str(path))


def parse_columns(text: str, where: str = "columns.toml") -> Columns:
    """Read and check a description's text. Raises ConfigurationError."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{where}: found {error}, expected TOML") from error
    _known(document, ("table", "values", "long", "codes"), where)
    table = {key: _text(value, f"{where}: table.{key}") for key, value in _section(document, "table", where).items()}
    _known(table, _TABLE_KEYS, f"{where}: table")
    long = {key: _text(value, f"{where}: long.{key}") for key, value in _section(document, "long", where).items()}
    _known(long, _LONG_KEYS, f"{where}: long")
    for key in ("patient", "time"):
        if not table.get(key):
            raise ConfigurationError(f"{where}: found no table.{key}, expected the name of a column; add it")
    values = _codes(document, "values", where)
    if bool(values) == bool(long):
        raise ConfigurationError(
            f"{where}: found {'both' if values else 'neither'} [values] and [long], expected one of them: [values]"
            " where a column is a concept, [long] where a row is a value"
        )
    if long and not (long.get("code") and long.get("value")):
        raise ConfigurationError(f"{where}: found [long] without code and value, expected the names of both columns")
    return Columns(
        patient=table["patient"],
        time=table["time"],
        authority=table.get("authority", ""),
        encounter=table.get("encounter", ""),
        available=table.get("available", ""),
        id=table.get("id", ""),
        format=table.get("format", ""),
        origin_us=_origin(table, where),
        zone=_zone(table.get("zone"), where),
        values=values,
        code=long.get("code", ""),
        value=long.get("value", ""),
        unit=long.get("unit", ""),
        codes=_codes(document, "codes", where),
    )


def described_by_header(names: tuple[str, ...]) -> Columns | None:
    """The description that headers give by themselves: a patient, a time, and values such as `heart_rate [/min]`.

    A name alone is not enough: without its unit a number means nothing certain.
    """
    lower = {name.strip().casefold(): name for name in names}
    patient = next((lower[name] for name in _PATIENTS if name in lower), None)
    time = next((lower[name] for name in _TIMES if name in lower), None)
    if patient is None or time is None:
        return None
    values: dict[str, LocalCode] = {}
    for name in names:
        match = _HEADER.match(name)
        concept = VOCABULARY.by_alias(match[1]) if match else None
        if match is None or concept is None or concept.administration is not None:
            continue
        try:
            concept.conversion(match[2])
        except UnitError:
            continue
        values[name] = LocalCode(concept.name, match[2])
    return Columns(patient, time, values=values) if values else None


def _codes(document: dict[str, Any], name: str, where: str) -> dict[str, LocalCode]:
    found = {}
    for code, value in _section(document, name, where).items():
        place = f"{where}: {name}.{code!r}"
        row = {"concept": value} if isinstance(value, str) else value
        if not isinstance(row, dict):
            raise ConfigurationError(f"{place}: found {type(value).__name__}, expected a concept, or concept and unit")
        _known(row, ("concept", "unit"), place)
        concept = _concept(row.get("concept"), place)
        unit = _text(row.get("unit", ""), f"{place}.unit")
        if unit:
            try:
                concept.conversion(unit)
            except UnitError as error:
                raise ConfigurationError(f"{place}: {error}") from error
        found[code] = LocalCode(concept.name, unit)
    return found


def _concept(name: object, where: str) -> Concept:
    found = VOCABULARY.get(name) if isinstance(name, str) else None
    if found is None:
        raise ConfigurationError(f"{where}: found concept {name!r}, expected a name of the vocabulary; see its page")
    if found.administration is not None:
        raise ConfigurationError(f"{where}: found the intervention {name!r}, expected something that is measured")
    return found


def _origin(table: dict[str, str], where: str) -> int:
    form = table.get("format", "")
    if form in UNITS_US and "origin" not in table:
        raise ConfigurationError(
            f"{where}: found table.format {form!r} without table.origin, expected the time it counts from"
        )
    try:
        return parse_iso(table["origin"]).us if "origin" in table else 0
    except TimestampError as error:
        raise ConfigurationError(f"{where}: table.origin: {error}") from error


def _zone(name: str | None, where: str) -> tzinfo | None:
    if name is None:
        return None
    try:
        return zone_named(name)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: table.zone: {error}") from error


def _section(document: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, dict):
        raise ConfigurationError(f"{where}: found {name} of type {type(value).__name__}, expected a table [{name}]")
    return value


def _known(table: Table[str, Any], allowed: tuple[str, ...], where: str) -> None:
    unknown = sorted(set(table) - set(allowed))
    if unknown:
        raise ConfigurationError(f"{where}: found {unknown[0]!r}, expected one of {', '.join(allowed)}; correct it")


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"{where}: found {type(value).__name__}, expected text in quotes")
    return value
