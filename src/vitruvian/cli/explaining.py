"""What `explain`, `ask` and `handover` find: of a packet, of a journal that is read, or as a ward answered; and how it
is printed and kept.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import typer

from vitruvian.core.errors import ConfigurationError, ReadingError
from vitruvian.explanation.claims import Audience
from vitruvian.explanation.drafting import AUDIENCES
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.evidence.packet import read_packet
from vitruvian.explanation.narrate import Narrator
from vitruvian.service.aside import Aside
from vitruvian.service.asking import Asking
from vitruvian.service.explain_views import ExplanationView, explanation_view
from vitruvian.service.explaining import Explaining
from vitruvian.service.wording import llm_settings

__all__ = [
    "Found",
    "answer_of_journal",
    "as_text",
    "handover_of_journal",
    "of_answer",
    "of_journal",
    "of_packet",
    "write",
]

INDENT: Final = "    "


class Found(NamedTuple):
    """An explanation with its evidence, and the question that it answers, where there was one."""

    explanation: ExplanationView
    evidence: Evidence
    question: str = ""
    intent: str = ""

    def json(self) -> bytes:
        """As the HTTP API answers it."""
        told: dict[str, Any] = {"explanation": self.explanation, "evidence": self.evidence}
        if self.question:
            told = {"question": self.question, "intent": self.intent, **told}
        return msgspec.json.format(msgspec.json.encode(told), indent=1)


def of_answer(answer: Mapping[str, Any], question: str = "") -> Found:
    """What a ward answered. Raises ReadingError where it is of another form."""
    try:
        said = msgspec.convert(answer["explanation"], ExplanationView)
        evidence = msgspec.convert(answer["evidence"], Evidence)
    except (KeyError, msgspec.ValidationError) as error:
        raise ReadingError(f"found an answer of another form ({error}); the ward may be of another version") from None
    return Found(said, evidence, question, str(answer.get("intent", "")))


def of_packet(data: bytes, reader: str, language: str, model: str | None) -> Found:
    """A packet that someone brings."""
    return _told(read_packet(data), reader, language, model)


def of_journal(path: Path, zone: str, patient: str, about: str, reader: str, language: str, model: str | None) -> Found:
    """Of a patient of a journal."""
    with Aside.open(path, zone) as ward:
        if about == "forecast":
            typer.echo("Taking up the bodies; this may take a minute.", err=True)
        return _told(Explaining(ward).evidence(patient, about), reader, language, model)


def handover_of_journal(path: Path, zone: str, of: str, reader: str, language: str, model: str | None) -> Found:
    """Of the ward of a journal."""
    with Aside.open(path, zone) as ward:
        return _told(Explaining(ward).handover(of), reader, language, model)


def answer_of_journal(
    path: Path, zone: str, patient: str, question: str, reader: str, language: str, model: str | None
) -> Found:
    """The answer to a question about a patient of a journal."""
    with Aside.open(path, zone) as ward, _narrator(model) as narrator:
        asked = Asking(ward).answer(patient, question, _reader(reader), language)
        said = narrator.explain(asked.evidence, _reader(reader), language, wait=True)
        return Found(explanation_view(said, asked.evidence), asked.evidence, question, asked.intent)


def as_text(found: Found) -> str:
    """As it is printed: each sentence with the numbers of its facts, and the facts beneath."""
    said = found.explanation
    number = {name: place for place, name in enumerate(said.footnotes, 1)}
    lines = [found.question, ""] if found.question else []
    for sentence in said.sentences:
        marks = ", ".join(str(number[one]) for one in sentence.facts if one in number)
        lines.append(f"{sentence.text} [{marks}]" if marks else sentence.text)
    if number:
        lines.append("")
    width = len(str(len(number)))
    for name, note in said.footnotes.items():
        lines.append(f"[{number[name]:>{width}}] {note.title}")
        lines += [f"{INDENT}{' ' * width}{line}" for line in note.lines]
    worded = f"worded by {said.model}" if said.status != "draft" and said.model else "worded by fixed rules"
    lines += ["", f"{worded}{'; simulated' if said.simulated else ''}; not a medical device"]
    return "\n".join(lines)


def write(found: Found, folder: Path) -> None:
    """Keep explanation.json and explanation.html in a folder, made where it is not there."""
    from vitruvian.dashboard.paper import paper

    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "explanation.json").write_bytes(found.json() + b"\n")
        (folder / "explanation.html").write_text(paper(found.explanation, found.evidence, question=found.question))
    except OSError as error:
        raise ConfigurationError(f"found no way to write to {folder} ({error.strerror}); name another folder") from None


@contextlib.contextmanager
def _narrator(model: str | None) -> Iterator[Narrator]:
    """A narrator with the language model that was named; None: whatever is there."""
    settings = llm_settings(model)
    built = settings.build()
    try:
        yield Narrator(built, deadline_s=settings.deadline_s, send=settings.send)
    finally:
        if built is not None:
            built.close()


def _told(evidence: Evidence, reader: str, language: str, model: str | None) -> Found:
    with _narrator(model) as narrator:
        said = narrator.explain(evidence, _reader(reader), language, wait=True)
    return Found(explanation_view(said, evidence), evidence)


def _reader(name: str) -> Audience:
    if name not in AUDIENCES:
        raise ConfigurationError(f"found --for {name!r}, expected one of {', '.join(AUDIENCES)}; choose one")
    return name
