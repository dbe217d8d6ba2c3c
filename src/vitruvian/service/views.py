"""What the ward shows: the shapes that the API answers with, the stream carries and the pages draw.

Times are instants in microseconds on the clinical clock (`*_us`); numbers are in the concept's own unit; what is not
known is None, never 0. How fresh a value is depends on when one looks, so a cell carries what is needed to tell
(`at_us`, `stale_s`) and `freshness` is the one rule, which the pages apply again as time passes.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from vitruvian.service.risk_views import RiskCard, Trend

Freshness = Literal["live", "stale", "expired", "absent"]
Lane = Literal["emergency", "urgent", "low", "routine", "unscored"]

SCHEMA: Final = 1  # of the stream and of these shapes; raised when a field changes its meaning
LANES: Final[tuple[Lane, ...]] = ("emergency", "urgent", "low", "routine", "unscored")
PRIORITY_SYMBOL: Final = ("", "*", "**", "***")  # of an alarm, by its priority
SPARK_POINTS: Final = 36  # 6 h in steps of 10 min

# What a row of the ward shows, in order. Where two methods answer one question, `build.latest_of` picks.
WARD_CONCEPTS: Final = (
    "heart_rate",
    "respiratory_rate",
    "oxygen_saturation",
    "systolic_pressure",
    "diastolic_pressure",
    "mean_pressure",
    "body_temperature",
    "consciousness",
)


class Column(msgspec.Struct, frozen=True):
    """How a concept is shown: its short label, unit, decimals, and how long a value may be carried forward."""

    concept: str
    label: str
    display: str
    unit: str
    decimals: int
    valid_for_s: int


class Cell(msgspec.Struct, frozen=True, omit_defaults=True):
    """One value of one concept. `stale_s`: older than this it is stale (twice the source's own interval).

    `points`: what it scores in NEWS2, None where it has no part there. `priority`: of the open alarm on it, 0 to 3.
    `text`: the words of a coded value. `via`: the concept actually measured, where that is another (arterial line).
    """

    value: float | None = None
    at_us: int = 0
    stale_s: int = 0
    points: int | None = None
    priority: int = 0
    text: str = ""
    via: str = ""


def freshness(value: float | None, at_us: int, stale_s: int, valid_for_s: int, now_us: int) -> Freshness:
    """Whether a value is live, stale (hatched, with its age), expired or absent (both shown as `--`)."""
    if value is None or not at_us:
        return "absent"
    age_us = now_us - at_us
    if age_us > valid_for_s * 1_000_000:
        return "expired"
    return "stale" if age_us > stale_s * 1_000_000 else "live"


class News2Brief(msgspec.Struct, frozen=True):
    """NEWS2 in a row: `text` is what is read (`7`, `≥5`, `n/a`, `--`), `reason` why it does not apply."""

    value: int | None
    text: str
    band: str = ""
    red: bool = False
    exact: bool = True
    scale_2: bool = False
    reason: str = ""
    missing: tuple[str, ...] = ()


class RiskBrief(msgspec.Struct, frozen=True):
    """The learned risk in a row. Probabilities 0 to 1; `insufficient` says why there is none.

    `spark`: the last 6 h in steps of 10 min, oldest first, in parts per thousand; None where nothing was issued.
    """

    probability: float | None
    low: float | None = None
    high: float | None = None
    insufficient: str = ""
    trend: Trend = ""
    driver: str = ""
    spark: tuple[int | None, ...] = ()


class AlertView(msgspec.Struct, frozen=True):
    """One alarm. `text` states value and limit (`HR 134 > 120`); priority 3 high, 2 medium, 1 low or technical.

    `value` is that of its last step, `limit` the rule's.
    """

    id: str
    patient: str
    bed: str
    name: str
    rule: str
    priority: int
    text: str
    state: Literal["open", "acknowledged", "snoozed", "resolved"]
    raised_us: int
    concept: str = ""
    technical: bool = False
    escalated: bool = False
    by: str = ""
    reason: str = ""
    until_us: int | None = None
    resolved_us: int | None = None
    value: float | None = None
    limit: float | None = None


class AlarmBrief(msgspec.Struct, frozen=True):
    """The gravest open alarm of a row, and how many are open."""

    priority: int
    text: str
    open: int


class BedRow(msgspec.Struct, frozen=True):
    """One patient in the list of the ward. `at_us` is when the newest measurement was made, 0 where there is none."""

    id: str
    bed: str
    ward: str
    name: str
    sex: str
    age_years: int | None
    vitals: dict[str, Cell]
    oxygen: str
    news2: News2Brief
    risk: RiskBrief
    lane: Lane
    at_us: int
    stale_s: int
    alarm: AlarmBrief | None = None
    simulated: bool = False


class PatientBrief(msgspec.Struct, frozen=True):
    """One patient of all that the journal knows. `newest_us`: of the newest measurement; `birth`: ISO date or empty."""

    id: str
    name: str
    birth: str
    sex: str
    identifiers: list[str]
    location: str
    newest_us: int | None
    on_ward: bool


class PatientPage(msgspec.Struct, frozen=True):
    """Some of those found: `total` matched; `next` is the id to continue after, empty where these are the last."""

    patients: list[PatientBrief]
    total: int
    next: str = ""


class StateRow(msgspec.Struct, frozen=True):
    """One concept of the twin's state. `low`, `high`: the usual range at this age and sex; `flag`: `L`, `H` or none."""

    concept: str
    display: str
    kind: str
    unit: str
    text: str
    value: float | None
    at_us: int
    stale_s: int
    valid_for_s: int
    state: Freshness
    low: float | None = None
    high: float | None = None
    flag: str = ""
    quality: tuple[str, ...] = ()


class TwinView(msgspec.Struct, frozen=True):
    """A twin's state at `at_us`. `basis`: `live`; `as_of` (all that is known today); `as_known` (known by then)."""

    patient: str
    basis: Literal["live", "as_of", "as_known"]
    at_us: int
    seq: int
    hash: str
    rows: list[StateRow]
    scores: list[ScoreCard] = []


class ScorePart(msgspec.Struct, frozen=True):
    """One part of a score: its points (None where missing) and what it was read from, in words."""

    name: str
    points: int | None
    read: str


class ScoreCard(msgspec.Struct, frozen=True):
    """A score with its parts, what was missing, and why it does not apply where it does not."""

    name: str
    display: str
    version: str
    text: str
    value: float | None
    band: str
    reason: str
    parts: tuple[ScorePart, ...]
    missing: tuple[str, ...]
    flags: tuple[str, ...]


class MedicineRow(msgspec.Struct, frozen=True):
    """One administration: what was given, how much, and from when to when (None: still running, or given at once).

    `ordered`: it was asked for; whether it was given is not said by this line.
    """

    concept: str
    display: str
    dose: str
    route: str
    started_us: int
    ended_us: int | None
    running: bool
    source: str = ""
    ordered: bool = False


class EventView(msgspec.Struct, frozen=True):
    """One line of the timeline: what happened, when, and when we knew. `superseded`: a later version replaced it."""

    seq: int
    kind: str
    label: str
    text: str
    occurred_us: int
    recorded_us: int
    ended_us: int | None = None
    available_us: int | None = None
    concept: str = ""
    source: str = ""
    status: str = "final"
    superseded: bool = False
    quality: tuple[str, ...] = ()


class SourceRow(msgspec.Struct, frozen=True):
    """One source of a patient's data over the last 24 h: how many entries, how many flagged, and the newest."""

    source: str
    entries: int
    flagged: int
    last_us: int


class PatientDetail(msgspec.Struct, frozen=True):
    """Everything the patient's page opens with. `row` is the same as in the list of the ward; `risk` the main one of
    `risks`, which holds a card of every task that a model runs for.
    """

    row: BedRow
    identifiers: list[str]
    birth: str
    weight: str
    allergies: list[str]
    code_status: str
    visit: str
    admitted_us: int | None
    twin: TwinView
    risk: RiskCard | None
    medicines: list[MedicineRow]
    alerts: list[AlertView]
    sources: list[SourceRow]
    merged_into: str = ""
    risks: list[RiskCard] = []


class SeriesView(msgspec.Struct, frozen=True):
    """One concept over time, in columns. `samples` stood behind them; thinned, every step keeps its extremes."""

    concept: str
    unit: str
    at_us: list[int]
    value: list[float]
    samples: int
    thinned: bool
    low: float | None = None
    high: float | None = None
    quality: list[int] = []


class StreamView(msgspec.Struct, frozen=True):
    """One stream of data coming in: how much, how fast and how far behind."""

    source: str
    entries: int
    per_s: float
    last_us: int
    lag_s: float | None
    note: str = ""


class QuarantineView(msgspec.Struct, frozen=True):
    """One refused input and why; `raw` is the beginning of it, for those who may see it."""

    id: int
    recorded_us: int
    source: str
    source_id: str
    reason: str
    detail: str
    bytes: int
    raw: str = ""
