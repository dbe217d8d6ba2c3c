"""From a question to what it asks: names and patterns first, likeness to example questions where these do not decide.

The default is to refuse. Orders of treatment and decisions are refused with a reason, however they are wrapped; what no
twin can know, and what is not understood, is said to be so. A dose that is named is a what-if, never an order.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, Literal

import msgspec

from vitruvian.core.time import HOUR_US
from vitruvian.explanation.ask.doses import over_h
from vitruvian.explanation.ask.judge import Judge
from vitruvian.explanation.ask.lexicon import lexicon, table
from vitruvian.explanation.ask.reading import Read, read
from vitruvian.explanation.ask.refusals import Why, why_refused, why_unanswerable
from vitruvian.explanation.ask.times import Span

__all__ = ["INTENTS", "REFUSALS", "Detail", "Intent", "Route", "route"]

Intent = Literal[
    "risk_now", "risk_change", "risk_why", "latest", "trend", "extreme", "forecast", "what_if", "missing", "alarms",
    "medicines", "events", "score", "model", "state", "quality", "unanswerable", "forbidden",
]  # fmt: skip
INTENTS: Final[tuple[Intent, ...]] = Intent.__args__  # type: ignore[attr-defined]
REFUSALS: Final[tuple[Intent, ...]] = ("unanswerable", "forbidden")
# How patterns and examples are weighed: chosen on questions of our own, never on the held-out ones.
REFUSE_MIN: Final = 0.5  # share of refusals among what examples say
SURE: Final = 0.2  # more than that where a pattern is sure and every word is known
STRANGE: Final = 0.1  # less, for each unknown word
LEAST: Final = 0.35  # share that the best intent needs where no pattern speaks
PATTERN: Final = 0.35  # what a pattern adds to its intent's share
LOOSE: Final = 0.15
_OF_RISK: Final = ("risk_now", "risk_change", "risk_why", "model", "missing", "extreme", "forecast")
_WORST_LOW: Final = ("oxygen_saturation", "systolic_pressure", "mean_pressure", "platelets", "hemoglobin",
                     "glasgow_coma_score")  # fmt: skip
_LOOKS_BACK: Final = ("trend", "extreme", "events", "alarms", "medicines", "risk_change", "latest")
# What a body part means when a risk is asked of.
_AT_RISK: Final = {"creatinine": "aki", "urine_output": "aki", "heart_rate": "cardiac_event", "egfr": "aki"}


class Detail(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a what-if does: `dose` in `unit` (UCUM) of `action`, over `over_h` hours; or what it takes to be otherwise:
    `edit` at `value` (its own unit). `stop`: the action is taken away.
    """

    action: str = ""
    dose: float | None = None
    unit: str = ""
    over_h: float | None = None
    stop: bool = False
    edit: str = ""
    value: float | None = None


class Route(msgspec.Struct, frozen=True):
    """What a question asks. `concept`: of the vocabulary, a task or a score; empty where none was named.

    `window_h`: how far back, where that was said in hours; `since_us`, `until_us`: from when to when; `stay`: since
    admission. `ahead_h`: how far ahead. `sign`: +1 the highest, -1 the lowest. `why`: the reason of a refusal.
    `by`: what decided: names and patterns, or likeness to an example question. `confidence` 0 to 1.
    """

    intent: Intent
    concept: str = ""
    window_h: float | None = None
    since_us: int | None = None
    until_us: int | None = None
    ahead_h: float | None = None
    stay: bool = False
    sign: int = 0
    detail: Detail = Detail()
    confidence: float = 1.0
    why: Why | None = None
    by: Literal["names", "examples"] = "names"


def route(question: str, now_us: int, zone: str, judge: Judge | None = None) -> Route:
    """Where a question leads; pure. `judge` has learned from examples, where embeddings are installed.

    Raises LimitError for a question that is too long.
    """
    asked = read(question, now_us, zone, lexicon())
    why = why_refused(asked.masked)
    if why is not None:
        return Route("forbidden" if why != "prognosis" else "unanswerable", why=why)
    why = why_unanswerable(asked.masked)
    if why is not None:
        return Route("unanswerable", why=why)
    intent, sure = _by_pattern(asked.masked)
    if judge is None:
        understood = intent is not None and len(asked.unknown) <= (1 if sure or asked.names else 0)
        if intent is None or not understood:
            return Route("unanswerable", why="unknown", confidence=0.5)
        return _filled(intent, asked, 0.7 if asked.unknown else 0.85, "names")
    return _judged(intent, sure, asked, judge)


def _judged(intent: Intent | None, sure: bool, asked: Read, judge: Judge) -> Route:
    """Patterns and examples weighed together; what is unlike any example, or has unknown words, is refused."""
    shares = judge.shares(asked.example, asked.text)
    refusing = sum(shares.get(name, 0.0) for name in REFUSALS)
    strange = min(len(asked.unknown), 3)
    trusted = 0.0 if intent is None or strange else SURE if sure else LOOSE
    bar = REFUSE_MIN + trusted - STRANGE * strange
    if refusing > bar or (intent is None and max(shares.values()) < LEAST):
        return Route("unanswerable", why="unknown", confidence=round(refusing, 3), by="examples")
    weighed = {name: shares.get(name, 0.0) + (name == intent) * (PATTERN if sure else LOOSE) for name in INTENTS}
    best = max((name for name in INTENTS if name not in REFUSALS), key=lambda name: weighed[name])
    return _filled(best, asked, min(weighed[best], 1.0), "names" if best == intent else "examples")


# --- what is asked -----------------------------------------------------------


@cache
def _patterns() -> tuple[tuple[Intent, re.Pattern[str], bool], ...]:
    rows = table("intents")["rule"]
    return tuple((row["intent"], re.compile(row["pattern"]), row.get("sure", True)) for row in rows)


def _by_pattern(masked: str) -> tuple[Intent | None, bool]:
    for intent, pattern, sure in _patterns():
        if pattern.search(masked):
            return intent, sure
    return None, False


def _filled(intent: Intent, read: Read, confidence: float, by: Literal["names", "examples"]) -> Route:
    """With what the question names: the concept, the span, the dose."""
    past = next((one for one in read.spans if one.ahead_h is None), None)
    ahead = next((one.ahead_h for one in read.spans if one.ahead_h is not None), None)
    made = Route(intent, _concept(intent, read), ahead_h=ahead, confidence=round(min(confidence, 1.0), 3), by=by)
    if intent == "what_if":
        return msgspec.structs.replace(made, detail=_detail(read), concept=_outcome(read))
    if past is None and ahead is not None and intent in _LOOKS_BACK:  # "the highest in 24 h"
        past, ahead = Span(0, 0, None, None, ahead), None
        made = msgspec.structs.replace(made, ahead_h=None)
    if past is not None and intent != "forecast":
        made = msgspec.structs.replace(made, window_h=past.window_h, since_us=past.since_us, until_us=past.until_us,
                                       stay=past.stay)  # fmt: skip
    if intent == "risk_change":
        up = re.search(
            r"\b(?:ris(?:e|en|es|ing)|rose|increas\w*|up|jump\w*|climb\w*|higher|worse|spik\w*|soar\w*|doubl\w*)\b",
            read.masked,
        )
        down = re.search(r"\b(?:fall\w*|fell|drop\w*|down|decreas\w*|lower|better|improv\w*)\b", read.masked)
        made = msgspec.structs.replace(made, sign=0 if bool(up) == bool(down) else 1 if up else -1)
    if intent == "extreme":
        low = re.search(
            r"\b(?:low\w*|min\w*|nadir|smallest|bottom\w*|trough|least|slow\w*|drop\w*|fall\w*)\b", read.masked
        )
        worst_low = "worst" in read.masked and made.concept in _WORST_LOW
        made = msgspec.structs.replace(made, sign=-1 if low or worst_low else 1)
    return made


def _concept(intent: Intent, read: Read) -> str:
    """The thing that the question is about: of the group that fits the intent, else the first that is named."""

    def first(*groups: str) -> str:
        return next((found for one in read.names if (found := one.of(*groups))), "")  # type: ignore[arg-type]

    measured = first("measured") or next(iter(read.symbols), "")
    if intent in _OF_RISK:
        task = first("tasks")
        if task == "mortality" and not re.search(r"\b48\b", read.text):
            task = "mortality24"  # told a day earlier than the other of the same outcome
        if task or intent in ("risk_now", "risk_change", "risk_why", "model"):
            return task or _AT_RISK.get(measured, "")
    if intent == "score":
        return first("scores")
    if intent == "medicines":
        return first("given") or ("crystalloid" if re.search(r"\b(?:litres?|liters?|fluids?|ml)\b", read.text) else "")
    if intent in ("state", "events"):
        return ""
    return measured or first("scores") or (first("given") if intent not in ("alarms", "missing", "quality") else "")


def _outcome(read: Read) -> str:
    """What a what-if asks after: a measurement or a risk, where one is named besides what is done."""
    on = re.search(r"\bof\b.*\bM\b.*\bon\b.*\bM\b", read.masked)  # "the effect of this on that" asks after that
    for one in reversed(read.names) if on else read.names:
        found = one.of("measured", "tasks", "scores")
        if found and not (read.doses and one.of("given") and not one.of("tasks")):
            return found
    return next(iter(read.symbols), "")


_STOPS: Final = re.compile(
    r"\b(?:stop\w*|without|turn\w* off|switch\w* off|off|withdr[ae]w\w*|withh?[eo]ld\w*|"
    r"held|hold\w*|wean\w* off|ceas\w*)\b"
)
_EDIT: Final = re.compile(
    r"\bM\b(?: \w+){0,3}? (?:was|were|is|had been|to|at|of|came back at|went to|fell to|rose to|dropped to)"
    r"(?: \w+){0,2}? (\d+(?:\.\d+)?)"
)


def _detail(read: Read) -> Detail:
    """What is done, how much of it, and for how long; by default a volume is of crystalloid, a bag of red cells."""
    given = next((found for one in read.names if (found := one.of("given"))), "")
    dose = next(iter(read.doses), None)
    if dose is None:
        edited = _EDIT.search(read.masked)
        measured = next((found for one in read.names if (found := one.of("measured"))), "")
        if edited and measured:
            return Detail(edit=measured, value=float(edited[1]))
        return Detail(action=given, stop=bool(given and _STOPS.search(read.masked)))
    if not given and dose.unit in ("mL", "L"):
        given = "crystalloid"
    if not given and dose.unit == "{bag}":
        given = "red_cells"
    return Detail(given, dose.value, dose.unit, over_h(read.text))


def span_h(route: Route, now_us: int, default_h: float) -> float:
    """How many hours back a route looks."""
    if route.window_h is not None:
        return route.window_h
    return default_h if route.since_us is None else max((now_us - route.since_us) / HOUR_US, 0.1)
