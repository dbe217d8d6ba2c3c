"""The model card, made from the training itself: what the risk means, whom it is for, how it did."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.sepsis.challenge import Cohort
from vitruvian.prediction.sepsis.figures import tabulate
from vitruvian.prediction.sepsis.graph import Fitted
from vitruvian.prediction.sepsis.model import ADULT_YEARS, VITALS_MIN
from vitruvian.prediction.sepsis.split import ROLES, SEED, SHARES_PERCENT, patients_of

VERSION: Final = "1.0.0"
HORIZON_H: Final = 6.0
ATTRIBUTION: Final = (
    "PhysioNet/Computing in Cardiology Challenge 2019, training set A (Reyna M, Josef C, Seyedi S, Jeter R,"
    " Shashikumar S, Westover MB, Sharma A, Nemati S, Clifford GD), doi 10.13026/v64v-d857, CC BY 4.0."
)
INTENDED: Final = (
    f"Adults ({ADULT_YEARS:.0f} years or older) in intensive care, to show when the risk of sepsis by Sepsis-3 rises."
    " Investigational: not a medical device, never the only ground for a decision."
)
LIMITS: Final = (
    "Trained on one hospital. On another one, ranking usually carries over; thresholds and probabilities do not until"
    " they are recalibrated there.",
    "The label rests on orders for cultures and antibiotics and on SOFA: the model learned when clinicians suspect it.",
    "Hours since a measurement and what was not measured are inputs, and they carry much of the ranking (see the"
    " ablation): a ward that measures by other habits will get other risks.",
    "Trained on hourly values. From a monitor that sends more often, extremes are taken over hourly means, which keeps"
    " the two alike but not the same.",
    "Consciousness, urine, vasopressors, ventilation and cultures are not inputs; the data do not hold them.",
    "An unknown age is taken as the training median.",
    "The 95 % interval is that of the model's coefficients (which patients it was trained on), not of the patient's"
    " outcome.",
    "Contributions say what the risk is associated with. They are not causes, and not the effect of a treatment.",
)


def card_of(fitted: Fitted, threshold: float, penalty: float, digest: str) -> dict[str, Any]:
    """What a reader of the model must know; numbers that training adds later are not in it yet."""
    return {
        "model": "sepsis",
        "version": f"{VERSION}+{digest}",
        "target": "onset of sepsis (Sepsis-3) within 6 h, or already begun",
        "horizon_h": HORIZON_H,
        "threshold": threshold,
        "intended_use": INTENDED,
        "limits": list(LIMITS),
        "data": ATTRIBUTION,
        "method": (
            "logistic regression on clipped features with hinges at their 20th, 50th and 80th percentiles and missing"
            f" indicators; ridge penalty {penalty:.0f}; hours weighted by what an alarm is worth; Platt calibration;"
            f" interval from {fitted.replicas.shape[0]} one-step bootstrap replicas over patients"
        ),
        "insufficient_data": f"fewer than {VITALS_MIN} of five vital signs recent: no risk is shown",
        "vocabulary": VOCABULARY.version,
        "split": {"seed": SEED, "percent": dict(zip(ROLES, SHARES_PERCENT, strict=True)), "by": "patient"},
        "penalty": penalty,
        "calibration": {"method": "Platt", "slope": fitted.slope, "intercept": fitted.intercept},
        "features": list(fitted.basis.names),
        "medians": {name: float(value) for name, value in zip(fitted.basis.names, fitted.basis.center, strict=True)},
    }


def cohort_of(cohort: Cohort, name: str) -> dict[str, Any]:
    """Counts of each part of the split."""
    counts: dict[str, Any] = {"file": name}
    for role in ROLES:
        part = cohort.of(patients_of(cohort.ids, role))
        counts[role] = {
            "patients": len(part.ids),
            "septic_patients": int(np.unique(part.patient[part.label > 0]).size),
            "hours": int(part.patient.size),
            "prevalence": float(part.label.mean()) if part.label.size else float("nan"),
        }
    return counts


def to_markdown(card: dict[str, Any], result: dict[str, Any]) -> str:
    """The card for people."""
    lines = [
        f"# Model card: sepsis risk {card['version']}",
        "",
        f"Target: {card['target']}. Horizon: {card['horizon_h']:.0f} h. Alarm threshold: {card['threshold']:.4f}.",
        "",
        f"**Intended use.** {card['intended_use']}",
        "",
        f"**Method.** {card['method'][0].upper()}{card['method'][1:]}. {len(card['features'])} features.",
        "",
        f"**Insufficient data.** {card['insufficient_data'][0].upper()}{card['insufficient_data'][1:]}.",
        "",
        f"**Data.** {card['data']} Changes: implausible values left out; hours pushed through the ward's own tracker.",
        "",
        "| part | patients | with sepsis | hours | prevalence |",
        "|---|---|---|---|---|",
    ]
    for role in ROLES:
        part = card["cohort"][role]
        cells = (
            f"{part['patients']:,} | {part['septic_patients']:,} | {part['hours']:,} | {100 * part['prevalence']:.2f} %"
        )
        lines.append(f"| {role} | {cells} |")
    lines += [
        "",
        "## On test patients",
        "",
        "Ranges are 95 % intervals over 200 bootstrap draws of patients. Thresholds were tuned for utility on training"
        " patients. An alarm is followed by 6 silent hours; a sepsis is caught by an alarm from 12 h before its onset"
        " to 3 h after.",
        "",
        *tabulate(result["rows"]),
        "",
        f'The model says nothing in {100 * result["insufficient_share"]:.1f} % of hours ("as served": silent there).'
        f" Graph against trainer: largest difference of a probability {card['parity_max']:.1e}.",
    ]
    if "ablations" in result:
        lines += ["", "## Ablations (not shipped)", "", *tabulate(result["ablations"])]
    lines += ["", "## Limits", "", *(f"- {limit}" for limit in card["limits"]), ""]
    return "\n".join(lines)
