"""What the scores read of each patient: the newest valid value of every input, and its age.

A value counts only while it is younger than its concept's `valid_for_s`; after that it is *missing*, never zero and
never the last value as if it were live. A value dated slightly ahead of the clock (a skewed source) counts as new:
age 0.

Where two concepts answer one question the rule is stated in `pick`: the fresher one, and within `PREFER_WITHIN_S`
of each other the preferred one (an invasive line before a cuff, the ECG's heart rate before the pulse).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Points = npt.NDArray[np.int8]

INPUTS: Final[tuple[str, ...]] = (
    "respiratory_rate",
    "oxygen_saturation",
    "spo2_scale_2",
    "oxygen_supplementation",
    "oxygen_flow",
    "inspired_oxygen_fraction",
    "systolic_pressure",
    "systolic_pressure_arterial",
    "heart_rate",
    "pulse_rate",
    "consciousness",
    "glasgow_coma_score",
    "glasgow_eye",
    "glasgow_verbal",
    "glasgow_motor",
    "body_temperature",
    "pregnancy",
    "diastolic_pressure",
    "diastolic_pressure_arterial",
    "mean_pressure",
    "mean_pressure_arterial",
    "arterial_oxygen",
    "mechanical_ventilation",
    "platelets",
    "bilirubin_total",
    "norepinephrine",
    "epinephrine",
    "dopamine",
    "dobutamine",
    "creatinine",
)
AT: Final[dict[str, int]] = {name: position for position, name in enumerate(INPUTS)}

PREFER_WITHIN_S: Final = 300.0  # two methods this close in time: the preferred one; else the fresher one
MISSING: Final = -1  # points of a part whose inputs are missing

_SECONDS_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Inputs:
    """The newest valid values of n patients, in the order of `INPUTS` (K of them).

    `value` (K, n): in the concept's own unit, NaN where never measured or expired. `age_s` (K, n): seconds since it
    occurred, not below 0, NaN where never measured (an expired input keeps its age, so that a view can say how old
    it was). `years` (n,): completed years of age, NaN where the birth date is not known. `urine_24h_ml` (n,): urine
    of the last 24 h, NaN where less than 24 h of it was charted.
    """

    value: Floats
    age_s: Floats
    years: Floats
    urine_24h_ml: Floats

    def __len__(self) -> int:
        """The number of patients."""
        return int(self.value.shape[1])

    def of(self, name: str) -> Floats:
        """The values (n,) of one input."""
        column: Floats = self.value[AT[name]]
        return column


def inputs_from(
    value: Floats,
    occurred_us: Ints,
    now_us: int | Ints,
    valid_for_s: Floats,
    birth_us: Ints | None = None,
    urine_24h_ml: Floats | None = None,
) -> Inputs:
    """Mask what has expired and measure ages; pure.

    `value`, `occurred_us` (K, n) in the order of `INPUTS`, NaN where never measured; `now_us` one instant or (n,);
    `valid_for_s` (K,); `birth_us` (n,) with `NO_BIRTH` where unknown.
    """
    count = value.shape[1]
    now = np.broadcast_to(np.asarray(now_us, dtype=np.int64), (count,))
    absent = np.isnan(value)
    # Never measured is the smallest integer, from which nothing may be subtracted.
    age_s = np.maximum((now[None, :] - np.where(absent, now[None, :], occurred_us)) / _SECONDS_US, 0.0)
    age_s[absent] = np.nan
    with np.errstate(invalid="ignore"):
        live = np.where(absent | (age_s > valid_for_s[:, None]), np.nan, value)
    years = np.full(count, np.nan) if birth_us is None else completed_years(birth_us, now)
    urine = np.full(count, np.nan) if urine_24h_ml is None else urine_24h_ml
    return Inputs(live, age_s, years, urine)


NO_BIRTH: Final = np.iinfo(np.int64).min


def completed_years(birth_us: Ints, now_us: Ints) -> Floats:
    """Whole years (n,) between birth dates and instants by the calendar (a person of 15 turns 16 on the birthday,
    UTC).
    """
    known = birth_us != NO_BIRTH
    born = np.where(known, birth_us, 0).astype("datetime64[us]").astype("datetime64[D]")
    today = now_us.astype("datetime64[us]").astype("datetime64[D]")
    years = (today.astype("datetime64[Y]") - born.astype("datetime64[Y]")).astype(np.float64)
    months = _month(today) - _month(born)
    before = (months < 0) | ((months == 0) & (_day(today) < _day(born)))
    return np.where(known, np.where(before, years - 1, years), np.nan)


def _month(days: npt.NDArray[np.datetime64]) -> Ints:
    months: Ints = (days.astype("datetime64[M]") - days.astype("datetime64[Y]").astype("datetime64[M]")).astype(
        np.int64
    )
    return months


def _day(days: npt.NDArray[np.datetime64]) -> Ints:
    since_first: Ints = (days - days.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)
    return since_first


def pick(inputs: Inputs, preferred: str, other: str) -> tuple[Floats, Points]:
    """The value of whichever of two inputs is to be used (n,), and its place in `INPUTS` (n,), `MISSING` where
    neither is valid.

    The fresher one; within `PREFER_WITHIN_S` of each other, `preferred`.
    """
    first, second = AT[preferred], AT[other]
    a, b = inputs.value[first], inputs.value[second]
    with np.errstate(invalid="ignore"):
        use_b = ~np.isnan(b) & (np.isnan(a) | (inputs.age_s[second] + PREFER_WITHIN_S < inputs.age_s[first]))
    value = np.where(use_b, b, a)
    place = np.where(np.isnan(value), MISSING, np.where(use_b, second, first)).astype(np.int8)
    return value, place


def glasgow(inputs: Inputs) -> tuple[Floats, Floats]:
    """Glasgow Coma Score (n,) and its age in seconds (n,): the charted total, or the sum of eye, verbal and motor.

    A sum needs all three and is as old as the oldest of them. The fresher of the two counts, the total where they are
    together: a total of the morning must not hide that the responses of the afternoon are worse. NaN where neither is
    valid.
    """
    total, total_age_s = inputs.of("glasgow_coma_score"), inputs.age_s[AT["glasgow_coma_score"]]
    places = [AT["glasgow_eye"], AT["glasgow_verbal"], AT["glasgow_motor"]]
    parts, parts_age_s = inputs.value[places].sum(axis=0), inputs.age_s[places].max(axis=0)
    with np.errstate(invalid="ignore"):
        use_parts = ~np.isnan(parts) & (np.isnan(total) | (parts_age_s + PREFER_WITHIN_S < total_age_s))
    score = np.where(use_parts, parts, total)
    return score, np.where(np.isnan(score), np.nan, np.where(use_parts, parts_age_s, total_age_s))


def altered(inputs: Inputs) -> Floats:
    """1 where consciousness is altered, 0 where alert, NaN where not assessed (n,).

    ACVPU other than Alert, or a Glasgow Coma Score under 15; the fresher assessment decides, ACVPU where they are
    together. That GCS < 15 counts as "not alert" is an assumption: the RCP chart has no GCS (its report maps GCS 15
    to Alert).
    """
    acvpu, (gcs, gcs_age_s) = inputs.of("consciousness"), glasgow(inputs)
    acvpu_age_s = inputs.age_s[AT["consciousness"]]
    with np.errstate(invalid="ignore"):
        use_gcs = ~np.isnan(gcs) & (np.isnan(acvpu) | (gcs_age_s + PREFER_WITHIN_S < acvpu_age_s))
        verdict = np.where(use_gcs, gcs < 15, acvpu > 0).astype(np.float64)
    return np.where(use_gcs | ~np.isnan(acvpu), verdict, np.nan)


def on_oxygen(inputs: Inputs) -> Floats:
    """1 where supplemental oxygen is given, 0 where on air, NaN where nothing says (n,).

    The freshest of: `oxygen_supplementation`, `oxygen_flow` above 0, `inspired_oxygen_fraction` above 0.21
    (compared in whole per cent, so that a charted 0.209 to 0.214 is air); oxygen wins between statements of the
    same moment.
    """
    places = [AT["oxygen_supplementation"], AT["oxygen_flow"], AT["inspired_oxygen_fraction"]]
    value = inputs.value[places]
    with np.errstate(invalid="ignore"):
        says = np.stack([value[0] > 0, value[1] > 0, np.floor(value[2] * 100 + 0.5) > 21])
    known = ~np.isnan(value)
    age = np.where(known, inputs.age_s[places], np.inf)
    freshest = known & (age <= age.min(axis=0))
    return np.where(known.any(axis=0), (says & freshest).any(axis=0), np.nan).astype(np.float64)
