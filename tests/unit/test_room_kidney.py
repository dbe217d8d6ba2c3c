"""The kidney: the contract, filtration under pressure, creatinine, urine, and KDIGO's table."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.core.errors import ModelError
from vitruvian.physiology.actions import Action
from vitruvian.physiology.kidney import KIDNEY, ckd_epi_2021, equations, from_creatinine, kdigo_stage, kinetic_gfr
from vitruvian.physiology.person import REFERENCE, Person
from vitruvian.physiology.run import held, run, start
from vitruvian.physiology.simulate import simulate
from vitruvian.testing.models import ModelConformance

DAY_MIN = 1_440.0


class TestKidney(ModelConformance):
    """The contract."""

    model = KIDNEY
    actions = (Action("crystalloid", 1_000, "mL", 60, 1_200), Action("nephrotoxin", 0.5, "1", 600))
    horizon = 120.0


def under(
    imports: dict[str, float], until_min: float, changes: dict[str, float] | None = None
) -> dict[str, np.ndarray]:
    """Outputs by name over time (101 points) with couplings held at values, from where they are usual."""
    p = KIDNEY.parameter_values(changes=changes)[None, :]
    u = KIDNEY.rest()
    for i, one in enumerate((*KIDNEY.inputs, *KIDNEY.imports)):
        u[i] = imports.get(one.name, u[i])
    times = np.linspace(0.0, until_min, 101)
    seen = run(KIDNEY, start(KIDNEY, p), p, 0.0, until_min, times, held(u)).check(KIDNEY).outputs[0]
    return {one.name: seen[:, i] for i, one in enumerate(KIDNEY.outputs)} | {"t": times}


def test_filtration_stands_still_over_the_plateau_and_falls_below_it() -> None:
    """Within a tenth from 80 to 160 mmHg, less at 70, none at 45; blood flow holds on longer than filtration."""
    usual = under({}, 30)
    for pressure in (80.0, 100.0, 130.0, 160.0):
        seen = under({"arterial_pressure": pressure}, 30)
        assert seen["glomerular_filtration_rate"][-1] == pytest.approx(usual["glomerular_filtration_rate"][0], rel=0.1)
        assert seen["renal_blood_flow"][-1] == pytest.approx(usual["renal_blood_flow"][0], rel=0.1)
    low = under({"arterial_pressure": 65.0}, 30)
    share = low["glomerular_filtration_rate"][-1] / usual["glomerular_filtration_rate"][0]
    assert 0.4 < share < 0.8
    assert low["renal_blood_flow"][-1] / usual["renal_blood_flow"][0] > share
    assert under({"arterial_pressure": 45.0}, 30)["glomerular_filtration_rate"][-1] < 1.0


def test_urine_follows_pressure_fluid_and_diuretic() -> None:
    """More under pressure, under fluid and under a diuretic; less after a bleed; none at 50 mmHg."""
    usual = under({}, 60)["urine_flow"][-1]
    assert under({"arterial_pressure": 140.0}, 60)["urine_flow"][-1] > 1.8 * usual
    assert under({"arterial_pressure": 50.0}, 60)["urine_flow"][-1] < 0.01 * usual
    assert under({"diuresis_factor": 8.0}, 60)["urine_flow"][-1] > 5 * usual
    assert under({"crystalloid": 20.0}, 60)["urine_flow"][-1] > 1.5 * usual
    bled = under({"blood_loss": 30.0}, 60)
    assert bled["urine_flow"][-1] < 0.75 * usual
    assert bled["fluid_excess"][-1] == pytest.approx(-1_800, abs=60)


def test_creatinine_doubles_where_filtration_halves_with_its_own_half_time() -> None:
    """Body water over clearance sets how fast: the exponential on paper, within one in a thousand."""
    seen = under({"tissue_damage_factor": 0.5}, 6 * DAY_MIN)
    p = dict(zip(KIDNEY.parameter_index, KIDNEY.parameter_values(), strict=True))
    rate = 0.5 * p["gfr"] / (1_000 * p["body_water"])
    base = p["creatinine_baseline"]
    expected = 2 * base - base * np.exp(-rate * seen["t"])
    later = seen["t"] > 60.0
    assert seen["creatinine"][later] == pytest.approx(expected[later], rel=3e-3)


def test_without_filtration_creatinine_rises_by_its_production() -> None:
    """1 to 2.5 mg/dL a day in a man of this build (Chen 2013 takes 1.5 as usual), and a machine brings it down."""
    none = under({"arterial_pressure": 87.0, "tissue_damage_factor": 0.0}, DAY_MIN)["creatinine"]
    assert 1.0 < none[-1] - none[0] < 4.0
    treated = under({"tissue_damage_factor": 0.0, "renal_replacement_therapy": 33.0}, DAY_MIN)["creatinine"]
    assert treated[-1] < none[-1]


def test_kinetic_filtration_is_found_from_two_creatinines() -> None:
    """Chen's estimate from two simulated values against what filters in truth, while creatinine is still rising."""
    seen = under({"tissue_damage_factor": 0.4}, DAY_MIN)
    p = dict(zip(KIDNEY.parameter_index, KIDNEY.parameter_values(), strict=True))
    rise = p["gfr"] / 100 * p["creatinine_baseline"] * DAY_MIN / (10 * p["body_water"])
    at = [20, 40]  # 4.8 h apart
    found = kinetic_gfr(
        *seen["creatinine"][at], 4.8, baseline_creatinine=p["creatinine_baseline"], baseline_gfr=p["gfr"],
        largest_rise_per_day=rise,
    )  # fmt: skip
    assert float(found) == pytest.approx(seen["glomerular_filtration_rate"][40], rel=0.05)
    lagging = ckd_epi_2021(seen["creatinine"][40], 44, "male")
    assert lagging > 1.2 * float(found) / (REFERENCE.bsa_m2 / 1.73)


def test_low_pressure_and_toxins_injure_and_time_heals() -> None:
    """Injury grows while the cause lasts, and falls by half within some days."""
    hurt = under({"arterial_pressure": 40.0}, 120)["kidney_injury"]
    assert 0.1 < hurt[-1] < 0.6
    poisoned = simulate(KIDNEY, [Action("nephrotoxin", 1, "1", 0, 2 * 86_400)], for_s=12 * 86_400.0)
    injury = poisoned.of("kidney_injury")[0]
    assert injury.max() > 0.3
    assert injury[-1] < 0.3 * injury.max()
    assert poisoned.of("creatinine")[0].max() > 1.3 * poisoned.of("creatinine")[0][0]


def test_ckd_epi_is_the_published_equation() -> None:
    """Worked by hand: at the knee 142 * 0.9938^age; above it by the power -1.2; the kernel says the same."""
    assert ckd_epi_2021(0.9, 50, "male") == pytest.approx(142 * 0.9938**50)
    assert ckd_epi_2021(1.8, 50, "male") == pytest.approx(142 * 2**-1.2 * 0.9938**50)
    assert ckd_epi_2021(0.7, 60, "female") == pytest.approx(142 * 0.9938**60 * 1.012)
    for creatinine, female in ((0.5, 0.0), (2.3, 0.0), (0.6, 1.0), (4.0, 1.0)):
        theirs = float(ckd_epi_2021(creatinine, 63, "female" if female else "male"))
        assert equations.estimated_gfr(creatinine, 63.0, female) == pytest.approx(theirs)


def test_a_known_creatinine_makes_the_kidney_of_that_patient() -> None:
    """Half the filtration, the same balance; and no creatinine of a stone."""
    person = Person(70, "female", 160, 60)
    ill = simulate(KIDNEY, [], for_s=86_400.0, person=person, parameters=from_creatinine(person, 2.0))
    assert ill.of("creatinine")[0] == pytest.approx(2.0, rel=1e-3)
    assert ill.of("egfr")[0][-1] == pytest.approx(float(ckd_epi_2021(2.0, 70, "female")), rel=2e-3)
    with pytest.raises(ModelError, match="creatinine"):
        from_creatinine(person, 90.0)


@pytest.mark.parametrize(
    ("creatinine", "expected"),
    [
        ([1.0, 1.2, 1.25], [0, 0, 0]),
        ([1.0, 1.3, 1.3], [0, 1, 1]),  # 0.3 mg/dL within 48 h
        ([1.0, 1.0, 1.49], [0, 0, 1]),
        ([1.0, 1.5, 1.99], [0, 1, 1]),
        ([1.0, 2.0, 2.99], [0, 2, 2]),
        ([1.0, 2.0, 3.0], [0, 2, 3]),
        ([1.0, np.nan, 3.2], [0, 0, 3]),
    ],
)
def test_kdigo_by_creatinine(creatinine: list[float], expected: list[int]) -> None:
    """KDIGO 2012, table 2, at 0, 24 and 48 h against a baseline of 1 mg/dL."""
    assert kdigo_stage([0.0, 24.0, 48.0], creatinine, 1.0).tolist() == expected


def test_kdigo_looks_back_two_days_and_knows_chronic_disease() -> None:
    """0.3 mg/dL over a week is no injury; 4 mg/dL is stage 3 only where it is acute; replacement is stage 3."""
    slow = kdigo_stage([0.0, 60.0, 120.0], [1.0, 1.2, 1.4], 1.0)
    assert slow.tolist() == [0, 0, 0]
    chronic = kdigo_stage([0.0, 24.0, 48.0], [3.8, 3.9, 4.2], 3.8)
    assert chronic.tolist() == [0, 0, 3]
    assert kdigo_stage([0.0, 24.0], [4.1, 4.1], 4.1).tolist() == [0, 0]
    assert kdigo_stage([0.0, 24.0], [1.0, 1.0], 1.0, renal_replacement=[False, True]).tolist() == [0, 3]


@pytest.mark.parametrize(
    ("rate", "hours", "expected"),
    [(0.6, 30, 0), (0.49, 5, 0), (0.49, 6, 1), (0.49, 11, 1), (0.49, 12, 2), (0.4, 30, 2), (0.29, 23, 2), (0.29, 24, 3),
     (0.0, 11, 1), (0.0, 12, 3)],
)  # fmt: skip
def test_kdigo_by_urine(rate: float, hours: int, expected: int) -> None:
    """KDIGO 2012, table 2: below 0.5 mL/kg/h for 6 h, for 12 h; below 0.3 for 24 h, or none for 12 h."""
    times = np.arange(0.0, hours + 1)
    urine = np.full(hours + 1, rate)
    assert kdigo_stage(times, np.ones(hours + 1), 1.0, urine)[-1] == expected


def test_kdigo_of_many_patients_is_that_of_each() -> None:
    """Patients by rows, with gaps: the same as one by one; what is not measured says nothing."""
    draw = np.random.Generator(np.random.Philox(key=1))
    times = np.arange(0.0, 48.0, 2.0)
    creatinine = np.where(draw.random((7, 24)) < 0.3, np.nan, draw.uniform(0.6, 4.5, (7, 24)))
    urine = np.where(draw.random((7, 24)) < 0.1, np.nan, draw.uniform(0.0, 1.0, (7, 24)))
    baseline = draw.uniform(0.5, 1.5, 7)
    together = kdigo_stage(times, creatinine, baseline, urine)
    alone = [kdigo_stage(times, creatinine[i], baseline[i], urine[i]) for i in range(7)]
    np.testing.assert_array_equal(together, alone)
    assert set(np.unique(together)) >= {0, 1, 2, 3}
    assert kdigo_stage(times, np.full(24, np.nan), 1.0).max() == 0
    with pytest.raises(ModelError, match="ascending"):
        kdigo_stage([1.0, 0.0], [1.0, 1.0], 1.0)
