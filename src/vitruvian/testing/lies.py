"""Sentences and skeletons made false on purpose, for testing whatever must refuse them.

    for kind, text in lies(sentence, evidence, audience, Random(1)): ...      # false texts of a true sentence
    for kind, skeleton in false_skeletons(skeleton, Random(1)): ...           # wordings that may not be filled

Every one differs in meaning from what it was made of: a number, a direction, two facts exchanged, a unit, a role, a
window, something added, denied, left out or hidden.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from random import Random
from typing import Final

from vitruvian.explanation.claims import Audience, Cite, Sentence, Skeleton, Slot
from vitruvian.explanation.drafts import manner_of
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.showing import show

__all__ = ["LIES", "false_skeletons", "lies"]

_DIGIT: Final = re.compile(r"\d")
_OPPOSITES: Final[Mapping[str, str]] = {
    first: second
    for pair in (
        ("up", "down"), ("higher", "lower"), ("above", "below"), ("rise", "fall"), ("rose", "fell"),
        ("risen", "fallen"), ("rising", "falling"), ("increase", "decrease"), ("increased", "decreased"),
        ("highest", "lowest"), ("within", "above"), ("same", "higher"), ("unchanged", "up"), ("close", "higher"),
        ("steady", "rising"), ("next", "last"), ("in", "above"), ("stay", "rise"),
    )
    for first, second in (pair, pair[::-1])
}  # fmt: skip
_UNITS: Final[Mapping[str, str]] = {
    "mmHg": "kPa", "%": "‰", "/min": "/h", "mg/dL": "g/dL", "mmol/L": "mol/L", "°C": "°F", "g/dL": "mg/dL",
    "mL": "L", "h": "days", "min": "h", "hours": "minutes", "days": "h", "minutes": "hours", "µg/kg/min": "mg/kg/min",
    "mEq/L": "mEq/dL", "a minute": "an hour", "beds": "wards", "L/min": "mL/min",
}  # fmt: skip
_ROLES: Final = (("from", "to"), ("over the next", "over the last"), ("ago", "from now"), ("than", "to"),
                 ("with", "without"), ("in", "after"), ("now", "then"), ("before", "after"))  # fmt: skip
_ADDED: Final = (
    " and lactate {n} mmol/L", ", and the risk of sepsis is {n} %", " because of pneumonia", ", so give fluids",
    ", which is certain", ", although this is wrong", ", twice the usual", ", which is dangerous",
    ", and blood pressure is low", ", in half of all patients",
)  # fmt: skip
_AFTER: Final = (" The risk is falling.", " Give {n} mL of fluid.", " This is normal.", " <b>Ignore this.</b>",
                 " Heart rate is {n}/min.")  # fmt: skip
_BEFORE: Final = ("not ", "no longer ", "never ", "hardly ", "probably ", "definitely ", "much ", "slightly ", "twice ")
_HIDDEN: Final = ("\u200b", "\u202e", "\u00ad", "<i>", "\u0430", "\u2060", "&lt;")


def lies(sentence: Sentence, evidence: Evidence, audience: Audience, random: Random) -> Iterator[tuple[str, str]]:
    """(kind of lie, text), each kind at most once, for those that can be told of the sentence."""
    for name, tell in LIES.items():
        text = tell(sentence, evidence, audience, random)
        if text is not None and text != sentence.text:
            yield name, text


def _number(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str | None:
    places = [found.start() for found in _DIGIT.finditer(sentence.text)]
    if not places:
        return None
    at = random.choice(places)
    other = random.choice([digit for digit in "0123456789" if digit != sentence.text[at]])
    return sentence.text[:at] + other + sentence.text[at + 1 :]


def _direction(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str | None:
    found = [one for one in re.finditer(r"[A-Za-z]+", sentence.text) if one[0].lower() in _OPPOSITES]
    if not found:
        return None
    one = random.choice(found)
    return sentence.text[: one.start()] + _OPPOSITES[one[0].lower()] + sentence.text[one.end() :]


def _swap(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str | None:
    """Two facts shown in each other's place."""
    text = sentence.text
    shown = [(one, text[one.start : one.end].lower()) for one in sentence.cites]
    pairs = [(a, b) for (a, x), (b, y) in combinations(shown, 2) if a.facet == b.facet and x != y]
    if not pairs:
        return None
    a, b = random.choice(pairs)
    first, second = text[a.start : a.end], text[b.start : b.end]
    return text[: a.start] + second + text[a.end : b.start] + first + text[b.end :]


def _unit(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str | None:
    found = [
        (one, other) for unit, other in _UNITS.items()
        for one in re.finditer(rf"(?<=[\d ]){re.escape(unit)}(?![A-Za-z/])", sentence.text)
    ]  # fmt: skip
    if not found:
        return None
    one, other = random.choice(found)
    return sentence.text[: one.start()] + other + sentence.text[one.end() :]


def _role(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str | None:
    found = [pair for pair in _ROLES if re.search(rf"\b{pair[0]}\b", sentence.text)]
    if not found:
        return None
    one, other = random.choice(found)
    return re.sub(rf"\b{one}\b", other, sentence.text, count=1)


def _window(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str | None:
    """Another span or time."""
    found = list(re.finditer(r"\d+(?= (h|min|hours?|minutes?|days?)\b)|\d\d:\d\d", sentence.text))
    if not found:
        return None
    one = random.choice(found)
    other = (
        f"{(int(one[0][:2]) + 1) % 24:02d}{one[0][2:]}" if ":" in one[0] else str(int(one[0]) + random.randint(1, 40))
    )
    return sentence.text[: one.start()] + other + sentence.text[one.end() :]


def _other_fact(sentence: Sentence, evidence: Evidence, audience: Audience, random: Random) -> str | None:
    """Another fact of the packet in the place of one."""
    ways: list[tuple[Cite, str]] = []
    for cite in sentence.cites:
        shown = sentence.text[cite.start : cite.end]
        for fact in evidence.facts:
            try:
                other = show(fact, cite.facet, evidence, audience, manner_of("en"))
            except ValueError:
                continue
            if other.lower() != shown.lower():
                ways.append((cite, other))
    if not ways:
        return None
    cite, other = random.choice(ways)
    return sentence.text[: cite.start] + other + sentence.text[cite.end :]


def _added(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str:
    more = random.choice(_ADDED).format(n=random.randint(2, 90))
    return f"{sentence.text[:-1]}{more}."


def _second(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str:
    return sentence.text + random.choice(_AFTER).format(n=random.randint(2, 90))


def _denied(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str:
    places = [one.start() for one in re.finditer(r"(?<= )[A-Za-z]", sentence.text)] or [0]
    at = random.choice(places)
    return sentence.text[:at] + random.choice(_BEFORE) + sentence.text[at:]


def _left_out(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str | None:
    if not sentence.cites:
        return None
    cite = random.choice(sentence.cites)
    return sentence.text[: cite.start] + sentence.text[cite.end :]


def _repeated(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str | None:
    if not sentence.cites:
        return None
    cite = random.choice(sentence.cites)
    return f"{sentence.text[: cite.end]} and {sentence.text[cite.start : cite.end]}{sentence.text[cite.end :]}"


def _hidden(sentence: Sentence, _evidence: Evidence, _audience: Audience, random: Random) -> str:
    at = random.randrange(len(sentence.text))
    return sentence.text[:at] + random.choice(_HIDDEN) + sentence.text[at:]


LIES: Final[Mapping[str, Callable[[Sentence, Evidence, Audience, Random], str | None]]] = {
    "number": _number, "direction": _direction, "swap": _swap, "unit": _unit, "role": _role, "window": _window,
    "other fact": _other_fact, "added claim": _added, "second sentence": _second, "denied": _denied,
    "left out": _left_out, "repeated": _repeated, "hidden sign": _hidden,
}  # fmt: skip


def false_skeletons(skeleton: Skeleton, random: Random) -> Iterator[tuple[str, Skeleton]]:
    """(kind of lie, skeleton), for those that can be told of the skeleton."""
    slots, parts = skeleton.slots, skeleton.parts
    if len(slots) > 1:
        a, b = random.sample(range(len(slots)), 2)
        exchanged = {slots[a]: slots[b], slots[b]: slots[a]}
        yield "swap", Skeleton(tuple(exchanged.get(part, part) if isinstance(part, Slot) else part for part in parts))
    if slots:
        one = random.choice(slots)
        place = parts.index(one)
        yield "left out", Skeleton(parts[:place] + parts[place + 1 :])
        yield "repeated", Skeleton((*parts[:place], one, " and ", *parts[place:]))
        other = Slot(one.name, f"{one.fact}-other", one.facet)
        yield "other fact", Skeleton((*parts[:place], other, *parts[place + 1 :]))
        facet = Slot(one.name, one.fact, "when" if one.facet != "when" else "value")
        yield "other facet", Skeleton((*parts[:place], facet, *parts[place + 1 :]))
    worded = [place for place, part in enumerate(parts) if isinstance(part, str)]
    for name, text in _false_words(parts, worded, random):
        place, changed = text
        yield name, Skeleton((*parts[:place], changed, *parts[place + 1 :]))


def _false_words(
    parts: tuple[str | Slot, ...], worded: list[int], random: Random
) -> Iterator[tuple[str, tuple[int, str]]]:
    for place in worded:
        text = str(parts[place])
        for found in re.finditer(r"[A-Za-z]+", text):
            if found[0].lower() in _OPPOSITES:
                yield "direction", (place, text[: found.start()] + _OPPOSITES[found[0].lower()] + text[found.end() :])
        for one, other in _ROLES:
            if re.search(rf"\b{one}\b", text):
                yield "role", (place, re.sub(rf"\b{one}\b", other, text, count=1))
    if worded:
        place = random.choice(worded)
        text = str(parts[place])
        at = random.randrange(len(text) + 1)
        yield "hidden sign", (place, text[:at] + random.choice(_HIDDEN) + text[at:])
        yield "number", (place, f"{text[:at]}{random.randint(0, 99)}{text[at:]}")
        yield (
            "denied",
            (place, f"{text} {random.choice(_BEFORE)}" if text.endswith(" ") else f" {random.choice(_BEFORE)}{text}"),
        )
        last = worded[-1]
        yield "added claim", (last, str(parts[last])[:-1] + random.choice(_ADDED).format(n="many") + ".")
        yield "second sentence", (last, str(parts[last]) + random.choice(_AFTER).format(n="many"))
