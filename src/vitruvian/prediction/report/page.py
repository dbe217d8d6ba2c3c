"""One HTML page of an evaluation: no scripts, nothing fetched, light and dark, readable without its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from vitruvian.prediction.report import tables
from vitruvian.prediction.report.canvas import inline
from vitruvian.prediction.report.plots import Plot
from vitruvian.prediction.report.words import count, interval, number, percent, shares

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["page"]

Told = Mapping[str, Any]


def page(told: Told, card: Told, beside: Told | None, plots: Sequence[Plot]) -> str:
    """The page of an evaluation, its card, the source paper's table where there is one, and its plots."""
    from markupsafe import Markup

    drawn = {
        plot.name: {
            "title": plot.title,
            "text": plot.text,
            "svg": Markup(inline(plot.svg, plot.name, plot.title, plot.text)),  # noqa: S704 - our own drawing
        }
        for plot in plots
    }
    folder = files("vitruvian.prediction.report") / "templates"
    css = (folder / "report.css").read_text("utf-8")
    text = _template().render(
        told=told,
        card=card,
        plots=drawn,
        css=Markup(css),  # noqa: S704 - a file of this package
        marks=_marks(told),
        facts=_facts(told),
        tiles=_tiles(told),
        scores=tables.scores(told),
        matrix=tables.matrix(told),
        groups=tables.groups(told),
        gaps=_gaps(told),
        threshold=number(told["threshold"], 4),
        against=_against(told),
        sets=_sets(told),
        paper=_paper(beside),
        sections=_sections(told, beside, drawn),
    )
    return text.replace(" %", "\u00a0%")  # a per cent sign stays with its number


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Not `select_autoescape`: there is one template, and it is HTML.
    loader = PackageLoader("vitruvian.prediction.report", "templates")
    room = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    return room.get_template("report.html")


def _marks(told: Told) -> list[dict[str, str]]:
    marks = []
    if told["simulated"]:
        marks.append({"kind": "warn", "text": "Simulated data"})
    if not told["validated"]:
        marks.append({"kind": "warn", "text": "Not validated"})
    return [*marks, {"kind": "plain", "text": "Investigational, not a medical device"}]


def _facts(told: Told) -> list[dict[str, str]]:
    counts, unit = told["counts"], "hours" if told["moment"] == "hourly" else "stays"
    rows = [
        ("Data", told["data"] + (" (simulated)" if told["simulated"] else "")),
        ("Patients measured", told["split"]),
        ("Patients", f"{count(counts['patients'])}, {count(counts['event_patients'])} with the outcome"),
        (unit.capitalize(), f"{count(counts['rows'])}, {percent(told['prevalence'], 2)} with the label"),
    ]
    if told["notes"]:
        rows.append(("To know of the data", "; ".join(told["notes"])))
    return [{"name": name, "value": value} for name, value in rows]


def _tiles(told: Told) -> list[dict[str, str]]:
    decision = ("utility", "Utility", 3, "Challenge 2019: 0 = no alarm ever, 1 = the best possible")
    if told["decision"] == "event1":
        decision = ("event1", "Event 1", 3, "The lesser of sensitivity and precision, Challenge 2012")
    share = f"0.5 = chance, 1 = perfect; prevalence {percent(told['prevalence'], 2)}"
    rows = [
        ("auroc", "AUROC", 3, share),
        ("auprc", "AUPRC", 3, f"Chance is the prevalence, {number(told['prevalence'])}"),
        decision,
        ("calibration_slope", "Calibration slope", 2, "1 = true; below 1, too sure of itself"),
        ("brier_skill", "Brier skill", 3, "Above 0: better than always saying the prevalence"),
    ]
    tiles = [_tile(name, interval(told, key, decimals), say) for key, name, decimals, say in rows]
    same = (told.get("alarms_against_news2") or {}).get("same", {})
    if same.get("fewer") is not None:
        say = "At 80 % of patients caught, with the same silent hours after an alarm"
        tiles.append(_tile("Fewer alarms than NEWS2", shares(same, "fewer"), say))
    return tiles


def _tile(name: str, figure: str, say: str) -> dict[str, str]:
    value, _, ends = figure.partition(" (")
    return {"name": name, "value": value, "range": ends.rstrip(")"), "say": say}


def _gaps(told: Told) -> list[str]:
    return [
        f"Best less worst AUROC by {key}: {interval(gap, 'auroc')}."
        for key, gap in told["fairness"]["gaps"].items()
        if isinstance(gap, dict)
    ]


def _against(told: Told) -> list[str]:
    against = told.get("alarms_against_news2")
    if not against or against["same"].get("fewer") is None:
        return []
    lacks, same = against["news2_lacks"], against["same"]
    lines = [
        f"At {percent(against['sensitivity'], 0)} of patients caught and the same {against['refractory_h']} silent"
        f" hours after an alarm, {told['main']} alarms {interval(same['model'], 'alarms_per_patient_day', 2)} times a"
        f" patient-day, NEWS2 {interval(same['news2'], 'alarms_per_patient_day', 2)}: fewer by"
        f" {shares(same, 'fewer')}. Median lead {interval(same['model'], 'median_lead_h', 1)} h."
    ]
    reached = against.get("reached")
    if reached and reached.get("fewer") is not None:
        lines.append(
            "NEWS2 gives whole points; 80 % lies on the line between two of them. At the sensitivity that its own"
            f" points reach, {percent(reached['sensitivity'], 0)}, there are fewer by {shares(reached, 'fewer')}."
        )
    if lacks:
        lines.append(
            f"The data lack these parts of NEWS2: {', '.join(each.replace('_', ' ') for each in lacks)}. With them it"
            " would catch more and alarm more."
        )
    return lines


def _sets(told: Told) -> dict[str, Any] | None:
    conformal, table = told["conformal"], tables.sets(told)
    if conformal is None or table is None:
        return None
    on, sure = conformal["calibrated_on"], conformal["confidence"]
    promise = f" with {percent(sure, 0)} confidence over calibration patients" if sure else " on average"
    text = (
        f"“Event” is in a patient's set where the highest probability reaches {number(conformal['event_from'], 4)}, “no"
        f" event” where it stays at or below {number(conformal['none_to'], 4)}. For patients like the"
        f" {count(on['event'])} with and {count(on['none'])} without the outcome that calibrated it, each class is"
        f" covered at least {percent(conformal['level'], 0)} of the time{promise}. Intervals are Clopper and Pearson's."
    )
    return {"text": text, "table": table}


def _paper(beside: Told | None) -> dict[str, Any] | None:
    if beside is None:
        return None
    table, matrices = tables.paper(beside)
    return {"table": table, "matrices": matrices, "reasons": beside["reasons"]}


def _sections(told: Told, beside: Told | None, plots: Mapping[str, Any]) -> list[dict[str, str]]:
    names = [
        ("glance", "At a glance"), ("scores", "Scores"), ("ranking", "Ranking"), ("truth", "Calibration"),
        ("alarms", "Alarms"), ("confusion", "Confusion"), ("sets", "Conformal"), ("groups", "Groups"),
        ("paper", "Source paper"), ("card", "Card"),
    ]  # fmt: skip
    there = {"alarms": "alarms" in plots, "sets": told["conformal"] is not None, "paper": beside is not None}
    return [{"id": name, "name": title} for name, title in names if there.get(name, True)]
