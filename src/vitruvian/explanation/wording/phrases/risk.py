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
        f"The {risk} of {{outcome}} {span} is estimated at {{risk}} {sure} .",
        f"The model's estimate of the {risk} of {{outcome}} {span} is {{risk}} {sure} .",
        f"The (estimated|predicted) {risk} of {{outcome}} is {{risk}} {ranged(claim, audience)} {span} .",
    )


def _risk_moved(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span, sure, risk = optional(claim, "horizon"), ranged(claim, audience), named(audience)
    then = {
        1: ", up from {earlier} {ago}",
        -1: ", down from {earlier} {ago}",
        0: "(, unchanged from|, the same as) {ago}",
    }[claim.sign or 0]
    return (
        f"(The|This) model [now] (puts|estimates) the {risk} of {{outcome}} {span} at {{risk}} {sure} {then} .",
        f"The (estimated|predicted) {risk} of {{outcome}} {span} is [now] {{risk}} {sure} {then} .",
        f"The {risk} of {{outcome}} {span} is [now] estimated at {{risk}} {sure} {then} .",
        f"The model's estimate of the {risk} of {{outcome}} {span} is [now] {{risk}} {sure} {then} .",
    )


def _frequency(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span, clinician = optional(claim, "horizon"), audience == "clinician"
    who = "patients with (readings like these|similar readings)" if clinician else "people with readings like yours"
    if not claim.slot("outcome"):
        return (
            f"(That|This) (is|means) about {{risk}} {who} {span} .",
            f"(That|This) means , among {who} , about {{risk}} {span} .",
            f"Among {who} , (that|this) is about {{risk}} {span} .",
        )
    if clinician:
        return (
            f"(Among|Of|In) {who} , {{outcome}} would be expected in about {{risk}} {span} .",
            f"{{outcome}} would be expected in about {{risk}} {who} {span} .",
            f"In {who} , one would expect {{outcome}} in about {{risk}} {span} .",
        )
    return (
        f"(Of|Among) {who} , about {{risk}} would face {{outcome}} {span} .",
        f"About {{risk}} {who} would face {{outcome}} {span} .",
        f"(This|That) means that about {{risk}} {who} would face {{outcome}} {span} .",
    )


def _usual(claim: Claim, audience: Audience) -> tuple[str, ...]:
    side = {1: "(above|higher than)", -1: "(below|lower than)", 0: "close to"}[claim.sign or 0]
    if audience == "clinician":
        it, end = optional(claim, "outcome") or "it", f"(;|, and) this risk is {side} that ."
        return tuple(
            f"{head} {it} {met} in about {{usual}} patients {end}"
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
    several = len(numbers(claim, "d")) > 1
    reading = "readings" if several else "reading"
    frames: list[str] = []
    for brackets in (False, True) if audience == "clinician" else (False,):
        found = joined([_driver(claim, n, brackets=brackets) for n in numbers(claim, "d")])
        if audience == "clinician":
            frames += [
                f"The {reading} most (associated|linked) with this risk , not necessarily as its cause : {found} .",
                f"Most associated with this risk , though not necessarily as its cause : {found} .",
                f"This risk is most (associated|linked) with {found} , not necessarily as its cause .",
            ]
        else:
            frames += [
                f"What counts most in the model , though it need not be the cause : {found} .",
                f"{'These readings count' if several else 'This reading counts'} most in the model , but need not be"
                f" the cause : {found} .",
                f"The model gives most weight to {found} , which need not be the cause .",
            ]
    return tuple(frames)


def _driver(claim: Claim, number: int, *, brackets: bool) -> str:
    value, move = claim.slot(f"v{number}"), claim.slot(f"m{number}")
    if value is None:
        worded = "{d}"
    elif brackets or value.facet == "text":
        # Words such as "not measured recently" stand in brackets, always.
        worded = "{d} << {v} , {m} >>" if move else "{d} << {v} >>"
    else:
        worded = "{d} {v} << {m} >>" if move else "{d} {v}"
    for head in "dvm":
        worded = worded.replace(f"{{{head}}}", f"{{{head}{number}}}")
    return worded


def _no_drivers(_claim: Claim, audience: Audience) -> tuple[str, ...]:
    if audience == "clinician":
        return (
            "No reading raises the risk of {outcome} notably above that of a typical patient .",
            "None of the readings raises the risk of {outcome} notably above that of a typical patient .",
            "No reading is notably (associated|linked) with a higher risk of {outcome} than a typical patient has .",
        )
    return (
        "No reading makes the chance of {outcome} much higher than for most people here .",
        "None of the readings makes the chance of {outcome} much higher than for most people here .",
        "There is no reading that makes the chance of {outcome} much higher than for most people here .",
    )


def _card(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span = optional(claim, "horizon")
    head = f"(This|The) model estimates the {named(audience)} of {{outcome}} {span}"
    if not claim.slot("usual"):
        return (f"{head} .", f"What (this|the) model estimates is the {named(audience)} of {{outcome}} {span} .")
    if audience == "clinician":
        return (
            f"{head} (;|, and) in the data it (learned from|was trained on) , this occurred in about {{usual}}"
            " patients .",
            f"{head} (;|, and) in its training data , this occurred in about {{usual}} patients .",
        )
    return (
        f"{head} (;|, and) in the records it learned from , (that|this) came up in about {{usual}} people .",
        f"{head} , which came up in about {{usual}} people in the records it learned from .",
    )


def _trained(claim: Claim, audience: Audience) -> tuple[str, ...]:
    how = "(was trained on|learned from)" if audience == "clinician" else "learned from"
    patients = optional(claim, "patients", "<< {patients} >>")
    return (f"It {how} {{data}} {patients} .", f"(The|This) model {how} {{data}} {patients} .")


def _figure(claim: Claim, audience: Audience) -> tuple[str, ...]:
    """Never "was": labels of figures are of one thing and of several."""
    sure = interval(claim, audience)
    heads = ("Measured in the model's evaluation", "In the model's evaluation", "Measured in tests of the model")
    plain = ("In tests of the model", "Measured in tests of the model", "When the model was tested")
    return tuple(f"{head} : {{figure}} {{value}} {sure} ." for head in (heads if audience == "clinician" else plain))


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
