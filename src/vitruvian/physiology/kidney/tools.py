"""What clinicians compute of the kidney: estimated and kinetic filtration, and KDIGO's stages of acute injury.

All take and return arrays, and a number where numbers are given.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vitruvian.core.errors import ModelError

__all__ = ["ckd_epi_2021", "kdigo_stage", "kinetic_gfr"]

WINDOW_RISE_H: Final = 48.0
RISE_MG_DL: Final = 0.3
ANURIA_ML_KG_H: Final = 0.05  # assumption: what measuring and flushing leave of nothing
_SLACK: Final = 1e-9


def ckd_epi_2021(creatinine_mg_dl: ArrayLike, age_years: ArrayLike, sex: str) -> Any:
    """Estimated glomerular filtration rate, mL/min/1.73 m2, of adults (Inker 2021 N Engl J Med 385:1737)."""
    kappa, alpha, factor = (0.9, -0.302, 1.0) if sex == "male" else (0.7, -0.241, 1.012)
    ratio = np.asarray(creatinine_mg_dl, np.float64) / kappa
    knee = np.minimum(ratio, 1.0) ** alpha * np.maximum(ratio, 1.0) ** -1.2
    return 142.0 * knee * 0.9938 ** np.asarray(age_years, np.float64) * factor


def kinetic_gfr(
    creatinine_before: ArrayLike,
    creatinine_after: ArrayLike,
    hours: ArrayLike,
    *,
    baseline_creatinine: ArrayLike,
    baseline_gfr: ArrayLike,
    largest_rise_per_day: ArrayLike,
) -> Any:
    """Filtration (unit of `baseline_gfr`) while creatinine (mg/dL) changes from one value to another within `hours`.

    `largest_rise_per_day` is what creatinine would rise in a day without any filtration: production over its volume.
    Source: Chen 2013 J Am Soc Nephrol 24:877, equation 3. Never below 0.
    """
    before, after = np.asarray(creatinine_before, np.float64), np.asarray(creatinine_after, np.float64)
    mean = 0.5 * (before + after)
    production = np.asarray(baseline_creatinine, np.float64) * np.asarray(baseline_gfr, np.float64)
    change = 24.0 * (after - before) / (np.asarray(hours, np.float64) * np.asarray(largest_rise_per_day, np.float64))
    return np.maximum(production / mean * (1.0 - change), 0.0)


def kdigo_stage(
    times_h: ArrayLike,
    creatinine_mg_dl: ArrayLike,
    baseline_mg_dl: ArrayLike,
    urine_ml_kg_h: ArrayLike | None = None,
    renal_replacement: ArrayLike = False,
) -> NDArray[np.int64]:
    """KDIGO's stage of acute kidney injury (0 to 3) at each time, from what was known by then (KDIGO 2012, table 2).

    times_h (T,) ascending; creatinine (..., T), NaN where none was measured (the last value counts); baseline (...),
    the usual creatinine; urine (..., T), the mean rate since the time before, NaN where it was not measured;
    renal_replacement (..., T) or one value. Returns (..., T). Raises ModelError where shapes do not fit.
    """
    times = np.asarray(times_h, np.float64)
    creatinine = np.atleast_1d(np.asarray(creatinine_mg_dl, np.float64))
    if times.ndim != 1 or creatinine.shape[-1] != len(times) or (np.diff(times) <= 0).any():
        raise ModelError(
            f"found creatinine {creatinine.shape} at times {times.shape}, expected (..., T) at T ascending times"
        )
    stage = _by_creatinine(times, creatinine, np.asarray(baseline_mg_dl, np.float64))
    if urine_ml_kg_h is not None:
        stage = np.maximum(stage, _by_urine(times, np.broadcast_to(np.asarray(urine_ml_kg_h), creatinine.shape)))
    return np.where(np.broadcast_to(np.asarray(renal_replacement, bool), creatinine.shape), 3, stage)


def _by_creatinine(times: NDArray[np.float64], creatinine: Any, baseline: Any) -> Any:
    stage = np.zeros(creatinine.shape, np.int64)
    last = np.full(creatinine.shape[:-1], np.nan)
    for i in range(len(times)):
        last = np.where(np.isnan(creatinine[..., i]), last, creatinine[..., i])
        recent = times[: i + 1] >= times[i] - WINDOW_RISE_H - _SLACK
        least = np.fmin.reduce(creatinine[..., : i + 1][..., recent], axis=-1)
        ratio = last / baseline + _SLACK
        risen = last - least >= RISE_MG_DL - _SLACK
        acute = risen | (ratio >= 1.5)
        now = np.where(acute, 1, 0)
        now = np.where(ratio >= 2.0, 2, now)
        now = np.where((ratio >= 3.0) | (acute & (last >= 4.0 - _SLACK)), 3, now)
        stage[..., i] = np.where(np.isnan(last), 0, now)
    return stage


def _by_urine(times: NDArray[np.float64], urine: Any) -> Any:
    """Stages by urine: the mean over the last 6, 12 and 24 hours, where all of them were measured."""
    stage = np.zeros(urine.shape, np.int64)
    widths = np.diff(times, prepend=times[0])
    for hours, limit, value in ((6.0, 0.5, 1), (12.0, 0.5, 2), (24.0, 0.3, 3), (12.0, ANURIA_ML_KG_H, 3)):
        for i in range(len(times)):
            begin = times[i] - hours
            if begin < times[0] - _SLACK:
                continue
            held = np.clip(times - np.maximum(times - widths, begin), 0.0, None)
            held[i + 1 :] = 0.0
            part = held > _SLACK
            mean = (urine[..., part] * held[part]).sum(axis=-1) / hours
            low = (mean < limit - _SLACK) & ~np.isnan(mean)
            stage[..., i] = np.maximum(stage[..., i], np.where(low, value, 0))
    return stage
