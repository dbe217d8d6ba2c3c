"""Names of things in a packet that someone brings: what is known here by its name is called as it is called here.

The label of a name that nobody here knows is somebody's word, and is shown in quotation marks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.evidence.base import Fact
from vitruvian.explanation.evidence.card import FIGURES
from vitruvian.explanation.subjects import in_sentence, subjects

__all__ = ["own_label", "relabelled"]

_OWN: Final[Mapping[str, str]] = {"blood_pressure": "blood pressure"}  # known here, and in no table


def own_label(fact: Fact) -> bool:
    """Whether a fact of a packet that was read has the twin's own label: its name is of the vocabulary or of another
    table here. Otherwise the label is somebody's word.
    """
    known = fact.name in VOCABULARY or fact.name in _OWN or subjects(fact.name).known
    return known or fact.label == FIGURES.get(fact.name)


def relabelled(fact: Fact) -> Fact:
    """A fact as it is brought, under the label that its name has here, if it has one."""
    if fact.name in FIGURES:
        return msgspec.structs.replace(fact, label=FIGURES[fact.name])
    if not own_label(fact) or fact.name.endswith("_risk"):  # outcomes are called by their names alone
        return fact
    concept, own = VOCABULARY.get(fact.name), _OWN.get(fact.name, subjects(fact.name).label)
    known = {own}
    if concept is not None:
        known |= {concept.short, concept.display, in_sentence(concept.display)}
        own = in_sentence(concept.display) if concept.kind == "intervention" else own
        own = concept.short if concept.kind == "score" else own
    return fact if fact.label in known else msgspec.structs.replace(fact, label=own)
