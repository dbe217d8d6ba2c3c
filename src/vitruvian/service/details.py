"""What a patient's page shows beyond the row: state, scores, medicines, timeline, sources; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from vitruvian.core.events import (
    Association,
    Blob,
    Coded,
    Dose,
    Entry,
    Event,
    Finding,
    Merge,
    Person,
    Quantity,
    Range,
    Text,
    Value,
    Visit,
)
from vitruvian.core.time import DAY_US, HOUR_US, from_us
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.scores import Scores, ScoreView, views
from vitruvian.service.build import Latest, state_row
from vitruvian.service.risk_views import RiskCard
from vitruvian.service.views import (
    AlertView,
    BedRow,
    EventView,
    MedicineRow,
    PatientDetail,
    ScoreCard,
    ScorePart,
    SourceRow,
    StateRow,
    TwinView,
)

# One stored entry: its seq, when it was recorded, the seq that superseded it, and the entry itself.
Stored = tuple[int, int, int | None, Entry]

SCORE_DISPLAY: Final = {
    "news2": "NEWS2", "qsofa": "qSOFA", "sofa_partial": "SOFA (partial)", "shock_index": "Shock index",
}  # fmt: skip
STORED_DAYS: Final = 30  # of medicines, conditions and moves that a patient's page opens with
MEDICINES_MAX: Final = 100
RUNNING_WITHOUT_END_US: Final = DAY_US  # an infusion not heard of for longer is not shown as running
_UNITS: Final = {concept.name: concept.unit for concept in VOCABULARY}
_KIND_ORDER: Final = {"vital": 0, "state": 1, "lab": 2, "score": 3, "estimate": 4, "intervention": 5}
_PRETTY: Final = {
    "/min": "/min", "Cel": "°C", "mm[Hg]": "mmHg", "cm[H2O]": "cmH₂O", "[pH]": "", "1": "", "10*3/uL": "×10³/µL",
    "10*6/uL": "×10⁶/µL", "[iU]": "IU", "{INR}": "", "{score}": "",
    "dyn.s/cm5": "dyn·s/cm⁵", "a": "years",
}  # fmt: skip


def pretty_unit(unit: str) -> str:
    """A UCUM unit as people write it."""
    if unit in _PRETTY:
        return _PRETTY[unit]
    text = unit.replace("[iU]", "IU").replace("mm[Hg]", "mmHg").replace("cm[H2O]", "cmH₂O")
    return text.replace("ug", "µg").replace("10*3", "10³").replace("10*6", "10⁶").replace("10*9", "10⁹")


def state_rows(latest: Mapping[str, Latest], age: float | None, sex: str, now_us: int) -> list[StateRow]:
    """The twin's state, vitals first, then by name."""
    rows = [state_row(VOCABULARY[name], one, age, sex, now_us) for name, one in latest.items()]
    return sorted(rows, key=lambda row: (_KIND_ORDER.get(row.kind, 9), row.display))


def score_cards(scores: Scores, at: int) -> list[ScoreCard]:
    """The scores of one patient with their parts in words."""
    return [_score_card(view) for view in views(scores, at, _UNITS)]


def _score_card(view: ScoreView) -> ScoreCard:
    parts = []
    for part in view.parts:
        read = ", ".join(_read_text(one.concept, one.value) for one in part.inputs if one.value is not None)
        parts.append(ScorePart(part.name.replace("_", " "), part.points, read))
    return ScoreCard(
        view.name, SCORE_DISPLAY[view.name], view.version, _score_text(view), view.value, view.band, view.reason,
        tuple(parts), tuple(name.replace("_", " ") for name in view.missing), view.flags,
    )  # fmt: skip


def _read_text(concept: str, value: float) -> str:
    known = VOCABULARY[concept]
    return f"{known.short} {known.format(value)} {pretty_unit(known.unit)}".strip()


def _score_text(view: ScoreView) -> str:
    ratio = view.name == "shock_index" and view.applicable and view.value is not None
    return f"{view.value:.2f}" if ratio else view.text


def number_text(value: float) -> str:
    """At most four significant digits, without an exponent where people would not write one."""
    return f"{value:.4g}" if 1e-4 <= abs(value) < 1e7 or value == 0 else f"{value:.3e}"


def value_text(concept: str, value: Value) -> str:
    """A value in words."""
    match value:
        case Quantity():
            known = VOCABULARY.get(concept)
            text = known.format(value.value) if known and not known.coded else number_text(value.value)
            return f"{value.comparator}{text} {pretty_unit(value.unit)}".strip()
        case Coded():
            return value.display or value.code
        case Text():
            return value.text[:300]
        case Range():
            bounds = ("" if b is None else number_text(b) for b in (value.low, value.high))
            return f"{'–'.join(bounds)} {pretty_unit(value.unit)}".strip()
        case Dose():
            return dose_text(value)
        case Blob():
            return f"{value.media_type}, {value.bytes} bytes"
        case Person():
            return "demographics"
        case Merge():
            return f"{value.action} of {', '.join(prior.value for prior in value.prior)}"
        case Visit():
            return " ".join(part for part in (value.action, value.location.label, value.reason) if part)
        case Association():
            return f"device {value.device}: {value.action}"
        case Finding():
            number = "" if value.number is None else number_text(value.number)
            return f"{number} ({value.version})" if number else value.version


def dose_text(dose: Dose) -> str:
    """An amount, a rate, or both."""
    said = []
    if dose.amount is not None:
        said.append(f"{number_text(dose.amount)} {pretty_unit(dose.amount_unit)}".strip())
    if dose.rate is not None:
        said.append(f"{number_text(dose.rate)} {pretty_unit(dose.rate_unit)}".strip())
    return " at ".join(said)


def label_of(event: Event) -> str:
    """What an event is about, in words."""
    known = VOCABULARY.get(event.concept) if event.concept else None
    if known:
        return known.display
    if event.code:
        parts = event.code.split("|")
        return (parts[2] if len(parts) > 2 and parts[2] else parts[-1])[:120]
    if isinstance(event.value, Finding):
        return SCORE_DISPLAY.get(event.value.name, event.value.name.replace("_", " "))
    return event.concept or event.kind


def event_views(stored: Iterable[Stored]) -> list[EventView]:
    """One line an event, in the order given."""
    return [
        EventView(
            seq=seq, kind=event.kind, label=label_of(event), text=value_text(event.concept, event.value),
            occurred_us=event.occurred_us, recorded_us=recorded_us, ended_us=event.ended_us,
            available_us=entry.available_us, concept=event.concept, source=entry.source, status=entry.status,
            superseded=superseded is not None, quality=event.quality,
        )
        for seq, recorded_us, superseded, entry in stored
        for event in entry.events
    ]  # fmt: skip


def medicine_rows(stored: Iterable[Stored], now_us: int) -> list[MedicineRow]:
    """What was given or ordered, the running first, then the newest."""
    rows = []
    for _, _, superseded, entry in stored:
        if superseded is not None or entry.status in ("cancelled", "entered-in-error"):
            continue
        for event in entry.events:
            if event.kind == "administration" and isinstance(event.value, Dose):
                rows.append(_medicine(event, event.value, entry.source, now_us))
            elif event.kind == "order":
                rows.append(_ordered(event, entry.source))
    return sorted(rows, key=lambda row: (not row.running, -row.started_us))[:MEDICINES_MAX]


def _medicine(event: Event, dose: Dose, source: str, now_us: int) -> MedicineRow:
    open_ended = event.ended_us is None and dose.rate is not None
    heard = now_us - event.occurred_us < RUNNING_WITHOUT_END_US
    running = event.occurred_us <= now_us and (
        (open_ended and heard) or (event.ended_us is not None and event.ended_us > now_us)
    )
    return MedicineRow(
        event.concept, label_of(event), dose_text(dose), dose.route, event.occurred_us, event.ended_us, running, source
    )  # fmt: skip


def _ordered(event: Event, source: str) -> MedicineRow:
    """An order: never running, since it does not say that anything was given."""
    route = event.value.route if isinstance(event.value, Dose) else ""
    text = "" if isinstance(event.value, Coded) else value_text(event.concept, event.value)
    return MedicineRow(
        event.concept, label_of(event), text, route, event.occurred_us, event.ended_us, False, source, True
    )  # fmt: skip


def source_rows(stored: Sequence[Stored]) -> list[SourceRow]:
    """Where a patient's data came from, the newest source first."""
    entries: Counter[str] = Counter()
    flagged: Counter[str] = Counter()
    last: dict[str, int] = {}
    for _, _, _, entry in stored:
        entries[entry.source] += 1
        flagged[entry.source] += any(event.quality for event in entry.events)
        newest = max((event.occurred_us for event in entry.events), default=0)
        last[entry.source] = max(newest, last.get(entry.source, 0))
    rows = [SourceRow(source, count, flagged[source], last[source]) for source, count in entries.items()]
    return sorted(rows, key=lambda row: -row.last_us)


def allergies(stored: Iterable[Stored]) -> list[str]:
    """Conditions that name an allergy or intolerance."""
    return sorted(
        {
            label_of(event)
            for _, _, superseded, entry in stored
            if superseded is None
            for event in entry.events
            if event.kind == "condition" and "allerg" in (event.code + event.concept).lower()
        }
    )


def detail_of(
    row: BedRow,
    person: Person | None,
    identifiers: list[str],
    twin: TwinView,
    risks: list[RiskCard],
    stored: Sequence[Stored],
    alarms: list[AlertView],
    now_us: int,
    *,
    visit: str = "",
    admitted_us: int | None = None,
) -> PatientDetail:
    """Everything the patient's page opens with."""
    weight = next((r for r in twin.rows if r.concept == "body_weight"), None)
    born = person.birth_us if person else None
    recent = [one for one in stored if one[1] > now_us - 24 * HOUR_US]
    return PatientDetail(
        row=row,
        identifiers=identifiers,
        birth=from_us(born).date().isoformat() if born is not None else "",
        weight=f"{weight.text} {pretty_unit(weight.unit)}" if weight else "",
        allergies=allergies(stored),
        code_status="",
        visit=visit,
        admitted_us=admitted_us,
        twin=twin,
        risk=risks[0] if risks else None,
        risks=risks,
        medicines=medicine_rows(stored, now_us),
        alerts=alarms,
        sources=source_rows(recent),
    )
