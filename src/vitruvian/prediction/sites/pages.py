"""Reports of a site as files: JSON for machines, Markdown for a commit, one HTML page for a person."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

__all__ = [
    "Section",
    "as_markdown",
    "drift_sections",
    "quality_sections",
    "site_sections",
    "tidy",
    "update_sections",
    "write_pages",
]

Section = tuple[str, Sequence[str], Sequence[Sequence[str]], str]  # heading, columns, rows, what is said of it
FEATURES_SHOWN: Final = 40
_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b2430}"
    "table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{padding:.25rem .75rem;text-align:left;"
    "border-bottom:1px solid #d5dbe3;font-variant-numeric:tabular-nums}h1{font-size:1.5rem}h2{font-size:1.15rem}"
)
_FIGURES: Final = {
    "auroc": "AUROC", "auprc": "AUPRC", "utility": "utility", "event1": "Event 1", "brier": "Brier",
    "calibration_slope": "slope", "calibration_intercept": "intercept",
}  # fmt: skip


def tidy(told: Any) -> Any:
    """The same with numbers to six digits, and null for what is no number: what JSON may hold."""
    match told:
        case Mapping():
            return {str(name): tidy(one) for name, one in told.items()}
        case list() | tuple():
            return [tidy(one) for one in told]
        case float():
            return float(f"{told:.6g}") if math.isfinite(told) else None
    return told


def write_pages(out: Path, name: str, title: str, told: Mapping[str, Any], sections: Sequence[Section]) -> list[Path]:
    """Write `name`.json, .md and .html to a folder; returns their paths."""
    out.mkdir(parents=True, exist_ok=True)
    texts = {
        "json": json.dumps(tidy(told), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "md": as_markdown(title, sections),
        "html": _page(title, sections),
    }
    paths = []
    for suffix, text in texts.items():
        path = out / f"{name}.{suffix}"
        path.write_text(text, "utf-8")
        paths.append(path)
    return paths


def site_sections(told: Mapping[str, Any]) -> list[Section]:
    """Zero-shot against recalibrated."""
    where = f"{told['data']}{' (simulated)' if told['simulated'] else ''}"
    sections: list[Section] = []
    for variant, one in told["variants"].items():
        line = told["lines"][variant]
        said = (
            f"{where}, {told['measured_on']:,} patients that nothing was fitted on, {one['patients_with_outcome']:,} of"
            f" them with the outcome. Recalibrated ({line['method']}) on {told['patients']:,} patients,"
            f" {line['patients_with_outcome']:,} with the outcome. 95 % intervals over patients in brackets."
        )
        sections.append((f"Variant {variant}", *_figures(one["rows"]), said))
        sections.append((f"Variant {variant}: paired differences", *_differences(one["differences"]), ""))
    return sections


def _figures(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    names = [name for name in _FIGURES if any(name in row for row in rows)]
    head = ["model", "threshold", *(_FIGURES[name] for name in names)]
    return head, [
        [str(row["score"]), _number(row["threshold"]), *(_with_limits(row, name) for name in names)] for row in rows
    ]


def _differences(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    names = [name for name in _FIGURES if any(name in row for row in rows)]
    head = ["difference", *(_FIGURES[name] for name in names)]
    return head, [[f"{row['score']} less {row['than']}", *(_with_limits(row, name) for name in names)] for row in rows]


def update_sections(record: Mapping[str, Any]) -> list[Section]:
    """What a gate decided."""
    verdict = "accepted" if record["accepted"] else "refused"
    said = f"The update is {verdict}. " + "; ".join(record["reasons"])
    gains = [
        [
            name,
            _number(one["gain"]),
            f"{_number(one['low_95'])} to {_number(one['high_95'])}",
            _number(one["tolerance"]),
        ]
        for name, one in record["gains"].items()
    ]
    kept = (
        f"{record['data']}, {record['kept_back']:,} patients kept back, {record['learned_from']:,} learned from."
        " Positive gains are better."
    )
    return [
        (f"Decision: {verdict}", ["figure", "gain", "95 % interval", "may be worse by"], gains, f"{said} {kept}"),
        ("Figures on the kept-back patients", *_figures(record["rows"]), ""),
    ]


def drift_sections(told: Mapping[str, Any]) -> list[Section]:
    """Drift of features and scores."""
    counts = ", ".join(f"{count} {level}" for level, count in told["counts"].items())
    said = (
        f"{told['data']}: {told['rows']:,} rows against {told['reference_rows']:,} of training. Features: {counts}."
        " PSI = population stability index (0.1 moderate, 0.25 large), KS = Kolmogorov-Smirnov distance."
    )
    head = ["column", "level", "PSI", "KS", "missing", "change", "out of range", "median", "in training"]
    rows = [_drift_row(one["feature"], one) for one in told["features"][:FEATURES_SHOWN]]
    sections: list[Section] = [("Features", head, rows, said)]
    if "score" in told:
        sections.insert(0, ("Scores", head, [_drift_row("probability", told["score"])], ""))
    if "change" in told:
        sections.append(("Changes within the data", *_change(told["change"])))
    return sections


def _change(told: Mapping[str, Any]) -> tuple[list[str], list[list[str]], str]:
    rows = [[str(one["patient"]), _number(one["mean_before"]), _number(one["mean_after"])] for one in told["cuts"]]
    return ["at patient", "mean risk before", "after"], rows, told["said"]


def _drift_row(name: str, one: Mapping[str, Any]) -> list[str]:
    keys = ("psi", "ks", "missing", "missing_change", "out_of_range", "median", "reference_median")
    return [name, str(one["level"]), *(_number(one.get(key)) for key in keys)]


def quality_sections(told: Mapping[str, Any]) -> list[Section]:
    """What is wrong with data."""
    said = (
        f"{told['data']}: {told['patients']:,} patients, {told['hours']:,} hours, {told['samples']:,} samples."
        f" {told['gaps']['count']:,} gaps of more than {told['gaps']['longer_than_h']} h without a vital sign,"
        f" {told['duplicates']:,} duplicates."
    )
    head = ["concept", "unit", "samples", "patients", "hours", "implausible", "median", "flat runs", "looks like"]
    rows = [
        [
            one["concept"], one["unit"], f"{one['samples']:,}", f"{one['coverage']:.1%}", f"{one['hours']:.1%}",
            f"{one['implausible']:,}", _number(one["median"]), f"{one['flat']:,}", one["suspected_unit"] or "",
        ]
        for one in told["concepts"]
    ]  # fmt: skip
    suspicions = [[one] for one in told["suspicions"]]
    return [("Suspicions", ["what"], suspicions, said if suspicions else f"{said} Nothing suspicious."),
            ("Concepts", head, rows, "")]  # fmt: skip


def _with_limits(row: Mapping[str, Any], name: str) -> str:
    if name not in row:
        return ""
    ends = row.get(f"{name}_95")
    return _number(row[name]) + (f" [{_number(ends[0])}, {_number(ends[1])}]" if ends else "")


def _number(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.4g}"


def as_markdown(title: str, sections: Sequence[Section]) -> str:
    """The report as Markdown."""
    lines = [f"# {title}", ""]
    for heading, head, rows, said in sections:
        lines += [f"## {heading}", ""]
        lines += [said, ""] if said else []
        if rows:
            lines += ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
            lines += ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows] + [""]
    return "\n".join(lines)


def _page(title: str, sections: Sequence[Section]) -> str:
    parts = []
    for heading, head, rows, said in sections:
        parts.append(f"<h2>{html.escape(heading)}</h2>")
        parts.append(f"<p>{html.escape(said)}</p>" if said else "")
        if rows:
            top = "".join(f'<th scope="col">{html.escape(one)}</th>' for one in head)
            body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
            parts.append(f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{html.escape(title)}</h1>{''.join(parts)}"
        "<p>Investigational software, not a medical device.</p></body></html>\n"
    )
