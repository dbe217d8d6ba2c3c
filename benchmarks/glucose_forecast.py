"""Sensor glucose 30 and 60 min ahead on four public sets, each person forecast by what was fitted to others.

    python -m benchmarks.glucose_forecast            measures and records
    python -m benchmarks.glucose_forecast --ship     fits to everyone and writes the shipped forecasters

Leave-one-person-out within each set. The two things that are searched for (the body's five numbers; the order and ridge
of the autoregression) come from the half of the set that the person is not in; weights come from all others.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks._glucose_data import KIND_OF, everyone
from benchmarks._results import Bar, record
from vitruvian.physiology.glucose import forecast as package
from vitruvian.physiology.glucose.forecast.body import HORIZONS_MIN
from vitruvian.physiology.glucose.forecast.features import NAMES
from vitruvian.physiology.glucose.forecast.fit import Rows, Sums, fit, fit_body, fit_errors, origins, rows, solve
from vitruvian.physiology.glucose.forecast.model import error_size
from vitruvian.physiology.glucose.forecast.series import Series

ORDERS_MIN = (10, 15, 20, 30, 45, 60, 90, 120, 180)
RIDGES = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1)
DRAWS = 4_000
BODY = [i for i, name in enumerate(NAMES) if "body" in name or name in ("plasma", "sensor", "appearance", "entering",
        "basal")]  # fmt: skip
PLAIN = [i for i, name in enumerate(NAMES) if name == "glucose" or (name.startswith("change_") and name[7:].isdigit())]
LINEAR = list(range(NAMES.index("missing") + 1))
METHODS = ("persistence", "AR", "body alone", "learned without body", "body + linear residual", "body + residual")
ABOUT = {
    "AZT1D": "AZT1D (CC BY 4.0)",
    "HUPA-UCM": "HUPA-UCM diabetes dataset (CC BY 4.0)",
    "BIGIDEAs": "BIG IDEAs glycemic variability and wearable data, PhysioNet (ODC-By 1.0)",
    "Colas_2019": "Colas et al., PLoS ONE 14 (2019) e0225817 (CC BY 4.0)",
}


@dataclass
class Person:
    """Errors of each method on one person (N, 2), and whether the intervals held."""

    data: str
    name: str
    errors: dict[str, np.ndarray]
    inside: dict[int, np.ndarray]

    def rmse(self, method: str) -> np.ndarray:
        """Root mean squared error at each horizon (2,), mg/dL."""
        return np.sqrt((self.errors[method] ** 2).mean(axis=0))


def past(series: Series) -> np.ndarray:
    """The autoregression's columns at each origin: the reading and its changes back to three hours, gaps bridged."""
    known = np.isfinite(series.glucose)
    at = np.arange(len(known))
    bridged = np.interp(at, at[known], series.glucose[known])
    lags = range(1, series.steps(max(ORDERS_MIN)) + 1)
    columns = [bridged] + [bridged[np.maximum(at - k, 0)] - bridged for k in lags]
    return np.column_stack(columns)[origins(series)]


def some(sums: Sums, columns: Sequence[int]) -> Sums:
    """The sums of some of the columns, and the 1."""
    keep = [*columns, len(sums.gram) - 1]
    return Sums(sums.gram[np.ix_(keep, keep)], sums.cross[keep])


def left_out(tables: list[np.ndarray], sums: list[Sums], columns: Sequence[int], ridge: float) -> list[np.ndarray]:
    """What each person is forecast (N, 2) by weights from all the others."""
    total = sums[0]
    for one in sums[1:]:
        total = total + one
    made = []
    for table, own in zip(tables, sums, strict=True):
        weights, offset = solve(some(total - own, columns), ridge)
        made.append(table[:, columns] @ weights + offset)
    return made


def tuned(tables: list[np.ndarray], sums: list[Sums], wanted: list[np.ndarray], step_min: float) -> tuple[int, float]:
    """The order (columns) and ridge of the autoregression that err least on these people, each left out in turn."""
    best = (np.inf, 1, RIDGES[0])
    for order_min in ORDERS_MIN:
        columns = list(range(round(order_min / step_min) + 1))
        for ridge in RIDGES:
            made = left_out(tables, sums, columns, ridge)
            cost = np.mean([np.sqrt(((m - w) ** 2).mean(axis=0)) for m, w in zip(made, wanted, strict=True)])
            best = min(best, (float(cost), len(columns), ridge))
    return best[1], best[2]


def one_set(data: str, names: list[str], courses: list[Series]) -> list[Person]:
    """Every person of a set, forecast by every method."""
    halves = [[i for i in range(len(courses)) if i % 2 == k] for k in (0, 1)]
    change = [np.column_stack([(c.ahead(m) - c.glucose)[origins(c)] for m in HORIZONS_MIN]) for c in courses]
    lags = [past(one) for one in courses]
    lag_sums = [Sums.of(*one) for one in zip(lags, change, strict=True)]
    people = []
    for mine, others in (halves, halves[::-1]):
        order, ridge = tuned(*([x[i] for i in others] for x in (lags, lag_sums, change)), courses[0].step_min)  # type: ignore[call-arg]
        body = fit_body([courses[i] for i in others])
        print(f"{data}: autoregression of {order} columns, ridge {ridge:g}; {body}", flush=True)
        seen = [rows(one, body) for one in courses]
        by_method = {
            "AR": left_out(lags, lag_sums, range(order), ridge),
            **residuals(seen, change),
        }
        full = [r.glucose[:, None] + m for r, m in zip(seen, by_method["body + residual"], strict=True)]
        scale, spread = fit_errors([seen[i] for i in others], [full[i] for i in others])
        for i in mine:
            errors = {method: made[i] - change[i] for method, made in by_method.items()}
            errors["persistence"] = -change[i]
            people.append(Person(data, names[i], errors, coverage(seen[i], full[i], scale, spread)))
    return people


def residuals(seen: list[Rows], change: list[np.ndarray]) -> dict[str, list[np.ndarray]]:
    """What the body and the residuals forecast as change from the present reading, each person left out."""
    alone = [one.alone - one.glucose[:, None] for one in seen]
    tables = [one.table for one in seen]
    on_body = [Sums.of(one.table, one.left) for one in seen]
    on_reading = [Sums.of(one.table, came) for one, came in zip(seen, change, strict=True)]
    without = [i for i in range(len(NAMES)) if i not in BODY]
    made = {
        "body alone": alone,
        "learned without body": left_out(tables, on_reading, without, 1e-3),
    }
    for name, columns in (("body + linear residual", LINEAR), ("body + residual", range(len(NAMES)))):
        added = left_out(tables, on_body, list(columns), 1e-3)
        made[name] = [a + b for a, b in zip(alone, added, strict=True)]
    return made


def coverage(one: Rows, mean: np.ndarray, scale: np.ndarray, spread: np.ndarray) -> dict[int, np.ndarray]:
    """The share of what came that lay within the 50 and the 90 % interval (2,)."""
    size = error_size(scale, one.table, mean, one.restless)
    off = (one.left + one.alone - mean) / size
    found = {}
    for percent, low, high in ((50, spread[:, 1], spread[:, 3]), (90, spread[:, 0], spread[:, 4])):
        found[percent] = ((off >= low) & (off <= high)).mean(axis=0)
    return found


def difference(people: Sequence[Person], method: str, against: str) -> list[dict[str, float]]:
    """At each horizon: the mean over people of the paired difference of root mean squared error, its 95 % interval
    (bootstrap over people), and the share of people in whom it is below 0.
    """
    paired = np.array([one.rmse(method) - one.rmse(against) for one in people])
    draws = np.random.Generator(np.random.Philox(key=3)).integers(0, len(paired), (DRAWS, len(paired)))
    means = paired[draws].mean(axis=1)
    return [
        {
            "mean": float(paired[:, h].mean()),
            "low": float(np.quantile(means[:, h], 0.025)),
            "high": float(np.quantile(means[:, h], 0.975)),
            "better_share": float((paired[:, h] < 0).mean()),
        }
        for h in range(len(HORIZONS_MIN))
    ]


def said(found: dict[str, float]) -> str:
    """As a table shows it."""
    return f"{found['mean']:+.2f} ({found['low']:+.2f} to {found['high']:+.2f})"


def main() -> None:
    """Measure and record."""
    if "--ship" in sys.argv:
        ship()
        return
    started_s = time.process_time()
    found, unused = everyone()
    people: list[Person] = []
    for data in KIND_OF:
        mine = [one for one in found if one.data == data and origins(one.series).sum() >= 50]
        people += one_set(data, [one.name for one in mine], [one.series for one in mine])
    groups: dict[str, Callable[[Person], bool]] = {"all people": lambda _: True}
    groups |= {data: (lambda one, data=data: one.data == data) for data in KIND_OF}
    bars, errors, differences, intervals = [], [], [], []
    for group, belongs in groups.items():
        chosen = [one for one in people if belongs(one)]
        for h, minutes in enumerate(HORIZONS_MIN):
            ahead = f"{minutes:g} min"
            errors.append(
                {"people": group, "n": len(chosen), "ahead": ahead}
                | {method: round(float(np.mean([one.rmse(method)[h] for one in chosen])), 2) for method in METHODS}
            )
            against = {name: difference(chosen, "body + residual", name)[h] for name in METHODS[:-1]}
            differences.append({"people": group, "ahead": ahead} | {name: said(one) for name, one in against.items()})
            intervals.append(
                {"people": group, "ahead": ahead}
                | {f"within_{p}": round(float(np.mean([one.inside[p][h] for one in chosen])), 3) for p in (50, 90)}
            )
            for name in ("persistence", "AR") if group == "all people" else ():
                one = against[name]
                note = f"better in {one['better_share']:.0%} of people"
                bars.append(Bar(f"{ahead}, RMSE less that of {name}, mg/dL", "< 0 with its 95 % interval", said(one),
                                met=one["high"] < 0, note=note))  # fmt: skip
    moments = sum(len(one.errors["AR"]) for one in people)
    record(
        "glucose_forecast",
        title="Sensor glucose 30 and 60 min ahead",
        provenance=f"real: {', '.join(ABOUT.values())}; {len(people)} people, {moments:,} moments, each person "
        "forecast by what was fitted to the others of the set",
        bars=bars,
        figures={
            "people": len(people),
            "moments": moments,
            "left_out": ", ".join(unused) + ": no phase of really read values",
            "cpu_s": round(time.process_time() - started_s, 1),
            "mean_of_people_rmse_mg_dl": errors,
            "body_plus_residual_less_the_other_mg_dl": differences,
            "share_within_the_interval": intervals,
        },
        notes=[
            "Moments: something was read then, and 30 and 60 min later, after two hours of the course. Errors are root "
            "mean squares by person, then the mean over people; intervals are a bootstrap over people of the paired "
            f"difference, {DRAWS:,} draws.",
            "AR: direct linear regression on the reading and its changes back to an order tuned (with its ridge) on "
            "the half of the set that the person is not in, fitted to all others; gaps bridged as for ours.",
            "Body alone: the Kalman filter of `forecast/body.py`. Learned without body: the same columns less all that "
            "come from the body. Body + linear residual: the body, recent changes, the person's past and the clock, "
            "without products. Body + residual: what is shipped.",
            "The columns were chosen while looking at these same people, each left out of what forecasts them; people "
            "of other sets have not been looked at.",
            "HUPA-UCM was interpolated to 5 min before publication; every third value, the one really read, is used.",
            "The people of Colas 2019 are 208 of the 270 and weigh so in the first row; the sets stand below it.",
            "From readings alone the sensor's lag cannot be told from the gut's: the search leaves it at its bound.",
        ],
    )


def ship() -> None:
    """Fit to everyone and write the forecasters that the package ships."""
    found, _ = everyone()
    made = []
    for data, kind in KIND_OF.items():
        courses = [one.series for one in found if one.data == data and origins(one.series).sum() >= 50]
        about = f"fitted to {len(courses)} people of {ABOUT[data]}"
        made.append(rounded(fit(kind, courses, about).to_json()))
    where = Path(package.__file__).parent / "models.json"
    where.write_text(json.dumps(made, indent=1) + "\n", "utf-8")
    print(f"{where}: {', '.join(one['kind'] for one in made)}")


def rounded(value: object) -> object:
    """Seven significant digits, enough for a hundredth of a mg/dL."""
    if isinstance(value, float):
        return float(f"{value:.7g}")
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main()
