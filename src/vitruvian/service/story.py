"""What happened to a patient, without the vitals of every second: what a person reads as the timeline."""

from __future__ import annotations

from typing import Final

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.service.details import pretty_unit
from vitruvian.service.ports import WardPort
from vitruvian.service.views import EventView

KINDS: Final = ("administration", "order", "condition", "encounter", "identity", "device")
LABS: Final = tuple(concept.name for concept in VOCABULARY if concept.kind == "lab" and not concept.retired)


def story(
    ward: WardPort, patient: str, *, start_us: int, end_us: int, known_by_us: int | None = None, limit: int = 200
) -> list[EventView]:
    """Laboratory results, findings of notes, medicines, moves, devices and alarms, the newest first. `recorded_us` is 0
    where not told.
    """
    told = ward.timeline(
        patient, start_us=start_us, end_us=end_us, kinds=KINDS, known_by_us=known_by_us, limit=limit
    )  # fmt: skip
    noted = ward.notes.observed(patient, start_us, end_us, known_by_us)
    from_notes = {(event.concept, event.occurred_us) for event in noted}
    labs = [
        EventView(
            seq=0,
            kind="observation",
            label=VOCABULARY[series.concept].display,
            text=f"{VOCABULARY[series.concept].format(value)} {pretty_unit(series.unit)}".strip(),
            occurred_us=at_us,
            recorded_us=0,
            concept=series.concept,
            source="laboratory",
        )
        for series in ward.series(patient, LABS, start_us=start_us, end_us=end_us, known_by_us=known_by_us, points=0)
        for at_us, value in zip(series.at_us, series.value, strict=True)
        if (series.concept, at_us) not in from_notes
    ]
    alarms = [
        EventView(
            seq=0, kind="alarm", label="Alarm", text=alarm.text, occurred_us=alarm.raised_us,
            recorded_us=alarm.raised_us, ended_us=alarm.resolved_us, concept=alarm.concept, source=alarm.rule,
        )
        for alarm in ward.alerts(patient=patient, resolved=True)
        if start_us <= alarm.raised_us < end_us and known_by_us is None
    ]  # fmt: skip
    return sorted([*told, *noted, *labs, *alarms], key=lambda event: -event.occurred_us)[:limit]
