"""A member of the site's own: the logistic regression fitted on its new patients, to be weighed with the old members.

It is fitted on one half of the patients to learn from and weighed on the other, since weighed on its own patients it
would look better than it is; and it begins with no weight at all, so that it must earn it. Needs the extra `train`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.families.rows import LogisticFamily, LogisticSettings
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.serve.bundle import Bundle
from vitruvian.prediction.sites.scoring import Scored

__all__ = ["SiteMember", "joined", "site_member"]

PENALTY: Final = 1000.0  # a new site has few patients
PARITY_ROWS: Final = 5_000


@dataclass(frozen=True, slots=True)
class SiteMember:
    """`row` of bundle.json, its `graphs` by file name, and the log-odds (N,) it gives a site's cohort."""

    row: dict[str, Any]
    graphs: dict[str, bytes]
    logit: NDArray[np.float64]


def site_member(bundle: Bundle, cohort: Cohort, table: Table, patients: NDArray[np.int64], work: Path) -> SiteMember:
    """Fit on these patients' labelled rows, with what members of the variant without habits of care read.

    Graphs are written to `work` and read back. Raises ModelError where the rows are of one kind only.
    """
    variants = bundle.told["variants"]
    chosen = variants.get("no_practice", next(iter(variants.values())))["members"]
    read = [one["features"] for one in bundle.told["members"] if one["name"] in chosen]
    features = tuple(dict.fromkeys(name for names in read for name in names))
    rows = cohort.measured_rows(patients)
    goal = Goal((cohort.label > 0).astype(np.float64), np.ones(cohort.label.size), rows, rows[:0])
    family = LogisticFamily(LogisticSettings(penalties=(PENALTY,)))
    fitted = family.fit(table, features, goal, seed=0, say=lambda _: None)
    taken = {one["name"] for one in bundle.told["members"]}
    name = next(name for number in range(1, len(taken) + 2) if (name := f"site{number}") not in taken)
    work.mkdir(parents=True, exist_ok=True)
    file = fitted.save(work, name, table, rows[:PARITY_ROWS])
    row = file.as_json() | {"slope": 1.0, "intercept": 0.0}
    logit = fitted.logit(table, np.arange(table.label.size))
    return SiteMember(row, {path.name: path.read_bytes() for path in work.glob(f"{name}.*")}, logit)


def joined(scored: Scored, member: SiteMember) -> Scored:
    """A variant with the site's member in it, at no weight."""
    return replace(
        scored,
        members=(*scored.members, member.row["name"]),
        member_logit=np.column_stack([scored.member_logit, member.logit]),
        weights=np.append(scored.weights, 0.0),
    )
