"""How true a probability is: Brier score and skill, calibration line, adaptive error, reliability curve."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vitruvian.prediction.measure.platt import fit_platt, logit_of
from vitruvian.prediction.measure.resampling import limits, patient_sums

__all__ = [
    "ECE_BINS",
    "adaptive_ece",
    "brier",
    "brier_skill",
    "calibration_figures",
    "calibration_line",
    "reliability",
]

Floats = NDArray[np.float64]
ECE_BINS: Final = 10
HISTOGRAM_BINS: Final = 30
STEPS_MAX: Final = 30
STEP_MAX: Final = 3.0


def brier(probability: Floats, label: NDArray[np.int8]) -> float:
    """Mean squared distance of probability and outcome."""
    return float(np.mean((probability - label) ** 2))


def brier_skill(probability: Floats, label: NDArray[np.int8]) -> float:
    """1 - Brier / Brier of always saying the prevalence; 0 is no better than that, 1 is perfect."""
    share = float(label.mean())
    return 1.0 - brier(probability, label) / (share * (1 - share))


def calibration_line(probability: Floats, label: NDArray[np.int8]) -> tuple[float, float]:
    """Calibration slope, and calibration-in-the-large: the intercept with the slope held at 1 (ideal 1 and 0)."""
    logit = logit_of(probability)
    slope, _ = fit_platt(logit, label.astype(np.float64))
    shift = 0.0
    for _ in range(50):
        shifted = 1 / (1 + np.exp(-(logit + shift)))
        # Scores far too sure leave hardly any information at the start: no step is longer than that.
        move = float(np.clip((label - shifted).sum() / (shifted * (1 - shifted)).sum(), -STEP_MAX, STEP_MAX))
        shift += move
        if abs(move) < 1e-10:
            break
    return slope, shift


def adaptive_ece(probability: Floats, label: NDArray[np.int8]) -> float:
    """Expected calibration error over bins that hold equally many rows."""
    order = np.argsort(probability, kind="stable")
    gaps = [
        (part.size, abs(float(probability[part].mean()) - float(label[part].mean())))
        for part in np.array_split(order, ECE_BINS)
        if part.size
    ]
    return sum(size * gap for size, gap in gaps) / probability.size


def calibration_figures(
    probability: Floats, label: NDArray[np.int8], patient: NDArray[np.int64], draws: NDArray[np.int64]
) -> tuple[dict[str, Any], dict[str, Floats]]:
    """Every figure with its `_95` interval over `draws` (D, P), and the figures of each draw, (D,) each.

    `probability`, `label`, `patient` (N,). The bins of the error stay those of all rows in every draw.
    """
    truth = label.astype(np.float64)
    slope, intercept = calibration_line(probability, label)
    sums = patient_sums(patient, draws.shape[1], (probability - truth) ** 2, truth, np.ones_like(truth))
    errors, hits, rows = (draws @ sums).T
    share = hits / rows
    with np.errstate(invalid="ignore", divide="ignore"):
        skill = 1 - (errors / rows) / (share * (1 - share))
    logit, line = logit_of(probability), fit_platt(logit_of(probability), truth)
    drawn = {
        "brier": errors / rows,
        "brier_skill": np.where(share * (1 - share) > 0, skill, np.nan),
        "calibration_slope": _lines(logit, truth, patient, draws, *line, held=False),
        "calibration_intercept": _lines(logit, truth, patient, draws, 1.0, intercept, held=True),
        "ece": _drawn_ece(probability, truth, patient, draws),
    }
    told = {
        "brier": brier(probability, label),
        "brier_skill": brier_skill(probability, label),
        "calibration_slope": slope,
        "calibration_intercept": intercept,
        "ece": adaptive_ece(probability, label),
    }
    return told | {f"{name}_95": limits(column) for name, column in drawn.items()}, drawn


def reliability(
    probability: Floats, label: NDArray[np.int8], patient: NDArray[np.int64], draws: NDArray[np.int64]
) -> dict[str, Any]:
    """The reliability curve: in bins of equally many rows, the mean probability, and the share with the outcome with
    its interval over patients. Beside it a histogram of the probabilities.
    """
    bins = []
    for part in np.array_split(np.argsort(probability, kind="stable"), ECE_BINS):
        if not part.size:
            continue
        drawn = draws @ patient_sums(patient[part], draws.shape[1], label[part], np.ones(part.size))
        with np.errstate(invalid="ignore"):
            share = np.where(drawn[:, 1] > 0, drawn[:, 0] / np.maximum(drawn[:, 1], 1), np.nan)
        bins.append(
            {
                "predicted": float(probability[part].mean()),
                "observed": float(label[part].mean()),
                "observed_95": limits(share),
                "rows": int(part.size),
            }
        )
    top = float(np.quantile(probability, 0.995))
    counts, edges = np.histogram(np.minimum(probability, top), HISTOGRAM_BINS, (0.0, max(top, 1e-6)))
    return {"bins": bins, "histogram": {"edges": edges.tolist(), "rows": counts.tolist()}}


def _drawn_ece(probability: Floats, truth: Floats, patient: NDArray[np.int64], draws: NDArray[np.int64]) -> Floats:
    gap, rows = np.zeros(draws.shape[0]), np.zeros(draws.shape[0])
    for part in np.array_split(np.argsort(probability, kind="stable"), ECE_BINS):
        sums = patient_sums(patient[part], draws.shape[1], probability[part] - truth[part], np.ones(part.size))
        off, size = (draws @ sums).T
        gap, rows = gap + np.abs(off), rows + size
    return np.asarray(gap / rows, np.float64)


def _lines(
    logit: Floats,
    truth: Floats,
    patient: NDArray[np.int64],
    draws: NDArray[np.int64],
    slope: float,
    intercept: float,
    *,
    held: bool,
) -> Floats:
    """The slope of every draw (D,), or with the slope `held` its intercept: Newton's steps from all rows' optimum."""
    return _newton(logit, truth, patient, draws.astype(np.float64), slope, intercept, held)


@njit(cache=True)
def _newton(
    logit: Floats, truth: Floats, patient: NDArray[np.int64], times: Floats, slope: float, intercept: float, held: bool
) -> Floats:
    out = np.full(times.shape[0], np.nan)
    for d in range(times.shape[0]):
        a, b = slope, intercept
        for _ in range(STEPS_MAX):
            pull_a, pull_b, aa, ab, bb = 0.0, 0.0, 0.0, 0.0, 0.0
            for i in range(logit.size):
                w = times[d, patient[i]]
                if w == 0.0:
                    continue
                x = logit[i]
                p = 1.0 / (1.0 + np.exp(-(a * x + b)))
                off, spread = w * (truth[i] - p), w * p * (1.0 - p)
                pull_a += off * x
                pull_b += off
                aa += spread * x * x
                ab += spread * x
                bb += spread
            size = aa * bb - ab * ab
            if bb <= 1e-12 or (not held and size <= 1e-12 * aa * bb):
                break  # one class only, or one score only: no line can be told
            move_a = 0.0 if held else (bb * pull_a - ab * pull_b) / size
            move_b = pull_b / bb if held else (aa * pull_b - ab * pull_a) / size
            a, b = a + move_a, b + move_b
            if abs(a) > 1e3 or abs(b) > 1e3:
                break
            # Newton's next step would be of the order of this one's square.
            if abs(move_a) + abs(move_b) < 3e-4:
                out[d] = b if held else a
                break
    return out
