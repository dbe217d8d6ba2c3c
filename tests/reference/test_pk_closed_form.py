"""The compiled kinetics against their solution on paper, to a millionth; the paper's own against a matrix exponential.

Source of the closed forms: Gibaldi and Perrier, Pharmacokinetics, 2nd ed. (1982), chapters 1 to 3.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitruvian.core.errors import ModelError
from vitruvian.physiology.base import Model
from vitruvian.physiology.pharmacology import (
    ESMOLOL,
    FENTANYL,
    ONE_COMPARTMENT,
    PROPOFOL,
    THREE_COMPARTMENT,
    TWO_COMPARTMENT,
    VANCOMYCIN,
)
from vitruvian.physiology.pharmacology.closed_form import (
    Disposition,
    bolus,
    disposition,
    infusion,
    infusion_for_ever,
    oral,
    oral_for_ever,
)
from vitruvian.physiology.run import Schedule, run, start

BAR = 1e-6  # relative
MODELS = (ONE_COMPARTMENT, TWO_COMPARTMENT, THREE_COMPARTMENT)
TIMES = np.concatenate([[0.01, 0.1], np.linspace(0.25, 48.0, 120)])
KINETICS = ((5.0, 30.0, 4.0, 20.0, 0.8, 60.0), (0.3, 8.0, 2.0, 3.0, 0.05, 100.0), (60.0, 12.0, 30.0, 45.0, 9.0, 300.0))
NAMES = ("clearance", "volume", "flow_2", "volume_2", "flow_3", "volume_3")


def simulated(model: Model, values: tuple[float, ...], how: str, times: np.ndarray = TIMES) -> np.ndarray:
    """Concentrations of the compiled model after 100 mg, given as `how` says."""
    changes = dict(zip(NAMES, values, strict=False)) | {"bioavailability": 0.8, "absorption_rate": 1.2}
    p = model.parameter_values(changes=changes)[None, :]
    dose_time, state, amount = 0.0, model.state_index["gut" if how == "oral" else "central"], 100.0
    edges, levels = np.zeros(1), model.rest()[None, :]
    doses = (np.array([dose_time]), np.array([state]), np.array([amount * (0.8 if how == "oral" else 1.0)]))
    if how == "infusion":
        edges, levels = np.array([0.0, 2.5]), np.stack([model.rest(), model.rest()])
        levels[0, 0] = 40.0
        doses = (np.empty(0), np.empty(0, np.int64), np.empty(0))
    plan = Schedule(edges, levels, *doses)
    return run(model, start(model, p), p, 0.0, float(times[-1]), times, plan).check(model).outputs[0, :, 0]


def on_paper(drug: Disposition, how: str, times: np.ndarray = TIMES) -> np.ndarray:
    """The same, in closed form."""
    if how == "bolus":
        return bolus(drug, times, 100.0)
    return infusion(drug, times, 40.0, 2.5) if how == "infusion" else oral(drug, times, 80.0, 1.2)


@pytest.mark.parametrize("how", ["bolus", "infusion", "oral"])
@pytest.mark.parametrize("values", KINETICS)
@pytest.mark.parametrize(
    "count", [1, *(pytest.param(n, marks=pytest.mark.long) for n in (2, 3))]
)  # each is compiled for itself
def test_compiled_kinetics_are_the_closed_form(count: int, values: tuple[float, ...], how: str) -> None:
    """One, two and three compartments; bolus, infusion and by mouth; slow, middling and fast drugs."""
    mine = simulated(MODELS[count - 1], values[: 2 * count], how)
    theirs = on_paper(disposition(*values[: 2 * count]), how)
    # Ten orders of magnitude below where the drug works, the concentration is nothing.
    np.testing.assert_allclose(mine, theirs, rtol=BAR, atol=1e-13)


@pytest.mark.parametrize("values", KINETICS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_closed_form_is_the_matrix_exponential(count: int, values: tuple[float, ...]) -> None:
    """A second way to the same: SciPy's exponential of the compartments' matrix."""
    linalg = pytest.importorskip("scipy.linalg")
    cl, v, *rest = values[: 2 * count]
    matrix = np.zeros((count, count))
    matrix[0, 0] = -cl / v
    for i in range(1, count):
        q, volume = rest[2 * i - 2], rest[2 * i - 1]
        matrix[0, 0] -= q / v
        matrix[i, 0], matrix[0, i], matrix[i, i] = q / v, q / volume, -q / volume
    drug = disposition(*values[: 2 * count])
    for t in (0.1, 1.0, 7.0, 30.0):
        assert bolus(drug, [t], v)[0] == pytest.approx(linalg.expm(matrix * t)[0, 0], rel=1e-10)
    assert drug.clearance == pytest.approx(cl, rel=1e-10)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.05, 100), st.floats(1, 200), st.floats(0.05, 100), st.floats(1, 400), st.floats(0.01, 30),
    st.floats(5, 1_000), st.floats(0.05, 20),
)  # fmt: skip
def test_closed_forms_keep_their_laws(
    cl: float, v: float, q2: float, v2: float, q3: float, v3: float, absorption: float
) -> None:
    """Any drug: weights add up to the bolus, the area is dose over clearance, a long infusion reaches rate over
    clearance, and repeating a dose for ever is the sum of what each leaves.
    """
    drug = disposition(cl, v, q2, v2, q3, v3)
    assert (drug.rates > 0).all()
    assert drug.weights.sum() == pytest.approx(1 / v, rel=1e-6)
    assert drug.clearance == pytest.approx(cl, rel=1e-6)
    long = 60.0 / drug.rates.min()
    assert infusion(drug, [long], cl, long)[0] == pytest.approx(1.0, rel=1e-6)
    t, every = np.array([0.3, 5.0, 11.0]), 12.0
    doses = int(40.0 / (drug.rates.min() * every)) + 2
    if doses < 20_000:
        many = t + every * np.arange(doses)[:, None]
        np.testing.assert_allclose(
            infusion_for_ever(drug, t, 100.0, 1.0, every), infusion(drug, many, 100.0, 1.0).sum(0), rtol=1e-6
        )
        if np.abs(drug.rates - absorption).min() > 1e-3 * absorption and absorption > drug.rates.min():
            np.testing.assert_allclose(
                oral_for_ever(drug, t, 100.0, absorption, every), oral(drug, many, 100.0, absorption).sum(0), rtol=1e-5
            )


def test_absorption_as_fast_as_elimination_has_no_hole() -> None:
    """Flip-flop: where the rates meet, the limit holds; and nothing is there before the lag."""
    drug = disposition(10.0, 10.0)
    near, at = oral(drug, TIMES, 100.0, 1.0 + 1e-6), oral(drug, TIMES, 100.0, 1.0)
    np.testing.assert_allclose(at, near, rtol=1e-4)  # they differ by a millionth of the rate, over 48 half-lives
    np.testing.assert_allclose(at, 10.0 * TIMES * np.exp(-TIMES), rtol=1e-12)
    assert oral(drug, [0.5, 2.0], 100.0, 1.0, lag=1.0)[0] == 0.0


def test_impossible_kinetics_are_refused() -> None:
    """A volume of nothing, a flow without a volume, an infusion longer than its interval."""
    for values in ((5.0, 0.0), (5.0, 30.0, 4.0), (float("nan"), 1.0)):
        with pytest.raises(ModelError):
            disposition(*values)
    with pytest.raises(ModelError):
        infusion_for_ever(disposition(5.0, 30.0), [1.0], 10.0, 13.0, 12.0)


@pytest.mark.parametrize(
    ("model", "dose", "names"),
    [
        (PROPOFOL, 150.0, NAMES),
        (FENTANYL, 100.0, NAMES),
        (ESMOLOL, 40.0, NAMES[:4]),
        (VANCOMYCIN, 1_000.0, NAMES[:4]),
    ],
)
def test_named_drugs_are_the_closed_form_too(model: Model, dose: float, names: tuple[str, ...]) -> None:
    """Drugs with kernels of their own: a bolus into the vein."""
    p = model.parameter_values()
    value = dict(zip(model.parameter_index, p, strict=True))
    if model is VANCOMYCIN:
        value["clearance"] *= (value["creatinine_clearance"] / 120.0) ** 0.8
    times = np.linspace(0.0, 60.0, 61)
    none = np.zeros(1), model.rest()[None, :]
    plan = Schedule(*none, np.zeros(1), np.array([model.state_index["central"]]), np.array([dose]))
    seen = run(model, start(model, p[None, :]), p[None, :], 0.0, 60.0, times, plan, rtol=1e-9).check(model)
    np.testing.assert_allclose(
        seen.outputs[0, 1:, 0], bolus(disposition(*(value[one] for one in names)), times[1:], dose), rtol=BAR, atol=1e-9
    )
