"""`vitruvian train TASK` and `vitruvian evaluate TASK`: learned risks from labelled data to a folder, and measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

Name = Annotated[
    str,
    typer.Argument(
        metavar="TASK", help="sepsis, aki, mortality24, mortality (Challenge 2012), deterioration or cardiac_event."
    ),
]
Data = Annotated[
    Path,
    typer.Option(
        help="Labelled data in any accepted form: Challenge 2019 hours (.psv folder or one table), a Challenge 2012"
        " folder, an eICU-demo task folder, MIMIC-IV, Synthea FHIR, or a labelled table (docs/data_forms.md)."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]
NoPractice = Annotated[
    bool,
    typer.Option(
        "--no-practice-patterns",
        help="The variant that reads nothing of how care is given (time in ICU, counts of tests, unit).",
    ),
]


def train(
    name: Name,
    data: Data,
    out: Annotated[Path, typer.Option(help="The folder to write the model, its card and its evaluation to.")],
    seed: Annotated[int, typer.Option(help="The seed of every random choice.")] = 20_260_101,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also fit the models that are only there to be compared (GRU, TCN, ...).")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small settings that show the way in a minute; not for use.")
    ] = False,
    allow_suspicious: Annotated[
        bool, typer.Option("--allow-suspicious", help="Go on where a figure is too good to be true (a leak).")
    ] = False,
) -> None:
    """Train a learned risk, calibrate it, measure it on patients it has not seen, and write its folder.

    A run that was stopped goes on where it was when it is started again.
    """
    from vitruvian.prediction.training.pipeline import train as run

    said = Console(stderr=True)
    evaluation = run(
        name,
        data,
        out,
        seed=seed,
        compare=compare,
        quick=quick,
        allow_suspicious=allow_suspicious,
        say=lambda line: said.print(line, highlight=False, markup=False),
    )
    typer.echo(f"{out}: {_summary(evaluation)}")


def evaluate(
    name: Name,
    data: Data,
    model: Annotated[Path | None, typer.Option(help="A model's folder; the shipped model where none is given.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write evaluation.json, plots and report.html to this folder.")
    ] = None,
    as_json: AsJson = False,
    no_practice_patterns: NoPractice = False,
    member: Annotated[str | None, typer.Option(help="One member of the model by its name, in place of all.")] = None,
    all_patients: Annotated[
        bool, typer.Option("--all-patients", help="Also patients whom the model was trained on; the figures say so.")
    ] = False,
) -> None:
    """Measure a learned risk beside early-warning scores and time alone, on patients it has not seen."""
    from vitruvian.prediction.training.evaluate import evaluate as run
    from vitruvian.prediction.training.evaluate import summary_table

    said = Console(stderr=True)
    evaluation = run(
        name,
        data,
        model,
        out=out,
        variant="no_practice" if no_practice_patterns else "standard",
        member=member,
        all_patients=all_patients,
        say=lambda line: said.print(line, highlight=False, markup=False),
    )
    if as_json:
        typer.echo(json.dumps(evaluation, ensure_ascii=False, allow_nan=False))
        return
    typer.echo(summary_table(evaluation))
    if out is not None:
        typer.echo(f"\n{out / 'report.html'}")


def _summary(evaluation: dict[str, object]) -> str:
    shown = [
        f"{label} {evaluation[key]:.3f}"
        for key, label in (("auroc", "AUROC"), ("auprc", "AUPRC"), ("utility", "utility"), ("event1", "Event-1"))
        if isinstance(evaluation.get(key), float)
    ]
    return ", ".join(shown)


def register(app: typer.Typer) -> None:
    """Add `train` and `evaluate`."""
    app.command("train")(train)
    app.command("evaluate")(evaluate)
