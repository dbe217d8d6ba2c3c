"""How lists may be worded: what is critical or missing, alarms, medicines, results, changes."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim
from vitruvian.explanation.wording.phrases.base import Book, listed, numbers, optional

__all__ = ["BOOK"]

_TIMED: Final = ("{c} {v}~ {t}~", "{c} of {v}~ {t}~", "{c} << {v}~ {t}~ >>")
_PLAIN: Final = ("{c} {v}~ {t}~", "{c} of {v}~ {t}~")


def _found(claim: Claim, audience: Audience) -> tuple[str, ...]:
    """The critical values, in each style."""
    return tuple(listed(claim, "c", style) for style in (_TIMED if audience == "clinician" else _PLAIN))


def _critical(claim: Claim, audience: Audience) -> tuple[str, ...]:
    several = len(numbers(claim, "c")) > 1
    if audience == "patient":
        these = "These readings are" if several else "This reading is"
        ways: tuple[str, ...] = (
            "(far|well) outside the normal range : {}",
            f"{these} (far|well) outside the normal range : {{}}",
        )
    else:
        noun = "(values|readings|findings)" if several else "(value|reading|finding)"
        these = "These values are" if several else "This value is"
        ways = (
            "in the critical range : {}", f"critical {noun} : {{}}", "critical : {}", "{} in the critical range",
            f"{these} (critical|in the critical range) : {{}}",
        )  # fmt: skip
    return tuple(f"{way.replace('{}', found)} ." for found in _found(claim, audience) for way in ways)


def _lack(claim: Claim) -> tuple[str, ...]:
    """That something was not measured, as a clause."""
    both, either = listed(claim, "m", "{m}"), listed(claim, "m", "{m}", last="or")
    return (
        f"not measured recently : {both}",
        f"no recent (measurement|value|reading) of {either} (is available|is known)",
        f"there is no recent (measurement|value|reading) of {either}",
    )


def _missing(claim: Claim, _audience: Audience) -> tuple[str, ...]:
    return tuple(f"{way} ." for way in _lack(claim))


def _critical_missing(claim: Claim, audience: Audience) -> tuple[str, ...]:
    heads = (
        ("in the critical range", "critical") if audience == "clinician" else ("(far|well) outside the normal range",)
    )
    return tuple(
        f"{first} ; {lack} ."
        for found in _found(claim, audience)
        for first in (*(f"{head} : {found}" for head in heads), f"{found} {heads[0]}")
        for lack in _lack(claim)
    )


def _alarms(claim: Claim, audience: Audience) -> tuple[str, ...]:
    more = optional(claim, "more", "and {more}")
    several = len(numbers(claim, "a")) > 1 or bool(more)
    noun = "open alarms" if several else "open alarm"
    styles = ("{a} << raised {s} >>", "{a} << {s} >>") if audience == "clinician" else ("{a} << {s} >>",)
    found = [listed(claim, "a", style, last="," if more else "and") for style in styles]
    heads = (f"{noun} :", f"{noun} for", "alarms now open :" if several else "alarm now open :")
    return tuple(f"{head} {one} {more} ." for one in found for head in heads)


def _medicines(claim: Claim, audience: Audience) -> tuple[str, ...]:
    heads = (
        ("(given|medicines given|recorded as given) :", "what was given :", "the patient was given")
        if audience == "clinician"
        else ("you were given", "you (got|had)", "the records show that you were given", "given :", "what was given :")
    )
    found = [listed(claim, "g", style) for style in ("{g}~ {d}~ {t}", "{g}~ << {d} >>~ {t}")]
    return tuple(f"{head} {one} ." for one in found for head in heads)


def _results(claim: Claim, audience: Audience) -> tuple[str, ...]:
    usual = "usual" if audience == "clinician" else "normal"
    side = {1: f"above the {usual} range", -1: f"below the {usual} range"}.get(claim.sign or 0, "")
    heads = (
        (f"{side} :", f"(results|test results) {side} :", f"(found|measured) {side} :")
        if side
        else ("(results|test results|laboratory results) :", "the results were")
    )
    styles = ("{s} {v}~ {t}~", "{s} of {v}~ {t}~", *(("{s} << {v}~ {t}~ >>",) if audience == "clinician" else ()))
    return tuple(f"{head} {listed(claim, 's', style)} ." for style in styles for head in heads)


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
