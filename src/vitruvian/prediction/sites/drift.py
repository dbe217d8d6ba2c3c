"""Whether a site's patients still look like those a model was trained on: features, missing values, scores.

The training side is kept in the bundle as quantiles and shares (`reference_of`), no patient's data. Measures, each
with its usual marks: the population stability index over tenths and the missing (0.1 moderate, 0.25 large; Siddiqi,
Credit Risk Scorecards, 2006), the Kolmogorov-Smirnov distance at the kept quantiles, the difference in missing, and
the share beyond the training's 0.5th and 99.5th percentile. They say that inputs differ, not that risks are wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.inputs.table import Table

__all__ = ["LEVELS", "MARKS", "column_drift", "column_reference", "drift", "reference_of"]

LEVELS: Final = ("stable", "moderate", "large")
MARKS: Final = (0.1, 0.25)  # of the population stability index
STEPS: Final = 20  # quantiles kept: each twentieth
TENTHS: Final = 10
TAILS: Final = (0.005, 0.995)
ROWS_MAX: Final = 100_000  # enough for quantiles to three digits
ROWS_MIN: Final = 100  # fewer rows tell no distribution
SCORE: Final = "score"
_LEAST: Final = 1e-4  # a share that nobody has counts as this, so that its logarithm exists


def reference_of(
    table: Table, rows: NDArray[np.int64] | None = None, scores: NDArray[np.floating] | None = None
) -> dict[str, Any]:
    """What a bundle keeps of its training rows, as JSON: of each feature the share that is missing and its quantiles.

    `rows` of the table (all scored ones by default); `scores`: the model's probabilities of these rows, (n,).
    """
    mine = np.flatnonzero(table.scored) if rows is None else rows
    few = mine[:: max(1, mine.size // ROWS_MAX)]
    told = {
        "rows": int(mine.size),
        "features": {name: column_reference(table.values[few, place]) for place, name in enumerate(table.names)},
    }
    return told if scores is None else told | {SCORE: column_reference(np.asarray(scores))}


def drift(
    reference: Mapping[str, Any],
    table: Table,
    rows: NDArray[np.int64] | None = None,
    scores: NDArray[np.floating] | None = None,
) -> dict[str, Any]:
    """Drift of these rows (all scored ones by default) against a reference, features in falling order of it.

    Raises ModelError where the reference is empty, or fewer than ROWS_MIN rows are given.
    """
    features = reference.get("features")
    if not features:
        raise ModelError("found a model without a reference of its training data; train it again to watch for drift")
    mine = np.flatnonzero(table.scored) if rows is None else rows
    if mine.size < ROWS_MIN:
        raise ModelError(f"found {mine.size} rows, expected at least {ROWS_MIN} to tell a distribution by; give more")
    few = mine[:: max(1, mine.size // ROWS_MAX)]
    places = {name: place for place, name in enumerate(table.names)}
    found = [
        {"feature": name} | column_drift(kept, table.values[few, places[name]])
        for name, kept in features.items()
        if name in places
    ]
    found.sort(key=lambda one: -one["psi"])
    told: dict[str, Any] = {
        "rows": int(mine.size),
        "reference_rows": int(reference["rows"]),
        "counts": {level: sum(one["level"] == level for one in found) for level in LEVELS},
        "features": found,
    }
    if scores is not None and reference.get(SCORE):
        told[SCORE] = column_drift(reference[SCORE], np.asarray(scores))
    return told


def column_drift(kept: Mapping[str, Any], column: NDArray[np.floating]) -> dict[str, Any]:
    """The measures of one column (n,), NaN = missing, against what was kept of it."""
    known = column[np.isfinite(column)].astype(np.float64)
    missing = 1.0 - known.size / column.size
    quantiles = np.array(kept["quantiles"], np.float64)
    told: dict[str, Any] = {"missing": missing, "missing_change": missing - float(kept["missing"])}
    expected, seen = [float(kept["missing"])], [missing]
    if quantiles.size:
        edges = np.unique(quantiles[:: STEPS // TENTHS][1:-1])
        expected += _shares(kept["edge_shares"], 1.0 - float(kept["missing"]))
        place = np.searchsorted(edges, known, side="right")
        seen += list(np.bincount(place, minlength=edges.size + 1) / column.size)
        low, high = kept["tails"]
        told["out_of_range"] = float(((known < low) | (known > high)).mean()) if known.size else 0.0
        told["ks"] = _distance(quantiles, kept["below"], known)
        told["median"] = float(np.median(known)) if known.size else None
        told["reference_median"] = float(quantiles[STEPS // 2])
    elif known.size:
        expected, seen = [1.0, 0.0], [missing, 1.0 - missing]  # never measured there, and measured here
    told["psi"] = _stability(np.array(expected), np.array(seen))
    told["level"] = LEVELS[int(np.searchsorted(MARKS, told["psi"], side="right"))]
    return told


def column_reference(column: NDArray[np.floating]) -> dict[str, Any]:
    """What a bundle keeps of one column (n,), NaN = missing: shares and quantiles, as JSON."""
    known = column[np.isfinite(column)].astype(np.float64)
    missing = 1.0 - known.size / max(column.size, 1)
    if not known.size:
        return {"missing": missing, "quantiles": [], "below": [], "tails": [], "edge_shares": []}
    quantiles = [float(f"{one:.6g}") for one in np.quantile(known, np.linspace(0, 1, STEPS + 1))]
    edges = np.unique(np.array(quantiles)[:: STEPS // TENTHS][1:-1])
    # Of a column with few values (a count) tenths fall together: the shares between edges are kept, not assumed.
    shares = np.bincount(np.searchsorted(edges, known, side="right"), minlength=edges.size + 1) / known.size
    # The share at or below each: where values repeat (a score's points) it is more than the quantile's own.
    below = np.searchsorted(np.sort(known), np.unique(quantiles), side="right") / known.size
    return {
        "missing": missing,
        "quantiles": quantiles,
        "below": [round(float(one), 6) for one in below],
        "tails": [float(f"{one:.6g}") for one in np.quantile(known, TAILS)],
        "edge_shares": [round(float(one), 6) for one in shares],
    }


def _shares(shares: list[float], known: float) -> list[float]:
    return [share * known for share in shares]


def _stability(expected: NDArray[np.float64], seen: NDArray[np.float64]) -> float:
    """The population stability index: the sum of (seen - expected) log(seen / expected)."""
    a, b = np.maximum(expected, _LEAST), np.maximum(seen, _LEAST)
    return float(((b - a) * np.log(b / a)).sum())


def _distance(quantiles: NDArray[np.float64], below: list[float], known: NDArray[np.float64]) -> float | None:
    """The largest difference of the two distributions at the kept quantiles; at most 1 / STEPS below the true one."""
    if not known.size:
        return None
    seen = np.searchsorted(np.sort(known), np.unique(quantiles), side="right") / known.size
    return float(np.abs(seen - np.array(below)).max())
