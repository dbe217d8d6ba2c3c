"""Every kind of claim is worded in every language for both readers, whatever its slots, lists and sign."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import product

import pytest

from vitruvian.core.errors import ConfigurationError, ModelError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.claims import Audience, Claim, Sign, Slot
from vitruvian.explanation.drafting import AUDIENCES
from vitruvian.explanation.drafts import LANGUAGES, draft_of, manner_of
from vitruvian.explanation.drafts.base import KINDS, listed, skeleton_of
from vitruvian.explanation.drafts.names import labels_of, texts_of
from vitruvian.explanation.drafts.registry import _BY_CODE
from vitruvian.explanation.subjects import _OTHERS, subject_of
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.tasks import TASKS
from vitruvian.signals import FEATURES

# What a kind's sign may be, where KINDS says that it has one; {slot: signs that come with it}, else None.
SIGNS: dict[str, tuple[Sign, ...]] = {
    "risk_moved": (-1, 0, 1), "usual": (-1, 0, 1), "expected": (-1, 0, 1, None), "effect": (-1, 0, 1),
    "risk_effect": (-1, 0, 1), "score_effect": (-1, 0, 1), "latest": (-1, 0, 1, None), "changed": (-1, 0, 1),
    "results": (-1, 1), "changes": (-1, 0, 1), "extreme": (-1, 1), "bed": (-1, 0, 1, None),
}  # fmt: skip
LISTED = ("scenario", "alarms", "critical", "medicines")
TABLES = {"en": "english", "de": "german", "es": "spanish"}
SLOT = re.compile(r"([a-z_]+)(\*?):([a-z|]+)(\??)")


def slots_of(kind: str) -> list[tuple[str, bool, tuple[str, ...], bool]]:
    """(name, numbered, facets, may be absent) of each slot of a kind, from KINDS' own notation."""
    stated = KINDS[kind].split(";")[0]
    found = [
        (name, star == "*", tuple(facets.split("|")), absent == "?")
        for name, star, facets, absent in SLOT.findall(stated)
    ]
    assert len(found) == len(stated.split()), f"KINDS[{kind!r}] is not in its notation: {stated}"
    return found


def claims_of(kind: str) -> Iterator[Claim]:
    """Claims of a kind: with and without each optional slot, one to four items of lists, each facet, each sign."""
    slots = slots_of(kind)
    free = [one for one in slots if one[3]]
    numbered = any(one[1] for one in slots)
    for there in product((True, False), repeat=len(free)):
        kept = {one[0] for one, is_there in zip(free, there, strict=True) if is_there}
        for items in (1, 2, 3, 4) if numbered else (1,):
            for choice in (0, 1):
                made: list[Slot] = []
                for name, star, facets, absent in slots:
                    if absent and name not in kept:
                        continue
                    facet = facets[min(choice, len(facets) - 1)]
                    names = [f"{name}{n}" for n in range(1, items + 1)] if star else [name]
                    made += [Slot(one, f"fact-{one}", facet) for one in names]  # type: ignore[arg-type]
                for sign in SIGNS.get(kind, (None,)):
                    if fits(kind, kept, sign):
                        yield Claim(kind, tuple(made), sign)


def fits(kind: str, kept: set[str], sign: Sign) -> bool:
    """Whether a plan could make it: ends of an interval come together, `earlier` where something moved."""
    if ("low" in kept) != ("high" in kept) or ("confidence" in kept and "low" not in kept):
        return False
    if kind == "risk_moved":
        return ("earlier" in kept) == (sign != 0)
    if kind == "bed":
        if "risk" not in kept:
            return sign is None and not {"earlier", "ago", "outcome"} & kept
        return ("ago" in kept) == (sign is not None) and ("earlier" in kept) == (sign in (-1, 1))
    if kind == "expected":
        return ("now" in kept) == (sign is not None)
    return True


def test_signs_are_known_where_there_are_some() -> None:
    signed = {kind for kind, stated in KINDS.items() if "sign" in stated.replace("no sign", "")}
    assert signed == set(SIGNS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_words_every_kind_for_both_readers_and_no_other(language: str) -> None:
    assert set(_BY_CODE[language].templates) == set(product(KINDS, AUDIENCES))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("audience", AUDIENCES)
def test_every_claim_of_a_kind_is_a_sentence(kind: str, audience: Audience, language: str) -> None:
    count = 0
    for claim in claims_of(kind):
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


def test_lists_read_as_lists() -> None:
    assert [listed(list("abc")[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


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
