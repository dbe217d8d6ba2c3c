"""How values are written. `static/js/format.js` holds the same rules for what changes while a page is open."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Final

import msgspec
from markupsafe import Markup

from vitruvian.core.time import MINUTE_US, from_us
from vitruvian.service.body_views import BodyView, EstimateView
from vitruvian.service.details import pretty_unit
from vitruvian.service.risk_views import RiskCard
from vitruvian.service.views import (
    PRIORITY_SYMBOL,
    BedRow,
    Cell,
    Column,
    Freshness,
    Lane,
    News2Brief,
    PatientDetail,
    RiskBrief,
    StateRow,
    TwinView,
    freshness,
)

TINY: Final = 1e-9  # 100 * 0.29 is 28.999999999999996
ABSENT: Final = "--"  # what is not known; never 0, and never the last value as if it were live
SPARK_WIDTH: Final = 108
SPARK_HEIGHT: Final = 26
SPARK_TOP_MIN: Final = 100  # parts per thousand: a small wiggle stays small
TREND_ARROW: Final = {"rising": "↗", "falling": "↘", "steady": "→", "": ""}
NOW_CONCEPTS: Final = (
    "heart_rate",
    "respiratory_rate",
    "oxygen_saturation",
    "systolic_pressure",
    "body_temperature",
    "consciousness",
)
STANDING: Final = {
    "none": "No body",
    "learning": "Still learning this patient",
    "tracking": "Follows this patient",
    "strained": "Follows this patient with strain",
    "blind": "Nothing measured of late: it says what it expects",
    "lost": "Has lost this patient: do not use it",
    "outside": "Not made for this patient",
}
BAR_TOP: Final = {"prior": 6, "wide": 3, "half": 3, "middle": 0}  # how far a bar stays from the edges, of 16
BAR_PAD: Final = 0.04
BASIS: Final = {"live": "live", "as_of": "as it was", "as_known": "as it was known"}
LANE_TITLE: Final[dict[Lane, str]] = {
    "emergency": "Emergency",
    "urgent": "Urgent",
    "low": "Low",
    "routine": "Routine",
    "unscored": "Not scored",
}
LANE_NOTE: Final[dict[Lane, str]] = {
    "emergency": "NEWS2 ≥ 7",
    "urgent": "5 or 6, or a single 3",
    "low": "1 to 4",
    "routine": "0",
    "unscored": "unknown or n/a",
}


def age_text(seconds: float) -> str:
    """`5 s`, `12 min`, `3 h`, `2 d`; a value dated ahead of the clock is `0 s`."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h" if whole < 172_800 else f"{whole // 86_400} d"


def state_of(cell: Cell | None, column: Column, now_us: int) -> Freshness:
    """How fresh a cell is now."""
    if cell is None:
        return "absent"
    return freshness(cell.value, cell.at_us, cell.stale_s, column.valid_for_s, now_us)


def number_of(cell: Cell | None, column: Column, now_us: int) -> str:
    """The number (or word) of a cell, `--` where it is absent or has expired."""
    if cell is None or cell.value is None or state_of(cell, column, now_us) in ("absent", "expired"):
        return ABSENT
    return cell.text or f"{cell.value:.{column.decimals}f}"


def brief_of(cell: Cell | None, column: Column, now_us: int) -> str:
    """The same in a narrow cell: of a word only its first letter (ACVPU is read so on charts)."""
    text = number_of(cell, column, now_us)
    return text[0] if cell is not None and text == cell.text and text else text


def pressure_of(row: BedRow, columns: dict[str, Column], now_us: int) -> str:
    """`118/76`, either side `--` where it is not known."""
    pair = ("systolic_pressure", "diastolic_pressure")
    numbers = [number_of(row.vitals.get(name), columns[name], now_us) for name in pair]
    return ABSENT if numbers == [ABSENT, ABSENT] else "/".join(numbers)


def percent(probability: float | None) -> str:
    """A probability as whole per cent; below 1 and above 99 said so."""
    if probability is None:
        return ABSENT
    if probability < 0.01:
        return "<1 %"
    return ">99 %" if probability > 0.99 else f"{round_half_up(100 * probability)} %"


def round_half_up(value: float) -> int:
    """Rounded as browsers do, so that what the server wrote first does not change when a page takes over."""
    return int(value + 0.5)


def interval(risk: RiskBrief | RiskCard) -> str:
    """`28–45`."""
    if risk.low is None or risk.high is None:
        return ""
    # Rounded outwards, so that the value as it is written lies within.
    return f"{math.floor(100 * risk.low + TINY)}–{math.ceil(100 * risk.high - TINY)}"


def short_reason(reason: str) -> str:
    """Why there is no risk, as a narrow cell has it; the whole is in the tooltip and on the patient's page."""
    return reason.split(":", maxsplit=1)[0]


def insufficient_text(reason: str) -> str:
    """Why there is no risk, in full, saying once that it is for want of data."""
    said = reason or "the model has not seen enough"
    return said if said.startswith("insufficient data") else f"insufficient data: {said}"


def spark_top(points: Sequence[int | None]) -> int:
    """What the top of a sparkline stands for, in parts per thousand: twice its highest, 10 % at least."""
    return min(max(SPARK_TOP_MIN, 2 * max((point or 0 for point in points), default=0)), 1_000)


def spark_label(points: Sequence[int | None]) -> str:
    """The top of a sparkline in words; empty where nothing was issued."""
    return f"{round_half_up(spark_top(points) / 10)} %" if any(point is not None for point in points) else ""


def spark_path(points: Sequence[int | None]) -> str:
    """The path of a sparkline from 0 to `spark_top`, broken where nothing was issued."""
    top = spark_top(points)
    step = SPARK_WIDTH / max(len(points) - 1, 1)
    path, down = [], False
    for index, point in enumerate(points):
        if point is None:
            down = False
            continue
        y = SPARK_HEIGHT - 2 - point / top * (SPARK_HEIGHT - 4)
        path.append(f"{'L' if down else 'M'}{index * step:.1f} {y:.1f}{'' if down else 'h0'}")  # a lone point is a dot
        down = True
    return "".join(path)


def news2_word(news2: News2Brief, lane: Lane) -> str:
    """What is read beside the number."""
    if news2.reason:
        return news2.reason
    single = ", single 3" if news2.red and lane == "urgent" else ""
    return LANE_TITLE[lane] + single if news2.value is not None else "not scored"


def alarm_parts(row: BedRow | None) -> Markup:
    """`*** HR 134 > 120`, the symbol apart (it flashes), and how many more are open."""
    alarm = row.alarm if row else None
    if alarm is None:
        return Markup('<span class="sym"></span> <span></span>')
    more = f" +{alarm.open - 1}" if alarm.open > 1 else ""
    return Markup('<span class="sym">{}</span> <span>{}</span>').format(
        PRIORITY_SYMBOL[alarm.priority], signs(alarm.text) + more
    )


def signs(text: str) -> str:
    """`>=` as people write it."""
    return text.replace(">=", "≥").replace("<=", "≤")


def short_bed(row: BedRow) -> str:
    """The bed without the ward's name, which the page already says."""
    return row.bed.removeprefix(row.ward).strip() or row.bed or ABSENT


def news2_title(news2: News2Brief) -> str:
    """What the number lacks."""
    return f"missing: {', '.join(part.replace('_', ' ') for part in news2.missing)}" if news2.missing else ""


def tags(row: BedRow) -> str:
    """Oxygen, and the scale of SpO₂ where it is not the first."""
    said = [row.oxygen, "scale 2" if row.news2.scale_2 else ""]
    return " · ".join(part for part in said if part)


def pressure_note(row: BedRow, columns: dict[str, Column], now_us: int) -> str:
    """The mean pressure, or how old the pressure is where it is stale."""
    systolic = row.vitals.get("systolic_pressure")
    if systolic and state_of(systolic, columns["systolic_pressure"], now_us) == "stale":
        return age_text((now_us - systolic.at_us) / 1e6)
    mean = number_of(row.vitals.get("mean_pressure"), columns["mean_pressure"], now_us)
    return "" if mean == ABSENT else f"({mean})"


def driver_text(row: BedRow) -> str:
    """The arrow of the risk's trend and what moves it most."""
    arrow = TREND_ARROW[row.risk.trend]
    return " ".join(part for part in (arrow, row.risk.driver) if part)


def row_state(row: BedRow, now_us: int) -> Freshness:
    """How fresh the newest measurement of a row is; it never expires, it only ages."""
    if not row.at_us:
        return "absent"
    return "stale" if now_us - row.at_us > row.stale_s * 1_000_000 else "live"


def who(row: BedRow) -> str:
    """`74 F`."""
    sex = {"female": "F", "male": "M", "other": "X"}.get(row.sex, "")
    years = "" if row.age_years is None else str(row.age_years)
    return " ".join(part for part in (years, sex) if part)


def clock(us: int | None, zone: tzinfo, *, seconds: bool = False, day: bool = False, now_us: int | None = None) -> str:
    """The time of day in the facility's zone, with the day where asked for, and the year where it is not this one."""
    if us is None:
        return ABSENT
    moment = from_us(us).astimezone(zone)
    other_year = now_us is not None and moment.year != from_us(now_us).astimezone(zone).year
    form = (("%d %b %Y " if other_year else "%d %b ") if day else "") + ("%H:%M:%S" if seconds else "%H:%M")
    return moment.strftime(form)


def picked(us: int, zone: tzinfo) -> str:
    """A time as the page's picker takes it, to the minute, and not before `us`."""
    return from_us(us + MINUTE_US - 1).astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def first_order(rows: Sequence[BedRow]) -> list[BedRow]:
    """By risk, highest first; those without one after them, by NEWS2; then by bed."""

    def key(row: BedRow) -> tuple[float, float, str]:
        risk = -1.0 if row.risk.probability is None else row.risk.probability
        score = -1 if row.news2.value is None else row.news2.value
        return (-risk, -score, row.bed)

    return sorted(rows, key=key)


def header_facts(detail: PatientDetail) -> list[tuple[str, str]]:
    """What the patient's header states; an empty value is shown as not recorded."""
    born = f" ({detail.birth})" if detail.birth else ""
    return [
        ("Age, sex", (who(detail.row) + born).strip()),
        ("Allergies", ", ".join(detail.allergies)),
        ("Code status", detail.code_status),
        ("Weight", detail.weight),
    ]


def range_text(row: StateRow) -> str:
    """`0.7–1.3`, or empty where no usual range is tabulated."""
    return "" if row.low is None or row.high is None else f"{row.low:g}–{row.high:g}"


def any_lab(twin: TwinView) -> bool:
    """Whether any laboratory result is known."""
    return any(row.kind == "lab" for row in twin.rows)


def flags_text(flags: Sequence[str]) -> str:
    """The flags of a score in words."""
    words = {
        "red": "One part alone scores 3: urgent review.",
        "scale-2": "SpO₂ scale 2 was prescribed.",
        "respiration-from-spo2": "Respiration from SpO₂/FiO₂: no arterial oxygen is known.",
        "age-unknown": "The age is not known; taken as an adult's.",
    }
    return " ".join(words.get(flag, flag) for flag in flags)


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; never `-0`."""
    text = f"{round_half_up(abs(value) * 10**decimals) / 10**decimals:.{decimals}f}"
    return text if value >= 0 or float(text) == 0 else f"-{text}"


def share(value: float) -> str:
    """A share as whole per cent."""
    return f"{round_half_up(100 * value)} %"


def standing_text(body: BodyView) -> str:
    """How far a body can be trusted, in words."""
    said = STANDING[body.status]
    return f"{said}: {body.reason.rstrip('.')}." if body.reason else f"{said}."


def body_model(body: BodyView) -> str:
    """What computed it."""
    return f"{body.title}; {body.members} members; {body.person}." if body.title else ""


def unmeasured(body: BodyView) -> list[EstimateView]:
    """What is estimated and not measured; nothing of a body that must not be used."""
    return [] if body.status in ("lost", "outside") else [one for one in body.estimates if not one.measured]


def body_bars(one: EstimateView) -> list[tuple[str, float, float]]:
    """The bars of an estimate on 0 to 100, as (kind, where, how long)."""
    low, high = min(one.low, one.prior_low), max(one.high, one.prior_high)
    pad = BAR_PAD * ((high - low) or 1.0)
    low, width = low - pad, (high - low) + 2 * pad

    def at(value: float) -> float:
        return 100 * (value - low) / width

    spans = (("prior", one.prior_low, one.prior_high), ("wide", one.low, one.high), ("half", one.low50, one.high50))
    bars = [(kind, round(at(begin), 1), round(at(end) - at(begin), 1)) for kind, begin, end in spans]
    return [*bars, ("middle", round(at(one.median) - 0.5, 1), 1.0)]


def columns_json(columns: Iterable[Column]) -> str:
    """How concepts are shown, for the scripts."""
    return msgspec.json.encode(list(columns)).decode()


FILTERS: Final = {
    "age_text": age_text,
    "percent": percent,
    "interval": interval,
    "spark_path": spark_path,
    "spark_label": spark_label,
    "short_reason": short_reason,
    "unit": pretty_unit,
    "who": who,
    "signs": signs,
}
