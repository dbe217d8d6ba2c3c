"""The site code map: what it says, and that nothing wrong in it passes."""

from __future__ import annotations

from datetime import UTC, timedelta
from pathlib import Path

import pytest

from vitruvian.core.errors import ConfigurationError
from vitruvian.core.identifiers import Location
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.records.mapping import LocalCode, default_mapping, load_mapping, parse_mapping

SITE = """
[codes."http://lab.example/codes"]
"GLU" = "glucose"
"LAC" = { concept = "lactate", unit = "mg/dL" }
"NOR" = { concept = "norepinephrine", unit = "mcg/kg/min" }
[codes.LN]
"0000-0" = "heart_rate"
[systems]
"http://lab.example/codes" = ["LABX"]
[authorities]
"urn:oid:2.16.840.1.113883.19.5" = ["M11", "http://hospital.example/mrn"]
[facilities.GHH]
zone = "+02:00"
charset = "latin-1"
aliases = ["Good Health Hospital"]
codes = { "HR" = "heart_rate", "GLU" = "lactate" }
[beds]
"monitor-7" = { ward = "ICU", room = "2", bed = "A" }
"""


def test_codes_by_system_under_any_name_and_by_facility_first() -> None:
    site = parse_mapping(SITE)
    assert site.code("http://lab.example/codes", "GLU") == LocalCode("glucose")
    assert site.code("labx", " LAC ") == LocalCode("lactate", "mg/dL")
    assert site.code("LABX", "GLU", facility="good health hospital") == LocalCode("lactate")
    assert site.code("L", "HR", facility="GHH") == LocalCode("heart_rate")
    assert site.code("L", "HR") is None
    assert site.code("http://loinc.org", "0000-0") == LocalCode("heart_rate"), "LN is LOINC's name in HL7 v2"
    assert site.concept("http://loinc.org", "2345-7") == LocalCode("glucose")
    assert site.concept("http://loinc.org", "99999-9") is None


def test_authorities_zones_charsets_beds() -> None:
    site = parse_mapping(SITE)
    for name in ("2.16.840.1.113883.19.5", "urn:oid:2.16.840.1.113883.19.5", "m11", "http://hospital.example/mrn"):
        assert site.authority(name) == "urn:oid:2.16.840.1.113883.19.5"
    assert site.authority("1.2.3") == "urn:oid:1.2.3"
    assert site.authority("OTHER") == "OTHER"
    assert site.zone("ghh", UTC).utcoffset(None) == timedelta(hours=2)
    assert site.zone("elsewhere", UTC) is UTC
    assert site.charset("GHH", "utf-8") == "iso8859-1"
    assert site.charset("elsewhere", "utf-8") == "utf-8"
    assert site.bed("monitor-7") == Location("", "ICU", "2", "A")
    assert site.bed("monitor-8") is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("[codes", "TOML"),
        ("[unknown]", "'unknown'"),
        ("codes = 5", "codes"),
        ('[codes.L]\nX = "heartrate"', "'heartrate'"),
        ("[codes.L]\nX = 5", "'X'"),
        ('[codes.L]\nX = { concept = "glucose", unit = "kg" }', "kg"),
        ('[codes.L]\nX = { concept = "glucose", units = "mg/dL" }', "'units'"),
        ('[codes.L]\nX = { unit = "mg/dL" }', "None"),
        ('[codes.L]\nX = { concept = "norepinephrine", unit = "mmol/L" }', "mmol/L"),
        ('[authorities]\na = "b"', "list"),
        ('[authorities]\na = ["x"]\nb = ["X"]', "'X'"),
        ('[systems]\na = ["x"]\nb = ["x"]', "'x'"),
        ('[facilities.A]\nzone = "Mars/Olympus"', "Mars/Olympus"),
        ('[facilities.A]\ncharset = "utf-99"', "utf-99"),
        ('[facilities.A]\naliases = ["c"]\n[facilities.B]\naliases = ["C"]', "'C'"),
        ('[facilities.A]\nzone = 5', "zone"),
        ('[beds]\nm = { floor = "2" }', "'floor'"),
        ('[beds]\nm = { ward = 2 }', "ward"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_is_named_with_its_place(text, names) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_mapping(text, "site.toml")
    assert "site.toml" in str(caught.value)
    assert names in str(caught.value)


def test_a_file_is_laid_over_what_ships(tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(SITE, "utf-8")
    site = load_mapping(path)
    assert site.code("LABX", "GLU") == LocalCode("glucose")
    assert len(site.codes) > len(default_mapping().codes)
    assert len(load_mapping(path, defaults=False).codes) == 4
    with pytest.raises(ConfigurationError, match=r"absent\.toml"):
        load_mapping(tmp_path / "absent.toml")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_mapping(path)


def test_what_ships_is_consistent() -> None:
    shipped = default_mapping()
    assert {local.concept for local in shipped.codes.values()} <= {concept.name for concept in VOCABULARY}
    assert shipped.code("http://mimic.mit.edu/fhir/mimic/CodeSystem/mimic-d-labitems", "50912") == LocalCode(
        "creatinine"
    )
    assert shipped.code("http://fhir.mimic.mit.edu/CodeSystem/d-labitems", "50912") == LocalCode("creatinine")
