"""What each member costs where it is served: one patient alone, and a ward's worth at once. One thread.

The figures are of the machine that measured them and of what else it did; they compare members with each other.
"""

from __future__ import annotations

import time
from typing import Any, Final

import numpy as np

from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H
from vitruvian.prediction.serve.bundle import Bundle
from vitruvian.prediction.serve.predictor import Predictor

__all__ = ["with_speed"]

ALONE: Final = 200
BATCH: Final = 1_000
REPEATS: Final = 15


def with_speed(result: dict[str, Any], bundle: Bundle) -> dict[str, Any]:
    """An evaluation with the cost of what it judged in its rows: `latency_ms_p50` and `latency_ms_p99` of one patient,
    `updates_per_s` in batches of 1,000 with the range of the middle nine in ten (`updates_per_s_90`).

    Features are not counted, carried states are kept, as they are within an hour. Rows of scores and of members that
    left no graph stay as they are.
    """
    main = result["main"]
    rows = []
    for row in result["rows"]:
        name = str(row["score"])
        serves = name.split(": ", 1)[1] if name == main else name
        known = serves.partition("/")[0] in bundle.told["variants"]
        rows.append(row | _cost(Predictor.load(bundle.folder, bundle.told["task"], serves)) if known else row)
    return result | {"rows": rows}


def _cost(model: Predictor) -> dict[str, Any]:
    """Measured on patients near the training medians, each another."""
    random = np.random.default_rng(0)
    medians = np.array([model.bundle.told["medians"].get(name, np.nan) for name in model.needed])
    values = (medians * random.normal(1.0, 0.1, (BATCH, medians.size))).astype(np.float32)
    hours = random.normal(80.0, 20.0, (BATCH, CONTEXT_H, len(CHANNELS))).astype(np.float32)
    keys, states = np.arange(BATCH), model.new_states()

    def ask(rows: slice) -> float:
        started = time.perf_counter()
        model.score(values[rows], model.needed, hours[rows], keys=keys[rows], states=states)
        return time.perf_counter() - started

    ask(slice(None))
    alone_ms = [ask(slice(place, place + 1)) * 1e3 for place in range(ALONE)]
    rates = [BATCH / ask(slice(None)) for _ in range(REPEATS)]
    p50, p99 = np.quantile(alone_ms, (0.5, 0.99))
    return {
        "latency_ms_p50": round(float(p50), 4),
        "latency_ms_p99": round(float(p99), 4),
        "updates_per_s": round(float(np.median(rates))),
        "updates_per_s_90": [round(float(edge)) for edge in np.quantile(rates, (0.05, 0.95))],
    }
