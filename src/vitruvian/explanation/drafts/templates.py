"""The drafts of a language: its table of templates, read once, and held to every claim that a plan could make."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec

from vitruvian.core.errors import ConfigurationError
from vitruvian.explanation.claims import Audience
from vitruvian.explanation.drafts.base import KINDS, skeleton_of
from vitruvian.explanation.drafts.kinds import claims_of
from vitruvian.explanation.drafts.notation import Joint, Template, template_from

__all__ = ["Templates", "templates_from", "templates_of"]

Templates = Mapping[tuple[str, Audience], Template]


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    """`templates.toml`: joints of lists, parts that templates share, and a template for each kind and reader."""

    joints: dict[str, Joint]
    parts: dict[str, str]
    clinician: dict[str, str]
    patient: dict[str, str]


@cache
def templates_of(language: str) -> Templates:
    """The templates of a language's folder. Raises ConfigurationError."""
    where = files("vitruvian.explanation.drafts").joinpath(language, "templates.toml")
    return templates_from(where.read_text("utf-8"), f"{language}/templates.toml")


def templates_from(text: str, where: str) -> Templates:
    """The templates of a table. Raises ConfigurationError where one is missing, wrong, or does not word a claim."""
    try:
        table = msgspec.convert(tomllib.loads(text), _Table)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{where}: {error}; expected tables joints, parts, clinician and patient") from error
    made: dict[tuple[str, Audience], Template] = {}
    readers: tuple[tuple[Audience, dict[str, str]], ...] = (("clinician", table.clinician), ("patient", table.patient))
    for reader, worded in readers:
        if lacking := sorted(set(KINDS) ^ set(worded)):
            raise ConfigurationError(f"{where} [{reader}]: expected each kind of claim once; look at {lacking}")
        for kind, wording in worded.items():
            place = f"{where} [{reader}] {kind}"
            made[(kind, reader)] = template_from(wording, table.joints, table.parts, place)
            _hold(made[(kind, reader)], kind, place)
    return made


def _hold(template: Template, kind: str, where: str) -> None:
    """Raises ConfigurationError where a claim of the kind is not worded, not with each slot once, or as another is."""
    seen = set()
    for claim in claims_of(kind):
        try:
            worded = skeleton_of(template(claim), claim)
        except ValueError as error:
            raise ConfigurationError(f"{where}: {error}; it has to word {claim.shape}") from error
        if worded in seen:
            raise ConfigurationError(f"{where}: found {worded.words!r} for two signs, expected to tell them apart")
        seen.add(worded)
