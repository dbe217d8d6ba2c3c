"""The circulation: the standard man, the two forms against each other, volume, reflexes, people, beats."""

import numpy as np
import pytest

from benchmarks.circulation_fit import averaged, errors, grid, steady_beats
from vitruvian.core.errors import ModelError
from vitruvian.physiology.bodies.compose import compose
from vitruvian.physiology.circulation import BEATS, CIRCULATION
from vitruvian.physiology.circulation.beats import beats, record
from vitruvian.physiology.circulation.parameters import COMMON
from vitruvian.physiology.person import REFERENCE, Person
from vitruvian.physiology.run import Schedule, held, observe, run
from vitruvian.physiology.simulate import Action, population, settled, simulate

MEDIAN_ERROR_MAX = 0.035
LARGE_ERROR_MAX = 0.08


@pytest.fixture(scope="module")
def man():
    p = population(BEATS, REFERENCE, 1, 1)
    return p, run(BEATS, settled(BEATS, p), p, 0.0, 30.0).check(BEATS).end


def final(model, actions, name, for_s=600.0, **changes):
    seen = simulate(model, actions, for_s=for_s, **changes).of(name)[0]
    return seen[-1] / seen[0]


def test_the_two_forms_share_their_parameters():
    for model in (BEATS, CIRCULATION):
        assert model.parameters[: len(COMMON)] == COMMON
    assert [one.name for one in BEATS.states[:9]] == [one.name for one in CIRCULATION.states[:9]]


def test_the_averaged_form_follows_the_pulsating_one_over_hearts_and_vessels_of_many_kinds():
    p = grid(16, seed=11)  # not the grid the shape constants were fitted on
    seen = steady_beats(p)
    alive = [i for i, one in enumerate(seen) if 40 < one["mean_pressure"] < 170]
    assert len(alive) >= 12
    left = abs(errors(averaged(p[alive]), [seen[i] for i in alive]))
    assert np.median(left, axis=0).max() < MEDIAN_ERROR_MAX
    assert np.quantile(left, 0.95) < LARGE_ERROR_MAX


def test_the_two_forms_bleed_alike():
    """1,200 mL out of the vessels in 10 minutes, and 10 minutes after."""
    forms = []
    for model in (BEATS, CIRCULATION):
        u = np.tile(model.rest(), (3, 1))
        u[1, len(model.inputs)] = -2.0
        none = np.empty(0)
        plan = Schedule(np.array([0.0, 60.0, 660.0]), u, none, np.empty(0, np.int64), none)
        p = population(model, REFERENCE, 1, 1)
        times = np.arange(0.0, 1_260.0, 30.0)
        done = run(model, settled(model, p), p, 0.0, 1_260.0, times, plan).check(model).outputs[0]
        forms.append([done[:, model.output_index[name]] for name in ("mean_pressure", "cardiac_output", "heart_rate")])
    beat, mean = np.array(forms)
    assert beat[1].min() < 0.85 * beat[1][0]
    assert abs(mean / beat - 1).max() < 0.06


def test_volume_is_kept_exactly_and_counts_what_flows_in(man):
    p, y = man
    for model, q, begin in ((BEATS, p, y), (CIRCULATION, population(CIRCULATION, REFERENCE, 1, 1), None)):
        state = settled(model, q) if begin is None else begin
        u = model.rest()
        u[len(model.inputs)] = 3.0
        total = model.output_index["total_volume"]
        before = observe(model, 0.0, state, q, u)[0, total]
        after = run(model, state, q, 0.0, 40.0, [40.0], held(u)).check(model).outputs[0, 0, total]
        assert after - before == pytest.approx(120.0, abs=1e-3)


def test_a_beat_is_summed_up(man):
    p, y = man
    exactly = BEATS.with_(rtol=1e-8)
    (seen,) = record(exactly, y, p, 0.0, 10.0)
    assert len(seen.at_s) >= 10
    assert np.all(seen.diastolic_pressure < seen.mean_pressure)
    assert np.all(seen.mean_pressure < seen.systolic_pressure)
    assert np.diff(seen.at_s) == pytest.approx(60.0 / seen.heart_rate[:-1])
    # What leaves the ventricle is what it held less what it holds: the two ways of telling the stroke volume agree.
    t = np.linspace(0, 10, 5001)
    volume = run(exactly, y, p, 0.0, 10.0, t).outputs[0, :, BEATS.output_index["left_ventricular_volume"]]
    for begin, rate, stroke in zip(seen.at_s, seen.heart_rate, seen.stroke_volume, strict=True):
        within = volume[(t >= begin) & (t <= begin + 60.0 / rate)]
        assert stroke == pytest.approx(within.max() - within.min(), rel=0.005)


def test_beats_refuses_what_it_cannot_sum_up():
    t = np.linspace(0, 1, 200)
    columns = dict.fromkeys(("aortic_pressure", "pulmonary_artery_pressure", "right_atrial_pressure"), t)
    columns |= dict.fromkeys(("left_atrial_pressure", "left_ventricular_volume", "aortic_flow"), t)
    with pytest.raises(ModelError, match="expected a whole one"):
        beats(t, {**columns, "beat_phase": 0.5 * t + 0.1})
    with pytest.raises(ModelError, match="expected at least 20"):
        beats(t, {**columns, "beat_phase": 50 * t})


def test_chambers_follow_the_valves(man):
    """Blood leaves the ventricle only while it presses more than the artery; the atrium never presses far more."""
    p, y = man
    out = run(BEATS, y, p, 0.0, 3.0, np.linspace(0, 3, 3001)).outputs[0]
    column = {name: out[:, i] for name, i in BEATS.output_index.items()}
    closed = column["aortic_flow"] == 0.0
    assert 0.5 < closed.mean() < 0.8
    assert np.all(column["left_ventricular_pressure"][closed] <= column["aortic_pressure"][closed] + 1e-9)
    assert np.all(column["left_ventricular_volume"] > 0)
    assert 300 < column["aortic_flow"].max() < 900
    assert 110 < column["left_ventricular_pressure"].max() < 135


@pytest.mark.parametrize(
    ("name", "value", "unit", "output", "low", "high"),
    [
        ("pacing_rate", 110, "/min", "heart_rate", 1.5, 1.56),
        ("tilt", 1, "1", "heart_rate", 1.10, 1.40),
        ("tilt", 1, "1", "cardiac_output", 0.75, 0.92),
        ("tilt", 1, "1", "mean_pressure", 0.93, 1.07),
        ("exercise", 100, "W", "cardiac_output", 1.6, 2.3),
        ("exercise", 100, "W", "systemic_vascular_resistance", 0.4, 0.75),
        ("exercise", 100, "W", "heart_rate", 1.4, 1.8),
    ],
)
def test_what_is_done_moves_it_as_in_people(name, value, unit, output, low, high):
    assert low < final(CIRCULATION, [Action(name, value, unit, 1.0)], output) < high


def imported(name, value, output):
    u = CIRCULATION.rest()
    u[len(CIRCULATION.inputs) + [one.name for one in CIRCULATION.imports].index(name)] = value
    p = population(CIRCULATION, REFERENCE, 1, 1)
    y = settled(CIRCULATION, p)
    before = observe(CIRCULATION, 0.0, y, p, CIRCULATION.rest())[0]
    after = run(CIRCULATION, y, p, 0.0, 900.0, [900.0], held(u)).check(CIRCULATION).outputs[0, 0]
    i = CIRCULATION.output_index[output]
    return after[i] / before[i]


@pytest.mark.parametrize(
    ("name", "value", "output", "low", "high"),
    [
        ("arterial_oxygen_pressure", 40.0, "heart_rate", 1.15, 1.5),
        ("arterial_co2_pressure", 60.0, "mean_pressure", 1.0, 1.15),
        ("intrathoracic_pressure", 6.0, "cardiac_output", 0.6, 0.95),
        ("resistance_factor", 1.5, "mean_pressure", 1.05, 1.4),
        ("resistance_factor", 1.5, "heart_rate", 0.6, 0.95),
        ("contractility_factor", 0.6, "cardiac_output", 0.6, 0.97),
        ("contractility_factor", 0.6, "central_venous_pressure", 1.03, 2.0),
        ("contractility_factor", 0.6, "ejection_fraction", 0.5, 0.9),
        ("venous_tone_factor", 0.5, "cardiac_output", 0.6, 0.97),
        ("heart_rate_factor", 0.8, "heart_rate", 0.75, 0.95),
        ("pulmonary_resistance_factor", 2.0, "pulmonary_artery_mean", 1.1, 1.6),
        ("metabolic_demand", 1.3, "cardiac_output", 1.03, 1.3),
    ],
)
def test_couplings_pull_the_right_way(name, value, output, low, high):
    assert low < imported(name, value, output) < high


def test_without_the_baroreflex_a_bleed_costs_more_pressure():
    def bled(gain):
        u = CIRCULATION.rest()
        u[len(CIRCULATION.inputs)] = -2.0
        p = population(CIRCULATION, REFERENCE, 1, 1, {"baroreflex_gain": gain})
        y = settled(CIRCULATION, p)
        seen = run(CIRCULATION, y, p, 0.0, 400.0, [0.0, 400.0], held(u)).check(CIRCULATION).outputs[0]
        return seen[:, CIRCULATION.output_index["mean_pressure"]]

    assert np.divide(*bled(0.0)[::-1]) < np.divide(*bled(1.0)[::-1]) - 0.1


def test_a_bleed_to_death_stays_finite():
    u = CIRCULATION.rest()
    u[len(CIRCULATION.inputs)] = -3.3
    p = population(CIRCULATION, REFERENCE, 8, 1)
    seen = (
        run(CIRCULATION, settled(CIRCULATION, p), p, 0.0, 1_000.0, [1_000.0], held(u)).check(CIRCULATION).outputs[:, 0]
    )
    assert np.isfinite(seen).all()
    assert seen[:, CIRCULATION.output_index["cardiac_output"]].max() < 1.0


@pytest.mark.parametrize(
    "person",
    [
        Person(25, "female", 160, 52),
        Person(80, "male", 170, 70),
        Person(60, "female", 165, 110),
        Person(20, "male", 195, 95),
    ],
)
def test_people_of_other_build_have_people_s_pressures_and_index(person):
    seen = simulate(CIRCULATION, for_s=60, person=person)
    assert 2.4 < seen.of("cardiac_index")[0, -1] < 3.4
    assert 80 < seen.of("mean_pressure")[0, -1] < 102
    assert 2 < seen.of("central_venous_pressure")[0, -1] < 6
    assert 48 < seen.of("ejection_fraction")[0, -1] < 65


def test_the_old_have_wider_pulses():
    def pulse(age):
        seen = simulate(CIRCULATION, for_s=60, person=Person(age, "male", 180, 77.1))
        return seen.of("systolic_pressure")[0, -1] - seen.of("diastolic_pressure")[0, -1]

    assert pulse(80) > pulse(44) + 8 > pulse(20) + 10


def test_children_are_outside_the_domain():
    with pytest.raises(ModelError, match="adults"):
        simulate(CIRCULATION, for_s=60, person=Person(8, "male", 130, 27))


def test_a_drawn_population_lives():
    seen = simulate(CIRCULATION, for_s=60, members=200, seed=5)
    for name, low, high in (("mean_pressure", 55, 140), ("cardiac_output", 2.5, 10), ("heart_rate", 40, 140)):
        values = seen.of(name)[:, -1]
        assert low < values.min() and values.max() < high
        assert np.std(values) > 0.03 * np.mean(values)


def test_it_joins_a_body():
    joined = compose("pair", "of the tests", [CIRCULATION])
    assert [one.name for one in joined.imports] == [one.name for one in CIRCULATION.imports]
