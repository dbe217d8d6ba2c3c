"""How a risk may be worded: its level and change, how often that is, what it goes with."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim
from vitruvian.explanation.wording.phrases.base import Book, interval, joined, numbers, optional, ranged

__all__ = ["BOOK"]


def _risk(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span, sure, risk = optional(claim, "horizon"), interval(claim, audience), _noun(audience)
    return (
        f"(The|This) model (puts|estimates) the {risk} of {{outcome}} {span} at {{risk}} {sure} .",
        f"(The|This) model puts the (estimated|predicted) {risk} of {{outcome}} {span} at {{risk}} {sure} .",
        f"The (estimated|predicted) {risk} of {{outcome}} {span} is {{risk}} {sure} .",
        f"The {risk} of {{outcome}} {span} is (estimated|put) at {{risk}} {sure} .",
        f"The (estimated|predicted) {risk} of {{outcome}} is {{risk}} {ranged(claim, audience)} {span} .",
    )


def _risk_moved(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span, sure, risk = optional(claim, "horizon"), ranged(claim, audience), _noun(audience)
    then = {
        1: "(up from|higher than|, up from|, higher than|, a rise from|, which is up from|, which is higher than)"
        " {earlier} {ago}",
        -1: "(down from|lower than|, down from|, lower than|, a fall from|, which is down from|, which is lower than)"
        " {earlier} {ago}",
        0: "(, unchanged from|, the same as|, the same as it was) {ago}",
    }[claim.sign or 0]
    return (
        f"(The|This) model [now] (puts|estimates) the {risk} of {{outcome}} {span} at {{risk}} {sure} {then} .",
        f"The (estimated|predicted) {risk} of {{outcome}} {span} is [now] {{risk}} {sure} {then} .",
        f"The {risk} of {{outcome}} {span} is [now] (estimated|put) at {{risk}} {sure} {then} .",
        f"The (estimated|predicted) {risk} of {{outcome}} is [now] {{risk}} {sure} {span} {then} .",
        *_course(claim, risk, span, sure),
    )


def _course(claim: Claim, risk: str, span: str, sure: str) -> tuple[str, ...]:
    if not claim.sign:
        return ()
    moved = "risen|gone up|increased" if claim.sign > 0 else "fallen|gone down|decreased"
    return (f"The (estimated|predicted) {risk} of {{outcome}} {span} has ({moved}) from {{earlier}} {{ago}} to {{risk}} {sure} .",)


def _frequency(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span = optional(claim, "horizon")
    like = "(like this|like these|such as these)" if audience == "clinician" else "(like yours|like these)"
    return (
        f"(Of|Among) people with readings {like} , about {{risk}} would (have|go on to have) {{outcome}} {span} .",
        f"That (is|means) about {{risk}} people with readings {like} having {{outcome}} {span} .",
        f"About {{risk}} people with readings {like} would (have|go on to have) {{outcome}} {span} .",
        f"For {{outcome}} {span} , (this|that) (is|means) about {{risk}} people with readings {like} .",
    )


def _usual(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    against = {1: "(above|higher than)", -1: "(below|lower than)", 0: "(the same as|about the same as)"}[claim.sign or 0]
    return (
        f"(This|That) is {against} (what is usual|the usual figure) for {{outcome}} , (which is|about) {{usual}} [people] .",
        f"For {{outcome}} , (this|that) is {against} the usual figure of [about] {{usual}} [people] .",
        f"(This|That) is {against} the usual {{usual}} [people] (for|with) {{outcome}} .",
    )


def _drivers(claim: Claim, audience: Audience) -> tuple[str, ...]:
    frames: list[str] = []
    linked = "(associated|linked)" if audience == "clinician" else "linked"
    closely = "[(most|mainly|chiefly)]" if audience == "clinician" else "[(most|mainly)]"
    for style in ("{d} {v}", "{d} at {v}", "{d} of {v}", "{d} << {v} >>"):
        found = joined([_driver(claim, n, style) for n in numbers(claim, "d")])
        frames += [
            f"(The|This) (risk|estimate) is {closely} {linked} with {found} .",
            f"{linked} {closely} with (the|this) (risk|estimate) [are] : {found} .",
            f"The (readings|findings) (most|mainly) {linked} with (the|this) (risk|estimate) are {found} .",
        ]
    return tuple(frames)


def _driver(claim: Claim, number: int, style: str) -> str:
    value, move = claim.slot(f"v{number}"), claim.slot(f"m{number}")
    if value is None:
        return f"{{d{number}}}" + (f" << {{m{number}}} >>" if move else "")
    # Words such as "not measured recently" stand in brackets: "lactate of not measured" is no English.
    worded = "{d} << {v} >>" if value.facet == "text" else style
    if move:
        worded = worded.replace("<< {v} >>", "<< {v} , {m} >>") if "<<" in worded else f"{worded} << {{m}} >>"
    for head in "dvm":
        worded = worded.replace(f"{{{head}}}", f"{{{head}{number}}}")
    return worded


def _no_drivers(_claim: Claim, audience: Audience) -> tuple[str, ...]:
    reading = "(reading|measurement)"
    return (
        f"No [single] {reading} stands out for the {_noun(audience)} of {{outcome}} .",
        f"No [single] {reading} is notably (associated|linked) with the {_noun(audience)} of {{outcome}} .",
        f"For the {_noun(audience)} of {{outcome}} , no [single] {reading} stands out .",
    )


def _noun(audience: Audience) -> str:
    return "risk" if audience == "clinician" else "(risk|chance)"


BOOK: Final[Book] = {
    "risk": _risk,
    "risk_moved": _risk_moved,
    "frequency": _frequency,
    "usual": _usual,
    "drivers": _drivers,
    "no_drivers": _no_drivers,
}
