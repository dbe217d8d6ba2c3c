"""How what may come may be worded: forecasts, and what a simulated treatment would change."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim
from vitruvian.explanation.wording.phrases.base import Book, interval, joined, numbers, optional, ranged

__all__ = ["BOOK"]

_MOVES: Final = {1: "(rise|go up|increase)", -1: "(fall|go down|decrease)"}
_MOVING: Final = {1: "(rising|going up|increasing)", -1: "(falling|going down|decreasing)"}


def _expected(claim: Claim, audience: Audience) -> tuple[str, ...]:
    sure, within = interval(claim, audience), ranged(claim, audience)
    ahead = optional(claim, "horizon")
    if claim.sign is None:
        return (
            f"The (model|forecast) expects {{subject}} to be [about] {{later}} {within} {ahead} .",
            f"The (model|forecast) expects {{subject}} to be [about] {{later}} {ahead} {sure} .",
            f"The forecast for {{subject}} is {{later}} {within} {ahead} .",
            f"The forecast for {{subject}} is {{later}} {ahead} {sure} .",
            f"{{subject}} : {{later}} {within} expected {ahead} .",
        )
    if claim.sign == 0:
        return (
            f"The (model|forecast) expects {{subject}} to stay [about] the same , {{now}} now and {{later}} {within} {ahead} .",
            f"The (model|forecast) expects {{subject}} to stay [about] the same , {{now}} now and {{later}} {ahead} {sure} .",
            f"The (model|forecast) expects {{subject}} , now {{now}} , to stay at {{later}} {within} {ahead} .",
            f"The (model|forecast) expects {{subject}} , now {{now}} , to stay at {{later}} {ahead} {sure} .",
        )
    move, moving = _MOVES[claim.sign], _MOVING[claim.sign]
    return (
        f"The (model|forecast) expects {{subject}} to {move} from {{now}} to [about] {{later}} {within} {ahead} .",
        f"The (model|forecast) expects {{subject}} to {move} from {{now}} to [about] {{later}} {ahead} {sure} .",
        f"The forecast (has|shows) {{subject}} {moving} from {{now}} to [about] {{later}} {within} {ahead} .",
        f"The forecast (has|shows) {{subject}} {moving} from {{now}} to [about] {{later}} {ahead} {sure} .",
        f"The model expects {{subject}} , now {{now}} , to {move} to [about] {{later}} {within} {ahead} .",
        f"The model expects {{subject}} , now {{now}} , to {move} to [about] {{later}} {ahead} {sure} .",
    )


def _scenario(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    frames = []
    for first in (True, False):
        steps = [_action(claim, n, dose_first=first) for n in numbers(claim, "a")]
        steps += [_edit(claim, n) for n in numbers(claim, "e")]
        done = joined(steps)
        frames += [
            f"(The|This) simulation (takes|assumes|includes) {done} .",
            f"(This is a simulation of|The simulation is of|What is simulated here is) {done} .",
            f"(Simulated|The simulated change|The simulated scenario) [is] : {done} .",
        ]
    return tuple(frames)


def _action(claim: Claim, number: int, *, dose_first: bool) -> str:
    dose, how = optional(claim, f"dose{number}"), optional(claim, f"how{number}")
    named = f"{{a{number}}}"
    if dose:
        named = f"{dose} [of] {named}" if dose_first else f"{named} {dose}"
    return f"{named} << {how} >>" if how and not dose_first else f"{named} {how}"


def _edit(claim: Claim, number: int) -> str:
    return f"{{e{number}}} (set to|taken to be) {{set{number}}}" if claim.slot(f"set{number}") else f"{{e{number}}}"


def _effect(claim: Claim, audience: Audience) -> tuple[str, ...]:
    above = {1: "higher", -1: "lower"}.get(claim.sign or 0)
    if above is None:
        return ()
    move = _MOVES[claim.sign or 1]
    agree = optional(claim, "likelihood", "(,|;) {likelihood} of (the simulated courses|simulated courses) agree")
    sharing = optional(claim, "likelihood", ", with {likelihood} of the simulated courses agreeing")
    within = ranged(claim, audience)
    return tuple(
        f"In (the|this) simulation , {{subject}} would {moved} {rest} {tail} ."
        for moved in (f"be {above} by [about] {{difference}}", f"{move} by [about] {{difference}}")
        for rest in (f"{within} {{horizon}}", f"{{horizon}} {within}")
        for tail in ((agree, sharing) if agree else ("",))
    ) + tuple(
        f"The simulation (suggests|shows) {{subject}} {{difference}} {above} {rest} {sharing} ."
        for rest in (f"{within} {{horizon}}", f"{{horizon}} {within}")
    )  # fmt: skip


def _effect_open(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    listed = joined([f"{{s{n}}}" for n in numbers(claim, "s")])
    either = joined([f"{{s{n}}}" for n in numbers(claim, "s")], last="or")
    return (
        f"The simulation shows no clear (change|direction) (in|for) ({listed}|{either}) .",
        f"In the simulation , no clear (change|direction) (is seen|shows) (in|for) ({listed}|{either}) .",
        f"For {listed} , the simulation shows no clear (change|direction) .",
    )


def _risk_effect(claim: Claim, audience: Audience) -> tuple[str, ...]:
    span = optional(claim, "horizon")
    risk = "risk" if audience == "clinician" else "(risk|chance)"
    opening = ("In the simulation , the [(estimated|predicted)]", "The (simulated|estimated|predicted)")
    if not claim.sign:
        ends = (
            "would stay [about] the same , {before} before and {after} after",
            "would stay at [about] {after} , the same as {before} before",
        )
    else:
        ends = (f"would {_MOVES[claim.sign]} from {{before}} to [about] {{after}}",)
    return tuple(f"{head} {risk} of {{outcome}} {span} {end} ." for head in opening for end in ends) + tuple(
        f"{head} {risk} of {{outcome}} {end} {span} ." for head in opening for end in ends if span
    )


def _data_share(_claim: Claim, _audience: Audience) -> tuple[str, ...]:
    return (
        "[About] {share} of the simulated (effect|change) (was|is) (decided|informed) by this patient's [own] data .",
        "This patient's [own] data decided [about] {share} of the simulated (effect|change) .",
        "Of the simulated (effect|change) , [about] {share} (was|is) decided by this patient's [own] data .",
    )


BOOK: Final[Book] = {
    "expected": _expected,
    "scenario": _scenario,
    "effect": _effect,
    "effect_open": _effect_open,
    "risk_effect": _risk_effect,
    "data_share": _data_share,
}
