"""How a language writes what facts need: marks of numbers, spans, times, counts, names of things. Data only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Final

import msgspec

from vitruvian.explanation.claims import Audience

__all__ = ["PLAIN", "Manner"]

_AMOUNT: Final = re.compile(r"(-?\d+(?:\.\d+)?)( ?)((?:[^\d\s]\S*)?)")
_PLACES: Final = {"{}": "(.+?)", "{#}": r"(-?\d+(?:\.\d+)?)", "{t}": "(s|min|h|d)"}
Span = tuple[str, str]  # one of it, several of it


class Manner(msgspec.Struct, frozen=True, dict=True):
    """How a language writes.

    `words`: patterns with `{}` for what stands in them; `next`, `last`, `ago`, `in`, `after` are looked up first for a
    reader (`next patient`), with their unit (`next h`), and where there is one of it with `1` (`next 1 h`). `spans`:
    names of `min`, `h`, `d` by reader. `likely`: words by the least probability that they stand for, by reader.
    `labels`: names by (name, reader), where they are not the vocabulary's own. `answers`: coded answers by (display,
    reader). `counted`: what a patient reads for the unit of a rate. `counts`: the noun of a count. `texts`: words of
    the twin's own in this language, by (their English, reader); `{}` stands for a part that varies, `{#}` for a number,
    `{t}` for a unit of time. `units`: printed units that this language writes otherwise.
    """

    code: str
    decimal: str
    thousands: str
    months: tuple[str, ...]
    words: Mapping[str, str]
    spans: Mapping[Audience, Mapping[str, Span]]
    likely: Mapping[Audience, tuple[tuple[float, str], ...]]
    labels: Mapping[tuple[str, Audience], str] = {}
    answers: Mapping[tuple[str, Audience], str] = {}
    counted: Mapping[str, str] = {}
    counts: Mapping[str, Span] = {}
    texts: Mapping[tuple[str, Audience], str] = {}
    units: Mapping[str, str] = {}

    def number(self, text: str) -> str:
        """A number as written with a point and a hyphen, in this language's marks."""
        return text.replace("-", "−").replace(".", self.decimal)

    def around(self, what: str, number: str, unit: str, named: str) -> str:
        """A span within its preposition: `over the next 6 h`."""
        found = self.words.get(f"{what} 1 {unit}") if number == "1" else None
        found = found or self.words.get(f"{what} {unit}") or self.words[what]
        return found.format(f"{number} {named}")

    def said(self, text: str, audience: Audience) -> str:
        """Words of the twin's own as this reader has them; as they are where the language has none."""
        exact = self.texts.get((text, audience))
        if exact is not None:
            return exact
        for reader, pattern, wording in self._patterns:
            found = pattern.fullmatch(text) if reader == audience else None
            if found:
                return wording.format(*(self._part(part, audience) for part in found.groups()))
        return self._amount(text)

    def knows(self, text: str, audience: Audience) -> bool:
        """Whether words are the twin's own from beginning to end: nothing in them but numbers and units varies."""
        known = (pattern for reader, pattern, _ in self._closed if reader == audience)
        return (text, audience) in self.texts or any(pattern.fullmatch(text) for pattern in known)

    def _part(self, text: str, audience: Audience) -> str:
        """A part of the twin's own words: known words and names of things in this language."""
        said = self.said(text, audience)
        return self.labels.get((text.casefold().replace(" ", "_"), audience), said) if said == text else said

    def _amount(self, text: str) -> str:
        """A number, with or without a unit, in this language's marks; other words as they are."""
        found = _AMOUNT.fullmatch(text)
        return f"{self.number(found[1])}{found[2]}{self.units.get(found[3], found[3])}" if found else text

    @cached_property
    def _patterns(self) -> tuple[tuple[Audience, re.Pattern[str], str], ...]:
        return tuple(
            (reader, _pattern(english), wording) for (english, reader), wording in self.texts.items() if "{" in english
        )

    @cached_property
    def _closed(self) -> tuple[tuple[Audience, re.Pattern[str], str], ...]:
        """The patterns in which no words vary."""
        return tuple(one for one in self._patterns if "(.+?)" not in one[1].pattern)


def _pattern(english: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[#t]?\})", english)
    return re.compile("".join(_PLACES.get(part) or re.escape(part) for part in parts))


PLAIN: Final = Manner(
    "en",
    ".",
    ",",
    ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    {
        "next": "over the next {}", "next 1 h": "over the next hour", "next 1 min": "over the next minute",
        "next patient": "in the next {}", "next patient 1 h": "in the next hour",
        "next patient 1 min": "in the next minute",
        "last": "in the last {}", "last 1 h": "in the last hour", "last 1 min": "in the last minute",
        "between": "between {c1} and {c2} on {d2} {m2}", "between days": "between {d1} {m1}, {c1}, and {d2} {m2}, {c2}",
        "ago": "{} ago", "in": "in {}", "after": "after {}",
        "stay clinician": "from now to the end of the stay", "stay patient": "during the rest of the stay",
        "at": "at {}", "yesterday": "yesterday at {}", "on": "on {day} {month} at {clock}",
        "on year": "on {day} {month} {year} at {clock}",
        "rising": "rising", "falling": "falling", "steady": "steady", "less": "less than {}", "more": "more than {}",
        "of": "{} in {}", "likely clinician": "{} ({})", "likely patient": "{} ({})", "quoted": "“{}”",
        "points": "{} percentage points", "brought": "the packet says: “{}”",
        "estimated clinician": "{} (estimated)", "estimated patient": "{} (modelled)",
        "on state": "on", "off state": "off", "risk of": "risk of {}",
    },
    {
        "clinician": {"min": ("min", "min"), "h": ("h", "h"), "d": ("day", "days")},
        "patient": {"min": ("minute", "minutes"), "h": ("hour", "hours"), "d": ("day", "days")},
    },
    # The words of the IPCC's guidance on uncertainty (Mastrandrea 2010), each from this probability on.
    {
        "clinician": (
            (0.99, "virtually certain"), (0.95, "extremely likely"), (0.90, "very likely"), (0.66, "likely"),
            (0.33, "about as likely as not"), (0.10, "unlikely"), (0.05, "very unlikely"),
            (0.01, "extremely unlikely"), (0.0, "exceptionally unlikely"),
        ),
        "patient": (
            (0.99, "almost sure"), (0.90, "very likely"), (0.66, "likely"), (0.33, "as likely as not"),
            (0.10, "not likely"), (0.0, "very unlikely"),
        ),
    },
)  # fmt: skip
