"""What the two glucose models must do, whatever their numbers: food raises, insulin lowers, mass is kept."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.core.errors import ModelError
from vitruvian.physiology.actions import Action, schedule
from vitruvian.physiology.glucose import ICU_GLUCOSE, UVA_PADOVA
from vitruvian.physiology.person import REFERENCE, Person
from vitruvian.physiology.run import run, start
from vitruvian.physiology.simulate import simulate

HOUR_S = 3_600.0


def glucose(model, *actions, hours=8, **settings):
    found = simulate(model, list(actions), for_s=hours * HOUR_S, every_s=300.0, **settings)
    return found.values[0, :, model.output_index["glucose"]]


def test_the_fasting_adult_stands_at_120() -> None:
    """The assumption that the reference person is made from."""
    still = glucose(UVA_PADOVA, hours=24)
    np.testing.assert_allclose(still, 120.0, atol=0.05)


def test_a_meal_raises_and_its_bolus_brings_back() -> None:
    """With a bolus the meal's peak is lower and the end near the start; without, it stays high."""
    bare = glucose(UVA_PADOVA, Action("meal", 60, "g", 600))
    covered = glucose(UVA_PADOVA, Action("meal", 60, "g", 600), Action("insulin", 5, "[iU]", 600))
    assert bare.max() > covered.max() + 20 > 160
    assert bare[-1] > covered[-1] + 40
    assert abs(covered[-1] - 120) < 25


def test_more_of_each_does_more() -> None:
    """Monotone in insulin, carbohydrate and sensitivity."""
    lowest = [glucose(UVA_PADOVA, Action("insulin", dose, "[iU]", 0)).min() for dose in (0.5, 1, 2, 4)]
    highest = [glucose(UVA_PADOVA, Action("meal", grams, "g", 0)).max() for grams in (10, 30, 60, 90)]
    by_sense = [
        glucose(UVA_PADOVA, Action("insulin", 2, "[iU]", 0), parameters={"insulin_sensitivity": s}).min()
        for s in (0.5, 1, 2)
    ]
    assert (np.diff(lowest) < 0).all()
    assert (np.diff(highest) > 0).all()
    assert (np.diff(by_sense) < 0).all()


def test_sensitivity_leaves_the_fasting_state() -> None:
    """It scales what insulin does beyond its basal level only."""
    still = glucose(UVA_PADOVA, hours=6, parameters={"insulin_sensitivity": 2.0})
    np.testing.assert_allclose(still, 120.0, atol=0.05)


def test_a_stopped_pump_raises_glucose() -> None:
    """No basal insulin: glucose climbs for hours."""
    stopped = glucose(UVA_PADOVA, Action("insulin_basal_share", 0, "1", 0), hours=8)
    assert stopped[-1] > 220
    assert (np.diff(stopped) > -1e-6).all()


def test_the_steady_state_is_one_whatever_is_given() -> None:
    """Slopes are 0 at the start under any steady delivery, also after the fact when checked by integration."""
    for share, dextrose in ((1.0, 0.0), (0.5, 0.0), (1.5, 5.0), (0.8, 10.0)):
        u = UVA_PADOVA.rest()
        u[UVA_PADOVA.input_index["insulin_basal_share"]] = share
        u[UVA_PADOVA.input_index["glucose_infusion"]] = dextrose
        p = UVA_PADOVA.parameter_values()
        y = start(UVA_PADOVA, p[None, :], u)[0]
        slope = np.empty(len(y))
        UVA_PADOVA.rhs(0.0, y, p, u, slope)
        assert np.abs(slope).max() < 1e-6 * max(1.0, np.abs(y).max())


def test_carbohydrate_is_kept() -> None:
    """What was eaten is in stomach and gut, or has appeared in plasma: nothing is lost on the way."""
    plan = schedule(UVA_PADOVA, [Action("meal", 75, "g", 600), Action("meal", 30, "g", 7_200, 900)])
    p = UVA_PADOVA.parameter_values()[None, :]
    times = np.arange(0.0, 481.0)
    done = run(UVA_PADOVA, start(UVA_PADOVA, p), p, 0.0, 480.0, times, plan).check(UVA_PADOVA)
    appearance = done.outputs[0, :, UVA_PADOVA.output_index["glucose_appearance"]]
    values = dict(zip(UVA_PADOVA.parameter_index, p[0], strict=True))
    absorbed = np.trapezoid(appearance, times) * values["weight"] / values["bioavailability"]
    inside = done.end[0, :3].sum() + 1000 * done.end[0, UVA_PADOVA.state_index["plate"]]
    assert absorbed + inside == pytest.approx(105_000, rel=2e-4)


def test_a_meal_is_the_same_as_a_dose_and_as_a_rate_of_known_size() -> None:
    """A plate of 60 g, eaten at 5 g/min, is 5 g/min for 12 min whose size is stated."""
    plate = glucose(UVA_PADOVA, Action("meal", 60, "g", 600), parameters={"eating_rate": 5.0})
    rate = glucose(UVA_PADOVA, Action("meal", 5, "g/min", 600, 720), Action("meal_size", 60, "g", 600, 720))
    assert np.abs(plate - rate).max() < 0.5


def test_the_second_meal_is_told_from_the_first() -> None:
    """The stomach's brake knows the size of the last meal: a snack after a feast empties as a snack."""
    state = UVA_PADOVA.state_index
    plan = schedule(UVA_PADOVA, [Action("meal", 100, "g", 0), Action("meal", 15, "g", 8 * HOUR_S)])
    p = UVA_PADOVA.parameter_values()[None, :]
    done = run(UVA_PADOVA, start(UVA_PADOVA, p), p, 0.0, 600.0, (), plan).check(UVA_PADOVA)
    left_mg = 1000 * 100 * 0.05
    assert 15_000 - 50 < done.end[0, state["meal_last"]] < 15_000 + left_mg


def test_exercise_lowers_and_lasts() -> None:
    """An hour on the cycle lowers glucose, more at more power, and does nothing where it is not asked for."""
    ends = [glucose(UVA_PADOVA, Action("exercise", watts, "W", 0, HOUR_S), hours=2)[12] for watts in (0, 50, 100)]
    assert ends[0] > ends[1] + 5 > ends[2] + 5


def test_people_it_was_not_made_for() -> None:
    """Children and very small people are refused with the reason."""
    with pytest.raises(ModelError, match="children"):
        simulate(UVA_PADOVA, for_s=HOUR_S, person=Person(8, "male", 130, 28))
    with pytest.raises(ModelError, match="adults"):
        simulate(ICU_GLUCOSE, for_s=HOUR_S, person=Person(8, "male", 130, 28))


def test_icu_insulin_lowers_feed_raises() -> None:
    """And a bolus of insulin is seen in plasma as the amount over its volume."""
    base = glucose(ICU_GLUCOSE, hours=10)
    fed = glucose(ICU_GLUCOSE, Action("meal", 10, "g/h", 0), hours=10)
    treated = glucose(ICU_GLUCOSE, Action("meal", 10, "g/h", 0), Action("insulin", 4, "[iU]/h", 0), hours=10)
    sweet = glucose(ICU_GLUCOSE, Action("glucose_infusion", 10, "g/h", 0), hours=10)
    assert fed[-1] > base[-1] + 20
    assert sweet[-1] > base[-1] + 20
    assert treated[-1] < fed[-1] - 20
    bolus = simulate(ICU_GLUCOSE, [Action("insulin", 2, "[iU]", 60)], for_s=120, every_s=60)
    insulin = bolus.values[0, :, ICU_GLUCOSE.output_index["plasma_insulin"]]
    assert insulin[1] - insulin[0] == pytest.approx(2_000 / 3.15, rel=1e-3)


def test_icu_steady_state_by_hand() -> None:
    """With no endogenous insulin and none given: glucose is production less brain over clearance (ICING [1])."""
    changes = {"secretion_max": 0.0}
    p = ICU_GLUCOSE.parameter_values(REFERENCE, changes)
    y = start(ICU_GLUCOSE, p[None, :])[0]
    assert y[0] / 13.3 == pytest.approx((1.16 - 0.3) / 13.3 / 0.006, rel=1e-6)
    assert y[1] == pytest.approx(0.0, abs=1e-6)


def test_icu_insulin_steady_state_by_hand() -> None:
    """At an infusion, plasma insulin is where gain and loss balance, by bisection in plain Python."""
    u = ICU_GLUCOSE.rest()
    u[0] = 3.0
    y = start(ICU_GLUCOSE, ICU_GLUCOSE.parameter_values()[None, :], u)[0]

    def gain(insulin: float) -> float:
        a, n = 0.0154, 0.003
        low, high = 0.0, insulin
        for _ in range(200):
            q = 0.5 * (low + high)
            low, high = (q, high) if n * (insulin - q) > n * q / (1 + a * q) else (low, q)
        own = 45.7 * np.exp(-insulin * 1.5 / 1000) * (1 - 0.67)
        return float(
            (50.0 + own) / 3.15 - 0.0542 * insulin - 0.1578 * insulin / (1 + 0.0017 * insulin) - n * (insulin - low)
        )

    low, high = 0.0, 1e4
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if gain(middle) > 0 else (low, middle)
    assert y[2] / 3.15 == pytest.approx(low, rel=1e-8)
