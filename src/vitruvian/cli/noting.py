"""Notes of a running ward, from the command line: posted, listed, accepted and rejected."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import typer

from vitruvian.cli.ward_client import WardClient

__all__ = ["decide", "post", "waiting", "ward"]


def ward(url: str, token_file: Path | None) -> WardClient:
    """The ward at an address. Raises ConfigurationError."""
    return WardClient(url, token_file)


def post(ward: WardClient, patient: str, text: str, at: str, title: str, as_json: bool) -> None:
    """Post a note and show what it suggests. Raises as `WardClient.post`."""
    body = {"text": text, "title": title} | ({"at": at} if at else {})
    told = ward.post(_path(patient), json.dumps(body).encode())
    if as_json:
        typer.echo(json.dumps(told["note"]))
    else:
        _show(told["note"])


def waiting(ward: WardClient, patient: str, as_json: bool) -> None:
    """Show what waits. Raises as `WardClient.get`."""
    told = ward.get(_path(patient))
    if as_json:
        typer.echo(json.dumps(told["notes"]))
        return
    for note in told["notes"]:
        _show(note)
    if not told["notes"]:
        typer.echo("No note waits for a decision.")


def decide(ward: WardClient, patient: str, note: str, how: str, which: Sequence[str], as_json: bool) -> None:
    """Accept or reject, and say what became of each. Raises as `WardClient.post`."""
    body = json.dumps({"suggestions": list(which)}).encode()
    told = ward.post(f"{_path(patient)}/{quote(note, safe='')}/{how}", body)
    if as_json:
        typer.echo(json.dumps(told["decisions"]))
        return
    for one in told["decisions"]:
        entered = one["outcome"] or ("nothing to enter" if how == "accept" else "")
        said = ", ".join(part for part in (one["status"], entered, one["reason"]) if part)
        typer.echo(f"{one['id']}: {said}")


def _path(patient: str) -> str:
    return f"/api/v1/patients/{quote(patient, safe='')}/notes"


def _plain(text: str) -> str:
    """A text of a note as one line that no terminal obeys."""
    return "".join(char if char.isprintable() else " " for char in text)


def _show(note: Mapping[str, Any]) -> None:
    """A line for the note and three for each suggestion: no table is wide enough on a terminal."""
    typer.echo(_plain(f"note {note['id']} {note['title']}".strip()))
    for one in note["suggestions"]:
        codes = ", ".join(f"{code['display']} {code['code']}".strip() for code in one["codes"]) or "no code"
        value = "" if one["value"] is None else f"{one['comparator']}{one['value']:g} {one['unit']}"
        said = (one["type"], f"{one['assertion']}, of {one['experiencer']}", codes, value, *one["quality"])
        becomes = f"becomes {one['enters']}" if one["enters"] else f"enters nothing: {one['why_not']}"
        decided = f"{one['status']} by {one['by']}" if one["by"] else one["status"]
        typer.echo(f"  {one['id']} {_plain(one['text'])}")
        typer.echo(_plain(f"    {'; '.join(part for part in said if part)}"))
        typer.echo(_plain(f"    {decided}; {becomes}"))
