"""The command line: `vitruvian COMMAND`. Each part registers its commands from a module here."""

from __future__ import annotations

import importlib
import sys

import typer

from vitruvian.core.errors import VitruvianError

app = typer.Typer(
    name="vitruvian",
    help="Digital twins of patients. Investigational software, not a medical device.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

PARTS = (
    "ward", "replay", "ingest", "simulate", "journal", "predict", "sites", "broker", "token", "explain", "model",
    "audit", "notes",
)  # fmt: skip


def _register() -> None:
    for part in PARTS:
        name = f"vitruvian.cli.{part}"
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            continue
        module.register(app)


_register()


def main() -> None:
    """Run the command line; an expected error is one line on standard error and exit status 2."""
    try:
        app()
    except VitruvianError as error:
        typer.echo(f"vitruvian: {error}", err=True)
        sys.exit(2)
