"""Train the sepsis risk: split by patient, fit, choose, calibrate, measure, and write a model folder.

Every choice (which features, where their knots lie, the penalty, the threshold) is made on training patients; Platt's
two numbers on calibration patients; the test patients are only measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError, ModelError
from vitruvian.prediction.sepsis import card as cards
from vitruvian.prediction.sepsis import evaluate, metrics
from vitruvian.prediction.sepsis.baselines import SCORES, TimeOnly, score_table
from vitruvian.prediction.sepsis.basis import Basis, fit_basis
from vitruvian.prediction.sepsis.challenge import ADMISSION_FEATURES, Cohort, FeatureTable, feature_table, read_cohort
from vitruvian.prediction.sepsis.figures import DRAWS, SEED, Judge
from vitruvian.prediction.sepsis.graph import Fitted, to_onnx
from vitruvian.prediction.sepsis.logistic import Logistic, fit_logistic, fit_platt, replicas, sigmoid
from vitruvian.prediction.sepsis.model import SepsisModel
from vitruvian.prediction.sepsis.split import SEED as SPLIT_SEED
from vitruvian.prediction.sepsis.split import patients_of, role_of
from vitruvian.prediction.sepsis.utility import HourValues, best_threshold, hour_values, normalized_utility
from vitruvian.signals.features import PRACTICE_FEATURES

PENALTIES: Final = (1000.0, 3000.0, 10_000.0)
REPLICAS: Final = 24
HELD_SEED: Final = "held"  # a fifth of the training patients, set aside to choose penalty and threshold
_TIMING: Final = ("_age_h", *PRACTICE_FEATURES, *ADMISSION_FEATURES)
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What is fitted: an alarm is wanted (`target`, (N,)) wherever it is worth more than silence, and an hour weighs by
    how much (`weight`, mean 1), plus a little so that hours worth nothing still shape the risk.
    """

    target: NDArray[np.float64]
    weight: NDArray[np.float64]
    values: HourValues

    FLOOR = 0.2

    @classmethod
    def of(cls, cohort: Cohort) -> Task:
        """The task of a cohort's hours."""
        values = hour_values(cohort.patient, cohort.label)
        weight = np.abs(values.gain) + cls.FLOOR
        return cls((values.gain > 0).astype(np.float64), weight / weight.mean(), values)


def keep_features(names: tuple[str, ...], *, practice: bool = False, timing: bool = True) -> NDArray[np.int64]:
    """Which columns a model may use.

    12 h windows say nothing that the 6 and 24 h ones do not (held-out AUROC moved by less than 0.001), so they are left
    out. Without `timing`, neither are hours since a measurement; without `practice`, how the patient is cared for.
    """
    cared = (*PRACTICE_FEATURES, *ADMISSION_FEATURES)
    kept = [
        place
        for place, name in enumerate(names)
        if not name.endswith("_12h") and (practice or name not in cared) and (timing or not name.endswith(_TIMING))
    ]
    return np.array(kept, np.int64)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A penalty, and the logit threshold with the highest utility, both by training patients held out of the fit."""

    penalty: float
    threshold_logit: float
    trials: list[dict[str, float]]


def choose(design: NDArray[np.float32], task: Task, label: NDArray[np.int8], held: NDArray[np.bool_]) -> Chosen:
    """Try each penalty. Rows held out must come last, so that no copy of the design is needed."""
    fitted = int((~held).sum())
    if held[:fitted].any():
        raise ModelError("found held-out rows among the fitted ones, expected them last; sort the rows")
    values = HourValues(task.values.alarm[fitted:], task.values.silence[fitted:], task.values.best[fitted:])
    trials, thresholds = [], {}
    for penalty in PENALTIES:
        model = fit_logistic(design[:fitted], task.target[:fitted], task.weight[:fitted], penalty)
        logit = model.logit(design[fitted:])
        threshold, utility = best_threshold(values, logit)
        auroc = metrics.Ranking(logit, label[fitted:]).auroc()
        trials.append({"penalty": penalty, "auroc": auroc, "utility": utility, "steps": float(model.steps)})
        thresholds[penalty] = threshold
    # Both matter and they are of one size; the sum is steadier than either on a few hundred septic patients.
    best = max(trials, key=lambda trial: trial["auroc"] + trial["utility"])
    return Chosen(best["penalty"], thresholds[best["penalty"]], trials)


@dataclass(frozen=True, slots=True)
class Trained:
    """A fitted, calibrated model with what was chosen on the way."""

    fitted: Fitted
    chosen: Chosen
    threshold: float


def fit(
    cohort: Cohort, table: FeatureTable, columns: NDArray[np.int64], say: Say, *, seed: str = SPLIT_SEED
) -> Trained:
    """Fit on the training patients of a cohort, calibrate on its calibration patients; use some feature columns."""
    train = np.isin(cohort.patient, patients_of(cohort.ids, "train", seed))
    held_patient = np.array([role_of(name, HELD_SEED) == "test" for name in cohort.ids])
    rows = np.flatnonzero(train)
    rows = rows[np.argsort(held_patient[cohort.patient[rows]], kind="stable")]
    task = Task.of(cohort)
    mine = Task(
        task.target[rows],
        task.weight[rows],
        HourValues(task.values.alarm[rows], task.values.silence[rows], task.values.best[rows]),
    )
    names = [table.names[column] for column in columns]
    basis, used = fit_basis(table.values[np.ix_(rows, columns)], names)
    used = columns[used]
    design = basis.expand(table.values[np.ix_(rows, used)])
    say(f"{rows.size:,} training hours, {len(basis.names)} features, {design.shape[1]} terms")
    chosen = choose(design, mine, cohort.label[rows], held_patient[cohort.patient[rows]])
    for trial in chosen.trials:
        say(
            "penalty {penalty:.0f}: AUROC {auroc:.3f}, utility {utility:.3f} on held-out training patients".format(
                **trial
            )
        )
    logistic = fit_logistic(design, mine.target, mine.weight, chosen.penalty)
    draws = metrics.patient_draws(len(cohort.ids), REPLICAS, SEED)
    spread = replicas(logistic, design, mine.target, mine.weight, chosen.penalty, cohort.patient[rows], draws)
    slope, intercept = _calibrate(cohort, table, used, basis, logistic, seed)
    threshold = sigmoid(np.array(slope * chosen.threshold_logit + intercept))
    return Trained(Fitted(basis, logistic, spread, slope, intercept), chosen, float(threshold))


def _calibrate(
    cohort: Cohort, table: FeatureTable, used: NDArray[np.int64], basis: Basis, logistic: Logistic, seed: str
) -> tuple[float, float]:
    rows = np.flatnonzero(np.isin(cohort.patient, patients_of(cohort.ids, "calibrate", seed)))
    if not cohort.label[rows].any():
        raise ModelError("found no sepsis among the calibration patients, expected some; give more patients")
    logit = logistic.logit(basis.expand(table.values[np.ix_(rows, used)]))
    return fit_platt(logit, cohort.label[rows].astype(np.float64))


def train(data: Path, out: Path, *, ablations: bool = True, say: Say = lambda _: None) -> dict[str, Any]:
    """Train on the Challenge-form hours at `data`, write the model folder `out` and return its card.

    Needs the extra `train`; raises ConfigurationError where it is not installed, ReadingError for unreadable data,
    ModelError where too few patients have sepsis.
    """
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError as error:
        raise ConfigurationError(f"found no {error.name}, expected the extra: pip install 'vitruvian[train]'") from None
    with threadpool_limits(1):
        return _train(data, out, ablations, say)


def _train(data: Path, out: Path, ablations: bool, say: Say) -> dict[str, Any]:
    cohort = read_cohort(data)
    say(f"{len(cohort.ids):,} patients, {cohort.patient.size:,} hours")
    table = feature_table(cohort, practice=ablations)
    say(f"{table.samples:,} samples pushed, {table.rejected:,} implausible")
    trained = fit(cohort, table, keep_features(table.names), say)
    graph = to_onnx(trained.fitted)
    digest = blake2b(graph, digest_size=6).hexdigest()
    card = cards.card_of(trained.fitted, trained.threshold, trained.chosen.penalty, digest)
    card["trials"] = trained.chosen.trials
    card["cohort"] = cards.cohort_of(cohort, data.name)
    card["baselines"] = baseline_thresholds(cohort)
    card["prevalence"] = card["cohort"]["train"]["prevalence"]
    out.mkdir(parents=True, exist_ok=True)
    (out / "model.onnx").write_bytes(graph)
    _write_card(card, out)
    test = patients_of(cohort.ids, "test")
    tested = feature_table(cohort.of(test))
    result = evaluate.judge(SepsisModel.load(out), cohort.of(test), tested)
    if ablations:
        result["ablations"] = _ablate(cohort, table, say)
    evaluate.write(result, out)
    card["parity_max"] = parity(SepsisModel.load(out), trained.fitted, tested)
    card["evaluation"] = evaluate.rounded(result["rows"][0])
    _write_card(card, out)
    (out / "card.md").write_text(cards.to_markdown(card, result), "utf-8")
    return card


def parity(model: SepsisModel, fitted: Fitted, table: FeatureTable) -> float:
    """The largest difference between the graph's probabilities and the trainer's, in double precision."""
    places = [table.names.index(name) for name in fitted.basis.names]
    served = model.run(table.values, table.names)[0]
    worst = 0.0
    for start in range(0, table.values.shape[0], 16_384):
        part = slice(start, start + 16_384)
        expected = fitted.probability(table.values[part][:, places])
        worst = max(worst, float(np.abs(served[part] - expected).max()))
    return worst


def baseline_thresholds(cohort: Cohort) -> dict[str, Any]:
    """Thresholds of the baselines with the highest utility on training patients, and the table of the time-only one."""
    mine = cohort.of(patients_of(cohort.ids, "train"))
    values = hour_values(mine.patient, mine.label)
    clock = TimeOnly(mine.hour, mine.label)
    thresholds = {"time only": best_threshold(values, clock.score(mine.hour))[0]}
    scores = score_table(mine)
    for column, name in enumerate(SCORES):
        thresholds[name] = best_threshold(values, scores[:, column])[0]
    return {"thresholds": thresholds, "time_only_table": [round(float(share), 6) for share in clock.table]}


def _ablate(cohort: Cohort, table: FeatureTable, say: Say) -> list[dict[str, Any]]:
    """What the ward's habits add, and what is left without knowing when things were measured."""
    rows = np.isin(cohort.patient, patients_of(cohort.ids, "test"))
    test = cohort.of(patients_of(cohort.ids, "test"))
    judged, results = Judge(test, DRAWS), []
    for name, columns, timing in (
        ("with practice features", keep_features(table.names, practice=True), True),
        ("without timing and missingness", keep_features(table.names, timing=False), False),
    ):
        say(f"ablation: {name}")
        used = table if timing else _filled(table, cohort)
        trained = fit(cohort, used, columns, say)
        places = np.array([table.names.index(feature) for feature in trained.fitted.basis.names])
        score = trained.fitted.probability(used.values[np.ix_(rows, places)])
        results.append(judged.figures(name, score, trained.threshold, probability=True))
        utility = normalized_utility(judged.values, score >= trained.threshold)
        say(f"ablation {name}: AUROC {results[-1]['auroc']:.3f}, utility {utility:.3f}")
    return results


def _filled(table: FeatureTable, cohort: Cohort) -> FeatureTable:
    """The table with every gap filled by the training median, so that being missing says nothing."""
    train = np.isin(cohort.patient, patients_of(cohort.ids, "train"))
    values = table.values.copy()
    for column in range(values.shape[1]):
        known = values[train, column]
        known = known[~np.isnan(known)]
        if known.size:
            values[np.isnan(values[:, column]), column] = np.median(known)
    return FeatureTable(table.names, values, table.samples, table.rejected)


def _write_card(card: dict[str, Any], out: Path) -> None:
    text = json.dumps(evaluate.rounded(card), indent=1, ensure_ascii=False, allow_nan=False)
    (out / "card.json").write_text(text + "\n", "utf-8")
