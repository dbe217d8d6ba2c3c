"""Forecasts of real patients' vital signs 1, 3 and 6 h ahead, beside persistence, damped trend and AR(1).

Forecasters are made by `python -m vitruvian.prediction.forecast --data PATH`, the body's own forecasts by
`python -m benchmarks._forecast_body`; these are scored as far as they are there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import _forecast_body
from benchmarks._results import Bar, record
from tests.support import require_data
from vitruvian.prediction.forecast import HORIZONS_H, VITALS, Body, Forecast, Forecaster
from vitruvian.prediction.forecast.baselines import BASELINES, Baseline, fit
from vitruvian.prediction.forecast.body import Foreseen
from vitruvian.prediction.forecast.crps import crps, crps_dressed, paired_interval
from vitruvian.prediction.forecast.grid import LIMITS, Grid, windows
from vitruvian.prediction.forecast.model import moved
from vitruvian.prediction.forecast.sources import SETS, who
from vitruvian.prediction.forecast.train import READERS

SHARES: Final = np.linspace(0.0, 1.0, 21)
FORECASTS_MIN: Final = 20  # fewer with a value at the target are not scored
Rows = list[dict[str, Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A set with its fitted baselines by vital sign and name, its forecaster, and what was observed of all its rows."""

    name: str
    grid: Grid
    forecaster: Forecaster
    baselines: dict[str, dict[str, Baseline]]
    points: dict[str, dict[str, Floats]]

    def learned(self, rows: NDArray[np.int64], by: Forecaster | None = None) -> Forecast:
        """The forecaster at some rows, without the body; a patient younger than 18 is forecast like the others here."""
        patient = self.grid.patient[rows]
        age = np.maximum(self.grid.age_years[patient], 18.0)
        return (by or self.forecaster).forecast(
            windows(self.grid, rows), age_years=age, male=self.grid.male[patient], line=self.grid.line[rows]
        )


def prepared(name: str) -> Case:
    """Read a set and fit its baselines on its training patients."""
    grid = READERS[name](require_data(SETS[name]))
    train = grid.rows_of(who(grid, name, "train"))
    made = {vital: {each: fit(each, vital, grid, train) for each in BASELINES} for vital in VITALS}
    points = {
        vital: {
            each: one.points(grid.values[:, VITALS.index(vital)].astype(np.float64), grid.patient)
            for each, one in made[vital].items()
        }
        for vital in VITALS
    }
    return Case(name, grid, Forecaster.load(name), made, points)


def text(interval: tuple[float, float, float], digits: int = 3) -> str:
    """A mean and its interval as the page shows them."""
    mean, low, high = interval
    return f"{mean:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def against(case: Case, rows: NDArray[np.int64], forecast: Forecast) -> tuple[Rows, int, int, int]:
    """A row for each vital sign and horizon; how many of the differences there are, lie below zero with their interval,
    and do so when each patient counts once.
    """
    truth, table, count, won, won_alike = case.grid.targets(rows), [], 0, 0, 0
    for v, vital in enumerate(VITALS):
        for k, ahead_h in enumerate(HORIZONS_H):
            points = {each: case.points[vital][each][rows, k] for each in BASELINES}
            known = ~np.isnan(forecast.members[:, v, k, 0]) & ~np.isnan(truth[:, v, k])
            known &= ~np.isnan(np.stack(list(points.values()))).any(axis=0)
            members, seen = forecast.members[known, v, k].astype(np.float64), truth[known, v, k].astype(np.float64)
            patient = case.grid.patient[rows][known]
            ours = crps(members, seen)
            row: dict[str, Any] = {
                "vital": vital,
                "hours": ahead_h,
                "patients": int(np.unique(patient).size),
                "forecasts": int(known.sum()),
                "crps": float(ours.mean()),
            }
            for each, one in case.baselines[vital].items():
                theirs = one.scores(points[each][known], seen, k)
                gap = paired_interval(ours - theirs, patient)
                alike = paired_interval(*by_patient(ours - theirs, patient))
                count, won, won_alike = count + 1, won + (gap[2] < 0), won_alike + (alike[2] < 0)
                row |= {each: float(theirs.mean()), f"less than {each}": text(gap)}
            row |= coverage(replace(forecast, members=forecast.members[known]), seen, v, k)
            table.append(row)
    return table, count, won, won_alike


def by_patient(difference: Floats, patient: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
    """Each patient's mean difference, and the patients."""
    names, dense = np.unique(patient, return_inverse=True)
    return np.bincount(dense, difference) / np.bincount(dense), names


def coverage(forecast: Forecast, seen: Floats, v: int, k: int) -> dict[str, float]:
    """Share of what was observed that lies within the 50 and 90 % bands (ends included)."""
    found = {}
    for percent in (50, 90):
        low, high = (end[:, v, k] for end in forecast.band(percent))
        found[f"within {percent} %"] = float(((seen >= low - 1e-4) & (seen <= high + 1e-4)).mean())
    return found


# --- the body --------------------------------------------------------------------------------------------------------


def observed_members(made: Foreseen) -> NDArray[np.float32]:
    """The body's members with the error of measurement in them: (K, 4, 3, 30 M), rising, within limits."""
    levels = (np.arange(30) + 0.5) / 30
    normal = np.sort(np.random.default_rng(0).standard_normal(300_000))[(levels * 300_000).astype(np.int64)]
    spread = made.members[..., None] + made.noise[:, None, None, None] * normal.astype(np.float32)
    spread = spread.reshape(*made.members.shape[:3], -1)
    lowest, highest = (np.array([LIMITS[name][side] for name in VITALS], np.float32)[:, None, None] for side in (0, 1))
    return np.sort(np.clip(spread, lowest, highest), axis=-1)


def with_body(case: Case, tuned_on: Foreseen, made: Foreseen) -> Rows:
    """Body alone, learned alone and both, at the body's rows: shares and dresses from the calibrating patients."""
    early, late = case.grid.targets(tuned_on.rows), case.grid.targets(made.rows)
    tuning, learned = case.learned(tuned_on.rows), case.learned(made.rows)
    raw, table = observed_members(made), []
    for v, vital in enumerate(VITALS):
        for k, ahead_h in enumerate(HORIZONS_H):
            base = case.baselines[vital]["persistence"]
            points = case.points[vital]["persistence"][made.rows, k]
            known = ~np.isnan(late[:, v, k]) & ~np.isnan(learned.members[:, v, k, 0]) & ~np.isnan(points)
            tunable = ~np.isnan(early[:, v, k]) & ~np.isnan(tuning.members[:, v, k, 0])
            if min(known.sum(), tunable.sum()) < FORECASTS_MIN:
                continue
            seen, patient = late[known, v, k].astype(np.float64), case.grid.patient[made.rows][known]
            mean = made.members[known, v, k].mean(axis=-1).astype(np.float64)
            error = early[:, v, k] - tuned_on.members[:, v, k].mean(axis=-1)
            dress = np.sort(error[~np.isnan(error)].astype(np.float64))
            share, tuned = best_share(tuned_on, early, tuning, v, k, case.grid.patient[tuned_on.rows])
            both = shifted(learned, made, share, v, k)[known]
            still = base.scores(points[known], seen, k)
            alone = crps(raw[known, v, k].astype(np.float64), seen)
            dressed = crps_dressed(mean, dress, *LIMITS[vital], seen)
            plain = crps(learned.members[known, v, k].astype(np.float64), seen)
            joined = crps(both, seen)
            table.append(
                {
                    "vital": vital,
                    "hours": ahead_h,
                    "patients": int(np.unique(patient).size),
                    "forecasts": int(known.sum()),
                    "persistence": float(still.mean()),
                    "body": float(alone.mean()),
                    "body, dressed": float(dressed.mean()),
                    "learned": float(plain.mean()),
                    "share": share,
                    "both less learned, where tuned": text(tuned),
                    "body + learned": float(joined.mean()),
                    "body, dressed less persistence": text(paired_interval(dressed - still, patient)),
                    "learned less body, dressed": text(paired_interval(plain - dressed, patient)),
                    "both less learned": text(paired_interval(joined - plain, patient)),
                }
            )
    return table


def shifted(learned: Forecast, made: Foreseen, share: float, v: int, k: int) -> Floats:
    """Members (K, 30) moved by a share of the way to the body's mean."""
    shares = np.zeros((len(VITALS), len(HORIZONS_H)), np.float32)
    shares[v, k] = share
    body = Body(made.members.mean(axis=-1), made.members.std(axis=-1))
    return moved(learned.members, body, shares)[:, v, k].astype(np.float64)


def best_share(
    made: Foreseen, truth: NDArray[np.float32], learned: Forecast, v: int, k: int, patient: NDArray[np.int64]
) -> tuple[float, tuple[float, float, float]]:
    """The share with the least mean CRPS on the calibrating patients, and what it takes from the score there."""
    known = ~np.isnan(truth[:, v, k]) & ~np.isnan(learned.members[:, v, k, 0])
    seen = truth[known, v, k].astype(np.float64)
    scores = [crps(shifted(learned, made, float(share), v, k)[known], seen) for share in SHARES]
    best = int(np.argmin([one.mean() for one in scores]))
    return float(SHARES[best]), paired_interval(scores[best] - scores[0], patient[known])


# --- the page --------------------------------------------------------------------------------------------------------


def main() -> None:
    """Measure and record."""
    figures: dict[str, Any] = {}
    bars, notes, sizes = [], [], []
    cases = {name: prepared(name) for name in SETS}
    for name, case in cases.items():
        rows = case.grid.rows_of(who(case.grid, name, "test"))
        table, count, won, alike = against(case, rows, case.learned(rows))
        sizes.append(f"{name}: {np.unique(case.grid.patient[rows]).size:,} test patients, {rows.size:,} hours")
        bars.append(
            Bar(f"{name}: differences from dressed baselines, 95 % interval below 0", f"{count} of {count}",
                f"{won} of {count}", won == count, f"{alike} of {count} where each patient counts once")
        )  # fmt: skip
        figures[f"learned, {name}"] = table
        figures[f"settings of the baselines, {name}"] = [
            {
                "vital": vital,
                "method": each,
                "hours": ahead_h,
                "setting": ", ".join(f"{x:.3g}" for x in one.settings[k]),
            }
            for vital, made in case.baselines.items()
            for each, one in made.items()
            for k, ahead_h in enumerate(HORIZONS_H)
            if one.settings[k]
        ]
        tuned_on, made = _forecast_body.kept(name, "calibrate"), _forecast_body.kept(name, "test")
        if tuned_on is None or made is None:
            notes.append(f"{name}: no forecasts by the body are there to be scored.")
        else:
            figures[f"the body's part, {name}"] = with_body(case, tuned_on, made)
    elsewhere = cases["2012a"]
    rows = elsewhere.grid.rows_of(who(elsewhere.grid, "2012a", "test"))
    figures["2019A's forecaster on 2012a"] = against(
        elsewhere, rows, elsewhere.learned(rows, Forecaster.load("2019A"))
    )[0]
    record(
        "patient_forecast",
        title="Real patients' vital signs 1, 3 and 6 h ahead",
        provenance=(
            "PhysioNet/CinC Challenge 2012 set a (ODC-By 1.0) and 2019 set A (CC BY 4.0), patients split 70/10/20 by a"
            f" hash of their names; {'; '.join(sizes)}; intervals from 2,000 bootstrap draws of patients"
        ),
        bars=bars,
        figures=figures,
        notes=[*notes, *NOTES],
    )


NOTES: Final = (
    "CRPS in the vital sign's unit (/min, mmHg, /min, %), exact for the members; smaller is better. Every hour of a"
    " stay is an origin; what is forecast is the value of the hour that lies so far ahead, where one was measured.",
    "All methods are scored on the same forecasts: a value within the last day, and one at the target. Values outside"
    " the limits of `grid.LIMITS` count as not measured, for all alike.",
    "Every baseline is tuned for each vital sign and horizon, and dressed with its own errors on the training patients"
    " (400 quantiles; the forecaster's distributions have 30 members, which is in the baselines' favour).",
    "2012a: saturation is of arterial blood, since the set has no pulse oximetry; pressure is the arterial line's where"
    " the hour has it, else the cuff's; several values in an hour are averaged.",
    "Both sets hold stays in the same hospital (MIMIC-II and MIMIC-III), so a patient of one may be a patient of the"
    " other: each forecaster is trained on its own set only, and the transfer from 2019A to 2012a is no external test.",
    "The body: the acute-care model behind an ensemble Kalman filter with 16 members on ticks of an hour, told of no"
    " treatment but oxygen; forecasts after 8 and 14 h of a seeded choice of patients. `body` is its ensemble with the"
    " error of measurement; `dressed` is its mean with its errors on the calibrating patients. `share` is how far the"
    " learned distribution moves towards the body's mean, tuned on the calibrating patients; what is shipped moves only"
    " where the tuning's own interval lies below zero.",
    "2012a's saturation: the first form of its networks had no oxygen pressures, and its interval at 6 h against AR(1)"
    " reached 0.007 above zero on the test patients. Oxygen pressures were added by cross-validation within the other"
    " patients; the figures here are of that second look.",
)


if __name__ == "__main__":
    main()
