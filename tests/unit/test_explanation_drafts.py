"""Every kind of claim is worded in every language for both readers, whatever its slots, lists and sign."""

from __future__ import annotations

import re
from functools import cache
from itertools import product

import pytest

from vitruvian.core.errors import ConfigurationError, ModelError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.claims import Audience, Claim, Sign, Slot
from vitruvian.explanation.drafting import AUDIENCES
from vitruvian.explanation.drafts import LANGUAGES, draft_of, manner_of
from vitruvian.explanation.drafts.base import KINDS, SIGNS, skeleton_of
from vitruvian.explanation.drafts.kinds import claims_of, slots_of
from vitruvian.explanation.drafts.names import labels_of, texts_of
from vitruvian.explanation.drafts.templates import templates_of
from vitruvian.explanation.subjects import _OTHERS, subject_of
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.tasks import TASKS
from vitruvian.signals import FEATURES

LISTED = ("scenario", "alarms", "critical", "medicines")
TABLES = {"en": "english", "de": "german", "es": "spanish"}


def test_signs_are_known_where_there_are_some() -> None:
    signed = {kind for kind, stated in KINDS.items() if "sign" in stated.replace("no sign", "")}
    assert signed == set(SIGNS)


def test_kinds_are_stated_in_their_notation() -> None:
    for kind, stated in KINDS.items():
        assert len(slots_of(kind)) == len(stated.split(";")[0].split()), stated


def test_claims_of_a_kind_are_of_every_sort() -> None:
    """What templates are held to has each optional slot and lacks it, one item and two, each facet, each sign."""
    for kind in KINDS:
        claims = list(claims_of(kind))
        assert len({claim.shape for claim in claims}) == len(claims)
        assert {claim.sign for claim in claims} == set(SIGNS.get(kind, (None,)))
        seen = {(one.name, one.facet) for claim in claims for one in claim.slots}
        for slot in slots_of(kind):
            names = [f"{slot.name}1", f"{slot.name}2"] if slot.numbered else [slot.name]
            assert {(name, facet) for name in names for facet in slot.facets} <= seen
            assert slot.optional == any(claim.slot(names[0]) is None for claim in claims), (kind, slot)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_words_every_kind_for_both_readers_and_no_other(language: str) -> None:
    assert set(templates_of(TABLES[language])) == set(product(KINDS, AUDIENCES))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_every_claim_of_a_kind_is_a_sentence(kind: str, audience: Audience, language: str) -> None:
    count = 0
    for claim in claims_of(kind, (1, 2, 3, 4)):
        skeleton = draft_of(claim, audience, language)  # raises where a slot is missing, unknown or there twice
        text = "".join(part if isinstance(part, str) else "X" for part in skeleton.parts)
        assert text.endswith(".")
        assert text.count(".") == 1, text
        assert text[0].isupper(), text
        assert not re.search(r"  | [.,;:)]|\( |[{}<>]|\d|,,|\.\.", text), text
        assert text.count("(") == text.count(")"), text
        count += 1
    assert count


def test_a_sign_is_never_lost() -> None:
    """Two claims that differ only by their sign are never worded alike."""
    for kind, audience, language in product(SIGNS, AUDIENCES, LANGUAGES):
        worded: dict[tuple[Slot, ...], set[str]] = {}
        signs: dict[tuple[Slot, ...], set[Sign]] = {}
        for claim in claims_of(kind):
            words = repr(draft_of(claim, audience, language).parts)
            worded.setdefault(claim.slots, set()).add(words)
            signs.setdefault(claim.slots, set()).add(claim.sign)
        for slots, found in worded.items():
            assert len(found) == len(signs[slots]), (kind, audience, language, slots)


def test_an_interval_of_a_fall_is_told_from_its_smaller_end() -> None:
    slots = tuple(
        Slot(name, name, "value") for name in ("subject", "difference", "low", "high", "confidence", "horizon")
    )
    for language, audience in product(LANGUAGES, AUDIENCES):
        rise = [one.name for one in draft_of(Claim("effect", slots, 1), audience, language).slots]
        fall = [one.name for one in draft_of(Claim("effect", slots, -1), audience, language).slots]
        assert rise.index("low") < rise.index("high")
        assert fall.index("high") < fall.index("low")


def test_a_template_whose_slots_are_not_the_claims_is_an_error() -> None:
    claim = Claim("no_drivers", (Slot("outcome", "risk", "label"),))
    for template in ("Nothing.", "{outcome} {outcome}.", "{outcome} {risk}."):
        with pytest.raises(ValueError, match="slots"):
            skeleton_of(template, claim)


def test_an_unknown_language_says_which_there_are() -> None:
    with pytest.raises(ConfigurationError, match="en, de, es"):
        manner_of("tlh")


@cache
def every_name() -> set[str]:
    """Everything that a packet of ours can be about."""
    features = set(FEATURES)
    for task in TASKS:
        try:
            features |= set(Predictor.load(task=task).features)
        except ModelError:  # no model is shipped for it
            continue
    return {concept.name for concept in VOCABULARY} | set(_OTHERS) | {subject_of(one) for one in features}


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_has_a_name_for_both_readers(language: str) -> None:
    labels = labels_of(TABLES[language])
    readers: tuple[Audience, ...] = ("patient",) if language == "en" else AUDIENCES  # English: the vocabulary's own
    lacking = [(name, reader) for name, reader in product(every_name(), readers) if (name, reader) not in labels]
    assert not lacking
    for (name, _reader), label in labels.items():
        assert 2 < len(label) <= 60 or name == "ph", (name, label)
        assert "_" not in label
        assert label == " ".join(label.split())
        assert label.count("(") == label.count(")") <= 1


def test_languages_name_the_same_things() -> None:
    names = [{name for name, _ in labels_of(TABLES[language])} for language in LANGUAGES]
    assert names[0] == names[1] == names[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_translated(language: str) -> None:
    """Few names are alike in two languages (insulin, NEWS2); a forgotten column would be."""
    if language == "en":
        return
    own, english = labels_of(TABLES[language], "patient"), labels_of("english", "patient")
    alike = [name for (name, reader), label in own.items() if english[(name, reader)] == label]
    assert len(alike) <= 5, alike


@pytest.mark.parametrize("language", LANGUAGES)
def test_known_texts_are_said_with_what_varies_in_them(language: str) -> None:
    manner = manner_of(language)
    for (english, reader), _ in texts_of(TABLES[language]).items():
        said = manner.said(english.replace("{}", "x").replace("{#}", "17").replace("{t}", "min"), reader)
        assert said
        assert "{" not in said
    said = manner.said("insufficient data: fewer than 3 of heart rate, temperature are recent", "patient")
    assert "3" in said
    assert "temperature" not in said


def test_unknown_texts_stay_as_they_are_but_for_the_marks_of_numbers() -> None:
    german = manner_of("de")
    assert german.said("admitted from theatre", "clinician") == "admitted from theatre"
    assert german.said("0.1 µg/kg/min", "clinician") == "0,1 µg/kg/min"
    assert german.said("HR 134.5 above 120", "clinician") == "HR 134,5 > 120"


@pytest.mark.parametrize("task", TASKS)
def test_every_outcome_has_a_plain_name(task: str) -> None:
    for language, reader in product(LANGUAGES, AUDIENCES):
        assert (f"{task}_risk", reader) in manner_of(language).labels
