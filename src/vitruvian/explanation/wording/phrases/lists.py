"""How lists may be worded: what is critical or missing, alarms, medicines, results, changes."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim
from vitruvian.explanation.wording.phrases.base import Book, listed, numbers, optional

__all__ = ["BOOK"]

_PLAIN: Final = "{c} {v}~ {t}~"
_BRACKETS: Final = "{c} << {v}~ {t}~ >>"  # not for patients, whose labels may end with a bracket themselves


def _found(claim: Claim, audience: Audience) -> tuple[str, ...]:
    """The critical values, in each style."""
    return tuple(listed(claim, "c", one) for one in ((_PLAIN, _BRACKETS) if audience == "clinician" else (_PLAIN,)))


def _critical(claim: Claim, audience: Audience) -> tuple[str, ...]:
    several = len(numbers(claim, "c")) > 1
    if audience == "patient":
        these = "these readings are" if several else "this reading is"
        ways: tuple[str, ...] = ("far outside the normal range :", f"{these} far outside the normal range :")
    else:
        noun = "(values|readings)" if several else "(value|reading)"
        these = "these values are" if several else "this value is"
        ways = ("in the critical range :", f"critical {noun} :", f"{these} (critical|in the critical range) :")
    return tuple(f"{way} {found} ." for found in _found(claim, audience) for way in ways)


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
    noun = "(values|readings)" if len(numbers(claim, "c")) > 1 else "(value|reading)"
    heads = (
        ("in the critical range :", f"critical {noun} :")
        if audience == "clinician"
        else ("far outside the normal range :",)
    )
    return tuple(
        f"{head} {found} ; {lack} ." for found in _found(claim, audience) for head in heads for lack in _lack(claim)
    )


def _alarms(claim: Claim, audience: Audience) -> tuple[str, ...]:
    more = optional(claim, "more", "and {more}")
    several = len(numbers(claim, "a")) > 1 or bool(more)
    noun = "alarms" if several else "alarm"
    # A clinician reads an alarm's own words, which follow no preposition.
    mark, style = (":", "{a} << raised {s} >>") if audience == "clinician" else ("for", "{a} << {s} >>")
    found = listed(claim, "a", style, last="," if more else "and")
    heads = [f"open {noun} {mark}", f"{noun} now open {mark}"]
    if audience == "clinician":
        heads.append("these alarms are open :" if several else "this alarm is open :")
    return tuple(f"{head} {found} {more} ." for head in heads)


def _medicines(claim: Claim, audience: Audience) -> tuple[str, ...]:
    plain = "{g}~ {d}~ {t}"
    if audience == "patient":
        found = listed(claim, "g", plain)
        return (f"You were given {found} .", f"The records show that you were given {found} .")
    return tuple(
        f"{head} : {listed(claim, 'g', style)} ."
        for style in (plain, "{g}~ << {d} >>~ {t}")
        for head in ("Given", "Recorded as given")
    )


def _results(claim: Claim, audience: Audience) -> tuple[str, ...]:
    usual = "usual" if audience == "clinician" else "normal"
    side = {1: f"above the {usual} range", -1: f"below the {usual} range"}.get(claim.sign or 0)
    if side is None:
        return ()
    these = "these results are" if len(numbers(claim, "s")) > 1 else "this result is"
    heads = (f"{side} :", f"results {side} :", f"{these} {side} :")
    styles = ("{s} {v}~ {t}~", *(("{s} << {v}~ {t}~ >>",) if audience == "clinician" else ()))
    return tuple(f"{head} {listed(claim, 's', style)} ." for style in styles for head in heads)


def _changes(claim: Claim, audience: Audience) -> tuple[str, ...]:
    if not claim.sign:
        return ()
    these = "These" if len(numbers(claim, "s")) > 1 else "This"
    up = claim.sign > 0
    plain = listed(claim, "s", "{s} from {f} to {v}")
    if audience == "patient":
        moved, past = ("went up", "Risen") if up else ("went down", "Fallen")
        return (f"{these} {moved} {{window}} : {plain} .", f"{past} {{window}} : {plain} .")
    moved, past = ("(rose|increased)", "(Risen|Increased)") if up else ("(fell|decreased)", "(Fallen|Decreased)")
    return tuple(
        f"{head} {{window}} : {found} ."
        for found in (plain, listed(claim, "s", "{s} << from {f} to {v} >>"))
        for head in (f"{these} {moved}", past)
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
