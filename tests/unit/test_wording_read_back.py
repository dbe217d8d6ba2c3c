"""A displayed text read back: by its facts, their roles, numbers, directions and words, each by itself."""

from __future__ import annotations

import pytest

from vitruvian.core.time import HOUR_US
from vitruvian.explanation.claims import Claim, Slot
from vitruvian.explanation.drafts import draft_of, manner_of
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.filling import fill
from vitruvian.explanation.wording.base import Refused
from vitruvian.explanation.wording.figures import agrees, number_in
from vitruvian.explanation.wording.read_back import read_back

AT_US = 1_800_000_000_000_000
PACKET = Evidence(
    "risk",
    AT_US,
    (
        Fact("risk", "probability", "sepsis_risk", "sepsis", 0.12, at_us=AT_US),
        Fact("confidence", "confidence", "confidence", "", 95, unit="%", of="risk"),
        Fact("low", "interval_low", "sepsis_risk", "sepsis", 0.081, of="risk"),
        Fact("high", "interval_high", "sepsis_risk", "sepsis", 0.17, of="risk"),
        Fact("horizon", "horizon", "horizon", "", 6, unit="h", of="risk"),
        Fact("earlier", "earlier", "sepsis_risk", "sepsis", 0.062, at_us=AT_US - 6 * HOUR_US, of="risk"),
        Fact("rate", "measurement", "heart_rate", "", 118, unit="/min", at_us=AT_US),
        Fact("pressure", "measurement", "mean_pressure", "", 52, unit="mm[Hg]", at_us=AT_US),
    ),
)
CLAIM = Claim(
    "risk_moved",
    (
        Slot("outcome", "risk", "label"), Slot("risk", "risk", "value"), Slot("low", "low", "value"),
        Slot("high", "high", "value"), Slot("confidence", "confidence", "value"), Slot("horizon", "horizon", "value"),
        Slot("earlier", "earlier", "value"), Slot("ago", "earlier", "when"),
    ),
    1,
)  # fmt: skip
TRUE = "The estimated risk of sepsis over the next 6 h is 12 % (95 % interval 8.1 % to 17 %), up from 6.2 % 6 h ago."


def refusal(text: str, claim: Claim = CLAIM, packet: Evidence = PACKET) -> str:
    """The rule that refuses a text; empty where it reads back."""
    try:
        read_back(text, claim, packet, "clinician", "en")
    except Refused as refused:
        return refused.rule
    return ""


def test_the_draft_and_another_wording_read_back() -> None:
    assert refusal(TRUE) == ""
    drafted = fill(draft_of(CLAIM, "clinician", "en"), CLAIM, PACKET, "clinician", manner_of("en"))
    assert refusal(drafted.text) == ""


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("read_facts", TRUE.replace("12 %", "13 %")),
        ("read_facts", TRUE.replace("12 %", "112 %")),
        ("read_facts", TRUE.replace("12 %", "-12 %")),
        ("read_facts", TRUE.replace("12 %", "12 ‰")),
        ("read_facts", TRUE.replace("8.1 % to 17 %", "17 % to 8.1 %")),
        ("read_facts", TRUE.replace("12 %", "6.2 %").replace("from 6.2 %", "from 12 %")),
        ("read_facts", TRUE.replace("sepsis", "death")),
        ("read_facts", TRUE.replace("next 6 h", "next 12 h")),
        ("read_facts", TRUE.replace("6 h ago", "6 days ago")),
        ("read_facts", TRUE.replace(".", " and 12 %.", 1)),
        ("read_rest", TRUE[:-1] + " and lactate 4.1 mmol/L."),
        ("read_rest", TRUE.replace("estimated", "<b>estimated</b>")),
        ("read_rest", TRUE.replace("estimated", "еstimated")),  # Cyrillic
        ("read_role", TRUE.replace("from 6.2 %", "to 6.2 %")),
        ("read_role", TRUE.replace("interval 8.1", "about 8.1")),
        ("read_sign", TRUE.replace("up from", "down from")),
        ("read_sign", TRUE.replace("up from", "neither up nor higher from")),
        ("read_words", TRUE.replace("is 12 %", "is not 12 %")),
        ("read_words", TRUE.replace("The estimated", "An estimated")),
        ("read_words", TRUE + " The patient is well."),
        ("read_size", TRUE * 60),
    ],
)
def test_each_way_to_be_wrong_is_told(rule: str, text: str) -> None:
    assert text != TRUE
    assert refusal(text) == rule


def test_a_claim_whose_direction_is_not_its_numbers_is_refused() -> None:
    """Should a plan ever compute a wrong sign, its sentence is not a model's to say."""
    wrong = Claim(CLAIM.kind, CLAIM.slots, -1)
    assert refusal(TRUE.replace("up from", "down from"), wrong) == "read_sign"


def test_a_value_stays_with_its_own_label() -> None:
    slots = [Slot(f"{head}{n}", fact, facet) for n, fact in ((1, "rate"), (2, "pressure"))
             for head, facet in (("c", "label"), ("v", "value"))]  # fmt: skip
    claim = Claim("critical", tuple(slots))  # type: ignore[arg-type]
    text = fill(draft_of(claim, "clinician", "en"), claim, PACKET, "clinician", manner_of("en")).text
    assert refusal(text, claim) == ""
    crossed = text.replace("118/min", "~").replace("52 mmHg", "118/min").replace("~", "52 mmHg")
    assert crossed != text
    assert refusal(crossed, claim) == "read_facts"


def test_other_languages_are_not_read_back() -> None:
    with pytest.raises(Refused) as refused:
        read_back(TRUE, CLAIM, PACKET, "clinician", "de")
    assert refused.value.rule == "language"


@pytest.mark.parametrize(
    ("text", "number"),
    [("12 %", 12.0), ("−3.5 mmHg", -3.5), ("1,204 mL", 1204.0), ("less than 0.1 %", None), ("over the next hour", None),
     ("12 in 100", None), ("5.8 percentage points", 5.8), ("7", 7.0)],
)  # fmt: skip
def test_numbers_are_read_as_a_person_reads_them(text: str, number: float | None) -> None:
    assert number_in(text) == number


def test_a_number_is_held_to_the_evidence_not_to_how_it_is_shown() -> None:
    risk = PACKET.by_id["risk"]
    assert agrees("12 %", risk, "value", PACKET)
    assert not agrees("13 %", risk, "value", PACKET)
    assert not agrees("0.12 %", risk, "value", PACKET)
    assert agrees("12 in 100", risk, "frequency", PACKET)
    assert not agrees("13 in 100", risk, "frequency", PACKET)
    assert agrees("118/min", PACKET.by_id["rate"], "value", PACKET)
    assert not agrees("118.6/min", PACKET.by_id["rate"], "value", PACKET)
