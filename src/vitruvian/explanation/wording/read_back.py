"""The displayed text read back into facts, and held against the evidence: the last gate before a reader.

Nothing here looks at the skeleton that made the text. It finds what stands in the text, tells each one's role by its
form and by the words around it, and then compares: the same facts, each once, an item's value behind its own label;
every number equal to the evidence's, in its unit; low before high; the direction of the words equal to that of the
numbers and of the claim; and no word that none of the claim's wordings has.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from vitruvian.explanation.claims import Audience, Claim, Skeleton, Slot
from vitruvian.explanation.drafts import manner_of
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.showing import show
from vitruvian.explanation.wording.base import Refused
from vitruvian.explanation.wording.figures import agrees, number_in
from vitruvian.explanation.wording.lexicon import ALLOWED, POLARITY
from vitruvian.explanation.wording.patterns import lowered, tokens_of
from vitruvian.explanation.wording.phrases import WORDED
from vitruvian.explanation.wording.shapes import drafted, is_wording, shape_of
from vitruvian.explanation.wording.tags import tag_of

__all__ = ["Found", "read_back"]

TEXT_CHARS_MAX: Final = 4_000
_AROUND: Final = re.compile(r"[A-Za-z ,.;:()'-]*")
_SPAN: Final = re.compile(
    r"((over|in|for|during) the (next|last|past|coming|rest)|from now|to the end)\b", re.IGNORECASE
)
_WHEN: Final = re.compile(
    r"(at \d\d:\d\d|yesterday at \d\d:\d\d|on \d+ [A-Z][a-z]+ (\d+ )?at \d\d:\d\d|(in|after) .*|.* ago)", re.IGNORECASE
)
# What a number must turn out to be, by its slot's name; any other is a value, or where something goes to.
_ROLES: Final = {
    "earlier": ("from",), "from": ("from",), "f": ("from",), "now": ("from", "value"), "before": ("value",),
    "after": ("value",), "low": ("low",), "high": ("to",), "confidence": ("confidence",), "horizon": ("ahead",),
    "window": ("ahead",),
}  # fmt: skip
_PAIRS: Final = (("earlier", "risk"), ("before", "after"), ("from", "to"), ("now", "later"), ("f", "v"))


class Found(msgspec.Struct, frozen=True):
    """Something of the evidence in the text: where, as what it reads, and the word before and after it."""

    start: int
    end: int
    text: str
    before: str
    after: str


def read_back(text: str, claim: Claim, evidence: Evidence, audience: Audience, language: str) -> None:
    """Whether the text says what the claim says, of this evidence, and nothing else. Raises Refused."""
    if language not in WORDED:
        raise Refused("language", f"found {language!r}, which is read back in none but {', '.join(WORDED)}")
    if len(text) > TEXT_CHARS_MAX:
        raise Refused("read_size", f"found {len(text)} characters")
    manner, draft = manner_of(language), drafted(claim, audience, language)
    shown = [show(evidence.by_id[slot.fact], slot.facet, evidence, audience, manner) for slot in draft.slots]
    found = _found(text, shown)
    _same(found, shown)
    around = _around(text, found)
    for one, slot in zip(found, draft.slots, strict=True):
        _in_role(one, slot, claim)
        _true(one, slot, evidence)
    _direction(found, draft.slots, claim, around)
    _worded(around, draft, claim, audience, language)


def _found(text: str, shown: list[str]) -> list[Found]:
    """What of the shown stands in the text, from left to right, the longest first: a part of a number is no match."""
    wanted = sorted({one for one in shown if one}, key=len, reverse=True)
    begins = {one[0] for one in wanted}
    found, at = [], 0
    while at < len(text):
        match = None
        if at == 0 or text[at] in begins:  # a capital of the sentence's own stands at its start only
            match = next((one for one in wanted if _stands(text, one, at)), None)
        if match is None:
            at += 1
            continue
        end = at + len(match)
        found.append(Found(at, end, text[at:end], _word(text[:at], last=True), _word(text[end:], last=False)))
        at = end
    return found


def _stands(text: str, one: str, at: int) -> bool:
    same = text.startswith(one, at) or (at == 0 and text[:1].lower() == one[:1].lower() and text.startswith(one[1:], 1))
    if not same:
        return False
    before, after = text[at - 1 : at], text[at + len(one) : at + len(one) + 2]
    begins = not (before and one[0].isalnum() and (before.isalnum() or before in "-−.,<>+/"))
    inside = bool(after) and one[-1].isalnum() and (after[0].isalnum() or after[0] in "-−/%°")
    return begins and not inside and not (after[:1] in (".", ",") and after[1:2].isdigit())


def _word(text: str, *, last: bool) -> str:
    tokens = tokens_of(text[-40:] if last else text[:40])
    return (tokens[-1 if last else 0]).lower() if tokens else ""


def _same(found: list[Found], shown: list[str]) -> None:
    """The claim's facts and no others, each once, in the draft's order."""
    if len(found) != len(shown):
        raise Refused("read_facts", f"found {len(found)} facts, expected {len(shown)}")
    for one, expected in zip(found, shown, strict=True):
        if one.text[1:] != expected[1:] or one.text[:1].lower() != expected[:1].lower():
            raise Refused("read_facts", f"found {one.text[:40]!r}, expected {expected[:40]!r}")


def _around(text: str, found: list[Found]) -> list[str]:
    """The text between facts. A digit, a unit or an odd sign in it is something that no fact said."""
    places = [0, *(place for one in found for place in (one.start, one.end)), len(text)]
    around = [text[start:end] for start, end in zip(places[::2], places[1::2], strict=True)]
    for piece in around:
        if not _AROUND.fullmatch(piece):
            raise Refused("read_rest", f"found {piece[:40]!a} outside the facts")
    return around


def _in_role(one: Found, slot: Slot, claim: Claim) -> None:
    """Its role, told by its form and the words at it, is the slot's."""
    if slot.facet not in ("value", "when"):
        return
    name, role = slot.name.rstrip("0123456789"), _role(one)
    allowed = ("when",) if slot.facet == "when" else _ROLES.get(name, ("value", "to"))
    if claim.sign == 0 and name == "from":
        allowed = ("value",)  # "6.2 then and 6.2 now"
    if claim.kind == "effect" and name in ("low", "high"):
        allowed = ("low", "to")  # along the direction of the difference
    if role not in allowed:
        raise Refused("read_role", f"found {one.text[:40]!r} as {role}, expected {' or '.join(allowed)}")


def _role(one: Found) -> str:
    if _SPAN.match(one.text):
        return "ahead"
    if _WHEN.fullmatch(one.text):
        return "when"
    if one.after in ("interval", "range"):
        return "confidence"
    if one.before in ("interval", "range", "of", "is") and one.after == "to":
        return "low"
    if one.before in ("from", "than"):
        return "from"
    return "to" if one.before == "to" else "value"


def _true(one: Found, slot: Slot, evidence: Evidence) -> None:
    """A number that reads as the evidence's own, to the decimals shown."""
    if not agrees(one.text, evidence.by_id[slot.fact], slot.facet, evidence):
        raise Refused("read_value", f"found {one.text[:40]!r}, which is not the value of {slot.fact}")


def _direction(found: list[Found], slots: tuple[Slot, ...], claim: Claim, around: list[str]) -> None:
    """The words' direction is the claim's, and that of the numbers where two are compared."""
    said = _said(claim, around, slots)
    if said != claim.sign:
        raise Refused("read_sign", f"found the direction {said}, expected {claim.sign}")
    if claim.sign is None:
        return
    values = {slot.name: number_in(one.text) for one, slot in zip(found, slots, strict=True)}
    for first, then in _PAIRS:
        for name, before in values.items():
            number = name.removeprefix(first)
            after = values.get(then + number)
            if not name.startswith(first) or (number and not number.isdigit()) or before is None or after is None:
                continue
            moved = (after > before) - (after < before)
            if moved not in (claim.sign, 0):  # shown alike, they may differ behind the decimals
                raise Refused("read_sign", f"found {before:g} to {after:g} with the direction {claim.sign}")


def _said(claim: Claim, around: list[str], slots: tuple[Slot, ...]) -> int | None:
    """The direction of the words, None where they say none. Raises Refused where they say two."""
    text = f" {' '.join(_tokens(around, slots))} "
    for phrase, counts_as in ALLOWED.get(claim.kind, {}).items():
        text = text.replace(f" {phrase} ", f" {counts_as} ")
    said = [POLARITY[word] for word in text.split() if word in POLARITY]
    if len(said) > 1:
        raise Refused("read_sign", f"found the directions {said}")
    return said[0] if said else None


def _worded(around: list[str], draft: Skeleton, claim: Claim, audience: Audience, language: str) -> None:
    """The words between are those of one wording of the claim: nothing was added, denied or left out."""
    if is_wording(_tokens(around, draft.slots), shape_of(claim, draft, audience, language)):
        return
    raise Refused("read_words", "found words that are no wording of this claim")


def _tokens(around: list[str], slots: tuple[Slot, ...]) -> tuple[str, ...]:
    pieces = [piece for pair in zip(around, [*map(tag_of, slots), ""], strict=True) for piece in pair]
    return lowered([token for piece in pieces for token in tokens_of(piece)])
