"""`vitruvian journal verify|backup|restore|info|quarantine`: look after the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from vitruvian.core.errors import TimestampError
from vitruvian.core.time import isoformat

DEFAULT: Final = Path("var/journal.db")
DAMAGED: Final = 1  # exit status where verification found a fault

Path_ = Annotated[Path, typer.Argument(help="The journal's file.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON on standard output.")]

commands = typer.Typer(name="journal", help="Verify, back up and look into the log.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(commands)


@commands.command()
def verify(path: Path_ = DEFAULT, json_: Json = False) -> None:
    """Walk the hash chain from the first entry to the last; exit status 1 where something was changed or cut off."""
    from vitruvian.journal import Journal

    with Journal.open(path, read_only=True) as journal:
        found = journal.verify()
    _say(json_, _verification(found), _verdict(found))
    if not found.ok:
        raise typer.Exit(DAMAGED)


@commands.command()
def backup(
    path: Annotated[Path, typer.Argument(help="The journal's file; it may be in use.")],
    target: Annotated[Path, typer.Argument(help="The backup to make; must not exist.")],
    json_: Json = False,
) -> None:
    """Copy a journal and its blobs while it is in use, and verify the copy. Nothing is overwritten."""
    from vitruvian.journal import Journal

    with Journal.open(path, read_only=True) as journal:
        found = journal.backup(target)
    _say(json_, {"target": str(target), **_verification(found)}, f"backed up to {target}: {_verdict(found)}")


@commands.command()
def restore(
    source: Annotated[Path, typer.Argument(help="The backup.")],
    target: Annotated[Path, typer.Argument(help="The journal to make; must not exist.")],
    json_: Json = False,
) -> None:
    """Make a journal from a backup, verified first. Nothing is overwritten."""
    from vitruvian.journal import Journal

    found = Journal.restore(source, target)
    _say(json_, {"target": str(target), **_verification(found)}, f"restored to {target}: {_verdict(found)}")


@commands.command()
def info(path: Path_ = DEFAULT, json_: Json = False) -> None:
    """How much there is: entries, patients, devices, what waits, what is in quarantine, bytes."""
    from vitruvian.journal import Journal

    with Journal.open(path, read_only=True) as journal:
        counts = journal.counts()
    counts["bytes"] = path.stat().st_size
    width = max(map(len, counts))
    _say(json_, {"journal": str(path), **counts}, "\n".join(f"{name:<{width}}  {n:,}" for name, n in counts.items()))


@commands.command()
def quarantine(
    path: Path_ = DEFAULT,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 50,
    after: Annotated[int, typer.Option(min=0, help="Only those numbered above this.")] = 0,
    raw: Annotated[bool, typer.Option("--raw", help="Show what was received; it may hold patients' data.")] = False,
    json_: Json = False,
) -> None:
    """Inputs kept apart, and why."""
    from vitruvian.journal import Journal

    with Journal.open(path, read_only=True) as journal:
        rows = journal.quarantined(limit, after)
    shown: list[dict[str, Any]] = [
        {
            "id": row.id,
            "recorded": _time(row.recorded_us),
            "source": row.source,
            "source_id": row.source_id,
            "reason": row.reason,
            "detail": row.detail,
            "resolved": row.resolved,
            "bytes": len(row.raw),
            **({"raw": row.raw.decode("utf-8", "backslashreplace")} if raw else {}),
        }
        for row in rows
    ]
    lines = [
        f"{row['id']:>6}  {row['recorded']}  {row['reason']:<18}  {row['source']}  {row['detail']}"
        + ("  (resolved)" if row["resolved"] else "")
        + (f"\n{row['raw']}" if raw else "")
        for row in shown
    ]
    _say(json_, {"quarantined": shown}, "\n".join(lines) or "nothing is in quarantine")


def _time(us: int) -> str:
    try:
        return isoformat(us)
    except TimestampError:
        return f"{us} us"


def _verification(found: Any) -> dict[str, Any]:
    return {
        "ok": found.ok,
        "checked": found.checked,
        "last_seq": found.last_seq,
        "head": found.head,
        "faults": list(found.faults),
    }


def _verdict(found: Any) -> str:
    if found.ok:
        return f"{found.checked:,} entries, the chain is whole, head {found.head[:16]}"
    return "\n".join((f"{found.checked:,} entries, the chain is broken:", *found.faults))


def _say(as_json: bool, answer: dict[str, Any], text: str) -> None:
    typer.echo(json.dumps(answer) if as_json else text)
