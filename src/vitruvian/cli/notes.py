"""`vitruvian notes`: what a clinical note says, coded, as suggestions that wait for a person; here, or on a ward."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from vitruvian.cli.ward_client import DEFAULT_URL
from vitruvian.core.errors import ConfigurationError

if TYPE_CHECKING:
    from vitruvian.explanation.notes import Suggestion

FILE_BYTES_MAX = 4 << 20
Url = Annotated[str, typer.Option(envvar="VITRUVIAN_URL", help="The running ward.")]
TokenFile = Annotated[Path | None, typer.Option(help="The file that holds the token, where the ward asks for one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PatientId = Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's id, as the ward lists it.")]
NoteId = Annotated[str, typer.Argument(metavar="NOTE", help="The note's id, as `waiting` lists it.")]
Which = Annotated[
    list[str], typer.Argument(metavar="SUGGESTION...", help="Ids of suggestions, as `waiting` lists them.")
]

notes = typer.Typer(
    help="Coded facts from clinical text; suggestions, never facts by themselves.", no_args_is_help=True
)


@notes.command()
def extract(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Notes as UTF-8 text, one a file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a note.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write NAME.json for each note to this folder.")] = None,
    terminology: Annotated[
        Path | None,
        typer.Option(
            help="Your own SNOMED CT (RF2 snapshot), RxNorm (RXNCONSO.RRF) or .tsv table: a file or a folder."
        ),
    ] = None,
    patient: Annotated[
        str | None, typer.Option(help="Post the notes to a running ward, of this patient: they wait there.")
    ] = None,
    at: Annotated[str, typer.Option(help="When the note was written (ISO 8601), for --patient; by default now.")] = "",
    title: Annotated[str, typer.Option(help="What the note is called, for --patient.")] = "",
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Find conditions, medicines and findings in notes, with codes, exact spans and what is asserted of each.

    Nothing is sent anywhere, but to the ward with --patient, and nothing is written to a twin. What stands in an
    instruction to a machine, in markup or behind hidden characters is listed apart with the reason.
    """
    from vitruvian.cli import noting
    from vitruvian.explanation.notes import dictionary
    from vitruvian.explanation.notes import extract as run

    if patient is not None:
        if out is not None or terminology is not None:
            raise ConfigurationError(
                "found --patient with --out or --terminology, expected one of them; a ward reads by its own terminology"
            )
        for path in files:
            noting.post(noting.ward(url, token_file), patient, _text(path), at, title or path.stem, as_json)
        return
    known = dictionary(terminology)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    for path in files:
        text = _text(path)
        found = run(text, known)
        if out is not None:
            (out / f"{path.stem}.json").write_text(
                json.dumps(_told(path, text, found), ensure_ascii=False, indent=1), "utf-8"
            )
            typer.echo(f"{out / path.stem}.json: {len(found)} suggestions", err=True)
        elif as_json:
            typer.echo(json.dumps(_told(path, text, found), ensure_ascii=True))
        else:
            _show(path, text, found)


@notes.command()
def waiting(patient: PatientId, as_json: AsJson = False, url: Url = DEFAULT_URL, token_file: TokenFile = None) -> None:
    """What waits for a decision on a running ward: a patient's notes and their suggestions."""
    from vitruvian.cli import noting

    noting.waiting(noting.ward(url, token_file), patient, as_json)


@notes.command()
def accept(
    patient: PatientId,
    note: NoteId,
    suggestions: Which,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Accept suggestions of a note on a running ward: they become events of the twin, durable on return."""
    from vitruvian.cli import noting

    noting.decide(noting.ward(url, token_file), patient, note, "accept", suggestions, as_json)


@notes.command()
def reject(
    patient: PatientId,
    note: NoteId,
    suggestions: Which,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token_file: TokenFile = None,
) -> None:
    """Reject suggestions of a note on a running ward: nothing is entered."""
    from vitruvian.cli import noting

    noting.decide(noting.ward(url, token_file), patient, note, "reject", suggestions, as_json)


def _text(path: Path) -> str:
    """A note's text as it stands, line ends included. Raises ReadingError, LimitError."""
    from vitruvian.core.errors import LimitError, ReadingError

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ReadingError(f"found no note at {path} ({error.strerror}), expected a text file") from error
    if len(raw) > FILE_BYTES_MAX:
        raise LimitError(f"found {path} of {len(raw)} bytes, expected at most {FILE_BYTES_MAX}; give one note a file")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ReadingError(
            f"found bytes in {path} that are no UTF-8 (at {error.start}), expected UTF-8; convert it"
        ) from error


def _told(path: Path, text: str, found: Sequence[Suggestion]) -> dict[str, Any]:
    import msgspec

    from vitruvian.explanation.notes import note_digest

    return {
        "note": path.name,
        "sha256": note_digest(text),
        "chars": len(text),
        "suggestions": [msgspec.to_builtins(one) for one in found],
    }


def _show(path: Path, text: str, found: Sequence[Suggestion]) -> None:
    table = Table(title=f"{path.name}: suggestions, for a person to accept or reject", title_justify="left")
    for heading in ("line", "words", "said to be", "of", "code", "value"):
        table.add_column(heading)
    for one in found:
        code = one.codes[0] if one.codes else None
        value = "" if one.value is None else f"{one.comparator}{one.value:g} {one.unit}"
        table.add_row(
            str(text.count("\n", 0, one.start) + 1),
            one.text.replace("\n", " "),
            f"set apart: {one.quarantined}" if one.quarantined else one.assertion,
            one.experiencer,
            f"{code.code} {code.display}" if code else one.concept,
            " ".join((value, *one.quality)).strip(),
        )
    Console(markup=False, highlight=False).print(table)


def register(app: typer.Typer) -> None:
    """Add `notes`."""
    app.add_typer(notes, name="notes")
