"""Drugs and kidney against the published settings in their rooms' `reference` folders, and against real data."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import pk_data
from tests.support import require_data
from vitruvian.physiology import kidney, pharmacology
from vitruvian.physiology.base import Model
from vitruvian.physiology.person import REFERENCE, Person
from vitruvian.physiology.pharmacology.population import fit_population
from vitruvian.physiology.simulate import Action, Trajectories, simulate

pytestmark = pytest.mark.long  # numerics of minutes, compiled anew on a fresh machine

SETTINGS = sorted(
    path for room in (pharmacology, kidney) for path in (Path(room.__file__).parent / "reference").glob("*.toml")
)
HOUR_S = 3_600.0
UNIT_S = {"min": 60.0, "h": HOUR_S}
MODELS = {
    name.lower(): found
    for room in (pharmacology, kidney)
    for name, found in vars(room).items()
    if isinstance(found, Model)
}


def played(setting: dict[str, Any], actions: list[Any]) -> Trajectories:
    """The setting run with these actions."""
    repeat = setting.get("repeat")
    found = [Action(*one) for one in actions]
    if repeat:
        name, value, unit, _, *duration = repeat["action"]
        found += [Action(name, value, unit, i * repeat["every_s"], *duration) for i in range(repeat["times"])]
    return simulate(
        MODELS[setting["model"]],
        found,
        for_s=setting["for_s"],
        every_s=setting["every_s"],
        person=Person(**setting["person"]) if "person" in setting else REFERENCE,
        parameters=setting.get("parameters"),
    )


def measured(expect: dict[str, Any], run: Trajectories, other: Trajectories | None) -> float:
    """What a setting expects, from the run (and from the one it is compared with)."""
    times, series = run.times_s, run.of(expect["output"])[0]

    def value(name: str) -> float:
        return float(np.interp(expect[name], times, series))

    kind = expect["kind"]
    if kind == "at":
        return value("at_s")
    if kind == "change":
        return value("at_s") - value("from_s")
    if kind == "half_life":
        halvings = np.log2(value("from_s") / value("at_s"))
        return float((expect["at_s"] - expect["from_s"]) / halvings / UNIT_S[expect["unit"]])
    if kind == "time_of_min":
        return float(times[series.argmin()] / UNIT_S[expect["unit"]])
    area = float(np.trapezoid(series, times)) / HOUR_S
    if kind == "area":
        return area
    assert kind == "area_ratio"
    assert other is not None
    return float(np.trapezoid(other.of(expect["output"])[0], times)) / HOUR_S / area


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.stem)
def test_published_settings_come_out(path: Path) -> None:
    """Each expectation within its tolerance of the published value, and at the value written down."""
    setting = tomllib.loads(path.read_text("utf-8"))
    run = played(setting, setting.get("actions", []))
    other = played(setting, setting["versus"]) if "versus" in setting else None
    for expect in setting["expect"]:
        got = measured(expect, run, other)
        assert got == pytest.approx(expect["published"], rel=expect["within"]), expect
        assert got == pytest.approx(expect["reached"], rel=2e-3), (expect, got)


@pytest.mark.data
def test_one_volunteer_of_indometacin_is_fitted_as_by_r() -> None:
    """Least squares of two exponentials to the first volunteer, as R's documentation of SSbiexp prints them."""
    optimise = pytest.importorskip("scipy.optimize")
    rows = pk_data.grouped(require_data("pkpd") / "Indometh.csv", "Subject")[0]
    times, seen = pk_data.column(rows, "time"), pk_data.column(rows, "conc")

    def residuals(x: np.ndarray) -> np.ndarray:
        return np.asarray(x[0] * np.exp(-np.exp(x[1]) * times) + x[2] * np.exp(-np.exp(x[3]) * times) - seen)

    found = optimise.least_squares(residuals, [2.0, 0.5, 0.3, -1.5], xtol=1e-12, ftol=1e-12, gtol=1e-12).x
    assert found == pytest.approx([2.0293, 0.5794, 0.1916, -1.7878], abs=2e-3)
    # The same as compartments: the curve through clearance, volume, flow and second volume is no other.
    subject = pk_data.indometacin(require_data("pkpd"))[0]
    mine = optimise.least_squares(lambda logs: subject.predict(np.exp(logs)) - seen, np.log([8.0, 9.0, 6.0, 20.0])).x
    np.testing.assert_allclose(subject.predict(np.exp(mine)) - seen, residuals(found), atol=2e-4)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "guess", "error", "published", "within"),
    [
        # Pinheiro and Bates 2000, chapter 8: log clearance -3.21, ke -2.43, ka 0.45; additive error as there.
        ("theophylline", [0.05, 0.5, 1.0], (0.5, 0.0), [0.0402, 0.458, 1.57], [0.03, 0.03, 0.10]),
        # Holford's control file for O'Reilly's data: 0.131 to 0.134 L/h, 8.06 to 8.17 L of 70 kg.
        ("warfarin", [0.1, 10.0, 1.0, 0.8], (0.3, 0.1), [0.133, 8.1], [0.03, 0.03]),
        # Grasela and Donn 1985: 0.0047 L/h/kg, 0.96 L/kg.
        ("phenobarbital", [0.006, 1.2], (2.0, 0.1), [0.0047, 0.96], [0.05, 0.07]),
    ],
)
@pytest.mark.long
def test_populations_are_what_was_published(
    name: str, guess: list[float], error: tuple[float, float], published: list[float], within: list[float]
) -> None:
    """The population fits of real data against those in print."""
    subjects = getattr(pk_data, name)(require_data("pkpd"))
    found = fit_population(subjects, guess, additive=error[0], proportional=error[1], rounds=40)
    for got, value, tolerance in zip(found.typical, published, within, strict=False):
        assert got == pytest.approx(value, rel=tolerance)


@pytest.mark.data
def test_theophylline_in_the_room_is_the_volunteers() -> None:
    """The room's typical person against the twelve: mean error of the level near nothing."""
    folder = require_data("pkpd")
    errors, levels = [], []
    for rows in pk_data.grouped(folder / "Theoph.csv", "Subject"):
        times, seen = pk_data.column(rows, "Time"), pk_data.column(rows, "conc")
        weight = float(rows[0]["Wt"])
        run = simulate(
            MODELS["theophylline"],
            [Action("theophylline", float(rows[0]["Dose"]) * weight / 0.96, "mg", 0.0)],
            for_s=25 * HOUR_S,
            every_s=180.0,
            person=Person(25, "male", 175, weight),
        )
        later = times > 0.3  # absorption differs most at first
        errors.append(np.interp(times * HOUR_S, run.times_s, run.of("theophylline_level")[0])[later] - seen[later])
        levels.append(seen[later])
    assert abs(np.concatenate(errors).mean()) < 0.1 * np.concatenate(levels).mean()
