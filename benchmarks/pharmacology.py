"""Drugs: the compiled kinetics against their closed forms, interactions against theirs, and populations fitted to real
data against those in print.
"""

from __future__ import annotations

import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._results import Bar, record
from tests import pk_data
from tests.reference.test_pk_closed_form import KINETICS, MODELS, TIMES, on_paper, simulated
from tests.support import require_data
from tests.unit.test_pharmacology_tools import area
from vitruvian.physiology.pharmacology import THEOPHYLLINE
from vitruvian.physiology.pharmacology.closed_form import disposition
from vitruvian.physiology.pharmacology.interactions import auc_ratio
from vitruvian.physiology.pharmacology.population import fit_population
from vitruvian.physiology.run import held, run, start

BAR = 1e-6
# (data, people, names, guess, (additive, proportional) error to begin with, published values, where)
FITS: tuple[tuple[str, tuple[str, ...], list[float], tuple[float, float], list[float], str], ...] = (
    ("theophylline", ("clearance, L/h/kg", "volume, L/kg", "absorption, /h"), [0.05, 0.5, 1.0], (0.5, 0.0),
     [0.0402, 0.458, 1.57], "Pinheiro and Bates 2000, chapter 8"),
    ("warfarin", ("clearance, L/h of 70 kg", "volume, L of 70 kg"), [0.1, 10.0, 1.0, 0.8], (0.3, 0.1),
     [0.133, 8.1], "Holford's control file: 0.131 to 0.134, 8.06 to 8.17"),
    ("phenobarbital", ("clearance, L/h/kg", "volume, L/kg"), [0.006, 1.2], (2.0, 0.1), [0.0047, 0.96],
     "Grasela and Donn 1985"),
    ("indometacin", ("clearance, L/h", "volume, L", "flow, L/h", "second volume, L"), [8.0, 9.0, 6.0, 20.0],
     (0.05, 0.1), [], "reported only"),
)  # fmt: skip
SIMULATED = (
    ("Infusion_1CPT", ("clearance", "volume"), [3.0, 100.0]),
    ("Oral_1CPT", ("clearance", "volume", "absorption"), [3.0, 100.0, 0.7]),
    ("Bolus_2CPT", ("clearance", "volume", "flow", "second volume"), [3.0, 100.0, 6.0, 30.0]),
)


def closed_form() -> tuple[float, list[dict[str, Any]]]:
    """The largest relative error of the compiled models, and by model and way of giving."""
    rows = []
    for count, how in product((1, 2, 3), ("bolus", "infusion", "oral")):
        worst = 0.0
        for values in KINETICS:
            theirs = on_paper(disposition(*values[: 2 * count]), how)
            mine = simulated(MODELS[count - 1], values[: 2 * count], how)
            there = theirs > 1e-10  # mg/L: less than a tenth of a picogram in a mL is nothing
            worst = max(worst, float(np.abs(mine[there] / theirs[there] - 1.0).max()))
        rows.append({"compartments": count, "given": how, "points": 3 * len(TIMES), "largest relative error": worst})
    return max(row["largest relative error"] for row in rows), rows


def interactions() -> float:
    """The largest relative error of areas under interactions against Rowland and Matin's ratio."""
    shares = {"enzyme_share": 0.8, "renal_share": 0.3}
    alone, worst = area(shares, {}), 0.0
    for inhibition, induction in product((0.0, 1.0, 10.0), (0.0, 2.0)):
        ratio = area(shares, {"enzyme_inhibition": inhibition, "enzyme_induction": induction}) / alone
        worst = max(worst, abs(ratio / float(auc_ratio(**shares, inhibition=inhibition, induction=induction)) - 1.0))
    return worst


def real(folder: Path) -> list[dict[str, Any]]:
    """Populations of real data: fitted, spread between people, published."""
    rows = []
    for name, parameters, guess, error, published, where in FITS:
        subjects = getattr(pk_data, name)(folder)
        began = time.process_time()
        found = fit_population(subjects, guess, additive=error[0], proportional=error[1])
        for i, parameter in enumerate(parameters):
            value = float(found.typical[i])
            wanted = published[i] if published else None
            rows.append(
                {
                    "drug": name,
                    "people": len(subjects),
                    "parameter": parameter,
                    "fitted": value,
                    "standard error, %": round(100 * float(found.standard_errors[i]), 1),
                    "spread between people, %": round(100 * float(found.spread[i]), 1),
                    "published": wanted,
                    "difference, %": None if wanted is None else round(100 * (value / wanted - 1), 1),
                    "where": where,
                    "cpu_s": round(time.process_time() - began, 1),
                }
            )
    return rows


def made_up(folder: Path) -> list[dict[str, Any]]:
    """Simulated sets of 120 people, whose true parameters are known."""
    rows = []
    for name, parameters, guess in SIMULATED:
        subjects, truth = pk_data.simulated(folder, name)
        found = fit_population(subjects, guess, additive=1.0, proportional=0.2, rounds=30)
        typical = np.exp(np.log(truth).mean(axis=0))
        # How near each person's own parameters came, which is what a patient's twin needs.
        own = np.median(np.abs(np.log(found.individual / truth)), axis=0)
        for i, parameter in enumerate(parameters):
            rows.append(
                {
                    "data": name,
                    "people": len(subjects),
                    "parameter": parameter,
                    "fitted": float(found.typical[i]),
                    "true": float(typical[i]),
                    "difference, %": round(100 * float(found.typical[i] / typical[i] - 1), 1),
                    "of one person, median, %": round(100 * float(own[i]), 1),
                }
            )
    return rows


def speed() -> float:
    """Days of theophylline a CPU second, one person."""
    p = THEOPHYLLINE.parameter_values()[None, :]
    u = THEOPHYLLINE.rest()
    u[0] = 20.0
    y, days = start(THEOPHYLLINE, p), 1_000
    run(THEOPHYLLINE, y, p, 0.0, 24.0, (), held(u))
    began = time.process_time()
    run(THEOPHYLLINE, y, p, 0.0, 24.0 * days, (), held(u)).check(THEOPHYLLINE)
    return days / (time.process_time() - began)


def main() -> None:
    """Measure and record."""
    folder = require_data("pkpd")
    worst, rows = closed_form()
    by_interaction = interactions()
    fits, recovered = real(folder), made_up(folder)
    off = max(abs(row["difference, %"]) for row in fits if row["difference, %"] is not None)
    missed = max(abs(row["difference, %"]) for row in recovered)
    record(
        "pharmacology",
        title="Drugs against closed forms, interactions and published populations",
        provenance=(
            "closed forms: simulated; populations: theophylline (12 volunteers), warfarin (32), phenobarbital (59 "
            "newborns), indometacin (6), all of each; three simulated sets of 120 people"
        ),
        bars=[
            Bar("closed form, largest relative error", "<= 1e-6", f"{worst:.1e}", met=worst <= BAR),
            Bar("area ratios of interactions, largest relative error", "<= 1e-5", f"{by_interaction:.1e}",
                met=by_interaction <= 1e-5),
            Bar("populations of real data, largest difference from print, %", "<= 10", off, met=off <= 10),
            Bar("simulated populations, largest difference from the truth, %", "<= 10", missed, met=missed <= 10),
        ],
        figures={
            "theophylline_days_per_cpu_s": round(speed()),
            "closed_form": rows,
            "real_data": fits,
            "simulated_data": recovered,
        },
        notes=[
            "Closed form: three drugs (slow, middling, fast), each by bolus, infusion and mouth, 122 times over 48 h, "
            "wherever the concentration is above 1e-10 mg/L (doses of 100 mg).",
            "Populations by iterated two-stage (first order); the published ones by other methods and error models.",
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()
