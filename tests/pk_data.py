"""The real pharmacokinetic data sets as subjects to fit: what was given, what was measured, and the closed form."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vitruvian.physiology.pharmacology.closed_form import bolus, disposition, infusion, oral
from vitruvian.physiology.pharmacology.population import Subject

Row = dict[str, str]


def grouped(path: Path, key: str) -> list[list[Row]]:
    """Rows of a table by subject, in order."""
    found: dict[str, list[Row]] = defaultdict(list)
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines):
            found[row[key]].append(row)
    return list(found.values())


def column(rows: list[Row], name: str) -> np.ndarray:
    """A column as numbers; empty ones are NaN."""
    return np.array([float(row[name]) if row[name] not in ("", "NA") else np.nan for row in rows])


def summed(one: Callable[[np.ndarray, float], np.ndarray], times: np.ndarray, doses: np.ndarray) -> np.ndarray:
    """The concentration of several doses (n, 2: time, amount): linear kinetics add."""
    total = np.zeros(len(times))
    for at, amount in doses:
        after = times >= at
        total[after] += one(times[after] - at, amount)
    return total


def theophylline(folder: Path) -> list[Subject]:
    """12 volunteers, 4 mg/kg by mouth; parameters clearance (L/h/kg), volume (L/kg), absorption (/h)."""

    def subject(rows: list[Row]) -> Subject:
        times, seen, dose = column(rows, "Time"), column(rows, "conc"), float(rows[0]["Dose"])
        return Subject(lambda x: oral(disposition(x[0], x[1]), times, dose, x[2]), seen)

    return [subject(rows) for rows in grouped(folder / "Theoph.csv", "Subject")]


def indometacin(folder: Path) -> list[Subject]:
    """6 volunteers, 25 mg into a vein; parameters clearance, volume, flow_2, volume_2 (L/h, L)."""

    def subject(rows: list[Row]) -> Subject:
        times, seen = column(rows, "time"), column(rows, "conc")
        return Subject(lambda x: bolus(disposition(*x), times, 25.0), seen)

    return [subject(rows) for rows in grouped(folder / "Indometh.csv", "Subject")]


def warfarin(folder: Path) -> list[Subject]:
    """32 volunteers, 1.5 mg/kg by mouth; clearance and volume of 70 kg, absorption, and 1 + lag (h)."""

    def subject(rows: list[Row]) -> Subject:
        measured = [row for row in rows if row["dvid"] == "cp" and row["evid"] == "0"]
        dose = sum(float(row["amt"]) for row in rows if row["evid"] == "1" and row["dvid"] == "cp")
        times, seen = column(measured, "time"), column(measured, "dv")
        size = float(rows[0]["wt"]) / 70.0

        def predict(x: np.ndarray) -> np.ndarray:
            return oral(disposition(x[0] * size**0.75, x[1] * size), times, dose, x[2], lag=x[3])

        return Subject(predict, seen)

    return [subject(rows) for rows in grouped(folder / "warfarin.csv", "id")]


def phenobarbital(folder: Path) -> list[Subject]:
    """59 newborns, repeated injections; clearance (L/h/kg) and volume (L/kg)."""

    def subject(rows: list[Row]) -> Subject:
        doses = np.array([(float(r["TIME"]), float(r["AMT"])) for r in rows if r["EVID"] == "1"])
        measured = [row for row in rows if row["EVID"] == "0"]
        times, seen, weight = column(measured, "TIME"), column(measured, "DV"), float(rows[0]["WT"])

        def predict(x: np.ndarray) -> np.ndarray:
            drug = disposition(x[0] * weight, x[1] * weight)
            return summed(lambda t, amount: bolus(drug, t, amount), times, doses)

        return Subject(predict, seen)

    return [subject(rows) for rows in grouped(folder / "pheno_sd.csv", "ID")]


def simulated(folder: Path, name: str) -> tuple[list[Subject], np.ndarray]:
    """Single doses of a simulated set (SD = 1), and each subject's true parameters (N, K), in mg and L."""
    names = {"Bolus_2CPT": ("CL", "V1", "Q", "V2"), "Infusion_1CPT": ("CL", "V"), "Oral_1CPT": ("CL", "V", "KA")}[name]
    subjects, truth = [], []
    for rows in grouped(folder / f"{name}.csv", "ID"):
        single = [row for row in rows if row["SD"] == "1" and row["SS"] in ("99", "0")]
        given = next(row for row in single if row["EVID"] == "1")
        measured = [row for row in single if row["EVID"] == "0"]
        times, seen = column(measured, "TIME"), column(measured, "DV")
        amount, rate = float(given["AMT"]), float(given.get("RATE", 0) or 0)
        subjects.append(Subject(_single(name, times, amount, rate), seen))
        truth.append([float(given[one]) for one in names])
    return subjects, np.array(truth)


def _single(name: str, times: np.ndarray, amount: float, rate: float) -> Callable[[np.ndarray], np.ndarray]:
    if name == "Bolus_2CPT":
        return lambda x: bolus(disposition(*x), times, amount)
    if name == "Infusion_1CPT":
        return lambda x: infusion(disposition(*x), times, rate, amount / rate)
    return lambda x: oral(disposition(x[0], x[1]), times, amount, x[2])
