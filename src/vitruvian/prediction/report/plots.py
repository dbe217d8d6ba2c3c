"""The plots of an evaluation: ranking, calibration, decisions, alarms against lead time, groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vitruvian.prediction.measure.baselines import NEWS2, SCORES, TIME_ONLY
from vitruvian.prediction.report.canvas import BASE, LINE, MAIN, OTHERS, QUIET, TEXT, new_figure, panel, svg_of
from vitruvian.prediction.report.words import interval, number, shares

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Plot", "plots_of"]

Told = Mapping[str, Any]
MODELS_MAX: Final = 7  # lines of other models in a plot; more would hide each other, and the tables have them all
_DASHES: Final = ((0, (4, 2)), (0, (1, 1.4)), (0, (6, 2, 1, 2)), (0, (2, 1)), (0, (8, 3)))


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawn figure: `name` of its files, `title`, and `text` that says what it shows to one who cannot see it,
    and the drawing as `svg`.
    """

    name: str
    title: str
    text: str
    figure: Figure
    svg: str


def _plot(name: str, title: str, text: str, figure: Figure) -> Plot:
    return Plot(name, title, text, figure, svg_of(figure, name))


def plots_of(told: Told) -> list[Plot]:
    """Every plot that an evaluation has the figures for."""
    made: list[Plot] = []
    drawings: tuple[Callable[[Told], Plot | None], ...] = (
        _roc, _precision, _calibration, _decisions, _alarms, _lead, _groups,
    )  # fmt: skip
    for draw in drawings:
        plot = draw(told)
        if plot is not None:
            made.append(plot)
    return made


def _models(told: Told, names: Mapping[str, Any]) -> list[str]:
    """The other models that are drawn: plain ones before variants of them (`lstm` before `lstm_patient`)."""
    beaten = (*SCORES, TIME_ONLY, told["main"])
    others = [row["score"] for row in told["rows"] if row["score"] in names and row["score"] not in beaten]
    return sorted(others, key=lambda name: "_" in name)[:MODELS_MAX]


def _styles(told: Told, names: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each score that is drawn, worst first so that the model lies on top, and how its line looks."""
    models = _models(told, names)
    beaten = [name for name in (TIME_ONLY, *SCORES) if name in names and name != told["main"]]
    for number_, name in reversed(list(enumerate(beaten))):
        yield name, {"color": BASE, "linestyle": _DASHES[number_ % len(_DASHES)], "linewidth": 1.1}
    for number_, name in reversed(list(enumerate(models))):
        dash = "-" if number_ < len(OTHERS) else _DASHES[number_ // len(OTHERS) % len(_DASHES)]
        yield name, {"color": OTHERS[number_ % len(OTHERS)], "linewidth": 1.2, "linestyle": dash}
    yield told["main"], {"color": MAIN, "linewidth": 2.2}


def _legend(axes: Axes, **where: Any) -> None:
    """The legend with the model first, as in the tables."""
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], frameon=False, fontsize=7.5, labelcolor=TEXT, **where)


def _roc(told: Told) -> Plot:
    figure = new_figure(4.8, 4.4)
    axes = panel(figure)
    by_name = {row["score"]: row for row in told["rows"]}
    axes.plot([0, 1], [0, 1], color=LINE, linewidth=1)
    for name, style in _styles(told, told["curves"]):
        curve = told["curves"][name]["roc"]
        axes.plot(curve["x"], curve["y"], label=f"{name}  {number(by_name[name]['auroc'])}", **style)
    axes.set(xlabel="false-positive rate", ylabel="sensitivity", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    _legend(axes, loc="lower right", borderaxespad=0.2)
    text = (
        f"Sensitivity against false-positive rate. Area of {told['main']}: {interval(by_name[told['main']], 'auroc')}."
    )
    return _plot("roc", "Receiver operating characteristic", text, figure)


def _precision(told: Told) -> Plot:
    figure = new_figure(4.8, 4.4)
    axes = panel(figure)
    by_name = {row["score"]: row for row in told["rows"]}
    axes.axhline(told["prevalence"], color=LINE, linewidth=1)
    top = 0.0
    for name, style in _styles(told, told["curves"]):
        curve = told["curves"][name]["precision_recall"]
        # The first few rows of a ranking give a precision of chance; it would set the scale for all that follows.
        seen = [y for x, y in zip(curve["x"], curve["y"], strict=True) if x >= 0.02]
        top = max(top, *seen)
        axes.plot(curve["x"], curve["y"], label=f"{name}  {number(by_name[name]['auprc'])}", **style)
    axes.set(xlabel="sensitivity (recall)", ylabel="precision", xlim=(-0.01, 1.01), ylim=(0, min(1.02, 1.1 * top)))
    _legend(axes, loc="upper right", borderaxespad=0.2)
    text = (
        f"Precision against sensitivity; chance is {100 * told['prevalence']:.2f} %. Average precision of"
        f" {told['main']}: {interval(by_name[told['main']], 'auprc')}."
    )
    return _plot("precision_recall", "Precision and recall", text, figure)


def _calibration(told: Told) -> Plot:
    figure = new_figure(4.8, 4.4)
    grid = figure.add_gridspec(2, 1, height_ratios=(4, 1), hspace=0.05)
    axes, below = panel(figure, (2, 1, 1)), panel(figure, (2, 1, 2))
    axes.set_subplotspec(grid[0])
    below.set_subplotspec(grid[1])
    bins, histogram = told["reliability"]["bins"], told["reliability"]["histogram"]
    x, y = [each["predicted"] for each in bins], [each["observed"] for each in bins]
    low, high = zip(*(each["observed_95"] for each in bins), strict=True)
    top = 1.08 * max(*x, *(each for each in high if each is not None), *y)
    axes.plot([0, top], [0, top], color=LINE, linewidth=1.2)
    axes.vlines(x, [a or 0 for a in low], [b or 0 for b in high], color=MAIN, linewidth=1.2)
    axes.plot(x, y, "o-", color=MAIN, markersize=4)
    axes.set(ylabel="share with the outcome", xlim=(0, top), ylim=(0, top))
    axes.tick_params(labelbottom=False)
    edges = histogram["edges"]
    below.stairs(histogram["rows"], edges, fill=True, color=MAIN, alpha=0.55)
    below.set(xlabel="probability told", ylabel="rows", xlim=(0, top), yscale="log")
    text = (
        f"In ten groups of equally many rows, the mean probability against the share with the outcome. Slope"
        f" {interval(told, 'calibration_slope', 2)}, intercept {interval(told, 'calibration_intercept', 2)}. Below, how"
        " many rows had which probability."
    )
    return _plot("calibration", "Calibration", text, figure)


def _decisions(told: Told) -> Plot:
    figure = new_figure(4.8, 4.4)
    axes = panel(figure)
    curve = told["decision_curve"]
    x = [100 * risk for risk in curve["risks"]]
    low, high = zip(*curve["model_95"], strict=True)
    axes.fill_between(x, low, high, color=MAIN, alpha=0.16, linewidth=0)
    axes.plot(x, curve["treat_all"], color=QUIET, linestyle=_DASHES[0], label="treat all")
    axes.plot(x, curve["treat_none"], color=BASE, linewidth=1.2, label="treat none")
    axes.plot(x, curve["model"], color=MAIN, linewidth=2.2, label=told["main"])
    top = max(*(each for each in high if each is not None), told["prevalence"])
    axes.set(xlabel="risk at which one would act, %", ylabel="net benefit a row", xlim=(2, 20), ylim=(-0.35 * top, top))
    _legend(axes, loc="upper right")
    said = "above" if curve["above_both"] else "not everywhere above"
    text = f"Net benefit at risks from 2 to 20 %, {said} treating all and treating none; the band is the 95 % interval."
    return _plot("decision_curve", "Decision curve", text, figure)


def _shown(told: Told) -> dict[str, Any]:
    """The alarm curves that are drawn: the first models, NEWS2 and the clock; more would hide each other."""
    curves = (told.get("alarms_curve") or {}).get("scores", {})
    shown = (told["main"], *_models(told, curves)[:3], NEWS2, TIME_ONLY)
    return {name: curves[name] for name in shown if name in curves}


def _few(curve: Mapping[str, Any]) -> dict[str, Any]:
    """A score of whole points has few thresholds, which are marked: between them the line is a mixture of two."""
    return {"marker": "o", "markersize": 3} if len(curve["threshold"]) < 25 else {}


def _alarms(told: Told) -> Plot | None:
    shown = _shown(told)
    if not shown:
        return None
    figure = new_figure(4.8, 4.2)
    axes = panel(figure)
    for name, style in _styles(told, shown):
        curve = shown[name]
        axes.plot(curve["alarms_per_patient_day"], curve["sensitivity"], label=name, **style, **_few(curve))
    axes.axhline(0.8, color=LINE, linewidth=1.6)
    axes.set(xlabel="alarms a patient-day", ylabel="share of patients caught", xlim=(0, None), ylim=(0, 1.02))
    _legend(axes, loc="lower right")
    same = (told.get("alarms_against_news2") or {}).get("same", {})
    saving = f" At 80 %, fewer than NEWS2 by {shares(same, 'fewer')}." if same.get("fewer") is not None else ""
    text = (
        "The share of patients caught against alarms a patient-day. An alarm is followed by"
        f" {told['alarms_curve']['refractory_h']} silent hours.{saving}"
    )
    return _plot("alarms", "Alarms for each patient caught", text, figure)


def _lead(told: Told) -> Plot | None:
    shown = _shown(told)
    if not shown:
        return None
    figure = new_figure(4.8, 4.2)
    axes = panel(figure)
    for name, style in _styles(told, shown):
        curve = shown[name]
        # Of a handful of caught patients the median lead is chance.
        columns = zip(curve["alarms_per_patient_day"], curve["median_lead_h"], curve["sensitivity"], strict=True)
        seen = [(rate, lead) for rate, lead, caught in columns if caught and caught >= 0.1]
        if seen:
            axes.plot(*zip(*seen, strict=True), label=name, **style, **_few(curve))
    axes.axhline(2, color=LINE, linewidth=1.6)
    axes.set(xlabel="alarms a patient-day", ylabel="median lead, h", xlim=(0, None), ylim=(0, 12.5))
    _legend(axes, loc="lower right")
    row = told["rows"][0]
    text = (
        "The median hours from the first alarm in the window that counts to the event, of those caught; shown from a"
        f" tenth of the patients on. {told['main']} at its threshold: {interval(row, 'median_lead_h', 1)} h."
    )
    return _plot("lead_time", "Alarms against lead time", text, figure)


def _groups(told: Told) -> Plot | None:
    groups = [each for each in told["fairness"]["groups"] if isinstance(each["figures"], dict)]
    if not groups:
        return None
    figure = new_figure(5.6, 0.7 + 0.3 * (len(groups) + 1))
    axes = panel(figure)
    names = [f"{each['attribute']}: {each['group']}" for each in groups]
    rows = [(told["main"], told), *zip(names, (each["figures"] for each in groups), strict=True)]
    for place, (_, figures) in enumerate(rows):
        low, high = figures["auroc_95"]
        colour = MAIN if place == 0 else QUIET
        if low is not None:
            axes.hlines(place, low, high, color=colour, linewidth=1.6)
        axes.plot(figures["auroc"], place, "D" if place == 0 else "o", color=colour, markersize=5)
    axes.axvline(told["auroc"], color=LINE, linewidth=1.2, zorder=0)
    axes.set_yticks(range(len(rows)), ["all patients", *names])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("AUROC with 95 % interval")
    axes.grid(axis="y", visible=False)
    least = told["fairness"]["events_min"]
    text = f"AUROC of {told['main']} in each group with at least {least} patients of either outcome, with intervals."
    return _plot("groups", "Groups of patients", text, figure)
