"""Units and codes against what others published: UCUM's own figures, LOINC's check digits, and the reference data."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import require_data
from vitruvian.core.units import convert
from vitruvian.core.vocabulary import LOINC, RXNORM, VOCABULARY, is_loinc, loinc_check_digit


@pytest.mark.parametrize(
    ("value", "stated", "target", "expected"),
    [
        # NIST SP 811 (2008), appendix B.8
        (1.0, "mm[Hg]", "Pa", 133.3224),
        (1.0, "cm[H2O]", "Pa", 98.0665),
        (1.0, "[lb_av]", "g", 453.59237),
        (1.0, "[in_i]", "cm", 2.54),
        (1.0, "cal", "J", 4.184),
        (1.0, "atm", "kPa", 101.325),
        (212.0, "[degF]", "Cel", 100.0),
        (32.0, "[degF]", "K", 273.15),
    ],
)
def test_published_factors(value: float, stated: str, target: str, expected: float) -> None:
    assert convert(value, stated, target) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("concept", "si_unit", "factor"),
    [
        # Conventional-to-SI factors: Young and Huth, SI Units for Clinical Measurement (1998), as JAMA prints them.
        ("glucose", "mmol/L", 0.0555),
        ("creatinine", "umol/L", 88.4),
        ("bilirubin_total", "umol/L", 17.104),
        ("urea_nitrogen", "mmol/L", 0.357),
        ("calcium", "mmol/L", 0.25),
        ("magnesium", "mmol/L", 0.4114),
        ("phosphate", "mmol/L", 0.323),
        ("cholesterol_total", "mmol/L", 0.0259),
        ("triglycerides", "mmol/L", 0.0113),
        ("uric_acid", "umol/L", 59.48),
        ("iron", "umol/L", 0.179),
        ("cortisol", "nmol/L", 27.588),
        ("thyroxine_free", "pmol/L", 12.871),
        ("hemoglobin", "mmol/L", 0.6206),
        ("vitamin_d", "nmol/L", 2.496),
        ("vitamin_b12", "pmol/L", 0.7378),
        ("digoxin_level", "nmol/L", 1.281),
        ("theophylline_level", "umol/L", 5.55),
    ],
)
def test_molar_masses_against_published_si_factors(concept: str, si_unit: str, factor: float) -> None:
    row = VOCABULARY[concept]
    assert row.normalize(factor, si_unit) == pytest.approx(1.0, rel=5e-3)


def test_loinc_numbers_carry_their_check_digit() -> None:
    codes = [code.code for concept in VOCABULARY for code in concept.codes if code.system == LOINC]
    assert len(codes) > 200
    assert [code for code in codes if not is_loinc(code)] == []
    for code in ("8867-4", "2160-0", "59408-5", "98979-8"):
        assert str(loinc_check_digit(code[:-2])) == code[-1]
        wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
        assert not is_loinc(wrong)


# Words that tell two rows of one analyte apart: where a display has one, ours must have it too.
DECISIVE = {"hdl", "ldl", "direct", "indirect", "ionized", "systolic", "diastolic", "mean"}
DECISIVE_SPECIMENS = {"urine", "arterial", "venous"}
# Rows whose meaning does not hang on the vessel the blood came from.
ANY_VESSEL = {"base_excess", "bicarbonate", "lactate"}
# Words that many rows share, and that therefore tell none from another.
TOO_COMMON = {
    "blood",
    "of",
    "in",
    "by",
    "total",
    "and",
    "rate",
    "aminotransferase",
    "pressure",
    "partial",
    "body",
    "free",
}


def _walk(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from _walk(child)
    elif isinstance(node, list):
        for child in node:
            yield from _walk(child)


def _words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"[a-z0-9]+", text.lower())}


def _agrees(concept_name: str, display: str) -> bool:
    """Whether the display's analyte and our row speak of one thing: they share a telling word."""
    concept = VOCABULARY[concept_name]
    ours = _words(" ".join((concept.name, concept.display, concept.short, *concept.aliases)))
    analyte = _words(re.split(r"[\[/]", display)[0])
    specimens = DECISIVE_SPECIMENS - ({"arterial", "venous"} if concept_name in ANY_VESSEL else set())
    decisive = (analyte & DECISIVE) | (_words(display) & specimens)
    return bool(analyte & (ours - TOO_COMMON)) and decisive <= ours


@pytest.mark.data
def test_codes_of_synthea_agree_with_our_displays_and_units() -> None:
    folder = require_data("fhir/synthea")
    seen: dict[str, tuple[str, str]] = {}
    for path in sorted(folder.glob("*.json")):
        for node in _walk(json.loads(path.read_text(encoding="utf-8"))):
            quantity = node.get("valueQuantity")
            for coding in node.get("code", {}).get("coding", []) if isinstance(quantity, dict) else []:
                if coding.get("system") == LOINC:
                    seen[coding["code"]] = (
                        coding.get("display", ""),
                        quantity.get("code") or quantity.get("unit") or "",
                    )
    mapped = {code: found for code in seen if (found := VOCABULARY.by_code(LOINC, code)) is not None}
    assert len(mapped) >= 40
    strangers = {
        (code, concept.name, seen[code][0])
        for code, concept in mapped.items()
        if not _agrees(concept.name, seen[code][0])
    }
    assert strangers == set()
    for code, concept in mapped.items():
        factor, _ = concept.conversion(seen[code][1])  # raises where Synthea's unit does not fit ours
        assert factor > 0
    unmapped = {code for code in seen if code not in mapped}
    allergens = {code for code in unmapped if "IgE" in seen[code][0]}
    assert unmapped - allergens <= {"33756-8", "57905-2", "69453-9", "19926-5"}, (
        "Synthea states something common that we lack"
    )


@pytest.mark.data
def test_codes_of_the_mimic_mapping_agree_with_our_displays_and_units() -> None:
    path = require_data("terminology/mimic_d_labitems_to_loinc.csv")
    strangers, misfits, mapped = [], [], 0
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            concept = VOCABULARY.by_code(LOINC, row["omop_concept_code"])
            if concept is None:
                continue
            mapped += 1
            if not _agrees(concept.name, row["omop_concept_name"]):
                strangers.append((concept.name, row["omop_concept_name"]))
            unit = row["valueuom"].split("|")[0]
            if unit and int(row["labevents_row_count"] or 0) > 5_000:
                try:
                    concept.conversion(unit)
                except Exception as error:  # collected, and shown together below
                    misfits.append((concept.name, unit, str(error)))
    assert mapped > 100
    assert strangers == []
    assert misfits == []


@pytest.mark.data
def test_drugs_agree_with_the_pharmacogenomic_table() -> None:
    path = require_data("pharmacogenomics/cpic-table.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        published = {row["RxNorm"]: row["Drug"] for row in csv.DictReader(lines) if row["RxNorm"]}
    checked = 0
    for concept in VOCABULARY:
        for code in concept.codes:
            if code.system == RXNORM and code.code in published:
                checked += 1
                assert VOCABULARY.by_alias(published[code.code]) is concept, (concept.name, published[code.code])
    assert checked >= 15


@pytest.mark.data
def test_columns_of_the_challenges_and_of_eicu_have_concepts() -> None:
    polars = pytest.importorskip("polars")
    aside = {"patient", "Age", "Gender", "Unit1", "Unit2", "HospAdmTime", "ICULOS", "SepsisLabel"}
    columns = set(polars.read_parquet_schema(require_data("physionet2019/training_setA.parquet"))) - aside
    eicu = polars.read_parquet_schema(require_data("icu_demo/sepsis/eicu_demo/dyn.parquet"))
    # A partial pressure without its site is ambiguous; the reader of that source knows it, the vocabulary does not.
    columns |= set(eicu) - {"stay_id", "time", "pco2", "po2"}
    long = polars.read_parquet(require_data("physionet2012/set-a.parquet"))["parameter"].unique().to_list()
    columns |= set(long) - {"RecordID", "Age", "Gender", "ICUType"}
    assert {column for column in columns if VOCABULARY.by_alias(column) is None} == set()
