"""Numbers as people write them: decimals, per cents, natural frequencies, likelihood in words tied to its number."""

from __future__ import annotations

import math
from typing import Final

from vitruvian.explanation.claims import Audience
from vitruvian.explanation.evidence.base import Fact
from vitruvian.explanation.manner import Manner

__all__ = ["DIGITS", "decimals", "frequency", "likely", "number_of", "percent", "plain", "points"]

DIGITS: Final = 4  # significant ones of a number whose decimals nobody has decided
HUGE: Final = 1e9
NOTHING: Final = 1e-9  # less is noise of arithmetic, in every unit of the vocabulary
_RAISED: Final = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def number_of(fact: Fact) -> float:
    """The value of a fact. Raises ValueError where it has none."""
    if fact.value is None or math.isnan(fact.value):
        raise ValueError(f"found no value in the fact {fact.id}, expected one")
    return fact.value


def decimals(value: float, places: int) -> str:
    """With that many decimals; never `-0`."""
    if abs(value) >= HUGE:
        return plain(value)
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def plain(value: float, digits: int = DIGITS) -> str:
    """At most so many significant digits, whole numbers whole, and no exponent where people would not write one."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞"
    if abs(value) < NOTHING:
        return "0"
    power = math.floor(math.log10(abs(value)))
    if abs(value) >= HUGE:
        return f"{_stripped(f'{value / 10.0**power:.{digits - 1}f}')}×10{str(power).translate(_RAISED)}"
    return _stripped(f"{value:.{max(digits - 1 - power, 0)}f}")


def _stripped(text: str) -> str:
    """Without noughts at the end of its decimals, and without the sign of a nought."""
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.removeprefix("-") if float(text) == 0 else text


def percent(probability: float, manner: Manner) -> str:
    """A probability as people read it: one decimal below 10 %, none above; never 0 or 100."""
    share = 100 * probability
    if share < 0.1:
        return manner.words["less"].format(manner.number("0.1 %"))
    if share > 99:
        return manner.words["more"].format("99 %")
    return manner.number(f"{share:.1f} %" if share < 9.95 else f"{share:.0f} %")


def points(difference: float, manner: Manner) -> str:
    """The difference of two probabilities: `5.8 percentage points`."""
    share = 100 * difference
    number = decimals(share, 1 if abs(share) < 9.95 else 0)
    if float(number) == 0 and share:
        number = plain(share, 1)
    return manner.words["points"].format(manner.number(number))


def frequency(probability: float, manner: Manner) -> str:
    """A natural frequency: `12 in 100`, `4 in 1,000` below one in a hundred; never none and never all."""
    out_of = 100 if probability >= 0.00995 else 1_000
    count = min(max(round(probability * out_of), 1), out_of - 1)
    return manner.words["of"].format(count, f"{out_of:,}".replace(",", manner.thousands))


def likely(probability: float, audience: Audience, manner: Manner) -> str:
    """A likelihood in words with its number: `very likely (93 %)`."""
    word = next(word for least, word in manner.likely[audience] if probability >= least or least == 0)
    shown = percent(probability, manner) if audience == "clinician" else frequency(probability, manner)
    return manner.words[f"likely {audience}"].format(word, shown)
