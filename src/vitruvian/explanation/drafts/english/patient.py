"""English for patients and families: plain words, calm; of causes it only says that it claims none."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Claim
from vitruvian.explanation.drafts.base import Templates, listed
from vitruvian.explanation.drafts.english.clinician import against
from vitruvian.explanation.drafts.parts import by_sign, has, names, numbered, with_slot

__all__ = ["TEMPLATES"]


def _range(claim: Claim) -> str:
    """The interval in brackets, where there is one; of a fall its smaller end first."""
    if not has(claim, "low"):
        return ""
    ends = "{high} to {low}" if claim.kind == "effect" and claim.sign == -1 else "{low} to {high}"
    return f" ({with_slot(claim, 'confidence', '{confidence} ')}range {ends})"


def _over(claim: Claim) -> str:
    return with_slot(claim, "horizon", " {horizon}")


def _risk(claim: Claim) -> str:
    return f"The model puts the chance of {{outcome}}{_over(claim)} at {{risk}}{_range(claim)}."


def _risk_moved(claim: Claim) -> str:
    moved = by_sign(claim, {1: "up from {earlier} {ago}", -1: "down from {earlier} {ago}", 0: "the same as {ago}"})
    return f"The model puts the chance of {{outcome}}{_over(claim)} at {{risk}}{_range(claim)}, {moved}."


def _frequency(claim: Claim) -> str:
    if not has(claim, "outcome"):
        return f"That is about {{risk}} people with readings like yours{_over(claim)}."
    return f"Of people with readings like yours, about {{risk}} would face {{outcome}}{_over(claim)}."


def _usual(claim: Claim) -> str:
    stands = by_sign(claim, {1: "above", -1: "below", 0: "close to"})
    of = with_slot(claim, "outcome", " of {outcome}")
    return f"In the records the model learned from, the chance{of} was about {{usual}}; yours is {stands} that."


def _drivers(claim: Claim) -> str:
    named = [_driver(claim, n) for n in numbered(claim, "d")]
    head = "This reading counts" if len(named) == 1 else "These readings count"
    return f"{head} most in the model, but need not be the cause: {listed(named)}."


def _driver(claim: Claim, number: int) -> str:
    value = claim.slot(f"v{number}")
    if value is not None and value.facet == "text":
        return f"{{d{number}}} ({{v{number}}}{with_slot(claim, f'm{number}', f', {{m{number}}}')})"
    return f"{{d{number}}} {{v{number}}}{with_slot(claim, f'm{number}', f' ({{m{number}}})')}"


def _valued(claim: Claim) -> str:
    """Names with their values, and when where that is known."""
    head = "c" if numbered(claim, "c") else "s"
    timed = numbered(claim, "t")
    return listed([f"{{{head}{n}}} {{v{n}}}{f' {{t{n}}}' if n in timed else ''}" for n in numbered(claim, head)])


def _critical(claim: Claim) -> str:
    place = with_slot(claim, "place", "{place}: ")
    return f"{place or 'F'}{'f' if place else ''}ar outside the normal range: {_valued(claim)}."


def _missing(claim: Claim) -> str:
    if has(claim, "place"):
        return f"{{place}}: {names(claim, 'm')} not measured recently."
    return f"Not measured recently: {names(claim, 'm')}."


def _critical_missing(claim: Claim) -> str:
    if has(claim, "place"):
        return f"{{place}}: {_valued(claim)} far outside the normal range; {names(claim, 'm')} not measured recently."
    return f"Far outside the normal range: {_valued(claim)}; not measured recently: {names(claim, 'm')}."


def _note(claim: Claim) -> str:
    return f"Please note: {'; '.join(f'{{n{n}}}' for n in numbered(claim, 'n'))}."


def _expected(claim: Claim) -> str:
    course: dict[int | None, str] = {
        1: "to go up from {now} to {later}{range} {horizon}",
        -1: "to go down from {now} to {later}{range} {horizon}",
        0: "to stay the same, {now} now and {later}{range} {horizon}",
    }
    said = by_sign(claim, course) if has(claim, "now") else "to be {later}{range} {horizon}"
    return f"The model expects {{subject}} {said.replace('{range}', _range(claim))}."


def _scenario(claim: Claim) -> str:
    done = [f"{{a{n}}}{_dose(claim, n)}" for n in numbered(claim, "a")]
    taken = [f"{{e{n}}}{with_slot(claim, f'set{n}', f' set to {{set{n}}}')}" for n in numbered(claim, "e")]
    more = ["{more}"] if has(claim, "more") else []
    return f"This what-if only tries out {listed([*done, *taken, *more])}."


def _dose(claim: Claim, number: int) -> str:
    how = with_slot(claim, f"how{number}", f" {{how{number}}}")
    return f"{with_slot(claim, f'dose{number}', f' {{dose{number}}}')}{how}"


def _effect(claim: Claim) -> str:
    moved = by_sign(
        claim, {1: "be {difference} higher", -1: "be {difference} lower", 0: "differ by no more than {difference}"}
    )
    sure = with_slot(claim, "likelihood", ", which is {likelihood}")
    return f"In this what-if, {{subject}} would {moved} {{horizon}} {against(claim)}{_range(claim)}{sure}."


def _moved(claim: Claim) -> str:
    return by_sign(
        claim,
        {
            1: "would be higher, {before} without the change and {after} with it",
            -1: "would be lower, {before} without the change and {after} with it",
            0: "would be the same, {before} without the change and {after} with it",
        },
    )


def _alarms(claim: Claim) -> str:
    named = [f"{{a{n}}} ({{s{n}}})" for n in numbered(claim, "a")]
    more = ["{more}"] if has(claim, "more") else []
    alarm = "alarm" if len(named) == 1 and not more else "alarms"
    if has(claim, "place"):
        return f"{{place}}: open {alarm} for {listed([*named, *more])}."
    return f"Open {alarm} for {listed([*named, *more])}."


def _medicines(claim: Claim) -> str:
    given = listed([f"{{g{n}}}{with_slot(claim, f'd{n}', f' {{d{n}}}')} {{t{n}}}" for n in numbered(claim, "g")])
    return f"{{place}} was given {given}." if has(claim, "place") else f"You were given {given}."


def _latest(claim: Claim) -> str:
    stands = by_sign(
        claim,
        {1: ", above the normal range", -1: ", below the normal range", 0: ", in the normal range", None: ""},
    )
    return f"The last {{subject}} was {{value}}{with_slot(claim, 'when', ' {when}')}{stands}."


def _changed(claim: Claim) -> str:
    moved = by_sign(
        claim,
        {
            1: "went up from {from} to {to}",
            -1: "went down from {from} to {to}",
            0: "did not change, {from} then and {to} now,",
        },
    )
    return f"{{subject}} {moved} {{window}}."


def _results(claim: Claim) -> str:
    head = by_sign(
        claim, {1: "Above the normal range", -1: "Below the normal range", 0: "In the normal range", None: "Results"}
    )
    return f"{head}: {_valued(claim)}."


def _changes(claim: Claim) -> str:
    named = [f"{{s{n}}} from {{f{n}}} to {{v{n}}}" for n in numbered(claim, "s")]
    head = by_sign(claim, {1: "These went up", -1: "These went down", 0: "Hardly changed"})
    return f"{head} {{window}}: {listed(named)}."


def _extreme(claim: Claim) -> str:
    most = by_sign(claim, {1: "highest", -1: "lowest"})
    return f"The {most} {{subject}} {{window}} was {{value}}{with_slot(claim, 'when', ' {when}')}."


def _bed(claim: Claim) -> str:
    said = [with_slot(claim, "score", "warning score {score}")]
    if has(claim, "risk"):
        moves = {1: ", up from {earlier} {ago}", -1: ", down from {earlier} {ago}", 0: ", the same as {ago}", None: ""}
        of = with_slot(claim, "outcome", " of {outcome}")
        said.append(f"chance{of} {{risk}}{by_sign(claim, moves)}")
    return f"{{place}}: {listed([one for one in said if one]) if any(said) else 'nothing is known yet'}."


def _card(claim: Claim) -> str:
    often = with_slot(claim, "usual", "; in the records it learned from, that came up in about {usual} people")
    return f"This model estimates the chance of {{outcome}}{_over(claim)}{often}."


TEMPLATES: Final[Templates] = {
    ("risk", "patient"): _risk,
    ("risk_moved", "patient"): _risk_moved,
    ("frequency", "patient"): _frequency,
    ("usual", "patient"): _usual,
    ("drivers", "patient"): _drivers,
    ("no_drivers", "patient"): "No reading makes the chance of {outcome} much higher than for most people here.",
    ("critical", "patient"): _critical,
    ("missing", "patient"): _missing,
    ("critical_missing", "patient"): _critical_missing,
    ("silent", "patient"): "The model gives no figure now ({reason}).",
    ("note", "patient"): _note,
    ("expected", "patient"): _expected,
    ("critical_ahead", "patient"): lambda claim: f"Far outside the normal range in the model: {_valued(claim)}.",
    ("steady", "patient"): lambda claim: f"The model expects little change in {names(claim, 's', 'or')} {{horizon}}.",
    ("scenario", "patient"): _scenario,
    ("effect", "patient"): _effect,
    ("effect_open", "patient"): lambda claim: f"The what-if shows no clear change in {names(claim, 's', 'or')}.",
    ("risk_effect", "patient"): lambda claim: (
        f"In this what-if, the model's figure for {{outcome}}{_over(claim)} {_moved(claim)}"
        " (this does not show a cause)."
    ),
    ("score_effect", "patient"): lambda claim: f"In this what-if, {{outcome}}{_over(claim)} {_moved(claim)}.",
    ("data_share", "patient"): "Your own readings decide {share} of this, and the rest comes from people in general.",
    ("alarm", "patient"): "The alarm for {alarm} ({text}) went off {since} and is still on.",
    ("alarms", "patient"): _alarms,
    ("no_alarm", "patient"): "No alarm is on.",
    ("given", "patient"): lambda claim: f"You were given {{what}}{with_slot(claim, 'dose', ' {dose}')} {{when}}.",
    ("medicines", "patient"): _medicines,
    ("happened", "patient"): lambda claim: f"Noted {{when}}: {{what}}{with_slot(claim, 'how', ' ({how})')}.",
    ("latest", "patient"): _latest,
    ("changed", "patient"): _changed,
    ("results", "patient"): _results,
    ("changes", "patient"): _changes,
    ("extreme", "patient"): _extreme,
    ("absent", "patient"): lambda claim: (
        f"There is no reading of {{subject}}{with_slot(claim, 'window', ' {window}')}."
    ),
    ("ward", "patient"): lambda claim: f"This ward has {{beds}}{with_slot(claim, 'alarms', ' and {alarms}')}.",
    ("bed", "patient"): _bed,
    ("card", "patient"): _card,
    ("trained", "patient"): lambda claim: f"It learned from {{data}}{with_slot(claim, 'patients', ' ({patients})')}.",
    ("figure", "patient"): lambda claim: f"In tests of the model: {{figure}} {{value}}{_range(claim)}.",
    ("unknown", "patient"): "The records do not answer this: {reason}.",
    ("refused", "patient"): "This is not answered here: {reason}.",
}
