"""When an antibiotic is given, and how an infection ends: inflammation alone, and in the acute-care body."""

from __future__ import annotations

from typing import Any

from benchmarks._results import record
from vitruvian.physiology.bodies import body
from vitruvian.physiology.inflammation import INFLAMMATION
from vitruvian.physiology.simulate import Action, simulate

HOUR_S = 3_600.0
DAY_S = 24 * HOUR_S
COURSE_S = 7 * DAY_S
TIMES_H = (0.0, 1.0, 2.0, 4.0, 6.0, 12.0, 24.0)
DOSES = (0.3, 0.5, 1.0)
SHOWN = ("heart_rate", "mean_pressure", "cardiac_output", "respiratory_rate", "oxygen_saturation", "lactate",
         "body_temperature", "blood_volume")  # fmt: skip


def ending(dose: float, at_h: float | None) -> dict[str, Any]:
    """How one infection ends."""
    actions = [Action("infection", dose)]
    if at_h is not None:
        actions.append(Action("antibiotic", 1.0, "1", at_h * HOUR_S, COURSE_S))
    seen = simulate(INFLAMMATION, actions, for_s=60 * DAY_S, every_s=HOUR_S)
    pathogen, damage = float(seen.of("pathogen_load")[0, -1]), float(seen.of("tissue_damage")[0, -1])
    ends = "septic" if pathogen > 1e-3 else "aseptic" if damage > 1e-2 else "health"
    return {
        "infection": dose,
        "antibiotic_from_h": "never" if at_h is None else at_h,
        "most_inflammation": float(seen.of("inflammation_level").max()),
        "most_damage": float(seen.of("tissue_damage").max()),
        "ends": ends,
    }


def course(actions: list[Action], name: str) -> list[dict[str, Any]]:
    """The acute-care body over a day after an infection of 1."""
    seen = simulate(body("acute"), [Action("infection", 1.0), *actions], for_s=DAY_S, every_s=900.0)
    return [
        {"treated": name, "h": hour, **{one: float(seen.of(one)[0, hour * 4]) for one in SHOWN}}
        for hour in (0, 6, 12, 18, 24)
    ]


def main() -> None:
    """Measure and record."""
    record(
        "sepsis_course",
        title="The course of a sepsis, and the time of its antibiotic",
        provenance="simulated",
        bars=[],
        figures={
            "endings": [ending(dose, at_h) for dose in DOSES for at_h in (*TIMES_H, None)],
            "body": [
                *course([], "not"),
                *course([Action("antibiotic", 1.0, "1", 3 * HOUR_S)], "antibiotic from 3 h"),
                *course(
                    [
                        Action("antibiotic", 1.0, "1", 12 * HOUR_S),
                        Action("crystalloid", 2_000, "mL", 12 * HOUR_S, 2 * HOUR_S),
                        Action("norepinephrine", 0.1, "ug/kg/min", 13 * HOUR_S),
                    ],
                    "antibiotic, 2 L and noradrenaline from 12 h",
                ),
            ],
        },
        notes=[
            "A hypothesis (Reynolds 2006) with an assumed link to the circulation; not for timing a treatment.",
            "antibiotic = 1 keeps four times the minimal inhibitory concentration in blood, half of it at the site.",
        ],
    )


if __name__ == "__main__":
    main()
