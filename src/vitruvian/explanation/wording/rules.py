"""The rules of the verifier, each a function that raises `Refused` with its own name; pure.

All but the last judge a sentence by itself, whatever grammar or phrase book made it: they would refuse a wrong pattern
of our own as they refuse a wrong answer of a model. `checked` tells the words in the order of the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from vitruvian.explanation.claims import Audience, Claim, Skeleton, Slot
from vitruvian.explanation.wording.base import Refused
from vitruvian.explanation.wording.contexts import AFTER, BEFORE, CENTRAL, PREPOSITIONS, SPANS
from vitruvian.explanation.wording.lexicon import (
    ALLOWED,
    FORBIDDEN,
    NEGATIONS,
    NUMBER_WORDS,
    POLARITY,
    REQUIRED,
    UNITS,
)
from vitruvian.explanation.wording.patterns import lowered, spaced, tokens_of
from vitruvian.explanation.wording.phrases import phrases_of
from vitruvian.explanation.wording.tags import tag_of, tagged

__all__ = ["CHARS_MAX", "RULES", "WORDS_MAX", "Checked", "checked_of", "same_slots"]

CHARS_MAX: Final = 600  # outside slots; the longest draft of a list has about 200
WORDS_MAX: Final = 90
_CHARACTERS: Final = re.compile(r"[A-Za-z ,.;:()'-]*")  # ASCII: nothing that looks like another letter, or is unseen
_ITEMS: Final = (("alarms", "a"), ("note", "n"))  # lists whose items may be words and no label
_DIGITS: Final = re.compile(r"\d")


class Checked(msgspec.Struct, frozen=True):
    """A sentence under judgement. `tokens`: words in small letters, marks and tags; `left`: the same with what the
    kind may say in spite of the lists of words taken out; `drafted`: the draft's tokens.
    """

    skeleton: Skeleton
    claim: Claim
    draft: Skeleton
    audience: Audience
    language: str
    tokens: tuple[str, ...]
    left: tuple[str, ...]
    drafted: tuple[str, ...]


def checked_of(skeleton: Skeleton, claim: Claim, draft: Skeleton, audience: Audience, language: str) -> Checked:
    """The sentence taken apart."""
    tokens = lowered(tokens_of(tagged(skeleton)))
    left = _without(tokens, ALLOWED.get(claim.kind, {}))
    return Checked(skeleton, claim, draft, audience, language, tokens, left, lowered(tokens_of(tagged(draft))))


def _without(tokens: tuple[str, ...], allowed: Mapping[str, str]) -> tuple[str, ...]:
    """The tokens with each of these word sequences replaced by what it counts as."""
    text = f" {' '.join(tokens)} "
    for phrase, counts_as in allowed.items():
        text = text.replace(f" {phrase} ", f" {counts_as} ")
    return tuple(text.split())


def size(one: Checked) -> None:
    """No longer than a sentence is."""
    if len(one.skeleton.words) > CHARS_MAX or len(one.tokens) > WORDS_MAX:
        raise Refused("size", f"found {len(one.skeleton.words)} characters in {len(one.tokens)} words")


def characters(one: Checked) -> None:
    """Letters of ASCII, blanks and few marks: no digit, no markup, no sign that is unseen or looks like another."""
    for part in one.skeleton.parts:
        if isinstance(part, str) and not _CHARACTERS.fullmatch(part):
            odd = next(each for each in part if not _CHARACTERS.fullmatch(each))
            raise Refused("numbers" if odd.isdigit() else "characters", f"found {odd!a} outside a slot")


def tags(one: Checked) -> None:
    """The claim's slots, each once, in the draft's order."""
    same_slots(one.skeleton, one.claim, one.draft)


def same_slots(skeleton: Skeleton, claim: Claim, draft: Skeleton) -> None:
    """The very slots, not others of the same name: the same facet of the same fact. Raises Refused(`tags`)."""
    expected = draft.slots
    of_claim = {slot.name: slot for slot in claim.slots}
    whole = {slot.name: slot for slot in expected} == of_claim and len(expected) == len(of_claim)
    if skeleton.slots != expected or not whole:
        found = " ".join(tag_of(each) for each in skeleton.slots)
        raise Refused("tags", f"found {found}, expected {' '.join(tag_of(each) for each in expected)}")


def sentence(one: Checked) -> None:
    """One sentence: a capital (or a slot) at its start, one full stop, at its end, single blanks, brackets closed."""
    text = tagged(one.skeleton)
    begun = text[:1].isupper() or text[:1] == "<"
    if not begun or text.count(".") != 1 or not text.endswith("."):
        raise Refused("sentence", "found no single sentence with a capital and a full stop")
    if text != text.strip() or spaced(tokens_of(text)) != text:
        raise Refused("sentence", "found blanks where none belong, or none where one does")
    depth = 0
    for mark in one.tokens:
        depth += (mark == "(") - (mark == ")")
        if depth not in (0, 1):
            raise Refused("sentence", "found brackets that do not match")
    if depth:
        raise Refused("sentence", "found a bracket that does not close")


def numbers(one: Checked) -> None:
    """No number in words or digits and no unit: these are facts, and facts stand in slots."""
    for token in one.left:
        if not token.startswith("<") and (token in NUMBER_WORDS or token in UNITS or _DIGITS.search(token)):
            raise Refused("numbers", f"found {token!r} outside a slot")


def said(one: Checked) -> None:
    """Nothing is denied, ordered, caused, certain or intense, but what the kind itself says."""
    for token in one.left:
        if token in NEGATIONS:
            raise Refused("negation", f"found {token!r}")
        for rule, listed in FORBIDDEN.items():
            if token in listed:
                raise Refused(rule, f"found {token!r}")


def polarity(one: Checked) -> None:
    """One direction and the claim's, where it has one; none where it has none."""
    found = [POLARITY[each] for each in one.left if each in POLARITY]
    expected = [] if one.claim.sign is None else [one.claim.sign]
    if found != expected:
        raise Refused("polarity", f"found directions {found}, expected {expected}")


def required(one: Checked) -> None:
    """What makes it this kind of statement is said: that it is simulated, associated, expected, not measured."""
    text = f" {' '.join(one.tokens)} "
    for wanted in REQUIRED.get(one.claim.kind, ()):
        if not any(f" {phrase} " in text for phrase in wanted):
            raise Refused("required", f"found none of {', '.join(wanted)}")


def roles(one: Checked) -> None:
    """Each slot stands where its role is said: `from` an earlier value, low before high behind their number."""
    names = {tag_of(slot): slot for slot in one.claim.slots}
    for place, token in enumerate(one.tokens):
        slot = names.get(token)
        if slot is None:
            continue
        before = one.tokens[place - 1] if place else ""
        after = one.tokens[place + 1] if place + 1 < len(one.tokens) else ""
        _stands(_role(slot), one.claim, _seen(before, names), _seen(after, names))
        if (slot.facet == "when" or slot.name in SPANS) and slot.name != "ago" and before in PREPOSITIONS:
            raise Refused("roles", f"found {before!r} before {token}, which holds its own")


def _role(slot: Slot) -> str:
    return slot.name.rstrip("0123456789")


def _seen(token: str, names: dict[str, Slot]) -> str:
    """A neighbour: a word, a mark, or a slot's role in braces."""
    return f"{{{_role(names[token])}}}" if token in names else token


def _stands(role: str, claim: Claim, before: str, after: str) -> None:
    for table, seen, side in ((BEFORE, before, "before"), (AFTER, after, "after")):
        allowed = table.get((claim.kind, role), table.get(("", role)))
        if allowed is not None and seen not in allowed:
            raise Refused("roles", f"found {seen!r} {side} {role}, expected one of {', '.join(sorted(allowed))}")


def belongings(one: Checked) -> None:
    """An interval belongs to the number before it; an item of a list has its own value, move and time behind it."""
    central, item = "", ""
    for slot in one.skeleton.slots:
        role = _role(slot)
        number = slot.name[len(role) :]
        if number:
            begins = slot.facet == "label" or (one.claim.kind, role) in _ITEMS
            follows = number == "1" or (item != "" and int(number) == int(item) + 1)
            if not (follows if begins else number == item):
                raise Refused("belongings", f"found {slot.name} behind item {item or 'none'}")
            item = number
        elif role in ("low", "high") and central not in CENTRAL:
            raise Refused("belongings", f"found an interval behind {central or 'nothing'}")
        elif slot.facet == "value" and role not in ("low", "high", "confidence") and role not in SPANS:
            central = role


def lexicon(one: Checked) -> None:
    """Every word is one of the claim's closed list: the phrase book's and the draft's."""
    allowed = phrases_of(one.claim, one.draft, one.audience, one.language).words
    for each in one.tokens:
        if each[0].isalpha() and each not in allowed and each not in one.drafted:
            raise Refused("words", f"found {each[:30]!r}, which is no word of this claim")


def wording(one: Checked) -> None:
    """It is one of the phrase book's wordings of the claim, or the draft's own. Whatever else it is, it is refused."""
    if one.tokens == one.drafted:
        return
    if not phrases_of(one.claim, one.draft, one.audience, one.language).hold(one.tokens):
        raise Refused("wording", "found a wording that is none of the phrase book's")


RULES: Final[tuple[Callable[[Checked], None], ...]] = (
    size, characters, tags, sentence, numbers, said, polarity, required, roles, belongings, lexicon, wording,
)  # fmt: skip
