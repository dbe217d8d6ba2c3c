"""Words by what they may do: say a direction, deny, order, claim a cause, boast of certainty, exaggerate, count.

The verifier refuses by default (a word that no pattern of the claim holds is refused whatever it means); these lists
hold the patterns and drafts themselves to what may be said, and name the reason of a refusal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["ALLOWED", "FORBIDDEN", "NEGATIONS", "NUMBER_WORDS", "POLARITY", "REQUIRED", "UNITS"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UP: Final = _words(
    "up higher rise rises rose risen rising increase increases increased increasing above more greater climb climbs"
    " climbed climbing grow grows grew growing highest upward upwards over elevated high"
)
_DOWN: Final = _words(
    "down lower fall falls fell fallen falling decrease decreases decreased decreasing below less fewer drop drops"
    " dropped dropping decline declines declined declining lowest downward downwards reduce reduces reduced reducing"
    " under lowered low sink sinks sank"
)
_SAME: Final = _words("same close unchanged steady stable constant stay stays stayed within")
POLARITY: Final[Mapping[str, int]] = {**dict.fromkeys(_UP, 1), **dict.fromkeys(_DOWN, -1), **dict.fromkeys(_SAME, 0)}

NEGATIONS: Final = _words(
    "not no never none nor neither without cannot can't isn't wasn't won't nothing nobody hardly barely unlikely"
    " neither excluded absent false wrong opposite contrary longer except despite although but however instead"
)
# By rule: what no sentence of ours says, whoever words it.
FORBIDDEN: Final[Mapping[str, frozenset[str]]] = {
    "directive": _words(
        "should must shall need needs ought have-to please give stop start continue consider recommend recommended"
        " recommends advise advised advice suggest-that order ordered prescribe administer treat treated treatment"
        " escalate call check monitor ensure avoid urgent urgently immediately prompt requires require required"
        " indicated contraindicated warrant warrants let act"
    ),
    "causal": _words(
        "cause causes caused causing because due owing thanks hence therefore thus lead leads led leading drive drives"
        " driven driving driver drivers trigger triggers triggered result-in results-in responsible explain explains"
        " explained contribute contributes contributed contributing produce produces produced make makes made why since"
        " so effect-of affect affects affected influence influences attributable consequence"
        " raise raises raised raising"
    ),
    "certainty": _words(
        "certain certainly sure surely definitely definite undoubtedly clearly obviously proves proven proof confirm"
        " confirms confirmed diagnosis diagnosed diagnose diagnostic indicates indicate guarantee guaranteed always"
        " will likely unlikely probably possibly perhaps maybe might could may know knows true truth fact"
    ),
    "intensity": _words(
        "very extremely dangerously alarmingly severely severe sharply sharp dramatically dramatic significantly"
        " significant significance markedly marked substantially substantial considerably huge massive enormous slight"
        " slightly mild mildly alarming dangerous worrying concerning serious seriously grave poor good excellent"
        " better worse best worst normal abnormal healthy improve improves improved improving deteriorate deteriorates"
        " deteriorating worsen worsens worsening fatal deadly terrible"
    ),
}  # fmt: skip
NUMBER_WORDS: Final = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion half"
    " halves third thirds quarter quarters double doubled doubles twice triple tripled thrice fold twofold dozen dozens"
    " couple several many few once pair percent cent percentage per first second fourth fifth tenth most-of majority"
    " minority all every each both"
)
UNITS: Final = _words(
    "mmhg kpa mg mcg g kg ml dl l liter litre liters litres mmol mol meq iu units unit bpm beats breaths celsius "
    "degrees degree minutes minute hours hour days day weeks week months month years year seconds h min"
)

# Word sequences that a kind's sentence may hold in spite of the lists, and what they count as (a direction, or `~` for
# nothing): they are the claim itself, or a caution that takes nothing away from it.
_LACK: Final = {"not measured": "~", "no recent": "~"}
_RANGE: Final = {"the normal range": "~"}
_WHAT_IF: Final = {
    "without the change": "~", "without it": "~",
}  # fmt: skip
ALLOWED: Final[Mapping[str, Mapping[str, str]]] = {
    "frequency": {"one would expect": "~"},
    "usual": {"came up in": "~"},
    "card": {"came up in": "~"},
    "drivers": {
        "not necessarily as its cause": "~", "but need not be the cause": "~", "which need not be the cause": "~",
        "though it need not be the cause": "~", "though not necessarily as its cause": "~",
    },
    "no_drivers": {
        "no reading": "~", "none of the readings": "~", "raises the risk of": "~",
        "notably above that of a typical patient": "~", "with a higher risk of": "~", "makes the chance of": "~",
        "much higher than for most people here": "~",
    },
    "critical": _RANGE,
    "critical_ahead": _RANGE,
    "results": _RANGE,
    "missing": _LACK,
    "critical_missing": {**_LACK, **_RANGE},
    "expected": {"stay the same": "unchanged", "stays the same": "unchanged", "stay about the same": "unchanged",
                 "stay steady": "unchanged", "stays steady": "unchanged"},
    "steady": {"no notable change": "~", "stay steady": "~", "stay about the same": "~"},
    "scenario": {"no change": "~"},
    "effect": {"without the change": "~", "with no change": "~", "differ by no more than": "unchanged"},
    "effect_open": {"no clear": "~"},
    "risk_effect": {
        **_WHAT_IF, "not a causal effect": "~", "this does not show a cause": "~", "which does not show a cause": "~",
    },
    "score_effect": _WHAT_IF,
    "alarm": {"was raised": "~", "has not closed": "~", "has stayed on": "~"},
    "alarms": {"raised": "~"},
    "no_alarm": {"no alarm": "~", "no alarms": "~", "no open alarm": "~"},
    "latest": {
        "in its usual range": "within", "in the usual range": "within", "in the normal range": "within", **_RANGE,
    },
    "changed": {"did not change": "unchanged", "stayed the same": "unchanged"},
    "absent": {"there is no": "~", "hold no": "~", "no record": "~", "no measurement": "~", "no value": "~",
               "no reading": "~", "hold nothing on": "~", "there is nothing on record about": "~"},
    "bed": {"no score and no risk is known": "~", "nothing is known yet": "~"},
    "silent": {"no risk is shown": "~", "gives no figure now": "~"},
    "note": {"please note": "~"},
    "unknown": {"does not answer": "~", "do not answer": "~"},
    "refused": {"is not answered": "~"},
}  # fmt: skip
_SIMULATED: Final = ("simulation", "simulated", "simulates", "what-if")
_ARMS: Final = (("without the change", "without it"), ("with it",))  # which run each figure is of
_MODELS: Final = ("model", "model's", "estimated", "predicted")  # a risk is never told as if it were measured
# One of each of these must stand in a sentence of the kind: without them it says something else.
REQUIRED: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "risk": (("risk", "chance"), _MODELS),
    "risk_moved": (("risk", "chance"), _MODELS),
    "frequency": (("readings",), ("about",)),
    "usual": (("model", "model's"), ("about",)),
    "drivers": (("associated", "linked", "count", "counts", "looks", "weight"), ("cause",)),
    "critical": (("critical", "outside the usual range", "outside the normal range"),),
    "missing": (("not measured recently", "no recent"),),
    "critical_missing": (
        ("critical", "outside the usual range", "outside the normal range"),
        ("not measured recently", "no recent"),
    ),
    "expected": (("expects", "expected", "forecast"),),
    "steady": (("expects", "expected"), ("change", "steady", "same")),
    "critical_ahead": (
        (*_SIMULATED, "in the model"),
        ("critical", "outside the usual range", "outside the normal range"),
    ),
    "scenario": (_SIMULATED, ("only", "compared with no change")),
    "effect": (
        _SIMULATED,
        ("would",),
        ("than without the change", "from that without the change", "compared with no change ,"),
    ),
    "effect_open": (_SIMULATED, ("no clear",)),
    "risk_effect": (_SIMULATED, ("would",), *_ARMS, ("sensitivity", "does not show a cause")),
    "score_effect": (_SIMULATED, ("would",), *_ARMS),
    "no_alarm": (("no alarm", "no alarms", "no open alarm"),),
    "alarm": (("alarm",), ("open", "on", "closed")),
    "alarms": (("open",),),
    "absent": (("no", "nothing"),),
    "results": (("usual range", "normal range", "results"),),
    "card": (("estimates",),),
}
