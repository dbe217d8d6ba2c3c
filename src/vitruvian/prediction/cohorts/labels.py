"""Labels made from what was measured: NEWS2 that will be high, acute kidney injury by KDIGO, sepsis by Sepsis-3.

All are pure functions of samples at the time they were *taken*; what a model reads of the same values comes later,
where a source says when a result was there.

    Acute kidney injury, stage 1 or more (KDIGO, Kidney Int Suppl 2012;2:1): creatinine up by 0.3 mg/dL or more within
    48 h, or to 1.5 times the lowest of the last 7 days; or urine below 0.5 mL/kg/h for 6 h, where weight and six hours
    of charted urine are known.
    Sepsis (Challenge 2019; Singer, JAMA 2016;315:801): suspicion is the earlier of cultures and antibiotics, where
    antibiotics follow a culture within 72 h or a culture follows antibiotics within 24 h, and antibiotics go on for
    72 h (or to the end of the stay, where that comes first); onset is the earlier of suspicion and a rise of SOFA by 2
    within 24 h, where that rise lies from 24 h before to 12 h after suspicion.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.assemble import Ints
from vitruvian.prediction.cohorts.base import ORIGIN_US, UNKNOWN, Cohort, Samples
from vitruvian.prediction.inputs.table import replay
from vitruvian.prediction.scores import INPUTS, inputs_from, score

__all__ = [
    "AHEAD_H",
    "aki_onsets",
    "deterioration_labels",
    "labels_before",
    "news2_and_sofa",
    "sepsis_onsets",
    "sofa_rises",
    "suspicions",
]

AHEAD_H: Final = 6  # a label is 1 from so many hours before the onset
HIGH_NEWS2: Final = 7
RISE_MG_PER_DL, RISE_H, RATIO, BASELINE_H = 0.3, 48, 1.5, 168
URINE_ML_PER_KG_H, URINE_H = 0.5, 6
SUSPICION_CULTURE_FIRST_H, SUSPICION_ANTIBIOTICS_FIRST_H, ANTIBIOTICS_H = 72, 24, 72
SOFA_RISE, SOFA_WINDOW_H, SOFA_BEFORE_H, SOFA_AFTER_H = 2, 24, 24, 12
ONSET_HOUR_MIN: Final = 4  # an earlier onset was there at admission: such patients are left out
_YEAR_US: Final = 365.2425 * 86_400e6
_ROUNDING: Final = 1e-9  # 1.3 - 1.0 is a rise by 0.3


def labels_before(patient: Ints, hour: Ints, onset_h: NDArray[np.float64]) -> NDArray[np.int8]:
    """1 from AHEAD_H hours before each patient's onset on (N,), 0 elsewhere; `onset_h` (P,), inf = none."""
    return (hour >= onset_h[patient] - AHEAD_H).astype(np.int8)


# --- deterioration ------------------------------------------------------------


def news2_and_sofa(cohort: Cohort) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """NEWS2 and SOFA of the known parts at each row (N,): lower bounds, NaN where too few parts are known."""
    concepts = np.array([VOCABULARY[name].index for name in INPUTS])
    valid_s = np.array([float(VOCABULARY[name].valid_for_s) for name in INPUTS])
    news2, sofa = np.full((2, cohort.patient.size), np.nan)
    for step in replay(cohort):
        tracker, who, now_us = step.asked.tracker, step.asked.rows, step.asked.now_us
        value, at_us = tracker.last_value[who][:, concepts].T, tracker.last_us[who][:, concepts].T
        # An unknown age is an adult's: these are patients of adult wards.
        age_years = np.where(np.isnan(step.asked.age_years), 60.0, step.asked.age_years)
        born_us = now_us - ((age_years + 0.5) * _YEAR_US).astype(np.int64)
        scores = score(inputs_from(value, at_us, now_us, valid_s, born_us))
        news2[step.rows], sofa[step.rows] = scores.news2.value, scores.sofa.value
    return news2, sofa


def deterioration_labels(patient: Ints, news2: NDArray[np.float64]) -> NDArray[np.int8]:
    """1 where NEWS2 is below 7 now and 7 or more within AHEAD_H hours; UNKNOWN where it is not known now, already high,
    or not known in any of those hours (N,).
    """
    ahead = np.full(patient.size, np.nan)
    for hours in range(1, AHEAD_H + 1):
        later = news2[hours:]
        same = patient[hours:] == patient[:-hours]
        ahead[:-hours] = np.fmax(ahead[:-hours], np.where(same, later, np.nan))
    with np.errstate(invalid="ignore"):
        label = (ahead >= HIGH_NEWS2).astype(np.int8)
        told = (news2 < HIGH_NEWS2) & ~np.isnan(ahead)
    return np.where(told, label, UNKNOWN).astype(np.int8)


# --- kidney -------------------------------------------------------------------


def aki_onsets(samples: Samples, patients: int, weight_kg: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Hours from admission to acute kidney injury of stage 1 or more (P,), inf = none; samples as they were taken."""
    onset = np.full(patients, np.inf)
    mine = samples.concept == VOCABULARY["creatinine"].index
    low, high = VOCABULARY["creatinine"].plausible
    mine &= (samples.value >= low) & (samples.value <= high)
    for who, at_h, value in _each(samples, mine, patients):
        onset[who] = _creatinine_onset(at_h, value)
    if weight_kg is not None:
        for who, at_h, value in _each(samples, samples.concept == VOCABULARY["urine_output"].index, patients):
            if weight_kg[who] > 0:
                onset[who] = min(onset[who], _urine_onset(at_h, value, float(weight_kg[who])))
    return onset


def _each(
    samples: Samples, mine: NDArray[np.bool_], patients: int
) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
    """Each patient that has such samples: number, hours since admission, values."""
    places = np.flatnonzero(mine)
    order = places[np.lexsort((samples.at_us[places], samples.patient[places]))]
    cuts = np.searchsorted(samples.patient[order], np.arange(patients + 1))
    for who in range(patients):
        part = order[cuts[who] : cuts[who + 1]]
        if part.size:
            yield who, (samples.at_us[part] - ORIGIN_US) / HOUR_US, samples.value[part]


def _creatinine_onset(at_h: NDArray[np.float64], value: NDArray[np.float64]) -> float:
    """The first result after admission that is an injury by those before it."""
    for place in range(1, value.size):
        if at_h[place] < 0:
            continue
        before, since = value[:place], at_h[place] - at_h[:place]
        lately, week = before[since <= RISE_H], before[since <= BASELINE_H]
        if lately.size and value[place] - lately.min() >= RISE_MG_PER_DL - _ROUNDING:
            return float(at_h[place])
        if week.size and value[place] >= RATIO * week.min() - _ROUNDING:
            return float(at_h[place])
    return float("inf")


def _urine_onset(at_h: NDArray[np.float64], value: NDArray[np.float64], weight_kg: float) -> float:
    """The end of the first URINE_H hours, each with a charted volume, whose sum is below the limit."""
    hour = np.ceil(at_h).astype(np.int64)
    hour, value = hour[hour > 0], value[hour > 0]
    if not hour.size:
        return float("inf")
    volume, charted = np.bincount(hour, weights=value), np.bincount(hour) > 0
    ones = np.ones(URINE_H)
    if volume.size < URINE_H:
        return float("inf")
    total, known = np.convolve(volume, ones, "valid"), np.convolve(charted, ones, "valid") >= URINE_H - 0.5
    dry = np.flatnonzero(known & (total < URINE_ML_PER_KG_H * URINE_H * weight_kg))
    return float(dry[0] + URINE_H - 1) if dry.size else float("inf")


# --- sepsis -------------------------------------------------------------------


def suspicions(
    cultures_h: list[list[float]], antibiotics_h: list[list[tuple[float, float]]], stay_h: NDArray[np.float64]
) -> NDArray[np.float64]:
    """When infection was suspected, hours from admission (P,), inf = never. `antibiotics_h`: from and to of each."""
    return np.array(
        [_suspicion(a, b, float(c)) for a, b, c in zip(cultures_h, antibiotics_h, stay_h, strict=True)], np.float64
    )


def _suspicion(cultures: list[float], antibiotics: list[tuple[float, float]], stay_h: float) -> float:
    starts = [start for start, end in _courses(antibiotics) if end >= min(start + ANTIBIOTICS_H, stay_h)]
    found = float("inf")
    for culture in cultures:
        for start in starts:
            if -SUSPICION_ANTIBIOTICS_FIRST_H <= start - culture <= SUSPICION_CULTURE_FIRST_H:
                found = min(found, start, culture)
    return found


def _courses(given: list[tuple[float, float]], gap_h: float = 24.0) -> list[tuple[float, float]]:
    """Spans of treatment, joined where no more than a day lies between (doses of one course)."""
    courses: list[tuple[float, float]] = []
    for start, end in sorted(given):
        if courses and start <= courses[-1][1] + gap_h:
            courses[-1] = (courses[-1][0], max(courses[-1][1], end))
        else:
            courses.append((start, end))
    return courses


def sofa_rises(patient: Ints, sofa: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows (N,) at which SOFA is 2 or more above its lowest of the SOFA_WINDOW_H hours before."""
    lowest = np.full(patient.size, np.inf)
    for back in range(1, SOFA_WINDOW_H + 1):
        same = patient[back:] == patient[:-back]
        earlier = np.where(same & ~np.isnan(sofa[:-back]), sofa[:-back], np.inf)
        lowest[back:] = np.minimum(lowest[back:], earlier)
    with np.errstate(invalid="ignore"):
        found: NDArray[np.bool_] = np.isfinite(lowest) & (sofa - lowest >= SOFA_RISE)
    return found


def sepsis_onsets(
    patient: Ints, hour: Ints, rises: NDArray[np.bool_], suspicion_h: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Onset of sepsis by the Challenge's rule, hours from admission (P,), inf = none."""
    onset = np.full(suspicion_h.size, np.inf)
    since = hour[rises] - suspicion_h[patient[rises]]
    near = (since >= -SOFA_BEFORE_H) & (since <= SOFA_AFTER_H)
    who, when = patient[rises][near], hour[rises][near].astype(np.float64)
    np.minimum.at(onset, who, np.minimum(when, suspicion_h[who]))
    return onset
