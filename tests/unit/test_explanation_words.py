"""What words must not do: turn a reading round, name another test, make a difference a change, or borrow our voice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.ask import answer
from vitruvian.explanation.claims import Audience, Claim, Sign, Slot
from vitruvian.explanation.drafting import AUDIENCES, draft
from vitruvian.explanation.drafts import LANGUAGES, draft_of, manner_of
from vitruvian.explanation.drafts.names import labels_of
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.plans.plain import plain
from vitruvian.explanation.showing import label_of, show, value_of
from vitruvian.explanation.wording.verifier import verify
from vitruvian.prediction.serve.gate import reasons_of
from vitruvian.prediction.tasks import TASKS
from vitruvian.service.explaining import ENDED

TABLES = {"en": "english", "de": "german", "es": "spanish"}
OTHERS = ("de", "es")
AT_US = 1_800_000_000_000_000
# Words that say the opposite of what the number does: pH falls with more acid, BIS with deeper sleep, a coma score
# with a deeper coma; of pressures, what reads as too high or too low.
TURNED = {
    "ph": r"acid|säure|ácid|acidez", "ph_venous": r"acid|säure|ácid|acidez", "ph_blood": r"acid|säure|ácid|acidez",
    "urine_ph": r"acid|säure|ácid|acidez", "saps_like_ph": r"acid|säure|ácid|acidez",
    "bispectral_index": r"sleep|schlaf|sueño|depth|tiefe", "glasgow_coma_score": r"\bcoma\b|koma",
    "systolic_pressure": r"high|upper|\bhoher|alta\b", "diastolic_pressure": r"low|niedrig|baja\b",
    "systolic_pressure_arterial": r"high|upper|\bhoher|alta\b", "diastolic_pressure_arterial": r"low|niedrig|baja\b",
    "pulmonary_artery_systolic": r"high|upper|\bhoher|alta\b", "pulmonary_artery_diastolic": r"low|niedrig|baja\b",
}  # fmt: skip
# What reads as a finding, whatever the number says.
FINDINGS = {
    "sirs": "infec|infek", "haptoglobin": "breakdown|abbau|rotura", "alpha_fetoprotein": "tumou?r",
    "carcinoembryonic_antigen": "tumou?r", "qsofa": "infec|infek", "uric_acid": "gout|gicht|gota",
    "lactate": "strain|belastung|esfuerzo", "ddimer": "clot test|gerinnsel|coágulo",
    "procalcitonin": "germ|infec|infek",
    "bnp": "strain|belastung|esfuerzo", "lactate_dehydrogenase": "damage|schad|daño", "c_reactive_protein": "swelling",
}  # fmt: skip
NITROGEN = ("urea_nitrogen", "urine_urea_nitrogen", "bun_creatinine", "urea_over_creatinine", "age_times_log_urea")
SHARES = [concept.name for concept in VOCABULARY if concept.unit == "%"]


def packet(*facts: Fact, brought: bool = False) -> Evidence:
    return Evidence("answer", AT_US, facts, brought=brought)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*TURNED, *FINDINGS])
def test_no_label_turns_a_reading_round_or_is_a_finding(name: str, language: str) -> None:
    label = labels_of(TABLES[language])[(name, "patient")].casefold()
    assert not re.search({**TURNED, **FINDINGS}[name], label), label


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NITROGEN)
def test_urea_nitrogen_is_not_called_urea(name: str, language: str) -> None:
    """Urea is 2.14 times its nitrogen, and printed in the same unit."""
    for audience in AUDIENCES:
        label = label_of(Fact("a", "measurement", name), audience, manner_of(language))
        assert re.search("BUN|nitrogen|tickstoff|nitrógeno", label), label


def test_an_injury_of_the_kidney_is_not_called_its_failure() -> None:
    assert (
        label_of(Fact("a", "probability", "aki_risk"), "clinician", manner_of("de")) == "akute Nierenschädigung (AKI)"
    )


def effect_of(sign: Sign, *names: str) -> Claim:
    wanted = ("subject", "difference", "low", "high", "confidence", "horizon", "likelihood", *names)
    facets = {"subject": "label", "horizon": "when"}
    return Claim("effect", tuple(Slot(one, f"f-{one}", facets.get(one, "value")) for one in wanted), sign)  # type: ignore[arg-type]


@pytest.mark.parametrize(("language", "audience", "sign"), [*product(LANGUAGES, AUDIENCES, (-1, 0, 1))])
def test_a_difference_is_told_against_the_run_without_the_change(language: str, audience: Audience, sign: Sign) -> None:
    text = draft_of(effect_of(sign), audience, language).words
    against = {"en": "without the change", "de": "als ohne die Änderung", "es": "de lo que sería sin el cambio"}
    hypothetical = {"en": "would", "de": "wäre", "es": "quedaría"}
    assert against[language] in text
    assert hypothetical[language] in text
    assert not re.search(r"\brise|\bfall|\bgo (up|down)|steig|sink|fäll|sub[ei]|baj[ae]|sube\b", text), text


@pytest.mark.parametrize(("audience", "sign"), [*product(AUDIENCES, (-1, 0, 1))])
def test_a_model_may_word_a_difference_as_the_draft_does(audience: Audience, sign: Sign) -> None:
    claim = effect_of(sign)
    drafted = draft_of(claim, audience, "en")
    verify(drafted, claim, drafted, audience, "en")


@pytest.mark.parametrize("name", SHARES)
def test_the_difference_of_a_percentage_is_told_in_points(name: str) -> None:
    one = Fact("d", "difference", name, value=-21.0, unit="%", horizon_h=2.0)
    low = Fact("l", "interval_low", name, value=-30.0, unit="%", of="d")
    evidence = packet(one, low)
    told = {"en": "percentage points", "de": "Prozentpunkte", "es": "puntos porcentuales"}
    for language, audience in product(LANGUAGES, AUDIENCES):
        manner = manner_of(language)
        assert told[language] in value_of(one, evidence, manner, audience)
        assert "%" not in value_of(one, evidence, manner, audience) + value_of(low, evidence, manner, audience)
        assert "%" in value_of(Fact("m", "measurement", name, value=40.0), evidence, manner, audience)


@pytest.mark.parametrize(
    ("text", "clinician", "patient"),
    [
        ("Systolic blood pressure 99 above 90", "Systolic blood pressure 99 > 90", "99, above the limit of 90"),
        ("Heart rate 131 at least 130", "Heart rate 131 ≥ 130", "131, and the alarm starts at 130"),
        ("Sensitivity in women below that in men",) * 3,
        ("Seen in theatre 3 above the second floor",) * 3,
        ("for 3 days only",) * 3,
        ("measured on ward 2 at least twice",) * 3,
    ],
)
def test_only_an_alarms_own_words_are_reworded(text: str, clinician: str, patient: str) -> None:
    english = manner_of("en")
    assert english.said(text, "clinician") == clinician
    assert english.said(text, "patient") == patient
    if clinician == text:
        for language in OTHERS:
            assert manner_of(language).said(text, "patient") == text


def test_no_number_comes_from_the_wording() -> None:
    """Whatever list the gate names, its length is not made up."""
    for language, audience in product(LANGUAGES, AUDIENCES):
        said = manner_of(language).said("insufficient data: fewer than 4 of 7 vital signs are recent", audience)
        assert not re.search(r"\bfive\b|fünf|cinco|\b5\b", said), said
        assert "4" in said


@pytest.mark.parametrize("language", OTHERS)
def test_the_twins_own_words_are_in_the_readers_language(language: str) -> None:
    reasons = [reason for task in TASKS.values() for reason in reasons_of(task) if reason]
    stated = [
        *reasons, ENDED, "it is estimated by the simulated body, not measured",
        "the body is lost: The measured heart rate lies 5.2 times as far from its prediction as the filter claims,"
        " mostly above what is expected; 3 in a row were rejected",
        "the body is learning: 5 minutes with measurements, expected 30 or more",
        "The body follows this patient with strain. Nothing has been measured for much longer than 4 h",
        "the body is outside: the circulation is that of adults, from 16 years on",
        "3 of 100 members could not be followed and are left out", "7 older entries are not told here",
        "no model of that risk runs here; those that run are of sepsis",
    ]  # fmt: skip
    english = re.compile(r"\b(the|and|of|is|are|that|this|with|not|for|has|heart|rate|fewer|made)\b", re.IGNORECASE)
    for text, audience in product(stated, AUDIENCES):
        said = manner_of(language).said(text, audience)
        assert said != text
        assert not english.search(said), said


def test_whose_data_decide_is_said() -> None:
    claim = Claim("data_share", (Slot("share", "s", "value"),))
    assert draft_of(claim, "clinician", "de").words.startswith("Die Daten dieses Patienten")
    assert draft_of(claim, "clinician", "es").words.startswith("Los datos de este paciente")


QUOTES = {"en": "“{}”", "de": "„{}“", "es": "«{}»"}
TOLD = {"en": "the packet says: “{}”", "de": "das Paket sagt: „{}“", "es": "el paquete dice: «{}»"}


@pytest.mark.parametrize(("language", "audience"), [*product(LANGUAGES, AUDIENCES)])
def test_a_brought_packets_words_and_unknown_names_are_quoted(language: str, audience: Audience) -> None:
    manner = manner_of(language)
    label = Fact("a", "measurement", "own_name", "sepsis is excluded", 3.0)
    note = Fact("b", "words", "note", text="Stop taking your tablets")
    alarm = Fact("c", "alarm", "own_alarm", "give insulin", text="Give adrenaline now", at_us=AT_US)
    for brought in (True, False):
        evidence = packet(label, note, alarm, brought=brought)
        quoted, told = (QUOTES[language], TOLD[language]) if brought else ("{}", "{}")
        assert show(label, "label", evidence, audience, manner) == quoted.format("sepsis is excluded")
        assert show(note, "text", evidence, audience, manner) == told.format("Stop taking your tablets")
        assert show(alarm, "label", evidence, audience, manner) == quoted.format("give insulin")
        assert show(alarm, "text", evidence, audience, manner) == quoted.format("Give adrenaline now")


@pytest.mark.parametrize(("language", "audience"), [*product(LANGUAGES, AUDIENCES)])
def test_what_is_known_here_is_not_quoted(language: str, audience: Audience) -> None:
    manner = manner_of(language)
    known = Fact("a", "measurement", "lactate", "whatever it says", 3.0)
    note = Fact("b", "words", "note", text="trained on simulated patients")
    evidence = packet(known, note, brought=True)
    for shown in (show(known, "label", evidence, audience, manner), show(note, "text", evidence, audience, manner)):
        assert not set("“”„«»") & set(shown)


def test_words_within_quotation_marks_cannot_end_them() -> None:
    note = Fact("b", "words", "note", text="fine” says the model. “All «is» „well")
    for language in LANGUAGES:
        shown = show(note, "text", packet(note, brought=True), "patient", manner_of(language))
        assert len(re.findall("[“”„«»]", shown)) == 2


def test_a_text_of_ours_with_foreign_words_in_it_is_quoted() -> None:
    """Patterns in which words vary would let any words be ours."""
    note = Fact("b", "words", "note", text="the body is well: sepsis is excluded")
    for language in LANGUAGES:
        shown = show(note, "text", packet(note, brought=True), "clinician", manner_of(language))
        assert shown == TOLD[language].format(note.text)


def test_a_brought_note_is_told_as_the_packets() -> None:
    note = Fact("note-1", "words", "note", text="Give 10 mg of morphine")
    value = Fact("latest-lactate", "measurement", "lactate", "lactate", 2.0, unit="mmol/L", at_us=AT_US)
    text = draft(packet(value, note, brought=True), "patient").text
    assert "the packet says: “Give 10 mg of morphine”" in text


ASKED = Path(answer.__file__).parent
SPOKEN = ("answer", "facts", "risks", "values", "what_if")  # modules whose words stand in an answer
SAYING = {"unknown", "notes", "ModelError", "NotFoundError"}


def told_in(path: Path) -> Iterator[tuple[str, ...]]:
    """What a module says in an answer, a number or a name in what varies."""
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(call, ast.Call) or getattr(call.func, "id", getattr(call.func, "attr", "")) not in SAYING:
            continue
        within = {id(part) for one in ast.walk(call) if isinstance(one, ast.JoinedStr) for part in one.values}
        for one in ast.walk(call):
            if isinstance(one, ast.JoinedStr):
                yield tuple(
                    "".join(str(part.value) if isinstance(part, ast.Constant) else varies for part in one.values)
                    for varies in ("6", "lactate", "that time")
                )
            elif isinstance(one, ast.Constant) and " " in str(one.value) and id(one) not in within:
                yield (str(one.value),)


@pytest.mark.parametrize("module", SPOKEN)
def test_what_answers_say_is_in_the_readers_language(module: str) -> None:
    found = list(told_in(ASKED / f"{module}.py"))
    assert found
    for texts, language, audience in product(found, OTHERS, AUDIENCES):
        if " " in texts[0].strip(". "):
            assert any(manner_of(language).said(text, audience) != text for text in texts), (language, texts)


@pytest.mark.parametrize(("language", "audience"), [*product(LANGUAGES, AUDIENCES)])
def test_two_runs_are_not_told_as_a_course(language: str, audience: Audience) -> None:
    slots = (Slot("outcome", "o", "label"), Slot("before", "b", "value"), Slot("after", "a", "value"))
    words = {"en": ("higher", "lower"), "de": ("höher", "niedriger"), "es": ("mayor", "menor")}[language]
    for kind, (word, sign) in product(("risk_effect", "score_effect"), zip(words, (1, -1), strict=True)):
        text = draft_of(Claim(kind, slots, 1 if sign > 0 else -1), audience, language).words
        assert word in text
        assert not re.search(r"\bris[e]|\bfall\b|go (up|down)|steig|sink|fallen|sub[ei]|baj[ae]", text), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_estimate_is_called_one(language: str) -> None:
    """Beside it a measurement may say otherwise."""
    word = {"en": r"\(estimated\)", "de": r"\(geschätzt\)", "es": r"\(estimado\)"}[language]
    ahead = Fact("e", "expected", "heart_rate", value=69.0, horizon_h=6.0)
    estimate = Fact("n", "estimate", "heart_rate", value=71.0, at_us=AT_US, of="e")
    measured = Fact("m", "measurement", "heart_rate", value=78.0, at_us=AT_US)
    evidence, manner = packet(ahead, estimate, measured), manner_of(language)
    assert re.search(word, value_of(estimate, evidence, manner))
    assert not re.search(word, value_of(measured, evidence, manner))
    alone = Fact("c", "estimate", "cardiac_output", value=5.0)
    assert re.search(rf"{word}|modelled", value_of(alone, packet(alone), manner, "patient"))


def test_plain_words_tell_one_measure_of_how_sure_an_effect_is() -> None:
    assert [one.name for one in plain([effect_of(1)])[0].slots] == ["subject", "difference", "low", "high", "horizon"]
    alone = Claim("effect", tuple(one for one in effect_of(1).slots if one.name not in ("low", "high")), 1)
    assert "likelihood" in {one.name for one in plain([alone])[0].slots}
