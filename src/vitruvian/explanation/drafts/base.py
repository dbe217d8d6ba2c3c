"""What kinds of claims there are, what each kind's slots and signs are, and how a sentence with slots is a skeleton.

A wording is a sentence with slot names in braces: `"The risk of {outcome} is {risk}."`. Every slot of the claim stands
in it exactly once. Drafts are made from templates (notation.py), one for each kind, reader and language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from vitruvian.explanation.claims import Claim, Sign, Skeleton

__all__ = ["KINDS", "SIGNS", "skeleton_of", "template_of"]

# Every kind of claim: its slots, and what its sign means. `name:facet`; `?` may be absent; `*` numbered from 1 (d1, d2,
# ...); `a|b` one or the other facet. A sign (-1, 0, +1) is stated by the words of the sentence, never by a slot.
#
# How slots read (showing.py), so that words around them fit: a horizon with its preposition (`over the next 6 h`, `to
# the end of the stay`), a window likewise (`over the last 24 h`), `when` with its own (`at 14:05`, `yesterday at
# 14:05`, `on 3 Nov at 14:05`, `6 h ago` for an earlier value, `in 6 h` for what is expected, `after 2 h` for a
# difference), a difference without a sign, ends of its interval along its direction, a count with its noun (`1 bed`).
KINDS: Final[Mapping[str, str]] = {
    # of a risk
    "risk": "outcome:label risk:value low:value? high:value? confidence:value? horizon:value?; no sign",
    "risk_moved": "outcome:label risk:value low:value? high:value? confidence:value? horizon:value? earlier:value?"
    " ago:when; sign of the change as read, without `earlier` where it is 0",
    "frequency": "outcome:label? risk:frequency horizon:value?; right behind the risk without `outcome`; no sign",
    "usual": "outcome:label? usual:frequency; sign: the risk is above or below what is usual",
    "drivers": "d*:label v*:value|text m*:direction?; no sign",
    "no_drivers": "outcome:label; no sign",
    "critical": "place:label? c*:label v*:value t*:when?; no sign",
    "missing": "place:label? m*:label; no sign",
    "critical_missing": "place:label? c*:label v*:value t*:when? m*:label; both in one sentence; no sign",
    "silent": "reason:text; no sign",
    "note": "n*:label|text; each a clause, without a full stop; no sign",
    # of a forecast
    "expected": "subject:label now:value? later:value low:value? high:value? confidence:value? horizon:when;"
    " sign of later less now as read, none without `now`",
    "critical_ahead": "c*:label v*:value t*:when; critical values that a simulation reaches; no sign",
    "steady": "s*:label horizon:value; expected to stay as they are; no sign",
    # of a what-if
    "scenario": "a*:label dose*:value? how*:text? e*:label set*:value? more:value?; no sign",
    "effect": "subject:label difference:value low:value? high:value? confidence:value? horizon:when likelihood:value?;"
    " sign of the difference",
    "effect_open": "s*:label; the direction is open or nothing changes; no sign",
    "risk_effect": "outcome:label before:value after:value horizon:value?; of a learned model: its sensitivity, not a"
    " causal effect; sign of after less before as read",
    "score_effect": "outcome:label before:value after:value horizon:value?; a score by its rule, of simulated vitals;"
    " sign of after less before as read",
    "data_share": "share:value; how much of the effects this patient's data decided; no sign",
    # of alarms and what happened
    "alarm": "alarm:label text:text since:when; no sign",
    "alarms": "place:label? a*:label|text s*:when more:value?; several open alarms; no sign",
    "no_alarm": "; no sign",
    "given": "what:label dose:value|text? when:when; no sign",
    "medicines": "place:label? g*:label d*:value|text? t*:when; what was given; no sign",
    "happened": "what:label how:text? when:when; no sign",
    "latest": "subject:label value:value when:when?; sign: above (+1), below (-1), within (0) its usual range, or none",
    "changed": "subject:label from:value to:value window:value; sign of the change as read",
    "results": "s*:label v*:value t*:when?; laboratory results; sign: all above (+1), all below (-1) their usual range,"
    " or none",
    "changes": "s*:label f*:value v*:value window:value; each from f to v; sign of all of them as read",
    "extreme": "subject:label value:value when:when? window:value; sign: +1 the highest, -1 the lowest",
    "absent": "subject:label window:value?; nothing of it is known; no sign",
    # of a ward's handover
    "ward": "beds:value alarms:value?; no sign",
    "bed": "place:label score:value? outcome:label? risk:value? earlier:value? ago:when?; sign of the risk's change"
    " as read (without `earlier` where it is 0), none without `ago`; with neither score nor risk: nothing is known",
    # of a model
    "card": "outcome:label horizon:value? usual:frequency?; what the model estimates; no sign",
    "trained": "data:text patients:value?; on whose records; no sign",
    "figure": "figure:label value:value low:value? high:value? confidence:value?; no sign",
    "unknown": "reason:text; why a question is not answered; no sign",
    "refused": "reason:text; why a request is refused; no sign",
}
# The signs of the kinds that have one; None where it may be without.
SIGNS: Final[Mapping[str, tuple[Sign, ...]]] = {
    "risk_moved": (-1, 0, 1), "usual": (-1, 0, 1), "expected": (-1, 0, 1, None), "effect": (-1, 0, 1),
    "risk_effect": (-1, 0, 1), "score_effect": (-1, 0, 1), "latest": (-1, 0, 1, None), "changed": (-1, 0, 1),
    "results": (-1, 1, None), "changes": (-1, 0, 1), "extreme": (-1, 1), "bed": (-1, 0, 1, None),
}  # fmt: skip

_SLOT: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def skeleton_of(template: str, claim: Claim) -> Skeleton:
    """The skeleton of a template. Raises ValueError where its slots are not the claim's, each once."""
    slots = {one.name: one for one in claim.slots}
    pieces = _SLOT.split(template)
    named = pieces[1::2]
    if len(named) != len(slots) or slots.keys() != set(named):
        raise ValueError(f"found slots {sorted(named)} in a template of {claim.kind}, expected {sorted(slots)}")
    parts = [slots[piece] if place % 2 else piece for place, piece in enumerate(pieces)]
    return Skeleton(tuple(part for part in parts if part != ""))


def template_of(skeleton: Skeleton) -> str:
    """The template that `skeleton_of` makes the skeleton from: how a wording is kept, without any fact."""
    return "".join(part if isinstance(part, str) else f"{{{part.name}}}" for part in skeleton.parts)
