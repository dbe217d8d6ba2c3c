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
        ways: tuple[str, ...] = (
            "(The|This) model expects {subject} to be {later}",
            "The forecast for {subject} is {later}",
        )
    elif claim.sign == 0:
        ways = (
            "The model expects {subject} to stay (the same|about the same|steady) , {now} now and {later}",
            "The model expects {subject} , {now} now , to stay steady at {later}",
            "The forecast shows {subject} staying about the same , {now} now and {later}",
        )
    else:
        move = RISE if claim.sign > 0 else FALL
        moving = "(rising|going up)" if claim.sign > 0 else "(falling|going down)"
        ways = (
            f"(The|This) model expects {{subject}} to {move} from {{now}} to {{later}}",
            f"The forecast shows {{subject}} {moving} from {{now}} to {{later}}",
            f"The model expects {{subject}} , {{now}} now , to {move} to {{later}}",
        )
    return tuple(f"{way} {tail} ." for way in ways for tail in (f"{within} {ahead}", f"{ahead} {sure}"))


def _steady(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    both, either = listed(claim, "s", "{s}"), listed(claim, "s", "{s}", last="or")
    return (
        f"(No notable|Little) change is expected in {either} {{horizon}} .",
        f"The model expects (no notable|little) change in {either} {{horizon}} .",
        f"The model expects {both} to (stay steady|stay about the same) {{horizon}} .",
    )


def _critical_ahead(claim: Claim, audience: Audience) -> tuple[str, ...]:
    if audience == "clinician":
        heads: tuple[str, ...] = (
            "the simulation (reaches|would reach) the critical range :",
            "in the simulation , the critical range would be reached :",
            "critical in the simulation :",
        )
        styles: tuple[str, ...] = ("{c} {v} {t}", "{c} << {v} {t} >>")
    else:
        goes = "these would go" if len(numbers(claim, "c")) > 1 else "this would go"
        heads = (
            "far outside the normal range in the model :",
            f"in the model , {goes} far outside the normal range :",
            "in the simulation , far outside the normal range :",
        )
        styles = ("{c} {v} {t}",)
    return tuple(f"{head} {listed(claim, 'c', style)} ." for style in styles for head in heads)


def _scenario(claim: Claim, audience: Audience) -> tuple[str, ...]:
    plain = audience == "patient"
    steps = [_action(claim, n, brackets=not plain) for n in numbers(claim, "a")]
    taken = "set to" if plain else "taken as"
    steps += [f"{{e{n}}}" + optional(claim, f"set{n}", f" {taken} {{set{n}}}") for n in numbers(claim, "e")]
    steps += ["{more}"] if claim.slot("more") else []
    if plain:
        return (
            f"This what-if only tries out {joined(steps)} .",
            f"In this what-if , the model only tries out {joined(steps)} .",
            f"This is only a what-if , in which the model tries out {joined(steps)} .",
        )
    return (
        f"This what-if (simulates|looks at|tries out) {joined(steps)} , compared with no change .",
        f"This simulation tries out {joined(steps)} , compared with no change .",
        f"Simulated here , and compared with no change : {joined(steps)} .",
    )


def _action(claim: Claim, number: int, *, brackets: bool) -> str:
    how = optional(claim, f"how{number}", f"<< {{how{number}}} >>" if brackets else "")
    return f"{{a{number}}} {optional(claim, f'dose{number}')} {how}"


def _effect(claim: Claim, audience: Audience) -> tuple[str, ...]:
    """It compares two runs at one time: never "rise by", which would be a change in time, and always with the other."""
    if not claim.sign:
        return ()
    # Of a fall the smaller end stands first, as the difference does: along its direction.
    within = ranged(claim, audience, fallen=claim.sign < 0)
    above = "higher" if claim.sign > 0 else "lower"
    run = "simulation" if audience == "clinician" else "what-if"
    sure = "(, which is|; that it goes this way is)" if audience == "patient" else "; that it goes this way is"
    sure = optional(claim, "likelihood", f"{sure} {{likelihood}}")
    heads = (f"In (the|this) {run} , {{subject}}", f"The {run} suggests that {{subject}}")
    ways = (f"be {{difference}} {above}", f"be {above} by {{difference}}")
    against = "than without the change"
    return tuple(
        f"{head} would {way} {rest} {sure} ."
        for head, way in product(heads, ways)
        for rest in (f"{{horizon}} {against} {within}", f"{within} {{horizon}} {against}")
    ) + tuple(
        f"Compared with no change , {{subject}} would {way} {{horizon}} in (the|this) {run} {within} {sure} ."
        for way in ways
    )


def _effect_open(claim: Claim, audience: Audience) -> tuple[str, ...]:
    either = listed(claim, "s", "{s}", last="or")
    run, what = ("simulation", "direction for") if audience == "clinician" else ("what-if", "change in")
    return (
        f"(The|This) {run} shows no clear {what} {either} .",
        f"In (the|this) {run} , there is no clear {what} {either} .",
        f"No clear {what} {either} is seen in (the|this) {run} .",
    )


def _arms(claim: Claim) -> tuple[str, ...]:
    """How the two runs of a what-if compare: as two runs, never as one that moves from one figure to the other."""
    if not claim.sign:
        return ("would be (the same|unchanged) , {before} without the change and {after} with it",)
    above = "higher" if claim.sign > 0 else "lower"
    return (
        f"would be {above} , {{before}} without the change and {{after}} with it",
        f"would be {above} with the change , {{before}} without it and {{after}} with it",
    )


def _risk_effect(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span = optional(claim, "horizon")
    if audience == "clinician":
        head, caveat = "the (predicted|estimated) risk of", "<< the model's sensitivity , not a causal effect >>"
        return tuple(f"In the simulation , {head} {{outcome}} {span} {end} {caveat} ." for end in _arms(claim))
    caveat = "<< this does not show a cause >>"
    return tuple(
        f"In (this what-if|the simulation) , the model's figure for {{outcome}} {span} {end} {caveat} ."
        for end in _arms(claim)
    )


def _score_effect(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span = optional(claim, "horizon")
    if audience == "clinician":
        return tuple(
            frame
            for end in _arms(claim)
            for frame in (
                f"In the simulation , {{outcome}} {span} , by its fixed rule , {end} .",
                f"By its fixed rule , {{outcome}} {span} in the simulation {end} .",
            )
        )
    return tuple(f"In (this what-if|the simulation) , {{outcome}} {span} {end} ." for end in _arms(claim))


def _data_share(_claim: Claim, audience: Audience) -> tuple[str, ...]:
    if audience == "clinician":
        return (
            "This patient's own data decide {share} of the simulated effects (, and|;) the general model decides the"
            " rest .",
            "{share} of the simulated effects are decided by this patient's own data (, and|;) the rest by the general"
            " model .",
            "Of the simulated effects , {share} are decided by this patient's own data and the rest by the general"
            " model .",
        )
    return (
        "Your own readings decide {share} of this (, and|;) the rest comes from people in general .",
        "{share} of this comes from your own readings (, and|;) the rest from people in general .",
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
