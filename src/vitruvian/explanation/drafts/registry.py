"""The drafts by language."""

from __future__ import annotations

from typing import Final, NamedTuple

from vitruvian.core.errors import ConfigurationError
from vitruvian.explanation.claims import Audience, Claim, Skeleton
from vitruvian.explanation.drafts import english, german, spanish
from vitruvian.explanation.drafts.base import skeleton_of
from vitruvian.explanation.drafts.templates import templates_of
from vitruvian.explanation.showing import Manner

__all__ = ["LANGUAGES", "draft_of", "manner_of"]


class _Language(NamedTuple):
    folder: str
    manner: Manner


_BY_CODE: Final = {
    "en": _Language("english", english.MANNER),
    "de": _Language("german", german.MANNER),
    "es": _Language("spanish", spanish.MANNER),
}
LANGUAGES: Final = tuple(_BY_CODE)


def manner_of(language: str) -> Manner:
    """How a language writes. Raises ConfigurationError."""
    return _language(language).manner


def draft_of(claim: Claim, audience: Audience, language: str) -> Skeleton:
    """The draft's wording of a claim; every language has one for both readers. Raises ConfigurationError."""
    return skeleton_of(templates_of(_language(language).folder)[(claim.kind, audience)](claim), claim)


def _language(code: str) -> _Language:
    found = _BY_CODE.get(code)
    if found is None:
        raise ConfigurationError(f"found language {code!r}, expected one of {', '.join(LANGUAGES)}; choose one of them")
    return found
