"""`vitruvian explain`, `ask`, `handover`: a risk, an answer, a ward in words, each figure with the fact behind it.

From a running ward over HTTP, from a journal that is only read, or from a packet of evidence in a file.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

import typer

from vitruvian.cli.ward_client import DEFAULT_URL, WardClient
from vitruvian.core.errors import ConfigurationError

if TYPE_CHECKING:
    from vitruvian.cli.explaining import Found

STANDARD_INPUT: Final = "-"
CARD: Final = "model:"

Patient = Annotated[str | None, typer.Argument(metavar="[PATIENT]", help="The patient's id, as the ward lists it.")]
For = Annotated[str, typer.Option("--for", help="clinician, or patient: in plain words.")]
Language = Annotated[str, typer.Option(help="Of the sentences, such as en.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print explanation and evidence as JSON.")]
Out = Annotated[Path | None, typer.Option(help="Write explanation.json and explanation.html to this folder.")]
Url = Annotated[str, typer.Option(envvar="VITRUVIAN_URL", help="The running ward to ask.")]
TokenFile = Annotated[Path | None, typer.Option(help="The file that holds the token, where the ward asks for one.")]
JournalFile = Annotated[
    Path | None, typer.Option("--journal", help="Read this journal instead; a ward may be running on it.")
]
Zone = Annotated[str, typer.Option(help="The facility's time zone, of a journal.")]
Model = Annotated[
    str | None,
    typer.Option(
        help="What words it: installed weights by name, a settings file (.toml), or none. A ward uses its own."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("explain")(explain)
    app.command("ask")(ask)
    app.command("handover")(handover)


def explain(
    patient: Patient = None,
    about: Annotated[
        str, typer.Option(help="risk:TASK, forecast, alerts, timeline:HOURS; model:TASK needs no patient.")
    ] = "risk:sepsis",
    for_: For = "clinician",
    language: Language = "en",
    evidence: Annotated[
        Path | None, typer.Option(help="Explain this packet of evidence (JSON); no ward is needed. - reads it here.")
    ] = None,
    as_json: AsJson = False,
    out: Out = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    journal: JournalFile = None,
    zone: Zone = "UTC",
    model: Model = None,
) -> None:
    """Say in words what a risk, a forecast, the alarms or the last hours come to, with the facts behind each figure."""
    from vitruvian.cli import explaining as local

    if evidence is not None:
        if patient is not None:
            raise ConfigurationError("found a patient and --evidence, expected one of them; leave the other out")
        found = local.of_packet(_bytes_of(evidence), for_, language, model)
    elif patient is None and not about.startswith(CARD):
        raise ConfigurationError("found no patient, expected an id; or bring a packet with --evidence FILE.json")
    elif journal is not None:
        found = local.of_journal(journal, zone, patient or "", about, for_, language, model)
    else:
        found = local.of_answer(WardClient(url, token_file).get(*_asked(patient or "", about, for_, language)))
    _say(found, as_json, out)


def _asked(patient: str, about: str, reader: str, language: str) -> tuple[str, dict[str, str]]:
    """Path and query of what is to be explained."""
    query = {"for": reader, "language": language, "wait": "1"}
    if about.startswith(CARD):
        return f"/api/v1/models/{quote(about.removeprefix(CARD), safe='')}/explanation", query
    return f"/api/v1/patients/{quote(patient, safe='')}/explanation", {"about": about, **query}


def ask(
    patient: Annotated[str, typer.Argument(help="The patient's id, as the ward lists it.")],
    question: Annotated[str, typer.Argument(help='Such as "why did the risk rise since six?".')],
    for_: For = "clinician",
    language: Language = "en",
    as_json: AsJson = False,
    out: Out = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    journal: JournalFile = None,
    zone: Zone = "UTC",
    model: Model = None,
) -> None:
    """Ask about a patient. The answer comes from facts, or says that it is not known; orders are refused."""
    from vitruvian.cli import explaining as local

    if journal is not None:
        found = local.answer_of_journal(journal, zone, patient, question, for_, language, model)
    else:
        body = json.dumps({"question": question, "for": for_, "language": language}).encode()
        ward = WardClient(url, token_file)
        found = local.of_answer(
            ward.post(f"/api/v1/patients/{quote(patient, safe='')}/ask", body, {"wait": "1"}), question
        )
    _say(found, as_json, out)


def handover(
    ward_name: Annotated[str, typer.Option("--ward", help="Of this ward alone; by default of all.")] = "",
    for_: For = "clinician",
    language: Language = "en",
    as_json: AsJson = False,
    out: Out = None,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
    journal: JournalFile = None,
    zone: Zone = "UTC",
    model: Model = None,
) -> None:
    """A shift's handover: the ward in a sentence, then each bed, the gravest first."""
    from vitruvian.cli import explaining as local

    if journal is not None:
        found = local.handover_of_journal(journal, zone, ward_name, for_, language, model)
    else:
        query = {"ward": ward_name, "for": for_, "language": language, "wait": "1"}
        found = local.of_answer(WardClient(url, token_file).get("/api/v1/handover", query))
    _say(found, as_json, out)


def _bytes_of(file: Path) -> bytes:
    if str(file) == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"found no packet in {file} ({error.strerror}); name a file of evidence") from None


def _say(found: Found, as_json: bool, out: Path | None) -> None:
    from vitruvian.cli.explaining import as_text, write

    if out is not None:
        write(found, out)
        typer.echo(f"{out / 'explanation.html'}", err=as_json)
    if as_json:
        typer.echo(found.json().decode())
    elif out is None:
        typer.echo(as_text(found))
