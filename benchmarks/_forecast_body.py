"""The body's own forecasts of real patients, kept batch by batch in var/, since an hour of sixteen members costs time.

`python -m benchmarks._forecast_body [batches]` adds batches (12 patients of each set and role) until there are so many;
`patient_forecast` scores what is there and says how many.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks._results import REPOSITORY
from tests.support import require_data
from vitruvian.prediction.forecast.body import Foreseen, complete, foresee, hourly_filter
from vitruvian.prediction.forecast.grid import HORIZONS_H, VITALS, Grid
from vitruvian.prediction.forecast.sources import SETS, who
from vitruvian.prediction.forecast.train import READERS

MEMBERS: Final = 16
BATCH: Final = 12
AFTER_H: Final = (8, 14)
KEPT: Final = REPOSITORY / "var" / "patient_forecast"
ROLES: Final = ("calibrate", "test")


def chosen(grid: Grid, name: str, role: str) -> NDArray[np.int64]:
    """Patients of a role whose stay reaches the last target and who have at least three of the vital signs in the first
    eight hours, in a seeded order.
    """
    known = []
    filled = np.maximum.accumulate(grid.patient)  # patients lie in order, empty rows between
    for patient in who(grid, name, role):  # type: ignore[arg-type]
        rows = np.arange(np.searchsorted(filled, patient), np.searchsorted(filled, patient, side="right"))
        rows = rows[grid.patient[rows] == patient]
        early = grid.values[rows[: AFTER_H[0]], : len(VITALS)]
        adult = not grid.age_years[patient] < 18
        if rows.size >= AFTER_H[-1] + HORIZONS_H[-1] and (~np.isnan(early)).any(axis=0).sum() >= 3 and adult:
            known.append(patient)
    return np.random.default_rng(0).permutation(np.array(known, np.int64))


def path_of(name: str, role: str, batch: int) -> Path:
    """Where a batch is kept."""
    return KEPT / f"{name}_{role}_{batch:03d}.npz"


def kept(name: str, role: str) -> Foreseen | None:
    """Everything kept of a set and role; None where there is nothing."""
    parts = [np.load(path) for path in sorted(KEPT.glob(f"{name}_{role}_*.npz"))]
    if not parts:
        return None
    rows = np.concatenate([part["rows"] for part in parts])
    return Foreseen(rows, complete(np.concatenate([part["members"] for part in parts])), parts[0]["noise"])


def main(batches: int) -> None:
    """Add batches until there are so many of each set and role."""
    KEPT.mkdir(parents=True, exist_ok=True)
    grids = {name: READERS[name](require_data(SETS[name])) for name in SETS}
    order = {(name, role): chosen(grids[name], name, role) for name in SETS for role in ROLES}
    one = hourly_filter(MEMBERS)
    for batch in range(batches):
        for (name, role), patients in order.items():
            path = path_of(name, role, batch)
            if not path.exists():
                made = foresee(one, grids[name], patients[batch * BATCH : (batch + 1) * BATCH], AFTER_H, name)
                np.savez(path, rows=made.rows, members=made.members, noise=made.noise)
                sys.stderr.write(f"{path.name}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4)
