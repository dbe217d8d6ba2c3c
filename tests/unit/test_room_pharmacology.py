"""Drugs: the contract for each, and what each does at the bedside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType

import numpy as np
import pytest

from vitruvian.core.errors import ModelError
from vitruvian.physiology.actions import Action, schedule
from vitruvian.physiology.base import Model
from vitruvian.physiology.person import Person
from vitruvian.physiology.pharmacology import (
    CAFFEINE,
    CAFFEINE_NEWBORN,
    CIPROFLOXACIN,
    ESMOLOL,
    FENTANYL,
    FUROSEMIDE,
    METOPROLOL,
    NOREPINEPHRINE,
    PROPOFOL,
    THREE_COMPARTMENT,
    VANCOMYCIN,
    WARFARIN,
    antibiotics,
    anticoagulant,
    compartments,
    diuretic,
    genotype,
    sedation,
    vasoactive,
)
from vitruvian.physiology.pharmacology.antibiotics.parameters import REGOES, cockcroft_gault
from vitruvian.physiology.pharmacology.sedation.eleveld import REFERENCE_PERSON, eleveld, fat_free_mass_kg
from vitruvian.physiology.run import run, start
from vitruvian.physiology.simulate import simulate
from vitruvian.testing.models import ModelConformance

pytestmark = pytest.mark.long  # numerics of minutes, compiled anew on a fresh machine


class TestNorepinephrine(ModelConformance):
    """The contract."""

    model = NOREPINEPHRINE
    actions = (Action("norepinephrine", 0.1, "ug/kg/min", 60, 300),)
    horizon = 20.0


class TestEsmolol(ModelConformance):
    """The contract."""

    model = ESMOLOL
    actions = (Action("esmolol", 40, "mg", 60), Action("esmolol", 100, "ug/kg/min", 60, 300))
    horizon = 20.0


class TestPropofol(ModelConformance):
    """The contract."""

    model = PROPOFOL
    actions = (Action("propofol", 150, "mg", 60), Action("propofol", 6, "mg/kg/h", 60, 900))
    horizon = 60.0


class TestVancomycin(ModelConformance):
    """The contract."""

    model = VANCOMYCIN
    actions = (Action("vancomycin", 1_000, "mg", 0, 3_600), Action("vancomycin", 1_000, "mg", 43_200, 3_600))
    horizon = 48.0


class TestWarfarin(ModelConformance):
    """The contract."""

    model = WARFARIN
    actions = (*(Action("warfarin", 5, "mg", 86_400 * day) for day in range(5)),)
    horizon = 240.0


class TestCiprofloxacin(ModelConformance):
    """The contract."""

    model = CIPROFLOXACIN
    actions = (Action("ciprofloxacin", 500, "mg", 3_600),)
    horizon = 24.0
    steady = False


class TestCaffeine(ModelConformance):
    """The contract."""

    model = CAFFEINE
    actions = (Action("caffeine", 200, "mg", 600), Action("cyp1a2_inhibition", 3, "1", 0))
    horizon = 24.0


class TestMetoprolol(ModelConformance):
    """The contract."""

    model = METOPROLOL
    actions = (Action("metoprolol", 100, "mg", 600), Action("cyp2d6_inhibition", 3, "1", 0))
    horizon = 24.0


class TestFurosemide(ModelConformance):
    """The contract."""

    model = FUROSEMIDE
    actions = (Action("furosemide", 40, "mg", 600),)
    horizon = 12.0


# --- what drugs do at the bedside ------------------------------------------------


def emitted(model: Model, actions: Sequence[Action], until: float) -> dict[str, float]:
    """The couplings that a model offers other rooms after `until` of its time under actions."""
    assert model.emit is not None
    p = model.parameter_values()
    plan = schedule(model, actions, weight_kg=77.1)
    y = run(model, start(model, p[None, :]), p[None, :], 0.0, until, (), plan).check(model).end[0]
    x = np.empty(len(model.exports))
    model.emit(until, y, p, x)
    return {one.name: float(value) for one, value in zip(model.exports, x, strict=True)}


def test_no_drug_changes_nothing() -> None:
    """Every factor is 1 without a drug."""
    for model in (NOREPINEPHRINE, ESMOLOL, METOPROLOL, PROPOFOL, FENTANYL, FUROSEMIDE):
        assert all(value == 1.0 for value in emitted(model, (), 10.0).values()), model.name


def test_norepinephrine_tightens_vessels_in_order_of_dose() -> None:
    """A third more resistance at 0.1 ug/kg/min; more with more, never above the largest effect."""
    found = [
        emitted(NOREPINEPHRINE, [Action("norepinephrine", dose, "ug/kg/min")], 30.0) for dose in (0.05, 0.1, 0.5, 5.0)
    ]
    for name in ("resistance_factor", "venous_tone_factor", "contractility_factor", "heart_rate_factor"):
        values = [one[name] for one in found]
        assert values == sorted(values)
        assert values[0] > 1.0
    assert 1.25 < found[1]["resistance_factor"] < 1.45
    assert found[3]["resistance_factor"] < 1.0 + 2.5


def test_beta_blockers_slow_and_weaken() -> None:
    """Esmolol and metoprolol lower heart rate and contractility; esmolol is gone half an hour after."""
    given = [Action("esmolol", 100, "ug/kg/min", 0, 1_800)]
    held = emitted(ESMOLOL, given, 30.0)
    assert 0.80 < held["heart_rate_factor"] < 0.95
    assert held["contractility_factor"] < 0.95
    assert emitted(ESMOLOL, given, 60.0)["heart_rate_factor"] > 0.97
    assert emitted(METOPROLOL, [Action("metoprolol", 100, "mg")], 2.0)["heart_rate_factor"] < 0.9


def test_propofol_lowers_resistance_and_breathing() -> None:
    """A usual anaesthetic: resistance down by a quarter or more, breathing nearly gone, asleep; and it wears off."""
    given = [Action("propofol", 150, "mg"), Action("propofol", 8, "mg/kg/h", 0, 1_800)]
    found = emitted(PROPOFOL, given, 30.0)
    assert found["resistance_factor"] < 0.75
    assert found["ventilatory_drive_factor"] < 0.3
    assert 0.7 < found["contractility_factor"] < 0.9
    asleep = simulate(PROPOFOL, given, for_s=7_200.0)
    index = asleep.of("bispectral_index")[0]
    assert index[0] == pytest.approx(93.0)
    assert 25 < index[100] < 60
    assert index[-1] > 75


def test_eleveld_gives_the_reference_person_the_papers_table() -> None:
    """Volumes and clearances of the 35-year-old man of 70 kg and 170 cm, and a ripening in the child."""
    found = eleveld(REFERENCE_PERSON)
    expected = {"volume": 6.28, "volume_2": 25.5, "volume_3": 273.0, "clearance": 1.79, "flow_2": 1.83, "flow_3": 1.11}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=2e-3), name
    assert eleveld(Person(35, "female", 170, 70))["clearance"] == pytest.approx(2.10, rel=1e-6)
    infant = eleveld(Person(0.1, "male", 55, 4.5))
    assert infant["clearance"] < 0.95 * 1.79 * (4.5 / 70) ** 0.75
    assert eleveld(REFERENCE_PERSON, opiates=True)["volume_3"] < found["volume_3"]
    assert fat_free_mass_kg(REFERENCE_PERSON) == pytest.approx(9_270 * 70 / (6_680 + 216 * 24.22), rel=2e-3)


def test_fentanyl_takes_the_drive_to_breathe_and_gives_it_back() -> None:
    """100 ug: half or more of the drive is gone within the hour, and most is back after four."""
    seen = simulate(FENTANYL, [Action("fentanyl", 200, "ug")], for_s=4 * 3_600.0).of("fentanyl_ventilatory_drive")[0]
    assert seen.min() < 0.8
    assert seen[-1] > 0.9


def test_furosemide_fails_where_the_kidney_does() -> None:
    """Less reaches the tubule of a failing kidney: the same dose makes less urine."""
    p = FUROSEMIDE.parameter_values()[None, :]
    plan = schedule(FUROSEMIDE, [Action("furosemide", 40, "mg")])
    areas = []
    for function in (1.0, 0.2):
        plan.levels[:, 1] = function
        times = np.linspace(0.0, 8.0, 200)
        seen = run(FUROSEMIDE, start(FUROSEMIDE, p), p, 0.0, 8.0, times, plan).check(FUROSEMIDE).outputs[0, :, 2]
        areas.append(np.trapezoid(seen - 1.0, times))
    assert areas[0] > 10.0
    assert areas[1] < 0.8 * areas[0]


def test_regoes_function_is_at_its_corners() -> None:
    """Growth without drug, none at the MIC, most death with most drug, for the five drugs of the paper."""
    for growth, death, mic, kappa in REGOES.values():
        rate = [antibiotics.equations.net_growth(level, mic, growth, death, kappa) for level in (0.0, mic, 1e9 * mic)]
        assert rate == pytest.approx([growth, 0.0, death], abs=1e-4 * abs(death))
    growth, death, mic, kappa = REGOES["ciprofloxacin"]
    own = {one.name: one.value for one in CIPROFLOXACIN.parameters}
    assert (own["growth"], own["death"], own["mic"], own["kappa"]) == (growth, death, mic, kappa)


def test_a_resistant_strain_outgrows_the_dose_that_cures_a_sensitive_one() -> None:
    """500 mg twice a day: gone within a day at the paper's MIC, grown at a hundred times that."""
    given = [Action("ciprofloxacin", 500, "mg", 43_200.0 * i) for i in range(4)]
    cured = simulate(CIPROFLOXACIN, given, for_s=2 * 86_400.0).of("bacterial_count")[0]
    lost = simulate(CIPROFLOXACIN, given, for_s=2 * 86_400.0, parameters={"mic": 1.7}).of("bacterial_count")[0]
    assert cured[200] < 0.0 <= 6.0 < lost[-1] <= 9.0


def test_genes_and_inhibitors_raise_the_inr() -> None:
    """The same tablets: more with slow alleles, with a sensitive target, and with an inhibitor of the enzyme."""
    person = Person(65, "male", 175, 80)
    tablets = [Action("warfarin", 5, "mg", 86_400.0 * day) for day in range(21)]

    def last(actions: Sequence[Action], parameters: Mapping[str, float] | None = None) -> float:
        run_ = simulate(WARFARIN, actions, for_s=21 * 86_400.0, person=person, parameters=parameters)
        return float(run_.of("inr")[0, -1])

    usual = last(tablets)
    assert 1.6 < usual < 3.5
    assert last(tablets, genotype(person, "*1/*3", "AG")) > 1.2 * usual
    assert last(tablets, genotype(person, "*1/*1", "AA")) > usual
    assert last([*tablets, Action("cyp2c9_inhibition", 3, "1", 7 * 86_400.0)]) > 1.2 * usual
    assert last([*tablets, Action("cyp2c9_induction", 2, "1", 0.0)]) < usual


def test_people_outside_a_drugs_data_are_refused() -> None:
    """A child for warfarin, an adult for the newborn's caffeine."""
    with pytest.raises(ModelError, match="adults"):
        simulate(WARFARIN, (), for_s=60.0, person=Person(8, "male", 128, 26))
    with pytest.raises(ModelError, match="newborns"):
        simulate(CAFFEINE_NEWBORN, (), for_s=60.0)
    assert cockcroft_gault(Person(40, "female", 165, 60), 1.0) == pytest.approx(100 * 60 / 72 * 0.85)


@pytest.mark.parametrize(
    ("model", "module", "prefix", "names"),
    [
        (THREE_COMPARTMENT, compartments, "", {"q2": "flow_2", "v2": "volume_2", "q3": "flow_3", "v3": "volume_3",
                                               "absorption": "absorption_rate", "turnover": "enzyme_turnover"}),
        (PROPOFOL, sedation, "", {"v1": "volume", "q2": "flow_2", "v2": "volume_2", "q3": "flow_3", "v3": "volume_3",
                                  "ke0": "effect_rate", "stroke_half": "stroke_half"}),
        (NOREPINEPHRINE, vasoactive, "NE_", {"ke0": "effect_rate", "ec50": "half_effect", "heart": "heart_rate_max",
                                             "resistance": "resistance_max", "own": "own_level"}),
        (METOPROLOL, vasoactive, "B_", {"flow": "flow_2", "ke0": "effect_rate", "ec50": "half_effect",
                                        "absorption": "absorption_rate", "turnover": "enzyme_turnover"}),
        (WARFARIN, anticoagulant, "", {"cl_s": "clearance_s", "ec50": "half_effect", "mtt_slow": "transit_slow",
                                       "lambda": "inr_power", "v_r": "volume_r", "turnover": "enzyme_turnover"}),
        (CIPROFLOXACIN, antibiotics, "C_", {"v1": "volume", "renal": "renal_share", "free": "free_share",
                                            "absorption": "absorption_rate"}),
        (CIPROFLOXACIN, antibiotics, "", {"mic": "mic", "kappa": "kappa", "inoculum": "log_inoculum"}),
        (FUROSEMIDE, diuretic, "", {"tubule": "tubule_rate", "half": "half_effect", "most": "effect_max"}),
    ],
)  # fmt: skip
def test_kernels_and_declarations_mean_the_same_parameter(
    model: Model, module: ModuleType, prefix: str, names: dict[str, str]
) -> None:
    """A kernel's position of a parameter is where the declaration has it."""
    for constant, name in names.items():
        assert getattr(module.equations, f"{prefix}{constant.upper()}") == model.parameter_index[name], (
            model.name,
            name,
        )
