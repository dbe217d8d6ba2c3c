"""How a risk may be worded: its level and change, how often that is, what it goes with."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim
from vitruvian.explanation.wording.phrases.base import Book, interval, joined, numbers, optional, ranged

__all__ = ["BOOK", "named"]


def named(audience: Audience) -> str:
    """What a reader calls a risk."""
    return "risk" if audience == "clinician" else "(chance|risk)"


def _risk(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span, sure, risk = optional(claim, "horizon"), interval(claim, audience), named(audience)
    return (
        f"(The|This) model (puts|estimates) the {risk} of {{outcome}} {span} at {{risk}} {sure} .",
        f"The (estimated|predicted) {risk} of {{outcome}} {span} is {{risk}} {sure} .",
        f"The {risk} of {{outcome}} {span} is (estimated|put) at {{risk}} {sure} .",
        f"The model's estimate of the {risk} of {{outcome}} {span} is {{risk}} {sure} .",
        f"The (estimated|predicted) {risk} of {{outcome}} is {{risk}} {ranged(claim, audience)} {span} .",
    )


def _risk_moved(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span, sure, risk = optional(claim, "horizon"), ranged(claim, audience), named(audience)
    then = {
        1: "(, up from|, which is higher than) {earlier} {ago}",
        -1: "(, down from|, which is lower than) {earlier} {ago}",
        0: "(, unchanged from|, the same as) {ago}",
    }[claim.sign or 0]
    return (
        f"(The|This) model [now] (puts|estimates) the {risk} of {{outcome}} {span} at {{risk}} {sure} {then} .",
        f"The (estimated|predicted) {risk} of {{outcome}} {span} is [now] {{risk}} {sure} {then} .",
        f"The {risk} of {{outcome}} {span} is [now] (estimated|put) at {{risk}} {sure} {then} .",
        f"The (estimated|predicted) {risk} of {{outcome}} is [now] {{risk}} {sure} {span} {then} .",
    )


def _frequency(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span = optional(claim, "horizon")
    if not claim.slot("outcome"):
        who = "patients with (readings like these|similar readings)"
        who = who if audience == "clinician" else "people with readings (like yours|such as yours)"
        return (
            f"(That|This) (is|means) about {{risk}} {who} {span} .",
            f"(That|This) (is|means) , among {who} , about {{risk}} {span} .",
            f"Among {who} , (that|this) is about {{risk}} {span} .",
        )
    if audience == "clinician":
        return (
            f"(Among|Of|In) patients with (readings like these|similar readings) , {{outcome}} would be expected in"
            f" about {{risk}} {span} .",
            f"{{outcome}} would be expected in about {{risk}} patients with (readings like these|similar readings)"
            f" {span} .",
            f"In patients with (readings like these|similar readings) , one would expect {{outcome}} in about {{risk}}"
            f" {span} .",
        )
    return (
        f"(Of|Among) people with readings (like yours|such as yours) , about {{risk}} would (face|have) {{outcome}}"
        f" {span} .",
        f"About {{risk}} people with readings (like yours|such as yours) would (face|have) {{outcome}} {span} .",
        f"(This|That) means that about {{risk}} people with readings like yours would (face|have) {{outcome}} {span} .",
    )


def _usual(claim: Claim, audience: Audience) -> tuple[str, ...]:
    side = {1: "(above|higher than)", -1: "(below|lower than)", 0: "close to"}[claim.sign or 0]
    if audience == "clinician":
        it, end = optional(claim, "outcome") or "it", f"(;|, and) this risk is {side} that ."
        return tuple(
            f"{head} {it} {met} in about {{usual}} [patients] {end}"
            for head in ("In the model's training data ,", "In the data the model (learned from|was trained on) ,")
            for met in ("occurred", "was seen")
        )
    chance, end = f"the chance {optional(claim, 'outcome', 'of {outcome}')}", f"(;|, and) yours is {side} that ."
    return (
        f"In the records the model learned from , {chance} was about {{usual}} {end}",
        f"{chance} was about {{usual}} in the records the model learned from {end}",
        f"For the people the model learned from , {chance} was about {{usual}} {end}",
    )


def _drivers(claim: Claim, audience: Audience) -> tuple[str, ...]:
    frames: list[str] = []
    several = len(numbers(claim, "d")) > 1
    reading = "readings" if several else "reading"
    styles = ("{d} {v}", "{d} at {v}", "{d} of {v}") if audience == "clinician" else ("{d} {v}", "{d} at {v}")
    for style in styles:
        found = joined([_driver(claim, n, style) for n in numbers(claim, "d")])
        if audience == "clinician":
            frames += [
                f"The {reading} most (associated|linked) with this risk , not necessarily as its cause"
                f" [{'are' if several else 'is'}] : {found} .",
                f"(Most|Mainly) associated with this risk , though not necessarily as its cause : {found} .",
                f"This risk is (mainly|most) (associated|linked) with {found} , not necessarily as its cause .",
            ]
        else:
            frames += [
                f"What counts most in the model , though it need not be the cause : {found} .",
                f"{'These readings count' if several else 'This reading counts'} most in the model , but need not be"
                f" the cause : {found} .",
                f"The model looks most at {found} , though it need not be the cause .",
                f"The model gives most weight to {found} , which need not be the cause .",
            ]
    return tuple(frames)


def _driver(claim: Claim, number: int, style: str) -> str:
    value, move = claim.slot(f"v{number}"), claim.slot(f"m{number}")
    if value is None:
        worded = "{d}"
    elif value.facet == "text":
        # Words such as "not measured recently" stand in brackets: "lactate of not measured" is no English.
        worded = "{d} << {v} , {m} >>" if move else "{d} << {v} >>"
    else:
        worded = f"{style} << {{m}} >>" if move else style
    for head in "dvm":
        worded = worded.replace(f"{{{head}}}", f"{{{head}{number}}}")
    return worded


def _no_drivers(_claim: Claim, audience: Audience) -> tuple[str, ...]:
    if audience == "clinician":
        return (
            "No [single] reading raises the risk of {outcome} notably above that of a typical patient .",
            "No [single] reading stands out as notably (associated|linked) with the risk of {outcome} .",
            "No [single] reading stands out for the risk of {outcome} .",
        )
    return (
        "No (one|single) reading makes the chance of {outcome} stand out .",
        "No (one|single) reading stands out for the (chance|risk) of {outcome} .",
        "For the (chance|risk) of {outcome} , no (one|single) reading stands out .",
    )


def _card(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span = optional(claim, "horizon")
    head = f"(This|The) model estimates the {named(audience)} of {{outcome}} {span}"
    if not claim.slot("usual"):
        return (f"{head} .", f"What (this|the) model estimates is the {named(audience)} of {{outcome}} {span} .")
    if audience == "clinician":
        return (
            f"{head} (;|, and) in the data it (learned from|was trained on) , this occurred in about {{usual}}"
            " [patients] .",
            f"{head} (;|, and) in its training data , (this|it) occurred in about {{usual}} [patients] .",
        )
    return (
        f"{head} (;|, and) in the records it learned from , (that|this) came up in about {{usual}} people .",
        f"{head} , which came up in about {{usual}} people in the records it learned from .",
    )


def _trained(claim: Claim, audience: Audience) -> tuple[str, ...]:
    how = "(was trained on|learned from)" if audience == "clinician" else "learned from"
    if not claim.slot("patients"):
        return (f"It {how} {{data}} .", f"(The|This) model {how} {{data}} .")
    return (f"It {how} {{data}} << {{patients}} >> .", f"(The|This) model {how} {{data}} << {{patients}} >> .")


def _figure(claim: Claim, audience: Audience) -> tuple[str, ...]:
    sure = interval(claim, audience)
    heads = ("Measured in the model's evaluation", "In the model's evaluation", "In tests of the model")
    return tuple(
        line
        for head in (heads if audience == "clinician" else heads[2:])
        for line in (f"{head} : {{figure}} {{value}} {sure} .", f"{head} , {{figure}} was {{value}} {sure} .")
    )


BOOK: Final[Book] = {
    "risk": _risk,
    "risk_moved": _risk_moved,
    "frequency": _frequency,
    "usual": _usual,
    "drivers": _drivers,
    "no_drivers": _no_drivers,
    "card": _card,
    "trained": _trained,
    "figure": _figure,
}
