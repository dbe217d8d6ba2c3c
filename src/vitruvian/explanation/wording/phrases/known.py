"""How what is known may be worded: measurements and their course, alarms, what was given and what happened."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim
from vitruvian.explanation.wording.phrases.base import Book, optional

__all__ = ["BOOK"]


def _alarm(_claim: Claim, audience: Audience) -> tuple[str, ...]:
    began, still = ("(was raised|was set off)", "open") if audience == "clinician" else ("went off", "on")
    return (
        f"The alarm for {{alarm}} << {{text}} >> {began} {{since}} and is still {still} .",
        f"The alarm for {{alarm}} << {{text}} >> {began} {{since}} and has not closed ."
        if audience == "clinician"
        else f"The alarm for {{alarm}} << {{text}} >> {began} {{since}} and has stayed on .",
        f"An alarm for {{alarm}} << {{text}} >> {began} {{since}} and is still {still} .",
    )


def _no_alarm(_claim: Claim, audience: Audience) -> tuple[str, ...]:
    state = "open" if audience == "clinician" else "on"
    return (
        f"No alarm is {state} .",
        f"There is no alarm {state} .",
        f"No alarms are {state} .",
        f"No alarm is now {state} .",
    )


def _given(claim: Claim, audience: Audience) -> tuple[str, ...]:
    dose = optional(claim, "dose")
    if audience == "clinician":
        return (
            f"(Given|Recorded as given) {{when}} : {{what}} {dose} .",
            f"(Given|Recorded as given) {{when}} : {{what}} {f'<< {dose} >>' if dose else ''} .",
            f"What was given {{when}} : {{what}} {dose} .",
        )
    shown = f"({dose}|<< {dose} >>)" if dose else ""
    return (
        f"You were given {{what}} {shown} {{when}} .",
        f"You (got|had) {{what}} {shown} {{when}} .",
        f"The records show that you were given {{what}} {shown} {{when}} .",
        f"The records show {{what}} {shown} given {{when}} .",
    )


def _happened(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    how = optional(claim, "how", "<< {how} >>")
    return (
        f"(Recorded|Noted) {{when}} : {{what}} {how} .",
        f"On record {{when}} : {{what}} {how} .",
        f"What was (recorded|noted) {{when}} : {{what}} {how} .",
    )


def _latest(claim: Claim, audience: Audience) -> tuple[str, ...]:
    usual = "its usual range" if audience == "clinician" else "the normal range"
    end = {
        1: f", (above|which is above) {usual}",
        -1: f", (below|which is below) {usual}",
        0: f", (within|in|which is in|which is within) {usual}",
        None: "",
    }[claim.sign]
    timed = optional(claim, "when", "(, measured {when}|{when})")
    return (
        f"The (latest|last|most recent) {{subject}} (is|was) {{value}} {timed} {end} .",
        f"The (latest|last|most recent) (reading|measurement|value) of {{subject}} (is|was) {{value}} {timed} {end} .",
        f"{{subject}} was last measured as {{value}} {optional(claim, 'when')} {end} .",
    )


def _changed(claim: Claim, audience: Audience) -> tuple[str, ...]:
    if claim.sign is None:
        return ()
    if claim.sign == 0:
        return (
            "{subject} did not change , {from} then and {to} now , {window} .",
            "{subject} (stayed the same|was unchanged) , {from} then and {to} now , {window} .",
        )
    plain = "went up" if claim.sign > 0 else "went down"
    moved = (
        plain
        if audience == "patient"
        else ("(rose|went up|increased)" if claim.sign > 0 else "(fell|went down|decreased)")
    )
    return (
        f"{{subject}} {moved} from {{from}} to {{to}} {{window}} .",
        f"The record shows that {{subject}} {moved} from {{from}} to {{to}} {{window}} .",
    )


def _extreme(claim: Claim, audience: Audience) -> tuple[str, ...]:
    most = {1: "highest", -1: "lowest"}.get(claim.sign or 0)
    if most is None:
        return ()
    when = optional(claim, "when", "({when}|, measured {when})")
    noun = "(reading|measurement) of" if audience == "patient" else "(reading|value|measurement) of"
    return (
        f"The {most} {{subject}} {{window}} (was|is) {{value}} {when} .",
        f"The {most} {noun} {{subject}} {{window}} (was|is) {{value}} {when} .",
    )


def _absent(claim: Claim, audience: Audience) -> tuple[str, ...]:
    window = optional(claim, "window")
    noun = "(record|measurement|value)" if audience == "clinician" else "(reading|record|measurement)"
    return (
        f"There is no {noun} of {{subject}} {window} .",
        f"No {noun} of {{subject}} is (known|available) {window} .",
        f"The records hold no {noun} of {{subject}} {window} .",
    )


def _ward(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    if not claim.slot("alarms"):
        return ("(This|The) ward has {beds} .", "On this ward : {beds} .")
    return (
        "(This|The) ward has {beds} and {alarms} .",
        "On this ward : {beds} and {alarms} .",
        "On this ward : {beds} , with {alarms} .",
        "(This|The) ward has {beds} , with {alarms} .",
    )


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
