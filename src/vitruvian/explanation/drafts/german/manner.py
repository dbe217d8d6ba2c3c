"""How German writes: marks of numbers, spans, times, coded answers, counts, and the twin's own words."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.drafts.names import answers_of, labels_of, texts_of
from vitruvian.explanation.manner import Manner

__all__ = ["MANNER"]

_ANSWERS: Final = {
    "Alert": ("wach", "wach"), "Confusion": ("neu verwirrt", "neu verwirrt"),
    "Voice": ("reagiert auf Ansprache", "reagiert nur auf Ansprache"),
    "Pain": ("reagiert auf Schmerz", "reagiert nur auf Schmerz"), "Unresponsive": ("reaktionslos", "reagiert nicht"),
    "Air": ("Raumluft", "Raumluft"), "Oxygen": ("Sauerstoff", "zusätzlicher Sauerstoff"), "Yes": ("ja", "ja"),
    "No": ("nein", "nein"), "Pregnant": ("schwanger", "schwanger"), "Not pregnant": ("nicht schwanger",) * 2,
}  # fmt: skip
# Spans are always in the dative here: each of them follows `vor`, `in`, `nach`, `den nächsten`, `den letzten`.
MANNER: Final[Manner] = Manner(
    "de",
    ",",
    "\u202f",
    ("Jan.", "Feb.", "März", "Apr.", "Mai", "Juni", "Juli", "Aug.", "Sept.", "Okt.", "Nov.", "Dez."),
    {
        "next": "in den nächsten {}", "next 1 h": "in der nächsten Stunde", "next 1 min": "in der nächsten Minute",
        "last": "in den letzten {}", "last 1 h": "in der letzten Stunde", "last 1 min": "in der letzten Minute",
        "between": "am {d2}. {m2} zwischen {c1} und {c2} Uhr",
        "between days": "zwischen dem {d1}. {m1} um {c1} Uhr und dem {d2}. {m2} um {c2} Uhr",
        "ago": "vor {}", "in": "in {}", "after": "nach {}",
        "stay clinician": "bis zum Ende des Aufenthalts", "stay patient": "bis zum Ende des Aufenthalts",
        "at": "um {} Uhr", "yesterday": "gestern um {} Uhr", "on": "am {day}. {month} um {clock} Uhr",
        "on year": "am {day}. {month} {year} um {clock} Uhr",
        "rising": "steigend", "falling": "fallend", "steady": "gleichbleibend", "less": "weniger als {}",
        "more": "mehr als {}", "of": "{} von {}", "likely clinician": "{} ({})", "likely patient": "{} ({})",
        "quoted": "„{}“", "points": "{} Prozentpunkte", "brought": "das Paket sagt: „{}“",
        "estimated clinician": "{} (geschätzt)", "estimated patient": "{} (geschätzt)",
        "on state": "ein", "off state": "aus",
        "risk of": "Risiko für {}",
    },
    {
        "clinician": {"min": ("min", "min"), "h": ("h", "h"), "d": ("Tag", "Tagen")},
        "patient": {"min": ("Minute", "Minuten"), "h": ("Stunde", "Stunden"), "d": ("Tag", "Tagen")},
    },
    {
        "clinician": (
            (0.99, "praktisch sicher"), (0.95, "äußerst wahrscheinlich"), (0.90, "sehr wahrscheinlich"),
            (0.66, "wahrscheinlich"), (0.33, "etwa so wahrscheinlich wie nicht"), (0.10, "unwahrscheinlich"),
            (0.05, "sehr unwahrscheinlich"), (0.01, "äußerst unwahrscheinlich"),
            (0.0, "außergewöhnlich unwahrscheinlich"),
        ),
        "patient": (
            (0.99, "fast sicher"), (0.90, "sehr wahrscheinlich"), (0.66, "wahrscheinlich"),
            (0.33, "etwa so wahrscheinlich wie nicht"), (0.10, "eher nicht zu erwarten"),
            (0.0, "sehr unwahrscheinlich"),
        ),
    },
    labels=labels_of("german"),
    answers=answers_of(_ANSWERS),
    counted={
        "heart_rate": "pro Minute", "pulse_rate": "pro Minute",
        "respiratory_rate": "pro Minute", "warm_heart_rate": "pro Minute",
    },
    counts={
        "beds": ("Bett", "Betten"), "alarms": ("offenen Alarm", "offene Alarme"), "more": ("weiteres", "weitere"),
        "patients": ("Patient", "Patienten"),
    },
    texts=texts_of("german"),
    units={"IU": "IE", "IU/h": "IE/h", "IU/min": "IE/min", "IU/mL": "IE/mL", "mIU/L": "mIE/L", "years": "Jahre",
           "months": "Monate", "weeks": "Wochen", "days": "Tage", "mL/min per 1.73 m²": "mL/min pro 1,73 m²"},
)  # fmt: skip
