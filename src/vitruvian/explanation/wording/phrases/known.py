"""How what is known may be worded: measurements and their course, alarms, what was given and what happened."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim
from vitruvian.explanation.wording.phrases.base import Book, optional

__all__ = ["BOOK"]


def _alarm(_claim: Claim, audience: Audience) -> tuple[str, ...]:
    if audience == "clinician":
        return (
            "The alarm for {alarm} << {text} >> was raised {since} and is still open .",
            "The alarm for {alarm} << {text} >> was raised {since} and has not closed .",
            "An alarm for {alarm} << {text} >> was raised {since} and is still open .",
        )
    return (
        "The alarm for {alarm} << {text} >> went off {since} and is still on .",
        "An alarm for {alarm} << {text} >> went off {since} and is still on .",
    )


def _no_alarm(_claim: Claim, audience: Audience) -> tuple[str, ...]:
    state = "open" if audience == "clinician" else "on"
    others = ("There is no open alarm .",) if audience == "clinician" else ("No alarm is on now .",)
    return (f"No alarm is {state} .", f"No alarms are {state} .", *others)


def _given(claim: Claim, audience: Audience) -> tuple[str, ...]:
    dose = optional(claim, "dose")
    if audience == "clinician":
        return (
            f"Given {{when}} : {{what}} {dose} .",
            f"Recorded as given {{when}} : {{what}} {dose} .",
            *((f"(Given|Recorded as given) {{when}} : {{what}} << {dose} >> .",) if dose else ()),
        )
    return (
        f"You were given {{what}} {dose} {{when}} .",
        f"The records show that you were given {{what}} {dose} {{when}} .",
    )


def _happened(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    how = optional(claim, "how", "<< {how} >>")
    return tuple(f"{head} {{when}} : {{what}} {how} ." for head in ("Recorded", "Noted"))


def _latest(claim: Claim, audience: Audience) -> tuple[str, ...]:
    """Never "measurement of": a score and an estimate have a newest value, and nobody measured it."""
    usual = "its usual range" if audience == "clinician" else "the normal range"
    end = {
        1: f", (above|which is above) {usual}",
        -1: f", (below|which is below) {usual}",
        0: f", (within|in|which is in|which is within) {usual}",
        None: "",
    }[claim.sign]
    timed = optional(claim, "when", ", measured {when}" if audience == "clinician" else "{when}")
    return (
        f"The latest {{subject}} (is|was) {{value}} {timed} {end} .",
        f"The last {{subject}} was {{value}} {timed} {end} .",
        f"The most recent {{subject}} (is|was) {{value}} {timed} {end} .",
    )


def _changed(claim: Claim, audience: Audience) -> tuple[str, ...]:
    if claim.sign is None:
        return ()
    heads = ("{subject}", "The records show that {subject}")
    if claim.sign == 0:
        same = "(did not change|stayed the same|was unchanged)"
        return tuple(f"{head} {same} , {{from}} then and {{to}} now , {{window}} ." for head in heads)
    up = claim.sign > 0
    plain = "went up" if up else "went down"
    moved = plain if audience == "patient" else ("(rose|increased)" if up else "(fell|decreased)")
    other = "increased" if up else "decreased"
    return (
        *(f"{head} {moved} from {{from}} to {{to}} {{window}} ." for head in heads),
        *((f"{{subject}} {other} from {{from}} to {{to}} {{window}} .",) if audience == "clinician" else ()),
    )


def _extreme(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    """Never "reading of": the highest of a risk was told, not measured."""
    most = {1: "highest", -1: "lowest"}.get(claim.sign or 0)
    if most is None:
        return ()
    window, when = optional(claim, "window"), optional(claim, "when")
    return (
        f"The {most} {{subject}} {window} was {{value}} {when} .",
        f"{most} {{subject}} {window} : {{value}} {when} .",
    )


def _absent(claim: Claim, audience: Audience) -> tuple[str, ...]:
    """Never "value of": it may be a medicine."""
    window = optional(claim, "window")
    noun = "record" if audience == "clinician" else "reading"
    return (
        f"There is no {noun} of {{subject}} {window} .",
        f"The records hold nothing on {{subject}} {window} .",
        f"There is nothing on record about {{subject}} {window} .",
    )


def _ward(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    alarms = optional(claim, "alarms", "and {alarms}")
    return (f"(This|The) ward has {{beds}} {alarms} .", f"On this ward : {{beds}} {alarms} .")


BOOK: Final[Book] = {
    "alarm": _alarm,
    "no_alarm": _no_alarm,
    "given": _given,
    "happened": _happened,
    "latest": _latest,
    "changed": _changed,
    "extreme": _extreme,
    "absent": _absent,
    "ward": _ward,
}
