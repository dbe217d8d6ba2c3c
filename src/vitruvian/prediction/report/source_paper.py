"""The table of the paper that this project started from, beside ours, and why the two are not comparable.

Of the paper we have accuracy, precision, recall and F1 of a logistic regression, a random forest and an LSTM, in per
cent, without the share of cases that had the outcome. That share follows from the other figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from vitruvian.prediction.measure.decisions import decision_figures
from vitruvian.prediction.report.words import count, interval, number, percent

__all__ = ["PAPER", "beside", "implied_prevalence", "to_markdown"]

FIGURES: Final = ("accuracy", "precision", "recall", "f1")
PAPER: Final[dict[str, tuple[float, float, float, float]]] = {
    "logistic regression": (0.82, 0.80, 0.78, 0.79),
    "random forest": (0.88, 0.87, 0.85, 0.86),
    "LSTM": (0.92, 0.91, 0.90, 0.905),
}
_WORDS: Final = {"logistic regression": "logistic", "random forest": "forest", "LSTM": "lstm"}


def implied_prevalence(accuracy: float, precision: float, recall: float) -> float:
    """The share of cases with the outcome that these three figures imply together.

    Errors are missed cases, (1 - recall) of that share, and false alarms, recall (1 - precision) / precision of it.
    """
    return (1 - accuracy) / (recall * (1 - precision) / precision + 1 - recall)


def beside(evaluation: Mapping[str, Any], names: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """The two tables from an evaluation, or None where it lacks one of the three models.

    `names`: which score of the evaluation is each of the paper's models; found by their words where not given.
    """
    rows = {row["score"]: row for row in evaluation["rows"]}
    chosen = {model: (names or {}).get(model) or _named(rows, word) for model, word in _WORDS.items()}
    if any(score not in rows for score in chosen.values()):
        return None
    share = evaluation["prevalence"]
    models = [_model(model, rows[str(score)], evaluation) for model, score in chosen.items()]
    implied = [model["paper"]["implied_prevalence"] for model in models]
    keys = ("task", "target", "data", "split", "simulated", "counts")
    return {key: evaluation[key] for key in keys} | {
        "prevalence": share,
        "unit": "hour" if evaluation["moment"] == "hourly" else "stay",
        "models": models,
        "always_negative": {"accuracy": 1 - share, "precision": None, "recall": 0.0, "f1": 0.0},
        "paper_prevalence": [min(implied), max(implied)],
        "reasons": _reasons(evaluation, min(implied), max(implied)),
    }


def _named(rows: Mapping[str, Any], word: str) -> str | None:
    """The score with the shortest name that holds a word: `lstm`, not a variant such as `lstm_patient`."""
    return min((name for name in rows if word in name.lower()), key=len, default=None)


def _model(model: str, row: Mapping[str, Any], evaluation: Mapping[str, Any]) -> dict[str, Any]:
    accuracy, precision, recall, f1 = PAPER[model]
    share = implied_prevalence(accuracy, precision, recall)
    told = {key: row[key] for key in ("threshold", *FIGURES, *(f"{key}_95" for key in FIGURES), "specificity")}
    return {
        "model": model,
        "paper": dict(zip(FIGURES, (accuracy, precision, recall, f1), strict=True)) | {"implied_prevalence": share},
        "ours": told | {"score": row["score"], "confusion": _matrix(row, evaluation)},
        "ours_at_paper_prevalence": _weighted(row, share),
    }


def _matrix(row: Mapping[str, Any], evaluation: Mapping[str, Any]) -> dict[str, int]:
    """The matrix again from the rates: exact, since counts are whole."""
    sick, rows = evaluation["counts"]["event_rows"], evaluation["counts"]["rows"]
    hit, right = round(row["recall"] * sick), round(row["specificity"] * (rows - sick))
    return {
        "true_positives": hit,
        "false_positives": rows - sick - right,
        "false_negatives": sick - hit,
        "true_negatives": right,
    }


def _weighted(row: Mapping[str, Any], share: float) -> dict[str, float]:
    """Our figures if cases with and without the outcome were weighted to the paper's share of them."""
    import numpy as np

    recall, specificity = row["recall"], row["specificity"]
    counts = [share * recall, (1 - share) * (1 - specificity), share * (1 - recall), (1 - share) * specificity]
    told = decision_figures(np.array(counts))
    return {key: float(told[key]) for key in FIGURES}


def _reasons(evaluation: Mapping[str, Any], low: float, high: float) -> list[str]:
    unit = "hours" if evaluation["moment"] == "hourly" else "stays"
    share = evaluation["prevalence"]
    return [
        f"Prevalence. The paper's own figures imply that {percent(low, 0)} to {percent(high, 0)} of its cases had the"
        f" outcome; here it is {percent(share, 2)} of {unit}. Never alarming would be right in"
        f" {percent(1 - share)} here and in {percent(1 - high, 0)} to {percent(1 - low, 0)} there, so accuracy and"
        " precision say different things.",
        "The question. Which outcome, how far ahead and for which unit the paper's cases were labelled is not known"
        f" here. Ours is: {evaluation['target']}, told for each of the {unit} of a patient's record.",
        f"The data. Ours are {evaluation['data']}. The paper names MIMIC-IV and Synthea; its cases are not at hand, and"
        " so high a prevalence suggests that they were selected or balanced.",
        f"The split. Ours is by patient ({evaluation['split']}). Whether the paper kept each patient on one side is"
        " not known; hours of one patient on both would raise every figure.",
        "The threshold. Ours was chosen without these patients' outcomes for what alarms are worth, not for accuracy or"
        " F1; the paper's is not known.",
        "Intervals. Ours are over patients; the paper's figures have none, so that no difference can be tested.",
        "Weighting our cases to the paper's prevalence removes the first reason only; that column is arithmetic, not a"
        " measurement.",
    ]


def to_markdown(table: Mapping[str, Any]) -> str:
    """The table for people."""
    lines = [
        "# The source paper's table beside ours",
        "",
        f"Ours: {table['target']}. {table['data']}{', simulated' if table['simulated'] else ''}; {table['split']};"
        f" {count(table['counts']['patients'])} patients, {count(table['counts']['rows'])} {table['unit']}s, of which"
        f" {percent(table['prevalence'], 2)} carry the outcome. Ranges are 95 % intervals over patients.",
        "",
        "| model | | accuracy | precision | recall | F1 | prevalence |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in table["models"]:
        paper, ours, same = each["paper"], each["ours"], each["ours_at_paper_prevalence"]
        share = paper["implied_prevalence"]
        cells = " | ".join(number(paper[key]) for key in FIGURES)
        lines.append(f"| {each['model']} | paper | {cells} | {percent(share, 0)}, implied |")
        cells = " | ".join(interval(ours, key) for key in FIGURES)
        lines.append(f"| | ours | {cells} | {percent(table['prevalence'], 2)} |")
        cells = " | ".join(number(same[key]) for key in FIGURES)
        lines.append(f"| | ours, weighted to the paper's prevalence | {cells} | {percent(share, 0)} |")
    never = table["always_negative"]
    cells = " | ".join(number(never[key]) for key in FIGURES)
    lines.append(f"| never alarming | ours | {cells} | {percent(table['prevalence'], 2)} |")
    lines += [
        "",
        "| ours | threshold | true positives | false positives | false negatives | true negatives |",
        "|---|---|---|---|---|---|",
    ]
    for each in table["models"]:
        cells = " | ".join(count(value) for value in each["ours"]["confusion"].values())
        lines.append(f"| {each['model']} | {number(each['ours']['threshold'], 4)} | {cells} |")
    lines += ["", "## Why the two are not comparable", "", *(f"- {reason}" for reason in table["reasons"]), ""]
    return "\n".join(lines)
