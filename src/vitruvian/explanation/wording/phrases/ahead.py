"""How what may come may be worded: forecasts, and what a simulated treatment would change."""

from __future__ import annotations

from itertools import product
from typing import Final

from vitruvian.explanation.claims import Audience, Claim
from vitruvian.explanation.wording.phrases.base import (
    FALL,
    RISE,
    Book,
    interval,
    joined,
    listed,
    numbers,
    optional,
    ranged,
)

__all__ = ["BOOK"]


def _expected(claim: Claim, audience: Audience) -> tuple[str, ...]:
    sure, within, ahead = interval(claim, audience), ranged(claim, audience), optional(claim, "horizon")
    if claim.sign is None:
        ways = (
            "(The|This) model expects {subject} to be [about] {later}",
            "The forecast for {subject} is [about] {later}",
            "{subject} : [about] {later} expected",
        )
    elif claim.sign == 0:
        ways = (
            "The model expects {subject} to stay (the same|about the same|steady) , {now} now and {later}",
            "The model expects {subject} , {now} now , to stay (the same|steady) at {later}",
            "In the forecast , {subject} (stays|would stay) (the same|steady) , {now} now and {later}",
        )
    else:
        move = RISE if claim.sign > 0 else FALL
        moving = "(rising|going up)" if claim.sign > 0 else "(falling|going down)"
        ways = (
            f"(The|This) model expects {{subject}} to {move} from {{now}} to [about] {{later}}",
            f"The forecast (has|shows) {{subject}} {moving} from {{now}} to [about] {{later}}",
            f"The model expects {{subject}} , {{now}} now , to {move} to [about] {{later}}",
        )
    return tuple(f"{way} {tail} ." for way in ways for tail in (f"{within} {ahead}", f"{ahead} {sure}"))


def _steady(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    both, either = listed(claim, "s", "{s}"), listed(claim, "s", "{s}", last="or")
    return (
        f"(No notable|Little) change is expected in {either} {{horizon}} .",
        f"The (model|forecast) expects (no notable|little) change in {either} {{horizon}} .",
        f"The (model|forecast) expects {both} to (stay steady|stay about the same) {{horizon}} .",
    )


def _critical_ahead(claim: Claim, audience: Audience) -> tuple[str, ...]:
    goes = "these (go|would go)" if len(numbers(claim, "c")) > 1 else "this (goes|would go)"
    heads = (
        ("the simulation (reaches|would reach) the critical range :",
         "in the simulation , the critical range (is|would be) reached :", "critical in the simulation :")
        if audience == "clinician"
        else ("(far|well) outside the normal range in the model :",
              f"in the model , {goes} far outside the normal range :",
              "in the simulation , far outside the normal range :")
    )  # fmt: skip
    styles = ("{c} {v} {t}", "{c} of {v} {t}", *(("{c} << {v} >> {t}",) if audience == "clinician" else ()))
    return tuple(f"{head} {listed(claim, 'c', style)} ." for style in styles for head in heads)


def _scenario(claim: Claim, audience: Audience) -> tuple[str, ...]:
    frames = []
    for how in ("<<>>",) if audience == "clinician" else ("", "<<>>"):
        steps = [_action(claim, n, how) for n in numbers(claim, "a")]
        steps += [
            f"{{e{n}}}" + optional(claim, f"set{n}", f"(taken as|set to) {{set{n}}}") for n in numbers(claim, "e")
        ]
        steps += ["{more}"] if claim.slot("more") else []
        if audience == "clinician":
            frames += [
                f"This (what-if|simulation) (simulates|tries out|looks at) {joined(steps)} , compared with no change .",
                f"(Simulated|Simulated here) , and compared with no change : {joined(steps)} .",
                f"What is simulated , against no change , is {joined(steps)} .",
            ]
        else:
            frames += [
                f"This what-if only tries out {joined(steps)} .",
                f"In this what-if , the model (tries out|tries) {joined(steps)} .",
                f"This is only a what-if , in which the model tries {joined(steps)} .",
            ]
    return tuple(frames)


def _action(claim: Claim, number: int, marks: str) -> str:
    dose, how = optional(claim, f"dose{number}"), optional(claim, f"how{number}")
    shown = (f"<< {how} >>" if marks else how) if how else ""
    return f"{{a{number}}} {dose} {shown}"


def _effect(claim: Claim, audience: Audience) -> tuple[str, ...]:
    if claim.sign is None:
        return ()
    # Of a fall the smaller end stands first, as the difference does: along its direction.
    within = ranged(claim, audience, fallen=claim.sign < 0)
    # It compares two runs at one time: never "rise by", which would be a change in time.
    ways: tuple[str, ...] = ("differ by no more than {difference}",)
    if claim.sign:
        above = "higher" if claim.sign > 0 else "lower"
        ways = (f"be {{difference}} {above}", f"be {above} by {{difference}}")
    if audience == "clinician":
        heads = ("In the simulation , {subject}", "The simulation suggests that {subject}")
        sure = optional(claim, "likelihood", "; that it goes this way is {likelihood}")
    else:
        heads = ("In (this what-if|the simulation) , {subject}", "The what-if suggests that {subject}")
        sure = optional(claim, "likelihood", "(, which is|; that it goes this way is) {likelihood}")
    frames, against = [], "than without the change" if claim.sign else ""
    for head, way in product(heads, ways):
        frames += [
            f"{head} would {way} {{horizon}} {against} {within} {sure} .",
            f"{head} would {way} {within} {{horizon}} {against} {sure} .",
        ]
    return tuple(frames)


def _effect_open(claim: Claim, audience: Audience) -> tuple[str, ...]:
    either = listed(claim, "s", "{s}", last="or")
    head = "simulation" if audience == "clinician" else "(what-if|simulation)"
    return (
        f"(The|This) {head} shows no clear (direction for|change in) {either} .",
        f"In the {head} , there is no clear (direction for|change in) {either} .",
        f"No clear (direction for|change in) {either} is seen in the {head} .",
    )


def _before_after(claim: Claim) -> str:
    """How a figure of a what-if moves from without to with; `would` throughout."""
    if claim.sign:
        return f"would {RISE if claim.sign > 0 else FALL} from {{before}} to {{after}}"
    return (
        "(would not change|would stay the same) , {before} without (the change|what is simulated) and {after} with"
        " (it|what is simulated)"
    )


def _risk_effect(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span, end = optional(claim, "horizon"), _before_after(claim)
    if audience == "clinician":
        caveat = (
            "(<< the model's sensitivity , not a causal effect >>|, which is the model's sensitivity and not a causal"
            " effect)"
        )
        return (
            f"In the simulation , the (predicted|estimated) risk of {{outcome}} {span} {end} {caveat} .",
            f"With what is simulated , the (predicted|estimated) risk of {{outcome}} {span} {end} {caveat} .",
            f"In the simulation , the model's figure for {{outcome}} {span} {end} {caveat} .",
        )
    caveat = "<< this does not show a cause >>"
    return (
        f"In this what-if , the model's figure for {{outcome}} {span} {end} {caveat} .",
        f"With what is simulated here , the model's figure for {{outcome}} {span} {end} {caveat} .",
        f"In the simulation , the model's figure for {{outcome}} {span} {end} {caveat} .",
    )


def _score_effect(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span, end = optional(claim, "horizon"), _before_after(claim)
    if audience == "clinician":
        return (
            f"In the simulation , {{outcome}} {span} , by its fixed rule , {end} .",
            f"By its fixed rule , {{outcome}} {span} {end} in the simulation .",
            f"With the simulated vital signs , {{outcome}} {span} , by its fixed rule , {end} .",
        )
    return (
        f"In this what-if , {{outcome}} {span} {end} .",
        f"In the simulation , {{outcome}} {span} {end} .",
        f"With what is simulated here , {{outcome}} {span} {end} .",
    )


def _data_share(_claim: Claim, audience: Audience) -> tuple[str, ...]:
    if audience == "clinician":
        return (
            "This patient's own data decide [about] {share} of the simulated (effects|changes) (, and|;) the general"
            " model decides the rest .",
            "[About] {share} of the simulated (effects|changes) are decided by this patient's own data (, and|;) the"
            " rest by the general model .",
            "Of the simulated (effects|changes) , [about] {share} are decided by this patient's own data and the rest"
            " by the general model .",
        )
    return (
        "Your own readings decide [about] {share} of this (, and|;) the rest comes from people in general .",
        "[About] {share} of this comes from your own readings (, and|;) the rest from people in general .",
    )


BOOK: Final[Book] = {
    "expected": _expected,
    "steady": _steady,
    "critical_ahead": _critical_ahead,
    "scenario": _scenario,
    "effect": _effect,
    "effect_open": _effect_open,
    "risk_effect": _risk_effect,
    "score_effect": _score_effect,
    "data_share": _data_share,
}
