"""`vitruvian audit verify FILE`: the record of what language models were asked, and whether anyone changed it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

DAMAGED: Final = 1  # exit status where verification found a fault

commands = typer.Typer(name="audit", help="The record of what language models were asked.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands)


@commands.callback()
def _group() -> None:
    """Keeps `verify` a command of its own while it is the only one."""


@commands.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The audit's file; it may be in use.")],
    json_: Annotated[bool, typer.Option("--json", help="Print the answer as JSON on standard output.")] = False,
) -> None:
    """Walk the hash chain from the first record to the last; exit status 1 where one was changed or cut off."""
    from vitruvian.trust.audit import verify_audit

    found = verify_audit(file)
    if json_:
        typer.echo(msgspec.json.encode(found).decode())
    else:
        verdict = f"the chain is whole, head {found.head[:16]}" if found.ok else "the chain is broken:"
        typer.echo("\n".join((f"{found.checked:,} records, {verdict}", *found.faults)))
        if found.torn:
            typer.echo("the last line was never finished, as after a crash; it counts as not written")
    if not found.ok:
        raise typer.Exit(DAMAGED)
