"""How what is known may be worded: measurements and their course, what is missing, alarms, events, a ward, a model."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim
from vitruvian.explanation.wording.phrases.base import Book, interval, joined, numbers, optional

__all__ = ["BOOK"]


def _critical(claim: Claim, audience: Audience) -> tuple[str, ...]:
    frames = []
    for style in ("{c} {v} {t}", "{c} at {v} {t}", "{c} of {v} {t}", "{c} << {v} {t} >>"):
        found = joined([_timed(claim, n, style) for n in numbers(claim, "c")])
        frames += [f"Critical (value|finding|reading) : {found} ."] if len(numbers(claim, "c")) == 1 else []
        frames += [
            f"Critical : {found} .",
            f"Critical (values|findings|readings) : {found} .",
            f"(These|The following) (values|readings) are critical : {found} .",
        ]
        if audience == "patient":
            frames += [f"(Outside|Well outside|Far outside) the usual range : {found} ."]
    return tuple(frames)


def _timed(claim: Claim, number: int, style: str) -> str:
    worded = style.replace("{t}", optional(claim, f"t{number}", "{t}"))
    for head in "cvt":
        worded = worded.replace(f"{{{head}}}", f"{{{head}{number}}}")
    return worded


def _missing(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    both = joined([f"{{m{n}}}" for n in numbers(claim, "m")])
    either = joined([f"{{m{n}}}" for n in numbers(claim, "m")], last="or")
    return (
        f"Not measured recently : {both} .",
        f"No recent (measurement|value|reading) of ({both}|{either}) is available .",
        f"There is no recent (measurement|value|reading) of ({both}|{either}) .",
        f"(Missing|Not available) : a recent (measurement|value|reading) of {both} .",
    )


def _alarm(_claim: Claim, _audience: Audience) -> tuple[str, ...]:
    return (
        "[The] alarm {alarm} [is] (open|raised) {since} : {text} .",
        "{alarm} : {text} , (open|raised) {since} .",
        "{alarm} << {text} >> , (open|raised) {since} .",
        "Alarm [raised] {since} : {alarm} , {text} .",
        "Alarm : {alarm} << {text} >> , (open|raised) {since} .",
    )


def _no_alarm(_claim: Claim, _audience: Audience) -> tuple[str, ...]:
    return ("(There are|The record shows) no open alarms .", "No alarms are open [now] .", "No alarm is open [now] .")


def _given(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    dose = optional(claim, "dose")
    frames = [
        f"(Given|Recorded as given) {{when}} : {{what}} {dose} .",
        f"The record shows {{what}} {dose} given {{when}} .",
        f"{{what}} {dose} , given {{when}} .",
        f"{{what}} {dose} (was|were) given {{when}} ." if dose else "{what} , given {when} .",
    ]
    if dose:
        frames += [
            "The record shows {dose} [of] {what} given {when} .",
            "{what} << {dose} >> , given {when} .",
            "The record shows {what} << {dose} >> given {when} .",
        ]
    return tuple(frames)


def _happened(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    how = optional(claim, "how", "<< {how} >>")
    with_colon = optional(claim, "how", ": {how}")
    return (
        f"The record shows {{what}} {how} {{when}} .",
        f"{{what}} {how} (was|is) recorded {{when}} .",
        f"Recorded {{when}} : {{what}} {how} .",
        f"{{what}} {{when}} {with_colon} .",
        f"The record shows {{what}} {{when}} {with_colon} .",
    )


def _latest(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    when = optional(claim, "when")
    timed = optional(claim, "when", ", measured {when}")
    ends = {
        1: ("above (the|its) usual range", "higher than usual"),
        -1: ("below (the|its) usual range", "lower than usual"),
        0: ("within (the|its) usual range",),
        None: ("",),
    }[claim.sign]
    frames = []
    for end in ends:
        tail = f", [which is] {end}" if end else ""
        frames += [
            f"The (latest|last|most recent) {{subject}} (is|was) {{value}} {when} {tail} .",
            f"The (latest|last|most recent) value of {{subject}} (is|was) {{value}} {timed} {tail} .",
            f"{{subject}} : {{value}} {when} {tail} .",
        ]
    return tuple(frames)


def _changed(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    if claim.sign is None:
        return ()
    if claim.sign == 0:
        return (
            "{subject} stayed [about] the same {window} , {from} then and {to} now .",
            "{window} , {subject} stayed [about] the same , {from} then and {to} now .",
            "{subject} stayed [about] the same , {from} then and {to} now , {window} .",
        )
    moved = "(rose|went up|increased)" if claim.sign > 0 else "(fell|went down|decreased)"
    return (
        f"{{subject}} {moved} from {{from}} to {{to}} {{window}} .",
        f"{{window}} , {{subject}} {moved} from {{from}} to {{to}} .",
        f"{{subject}} {{window}} {moved} from {{from}} to {{to}} .",
    )


def _extreme(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    most = {1: "highest", -1: "lowest"}.get(claim.sign or 0)
    if most is None:
        return ()
    when = optional(claim, "when")
    return (
        f"The {most} {{subject}} {{window}} was {{value}} {when} .",
        f"The {most} value of {{subject}} {{window}} was {{value}} {when} .",
        f"The {most} {{subject}} was {{value}} {when} {optional(claim, 'when', ',')} {{window}} .",
        f"{{window}} , the {most} {{subject}} was {{value}} {when} .",
    )


def _absent(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    window = optional(claim, "window")
    return (
        f"(There is|The record holds) no (value|measurement|record) of {{subject}} {window} .",
        f"No (value|measurement|record) of {{subject}} is (known|available) {window} .",
        f"Nothing is (known|recorded) of {{subject}} {window} .",
    )


def _ward(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    if not claim.slot("alarms"):
        return ("(The ward has|There are|This covers) {beds} .", "In the ward : {beds} .")
    return (
        "(The ward has|This covers) {beds} (and|with) {alarms} .",
        "In the ward : {beds} [and] , {alarms} .",
        "In the ward : {beds} and {alarms} .",
    )


def _bed(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    score = optional(claim, "score", "(|a|the) score [of] {score}")
    risk = optional(claim, "risk", "(|a|the) [(estimated|predicted)] risk [of] {risk}")
    both = f"{score} (and|,) {risk}" if score and risk else score or risk
    return (f"{{place}} : {both} .", f"{{place}} has {both} .") if both else ()


def _figure(claim: Claim, audience: Audience) -> tuple[str, ...]:
    sure = interval(claim, audience)
    return (f"[The] {{figure}} (is|was) {{value}} {sure} .", f"{{figure}} : {{value}} {sure} .")


BOOK: Final[Book] = {
    "critical": _critical,
    "missing": _missing,
    "alarm": _alarm,
    "no_alarm": _no_alarm,
    "given": _given,
    "happened": _happened,
    "latest": _latest,
    "changed": _changed,
    "extreme": _extreme,
    "absent": _absent,
    "ward": _ward,
    "bed": _bed,
    "figure": _figure,
}
