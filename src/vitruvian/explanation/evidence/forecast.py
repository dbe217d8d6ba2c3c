"""The evidence of a forecast: what a patient's body is expected to show with nothing changed. Always simulated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.parts import (
    CONFIDENCE_90,
    Measured,
    Person,
    critical_in,
    direction_of,
    fact_id,
    interval,
    measurement,
    notable,
    notes,
    unit_of,
    words,
)
from vitruvian.explanation.subjects import subjects
from vitruvian.physiology.trajectories import Trajectories

__all__ = ["Outlook", "forecast_evidence", "outlook_of", "outlooks_of"]

OUTLOOKS_MAX: Final = 40
NOW_H: Final = 1.0  # what was measured longer ago says nothing of now
_QUANTILES: Final = (0.05, 0.5, 0.95)


class Outlook(msgspec.Struct, frozen=True):
    """What one quantity (of the vocabulary, in its unit) is expected to do: the middle of the members now and at the
    horizon, there with the 5th and 95th percentile; and, over all of the way, the extremes of the middle with the hours
    at which they are met.
    """

    name: str
    now: float
    later: float
    low: float
    high: float
    least: float
    least_h: float
    most: float
    most_h: float


def outlooks_of(made: Trajectories) -> tuple[Outlook, ...]:
    """Of every output that the vocabulary knows, in the trajectories' order."""
    bands, hours = made.quantiles(_QUANTILES), made.times_s / 3_600.0
    return tuple(
        outlook_of(one.name, hours.tolist(), bands[0, :, i].tolist(), bands[1, :, i].tolist(), bands[2, :, i].tolist())
        for i, one in enumerate(made.outputs)
        if one.name in VOCABULARY and np.isfinite(bands[:, :, i]).all()
    )


def outlook_of(
    name: str, hours: Sequence[float], low: Sequence[float], middle: Sequence[float], high: Sequence[float]
) -> Outlook:
    """Of one output's 5th, 50th and 95th percentile (T,) at `hours` (T,) from now."""
    least, most = int(np.argmin(middle)), int(np.argmax(middle))
    return Outlook(
        name, middle[0], middle[-1], low[-1], high[-1], middle[least], hours[least], middle[most], hours[most]
    )


def forecast_evidence(
    at_us: int,
    horizon_h: float,
    outlooks: Sequence[Outlook],
    *,
    measured: Sequence[Measured] = (),
    reason: str = "",
    said: Sequence[str] = (),
    person: Person | None = None,
    patient: str = "",
    zone: str = "UTC",
    model: str = "",
) -> Evidence:
    """The packet of a forecast over `horizon_h` hours; pure.

    `measured`: the newest valid values, of which the critical ones are named. What is forecast is set against what was
    measured of it within `NOW_H`, else against the body's own estimate of now, a fact of role `estimate`. `reason`: why
    there is no forecast, where there is none. `said`: what must be said with it.
    """
    who = person or Person()
    newest = {one.name: one for one in measured if 0 <= at_us - one.at_us <= NOW_H * HOUR_US}
    facts = [
        measurement(one, fact_id("critical", one.name), who, direction="")
        for one in measured
        if critical_in(one.name, one.value, who)
    ]
    facts = [fact for fact in facts if "critical" in fact.flags]
    if not outlooks:
        facts.append(words("reason", "reason", reason or "the body has no forecast now", about="forecast"))
        return Evidence("forecast", at_us, tuple(facts), 1, patient, zone, model, True)
    facts.append(Fact("horizon", "horizon", "horizon", "", horizon_h, unit="h"))
    facts.append(Fact("confidence", "confidence", "confidence", "", CONFIDENCE_90, unit="%"))
    for one in sorted(outlooks, key=lambda one: _gravity(one, newest, who))[:OUTLOOKS_MAX]:
        facts += _outlook(one, at_us, horizon_h, newest.get(one.name), who)
    facts += notes(said)
    return Evidence("forecast", at_us, tuple(facts), 1, patient, zone, model, True)


def _gravity(one: Outlook, newest: Mapping[str, Measured], who: Person) -> tuple[bool, float, str]:
    """What matters most first: what becomes critical, then what changes most against what is notable for it."""
    now = newest[one.name].value if one.name in newest else one.now
    critical = critical_in(one.name, one.least, who) or critical_in(one.name, one.most, who)
    least = notable(one.name, now)
    moved = abs(one.later - now)
    return not critical, -(moved / least if least > 0 else math.inf if moved > 0 else 0.0), one.name


def _outlook(one: Outlook, at_us: int, horizon_h: float, measured: Measured | None, who: Person) -> list[Fact]:
    about, unit = subjects(one.name).label, unit_of(one.name)
    begun = one.now if measured is None else measured.value
    expected = Fact(
        fact_id("expected", one.name), "expected", one.name, about, one.later, unit=unit, horizon_h=horizon_h,
        direction=direction_of(one.name, begun, one.later),
        flags=("critical", "simulated") if critical_in(one.name, one.later, who) else ("simulated",),
    )  # fmt: skip
    now = Fact(
        fact_id("now", one.name), "estimate" if measured is None else "measurement", one.name, about, begun, unit=unit,
        at_us=at_us if measured is None else measured.at_us, of=expected.id,
        source="" if measured is None else measured.source, flags=("simulated",) if measured is None else (),
    )  # fmt: skip
    found = [expected, now, *interval(expected, one.low, one.high)]
    if "critical" not in expected.flags:
        found += _on_the_way(one, expected, who)
    return found


def _on_the_way(one: Outlook, expected: Fact, who: Person) -> list[Fact]:
    """A critical value that the middle of the members meets before the horizon, and leaves again."""
    for value, hours in ((one.least, one.least_h), (one.most, one.most_h)):
        if critical_in(one.name, value, who) and hours > 0:
            return [
                Fact(
                    fact_id("ahead", one.name), "expected", one.name, expected.label, value, unit=expected.unit,
                    horizon_h=hours, of=expected.id, flags=("critical", "simulated"),
                )
            ]  # fmt: skip
    return []
