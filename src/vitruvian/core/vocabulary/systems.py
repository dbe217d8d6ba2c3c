"""Code systems: their canonical FHIR URIs, the other names they go by in records, and LOINC's check digit."""

from __future__ import annotations

from typing import Final

LOINC: Final = "http://loinc.org"
RXNORM: Final = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC: Final = "http://www.whocc.no/atc"
SNOMED: Final = "http://snomed.info/sct"
MDC: Final = "urn:iso:std:iso:11073:10101"

# Key in the tables -> canonical URI.
TABLE_KEYS: Final = {"loinc": LOINC, "mdc": MDC, "rxnorm": RXNORM, "atc": ATC, "snomed": SNOMED}

# HL7 table 0396, OIDs (bare and as urn:oid:), and names seen in files; compared in lower case.
_ALIASES: Final = {
    LOINC: ("ln", "loinc", "lnc", "2.16.840.1.113883.6.1", "https://loinc.org", "http://loinc.org/"),
    RXNORM: ("rxnorm", "rxn", "rxcui", "2.16.840.1.113883.6.88"),
    ATC: ("atc", "wc", "2.16.840.1.113883.6.73", "http://www.whocc.no/atcddd"),
    SNOMED: ("sct", "snomed", "snomedct", "snomed-ct", "snomed ct", "snm3", "2.16.840.1.113883.6.96"),
    MDC: (
        "mdc",
        "iso11073",
        "ieee11073",
        "iso/ieee 11073",
        "2.16.840.1.113883.6.24",
        "urn:oid:1.2.840.10004.1.1.1.0.0.1",
    ),
}
_CANONICAL: Final[dict[str, str]] = {uri.lower(): uri for uri in _ALIASES} | {
    prefix + alias: uri
    for uri, aliases in _ALIASES.items()
    for alias in aliases
    for prefix in (("", "urn:oid:") if alias[0].isdigit() else ("",))
}


def canonical_system(system: str) -> str:
    """The FHIR URI of a code system under any of its names; an unknown system is returned as it came."""
    return _CANONICAL.get(system.strip().lower(), system)


def loinc_check_digit(stem: str) -> int:
    """The check digit of a LOINC number's stem, the digits before its hyphen.

    Modulus 10, as the LOINC Users' Guide, Appendix C, defines it.
    """
    total = 0
    for place, character in enumerate(reversed(stem)):
        digit = int(character)
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10


def is_loinc(code: str) -> bool:
    """Whether the text has the form of a LOINC number, with the right check digit."""
    stem, hyphen, check = code.partition("-")
    return (
        bool(hyphen)
        and stem.isdecimal()
        and stem.isascii()
        and len(stem) <= 7
        and check == str(loinc_check_digit(stem))
    )
