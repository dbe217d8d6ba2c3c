"""English for clinicians: as a registrar writes to a colleague."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Claim
from vitruvian.explanation.drafts.base import Templates, listed
from vitruvian.explanation.drafts.parts import by_sign, has, names, numbered, with_slot

__all__ = ["TEMPLATES", "against", "interval"]


def interval(claim: Claim) -> str:
    """The interval in brackets, where there is one; of a fall its smaller end first."""
    if not has(claim, "low"):
        return ""
    ends = "{high} to {low}" if claim.kind == "effect" and claim.sign == -1 else "{low} to {high}"
    return f" ({with_slot(claim, 'confidence', '{confidence} ')}interval {ends})"


def _risk(claim: Claim) -> str:
    return f"The model puts the risk of {{outcome}}{_over(claim)} at {{risk}}{interval(claim)}."


def _risk_moved(claim: Claim) -> str:
    moved = by_sign(claim, {1: "up from {earlier} {ago}", -1: "down from {earlier} {ago}", 0: "the same as {ago}"})
    return f"The model puts the risk of {{outcome}}{_over(claim)} at {{risk}}{interval(claim)}, {moved}."


def _over(claim: Claim) -> str:
    return with_slot(claim, "horizon", " {horizon}")


def _frequency(claim: Claim) -> str:
    if not has(claim, "outcome"):
        return f"That is about {{risk}} patients with readings like these{_over(claim)}."
    return f"Among patients with readings like these, {{outcome}} would be expected in about {{risk}}{_over(claim)}."


def _usual(claim: Claim) -> str:
    stands = by_sign(claim, {1: "above", -1: "below", 0: "close to"})
    what = "{outcome}" if has(claim, "outcome") else "it"
    return f"In the model's training data, {what} occurred in about {{usual}} patients; this risk is {stands} that."


def _drivers(claim: Claim) -> str:
    moves = numbered(claim, "m")
    named = [_driver(claim, n, n in moves) for n in numbered(claim, "d")]
    reading = "reading" if len(named) == 1 else "readings"
    return f"The {reading} most associated with this risk, not necessarily as its cause: {listed(named)}."


def _driver(claim: Claim, number: int, moves: bool) -> str:
    value = claim.slot(f"v{number}")
    if value is not None and value.facet == "text":
        return f"{{d{number}}} ({{v{number}}}{with_slot(claim, f'm{number}', f', {{m{number}}}')})"
    return f"{{d{number}}} {{v{number}}}{f' ({{m{number}}})' if moves else ''}"


def _timed(claim: Claim) -> str:
    """Critical values: name, value, and when where that is known."""
    timed = numbered(claim, "t")
    return listed([f"{{c{n}}} {{v{n}}}{f' {{t{n}}}' if n in timed else ''}" for n in numbered(claim, "c")])


def _critical(claim: Claim) -> str:
    if has(claim, "place"):
        return f"{{place}}: {_timed(claim)} in the critical range."
    return f"In the critical range: {_timed(claim)}."


def _missing(claim: Claim) -> str:
    if has(claim, "place"):
        return f"{{place}}: {names(claim, 'm')} not measured recently."
    return f"Not measured recently: {names(claim, 'm')}."


def _critical_missing(claim: Claim) -> str:
    if has(claim, "place"):
        return f"{{place}}: {_timed(claim)} in the critical range; {names(claim, 'm')} not measured recently."
    return f"In the critical range: {_timed(claim)}; not measured recently: {names(claim, 'm')}."


def _note(claim: Claim) -> str:
    return f"Note: {'; '.join(f'{{n{n}}}' for n in numbered(claim, 'n'))}."


def _expected(claim: Claim) -> str:
    course: dict[int | None, str] = {
        1: "to rise from {now} to {later}{interval} {horizon}",
        -1: "to fall from {now} to {later}{interval} {horizon}",
        0: "to stay as it is, {now} now and {later}{interval} {horizon}",
    }
    said = by_sign(claim, course) if has(claim, "now") else "to be {later}{interval} {horizon}"
    return f"The model expects {{subject}} {said.replace('{interval}', interval(claim))}."


def _scenario(claim: Claim) -> str:
    done = [
        f"{{a{n}}}{with_slot(claim, f'dose{n}', f' {{dose{n}}}')}{with_slot(claim, f'how{n}', f' ({{how{n}}})')}"
        for n in numbered(claim, "a")
    ]
    taken = [f"{{e{n}}}{with_slot(claim, f'set{n}', f' taken as {{set{n}}}')}" for n in numbered(claim, "e")]
    more = ["{more}"] if has(claim, "more") else []
    return f"This what-if simulates {listed([*done, *taken, *more])}, compared with no change."


def _effect(claim: Claim) -> str:
    moved = by_sign(
        claim, {1: "be {difference} higher", -1: "be {difference} lower", 0: "differ by no more than {difference}"}
    )
    sure = with_slot(claim, "likelihood", "; that it goes this way is {likelihood}")
    return f"In the simulation, {{subject}} would {moved} {{horizon}} {against(claim)}{interval(claim)}{sure}."


def against(claim: Claim) -> str:
    """What a difference is a difference from: the other run at the same time, never what was before."""
    return "than without the change" if claim.sign else "from that without the change"


def _risk_effect(claim: Claim) -> str:
    moved = _before_after(claim)
    return (
        f"In the simulation, the predicted risk of {{outcome}}{_over(claim)} {moved}"
        " (the model's sensitivity, not a causal effect)."
    )


def _before_after(claim: Claim) -> str:
    return by_sign(
        claim,
        {
            1: "would be higher, {before} without the change and {after} with it",
            -1: "would be lower, {before} without the change and {after} with it",
            0: "would be the same, {before} without the change and {after} with it",
        },
    )


def _alarms(claim: Claim) -> str:
    named = [f"{{a{n}}} (raised {{s{n}}})" for n in numbered(claim, "a")]
    more = ["{more}"] if has(claim, "more") else []
    alarm = "alarm" if len(named) == 1 and not more else "alarms"
    if has(claim, "place"):
        return f"{{place}}: open {alarm} {listed([*named, *more])}."
    return f"Open {alarm}: {listed([*named, *more])}."


def _medicines(claim: Claim) -> str:
    dosed = numbered(claim, "d")
    given = listed([f"{{g{n}}}{f' {{d{n}}}' if n in dosed else ''} {{t{n}}}" for n in numbered(claim, "g")])
    return f"{{place}} was given {given}." if has(claim, "place") else f"Given: {given}."


def _given(claim: Claim) -> str:
    return f"Given {{when}}: {{what}}{with_slot(claim, 'dose', ' {dose}')}."


def _happened(claim: Claim) -> str:
    return f"Recorded {{when}}: {{what}}{with_slot(claim, 'how', ' ({how})')}."


def _latest(claim: Claim) -> str:
    stands = by_sign(
        claim,
        {1: ", above its usual range", -1: ", below its usual range", 0: ", within its usual range", None: ""},
    )
    return f"The latest {{subject}} is {{value}}{with_slot(claim, 'when', ', measured {when}')}{stands}."


def _changed(claim: Claim) -> str:
    moved = by_sign(
        claim,
        {1: "rose from {from} to {to}", -1: "fell from {from} to {to}", 0: "did not change, {from} then and {to} now,"},
    )
    return f"{{subject}} {moved} {{window}}."


def _results(claim: Claim) -> str:
    timed = numbered(claim, "t")
    named = [f"{{s{n}}} {{v{n}}}{f' {{t{n}}}' if n in timed else ''}" for n in numbered(claim, "s")]
    head = by_sign(
        claim,
        {1: "Above the usual range", -1: "Below the usual range", 0: "Within the usual range", None: "Results"},
    )
    return f"{head}: {listed(named)}."


def _changes(claim: Claim) -> str:
    named = [f"{{s{n}}} from {{f{n}}} to {{v{n}}}" for n in numbered(claim, "s")]
    return f"{by_sign(claim, {1: 'Risen', -1: 'Fallen', 0: 'Little changed'})} {{window}}: {listed(named)}."


def _extreme(claim: Claim) -> str:
    most = by_sign(claim, {1: "highest", -1: "lowest"})
    return f"The {most} {{subject}} {{window}} was {{value}}{with_slot(claim, 'when', ' {when}')}."


def _absent(claim: Claim) -> str:
    return f"There is no record of {{subject}}{with_slot(claim, 'window', ' {window}')}."


def _ward(claim: Claim) -> str:
    return f"This ward has {{beds}}{with_slot(claim, 'alarms', ' and {alarms}')}."


def _bed(claim: Claim) -> str:
    said = [with_slot(claim, "score", "early-warning score {score}")]
    if has(claim, "risk"):
        moves = {1: ", up from {earlier} {ago}", -1: ", down from {earlier} {ago}", 0: ", the same as {ago}", None: ""}
        of = with_slot(claim, "outcome", " of {outcome}")
        said.append(f"risk{of} {{risk}}{by_sign(claim, moves)}")
    return f"{{place}}: {listed([one for one in said if one]) if any(said) else 'no score and no risk is known'}."


def _card(claim: Claim) -> str:
    often = with_slot(claim, "usual", "; in the data it learned from, this occurred in about {usual} patients")
    return f"This model estimates the risk of {{outcome}}{_over(claim)}{often}."


def _trained(claim: Claim) -> str:
    return f"It was trained on {{data}}{with_slot(claim, 'patients', ' ({patients})')}."


def _figure(claim: Claim) -> str:
    return f"Measured in the model's evaluation: {{figure}} {{value}}{interval(claim)}."


TEMPLATES: Final[Templates] = {
    ("risk", "clinician"): _risk,
    ("risk_moved", "clinician"): _risk_moved,
    ("frequency", "clinician"): _frequency,
    ("usual", "clinician"): _usual,
    ("drivers", "clinician"): _drivers,
    ("no_drivers", "clinician"): "No reading raises the risk of {outcome} notably above that of a typical patient.",
    ("critical", "clinician"): _critical,
    ("missing", "clinician"): _missing,
    ("critical_missing", "clinician"): _critical_missing,
    ("silent", "clinician"): "No risk is shown ({reason}).",
    ("note", "clinician"): _note,
    ("expected", "clinician"): _expected,
    ("critical_ahead", "clinician"): lambda claim: f"The simulation reaches the critical range: {_timed(claim)}.",
    ("steady", "clinician"): lambda claim: f"No notable change is expected in {names(claim, 's', 'or')} {{horizon}}.",
    ("scenario", "clinician"): _scenario,
    ("effect", "clinician"): _effect,
    ("effect_open", "clinician"): lambda claim: (
        f"The simulation shows no clear direction for {names(claim, 's', 'or')}."
    ),
    ("risk_effect", "clinician"): _risk_effect,
    ("score_effect", "clinician"): lambda claim: (
        f"In the simulation, {{outcome}}{_over(claim)}, by its fixed rule, {_before_after(claim)}."
    ),
    ("data_share", "clinician"): (
        "This patient's own data decide {share} of the simulated effects, and the general model decides the rest."
    ),
    ("alarm", "clinician"): "The alarm for {alarm} ({text}) was raised {since} and is still open.",
    ("alarms", "clinician"): _alarms,
    ("no_alarm", "clinician"): "No alarm is open.",
    ("given", "clinician"): _given,
    ("medicines", "clinician"): _medicines,
    ("happened", "clinician"): _happened,
    ("latest", "clinician"): _latest,
    ("changed", "clinician"): _changed,
    ("results", "clinician"): _results,
    ("changes", "clinician"): _changes,
    ("extreme", "clinician"): _extreme,
    ("absent", "clinician"): _absent,
    ("ward", "clinician"): _ward,
    ("bed", "clinician"): _bed,
    ("card", "clinician"): _card,
    ("trained", "clinician"): _trained,
    ("figure", "clinician"): _figure,
    ("unknown", "clinician"): "The evidence does not answer this: {reason}.",
    ("refused", "clinician"): "This is not answered here: {reason}.",
}
