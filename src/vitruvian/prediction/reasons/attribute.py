"""Attributions of what a bundle serves: of one member by the method that is exact for it, and of their sum.

Logistic regression: its own terms. Trees: Shapley values (`leaves`); a forest's are of its mean of shares and are
scaled to its log-odds by the slope of the chord. Anything else: integrated gradients (`path`). The log-odds of an
ensemble are a weighted sum, so its attributions are too. A site's monotone curve, where there is one, comes after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.families.rows.trees import SUFFIX, Trees
from vitruvian.prediction.reasons.base import Attributions, together
from vitruvian.prediction.reasons.leaves import Leaves, leaves_of, shapley
from vitruvian.prediction.reasons.path import STEPS, integrated_gradients
from vitruvian.prediction.reasons.path import Member as Asked
from vitruvian.prediction.serve.members import Member
from vitruvian.prediction.serve.predictor import Predictor

__all__ = ["attribute", "attribute_member"]

Columns = NDArray[np.float32]
Floats = NDArray[np.float64]
TREES: Final = ("boosted", "forest")


def attribute(
    predictor: Predictor,
    values: Columns,
    names: Sequence[str],
    window: Columns | None = None,
    *,
    steps: int = STEPS,
) -> Attributions:
    """What moved the log-odds that a predictor serves, for rows `values` (n, len(names)), `window` (n, H, C).

    Shapley values and integrated gradients cost milliseconds to tenths of a second a row: ask for whom it is shown.
    Raises ModelError where an input of a member is absent.
    """
    variant_name, _, alone = predictor.served.partition("/")
    parts = [attribute_member(predictor, one.name, values, names, window, steps=steps) for one in predictor.members]
    if alone:
        return parts[0]
    variant = predictor.bundle.told["variants"][variant_name]
    slope = float(variant["slope"])
    weights = [slope * float(variant["members"][one.name]) for one in predictor.members]
    return together(parts, weights, float(variant["intercept"]))


def attribute_member(
    predictor: Predictor,
    name: str,
    values: Columns,
    names: Sequence[str],
    window: Columns | None = None,
    *,
    steps: int = STEPS,
) -> Attributions:
    """The same of one member's calibrated log-odds, by the method that suits its family."""
    member = next(one for one in predictor.members if one.name == name)
    told = next(one for one in predictor.bundle.told["members"] if one["name"] == name)
    own = _columns(values, names, member.features)
    family = str(told.get("settings", {}).get("family", ""))
    if member.explains:
        return _linear(member, own)
    if member.kind == "row" and family in TREES:
        leaves = _leaves(str(predictor.bundle.folder / f"{name}{SUFFIX}"), predictor.version)
        return _trees(member, told["settings"], leaves, own)
    if member.kind != "row" and window is None:
        raise ModelError(f"found no hours for {name}, which reads them, expected (n, hours, vital signs); give them")
    return integrated_gradients(_asked(member), own, window, predictor.bundle.told.get("medians") or {}, steps=steps)


def _columns(values: Columns, names: Sequence[str], wanted: Sequence[str]) -> Columns:
    places = {name: place for place, name in enumerate(names)}
    absent = [name for name in wanted if name not in places]
    if absent:
        raise ModelError(f"found no feature {absent[0]}, which the model needs; make features of this version")
    return np.ascontiguousarray(values[:, [places[name] for name in wanted]], np.float32)


def _asked(member: Member) -> Asked:
    recurrent = member.kind == "recurrent"

    def state(window: Columns) -> Columns | None:
        return member.carry(window[:, :-1]) if recurrent else None

    def logit(values: Columns, window: Columns | None, carried: Columns | None) -> Floats:
        return member.logit(values, window, carried)[0]

    return Asked(member.features, member.kind != "row", state, logit)


def _linear(member: Member, values: Columns) -> Attributions:
    """The terms of a graph that gives them; its base is the log-odds of a patient at all medians."""
    logit, parts = member.logit(values, explain=True)
    assert parts is not None
    contributions = parts.astype(np.float64)
    base = np.full(len(values), float(np.mean(logit - contributions.sum(axis=1))) if len(values) else 0.0)
    return Attributions(member.features, contributions, base, logit - base - contributions.sum(axis=1))


@lru_cache(maxsize=16)
def _leaves(path: str, version: str) -> Leaves:
    del version  # a folder that is trained anew has another
    return leaves_of(Trees.load(Path(path)))


def _trees(member: Member, settings: Mapping[str, Any], leaves: Leaves, values: Columns) -> Attributions:
    logit = member.logit(values)[0]
    base = leaves.base
    if settings["family"] == "forest":
        medians = np.array(settings["medians"], np.float32)
        parts = shapley(leaves, np.where(np.isnan(values), medians, values))
        shrink, prevalence = float(settings["shrink"]), float(settings["prevalence"])
        at_base, mean = (_log_odds(m, shrink, prevalence) for m in (np.array(base), base + parts.sum(axis=1)))
        parts = parts * _chord(mean - at_base, parts.sum(axis=1), base, shrink, prevalence)[:, None]
        base = float(at_base)
    else:
        parts = shapley(leaves, values)
    contributions = member.slope * parts
    start = np.full(len(values), member.slope * base + member.intercept)
    return Attributions(member.features, contributions, start, logit - start - contributions.sum(axis=1))


def _log_odds(mean: Floats, shrink: float, prevalence: float) -> Floats:
    share = (1.0 - shrink) * mean + shrink * prevalence
    odds: Floats = np.log(share) - np.log1p(-share)
    return odds


def _chord(rise: Floats, run: Floats, base: float, shrink: float, prevalence: float) -> Floats:
    """The slope from the base to the row, by which shares become log-odds; the tangent where there is no way to go."""
    share = (1.0 - shrink) * base + shrink * prevalence
    tangent = (1.0 - shrink) / (share * (1.0 - share))
    near = np.abs(run) < 1e-9
    return np.where(near, tangent, rise / np.where(near, 1.0, run))
