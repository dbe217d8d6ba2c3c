"""simglucose's patients as members of our model: its parameters and its day, read from the installed package.

simglucose registers itself with an old gym when it is imported as a package, which needs more than its patient does;
so its module of patients is loaded by path, as it stands.
"""

from __future__ import annotations

import csv
import importlib
import importlib.util
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.support import missing
from vitruvian.physiology.glucose import UVA_PADOVA
from vitruvian.physiology.run import Schedule

DAY_MIN = 1440
MEALS = ((420, 50), (720, 80), (1110, 70))  # minute of the day, g of carbohydrate; each with its bolus
EAT_G_MIN = 5

# Ours <- the column of simglucose's table.
NAMES = {
    "weight": "BW", "glucose_volume": "Vg", "k1": "k1", "k2": "k2", "insulin_volume": "Vi", "m1": "m1", "m2": "m2",
    "m3": "m30", "m4": "m4", "k_max": "kmax", "k_min": "kmin", "k_abs": "kabs", "bioavailability": "f",
    "emptying_b": "b", "emptying_d": "d", "kp1": "kp1", "kp2": "kp2", "kp3": "kp3", "ki": "ki", "f_cns": "Fsnc",
    "v_m0": "Vm0", "v_mx": "Vmx", "k_m0": "Km0", "p2u": "p2u", "ke1": "ke1", "ke2": "ke2",
    "basal_insulin_level": "Ib", "ka1": "ka1", "ka2": "ka2", "kd": "kd", "k_interstitial": "ksc",
    "basal_insulin": "u2ss",
}  # fmt: skip


@dataclass(frozen=True)
class Patient:
    """One of the thirty: simglucose's row, our parameters (P,) and its table's start in our states (S,)."""

    name: str
    row: dict[str, Any]
    carbohydrate_ratio: float  # g of carbohydrate for a unit of insulin, from its table
    p: np.ndarray
    y: np.ndarray


def folder() -> Path:
    """Where simglucose is installed; skips (fails in CI) where it is not."""
    found = importlib.util.find_spec("simglucose")
    if found is None or not found.submodule_search_locations:
        missing("simglucose is not installed: pip install --no-deps simglucose==0.2.11")
    return Path(next(iter(found.submodule_search_locations)))


def simglucose_patient() -> Any:
    """The class T1DPatient of the installed package."""
    where = folder()
    if "simglucose" not in sys.modules:
        package = types.ModuleType("simglucose")
        package.__path__ = [str(where)]
        package.__file__ = str(where / "__init__.py")
        package.__spec__ = importlib.util.find_spec("simglucose")
        sys.modules["simglucose"] = package
        resources = types.ModuleType("pkg_resources")
        resources.resource_filename = lambda _name, path: str(where / path)  # type: ignore[attr-defined]
        before = sys.modules.get("pkg_resources")
        sys.modules["pkg_resources"] = resources
        try:
            importlib.import_module("simglucose.patient.t1dpatient")
        finally:
            del sys.modules["pkg_resources"]
            if before is not None:
                sys.modules["pkg_resources"] = before
    return sys.modules["simglucose.patient.t1dpatient"].T1DPatient


def patients() -> list[Patient]:
    """All thirty."""
    where = folder() / "params"
    with open(where / "vpatient_params.csv", newline="") as table:
        rows = list(csv.DictReader(table))
    with open(where / "Quest.csv", newline="") as table:
        ratios = {row["Name"]: float(row["CR"]) for row in csv.DictReader(table)}
    made = []
    for row in rows:
        values = {key: value if key == "Name" else float(value) for key, value in row.items()}
        ours = UVA_PADOVA.parameter_values()
        for name, column in NAMES.items():
            ours[UVA_PADOVA.parameter_index[name]] = values[column]
        y = np.zeros(len(UVA_PADOVA.states))
        y[:13] = [values[column] for column in list(row)[2:15]]
        y[10:12] *= values["BW"]  # ours are pmol, theirs pmol/kg
        made.append(Patient(row["Name"], values, ratios[row["Name"]], ours, y))
    return made


def boluses(one: Patient) -> dict[int, float]:
    """Minute -> units of insulin with each meal."""
    return {minute: grams / one.carbohydrate_ratio for minute, grams in MEALS}


def theirs(one: Patient, row: Any, minutes: int = DAY_MIN) -> tuple[np.ndarray, np.ndarray]:
    """Plasma and sensor glucose (minutes + 1,), mg/dL, each minute, by simglucose with `row` as its parameters: a row
    of its table, or anything with the same attributes.
    """
    start = np.array([value for key, value in one.row.items() if key.startswith("x0_")])
    patient = simglucose_patient()(row, init_state=start)
    action = sys.modules["simglucose.patient.t1dpatient"].Action
    basal_u_min = one.row["u2ss"] * one.row["BW"] / 6000
    meals, given = dict(MEALS), boluses(one)
    seen = [patient.state[[3, 12]] / one.row["Vg"]]
    for minute in range(minutes):
        patient.step(action(CHO=meals.get(minute, 0), insulin=basal_u_min + given.get(minute, 0.0)))
        seen.append(patient.state[[3, 12]] / one.row["Vg"])
    plasma, sensor = np.array(seen).T
    return plasma, sensor


def plan(one: Patient) -> Schedule:
    """The same day for our model. simglucose counts the bite of the running minute as eaten when it sizes the meal,
    which `meal_size` states; a bolus is given evenly over its minute.
    """
    rest = UVA_PADOVA.rest()
    levels = {0: rest}
    meal, size, insulin = (UVA_PADOVA.input_index[name] for name in ("meal", "meal_size", "insulin"))
    given = boluses(one)
    for begin, grams in MEALS:
        for k in range(-(-grams // EAT_G_MIN)):
            at = begin + k
            level = levels[at] = rest.copy()
            level[meal] = min(EAT_G_MIN, grams - EAT_G_MIN * k)
            level[size] = min(EAT_G_MIN * (k + 1), grams)
            level[insulin] = 60.0 * given.get(at, 0.0)
        levels[begin + -(-grams // EAT_G_MIN)] = rest
    edges = sorted(levels)
    none = np.empty(0)
    return Schedule(np.array(edges, float), np.array([levels[at] for at in edges]), none, np.empty(0, np.int64), none)
