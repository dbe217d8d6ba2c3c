"""`vitruvian train sepsis` and `vitruvian evaluate sepsis`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path, typer.Option(help="The Challenge 2019 hours: a .parquet, a .csv with `patient`, or a folder of .psv files.")
]
train_app = typer.Typer(name="train", help="Train a learned risk.", no_args_is_help=True)
evaluate_app = typer.Typer(
    name="evaluate", help="Measure a learned risk on patients it has not seen.", no_args_is_help=True
)


@train_app.callback()
def _train() -> None:
    """Train a learned risk."""


@evaluate_app.callback()
def _evaluate() -> None:
    """Measure a learned risk on patients it has not seen."""


@train_app.command("sepsis")
def train_sepsis(
    data: Data,
    out: Annotated[Path, typer.Option(help="The folder to write the model, its card and its evaluation to.")],
    ablations: Annotated[bool, typer.Option(help="Also measure models with and without habits of care.")] = True,
) -> None:
    """Train the sepsis risk, calibrate it, and measure it on test patients (a few minutes on one core)."""
    from vitruvian.prediction.sepsis.train import train

    card = train(data, out, ablations=ablations, say=lambda line: typer.echo(line, err=True))
    figures = card["evaluation"]
    typer.echo(
        f"{out}: sepsis {card['version']}, AUROC {figures['auroc']:.3f}, AUPRC {figures['auprc']:.3f},"
        f" utility {figures['utility']:.3f} on {card['cohort']['test']['patients']:,} test patients"
    )


@evaluate_app.command("sepsis")
def evaluate_sepsis(
    data: Data,
    model: Annotated[Path | None, typer.Option(help="A model folder; the shipped model where none is given.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Also write evaluation.json and evaluation.md to this folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    all_patients: Annotated[
        bool,
        typer.Option("--all-patients", help="Every patient, not only those set aside for testing (other hospitals)."),
    ] = False,
) -> None:
    """Measure the sepsis risk beside time alone, NEWS2, qSOFA, SOFA and the shock index."""
    from vitruvian.prediction.sepsis.evaluate import evaluate, rounded, to_markdown, write

    result = evaluate(data, model, who="all" if all_patients else "test")
    if out is not None:
        write(result, out)
    typer.echo(json.dumps(rounded(result), ensure_ascii=False) if as_json else to_markdown(result))


def register(app: typer.Typer) -> None:
    """Add `train` and `evaluate`."""
    app.add_typer(train_app)
    app.add_typer(evaluate_app)
