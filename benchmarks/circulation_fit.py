"""How the constants of the circulation were found: the standard man for the beat-resolved form, and the shape constants
of the cycle-averaged form against it. Prints; the values are written into `parameters.py` by hand.

python -m benchmarks.circulation_fit man|shape
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.optimize import least_squares

from vitruvian.physiology.circulation import BEATS, CIRCULATION
from vitruvian.physiology.circulation.beats import record
from vitruvian.physiology.circulation.parameters import SHAPE
from vitruvian.physiology.run import held, observe, run, start

MAN = {
    "heart_rate": (72.0, 0.01),
    "systolic_pressure": (114.0, 0.01),
    "diastolic_pressure": (73.5, 0.01),
    "mean_pressure": (88.0, 0.03),
    "cardiac_output": (5.6, 0.01),
    "ejection_fraction": (0.55, 0.01),
    "central_venous_pressure": (4.0, 0.03),
    "pulmonary_artery_mean": (14.0, 0.03),
    "left_atrial_mean": (8.0, 0.03),
}
FREE = (
    "set_pressure", "systemic_resistance", "venous_resistance", "pulmonary_resistance", "arterial_compliance",
    "left_elastance", "left_stiffness", "right_elastance", "right_stiffness", "stressed_volume",
)  # fmt: skip
# Outputs of the cycle-averaged form, and the same of a beat.
PAIRS = (
    ("mean_pressure", "mean_pressure", 1.0),
    ("systolic_pressure", "systolic_pressure", 1.0),
    ("diastolic_pressure", "diastolic_pressure", 1.0),
    ("cardiac_output", "cardiac_output", 1.0),
    ("heart_rate", "heart_rate", 1.0),
    ("central_venous_pressure", "central_venous_pressure", 1.0),
    ("pulmonary_artery_mean", "pulmonary_artery_mean", 1.0),
    ("pulmonary_wedge_pressure", "left_atrial_mean", 1.0),
    ("ejection_fraction", "ejection_fraction", 100.0),
)
STEP = 0.03
FLOOR = {"central_venous_pressure": 8.0, "pulmonary_artery_mean": 15.0, "pulmonary_wedge_pressure": 12.0}


def steady_beats(p: np.ndarray, settle_s: float = 90.0) -> list[dict[str, float]]:
    """What the beat-resolved form shows once it is steady, for each of p (M, P)."""
    y = run(BEATS, start(BEATS, p), p, 0.0, settle_s).check(BEATS).end
    return [one.mean() for one in record(BEATS, y, p, settle_s, settle_s + 8.0)]


def fit_man() -> None:
    """The standard man."""
    base = BEATS.parameter_values()
    where = [BEATS.parameter_index[name] for name in FREE]
    total = base[BEATS.parameter_index["stressed_volume"]] + base[BEATS.parameter_index["unstressed_volume"]]

    def values(x: np.ndarray) -> np.ndarray:
        p = base.copy()
        p[where] = np.exp(x)
        p[BEATS.parameter_index["unstressed_volume"]] = total - p[BEATS.parameter_index["stressed_volume"]]
        return p

    def residuals(xs: np.ndarray) -> np.ndarray:
        seen = steady_beats(np.array([values(one) for one in xs]))
        return np.array([[(one[name] / goal - 1) / weight for name, (goal, weight) in MAN.items()] for one in seen])

    x = np.log(base[where])
    for _ in range(8):  # Gauss and Newton, with differences wide enough to be above the integrator's error
        points = np.vstack([x, x + STEP * np.eye(len(x))])
        r = residuals(points)
        slopes = (r[1:] - r[0]).T / STEP
        trials = [x]
        for damping in (1.0, 3.0, 10.0, 30.0, 100.0):
            matrix = np.vstack([slopes, damping * np.eye(len(x))])
            trials.append(x + np.linalg.lstsq(matrix, np.append(-r[0], 0 * x), rcond=None)[0])
        x = trials[np.argmin((residuals(np.clip(trials, x - 0.5, x + 0.5)) ** 2).sum(axis=1))]
    seen = steady_beats(values(x)[None])[0]
    print({name: round(float(np.exp(v)), 5) for name, v in zip(FREE, x, strict=True)})
    print({name: round(v, 3) for name, v in seen.items()})


def grid(count: int = 60, seed: int = 3) -> np.ndarray:
    """Parameters (M, P) of hearts and vessels of many kinds, by a Latin hypercube, with and without reflexes."""
    random = np.random.Generator(np.random.Philox(key=seed))
    spans = {
        "stressed_volume": (0.65, 1.35),
        "systemic_resistance": (0.6, 1.7),
        "left_elastance": (0.5, 1.6),
        "right_elastance": (0.6, 1.5),
        "heart_rate_rest": (0.75, 1.7),
        "arterial_compliance": (0.7, 1.4),
        "pulmonary_resistance": (0.7, 2.0),
    }
    p = np.tile(BEATS.parameter_values(), (count, 1))
    for name, (low, high) in spans.items():
        strata = (random.permutation(count) + random.random(count)) / count
        p[:, BEATS.parameter_index[name]] *= low * (high / low) ** strata
    p[::2, BEATS.parameter_index["baroreflex_gain"]] = 0.0
    return p


def averaged(p: np.ndarray, shape: np.ndarray | None = None) -> np.ndarray:
    """The steady outputs (M, O) of the cycle-averaged form for parameters of the beat-resolved one."""
    q = np.tile(CIRCULATION.parameter_values(), (len(p), 1))
    common = q.shape[1] - len(SHAPE)
    q[:, :common] = p[:, :common]
    if shape is not None:
        q[:, common:] = shape
    y = run(CIRCULATION, start(CIRCULATION, q), q, 0.0, 400.0).check(CIRCULATION).end
    return observe(CIRCULATION, 0.0, y, q, held(CIRCULATION.rest()).levels[0])


def errors(out: np.ndarray, seen: list[dict[str, float]]) -> np.ndarray:
    """Relative errors (M, pairs) of the cycle-averaged form."""
    columns = []
    for mine, theirs, scale in PAIRS:
        truth = np.array([one[theirs] for one in seen]) * scale
        columns.append((out[:, CIRCULATION.output_index[mine]] - truth) / np.maximum(truth, FLOOR.get(mine, 0.0)))
    return np.array(columns).T


def fit_shape() -> None:
    """The shape constants."""
    p = grid()
    seen = steady_beats(p)
    keep = np.array([one["mean_pressure"] > 40 and one["mean_pressure"] < 170 for one in seen])
    p, seen = p[keep], [one for one, kept in zip(seen, keep, strict=True) if kept]
    low = np.log([one.low for one in SHAPE])
    high = np.log([one.high for one in SHAPE])

    def residuals(x: np.ndarray) -> np.ndarray:
        return np.clip(errors(averaged(p, np.exp(x)), seen), -1, 1).ravel()

    first = np.log([one.value for one in SHAPE])
    found = least_squares(residuals, first, bounds=(low, high), loss="soft_l1", f_scale=0.05, diff_step=1e-3)
    left = errors(averaged(p, np.exp(found.x)), seen)
    print({one.name: round(float(np.exp(v)), 4) for one, v in zip(SHAPE, found.x, strict=True)})
    for (name, _, _), column in zip(PAIRS, left.T, strict=True):
        print(f"{name:28s} median |e| {np.median(abs(column)):.4f}  p95 {np.quantile(abs(column), 0.95):.4f}")


if __name__ == "__main__":
    {"man": fit_man, "shape": fit_shape}[sys.argv[1]]()
