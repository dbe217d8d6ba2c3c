"""`vitruvian recalibrate`, `drift`, `quality` and `update`: a model at another site, and over time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from vitruvian.prediction.sites.pages import Section

Name = Annotated[str, typer.Argument(metavar="TASK", help="sepsis, aki, mortality24, mortality, deterioration, ...")]
Data = Annotated[Path, typer.Option(help="The site's data in any form of docs/data_forms.md.")]
Model = Annotated[Path | None, typer.Option(help="A model's folder; the shipped model where none is given.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Out = Annotated[Path | None, typer.Option(help="Also write the report (.json, .md, .html) to this folder.")]


def recalibrate(
    name: Name,
    data: Data,
    out: Annotated[Path, typer.Option(help="A new folder: the recalibrated model in model/, the report beside it.")],
    model: Model = None,
    share: Annotated[float, typer.Option(help="The share of the site's labelled patients to recalibrate on.")] = 0.05,
    method: Annotated[
        str, typer.Option(help="none, intercept, platt, isotonic; auto chooses by how many have the outcome.")
    ] = "auto",
    as_json: AsJson = False,
) -> None:
    """Recalibrate a model on a few labelled patients of a site, and say what that gave on all the others."""
    from vitruvian.core.errors import ConfigurationError
    from vitruvian.prediction.cohorts.open import open_cohort
    from vitruvian.prediction.sites.lines import METHODS
    from vitruvian.prediction.sites.pages import site_sections
    from vitruvian.prediction.sites.recalibrate import recalibrate as run
    from vitruvian.prediction.sites.scoring import bundle_of
    from vitruvian.prediction.tasks import task

    chosen = next((one for one in METHODS if one == method), None)
    if chosen is None and method != "auto":
        raise ConfigurationError(f"found method {method!r}, expected auto, {', '.join(METHODS)}")
    of = task(name)
    told = run(bundle_of(of, model), open_cohort(of, data), out / "model", share=share, method=chosen, say=_say)
    _tell(told, out, "recalibration", f"{of.title} at another site", site_sections(told), as_json=as_json)


def drift(name: Name, data: Data, model: Model = None, out: Out = None, as_json: AsJson = False) -> None:
    """Say how a site's patients differ from those a model was trained on. Needs no outcome of the task."""
    from vitruvian.prediction.cohorts.open import open_cohort
    from vitruvian.prediction.sites.pages import drift_sections
    from vitruvian.prediction.sites.scoring import bundle_of
    from vitruvian.prediction.sites.watch import drift_of
    from vitruvian.prediction.tasks import task

    of = task(name)
    told = drift_of(bundle_of(of, model), open_cohort(of, data))
    _tell(told, out, "drift", f"{of.title}: drift", drift_sections(told), as_json=as_json)


def quality(
    path: Annotated[Path, typer.Argument(help="Labelled data, or records of any kind that `ingest` reads.")],
    out: Out = None,
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with data: coverage, implausible values, suspected units, duplicates, gaps, flat lines."""
    from vitruvian.prediction.sites.pages import quality_sections
    from vitruvian.prediction.sites.watch import quality_at

    told = quality_at(path)
    _tell(told, out, "quality", "Quality of data", quality_sections(told), as_json=as_json)


def update(
    name: Name,
    data: Data,
    out: Annotated[Path, typer.Option(help="A new folder: the decision, and in model/ the changed model if accepted.")],
    model: Model = None,
    share: Annotated[float, typer.Option(help="The share of new patients to learn from; the others decide.")] = 0.5,
    refit: Annotated[bool, typer.Option("--refit", help="Also fit a member of the site's own (extra train).")] = False,
    as_json: AsJson = False,
) -> None:
    """Let new labels change a model, unless it does worse on patients kept back; then it is refused (exit status 3)."""
    from vitruvian.prediction.cohorts.open import open_cohort
    from vitruvian.prediction.sites.pages import update_sections
    from vitruvian.prediction.sites.scoring import bundle_of
    from vitruvian.prediction.sites.update import update as run
    from vitruvian.prediction.tasks import task

    of = task(name)
    record = run(bundle_of(of, model), open_cohort(of, data), out / "model", share=share, refit=refit, say=_say)
    _tell(record, out, "decision", f"{of.title}: update", update_sections(record), as_json=as_json)
    if not record["accepted"]:
        raise typer.Exit(3)


def _tell(
    told: Mapping[str, Any], out: Path | None, name: str, title: str, sections: Sequence[Section], *, as_json: bool
) -> None:
    """Write the report where a folder is given, and print it."""
    from vitruvian.prediction.sites.pages import as_markdown, tidy, write_pages

    if out is not None:
        for path in write_pages(out, name, title, told, sections):
            typer.echo(str(path), err=True)
    typer.echo(json.dumps(tidy(told), ensure_ascii=False, allow_nan=False) if as_json else as_markdown(title, sections))


def _say(line: str) -> None:
    typer.echo(line, err=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (recalibrate, drift, quality, update):
        app.command(command.__name__)(command)
