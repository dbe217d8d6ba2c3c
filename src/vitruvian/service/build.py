"""From what the twin, the scores and the model say to what a row shows; pure, and quick: a tick builds many rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from vitruvian.core.events import Person
from vitruvian.core.identifiers import Location
from vitruvian.core.time import HOUR_US, MINUTE_US, SECOND_US, from_us
from vitruvian.core.vocabulary import VOCABULARY, Concept
from vitruvian.prediction.scores.news2 import BANDS, PARTS, PARTS_MIN, News2
from vitruvian.service.risk_views import Trend
from vitruvian.service.views import (
    SPARK_POINTS,
    WARD_CONCEPTS,
    AlarmBrief,
    AlertView,
    BedRow,
    Cell,
    Column,
    Lane,
    News2Brief,
    RiskBrief,
    StateRow,
    freshness,
)

PREFER_WITHIN_US: Final = 300 * SECOND_US  # of two methods this close in time the first is shown, else the fresher
METHODS: Final[dict[str, tuple[str, ...]]] = {
    "heart_rate": ("heart_rate", "pulse_rate"),
    "systolic_pressure": ("systolic_pressure_arterial", "systolic_pressure"),
    "diastolic_pressure": ("diastolic_pressure_arterial", "diastolic_pressure"),
    "mean_pressure": ("mean_pressure_arterial", "mean_pressure"),
}
# The part of NEWS2 that a value of the row speaks for.
PART_CONCEPT: Final[dict[str, str]] = {
    "respiration": "respiratory_rate",
    "oxygen_saturation": "oxygen_saturation",
    "systolic_pressure": "systolic_pressure",
    "pulse": "heart_rate",
    "consciousness": "consciousness",
    "temperature": "body_temperature",
}
STALE_S_MIN: Final = 5
TREND_WINDOW_US: Final = HOUR_US
TREND_STEP: Final = 0.05  # a change of probability within the window that counts as one
SPARK_STEP_US: Final = 10 * MINUTE_US
_LANE: Final[dict[str, Lane]] = {
    "high": "emergency",
    "medium": "urgent",
    "low-medium": "urgent",
    "low": "low",
    "none": "routine",
}

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Latest(NamedTuple):
    """The newest value of a concept; `interval_s` is how often its source measures it, where that is known."""

    value: float
    at_us: int
    interval_s: float | None = None


def column_of(concept: Concept) -> Column:
    """How a concept is shown."""
    return Column(
        concept.name, concept.short, concept.display, concept.unit, concept.decimals, concept.valid_for_s
    )  # fmt: skip


def ward_columns() -> list[Column]:
    """How the concepts of a row are shown, in order."""
    return [column_of(VOCABULARY[name]) for name in WARD_CONCEPTS]


def stale_after_s(concept: Concept, interval_s: float | None) -> int:
    """Twice the source's own interval, else twice what is usual; never longer than the value may be carried forward,
    nor so short that a late packet would make a live value flicker.
    """
    return min(max(math.ceil(2 * (interval_s or concept.cadence_s)), STALE_S_MIN), concept.valid_for_s)


def latest_of(latest: Mapping[str, Latest], name: str) -> tuple[str, Latest] | None:
    """The newest value that answers for `name`, and by which method: an arterial line before a cuff just as fresh."""
    best: tuple[str, Latest] | None = None
    for method in METHODS.get(name, (name,)):
        found = latest.get(method)
        if found is not None and (best is None or found.at_us > best[1].at_us + PREFER_WITHIN_US):
            best = method, found
    return best


def cells(latest: Mapping[str, Latest], points: Mapping[str, int], priorities: Mapping[str, int]) -> dict[str, Cell]:
    """The values of a row. `points`: NEWS2's by concept; `priorities`: of open alarms by concept."""
    made: dict[str, Cell] = {}
    for name in WARD_CONCEPTS:
        found = latest_of(latest, name)
        if found is None:
            continue
        method, value = found
        concept = VOCABULARY[method]
        made[name] = Cell(
            value=value.value,
            at_us=value.at_us,
            stale_s=stale_after_s(concept, value.interval_s),
            points=points.get(name),
            priority=max(priorities.get(name, 0), priorities.get(method, 0)),
            text=concept.format(value.value) if concept.coded else "",
            via="" if method == name else method,
        )
    return made


def oxygen_text(latest: Mapping[str, Latest], now_us: int) -> str:
    """What the patient breathes, in words: `air`, `O2 4 L/min`, `FiO2 40 %`; empty where nothing valid says so."""

    def valid(name: str) -> float | None:
        found = latest.get(name)
        if found is None or now_us - found.at_us > VOCABULARY[name].valid_for_s * SECOND_US:
            return None
        return found.value

    flow, fraction, given = valid("oxygen_flow"), valid("inspired_oxygen_fraction"), valid("oxygen_supplementation")
    if flow:
        return f"O₂ {flow:g} L/min"
    if fraction is not None and fraction > 0.21:
        return f"FiO₂ {100 * fraction:.0f} %"
    if given:
        return "O₂"
    return "" if flow is None and fraction is None and given is None else "air"


def news2_points(score: News2, at: int) -> dict[str, int]:
    """The points of one patient by the concept of the row that they belong to; missing parts left out."""
    return {
        PART_CONCEPT[part]: int(score.points[row, at])
        for row, part in enumerate(PARTS)
        if part in PART_CONCEPT and score.points[row, at] >= 0
    }


def news2_brief(score: News2, at: int, reason: str = "") -> News2Brief:
    """NEWS2 of one patient out of the columns; `reason` says why it does not apply where it does not."""
    if not score.applicable[at]:
        return News2Brief(None, "n/a", reason=reason or "not applicable")
    missing = tuple(part for row, part in enumerate(PARTS) if score.points[row, at] < 0)
    red, scale_2 = bool(score.red[at]), bool(score.scale_2[at])
    if len(missing) == len(PARTS):
        return News2Brief(None, "--", exact=False, missing=missing)
    value, exact = int(score.at_least[at]), bool(score.exact[at])
    text = str(value) if exact else f"≥{value}"
    return News2Brief(value, text, BANDS[score.band[at]], red, exact, scale_2, "", missing)


def lane_of(news2: News2Brief) -> Lane:
    """The response that NEWS2 asks for (RCP 2017, chart 4): 7 or more emergency; 5 to 6, or any single 3, urgent.

    A lower bound of too few parts reassures nobody: below `PARTS_MIN` known parts it may call for help, and is
    otherwise not scored.
    """
    lane = _LANE.get(news2.band, "unscored")
    known = len(PARTS) - len(news2.missing)
    return "unscored" if lane in ("low", "routine") and known < PARTS_MIN else lane


def spark(at_us: Ints, probability: Floats, now_us: int) -> tuple[int | None, ...]:
    """The last issued risk of every 10 minutes of the last 6 hours, in parts per thousand, oldest first."""
    slots: list[int | None] = [None] * SPARK_POINTS
    # Steps lie on the clock, not on `now`: a sparkline changes once a step, not with every look.
    end = now_us // SPARK_STEP_US + 1
    slot = at_us // SPARK_STEP_US - (end - SPARK_POINTS)
    inside = (slot >= 0) & (slot < SPARK_POINTS) & np.isfinite(probability)
    for index, value in zip(slot[inside].tolist(), probability[inside].tolist(), strict=True):
        slots[index] = round(1000 * value)
    return tuple(slots)


def trend(at_us: Ints, probability: Floats, now_us: int) -> Trend:
    """Whether the risk moved by `TREND_STEP` or more over the last hour; empty where there is too little to tell."""
    inside = (at_us > now_us - TREND_WINDOW_US) & (at_us <= now_us) & np.isfinite(probability)
    seen = probability[inside]
    if len(seen) < 2:
        return ""
    change = float(seen[-1] - seen[0])
    return "rising" if change >= TREND_STEP else "falling" if change <= -TREND_STEP else "steady"


def alarm_brief(alarms: Iterable[AlertView]) -> AlarmBrief | None:
    """The gravest open alarm and how many are open."""
    active = [alarm for alarm in alarms if alarm.state == "open"]
    if not active:
        return None
    first = max(active, key=lambda alarm: (alarm.priority, alarm.raised_us))
    return AlarmBrief(first.priority, first.text, len(active))


def priorities_of(alarms: Iterable[AlertView]) -> dict[str, int]:
    """The highest priority of the open alarms on each concept."""
    found: dict[str, int] = {}
    for alarm in alarms:
        if alarm.state == "open" and alarm.concept:
            found[alarm.concept] = max(alarm.priority, found.get(alarm.concept, 0))
    return found


def age_years(person: Person | None, now_us: int) -> int | None:
    """Completed years by the calendar (UTC); None where the birth date is not known."""
    if person is None or person.birth_us is None:
        return None
    born, today = from_us(person.birth_us), from_us(now_us)
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def name_of(person: Person | None, otherwise: str) -> str:
    """FAMILY, Given; or what else the patient is called by."""
    if person is None or not (person.family or person.given):
        return otherwise
    return ", ".join(part for part in (person.family.upper(), person.given) if part)


def bed_row(
    patient: str,
    person: Person | None,
    location: Location | None,
    latest: Mapping[str, Latest],
    news2: News2Brief,
    points: Mapping[str, int],
    risk: RiskBrief,
    alarms: Sequence[AlertView],
    now_us: int,
    *,
    simulated: bool = False,
) -> BedRow:
    """One row of the ward."""
    vitals = cells(latest, points, priorities_of(alarms))
    newest = max(vitals.values(), key=lambda cell: cell.at_us, default=Cell())
    return BedRow(
        id=patient,
        bed=location.label if location else "",
        ward=location.ward if location else "",
        name=name_of(person, patient),
        sex=person.sex if person else "",
        age_years=age_years(person, now_us),
        vitals=vitals,
        oxygen=oxygen_text(latest, now_us),
        news2=news2,
        risk=risk,
        lane=lane_of(news2),
        at_us=newest.at_us,
        stale_s=newest.stale_s,
        alarm=alarm_brief(alarms),
        simulated=simulated,
    )


def state_row(concept: Concept, latest: Latest, age: float | None, sex: str, now_us: int) -> StateRow:
    """One line of the twin's state, flagged against the usual range at this age and sex."""
    stale_s = stale_after_s(concept, latest.interval_s)
    usual = concept.normal_range(age, sex) if age is not None else None
    low, high = usual or (None, None)
    flag = "L" if low is not None and latest.value < low else "H" if high is not None and latest.value > high else ""
    return StateRow(
        concept=concept.name,
        display=concept.display,
        kind=concept.kind,
        unit=concept.unit,
        text=concept.format(latest.value),
        value=latest.value,
        at_us=latest.at_us,
        stale_s=stale_s,
        valid_for_s=concept.valid_for_s,
        state=freshness(latest.value, latest.at_us, stale_s, concept.valid_for_s, now_us),
        low=low,
        high=high,
        flag="" if concept.coded else flag,
    )


def thin(at_us: Ints, value: Floats, points: int) -> tuple[Ints, Floats, Ints]:
    """About `points` of the samples, with the extremes of every step kept, so that no spike is smoothed away.

    `at_us` ascending. Returns times, values and the indices they came from; all of them where there are no more.
    """
    count = len(at_us)
    if not points or count <= points:
        return at_us, value, np.arange(count)
    steps = max(points // 2, 1)
    edges = np.searchsorted(at_us, np.linspace(at_us[0], at_us[-1] + 1, steps + 1))
    keep = {0, count - 1}
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if end > start:
            keep.add(start + int(np.argmin(value[start:end])))
            keep.add(start + int(np.argmax(value[start:end])))
    index = np.array(sorted(keep))
    return at_us[index], value[index], index
