"""How facts read: never empty, never NaN or -0, no raw UCUM, and read back the number is the fact's."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.core.time import HOUR_US, to_us
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.claims import Audience
from vitruvian.explanation.drafting import AUDIENCES
from vitruvian.explanation.drafts import LANGUAGES, manner_of
from vitruvian.explanation.evidence.base import Evidence, Fact, Role
from vitruvian.explanation.numbers import decimals, frequency, percent, plain
from vitruvian.explanation.showing import PLAIN, label_of, show, value_of
from vitruvian.explanation.units import PRINTED, printed

NOW_US = to_us(datetime(2026, 7, 9, 14, 5, tzinfo=UTC))
NUMBER = re.compile(r"[−-]?\d+(?:[.,]\d+)?")
SWITCHES = {"mechanical_ventilation", "renal_replacement_therapy", "pneumothorax_open", "apnoea"}
languages, readers = st.sampled_from(LANGUAGES), st.sampled_from(AUDIENCES)
concepts = st.sampled_from([concept.name for concept in VOCABULARY])


def packet(*facts: Fact, zone: str = "UTC") -> Evidence:
    return Evidence("answer", NOW_US, facts, zone=zone)


def sound(text: str) -> None:
    """What no text may be."""
    assert text
    assert text == " ".join(text.split(" ")).strip()
    assert "  " not in text
    assert not re.search(r"(?i:\bnan\b)|[\[\]{}*]|(?:^|\s)[−-]0(?:[.,]0+)?(?:$|[^\d.,])|\d[eE][+-]?\d", text), text


def read(text: str) -> float:
    found = NUMBER.search(text)
    assert found, text
    return float(found[0].replace("−", "-").replace(",", "."))


def shown_decimals(text: str) -> int:
    found = NUMBER.search(text)
    assert found
    return len(found[0].replace(",", ".").partition(".")[2])


@given(concepts, st.floats(0, 1), readers, languages, st.sampled_from(("measurement", "estimate", "driver", "score")))
def test_a_value_of_the_vocabulary_reads_back(
    name: str, share: float, audience: Audience, language: str, role: Role
) -> None:
    concept = VOCABULARY[name]
    low, high = concept.plausible
    value = low + share * (high - low)
    fact = Fact("one", role, name, value=value, unit=concept.unit)
    text = value_of(fact, packet(fact), manner_of(language), audience)
    sound(text)
    if name in SWITCHES or any(one.number == value for one in concept.coded):
        assert not NUMBER.search(text)
    elif name.endswith("_risk"):
        assert "%" in text
    elif concept.kind != "intervention":
        assert shown_decimals(text) == concept.decimals
        assert read(text) == pytest.approx(value, abs=0.5001 * 10**-concept.decimals)
    else:
        assert read(text) == pytest.approx(value, rel=1e-3, abs=1e-9)


@given(
    st.floats(-1e8, 1e8), st.sampled_from(sorted({*PRINTED, "ug/kg/min", "[iU]/h", "cm[H2O]", "x[odd]{y}"})), languages
)
def test_a_value_of_a_foreign_name_reads_back_to_four_digits(value: float, unit: str, language: str) -> None:
    fact = Fact("one", "estimate", "something_else", "something else", value, unit=unit)
    text = value_of(fact, packet(fact), manner_of(language))
    sound(text)
    if abs(value) > 1e-9 or value == 0:
        assert read(text) == pytest.approx(value, rel=1e-3)


@given(st.floats(allow_nan=False))
def test_any_number_is_written_without_an_exponent_or_a_negative_nought(value: float) -> None:
    sound(plain(value))
    for places in (0, 1, 3):
        sound(decimals(value, places))


@given(st.floats(0, 1), languages)
def test_a_share_is_never_none_and_never_all(share: float, language: str) -> None:
    manner = manner_of(language)
    text = percent(share, manner)
    sound(text)
    if "<" not in text and share >= 0.001 and share <= 0.99:
        assert read(text) == pytest.approx(100 * share, abs=0.0501 if 100 * share < 9.95 else 0.501)
    assert not re.fullmatch(r"(0|100) %", text)
    often = frequency(share, manner)
    sound(often)
    count, out_of = (float(re.sub(r"\D", "", one)) for one in re.split(r" (?:in|von|de cada) ", often))
    assert 0 < count < out_of
    assert count / out_of == pytest.approx(share, abs=0.0101)


@given(st.floats(0, 1), st.floats(0, 1), languages, readers)
def test_likelihoods_grow_with_their_words(one: float, other: float, language: str, audience: Audience) -> None:
    manner = manner_of(language)
    facts = [Fact(f"f{n}", "likelihood", "heart_rate", value=share) for n, share in enumerate((one, other))]
    texts = [value_of(fact, packet(fact), manner, audience) for fact in facts]
    words = [word for _, word in manner.likely[audience]]
    places = [words.index(text.partition(" (")[0]) for text in texts]
    if one <= other:
        assert places[0] >= places[1]
    for text in texts:
        sound(text)
        assert NUMBER.search(text)


@given(st.floats(-300, 300).filter(lambda value: value != 0), st.floats(0, 1), st.floats(0, 1), languages, readers)
def test_a_difference_has_no_sign_and_its_interval_goes_along_it(
    value: float, below: float, above: float, language: str, audience: Audience
) -> None:
    ends = sorted((value - abs(value) * below, value + abs(value) * above))
    difference = Fact("d", "difference", "mean_pressure", value=value, unit="mm[Hg]", horizon_h=2.0)
    low = Fact("l", "interval_low", "mean_pressure", value=ends[0], unit="mm[Hg]", of="d")
    high = Fact("h", "interval_high", "mean_pressure", value=ends[1], unit="mm[Hg]", of="d")
    evidence, manner = packet(difference, low, high), manner_of(language)
    text = value_of(difference, evidence, manner, audience)
    sound(text)
    assert "−" not in text
    assert read(text) > 0 or abs(value) < 1e-9
    for fact in (low, high):
        end = value_of(fact, evidence, manner, audience)
        sound(end)
        assert "−" not in end  # both ends are on the difference's own side here


@given(st.floats(1 / 60, 2000), languages, readers)
def test_spans_are_told_within_five_per_cent(hours: float, language: str, audience: Audience) -> None:
    manner = manner_of(language)
    facts = [
        Fact("n", "horizon", "horizon", value=hours, unit="h"), Fact("w", "window", "window", value=hours, unit="h"),
    ]  # fmt: skip
    ahead, behind = (value_of(fact, packet(fact), manner, audience) for fact in facts)
    then = Fact("e", "earlier", "sepsis_risk", value=0.1, at_us=NOW_US - int(hours * HOUR_US))
    ago = show(then, "when", packet(then), audience, manner)
    assert len({ahead, behind, ago}) == 3
    for text in (ahead, behind, ago):
        sound(text)
        if not NUMBER.search(text):
            continue  # `over the next hour`
        unit = next(
            scale
            for scale, names in ((1 / 60, manner.spans[audience]["min"]), (24.0, manner.spans[audience]["d"]),
                                 (1.0, manner.spans[audience]["h"]))
            if re.search(rf"\d ({'|'.join(names)})\b", text)
        )  # fmt: skip
        assert read(text) * unit == pytest.approx(hours, rel=0.05, abs=0.51 / 60)


@given(st.integers(-400, 30), st.integers(0, 23), st.integers(0, 59), languages, readers)
def test_a_time_names_its_clock_and_its_day(
    days: int, hour: int, minute: int, language: str, audience: Audience
) -> None:
    at_us = NOW_US + (days * 24 * 60 + (hour - 14) * 60 + (minute - 5)) * 60_000_000
    fact = Fact("one", "measurement", "lactate", value=2.0, at_us=at_us)
    text = show(fact, "when", packet(fact), audience, manner_of(language))
    sound(text)
    assert f"{hour:02}:{minute:02}" in text
    assert (re.search(r"\b20\d\d\b", text) is not None) == (abs(days) >= 300)


@given(concepts, readers, languages)
def test_everything_has_a_label(name: str, audience: Audience, language: str) -> None:
    label = label_of(Fact("one", "measurement", name), audience, manner_of(language))
    sound(label.replace("[", ""))
    assert "_" not in label


def test_every_unit_of_the_vocabulary_is_printed_as_people_write_it() -> None:
    units = {concept.unit for concept in VOCABULARY}
    for concept in VOCABULARY:
        if concept.administration:
            units |= {concept.administration.dose_unit, concept.administration.rate_unit}
    for unit in units:
        assert not re.search(r"[\[\]{}*]|\bu[gLm]|iU|  ", printed(unit)), unit


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("ug/kg/min", "µg/kg/min"), ("[iU]/min", "IU/min"), ("mm[Hg]", "mmHg"), ("cm[H2O]", "cmH₂O"), ("Cel", "°C"),
        ("mL/cm[H2O]", "mL/cmH₂O"), ("10*3/uL", "×10³/µL"), ("kg/m2", "kg/m²"), ("dyn.s/cm5", "dyn·s/cm⁵"),
        ("mL/min/{1.73_m2}", "mL/min per 1.73 m²"), ("meq/h", "mEq/h"), ("m[iU]/L", "mIU/L"), ("umol/L", "µmol/L"),
        ("L/min/m2", "L/min/m²"), ("{score}", ""), ("[pH]", ""), ("%", "%"), ("U/L", "U/L"), ("ug", "µg"),
    ],
)  # fmt: skip
def test_units(unit: str, text: str) -> None:
    assert printed(unit) == text


@pytest.mark.parametrize(
    ("fact", "clinician", "patient", "german"),
    [
        (Fact("a", "action", "crystalloid", value=500, unit="mL"), "500 mL", "500 mL", "500 mL"),
        (Fact("a", "action", "norepinephrine", value=0.1, unit="ug/kg/min"), "0.1 µg/kg/min", "0.1 µg/kg/min",
         "0,1 µg/kg/min"),
        (Fact("a", "action", "insulin", value=6.5, unit="[iU]"), "6.5 IU", "6.5 IU", "6,5 IE"),
        (Fact("a", "measurement", "heart_rate", value=118.2), "118/min", "118 beats a minute", "118/min"),
        (Fact("a", "measurement", "body_temperature", value=101.3, unit="[degF]"), "38.5 °C", "38.5 °C", "38,5 °C"),
        (Fact("a", "measurement", "base_excess", value=-0.2), "0 mmol/L", "0 mmol/L", "0 mmol/L"),
        (Fact("a", "measurement", "base_excess", value=-5), "−5 mmol/L", "−5 mmol/L", "−5 mmol/L"),
        (Fact("a", "measurement", "consciousness", value=2), "“Voice”", "“responds to voice only”",
         "„reagiert auf Ansprache“"),
        (Fact("a", "count", "beds", value=1), "1 bed", "1 bed", "1 Bett"),
        (Fact("a", "count", "patients", value=16269), "16,269 patients", "16,269 patients", "16\u202f269 Patienten"),
        (Fact("a", "difference", "body_temperature", value=-1.8, unit="Cel"), "1.8 °C", "1.8 °C", "1,8 °C"),
        (Fact("a", "difference", "sepsis_risk", value=-0.058), "5.8 percentage points", "5.8 percentage points",
         "5,8 Prozentpunkte"),
        (Fact("a", "horizon", "horizon", value=None), "from now to the end of the stay",
         "during the rest of the stay", "bis zum Ende des Aufenthalts"),
        (Fact("a", "likelihood", "lactate", value=0.93), "very likely (93 %)", "very likely (93 in 100)",
         "sehr wahrscheinlich (93 %)"),
        (Fact("a", "figure", "sensitivity", value=0.143), "14 %", "14 %", "14 %"),
    ],
)  # fmt: skip
def test_values_as_people_write_them(fact: Fact, clinician: str, patient: str, german: str) -> None:
    english = manner_of("en")
    assert value_of(fact, packet(fact), english) == clinician
    assert value_of(fact, packet(fact), english, "patient") == patient
    assert value_of(fact, packet(fact), manner_of("de")) == german


def test_an_outcome_is_named_by_itself_and_a_risk_as_a_risk() -> None:
    english = manner_of("en")
    assert label_of(Fact("a", "probability", "sepsis_risk", "sepsis"), "clinician", english) == "sepsis"
    assert label_of(Fact("a", "measurement", "sepsis_risk"), "clinician", english) == "risk of sepsis"
    assert label_of(Fact("a", "probability", "own_risk", "a fall"), "patient", english) == "a fall"


def test_what_a_fact_lacks_cannot_be_shown() -> None:
    for fact, facet in (
        (Fact("a", "missing", "lactate"), "value"), (Fact("a", "measurement", "lactate", value=math.nan), "value"),
        (Fact("a", "measurement", "lactate", value=1.0), "when"), (Fact("a", "words", "note"), "text"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="expected one"):
            show(fact, facet, packet(fact), "clinician", PLAIN)  # type: ignore[arg-type]
