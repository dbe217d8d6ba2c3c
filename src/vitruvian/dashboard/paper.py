"""An explanation as one HTML page of its own, to keep and to print: no script, nothing fetched, facts as footnotes."""

from __future__ import annotations

from importlib.resources import files
from typing import Final, NamedTuple

from vitruvian.core.time import from_us, zone_named
from vitruvian.dashboard.explained import Block, block
from vitruvian.dashboard.render import environment
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.service.explain_views import ExplanationView

__all__ = ["paper"]

TITLES: Final = {
    "risk": "A risk, explained", "forecast": "A forecast, explained", "what_if": "A what-if, explained",
    "alert": "Alarms, explained", "timeline": "What happened", "handover": "Handover",
    "card": "A model, in plain words", "answer": "A question, answered",
}  # fmt: skip


class _Noted(NamedTuple):
    text: str
    number: int  # of the footnote; 0: none


def paper(said: ExplanationView, evidence: Evidence, *, title: str = "", question: str = "") -> str:
    """The page."""
    from markupsafe import Markup

    made = block(said, "paper")
    css = (files("vitruvian.dashboard") / "templates" / "paper.css").read_text("utf-8")
    at = from_us(evidence.at_us).astimezone(zone_named(evidence.zone))
    return environment().get_template("paper.html").render(
        title=title or TITLES[evidence.kind],
        question=question,
        css=Markup(css),  # noqa: S704 - a file of this package
        sentences=_numbered(made),
        notes=made.notes,
        block=made,
        at=f"{at:%d %b %Y %H:%M} ({evidence.zone})",
        reader="a clinician" if said.audience == "clinician" else "plain words",
        evidence=evidence,
    )  # fmt: skip


def _numbered(made: Block) -> list[tuple[list[_Noted], bool]]:
    """The sentences in pieces, each fact with the number of its footnote."""
    number = {note.fact: place for place, note in enumerate(made.notes, 1)}
    return [
        ([_Noted(one.text, number[one.note.fact] if one.note else 0) for one in said.pieces], said.by_model)
        for said in made.sentences
    ]
