"""The vocabulary: lookups, conversions by what is measured, ranges, and tables that are refused."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from tests.support import REPOSITORY, limit_s
from vitruvian.core.errors import UnitError, VocabularyError
from vitruvian.core.vocabulary import LOINC, VOCABULARY, load, loinc_check_digit, read
from vitruvian.core.vocabulary.document import markdown

# Names that readers, scores and models rely on; removing one breaks them.
NEEDED = """
heart_rate respiratory_rate oxygen_saturation body_temperature systolic_pressure diastolic_pressure mean_pressure
systolic_pressure_arterial diastolic_pressure_arterial mean_pressure_arterial pulse_rate central_venous_pressure
end_tidal_co2 inspired_oxygen_fraction oxygen_flow oxygen_supplementation consciousness glasgow_coma_score glasgow_eye
glasgow_verbal glasgow_motor urine_output body_weight body_height body_mass_index pain_score base_excess bicarbonate
ph arterial_co2 arterial_oxygen oxygen_saturation_arterial aspartate_aminotransferase alanine_aminotransferase
urea_nitrogen alkaline_phosphatase calcium calcium_ionized chloride creatinine bilirubin_direct bilirubin_total
glucose lactate magnesium phosphate potassium sodium troponin_i troponin_t hematocrit hemoglobin aptt prothrombin_time
inr leukocytes fibrinogen platelets albumin c_reactive_protein procalcitonin cholesterol_total cholesterol_hdl
cholesterol_ldl triglycerides hemoglobin_a1c carbon_dioxide_total erythrocytes mcv mch mchc rdw neutrophils
lymphocytes ddimer bnp nt_probnp egfr anion_gap news2 qsofa sofa_partial shock_index sepsis_risk spo2_scale_2
aki_risk mortality24_risk mortality_risk deterioration_risk cardiac_event_risk
pregnancy norepinephrine epinephrine dopamine dobutamine vasopressin phenylephrine milrinone propofol fentanyl
midazolam morphine crystalloid colloid red_cells vancomycin piperacillin_tazobactam meropenem ceftriaxone gentamicin
insulin furosemide heparin warfarin theophylline caffeine metoprolol esmolol amiodarone paracetamol hydrocortisone
mechanical_ventilation
"""

# Ids as first released. Stored series refer to them: a change here is a loss of everyone's data.
FIRST_IDS = {
    "heart_rate": 0,
    "respiratory_rate": 2,
    "oxygen_saturation": 3,
    "body_temperature": 4,
    "systolic_pressure": 5,
    "oxygen_supplementation": 15,
    "news2": 26,
    "lactate": 78,
}

ROW = """
[a_vital]
id = 0
display = "A vital"
short = "AV"
unit = "/min"
decimals = 0
plausible = [0, 300]
loinc = ["8867-4"]
normal = [[18, 130, 60, 100]]
"""
SECOND = ROW.replace("a_vital", "b_vital").replace("id = 0", "id = 1").replace("A vital", "B vital").replace("AV", "BV")


def test_every_name_that_others_rely_on_is_there() -> None:
    assert [name for name in NEEDED.split() if name not in VOCABULARY] == []
    assert len(VOCABULARY) >= 130


def test_indices_are_dense_and_as_first_released() -> None:
    assert [concept.index for concept in VOCABULARY] == list(range(len(VOCABULARY)))
    for name, index in FIRST_IDS.items():
        assert VOCABULARY[name].index == index
        assert VOCABULARY.by_index(index).name == name


@pytest.mark.parametrize(
    "system", ["LN", "loinc", "LOINC", "http://loinc.org", "2.16.840.1.113883.6.1", "urn:oid:2.16.840.1.113883.6.1"]
)
def test_a_code_is_found_under_any_name_of_its_system(system: str) -> None:
    found = VOCABULARY.by_code(system, "8867-4")
    assert found is not None
    assert found.name == "heart_rate"


def test_codes_of_other_systems() -> None:
    assert VOCABULARY.by_code("MDC", "150456") is VOCABULARY["oxygen_saturation"]
    assert VOCABULARY.by_code("MDC", "MDC_PULS_OXIM_SAT_O2") is VOCABULARY["oxygen_saturation"]
    assert VOCABULARY.by_code("RxNorm", "7512") is VOCABULARY["norepinephrine"]
    assert VOCABULARY.by_code("http://www.whocc.no/atc", "C01CA03") is VOCABULARY["norepinephrine"]
    assert VOCABULARY.by_code("http://loinc.org", "7512") is None
    assert VOCABULARY.by_code("L", "8867-4") is None


def test_the_specific_code_wins_over_the_generic_one_in_either_order() -> None:
    """FHIR vital signs state 2708-6 beside 59408-5, and 8480-6 beside the code of the vessel."""
    pairs = [("2708-6", "59408-5", "oxygen_saturation"), ("8480-6", "8440-0", "pulmonary_artery_systolic")]
    for generic, specific, name in pairs:
        codings = [(LOINC, generic), ("urn:local", "x"), (LOINC, specific)]
        for ordered in (codings, codings[::-1]):
            found = VOCABULARY.by_codings(ordered)
            assert found is not None
            assert found.name == name
    alone = VOCABULARY.by_codings([(LOINC, "2708-6")])
    assert alone is VOCABULARY["oxygen_saturation_arterial"]
    assert VOCABULARY.by_codings([("urn:local", "x")]) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HR", "heart_rate"),
        ("heart rate", "heart_rate"),
        ("Heart Rate", "heart_rate"),
        ("O2Sat", "oxygen_saturation"),
        ("SysABP", "systolic_pressure_arterial"),
        ("NISysABP", "systolic_pressure"),
        ("Bilirubin_total", "bilirubin_total"),
        ("inr_pt", "inr"),
        ("Mg", "magnesium"),
        ("noradrenaline", "norepinephrine"),
    ],
)
def test_local_names(text: str, name: str) -> None:
    found = VOCABULARY.by_alias(text)
    assert found is not None
    assert found.name == name


def test_what_is_ambiguous_has_no_alias() -> None:
    """pCO2 without a site may be arterial or venous; a bare `temp 1` or `rate` may be anything."""
    for text in ("pco2", "po2", "rate", "pressure", ""):
        assert VOCABULARY.by_alias(text) is None


@pytest.mark.parametrize(
    ("name", "value", "unit", "expected"),
    [
        ("glucose", 5.5, "mmol/L", 99.088),
        ("creatinine", 88.4, "umol/L", 0.99998),
        ("bilirubin_total", 17.1, "umol/L", 0.99977),
        ("calcium", 2.5, "mmol/L", 10.0195),
        ("calcium", 5.0, "mEq/L", 10.0195),
        ("potassium", 4.0, "mEq/L", 4.0),
        ("urea_nitrogen", 7.14, "mmol/L", 20.002),
        ("cholesterol_total", 5.0, "mmol/L", 193.325),
        ("lactate", 18.0, "mg/dL", 1.9982),
        ("hemoglobin", 134.0, "g/l-1", 13.4),
        ("hemoglobin", 8.3, "mmol/L", 13.375),
        ("leukocytes", 8.2, "giga.l-1", 8.2),
        ("platelets", 220.0, "G/L", 220.0),
        ("alanine_aminotransferase", 30.0, "IU/L", 30.0),
        ("thyrotropin", 2.0, "uU/ML", 2.0),
        ("ph", 7.4, "units", 7.4),
        ("inr", 1.1, "", 1.1),
        ("inspired_oxygen_fraction", 40.0, "%", 0.4),
        ("body_temperature", 98.6, "F", 37.0),
        ("mchc", 33.0, "%", 33.0),
        ("body_weight", 154.0, "lbs", 69.853),
        ("osmolality", 290.0, "mmol/kg", 290.0),
        ("hemoglobin_a1c", 48.0, "mmol/mol", 6.543),
        ("hemoglobin_a1c", 48.0, "mmol/mol{Hb}", 6.543),
        ("hematocrit", 0.42, "L/L", 42.0),
    ],
)
def test_values_are_brought_to_the_concept_s_unit(name: str, value: float, unit: str, expected: float) -> None:
    assert VOCABULARY[name].normalize(value, unit) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("heart_rate", ""),
        ("oxygen_saturation", ""),
        ("glucose", ""),
        ("glucose", "mm[Hg]"),
        ("albumin", "mmol/L"),
        ("platelets", "g/dL"),
        ("heart_rate", "nonsense"),
        ("body_temperature", "Cel/h"),
        ("inr", "%"),  # Quick's percentage
        ("heart_rate", "ug/kg/min"),
        ("ddimer", "ng/mL{DDU}"),
        ("lymphocytes", "%"),
    ],
)
def test_a_missing_or_unlike_unit_is_an_error_that_names_the_concept(name: str, unit: str) -> None:
    with pytest.raises(UnitError, match=name):
        VOCABULARY[name].normalize(1.0, unit)


def test_rates_of_infusion_pass_by_body_weight_only_where_it_is_known() -> None:
    norepinephrine = VOCABULARY["norepinephrine"]
    assert norepinephrine.normalize_rate(7.0, "mcg/min", weight_kg=70.0) == pytest.approx(0.1)
    assert norepinephrine.normalize_rate(0.1, "mcg/kg/min") == pytest.approx(0.1)
    assert VOCABULARY["fentanyl"].normalize_rate(1.0, "mcg/kg/hour", weight_kg=70.0) == pytest.approx(70.0)
    assert VOCABULARY["insulin"].normalize_rate(3.0, "units/hour") == pytest.approx(3.0)
    assert VOCABULARY["vasopressin"].normalize_rate(2.4, "units/hour") == pytest.approx(0.04)
    assert VOCABULARY["heparin"].normalize_dose(5000.0, "units") == 5000.0
    assert VOCABULARY["potassium_chloride"].normalize_dose(20.0, "mmol") == pytest.approx(20.0)
    with pytest.raises(UnitError, match="body weight"):
        norepinephrine.normalize_rate(7.0, "mcg/min")
    with pytest.raises(UnitError, match="body weight"):
        norepinephrine.normalize_rate(7.0, "mcg/min", weight_kg=0.0)
    with pytest.raises(UnitError, match="no rate unit"):
        VOCABULARY["metoprolol"].normalize_rate(1.0, "mg/h")
    with pytest.raises(UnitError, match="no dose unit"):
        VOCABULARY["heart_rate"].normalize_dose(1.0, "mg")


def test_normal_ranges_follow_age_and_sex() -> None:
    heart_rate = VOCABULARY["heart_rate"]
    assert heart_rate.normal_range(0.02) == (100.0, 205.0)
    assert heart_rate.normal_range(4) == (80.0, 120.0)
    assert heart_rate.normal_range(40) == (60.0, 100.0)
    hemoglobin = VOCABULARY["hemoglobin"]
    assert hemoglobin.normal_range(40, "male") == (13.5, 17.5)
    assert hemoglobin.normal_range(40, "female") == (12.0, 16.0)
    assert hemoglobin.normal_range(40, "unknown") == (12.0, 17.5)
    assert hemoglobin.normal_range(5) is None
    assert VOCABULARY["prostate_specific_antigen"].normal_range(40, "female") is None


def test_plausible_limits_and_text() -> None:
    saturation = VOCABULARY["oxygen_saturation"]
    assert saturation.is_plausible(100)
    assert not saturation.is_plausible(100.1)
    assert not saturation.is_plausible(math.nan)
    assert saturation.format(96.6) == "97"
    assert VOCABULARY["base_excess"].format(-0.2) == "0"
    assert VOCABULARY["potassium"].format(4) == "4.0"
    assert VOCABULARY["potassium"].format(math.nan) == "–"
    assert VOCABULARY["consciousness"].format(2) == "Voice"


def test_coded_answers() -> None:
    consciousness = VOCABULARY["consciousness"]
    numbers = {}
    for text in ("A", "confused", "Voice", "responds to pain", "U"):
        answer = consciousness.answer(text)
        assert answer is not None
        numbers[answer.code] = answer.number
    assert numbers == {"alert": 0, "confusion": 1, "voice": 2, "pain": 3, "unresponsive": 4}
    assert consciousness.answer("asleep") is None
    room_air = VOCABULARY["oxygen_supplementation"].answer("722742002")
    assert room_air is not None
    assert room_air.number == 0


def test_unknown_names_and_indices_say_what_to_do() -> None:
    with pytest.raises(VocabularyError, match=r"docs/vocabulary\.md"):
        VOCABULARY["hart_rate"]
    for index in (-1, len(VOCABULARY)):
        with pytest.raises(VocabularyError, match="newer vocabulary"):
            VOCABULARY.by_index(index)
    assert VOCABULARY.get("hart_rate") is None


def test_the_version_changes_with_the_content() -> None:
    first = read({"vitals.toml": ROW})
    assert first.version == read({"vitals.toml": ROW}).version
    assert first.version != read({"vitals.toml": ROW.replace("300", "301")}).version
    assert VOCABULARY.version.startswith("1.")


Edit = Callable[[str], str]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda row: row + SECOND.replace("id = 1", "id = 0").replace("8867-4", "8889-8"), "id 0, expected 1"),
        (lambda row: row + SECOND.replace("id = 1", "id = 3").replace("8867-4", "8889-8"), "id 3, expected 1"),
        (lambda row: row + SECOND, "code 8867-4"),
        (lambda row: row + SECOND.replace("8867-4", "8889-8").replace("BV", "av"), "alias"),
        (lambda row: row.replace("8867-4", "8867-5"), "check digit"),
        (lambda row: row.replace('loinc = ["8867-4"]\n', ""), "no LOINC"),
        (lambda row: row.replace("/min", "furlong"), "UCUM"),
        (lambda row: row.replace("/min", "bpm"), "write it in UCUM, as '/min'"),
        (lambda row: row.replace("[0, 300]", "[300, 0]"), "lower bound first"),
        (lambda row: row.replace("60, 100]", "100, 60]"), "lower bound first"),
        (lambda row: row.replace("60, 100]", "60, 400]"), "outside the plausible"),
        (lambda row: row.replace("[[18, 130, 60, 100]]", "[[18, 130, 60, 100], [16, 20, 60, 90]]"), "not overlap"),
        (lambda row: row.replace("60, 100]]", '60, 100, "man"]]'), "man"),
        (lambda row: row.replace("decimals", "decimal"), "unknown fields"),
        (lambda row: row.replace("[0, 300]", "[0]"), "wrong shape"),
        (lambda row: row.replace("[a_vital]", "[A-Vital]"), "snake_case"),
        (lambda row: row + 'generic = ["8889-8"]\n', "generic"),
        (lambda row: row + "charge = -1\n", "charge"),
        (lambda row: row + "answers = [['a', 0, 'A'], ['b', 0, 'B']]\n", "two answers"),
        (lambda row: row + "administration = { routes = ['iv'], dose_unit = 'mg' }\n", "administration"),
        (lambda row: row + "equivalents = { x = 0 }\n", "equivalent"),
        (lambda row: row + "= 3", "TOML"),
    ],
)
def test_an_inconsistent_table_is_refused(edit: Edit, message: str) -> None:
    with pytest.raises(VocabularyError, match=message):
        read({"vitals.toml": edit(ROW)})


def test_loinc_check_digits() -> None:
    """Worked example of the LOINC Users' Guide: the check digit of 12345 is 5."""
    assert loinc_check_digit("12345") == 5


def test_loading_takes_milliseconds() -> None:
    best = min(_timed(load) for _ in range(5))
    assert best < limit_s(0.060), f"loading took {best * 1e3:.0f} ms, expected less than 60"


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def test_the_page_is_up_to_date() -> None:
    page = (REPOSITORY / "docs" / "vocabulary.md").read_text(encoding="utf-8")
    assert page == markdown(VOCABULARY), "run: python -m vitruvian.core.vocabulary > docs/vocabulary.md"


def test_the_command_prints_the_page() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vitruvian.core.vocabulary"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout == markdown(VOCABULARY)
