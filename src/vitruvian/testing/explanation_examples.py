"""Examples of explanations, to be read by people: two invented packets of every kind, in every language, for both.

    python -m vitruvian.testing.explanation_examples [FILE]

writes docs/explanation_examples.md (or FILE). All patients in it are invented.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from vitruvian.core.time import HOUR_US, MINUTE_US
from vitruvian.explanation.drafting import AUDIENCES, draft
from vitruvian.explanation.drafts import LANGUAGES
from vitruvian.explanation.evidence import Evidence, answer
from vitruvian.explanation.evidence.alert import Alarm, Course, alert_evidence
from vitruvian.explanation.evidence.card import Card, card_evidence
from vitruvian.explanation.evidence.forecast import Outlook, forecast_evidence
from vitruvian.explanation.evidence.handover import BedStory, TheRisk, TheScore, handover_evidence
from vitruvian.explanation.evidence.parts import Measured, Person
from vitruvian.explanation.evidence.risk import Issued, risk_evidence
from vitruvian.explanation.evidence.timeline import Happened, timeline_evidence
from vitruvian.explanation.evidence.what_if import Difference, RiskDifference, what_if_evidence
from vitruvian.physiology.actions import Action

__all__ = ["EXAMPLES", "examples", "main", "page"]

NOW_US: Final = 495_446 * HOUR_US + 5 * MINUTE_US  # 2026-07-09 14:05 UTC
_LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "de": "German", "es": "Spanish"}
_TITLES: Final[Mapping[str, str]] = {
    "risk": "A risk", "forecast": "A forecast", "what_if": "A what-if", "alert": "Alarms", "timeline": "A timeline",
    "handover": "A ward's handover", "card": "A model's card", "answer": "An answer to a question",
}  # fmt: skip
_HEAD: Final = """\
# Examples of explanations

Made by `python -m vitruvian.testing.explanation_examples` from invented packets of evidence: the deterministic drafts,
which are what everyone reads at once and without a language model. Change the drafts, not this file.
"""


def _ago(hours: float) -> int:
    return NOW_US - int(hours * HOUR_US)


def _risks() -> Iterator[Evidence]:
    values = {
        "heart_rate": 118.0, "heart_rate_delta_6h": 22.0, "respiratory_rate": 26.0, "oxygen_saturation": 93.0,
        "systolic_pressure": 94.0, "mean_pressure": 62.0, "body_temperature": 38.6, "lactate": 4.3,
        "lactate_change": 1.6, "age_years": 71.0, "male": 1.0,
    }  # fmt: skip
    rising = Issued(
        "sepsis", 6.0, NOW_US, 0.124, 0.081, 0.17, earlier=0.062, earlier_us=_ago(6), about="sepsis", usual=0.018,
        model="2.0.0",
    )  # fmt: skip
    yield risk_evidence(
        rising, values, {"heart_rate": 0.5, "heart_rate_max_6h": 0.3, "lactate": 0.4, "respiratory_rate": 0.3},
        {"lactate": _ago(1.5), "respiratory_rate": _ago(0.1)},
    )  # fmt: skip
    calm = {"heart_rate": 72.0, "oxygen_saturation": 97.0, "systolic_pressure": 124.0, "respiratory_rate": 16.0}
    dying = Issued(
        "mortality", None, NOW_US, 0.043, 0.021, 0.071, earlier=0.0432, earlier_us=_ago(1), about="death in hospital",
        usual=0.14, model="1.0.0", validated=False,
        notes=("Not validated: no labelled data of real patients were there to measure it on.",),
    )  # fmt: skip
    yield risk_evidence(dying, calm, {"heart_rate": -0.4})


def _forecasts() -> Iterator[Evidence]:
    yield forecast_evidence(
        NOW_US, 6.0,
        [
            Outlook("mean_pressure", 66.0, 54.0, 48.0, 61.0, 54.0, 6.0, 66.0, 0.0),
            Outlook("heart_rate", 104.0, 118.0, 109.0, 127.0, 104.0, 0.0, 118.0, 6.0),
            Outlook("oxygen_saturation", 95.0, 95.0, 93.0, 96.0, 94.8, 2.0, 95.2, 4.0),
            Outlook("body_temperature", 38.2, 38.3, 37.9, 38.6, 38.2, 0.0, 38.3, 6.0),
        ],
        measured=[Measured("lactate", 4.2, _ago(2), "laboratory")], model="acute 1.2",
    )  # fmt: skip
    yield forecast_evidence(
        NOW_US, 1.0, [Outlook("heart_rate", 84.0, 83.0, 79.0, 88.0, 83.0, 1.0, 84.0, 0.0)], model="acute 1.2",
        said=["the body is strained: pressure and heart rate do not agree"],
    )  # fmt: skip


def _what_ifs() -> Iterator[Evidence]:
    yield what_if_evidence(
        NOW_US, 6.0,
        [Action("crystalloid", 500.0, "mL", 0.0, 1800.0), Action("norepinephrine", 0.1, "ug/kg/min")], [],
        [
            Difference("mean_pressure", "mm[Hg]", "rises", 8.2, 3.1, 12.4, 0.7, 0.98, 0.62),
            Difference("heart_rate", "/min", "probably falls", -6.0, -11.0, 2.0, 1.0, 0.11, 0.35),
        ],
        [RiskDifference("sepsis_risk", "Sepsis risk, learned", 0.124, 0.108, "sensitivity", "2.0.0"),
         RiskDifference("news2", "NEWS2", 9.0, 7.0, "mechanistic")],
    )  # fmt: skip
    yield what_if_evidence(
        NOW_US, 2.0, [], [("lactate", 2.0)], [Difference("blood_volume", "mL", "open", 20.0, -150.0, 180.0, 1.5, 0.56)],
        [RiskDifference("aki_risk", "Acute kidney injury risk, learned", 0.21, 0.21, "sensitivity", "1.0.0")],
    )  # fmt: skip


def _alerts() -> Iterator[Evidence]:
    yield alert_evidence(
        NOW_US,
        [Alarm("heart_rate_raised", "HR 128 > 120", _ago(0.4), 2, "heart_rate", 128.0, 120.0)],
        {"heart_rate": Course("heart_rate", 96.0, _ago(6), 128.0, _ago(0.05))},
    )  # fmt: skip
    yield alert_evidence(
        NOW_US,
        [
            Alarm("news2_high", "NEWS2 9 >= 7", _ago(1.2), 3, "news2", 9.0, 7.0),
            Alarm("potassium_high", "K 6.4 > 6", _ago(15), 3, "potassium", 6.4, 6.0),
            Alarm("silence", "No data: nothing heard for 5 times the source's own interval", _ago(0.2), 1,
                  technical=True),
        ],
        measured=[Measured("potassium", 6.4, _ago(15), "laboratory"), Measured("consciousness", 2.0, _ago(1.2))],
    )  # fmt: skip


def _timelines() -> Iterator[Evidence]:
    yield timeline_evidence(
        NOW_US, 24.0,
        results=[Measured("creatinine", 1.92, _ago(5)), Measured("sodium", 138.0, _ago(5)),
                 Measured("platelets", 92.0, _ago(5))],
        given=[Happened("crystalloid fluid", "500 mL", _ago(8), "crystalloid"),
               Happened("ceftriaxone", "2 g", _ago(17), "ceftriaxone")],
        events=[Happened("encounter", "transfer Ward 4", _ago(9))],
        courses=[Course("heart_rate", 88.0, _ago(23), 112.0, _ago(0.1)),
                 Course("systolic_pressure", 131.0, _ago(23), 104.0, _ago(0.1))],
        missing=["body_temperature"], person=Person(71.0, "male"),
    )  # fmt: skip
    yield timeline_evidence(NOW_US, 6.0, results=[Measured("glucose", 104.0, _ago(3))], person=Person(44.0))


def _handovers() -> Iterator[Evidence]:
    yield handover_evidence(
        NOW_US,
        [
            BedStory(
                "Bed 4", TheScore("news2", "NEWS2", 9.0), TheRisk("sepsis", "sepsis", 0.124, 0.062, _ago(6)),
                (Alarm("heart_rate_raised", "HR 128 > 120", _ago(0.4), 2, "heart_rate", 128.0, 120.0),),
                (Measured("lactate", 4.3, _ago(1.5)),),
                (Happened("norepinephrine", "0.1 µg/kg/min", _ago(2), "norepinephrine"),), ("body_temperature",),
                urgency=0,
            ),
            BedStory("Bed 7", TheScore("news2", "NEWS2", 1.0), TheRisk("sepsis", "sepsis", 0.012)),
            BedStory("Bed 9"),
        ],
    )  # fmt: skip
    yield handover_evidence(NOW_US, [BedStory("Bed 1", TheScore("news2", "NEWS2", 0.0))])


def _cards() -> Iterator[Evidence]:
    yield card_evidence(
        Card("sepsis", "sepsis", "2.0.0", 6.0, "the Challenge 2019's hospital A", 0.018, 16_269, "held-out patients",
             {"auroc": 0.812, "auroc_95": [0.803, 0.821], "calibration_slope": 0.97, "alarm_precision": 0.14}),
        NOW_US,
    )  # fmt: skip
    yield card_evidence(
        Card("cardiac_event", "a cardiac event or arrest", "0.1.0", 6.0, "simulated patients", validated=False,
             simulated=True),
        NOW_US,
    )  # fmt: skip


def _answers() -> Iterator[Evidence]:
    yield answer.answer_evidence(
        NOW_US, [*answer.latest(Measured("lactate", 3.1, _ago(2), "laboratory")), *answer.absent("troponin_i", 24.0)]
    )
    yield answer.answer_evidence(NOW_US, answer.highest(Measured("body_temperature", 39.1, _ago(20)), 24.0))


EXAMPLES: Final = (_risks, _forecasts, _what_ifs, _alerts, _timelines, _handovers, _cards, _answers)


def examples() -> tuple[Evidence, ...]:
    """The packets, two of each kind."""
    return tuple(packet for make in EXAMPLES for packet in make())


def page() -> str:
    """The page in Markdown."""
    parts, kind, number = [_HEAD], "", 0
    for packet in examples():
        number = number + 1 if packet.kind == kind else 1
        if packet.kind != kind:
            kind = packet.kind
            parts.append(f"\n## {_TITLES[kind]}\n")
        parts.append(f"\n### {_TITLES[kind]}, {number}\n")
        for language in LANGUAGES:
            for reader in AUDIENCES:
                sentences = "\n".join(f"> - {one.text}" for one in draft(packet, reader, language).sentences)
                parts.append(f"\n{_LANGUAGES[language]}, for a {reader}:\n\n{sentences}\n")
    return "".join(parts)


def main(arguments: list[str]) -> None:
    """Write the page to a file, by default that of the documentation."""
    target = Path(arguments[0]) if arguments else Path("docs/explanation_examples.md")
    target.write_text(page(), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
