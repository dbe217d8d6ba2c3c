"""Whether a filter still follows its patient, and where not, why: a judgement from its last innovations.

A filter that is right about its errors sees innovations of mean square 1 (in their own standard deviations) and mean 0.
`Belief.track` remembers them, fading over `Settings.memory_h`; here they become a word and a reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from vitruvian.estimation.base import Belief, Filter, standard_deviations
from vitruvian.physiology.base import Parameter

__all__ = ["Health", "health"]

# Mean squares of standardised innovations. Over a memory of 30 ticks the mean of independent ones has a standard
# deviation near 0.26 (chi-square, 2 / n), so that 2 and 4 lie some 4 and 11 of them above 1.
STRAINED: Final = 2.0
LOST: Final = 4.0
ENOUGH: Final = 3.0  # remembered values of an observation before it is judged
FAR: Final = 4.0  # prior standard deviations from a person's prior at which a parameter is no longer believable

Word = Literal["tracking", "strained", "lost", "blind"]


@dataclass(frozen=True, slots=True)
class Health:
    """tracking: as accurate as it claims. strained: less so. lost: its estimates are not to be shown. blind: nothing
    has been measured of late, so that it says only what it expects. `reason` is a sentence, empty while tracking.
    """

    word: Word
    reason: str = ""


def health(one: Filter, belief: Belief) -> list[Health]:
    """How each of the N patients' filters is doing."""
    return [_of(one, belief, n) for n in range(len(belief))]


def _of(one: Filter, belief: Belief, n: int) -> Health:
    if not np.isfinite(belief.states[n]).all():
        return Health("lost", "The model can no longer be run for this patient.")
    track = belief.track[n]
    if (track[:, 2] < 0.5).all():
        hours = one.settings.memory_h
        return Health("blind", f"Nothing has been measured for much longer than {hours:g} h.")
    worst, reason = 0.0, ""
    for o, each in enumerate(one.observations):
        squares, signed, number, run = track[o]
        if number < ENOUGH:
            continue
        score = squares / number
        if score > worst:
            worst, reason = score, _sentence(each.output, score, signed / number, int(abs(run)))
    if worst > LOST:
        return Health("lost", reason)
    for far, text in _strange(one, belief, n):
        if far > worst:
            worst, reason = far, text
    if worst > STRAINED:
        return Health("strained", reason)
    return Health("tracking")


def _sentence(output: str, score: float, mean: float, run: int) -> str:
    name = output.replace("_", " ")
    side = f", mostly {'above' if mean > 0 else 'below'} what is expected" if abs(mean) > 0.5 * math.sqrt(score) else ""
    rejected = f"; {run} in a row were rejected" if run > 1 else ""
    return (
        f"The measured {name} lies {math.sqrt(score):.1f} times as far from its prediction as the filter claims{side}"
        f"{rejected}."
    )


def _strange(one: Filter, belief: Belief, n: int) -> Iterator[tuple[float, str]]:
    """Parameters that no such person has, with how strange they are on the scale of `STRAINED`."""
    centre = belief.constants[n, one.where]
    sds = standard_deviations(one.parameters, centre)
    middle = one.parameter_form.forward(centre)
    found = one.parameter_form.forward(belief.theta[n]).T @ belief.weights[n]
    for parameter, far, value in zip(
        one.parameters, np.abs(found - middle) / sds, one.parameter_form.back(found), strict=True
    ):
        if far > FAR:
            yield STRAINED * far / FAR, _needs(parameter, float(value), float(far))


def _needs(parameter: Parameter, value: float, far: float) -> str:
    name = parameter.name.replace("_", " ")
    return (
        f"To follow the measurements, {name} must be {value:.3g} {parameter.unit}, {far:.1f} standard deviations from "
        "what is usual for such a person."
    )
