"""English: how it writes numbers and times, and the drafts for both readers."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Claim
from vitruvian.explanation.drafts.base import Templates, listed
from vitruvian.explanation.showing import PLAIN, Manner

__all__ = ["MANNER", "TEMPLATES"]

MANNER: Final[Manner] = PLAIN


def _risk(claim: Claim) -> str:
    return f"Risk {{risk}}{_interval(claim)} of {{outcome}}{_span(claim)}."


def _risk_moved(claim: Claim) -> str:
    moved = {1: "up from {earlier} {ago}", -1: "down from {earlier} {ago}", 0: "as {ago}"}[claim.sign or 0]
    return f"Risk {{risk}}{_interval(claim)} of {{outcome}}{_span(claim)}, {moved}."


def _interval(claim: Claim) -> str:
    return " (interval {low} to {high})" if claim.slot("low") else ""


def _span(claim: Claim) -> str:
    return " over {horizon}" if claim.slot("horizon") else ""


def _numbered(claim: Claim, head: str) -> list[int]:
    return [int(one.name[1:]) for one in claim.slots if one.name[0] == head and one.name[1:].isdigit()]


def _drivers(claim: Claim) -> str:
    moves = _numbered(claim, "m")
    named = [f"{{d{n}}} {{v{n}}}{f' ({{m{n}}})' if n in moves else ''}" for n in _numbered(claim, "d")]
    return f"Associated most with (not caused by): {listed(named)}."


def _critical(claim: Claim) -> str:
    timed = _numbered(claim, "t")
    named = [f"{{c{n}}} {{v{n}}}{f' at {{t{n}}}' if n in timed else ''}" for n in _numbered(claim, "c")]
    return f"Critical: {listed(named)}."


def _missing(claim: Claim) -> str:
    return f"Not measured recently: {listed([f'{{m{n}}}' for n in _numbered(claim, 'm')])}."


TEMPLATES: Final[Templates] = {
    ("risk", "clinician"): _risk,
    ("risk_moved", "clinician"): _risk_moved,
    ("drivers", "clinician"): _drivers,
    ("no_drivers", "clinician"): "No measurement raises the risk of {outcome} notably above that of a typical patient.",
    ("critical", "clinician"): _critical,
    ("missing", "clinician"): _missing,
    ("silent", "clinician"): "No risk is shown: {reason}.",
    ("note", "clinician"): "{note}",
}
