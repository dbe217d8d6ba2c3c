"""What a question names, once it is known what it asks: the concept, the span, the dose; pure."""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from vitruvian.core.time import DAY_US, HOUR_US
from vitruvian.explanation.ask.doses import Doubt, over_h
from vitruvian.explanation.ask.kinds import Detail, Intent, Route
from vitruvian.explanation.ask.moments import Span
from vitruvian.explanation.ask.reading import Read

__all__ = ["filled"]

_OF_RISK: Final = ("risk_now", "risk_change", "risk_why", "model", "missing", "extreme", "forecast")
_WORST_LOW: Final = ("oxygen_saturation", "systolic_pressure", "mean_pressure", "platelets", "hemoglobin",
                     "glasgow_coma_score")  # fmt: skip
NEAR_H: Final = 0.5  # what is asked of a moment is answered by what was measured this near to it
NEAR_PART: Final = 0.1  # or within this part of how long ago it was
_LOOKS_BACK: Final = ("trend", "extreme", "events", "alarms", "medicines", "risk_change", "latest")
_OVER: Final = re.compile(
    r"^(?!.*\b(?:open|active|now|current\w*|still|on)\b).*\b(?:did|has|have|been|were|times|often|happened)\b"
)
_WAS: Final = re.compile(
    r"^(?!.*\b(?:since|chang\w*|trend\w*|mov\w*|compar\w*|differ\w*|than|over|between)\b)"
    r".*\b(?:what (?:was|were|is)|how (?:high|low|fast|slow) (?:was|were))\b.*\bM\b|^M T(?: \?)?$"
)
# What a body part means when a risk is asked of.
_AT_RISK: Final = {"creatinine": "aki", "urine_output": "aki", "heart_rate": "cardiac_event", "egfr": "aki"}


def filled(intent: Intent, read: Read, now_us: int, confidence: float, by: Literal["names", "examples"]) -> Route:
    """With what the question names: the concept, the span, the dose."""
    if intent == "trend" and any(one.at_us is not None for one in read.spans) and _WAS.search(read.masked):
        intent = "latest"  # "what was it at three" asks for a value, not for a course
    made = Route(intent, _concept(intent, read), confidence=round(min(confidence, 1.0), 3), by=by)
    made = _when(made, read, now_us)
    if intent == "what_if":
        return msgspec.structs.replace(made, detail=_detail(read), concept=_outcome(read))
    if intent == "risk_change":
        up = re.search(
            r"\b(?:ris(?:e|en|es|ing)|rose|increas\w*|up|jump\w*|climb\w*|higher|worse|spik\w*|soar\w*|doubl\w*)\b",
            read.masked,
        )
        down = re.search(r"\b(?:fall\w*|fell|drop\w*|down|decreas\w*|lower|better|improv\w*)\b", read.masked)
        return msgspec.structs.replace(made, sign=0 if bool(up) == bool(down) else 1 if up else -1)
    if intent == "extreme":
        low = re.search(
            r"\b(?:low\w*|min\w*|nadir|smallest|bottom\w*|trough|least|slow\w*|drop\w*|fall\w*)\b", read.masked
        )
        worst_low = "worst" in read.masked and made.concept in _WORST_LOW
        of_risk = not made.concept and re.search(r"\brisks?\b", read.masked) is not None
        return msgspec.structs.replace(made, sign=-1 if low or worst_low else 1, risk=of_risk)
    return made


def _when(made: Route, read: Read, now_us: int) -> Route:
    """With the span that it looks back over, or how far ahead."""
    past = next((one for one in read.spans if one.ahead_h is None), None)
    ahead_h = next((one.ahead_h for one in read.spans if one.ahead_h is not None), None)
    if made.intent == "what_if":
        return msgspec.structs.replace(made, ahead_h=ahead_h)
    if made.intent == "forecast":
        return msgspec.structs.replace(made, ahead_h=ahead_h or (past.next_h if past is not None else None))
    if past is None and ahead_h is not None and made.intent in _LOOKS_BACK:  # "the highest in 24 h"
        return msgspec.structs.replace(made, window_h=ahead_h)
    if past is None and made.intent == "alarms" and _OVER.search(read.masked):
        return msgspec.structs.replace(made, window_h=DAY_US / HOUR_US)  # "did it alarm", not "what is open"
    if past is None:
        return msgspec.structs.replace(made, ahead_h=ahead_h)
    if past.at_us is not None and made.intent in ("latest", "score"):
        past = _around(past, past.at_us, now_us)
    return msgspec.structs.replace(made, window_h=past.window_h, since_us=past.since_us, until_us=past.until_us,
                                   stay=past.stay, ahead_h=ahead_h)  # fmt: skip


def _around(span: Span, at_us: int, now_us: int) -> Span:
    """What lies near a moment."""
    near_us = int(max(NEAR_H * HOUR_US, NEAR_PART * (now_us - at_us)))
    ends_us = at_us + near_us
    return msgspec.structs.replace(span, since_us=at_us - near_us, until_us=None if ends_us >= now_us else ends_us,
                                   window_h=None)  # fmt: skip


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


_HAD: Final = re.compile(r"\b(?:had|would have|could have|might have)\b(?! (?:a|an|the) M\b)")


def _detail(read: Read) -> Detail:
    """What is done, how much of it, and for how long; by default a volume is of crystalloid, a bag of red cells."""
    given = next((found for one in read.names if (found := one.of("given"))), "")
    past = any(one.ahead_h is None for one in read.spans) or bool(_HAD.search(read.masked))
    if not read.doses:
        edited = _EDIT.search(read.masked)
        measured = next((found for one in read.names if (found := one.of("measured"))), "")
        if edited and measured:
            return Detail(edit=measured, value=float(edited[1]), past=past)
        return Detail(action=given, stop=bool(given and _STOPS.search(read.masked)), past=past)
    changed = len(read.doses) == 2 and re.search(r"\bfrom X to X\b", read.masked)
    dose = read.doses[-1 if changed else 0]
    if not given and dose.unit in ("mL", "L"):
        given = "crystalloid"
    if not given and dose.unit == "{bag}":
        given = "red_cells"
    doubt: Doubt = dose.doubt or ("several" if len(read.doses) > 1 and not changed else "")
    return Detail(given, dose.value, dose.unit, over_h(read.text), doubt=doubt, past=past)
