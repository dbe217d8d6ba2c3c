"""What is shown of learned risks and of the models that tell them: parts of the shapes in `service.views`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

__all__ = ["Attribution", "ModelView", "ReasonsView", "RiskCard", "RiskPoint", "Trend"]

Trend = Literal["rising", "steady", "falling", ""]


class Attribution(msgspec.Struct, frozen=True):
    """How one input moved the risk, signed, in log-odds; associated with it, not its cause."""

    label: str
    contribution: float
    read: str = ""


class RiskCard(msgspec.Struct, frozen=True):
    """A learned risk in full. `target`: its title; `task`: its name; `about`: as it reads in a sentence. `horizon_h`
    None: to the end of the stay. `baseline`: how often the target was met in training; `sentence`: what drives it.

    `attributions` are of the member `explained` where that is only one of several. `members`: each one's own risk.
    `notes`: what must be said with it. `served`: the variant of the model, or the one member of it.
    """

    target: str
    horizon_h: float | None
    probability: float | None
    low: float | None
    high: float | None
    baseline: float | None
    insufficient: str
    model: str
    made_us: int
    calibration: str = ""
    sentence: str = ""
    missing: tuple[str, ...] = ()
    attributions: tuple[Attribution, ...] = ()
    task: str = "sepsis"
    about: str = ""
    validated: bool = True
    notes: tuple[str, ...] = ()
    trend: Trend = ""
    spark: tuple[int | None, ...] = ()
    served: str = ""
    explained: str = ""
    members: Mapping[str, float] = {}


class ReasonsView(msgspec.Struct, frozen=True):
    """What moved a risk, in full and in log-odds: `base` + the sum of `rows` + `rest` = `logit`. `rest`: of `others`
    inputs that add next to nothing, and what the method leaves unexplained.
    """

    patient: str
    task: str
    title: str
    model: str
    served: str
    members: tuple[str, ...]
    at_us: int
    probability: float
    logit: float
    base: float
    rows: tuple[Attribution, ...]
    rest: float
    others: int


class ModelView(msgspec.Struct, frozen=True):
    """A model that runs. `folder`: its name in the directory of models, or `shipped`; `checked`: what it passed before
    it might run; `figures`: what its evaluation measured, with `*_95` intervals; `since_us`, `by`: when and by whom it
    was loaded. `disagreement`, of a shadow: how it differs from its champion since both run; `last`: the newest pairs
    (instant, champion's, shadow's), of each batch the furthest apart; no patient is named. `patients`: how many it was
    trained on; `usual`: how often the target was met among them; `intended`, `limits`: what it is for, and its limits.
    """

    task: str
    title: str
    role: Literal["champion", "shadow"]
    version: str
    served: str
    members: tuple[str, ...]
    folder: str
    horizon_h: float | None
    threshold: float
    validated: bool
    simulated: bool
    data: str
    since_us: int
    by: str
    checked: tuple[str, ...]
    figures: Mapping[str, Any]
    fault: str = ""
    disagreement: Mapping[str, Any] | None = None
    last: tuple[tuple[int, float, float], ...] = ()
    patients: int | None = None
    usual: float | None = None
    intended: str = ""
    limits: tuple[str, ...] = ()


class RiskPoint(msgspec.Struct, frozen=True):
    """One issued risk."""

    at_us: int
    probability: float
    seq: int
