"""The tables of a report: heads and rows of text, the same for the page and for Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from vitruvian.prediction.report.words import ABSENT, count, interval, number, percent

__all__ = ["Cell", "Row", "Table", "as_markdown", "groups", "matrix", "paper", "scores", "sets"]

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure and, where it has one, its interval in brackets; `span` columns wide."""

    value: str
    range: str = ""
    span: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table; `strong`: the model that is judged."""

    name: str
    cells: tuple[Cell, ...]
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """`head`: names of the columns, that of the rows' names first."""

    head: tuple[str, ...]
    rows: tuple[Row, ...]


_RANKING: Final = (
    ("AUROC", "auroc", 3), ("AUPRC", "auprc", 3), ("Brier", "brier", 4), ("Brier skill", "brier_skill", 3),
    ("slope", "calibration_slope", 2), ("intercept", "calibration_intercept", 2), ("ECE", "ece", 4),
)  # fmt: skip
_DECIDING: Final = (
    ("threshold", "threshold", 4), ("utility", "utility", 3), ("Event 1", "event1", 3), ("accuracy", "accuracy", 3),
    ("precision", "precision", 3), ("recall", "recall", 3), ("specificity", "specificity", 3), ("F1", "f1", 3),
)  # fmt: skip
_ALARMING: Final = (
    ("alarms a patient-day", "alarms_per_patient_day", 2), ("precision", "alarm_precision", 3),
    ("patients caught", "sensitivity", 2), ("median lead, h", "median_lead_h", 1),
    ("at 80 %: alarms a patient-day", "alarms_per_patient_day_at_80", 2),
    ("at 80 %: lead, h", "median_lead_h_at_80", 1),
)  # fmt: skip
_SERVING: Final = (
    ("one patient, p50, ms", "latency_ms_p50", 3), ("p99, ms", "latency_ms_p99", 3),
    ("patient-updates a second", "updates_per_s", 0),
)  # fmt: skip
_DIFFERENT: Final = (
    ("AUROC", "auroc", 3), ("AUPRC", "auprc", 3), ("utility", "utility", 3), ("Event 1", "event1", 3),
    ("Brier", "brier", 4), ("F1", "f1", 3),
)  # fmt: skip
_GROUP: Final = (
    ("AUROC", "auroc", 3), ("sensitivity", "sensitivity", 2), ("precision", "precision", 3),
    ("specificity", "specificity", 2), ("observed/expected", "observed_per_expected", 2),
)  # fmt: skip


def scores(told: Told) -> dict[str, Table | None]:
    """Ranking and calibration, decisions, alarms (hourly tasks) of every score, its speed where a benchmark put it
    into the rows (`latency_ms_p50`, `latency_ms_p99`, `updates_per_s`), and the paired differences.
    """
    rows = [(row["score"], row) for row in told["rows"]]
    others = [(row["than"], row) for row in told["differences"]]
    hourly = told["moment"] == "hourly"
    timed = [(name, row) for name, row in rows if any(column in row for _, column, _ in _SERVING)]
    return {
        "ranking": _table("score", _RANKING, rows, told["main"]),
        "deciding": _table("score", _DECIDING, rows, told["main"]),
        "alarming": _table("score", _ALARMING, rows, told["main"]) if hourly else None,
        "serving": _table("score", _SERVING, timed, told["main"]) if timed else None,
        "differences": _table("than", _DIFFERENT, others) if others else None,
    }


def _table(
    name: str, columns: Sequence[tuple[str, str, int]], rows: Sequence[tuple[str, Told]], strong: str = ""
) -> Table:
    """Rows by the columns that at least one of them has."""
    used = [each for each in columns if any(each[1] in row for _, row in rows)]
    lines = tuple(Row(title, tuple(_cell(row, *each[1:]) for each in used), title == strong) for title, row in rows)
    return Table((name, *(each[0] for each in used)), lines)


def _cell(row: Told, name: str, decimals: int) -> Cell:
    value, _, ends = interval(row, name, decimals).partition(" ")
    return Cell(value, ends)


def groups(told: Told) -> Table:
    """Figures by group; a group that is too small says so and nothing else."""
    lines = []
    for each in told["fairness"]["groups"]:
        figures = each["figures"]
        small = not isinstance(figures, dict)
        cells = (Cell(str(figures), span=len(_GROUP)),) if small else tuple(_cell(figures, *c[1:]) for c in _GROUP)
        name = f"{each['attribute']}: {each['group']}"
        lines.append(Row(name, (Cell(count(each["patients"])), Cell(count(each["events"])), *cells)))
    return Table(("group", "patients", "with the outcome", *(column[0] for column in _GROUP)), tuple(lines))


def matrix(told: Told) -> Table:
    """The confusion matrix by row and, for hourly tasks, by patient, each beside never alarming."""
    keys = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    figures = ("accuracy", "precision", "recall", "f1", "prevalence")
    lines = []
    units = {"rows": "hours" if told["moment"] == "hourly" else "stays", "patients": "patients"}
    for key, unit in units.items():
        if key not in told["confusion"]:
            continue
        one = told["confusion"][key]
        cells = (*(count(one[name]) for name in keys), *(number(one[name]) for name in figures))
        lines.append(Row(unit, tuple(Cell(cell) for cell in cells), strong=True))
        never, sick = one["always_negative"], one["true_positives"] + one["false_negatives"]
        well = one["false_positives"] + one["true_negatives"]
        cells = (
            *(count(each) for each in (0, 0, sick, well)),
            *(number(never[name]) for name in figures[:-1]),
            number(one["prevalence"]),
        )
        lines.append(Row(f"{unit}, never alarming", tuple(Cell(cell) for cell in cells)))
    heads = ("counted", *(key.replace("_", " ") for key in keys), "accuracy", "precision", "recall", "F1", "prevalence")
    return Table(heads, tuple(lines))


def sets(told: Told) -> Table | None:
    """Coverage of the conformal sets by class, and how often each set is given."""
    conformal = told["conformal"]
    if conformal is None:
        return None
    kinds = ("event", "none", "both", "neither")
    lines = []
    for key, name in (("event", "with the outcome"), ("none", "without")):
        one = conformal[key]
        shares = tuple(Cell(percent(one["sets"][kind])) for kind in kinds)
        size = Cell(number(one["sets"]["mean_size"], 2))
        lines.append(Row(name, (Cell(count(one["patients"])), _cell(one, "coverage", 3), *shares, size)))
    heads = ("patients", "counted", "coverage", "“event” alone", "“no event” alone", "both", "neither", "mean size")
    return Table(heads, tuple(lines))


def paper(beside: Told) -> tuple[Table, Table]:
    """The source paper's figures beside ours, and the confusion matrices of ours."""
    keys = ("accuracy", "precision", "recall", "f1")
    lines, matrices = [], []
    for each in beside["models"]:
        implied = percent(each["paper"]["implied_prevalence"], 0)
        cells = (*(Cell(number(each["paper"][key])) for key in keys), Cell(f"{implied}, implied"))
        lines.append(Row(f"{each['model']}, the paper", cells))
        ours = each["ours"]
        cells = (*(_cell(ours, key, 3) for key in keys), Cell(percent(beside["prevalence"], 2)))
        lines.append(Row(f"{each['model']}, ours", cells, strong=True))
        cells = (*(Cell(number(each["ours_at_paper_prevalence"][key])) for key in keys), Cell(implied))
        lines.append(Row(f"{each['model']}, ours weighted to the paper's prevalence", cells))
        counts = tuple(Cell(count(value)) for value in ours["confusion"].values())
        matrices.append(Row(each["model"], (Cell(number(ours["threshold"], 4)), *counts)))
    never = (*(Cell(number(beside["always_negative"][key])) for key in keys), Cell(percent(beside["prevalence"], 2)))
    lines.append(Row("never alarming, on our data", never))
    heads = ("model", "accuracy", "precision", "recall", "F1", "prevalence")
    places = ("true positives", "false positives", "false negatives", "true negatives")
    return Table(heads, tuple(lines)), Table(("model", "threshold", *places), tuple(matrices))


def as_markdown(table: Table) -> list[str]:
    """The lines of a Markdown table."""
    lines = ["| " + " | ".join(table.head) + " |", "|---" * len(table.head) + "|"]
    for row in table.rows:
        cells = [f"{cell.value} {cell.range}".strip() for cell in row.cells]
        filled = cells + [ABSENT] * (len(table.head) - 1 - len(cells))
        lines.append("| " + " | ".join((f"**{row.name}**" if row.strong else row.name, *filled)) + " |")
    return lines
