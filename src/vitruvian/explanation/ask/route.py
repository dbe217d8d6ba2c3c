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
from vitruvian.explanation.ask.doses import Dose, doses_of, over_h
from vitruvian.explanation.ask.lexicon import SCORES, Lexicon, Name, lexicon, symbols_in, table
from vitruvian.explanation.ask.nearest import Nearest
from vitruvian.explanation.ask.refusals import Why, why_refused, why_unanswerable
from vitruvian.explanation.ask.text import corrected, normal
from vitruvian.explanation.ask.times import Span, spans_of
from vitruvian.prediction.tasks import TASKS

__all__ = ["INTENTS", "REFUSALS", "Detail", "Intent", "Route", "route"]

Intent = Literal[
    "risk_now", "risk_change", "risk_why", "latest", "trend", "extreme", "forecast", "what_if", "missing", "alarms",
    "medicines", "events", "score", "model", "state", "quality", "unanswerable", "forbidden",
]  # fmt: skip
INTENTS: Final[tuple[Intent, ...]] = Intent.__args__  # type: ignore[attr-defined]
REFUSALS: Final[tuple[Intent, ...]] = ("unanswerable", "forbidden")
LIKE_MIN: Final = 0.55  # likeness below which an example says nothing
_OF_RISK: Final = ("risk_now", "risk_change", "risk_why", "model", "missing", "extreme", "forecast")
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


class _Read(msgspec.Struct, frozen=True):
    """A question as read: normalised, with what stands in it, and with marks in place of that."""

    text: str
    masked: str
    example: str
    names: tuple[Name, ...]
    spans: tuple[Span, ...]
    doses: tuple[Dose, ...]
    unknown: tuple[str, ...]
    symbols: tuple[str, ...]


def route(question: str, now_us: int, zone: str, nearest: Nearest | None = None) -> Route:
    """Where a question leads; pure. `nearest` compares with examples, where embeddings are installed.

    Raises LimitError for a question that is too long.
    """
    read = _read(question, now_us, zone, lexicon())
    why = why_refused(read.masked)
    if why is not None:
        return Route("forbidden" if why != "prognosis" else "unanswerable", why=why)
    why = why_unanswerable(read.masked)
    if why is not None:
        return Route("unanswerable", why=why)
    intent, sure = _by_pattern(read.masked)
    if intent and sure and not read.unknown:
        return _filled(intent, read, 0.95, "names")
    return _decided(intent, sure, read, nearest)


def _decided(intent: Intent | None, sure: bool, read: _Read, nearest: Nearest | None) -> Route:
    """Where patterns alone do not decide: what the nearest examples say; without examples, the pattern, if any."""
    if nearest is None:
        understood = intent is not None and len(read.unknown) <= (1 if sure or read.names else 0)
        if intent is None or not understood:
            return Route("unanswerable", why="unknown", confidence=0.5)
        return _filled(intent, read, 0.7 if read.unknown else 0.85, "names")
    votes = nearest.votes(read.example)
    best, share = max(votes.items(), key=lambda one: one[1], default=("unanswerable", 0.0))
    like = nearest.likeness(read.example)
    refusing = sum(share for name, share in votes.items() if name in REFUSALS)
    if intent is None:
        if best in REFUSALS or like < LIKE_MIN or share < 0.5 or len(read.unknown) > 1:
            return Route("unanswerable", why="unknown", confidence=max(refusing, 1 - like), by="examples")
        return _filled(best, read, share * like, "examples")  # type: ignore[arg-type]
    if read.unknown and (refusing > 0.5 or len(read.unknown) > 2):
        return Route("unanswerable", why="unknown", confidence=refusing, by="examples")
    return _filled(intent, read, 0.8, "names")


# --- reading -----------------------------------------------------------------


def _read(question: str, now_us: int, zone: str, words: Lexicon) -> _Read:
    text, unknown = corrected(normal(question, words.reads), words.known, words.by_head)
    spans, doses = spans_of(text, now_us, zone), doses_of(text)
    taken = [(one.start, one.end) for one in (*spans, *doses)]
    names = tuple(
        one for one in words.names_in(text)
        if all(one.end <= start or one.start >= end for start, end in taken) and _meant(one, text)
    )  # fmt: skip
    # "The risk today" asks how it is now: today alone is no span to look back over.
    marks = [(one.start, one.end, "N" if one.ahead_h is not None else "T") for one in spans
             if text[one.start : one.end] != "today"]  # fmt: skip
    marks += [(one.start, one.end, "X") for one in doses]
    doing = bool(doses)
    marks += [(one.start, one.end, _mark(one, doing=doing)) for one in names]
    unknown = tuple(word for word in unknown if not any(word in one.text.split() for one in names))
    symbols = symbols_in(question)
    masked = _marked(text, marks)
    for word in re.findall(r"\b[A-Z][A-Za-z]?\b", question) if symbols else ():
        masked = re.sub(rf"\b{word.lower()}\b", "M", masked)
    return _Read(text, masked, _as_example(masked), names, spans, doses, unknown, symbols)


def _meant(name: Name, text: str) -> bool:
    """Whether a word that is also an everyday one names a thing here."""
    before = text[: name.start].split()[-1:] or [""]
    if name.text == "news":
        return before[0] not in ("any", "good", "bad", "no", "some") and "news T" not in text
    if name.of("tasks") in ("deterioration", "cardiac_event"):
        return bool(re.search(r"\b(?:risks?|chances?|odds|likel\w+|probabilit\w+|model|danger)\b", text))
    return True


def _mark(name: Name, *, doing: bool) -> str:
    groups = [group for group, _ in name.concepts]
    if "given" in groups and (doing or "measured" not in groups):
        return "D"
    return {"measured": "M", "given": "D", "scores": "S", "tasks": "R"}[groups[0]]


def _marked(text: str, marks: list[tuple[int, int, str]]) -> str:
    made, at = [], 0
    for start, end, mark in sorted(marks):
        if start >= at:
            made += [text[at:start], f" {mark} "]
            at = end
    return " ".join("".join([*made, text[at:]]).split())


_EXAMPLE: Final = {"M": "lactate", "D": "noradrenaline", "R": "sepsis", "S": "early warning score", "X": "500 ml",
                   "T": "since six", "N": "in three hours"}  # fmt: skip


def _as_example(masked: str) -> str:
    """With one thing of each sort in place of the marks, as the examples have: what is compared is what is asked."""
    return re.sub(r"\b[MDRSXTN]\b", lambda match: _EXAMPLE[match.group()], masked)


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


def _filled(intent: Intent, read: _Read, confidence: float, by: Literal["names", "examples"]) -> Route:
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
        up = re.search(r"\b(?:ris(?:e|en|es|ing)|rose|increas\w*|up|jump\w*|climb\w*|higher|worse|spik\w*|soar\w*|doubl\w*)\b", read.masked)
        down = re.search(r"\b(?:fall\w*|fell|drop\w*|down|decreas\w*|lower|better|improv\w*)\b", read.masked)
        made = msgspec.structs.replace(made, sign=0 if bool(up) == bool(down) else 1 if up else -1)
    if intent == "extreme":
        low = re.search(
            r"\b(?:low\w*|min\w*|nadir|smallest|bottom\w*|trough|least|slow\w*|drop\w*|fall\w*)\b", read.masked
        )
        worst_low = "worst" in read.masked and made.concept in ("oxygen_saturation", "systolic_pressure", "mean_pressure",
                                                                "platelets", "hemoglobin", "glasgow_coma_score")  # fmt: skip
        made = msgspec.structs.replace(made, sign=-1 if low or worst_low else 1)
    return made


def _concept(intent: Intent, read: _Read) -> str:
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
        return first("given")
    if intent in ("state", "events"):
        return ""
    return measured or first("scores") or (first("given") if intent not in ("alarms", "missing", "quality") else "")


def _outcome(read: _Read) -> str:
    """What a what-if asks after: a measurement or a risk, where one is named besides what is done."""
    for one in read.names:
        found = one.of("measured", "tasks", "scores")
        if found and not (read.doses and one.of("given") and not one.of("tasks")):
            return found
    return next(iter(read.symbols), "")


_STOPS: Final = re.compile(
    r"\b(?:stop\w*|without|turn\w* off|switch\w* off|withdr[ae]w\w*|held|hold\w*|wean\w* off|came off|come off|ceas\w*)\b"
)
_EDIT: Final = re.compile(
    r"\bM\b(?: \w+){0,3}? (?:was|were|is|had been|to|at|of|came back at|went to|fell to|rose to|dropped to)(?: \w+){0,2}? (\d+(?:\.\d+)?)"
)


def _detail(read: _Read) -> Detail:
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


_KNOWN: Final = frozenset(TASKS) | frozenset(SCORES)
