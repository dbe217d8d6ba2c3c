"""How lists may be worded: what is critical or missing, alarms, medicines, results, changes, with or without a bed."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim
from vitruvian.explanation.wording.phrases.base import Book, listed, numbers, optional

__all__ = ["BOOK"]

_TIMED: Final = ("{c} {v}~ {t}~", "{c} at {v}~ {t}~", "{c} of {v}~ {t}~", "{c} << {v}~ {t}~ >>")
_PLAIN: Final = ("{c} {v}~ {t}~", "{c} at {v}~ {t}~")


def _at(claim: Claim) -> str:
    return optional(claim, "place", "{place} :")


def _found(claim: Claim, audience: Audience) -> tuple[str, ...]:
    """The critical values, in each style."""
    return tuple(listed(claim, "c", style) for style in (_TIMED if audience == "clinician" else _PLAIN))


def _critical(claim: Claim, audience: Audience) -> tuple[str, ...]:
    place, several = _at(claim), len(numbers(claim, "c")) > 1
    frames: list[str] = []
    for found in _found(claim, audience):
        if audience == "patient":
            frames += [f"{place} (far|well) outside the normal range : {found} ."]
            frames += [] if place else [
                f"{'These readings are' if several else 'This reading is'} (far|well) outside the normal range :"
                f" {found} ."
            ]  # fmt: skip
            frames += [f"{place} {found} (far|well) outside the normal range ."]
            continue
        noun = "(values|readings|findings)" if several else "(value|reading|finding)"
        frames += [f"{place} {head} : {found} ." for head in ("in the critical range", f"critical {noun}", "critical")]
        frames += [f"{place} {found} in the critical range ."]
        if not place:
            frames.append(
                f"{'These values are' if several else 'This value is'} (critical|in the critical range) : {found} ."
            )
    return tuple(frames)


def _lack(claim: Claim, place: str) -> tuple[str, ...]:
    """That something was not measured, as a clause."""
    both, either = listed(claim, "m", "{m}"), listed(claim, "m", "{m}", last="or")
    return (
        f"{place} not measured recently : {both}",
        f"{place} {both} not measured recently",
        f"{place} no recent (measurement|value|reading) of {either} (is available|is known|is there)",
        f"{place} there is no recent (measurement|value|reading) of {either}",
        f"{place} no recent (measurement|value|reading) of {either}",
    )


def _missing(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    place = _at(claim)
    ways = _lack(claim, place)
    return tuple(f"{way} ." for way in (ways if place else (ways[0], *ways[2:4])))


def _critical_missing(claim: Claim, audience: Audience) -> tuple[str, ...]:
    place = _at(claim)
    heads = (
        ("in the critical range", "critical") if audience == "clinician" else ("(far|well) outside the normal range",)
    )
    return tuple(
        f"{place} {first} ; {lack} ."
        for found in _found(claim, audience)
        for first in (*(f"{head} : {found}" for head in heads), f"{found} {heads[0]}")
        for lack in _lack(claim, "")
    )


def _alarms(claim: Claim, audience: Audience) -> tuple[str, ...]:
    place, frames = _at(claim), []
    more = optional(claim, "more", "and {more}")
    one = len(numbers(claim, "a")) == 1 and not more
    noun = "(open alarm|alarm that is open)" if one else "(open alarms|alarms that are open)"
    for style in ("{a} << raised {s} >>", "{a} << since {s} >>", "{a} << {s} >>", "{a} , raised {s}"):
        if ("raised" in style and audience == "patient") or "since" in style:
            continue
        found = listed(claim, "a", style, between=",", last="," if more else "and")
        frames += [
            f"{place} {noun} [for] {found} {more} .",
            f"{place} {noun} : {found} {more} .",
        ]
    return tuple(frames)


def _medicines(claim: Claim, audience: Audience) -> tuple[str, ...]:
    styles = ("{g}~ {d}~ {t}", "{g}~ << {d} >>~ {t}")
    frames = []
    for style in styles:
        found = listed(claim, "g", style)
        if claim.slot("place"):
            frames += [f"{{place}} was given {found} .", f"{{place}} : given {found} .", f"{{place}} : {found} given ."]
        elif audience == "patient":
            frames += [
                f"You were given {found} .",
                f"You (got|had) {found} .",
                f"The records show that you were given {found} .",
            ]
            frames += [f"Given : {found} .", f"What was given : {found} ."]
        else:
            frames += [f"(Given|Medicines given|Recorded as given) : {found} .", f"What was given : {found} ."]
            frames += [f"The patient was given {found} ."]
    return tuple(frames)


def _results(claim: Claim, audience: Audience) -> tuple[str, ...]:
    side = {1: "above", -1: "below"}.get(claim.sign or 0)
    styles = (
        ("{s} {v}~ {t}~", "{s} at {v}~ {t}~", "{s} << {v}~ {t}~ >>")
        if audience == "clinician"
        else ("{s} {v}~ {t}~", "{s} at {v}~ {t}~")
    )
    usual, frames = "usual" if audience == "clinician" else "normal", []
    for style in styles:
        found = listed(claim, "s", style)
        if side is None:
            frames += [f"(Results|Test results|Laboratory results) : {found} .", f"The results were {found} ."]
        else:
            frames += [
                f"{side} the {usual} range : {found} .",
                f"(Results|Test results) {side} the {usual} range : {found} .",
                f"(Found|Measured) {side} the {usual} range : {found} .",
            ]
    return tuple(frames)


def _changes(claim: Claim, audience: Audience) -> tuple[str, ...]:
    if not claim.sign:
        return ()
    several = len(numbers(claim, "s")) > 1
    up = claim.sign > 0
    moved = "(rose|went up|increased)" if up else "(fell|went down|decreased)"
    if audience == "patient":
        moved = "went up" if up else "went down"
    past = "(risen|gone up)" if up else "(fallen|gone down)"
    styles = ("{s} from {f} to {v}", "{s} << from {f} to {v} >>")
    return tuple(
        frame
        for found in (listed(claim, "s", style) for style in styles)
        for frame in (
            f"{'These' if several else 'This'} {moved} {{window}} : {found} .",
            f"{past} {{window}} : {found} .",
            f"What {moved} {{window}} : {found} .",
        )
    )


BOOK: Final[Book] = {
    "critical": _critical,
    "missing": _missing,
    "critical_missing": _critical_missing,
    "alarms": _alarms,
    "medicines": _medicines,
    "results": _results,
    "changes": _changes,
}
