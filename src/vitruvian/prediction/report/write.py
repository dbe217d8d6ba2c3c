"""Leave an evaluation as files: figures, plots, one page for people, the card, the tables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vitruvian.prediction.measure.tidy import write_json
from vitruvian.prediction.report import card as cards
from vitruvian.prediction.report import source_paper, tables
from vitruvian.prediction.report.canvas import save
from vitruvian.prediction.report.page import page
from vitruvian.prediction.report.plots import plots_of
from vitruvian.prediction.report.words import count, percent

__all__ = ["markdown", "write_report"]


def write_report(folder: Path, bundle_told: Mapping[str, Any], evaluation: Mapping[str, Any]) -> list[Path]:
    """Write `evaluation.json`, `evaluation.md`, `report.html`, `card.md`, `card.json`, `plots/NAME.svg` and `.png`, and
    where the evaluation holds all three of its models `source_paper.md` and `.json`. Returns the paths.

    `bundle_told` is what `bundle.json` says (an empty one leaves items of the card absent); `evaluation` what
    `measure.judge.judge` gave.
    """
    folder.mkdir(parents=True, exist_ok=True)
    card, beside = cards.card_of(bundle_told, evaluation), source_paper.beside(evaluation)
    plots = plots_of(evaluation)
    written = [path for plot in plots for path in save(plot.figure, plot.svg, folder / "plots", plot.name)]
    texts = {
        "report.html": page(evaluation, card, beside, plots),
        "evaluation.md": markdown(evaluation),
        "card.md": cards.to_markdown(card),
    }
    figures: dict[str, Any] = {"evaluation.json": evaluation, "card.json": card}
    if beside is not None:
        texts["source_paper.md"] = source_paper.to_markdown(beside)
        figures["source_paper.json"] = beside
    for name, text in texts.items():
        (folder / name).write_text(text, "utf-8")
    for name, value in figures.items():
        write_json(value, folder / name)
    return written + [folder / name for name in (*texts, *figures)]


def markdown(told: Mapping[str, Any]) -> str:
    """The evaluation's tables for a repository or a terminal."""
    counts = told["counts"]
    lines = [
        f"# {told['title']}: evaluation{' on simulated data' if told['simulated'] else ''}",
        "",
        f"Outcome: {told['target']}. Data: {told['data']}; {told['split']}. {count(counts['patients'])} patients"
        f" ({count(counts['event_patients'])} with the outcome), {count(counts['rows'])} rows, of which"
        f" {percent(told['prevalence'], 2)} carry the label. Ranges are 95 % intervals over"
        f" {told['intervals']['draws']} bootstrap draws of patients."
        + ("" if told["validated"] else " Not validated on labelled data of real patients."),
        "",
    ]
    parts = {
        "ranking": "Ranking and calibration",
        "deciding": "At the threshold",
        "alarming": "Alarms",
        "serving": "Speed",
        "differences": f"{told['main']} less each other score, paired by patient",
    }
    made = tables.scores(told)
    for key, title in parts.items():
        table = made[key]
        if table is not None:
            lines += [f"## {title}", "", *tables.as_markdown(table), ""]
    lines += ["## Confusion", "", *tables.as_markdown(tables.matrix(told)), ""]
    conformal = tables.sets(told)
    if conformal is not None:
        lines += ["## Conformal sets by patient", "", *tables.as_markdown(conformal), ""]
    lines += ["## Groups", "", *tables.as_markdown(tables.groups(told)), ""]
    return "\n".join(lines)
