"""Interactions, dosing and population fits: laws that must hold, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.core.errors import ModelError
from vitruvian.physiology.person import Person
from vitruvian.physiology.pharmacology import CAFFEINE, ONE_COMPARTMENT, VANCOMYCIN, genotype
from vitruvian.physiology.pharmacology.closed_form import bolus, disposition, infusion
from vitruvian.physiology.pharmacology.dosing import AUC24_TARGET, Regimen, dose_for_auc24, steady_state, vancomycin
from vitruvian.physiology.pharmacology.interactions import auc_ratio, induced, inhibition_of
from vitruvian.physiology.pharmacology.population import Subject, fit_population
from vitruvian.physiology.run import Schedule, held, run, start

PERSON = Person(60, "male", 175, 80)


def area(changes: dict[str, float], levels: dict[str, float]) -> float:
    """Area under the concentration of ONE_COMPARTMENT for ever after 100 mg into a vein, by the trapezium rule."""
    model = ONE_COMPARTMENT
    p = model.parameter_values(changes=changes)[None, :]
    u = model.rest()
    names = {**model.input_index, **{one.name: len(model.inputs) + i for i, one in enumerate(model.imports)}}
    for name, value in levels.items():
        u[names[name]] = value
    # The enzyme is where the inducer has brought it before the drug is given.
    begin = start(model, p, u)
    times = np.linspace(0.0, 400.0, 200_001)
    given = held(u)
    plan = Schedule(given.edges, given.levels, np.zeros(1), np.array([model.state_index["central"]]), np.array([100.0]))
    level = run(model, begin, p, 0.0, 400.0, times, plan).check(model).outputs[0, :, 0]
    return float(np.trapezoid(level, times))


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ({"enzyme_inhibition": 1.0}, {"inhibition": 1.0}),
        ({"enzyme_inhibition": 50.0}, {"inhibition": 50.0}),
        ({"enzyme_induction": 4.0}, {"induction": 4.0}),
        ({"renal_function_factor": 0.2}, {"renal_function": 0.2}),
        ({"hepatic_function_factor": 0.5, "enzyme_inhibition": 2.0}, {"hepatic_function": 0.5, "inhibition": 2.0}),
    ],
)
def test_interactions_change_the_area_as_rowland_and_matin_say(
    levels: dict[str, float], expected: dict[str, float]
) -> None:
    """The compiled course against the formula: inhibition, induction, failing kidney and liver."""
    shares = {"enzyme_share": 0.8, "renal_share": 0.3}
    ratio = area(shares, levels) / area(shares, {})
    assert ratio == pytest.approx(float(auc_ratio(**shares, **expected)), rel=1e-5)


def test_the_largest_interaction_is_the_share_that_is_left() -> None:
    """Complete inhibition: 1 over what does not go by the enzyme; without the enzyme, nothing changes."""
    assert auc_ratio(enzyme_share=0.9, inhibition=1e12) == pytest.approx(10.0)
    np.testing.assert_allclose(auc_ratio(enzyme_share=0.0, inhibition=[0.0, 5.0]), 1.0)
    assert auc_ratio(enzyme_share=1.0, induction=3.0) == pytest.approx(0.25)
    assert inhibition_of(2.0, 0.5, 0.1) == pytest.approx(0.4)
    assert induced(3.0, 8.0, 1.0) == pytest.approx(6.0)


def test_induction_comes_and_goes_with_the_enzyme() -> None:
    """Half of what an inducer adds is there after one half-life of the enzyme, and it leaves as slowly."""
    model, p = CAFFEINE, CAFFEINE.parameter_values()[None, :]
    u = model.rest()
    u[model.input_index["cyp1a2_induction"]] = 1.0
    plan = Schedule(
        np.array([0.0, 400.0]), np.stack([u, model.rest()]), np.empty(0), np.empty(0, np.int64), np.empty(0)
    )
    seen = run(model, start(model, p), p, 0.0, 439.0, [39.0, 400.0, 439.0], plan).check(model).outputs[0, :, 2]
    assert seen == pytest.approx([1.5, 2.0, 1.5], rel=1e-2)


def test_a_regimen_in_the_steady_state_is_what_many_doses_come_to() -> None:
    """Peak, trough and exposure on paper against thirty doses summed, and the first day against its integral."""
    drug, regimen = disposition(4.0, 50.0, 6.0, 40.0), Regimen(1_000.0, 12.0, 1.5, loading_mg=2_000.0)
    found = steady_state(drug, regimen)

    def level(times: np.ndarray) -> np.ndarray:
        doses = [2_000.0] + [1_000.0] * 59
        return np.sum(
            [
                np.where(times >= 12.0 * i, infusion(drug, times - 12.0 * i, dose / 1.5, 1.5), 0.0)
                for i, dose in enumerate(doses)
            ],
            axis=0,
        )

    assert found.peak == pytest.approx(level(np.array([12.0 * 59 + 1.5]))[0], rel=1e-6)
    assert found.trough == pytest.approx(level(np.array([12.0 * 60 - 1e-9]))[0], rel=1e-6)
    day = np.linspace(0.0, 24.0, 240_001)
    assert found.auc24_first_day == pytest.approx(np.trapezoid(level(day), day), rel=1e-5)
    last = np.linspace(12.0 * 58, 12.0 * 60, 240_001)
    assert found.auc24 == pytest.approx(np.trapezoid(level(last), last), rel=1e-5)


def test_vancomycin_is_dosed_by_the_kidney() -> None:
    """A worse kidney needs less for the same exposure; the dose found reaches the target; the course agrees."""
    target = sum(AUC24_TARGET) / 2
    well, ill = (dose_for_auc24(PERSON, target, 12, creatinine_mg_dl=one) for one in (0.8, 3.0))
    assert ill.dose_mg < 0.5 * well.dose_mg
    assert vancomycin(PERSON, ill, creatinine_mg_dl=3.0).auc24 == pytest.approx(target)
    p = VANCOMYCIN.parameter_values(PERSON)[None, :]
    rest, on = VANCOMYCIN.rest(), VANCOMYCIN.rest()
    on[0] = 1_000.0
    edges = np.sort(np.concatenate([12.0 * np.arange(20), 12.0 * np.arange(20) + 1.0]))
    none = np.empty(0)
    plan = Schedule(edges, np.stack([on, rest] * 20), none, np.empty(0, np.int64), none)
    seen = run(VANCOMYCIN, start(VANCOMYCIN, p), p, 0.0, 240.0, [216.0, 240.0], plan).check(VANCOMYCIN).outputs[0]
    found = vancomycin(PERSON, Regimen(1_000, 12, 1))
    assert seen[1, 0] == pytest.approx(found.trough, rel=1e-3)
    assert seen[1, 1] - seen[0, 1] == pytest.approx(found.auc24, rel=1e-3)


def test_impossible_regimens_and_people_are_refused() -> None:
    """No dose, an infusion longer than its interval, a child, a target of nothing, an unknown genotype."""
    for values in ((0.0, 12.0, 1.0), (100.0, 12.0, 13.0)):
        with pytest.raises(ModelError):
            Regimen(*values)
    with pytest.raises(ModelError, match="adults"):
        vancomycin(Person(9, "female", 130, 28), Regimen(500, 8))
    with pytest.raises(ModelError, match="target"):
        dose_for_auc24(PERSON, 0.0, 12)
    with pytest.raises(ModelError, match=r"\*1/\*3"):
        genotype(PERSON, "*1/*17")


def test_a_genotype_lowers_clearance_and_what_an_inhibitor_can_do() -> None:
    """*3/*3 clears least and leaves nothing to inhibit."""
    usual, poor = genotype(PERSON), genotype(PERSON, "*3/*3", "AA")
    assert poor["clearance_s"] == pytest.approx(0.148 * usual["clearance_s"])
    assert poor["half_effect"] < usual["half_effect"]
    assert poor["enzyme_share"] < 0.1 < usual["enzyme_share"]


def test_a_population_is_found_again() -> None:
    """Sixty simulated people, six samples each, known spread and error: typical values within their uncertainty."""
    draw = np.random.Generator(np.random.Philox(key=3))
    times, true, spread, error = np.array([0.5, 1, 3, 6, 12, 24.0]), np.array([4.0, 40.0]), 0.3, 0.1
    subjects = []
    for _ in range(60):
        own = true * np.exp(spread * draw.standard_normal(2))
        seen = bolus(disposition(*own), times, 100.0) * (1 + error * draw.standard_normal(6))
        subjects.append(Subject(lambda x: bolus(disposition(*x), times, 100.0), seen))
    found = fit_population(subjects, [8.0, 80.0], additive=0.0)
    np.testing.assert_array_less(np.abs(np.log(found.typical / true)), 3 * found.standard_errors)
    np.testing.assert_allclose(found.spread, spread, rtol=0.3)
    assert found.additive == 0.0
    assert found.proportional == pytest.approx(error, rel=0.15)
    assert found.residuals(subjects).shape == (360,)


def test_a_population_of_nobody_is_refused() -> None:
    """One person is no population."""
    with pytest.raises(ModelError, match="two or more"):
        fit_population([Subject(lambda x: x, np.ones(1))], [1.0])
