"""What a question may ask: its intent, what it names, and when. The types that routing and answering share."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from vitruvian.explanation.ask.doses import Doubt
from vitruvian.explanation.ask.refusals import Why

__all__ = ["INTENTS", "REFUSALS", "Detail", "Intent", "Route"]

Intent = Literal[
    "risk_now", "risk_change", "risk_why", "latest", "trend", "extreme", "forecast", "what_if", "missing", "alarms",
    "medicines", "events", "score", "model", "state", "quality", "unanswerable", "forbidden",
]  # fmt: skip
INTENTS: Final[tuple[Intent, ...]] = Intent.__args__  # type: ignore[attr-defined]
REFUSALS: Final[tuple[Intent, ...]] = ("unanswerable", "forbidden")


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a what-if does: `dose` in `unit` (UCUM) of `action`, over `over_h` hours; or what it takes to be otherwise:
    `edit` at `value` (its own unit). `stop`: the action is taken away. `doubt`: why the dose is no single positive one.
    `past`: it is asked as of something in the past, which is not what can be simulated.
    """

    action: str = ""
    dose: float | None = None
    unit: str = ""
    over_h: float | None = None
    stop: bool = False
    edit: str = ""
    value: float | None = None
    doubt: Doubt = ""
    past: bool = False


class Route(msgspec.Struct, frozen=True):
    """What a question asks. `concept`: of the vocabulary, a task or a score; empty where none was named.

    `window_h`: how far back, where that was said in hours; `since_us`, `until_us`: from when to when; `stay`: since
    admission. `ahead_h`: how far ahead. `risk`: an extreme is asked of a risk. `sign`: +1 the highest, -1 the lowest.
    `why`: the reason of a refusal.
    `by`: what decided: names and patterns, or likeness to an example question. `confidence` 0 to 1.
    """

    intent: Intent
    concept: str = ""
    window_h: float | None = None
    since_us: int | None = None
    until_us: int | None = None
    ahead_h: float | None = None
    stay: bool = False
    risk: bool = False
    sign: int = 0
    detail: Detail = Detail()
    confidence: float = 1.0
    why: Why | None = None
    by: Literal["names", "examples"] = "names"
