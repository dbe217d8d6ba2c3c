"""What a model must pass before it may serve: it answers as it did when it was trained, and always with numbers.

`self_test.json` in a bundle's folder holds a few made-up inputs (no patient's) with the probabilities that its members
gave of them when the bundle was made. It is optional (older folders have none); the other checks need nothing but the
model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H
from vitruvian.prediction.serve.bundle import Bundle
from vitruvian.prediction.serve.columns import RiskColumns
from vitruvian.prediction.serve.predictor import Predictor

__all__ = ["FILE", "ROWS_MAX", "check", "keep", "write"]

Columns = NDArray[np.float32]
FILE: Final = "self_test.json"
ROWS_MAX: Final = 16
SEED: Final = 20_260_101
MISSING: Final = 0.2  # of the made-up inputs
# Of a probability, between machines: their matrix products round differently.
APART_MAX: Final = 1e-4
BATCH_APART_MAX: Final = 1e-5
# Usual values of the hourly channels, by which hours are made up that a model must answer with a number.
_USUAL: Final = np.array([85.0, 18.0, 97.0, 37.0, 120.0, 65.0, 82.0], np.float32)


def keep(bundle: Bundle) -> Path:
    """Keep what a bundle that was just made says of made-up patients around its medians, in its folder; the file."""
    predictor = Predictor(bundle, str(bundle.told["serves"]))
    random = np.random.default_rng(SEED)
    medians = bundle.told.get("medians") or {}
    usual = np.array([medians.get(name, 1.0) for name in predictor.needed])
    values = (usual * random.normal(1.0, 0.2, (ROWS_MAX, usual.size))).astype(np.float32)
    values[random.random(values.shape) < MISSING] = np.nan
    hours = (_USUAL * random.normal(1.0, 0.1, (ROWS_MAX, CONTEXT_H, len(CHANNELS)))).astype(np.float32)
    hours[random.random(hours.shape) < MISSING] = np.nan
    return write(predictor, values, predictor.needed, hours)


def write(predictor: Predictor, values: Columns, names: tuple[str, ...], window: Columns | None = None) -> Path:
    """Keep the first `ROWS_MAX` of these inputs with what the predictor says of them, in its folder; the file."""
    rows = slice(0, ROWS_MAX)
    places = [names.index(name) for name in predictor.needed]
    taken = np.ascontiguousarray(values[rows][:, places], np.float32)
    hours = window[rows] if window is not None and predictor.windowed else None
    found = predictor.score(taken, predictor.needed, hours)
    told = {
        "served": predictor.served,
        "names": list(predictor.needed),
        "values": _listed(taken),
        "window": None if hours is None else _listed(hours),
        "probability": found.probability.tolist(),
        "member_probability": dict(zip(found.members, found.member_probability.T.tolist(), strict=True)),
    }
    path = predictor.bundle.folder / FILE
    path.write_text(json.dumps(told, allow_nan=False) + "\n", "utf-8")
    return path


def check(predictor: Predictor) -> tuple[str, ...]:
    """What was checked, in words. Raises ModelError where a check fails."""
    done = [_finite(predictor), _alone(predictor)]
    path = predictor.bundle.folder / FILE
    if path.is_file():
        done.append(_as_made(predictor, path))
    return tuple(done)


def _finite(predictor: Predictor) -> str:
    values, window = _made_up(predictor)
    found = predictor.score(values, predictor.needed, window)
    columns = (found.probability, found.low, found.high, found.member_probability)
    if not all(np.isfinite(column).all() for column in columns):
        raise ModelError(
            f"found {predictor.bundle.folder} that answers made-up patients with no number; train it again"
        )
    if not ((found.low <= found.probability) & (found.probability <= found.high)).all():
        raise ModelError(f"found {predictor.bundle.folder} with risks outside their own interval; train it again")
    return f"a number within its interval for {len(values)} made-up patients"


def _alone(predictor: Predictor) -> str:
    values, window = _made_up(predictor)
    together = predictor.score(values, predictor.needed, window).probability
    alone = [
        predictor.score(values[row : row + 1], predictor.needed, None if window is None else window[row : row + 1])
        for row in range(len(values))
    ]
    apart = float(np.abs(np.concatenate([one.probability for one in alone]) - together).max())
    if apart > BATCH_APART_MAX:
        raise ModelError(
            f"found {predictor.bundle.folder} whose risk of a patient depends on who else is asked about (by"
            f" {apart:.2g}); export its graphs without sums over rows"
        )
    return "a patient's risk does not depend on who else is asked about"


def _as_made(predictor: Predictor, path: Path) -> str:
    try:
        told: dict[str, Any] = json.loads(path.read_text("utf-8"))
        values, names = np.array(told["values"], np.float32), tuple(told["names"])
        window = None if told["window"] is None else np.array(told["window"], np.float32)
        # What was kept is of what was served when it was made; another variant may read other features.
        same = told["served"] == predictor.served
        asked = predictor if same else Predictor(predictor.bundle, str(told["served"]))
        apart = _apart(asked.score(values, names, window), told)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"found {path}, which cannot be read ({error}); copy the folder whole") from None
    if not apart <= APART_MAX:
        raise ModelError(
            f"found {predictor.bundle.folder} whose risks differ by {apart:.2g} from when it was made, expected"
            f" {APART_MAX:g} at most; copy the folder whole, or train it again"
        )
    return f"as when it was made, to {max(apart, 1e-9):.1g}, on {len(values)} kept rows"


def _apart(found: RiskColumns, told: dict[str, Any]) -> float:
    kept = told["member_probability"]
    pairs = [(found.member_probability[:, place], kept[name]) for place, name in enumerate(found.members)]
    pairs.append((found.probability, told["probability"]))
    return max(float(np.abs(now - np.array(then)).max()) for now, then in pairs)


def _made_up(predictor: Predictor) -> tuple[Columns, Columns | None]:
    """Nothing known; the training medians; each twice and half of that; and all alike."""
    medians = predictor.bundle.told.get("medians") or {}
    usual = np.array([medians.get(name, 1.0) for name in predictor.needed], np.float32)
    factors = (np.nan, 1.0, 2.0, 0.5, 0.0, -1.0, 100.0)
    values = np.stack([usual * np.float32(factor) for factor in factors]).astype(np.float32)
    if not predictor.windowed:
        return values, None
    day = np.broadcast_to(_USUAL, (CONTEXT_H, len(CHANNELS)))
    window = np.stack([day * np.float32(factor) for factor in factors]).astype(np.float32)
    window[2, ::2] = np.nan  # with gaps
    return values, window


def _listed(values: Columns) -> Any:
    """Nested lists with None for what is missing."""
    kept = values.astype(object)
    kept[np.isnan(values)] = None
    return kept.tolist()
