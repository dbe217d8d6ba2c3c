"""Inflammation against Reynolds 2006 and Regoes 2004: where it ends, where its outcomes change, what kills."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.room_settings import Setting, check, settings
from vitruvian.physiology import inflammation
from vitruvian.physiology.inflammation import INFLAMMATION
from vitruvian.physiology.inflammation.equations import kill_rate
from vitruvian.physiology.run import held, run, start

FOLDER = Path(inflammation.__file__).parent / "reference"
FOUR = 4  # states of the paper


@pytest.mark.parametrize("setting", settings(FOLDER))
def test_published_settings(setting: Setting) -> None:
    """Each setting of the room's `reference` folder, within its published range."""
    check(INFLAMMATION, setting)


def end_of(pathogen: NDArray[np.float64], growth: float, for_h: float = 3_000.0, **first: float) -> NDArray[np.float64]:
    """States (M, S) long after infections of M sizes, in people whose pathogen grows at `growth` an hour."""
    p = np.tile(INFLAMMATION.parameter_values(changes={"k_pg": growth}), (len(pathogen), 1))
    y = start(INFLAMMATION, p)
    y[:, 0] = pathogen
    for name, value in first.items():
        y[:, INFLAMMATION.state_index[name]] = value
    return run(INFLAMMATION, y, p, 0.0, for_h).check(INFLAMMATION).end


def outcome(y: NDArray[np.float64]) -> str:
    """The paper's names of the three steady states."""
    if y[0] > 1e-3:
        return "septic"
    return "aseptic" if y[2] > 1e-2 else "health"


@pytest.mark.parametrize(
    ("growth", "pathogen", "expected"),
    [
        (0.3, 1.0, "health"),
        (0.3, 5.0, "aseptic"),
        (0.5, 0.1, "health"),
        (0.5, 1.0, "aseptic"),
        (0.6, 0.1, "health"),
        (0.6, 1.0, "septic"),
        (1.6, 0.001, "septic"),
    ],
)
def test_basins(growth: float, pathogen: float, expected: str) -> None:
    """Reynolds 2006: small infections heal; larger ones end in lasting inflammation, without pathogen at slow
    growth (aseptic death) and with it at quick growth (septic death); above 1.5 /h every infection does.
    """
    assert outcome(end_of(np.array([pathogen]), growth)[0]) == expected


def test_septic_state_appears_at_the_published_growth() -> None:
    """The septic state is born in a fold at k_pg = 0.5137 /h (Reynolds 2006, bifurcation on k_pg): within 0.5 %."""
    low, high = 0.45, 0.60
    for _ in range(12):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if outcome(end_of(np.array([5.0]), middle)[0]) == "septic" else (middle, high)
    assert 0.5 * (low + high) == pytest.approx(0.5137, rel=5e-3)


def growth_at(state: NDArray[np.float64]) -> float:
    """The growth rate at which pathogen can invade a steady state without any, /h: from the slopes of a trace of it."""
    p = INFLAMMATION.parameter_values()
    y, slope = state.copy(), np.empty(len(state))
    y[0] = 1e-9
    INFLAMMATION.rhs(0.0, y, p, INFLAMMATION.rest(), slope)
    return float(p[INFLAMMATION.parameter_index["k_pg"]] - slope[0] / y[0])


def test_health_gives_way_at_the_published_growth() -> None:
    """Local defence alone holds pathogen to k_pm s_m / mu_m = 1.5 /h (Reynolds 2006): to 1e-6."""
    assert growth_at(start(INFLAMMATION, INFLAMMATION.parameter_values()[None])[0]) == pytest.approx(1.5, rel=1e-6)


def test_the_aseptic_state_gives_way_later() -> None:
    """Phagocytes that never rest hold it to 1.75 /h: the aseptic state outlives health (Reynolds 2006): within 1 %."""
    aseptic = end_of(np.array([5.0]), 0.3)[0]
    assert growth_at(aseptic) == pytest.approx(1.755, rel=0.01)


def test_the_threshold_falls_with_growth() -> None:
    """The infection that a body bears is smaller, the quicker pathogen grows."""
    sizes = np.geomspace(0.01, 10.0, 40)
    borne = []
    for growth in (0.2, 0.4, 0.6, 0.9, 1.3):
        ends = [outcome(one) for one in end_of(sizes, growth)]
        borne.append(float(sizes[[one == "health" for one in ends].index(False)]))
    assert borne == sorted(borne, reverse=True)
    assert borne[0] > 3 * borne[-1]


def test_an_independent_form_of_the_equations_agrees() -> None:
    """The paper's equations written out again with its own functions f and f_s, and SciPy's solver: to 1e-5."""
    integrate = pytest.importorskip("scipy.integrate")
    value = dict(zip(INFLAMMATION.parameter_index, INFLAMMATION.parameter_values(), strict=True))

    def slope(_: float, y: NDArray[np.float64]) -> list[float]:
        pathogen, cells, damage, calm = y

        def f(x: float) -> float:
            return x / (1 + (calm / value["c_inf"]) ** 2)

        def f_s(x: float) -> float:
            return x**6 / (value["x_dn"] ** 6 + x**6)

        r = f(value["k_nn"] * cells + value["k_np"] * pathogen + value["k_nd"] * damage)
        local = value["k_pm"] * value["s_m"] * pathogen / (value["mu_m"] + value["k_mp"] * pathogen)
        growth = value["k_pg"] * pathogen * (1 - pathogen / value["p_inf"])
        both = f(cells + value["k_cnd"] * damage)
        return [
            growth - local - value["k_pn"] * f(cells) * pathogen,
            value["s_nr"] * r / (value["mu_nr"] + r) - value["mu_n"] * cells,
            value["k_dn"] * f_s(f(cells)) - value["mu_d"] * damage,
            value["s_c"] + value["k_cn"] * both / (1 + both) - value["mu_c"] * calm,
        ]

    theirs = integrate.solve_ivp(slope, (0, 200), [1.0, 0.0, 0.0, 0.125], method="LSODA", rtol=1e-10, atol=1e-12)
    p = INFLAMMATION.parameter_values()[None]
    y = start(INFLAMMATION, p)
    y[0, 0] = 1.0
    ours = run(INFLAMMATION, y, p, 0.0, 200.0, rtol=1e-9).check(INFLAMMATION).end[0, :FOUR]
    np.testing.assert_allclose(ours, theirs.y[:, -1], rtol=1e-5)


@pytest.mark.parametrize(("psi_max", "psi_min", "kappa"), [(0.88, -6.5, 1.1), (0.75, -4.0, 0.75), (0.70, -4.3, 2.5)])
def test_kill_curve_at_its_fixed_points(psi_max: float, psi_min: float, kappa: float) -> None:
    """Regoes 2004, eq. 3 (ciprofloxacin, ampicillin, rifampicin): no drug, growth psi_max; at the minimal inhibitory
    concentration, none; far above it, psi_min.
    """
    assert psi_max - kill_rate(0.0, psi_max, psi_min, kappa) == psi_max
    assert psi_max - kill_rate(1.0, psi_max, psi_min, kappa) == pytest.approx(0.0, abs=1e-12)
    assert psi_max - kill_rate(1e9, psi_max, psi_min, kappa) == pytest.approx(psi_min, rel=1e-4)


def test_early_treatment_saves_what_late_treatment_does_not() -> None:
    """An infection that ends septic heals when treated early, and is cleared but leaves the aseptic state when late:
    Day 2006 (J Theor Biol 242:237) has the same of its therapies: timing decides.
    """
    found = {}
    for at_h in (0.5, 2.0, 24.0):
        p = INFLAMMATION.parameter_values()[None]
        y = start(INFLAMMATION, p)
        y[0, 0] = 1.0
        treated = INFLAMMATION.rest()
        treated[0] = 1.0
        y = run(INFLAMMATION, y, p, 0.0, at_h).check(INFLAMMATION).end
        y = run(INFLAMMATION, y, p, at_h, at_h + 168.0, (), held(treated)).check(INFLAMMATION).end
        found[at_h] = outcome(run(INFLAMMATION, y, p, 0.0, 3_000.0).check(INFLAMMATION).end[0])
    assert found == {0.5: "health", 2.0: "health", 24.0: "aseptic"}


def test_a_wound_without_pathogen_may_not_heal() -> None:
    """Damage alone, if large enough, keeps inflammation going (Reynolds 2006: the aseptic basin has no need of
    pathogen), and a little of it heals.
    """
    assert outcome(end_of(np.zeros(1), 0.3, damage=1.0)[0]) == "health"
    assert outcome(end_of(np.zeros(1), 0.3, damage=15.0, phagocytes=0.5)[0]) == "aseptic"
