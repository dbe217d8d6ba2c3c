"""Readability: the counter against published counts, and what patients read against its bar."""

from __future__ import annotations

import re
from statistics import median, quantiles

import pytest

from vitruvian.explanation.drafting import draft
from vitruvian.explanation.drafts.names import labels_of
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.readability import counts_of, grade, syllables
from vitruvian.testing.explanation_examples import examples
from vitruvian.testing.packets import packets

GRADE_MAX = 7.0
# In brackets too, and no names: these count in full.
EVERYDAY = frozenset(
    {"average", "eyes", "speech", "movement", "sensor", "fasting", "vein", "lab", "lungs", "clotting", "liver", "heart",
     "kidneys", "brain", "pulse", "temperature", "alertness", "equipment"}
)  # fmt: skip
OVER_SHARE_MAX = 0.01  # generated packets hold numbers and lists that no patient has; few of them may read harder
GRADE_WORST = 9.0
# Published: Wikipedia, "Flesch-Kincaid readability tests" (ease 116, 69 and 37.5; grade 11.3 of the last).
PUBLISHED = (
    ("The cat sat on the mat.", 6, 6, 116.1, -1.45),
    ("This sentence, taken as a reading passage unto itself, is being used to prove a point.", 16, 23, 69.0, 7.6),
    ("The Australian platypus is seemingly a hybrid of a mammal and reptilian creature.", 13, 24, 37.5, 11.3),
)


@pytest.mark.parametrize(("text", "words", "spoken", "ease", "level"), PUBLISHED)
def test_published_examples(text: str, words: int, spoken: int, ease: float, level: float) -> None:
    counts = counts_of(text)
    assert (counts.sentences, counts.words, counts.syllables) == (1, words, spoken)
    assert counts.ease == pytest.approx(ease, abs=0.06)
    assert counts.grade == pytest.approx(level, abs=0.06)


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("chance", 1), ("raised", 1), ("passed", 1), ("breath", 1), ("months", 1), ("real", 1), ("hours", 1),
        ("model", 2), ("readings", 2), ("table", 2), ("stages", 2), ("wanted", 2), ("people", 2), ("being", 2),
        ("oxygen", 3), ("serious", 3), ("infection", 3), ("extremely", 3), ("usual", 3), ("calcium", 3), ("area", 3),
        ("temperature", 4), ("information", 4), ("potassium", 4), ("bilirubin", 4), ("university", 5),
        ("communication", 5), ("special", 2), ("movement", 2), ("rhythm", 2), ("patient's", 2),
    ],
)  # fmt: skip
def test_syllables(word: str, count: int) -> None:
    """By the CMU Pronouncing Dictionary."""
    assert syllables(word) == count


def test_how_facts_are_counted() -> None:
    counts = counts_of("Heart rate 118.5 beats a minute at 14:05. Lactate 4.2 mmol/L, CRP 12 mg/L, 95 %.")
    assert counts.sentences == 2
    assert counts.words == 13  # heart rate 118.5 beats a minute at 14:05 lactate 4.2 CRP 12 95
    assert counts_of("Take 3.5 mmol/L now").sentences == 1  # a point within a number ends nothing, an end may be bare
    assert counts_of("One drug (norepinephrine).", names={"norepinephrine"}).syllables == 3
    with pytest.raises(ValueError, match="no word"):
        grade(" . ")


def names_of(packet: Evidence) -> frozenset[str]:
    """Words that stand for themselves: names of drugs and tests in brackets, and of places."""
    told = [found for label in labels_of("english", "patient").values() for found in re.findall(r"\((\S+)\)", label)]
    told += [fact.label for fact in packet.facts if fact.role == "place"]
    return frozenset(word.casefold() for label in told for word in re.findall("[A-Za-z]+", label)) - EVERYDAY


def grades_of(seed: int, count: int) -> list[float]:
    texts = ((packet, draft(packet, "patient").text) for packet in packets(seed, count))
    return [grade(text, names_of(packet)) for packet, text in texts if text]


def held(found: list[float]) -> None:
    over = [one for one in found if one > GRADE_MAX]
    told = f"median {median(found):.1f}, 95th percentile {quantiles(found, n=20)[-1]:.1f}, worst {max(found):.1f}"
    assert len(over) <= OVER_SHARE_MAX * len(found), told
    assert max(found) <= GRADE_WORST, told


def test_what_patients_read_is_plain() -> None:
    """Generated packets of every kind: at most one in a hundred above grade 7."""
    held(grades_of(seed=4, count=240))


@pytest.mark.long
def test_what_patients_read_is_plain_for_many() -> None:
    held(grades_of(seed=400, count=4000))


def test_examples_are_plain_with_every_word_counted() -> None:
    for packet in examples():
        assert grade(draft(packet, "patient").text) <= GRADE_MAX, packet.kind
