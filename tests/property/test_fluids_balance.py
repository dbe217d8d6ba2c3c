"""Whatever is bled and given, every millilitre and gram is accounted for, and nothing falls below nothing."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vitruvian.physiology.fluids import FLUIDS
from vitruvian.physiology.person import REFERENCE, Person
from vitruvian.physiology.run import held, observe, run, start

NAMES = ("blood_loss", "crystalloid", "colloid", "red_cells", "plasma")
OUT = FLUIDS.output_index
rates = st.fixed_dictionaries({name: st.sampled_from((0.0, 20.0, 150.0, 400.0)) for name in NAMES})


def levels(given_rates, leak=1.0):
    u = FLUIDS.rest()
    for name, rate in given_rates.items():
        u[FLUIDS.input_index[name]] = rate
    u[len(FLUIDS.inputs) + [one.name for one in FLUIDS.imports].index("leak_factor")] = leak
    return u


@settings(max_examples=60, deadline=None)
@given(rates, st.floats(1.0, 4.0), st.integers(1, 40))
def test_water_is_conserved(given_rates, leak, minutes):
    """Plasma, red cells and tissue change by what came less what was bled, as long as there is blood to bleed."""
    p = FLUIDS.parameter_values()[None]
    u = levels(given_rates, leak)
    y = start(FLUIDS, p)
    done = run(FLUIDS, y, p, 0.0, 60.0 * minutes, (), held(u), rtol=1e-8).check(FLUIDS).end[0]
    assert np.all(done[[0, 1, 2, 3]] >= -1e-6)
    volume = done[0] + done[1]
    if volume > 0.1 * p[0, FLUIDS.parameter_index["blood_volume"]]:
        came = minutes * (sum(given_rates.values()) - 2 * given_rates["blood_loss"])
        before, after = y[0, [0, 1, 3]].sum(), done[[0, 1, 3]].sum()
        assert abs(after - before - came) < 1e-3 * max(1.0, abs(came))


@settings(max_examples=30, deadline=None)
@given(st.floats(10.0, 200.0), st.integers(1, 15))
def test_bleeding_takes_haemoglobin_in_proportion(rate, minutes):
    """Undiluted by the tissue (no shift), what is left of haemoglobin is what is left of the blood."""
    p = FLUIDS.parameter_values(changes={"split_loss": 0.0, "filtration": 0.0})[None]
    done = run(FLUIDS, start(FLUIDS, p), p, 0.0, 60.0 * minutes, (), held(levels({"blood_loss": rate}))).check(FLUIDS)
    seen = observe(FLUIDS, 0.0, done.end, p, FLUIDS.rest())[0]
    share = 1 - rate * minutes / 5_674.0
    assert abs(seen[OUT["blood_volume"]] / 5_674.0 - share) < 2e-3
    assert abs(seen[OUT["hemoglobin"]] / 14.7 - 1) < 5e-3


def test_people_differ_in_blood():
    def seen(person):
        p = FLUIDS.parameter_values(person)[None]
        return observe(FLUIDS, 0.0, start(FLUIDS, p), p, FLUIDS.rest())[0]

    man, woman = seen(REFERENCE), seen(Person(44, "female", 165, 60))
    assert woman[OUT["blood_volume"]] < 0.8 * man[OUT["blood_volume"]]
    assert 12 < woman[OUT["hemoglobin"]] < 14 < man[OUT["hemoglobin"]] < 16


def test_a_leak_moves_plasma_into_the_tissue_slowly():
    p = FLUIDS.parameter_values()[None]
    y = start(FLUIDS, p)
    done = run(FLUIDS, y, p, 0.0, 6 * 3_600.0, (), held(levels({}, leak=3.0))).check(FLUIDS).end[0]
    assert 400 < y[0, 0] - done[0] < 2_000
    assert done[3] - y[0, 3] > 400
