"""`vitruvian ingest PATH...`: files into a journal, with what was taken, what was not, and why."""

from __future__ import annotations

import contextlib
import csv
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from vitruvian.cli.taking import Taken, Taker, find
from vitruvian.core.errors import ConfigurationError
from vitruvian.core.time import SystemClock, zone_named
from vitruvian.records.base import Context
from vitruvian.records.mapping import default_mapping, load_mapping

TOP: Final = 20  # unmapped codes shown
INTERRUPTED: Final = 130  # what a shell says of a program ended by Ctrl-C

Report = Callable[[str, int], None]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ingest")(ingest)


def ingest(
    paths: Annotated[
        list[Path], typer.Argument(help="Files and folders: FHIR, HL7 v2, Challenge 2019, MIMIC, eICU, WFDB, tables.")
    ],
    journal: Annotated[Path, typer.Option(help="The journal to keep it in; made where there is none.")] = Path(
        "var/journal.db"
    ),
    mapping: Annotated[
        Path | None, typer.Option(help="The site's codes, zones and authorities (mapping.toml).")
    ] = None,
    columns: Annotated[Path | None, typer.Option(help="What a table's columns mean (columns.toml).")] = None,
    zone: Annotated[str, typer.Option(help="Zone of times without an offset: Europe/Paris or +02:00.")] = "UTC",
    source: Annotated[str, typer.Option(help="Name of the origin; part of each entry's identity.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder for summary.json and unmapped.csv.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the summary as JSON on standard output.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and count; keep nothing.")] = False,
) -> None:
    """Take files in. The same files again change nothing; a run that was broken off can be run again.

    Exit status: 0, also where inputs were quarantined; 1 where a file needed a package that is not installed; 2 where a
    path, the mapping or the journal cannot be used.
    """
    from vitruvian.records.tabular import load_columns

    context = Context(source, load_mapping(mapping) if mapping else default_mapping(), zone_named(zone))
    described = load_columns(columns) if columns else None
    found = find(paths, described)
    if out is not None:
        _make(out)
    started_s = time.monotonic()
    with contextlib.ExitStack() as stack:
        kept = None
        if not dry_run:
            from vitruvian.journal import Journal

            kept = stack.enter_context(Journal.open(journal))
        taker = Taker(kept, context, SystemClock())
        report = stack.enter_context(_progress(len(found)))
        try:
            for item in found:
                for readings in taker.take(item):
                    report(item.path.name, readings)
                report("", taker.taken.tally.total)
            taker.flush()
        except KeyboardInterrupt:
            print("vitruvian: broken off; what was committed is kept, run it again for the rest", file=sys.stderr)
            raise typer.Exit(INTERRUPTED) from None
    seconds = time.monotonic() - started_s
    _finish(taker.taken, seconds, None if dry_run else journal, out, json_)
    if taker.taken.errors:
        raise typer.Exit(1)


def _finish(taken: Taken, seconds: float, journal: Path | None, out: Path | None, as_json: bool) -> None:
    summary = {**taken.as_dict(), "journal": str(journal) if journal else "", "seconds": round(seconds, 3)}
    for error in taken.errors:
        print(f"vitruvian: {_plain(error)}", file=sys.stderr)
    if out is not None:
        _write(out, taken, summary)
    if as_json:
        print(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        _show(taken, seconds, journal)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"found no way to make {folder} ({error.strerror}); name another folder") from error


def _write(folder: Path, taken: Taken, summary: dict[str, object]) -> None:
    (folder / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", "utf-8")
    with (folder / "unmapped.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("system", "code", "text", "count"))
        for code, count in taken.tally.unmapped.most_common():
            rows.writerow((*[*code.split("|", 2), "", ""][:3], count))


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Report]:
    """A bar on standard error where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    bar = Progress(
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[readings]:,} readings"),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=total, readings=0)

        def report(name: str, readings: int) -> None:
            bar.update(task, description=_plain(name)[:40], readings=readings, advance=0 if name else 1)

        yield report


def _show(taken: Taken, seconds: float, journal: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    tally, console = taken.tally, Console()
    rate = tally.total / seconds if seconds > 0 else 0.0
    console.print(
        f"{tally.total:,} resources, messages and rows of {tally.files:,} files in {seconds:.1f} s ({rate:,.0f}/s)",
        highlight=False,
    )
    table = Table("what", "taken", "ignored", "quarantined")
    kinds = Counter(tally.read_by_type) + Counter(tally.ignored_by_type) + Counter(tally.quarantined_by_type)
    for kind, _ in kinds.most_common():
        counts = (tally.read_by_type[kind], tally.ignored_by_type[kind], tally.quarantined_by_type[kind])
        table.add_row(_cell(kind), *(f"{count:,}" if count else "" for count in counts))
    table.add_section()
    table.add_row("all", f"{tally.read:,}", f"{tally.ignored:,}", f"{tally.quarantined:,}")
    console.print(table)
    _counts("Ignored: valid, no home yet", tally.ignored_reasons, TOP)
    _counts("Quarantined, by reason", tally.reasons, TOP)
    _counts("Parts of messages not taken, by reason", tally.refused_parts, TOP)
    _counts(f"Codes that neither the vocabulary nor the mapping holds ({len(tally.unmapped):,})", tally.unmapped, TOP)
    if taken.unknown_files:
        print(
            f"{tally.files_unknown:,} files of no known format: {', '.join(map(_plain, taken.unknown_files[:5]))} ..."
        )
    outcome = "nothing kept (dry run)"
    if journal is not None:
        said = ((taken.outcomes[name], name) for name in ("committed", "duplicate", "corrected", "stale", "waiting"))
        outcome = f"{journal}: " + ", ".join(
            f"{count:,} {name}" for count, name in said if count or name == "committed"
        )
    console.print(f"{tally.events:,} events; {outcome}", highlight=False, markup=False)


def _counts(title: str, counts: Counter[str], top: int) -> None:
    if not counts:
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(title, "count")
    for name, count in counts.most_common(top):
        table.add_row(_cell(name), f"{count:,}")
    Console().print(table)


def _cell(text: str) -> str:
    from rich.markup import escape

    return escape(_plain(text))


def _plain(text: str) -> str:
    """Text from files may hold what moves a terminal's cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:120]
