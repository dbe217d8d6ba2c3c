"""The items of TRIPOD+AI that a model card answers, each from what the bundle and its evaluation say.

Collins GS et al. TRIPOD+AI statement: updated guidance for reporting clinical prediction models that use regression or
machine learning methods. BMJ 2024;385:e078378. Numbers are those of its checklist. What nobody has stated is said to be
absent; no answer is made up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vitruvian.prediction.report.words import count, interval, number, percent

__all__ = ["ITEMS", "Item"]

Told = Mapping[str, Any]
Answer = Callable[[Told, Told], str | None]


@dataclass(frozen=True, slots=True)
class Item:
    """`number` in the checklist, `section`, `title`, and what answers it: None = absent."""

    number: str
    section: str
    title: str
    answer: Answer


def _said(key: str) -> Answer:
    """What the bundle says under a key, as it stands; lists as sentences."""

    def answer(bundle: Told, _: Told) -> str | None:
        value = bundle.get(key)
        return " ".join(str(each) for each in value) if isinstance(value, list | tuple) else value or None

    return answer


def _fixed(text: str) -> Answer:
    return lambda _bundle, _evaluation: text


def _title(bundle: Told, told: Told) -> str:
    made = " (simulated data)" if told["simulated"] else ""
    return f"{told['title']}: {told['target']}{made}. Model {bundle.get('version', told.get('model') or 'unnamed')}."


def _abstract(bundle: Told, told: Told) -> str:
    return f"{_title(bundle, told)} {_performance(bundle, told)} {_status(bundle, told)}"


def _status(_: Told, told: Told) -> str:
    if told["validated"]:
        return "Measured on labelled data of real patients. Investigational: not a medical device."
    return "Not validated: no labels of real patients were there to measure on. Investigational: not a medical device."


def _objectives(_: Told, told: Told) -> str:
    return (
        f"Development and evaluation of a model for {told['target']}, told"
        f" {'every hour of a stay' if told['moment'] == 'hourly' else 'once a stay'}, beside early-warning scores."
    )


def _data(bundle: Told, told: Told) -> str:
    trained = bundle.get("data")
    return f"{'Trained on: ' + str(trained) + '. ' if trained else ''}Evaluated on: {told['data']}, {told['split']}."


def _participants(_: Told, told: Told) -> str:
    counts = told["counts"]
    return (
        f"{count(counts['patients'])} patients evaluated, {count(counts['event_patients'])} with the outcome;"
        f" {count(counts['rows'])} rows, {count(counts['event_rows'])} with the label"
        f" ({percent(told['prevalence'], 2)})."
    )


def _outcome(_: Told, told: Told) -> str:
    ahead = f" Horizon: {number(told['horizon_h'], 0)} h." if told.get("horizon_h") else ""
    notes = " ".join(f"{note[0].upper()}{note[1:]}." for note in told.get("notes", ()))
    return f"{told['target'][0].upper()}{told['target'][1:]}.{ahead} {notes}".strip()


def _predictors(bundle: Told, _: Told) -> str | None:
    names = sorted({name for member in bundle.get("members", ()) for name in member.get("features", ())})
    if not names:
        return None
    shown = ", ".join(names[:12])
    return (
        f"{len(names)} columns from vital signs, laboratory values and admission, by the code that also serves live,"
        f" from samples up to the hour told and none later: {shown}{', ...' if len(names) > 12 else ''}."
        " The whole list stands in bundle.json."
    )


def _sample_size(_: Told, told: Told) -> str:
    counts = told["counts"]
    return (
        "Not planned: all patients of the data were used. The evaluation has"
        f" {count(counts['event_patients'])} patients with the outcome; the width of every interval says what that"
        " supports."
    )


def _missing(_: Told, told: Told) -> str:
    return (
        "No patient is left out for missing values. A missing column reaches the model as missing; each member fills it"
        " inside its own graph. Where too few vital signs are recent, the ward shows no risk."
    )


def _methods(bundle: Told, told: Told) -> str | None:
    members = bundle.get("members", ())
    if not members:
        return None
    kinds = "; ".join(f"{each['name']} ({each.get('kind', 'row')})" for each in members)
    return (
        f"Members: {kinds}. Each is calibrated by Platt's two numbers on calibration patients, then combined on the"
        f" log-odds with the weights in bundle.json and calibrated again. Intervals: {told['intervals']['draws']}"
        " bootstrap draws of whole patients."
    )


def _imbalance(_: Told, told: Told) -> str:
    return (
        f"{percent(told['prevalence'], 2)} of evaluated rows carry the label. Calibration and evaluation keep the"
        " prevalence as it was met; precision and net benefit are reported beside AUROC."
    )


def _fairness(_: Told, told: Told) -> str:
    gaps = told["fairness"]["gaps"]
    said = [f"{key}: {interval(gap, 'auroc')}" for key, gap in gaps.items() if isinstance(gap, dict)]
    least = told["fairness"]["events_min"]
    return (
        "Figures by sex, age and unit are in the evaluation. Difference of AUROC between the best and the worst group:"
        f" {'; '.join(said) or 'too few patients'}. Groups with fewer than {least} patients of either outcome have no"
        " figures."
    )


def _split(bundle: Told, told: Told) -> str:
    parts = bundle.get("split")
    fitted = ""
    if isinstance(parts, Mapping) and parts.get("train") == parts.get("calibrate"):
        # Parts that coincide are no split: everyone trains, and folds calibrate and measure.
        everyone = count(parts["train"])
        fitted = f" The model itself was fitted on all {everyone} patients it had, and calibrated by folds of them."
    elif isinstance(parts, Mapping):
        fitted = f" The model's own split, in patients: {', '.join(f'{name} {count(n)}' for name, n in parts.items())}."
    return f"By patient. Evaluated: {told['split']}.{fitted}"


def _output(_: Told, told: Told) -> str:
    kind = (told.get("threshold_policy") or {}).get("kind", "fixed")
    adapted = "" if kind == "fixed" else f" (policy: {kind}, from their unlabelled probabilities)"
    by = {"utility": "the utility of the Challenge 2019", "event1": "the lesser of sensitivity and precision"}
    return (
        f"A calibrated probability with an interval. Alarm at {number(told['threshold'], 4)} or above, chosen"
        f" for {by[told['decision']]} without the outcomes of those evaluated{adapted}."
    )


def _performance(_: Told, told: Told) -> str:
    decision = told["decision"]
    worth = f"{'utility' if decision == 'utility' else 'Event 1'} {interval(told, decision)}"
    return (
        f"On {told['data']} ({told['split']}): AUROC {interval(told, 'auroc')}, AUPRC {interval(told, 'auprc')},"
        f" {worth},"
        f" Brier skill {interval(told, 'brier_skill')}, calibration slope {interval(told, 'calibration_slope', 2)},"
        f" intercept {interval(told, 'calibration_intercept', 2)}."
    )


def _specification(bundle: Told, _: Told) -> str | None:
    files = [f"{each['name']}.onnx" for each in bundle.get("members", ())]
    return f"bundle.json with the ONNX graphs {', '.join(files)}: the model itself, whole." if files else None


def _limits(bundle: Told, told: Told) -> str | None:
    """What the maker says, and what follows from the figures themselves."""
    limits = bundle.get("limits", ())
    said = [limits] if isinstance(limits, str) else [str(each) for each in limits]
    if told["simulated"]:
        said.append("The data are simulated: these figures say nothing about patients.")
    slope = told.get("calibration_slope")
    if slope is not None and not 0.85 <= slope <= 1.15:
        said.append(f"Calibration slope {number(slope, 2)} lies outside 0.85 to 1.15 on these patients.")
    if not told["decision_curve"]["above_both"]:
        said.append("Net benefit is not above treating all and treating none at every risk from 2 to 20 %.")
    return " ".join(said) or None


ITEMS: Final = (
    Item("1", "Title", "Title", _title),
    Item("2", "Abstract", "Abstract", _abstract),
    Item("3a-c", "Introduction", "Background", _said("intended_use")),
    Item("4", "Introduction", "Objectives", _objectives),
    Item("5a-b", "Methods", "Source of data", _data),
    Item("6a-c", "Methods", "Participants", _participants),
    Item("7", "Methods", "Data preparation", _fixed(
        "Implausible values are left out by the vocabulary's range; units are the vocabulary's. Hours are pushed"
        " through the same tracker that serves live.")),
    Item("8a-c", "Methods", "Outcome", _outcome),
    Item("9a-c", "Methods", "Predictors", _predictors),
    Item("10", "Methods", "Sample size", _sample_size),
    Item("11", "Methods", "Missing data", _missing),
    Item("12a-g", "Methods", "Analytical methods", _methods),
    Item("13", "Methods", "Class imbalance", _imbalance),
    Item("14", "Methods", "Fairness", _fairness),
    Item("15", "Methods", "Model output", _output),
    Item("16", "Methods", "Training versus evaluation", _split),
    Item("17", "Methods", "Ethical approval", _said("ethics")),
    Item("18a", "Open science", "Funding", _said("funding")),
    Item("18b", "Open science", "Conflicts of interest", _said("conflicts")),
    Item("18c", "Open science", "Protocol", _said("protocol")),
    Item("18d", "Open science", "Registration", _said("registration")),
    Item("18e", "Open science", "Data sharing", _said("data_sharing")),
    Item("18f", "Open science", "Code sharing", _fixed("All code is part of this package, under its licence.")),
    Item("19", "Patient and public involvement", "Patient and public involvement", _said("involvement")),
    Item("20a-c", "Results", "Participants", _participants),
    Item("22", "Results", "Model specification", _specification),
    Item("23a-b", "Results", "Model performance", _performance),
    Item("24", "Results", "Model updating", _said("updating")),
    Item("25", "Discussion", "Interpretation", _status),
    Item("26", "Discussion", "Limitations", _limits),
    Item("27a-c", "Discussion", "Usability", _said("usability")),
)  # fmt: skip
