"""Facts from notes: what is asserted of a mention, numbers with units, sections, and codes that exist."""

from __future__ import annotations

import gzip

import pytest

from tests.support import require_data
from vitruvian.core.errors import LimitError
from vitruvian.core.vocabulary import ATC, LOINC, VOCABULARY
from vitruvian.explanation.notes import ICD10CM, Suggestion, dictionary, extract
from vitruvian.explanation.notes.base import NOTE_CHARS_MAX
from vitruvian.explanation.notes.icd10cm import icd10cm


def read(text: str) -> tuple[Suggestion, ...]:
    found = extract(text, dictionary())
    assert all(text[one.start : one.end] == one.text for one in found)
    return found


def said(text: str, words: str) -> str:
    """The assertion of a mention, or whose it is where it is not the patient's; `-` where it was not found."""
    at = text.index(words)
    over = [one for one in read(text) if one.start < at + len(words) and at < one.end]
    if not over:
        return "-"
    return over[0].assertion if over[0].experiencer == "patient" else over[0].experiencer


CASES = """
Denies chest pain, dyspnea or palpitations.|palpitations|negated
Denies chest pain, dyspnea or palpitations, but has cough.|cough|present
No fever, tachycardic.|tachycardic|present
Without fever, cough or dyspnoea.|dyspnoea|negated
Fever: no. Cough: yes.|Fever|negated
Fever: no. Cough: yes.|Cough|present
Constitutional: negative for chills.|chills|negated
(-) wheeze, (+) chest pain|wheeze|negated
(-) wheeze, (+) chest pain|chest pain|present
[ ] chest pain [x] cough|cough|present
Fever and cough were denied.|Fever|negated
Afebrile overnight.|Afebrile|negated
No longer febrile.|febrile|negated
Gram negative bacteraemia.|bacteraemia|present
Not only an ileus but also a wound infection.|ileus|present
No increase in swelling.|swelling|present
No improvement in pain.|pain|present
Does not deny chest pain.|chest pain|present
?PE|PE|uncertain
Sepsis?|Sepsis|uncertain
Possible pneumonia, started on ceftriaxone.|pneumonia|uncertain
Possible pneumonia, started on ceftriaxone.|ceftriaxone|present
DDx: pneumonia, PE, ACS.|ACS|uncertain
Malignancy cannot be excluded.|Malignancy|uncertain
Return if fever or vomiting.|vomiting|hypothetical
Heparin for DVT prophylaxis.|DVT|hypothetical
Heparin for DVT prophylaxis.|Heparin|present
Add vancomycin if hypotensive.|vancomycin|hypothetical
Allergic to penicillin (rash).|penicillin|hypothetical
Allergic to penicillin (rash).|rash|historical
S/p CABG, on aspirin.|CABG|historical
S/p CABG, on aspirin.|aspirin|present
Previous PE in 2015.|PE|historical
PE (2015)|PE|historical
History of diabetes.|diabetes|present
3-month history of weight loss.|weight loss|present
Delirium - resolved.|Delirium|historical
S/p fall from a ladder.|fall|present
Lisinopril held because of hyperkalaemia.|Lisinopril|negated
Lisinopril held because of hyperkalaemia.|hyperkalaemia|present
Ceftriaxone stopped yesterday.|Ceftriaxone|historical
Mother had breast cancer at 40.|breast cancer|family
FHx: MI (dad), DM.|MI|family
Her roommate has influenza.|influenza|other
Wife reports he has fever.|fever|present
No family history of colon cancer.|colon cancer|family
PMH: HTN, MI.|HTN|present
PMH: HTN, MI.|MI|historical
SpO2 91% on RA.|RA|present
PE: lungs clear.|PE|-
Urine output good, no hesitancy, urgency with dysuria.|dysuria|present
The urgency of the situation was explained.|urgency|-
Tylenol level negative.|Tylenol|-
He is no longer tachycardic.|tachycardic|negated
There was concern for cholangitis.|cholangitis|uncertain
CT rules out cord compression.|cord compression|negated
Ddx migraine w aura, vasculitis.|vasculitis|uncertain
If symptoms of infection arise, call.|infection|hypothetical
If the patient has a history of malignancy, repeat.|malignancy|hypothetical
No blood in the stool, threw up once.|threw up|present
On vancomycin -> cefazolin.|cefazolin|present
Milrinone off.|Milrinone|historical
Recent ibuprofen use, now stopped.|ibuprofen|historical
Sister: psoriasis.|psoriasis|family
Postnatal ward. Baby jaundiced, under lights.|jaundiced|family
Baby boy, 2 weeks old. Baby jaundiced.|jaundiced|present
Concussion age 12.|Concussion|historical
He gave up the sport.|gave|-
"""


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_what_is_asserted(case: str) -> None:
    text, words, wanted = case.split("|")
    assert said(text, words) == wanted


FINDINGS = """
HR 118|heart_rate|118
P 92, RR 24|respiratory_rate|24
temp 101.3 F|body_temperature|38.5
Temp 38.9 C|body_temperature|38.9
SpO2 91 % on 4 L|oxygen_saturation|91
SpO2 91 % on 4 L|oxygen_flow|4
BP 92/54|systolic_pressure|92
BP 92/54|diastolic_pressure|54
WBC 18.2|leukocytes|18.2
WBC 18,200|leukocytes|18.2
lactate 4.1 mmol/L|lactate|4.1
GCS 13/15|glasgow_coma_score|13
Hb 92 g/L|hemoglobin|9.2
creatinine 212 umol/L|creatinine|2.398
FiO2 40%|inspired_oxygen_fraction|0.4
glucose 14.2 mmol/L|glucose|255.8
K+ 6.2|potassium|6.2
"""


@pytest.mark.parametrize("case", FINDINGS.strip().splitlines())
def test_numbers_are_in_the_unit_of_the_vocabulary(case: str) -> None:
    text, concept, value = case.split("|")
    (found,) = [one for one in read(text) if one.concept == concept]
    assert found.value == pytest.approx(float(value), rel=2e-3)
    assert found.unit == VOCABULARY[concept].unit
    assert found.codes[0].system == LOINC and VOCABULARY.by_code(LOINC, found.codes[0].code) is VOCABULARY[concept]


def test_a_number_that_cannot_be_is_flagged_and_a_second_is_told_apart() -> None:
    assert [one.quality for one in read("HR 999")] in ([], [("implausible",)])
    assert [one.quality for one in read("Temp 70 C")] == [("implausible",)]
    first, second = read("Cr 2.4 (baseline 1.1)")
    assert (first.value, first.assertion) == (2.4, "present") and (second.value, second.assertion) == (
        1.1,
        "historical",
    )
    assert [one.value for one in read("CRP 140 -> 88 -> 30")] == [140, 88, 30]
    assert read("potassium 20 mEq daily") == () or all(one.type == "medicine" for one in read("potassium 20 mEq daily"))


def test_a_goal_is_no_measurement() -> None:
    assert [one.assertion for one in read("Titrate to keep MAP > 65")] == ["hypothetical"]
    assert [one.assertion for one in read("Call if SBP < 90")] == ["hypothetical"]


def test_spelling_plural_and_case_are_one() -> None:
    def codes(text: str) -> set[str]:
        return {one.codes[0].code for one in read(text)}

    assert codes("Oedema, haemorrhages and DIARRHOEA") == codes("edema, hemorrhage and diarrhea")
    assert codes("c. diff") == codes("Clostridioides difficile") == {"A04.72"}
    assert codes("as a result") == codes("ms Smith") == codes("add hit pad") == set()


def test_every_code_of_the_tables_exists() -> None:
    classification = icd10cm()
    assert classification is not None
    table = require_data("terminology/icd10cm_2026_04.txt.gz")
    published = set(gzip.decompress(table.read_bytes()).decode("utf-8").split())
    given = {code for term in dictionary().terms.values() for code in term.codes}
    conditions = [code.code for code in given if code.system == ICD10CM]
    assert len(conditions) > 5_000 and all(classification.exists(code) for code in conditions)
    assert {code.replace(".", "") for code in conditions} <= published
    assert {code.system for code in given} == {ICD10CM, ATC}


def test_a_suggestion_names_codes_that_exist_alone() -> None:
    known = dictionary()
    for one in read("Sepsis, AF, HR 118, BP 90/40, vancomycin, lactate 4.1, ICP 20, NEWS2 7"):
        assert all(known.exists(code) for code in one.codes)
    (pressure,) = [one for one in read("ICP 20") if one.type == "finding"]
    assert pressure.codes == () and pressure.quality == ("no-concept",)


def test_a_note_that_is_too_long_is_refused() -> None:
    with pytest.raises(LimitError, match="at most"):
        extract("x" * (NOTE_CHARS_MAX + 1), dictionary())
