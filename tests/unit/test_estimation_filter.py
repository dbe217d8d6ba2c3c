"""The ensemble Kalman filter: the same for all threads and neighbours, bounded, robust, and honest when it is lost."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest

from tests.estimation_support import KESSEL, LINEAR
from vitruvian.core.errors import ModelError
from vitruvian.estimation import Filter, Observation, Settings, begin, forecast, key_of, step_many
from vitruvian.estimation.health import health
from vitruvian.estimation.square_root import MISSING, REJECTED, USED, YIELDED
from vitruvian.physiology import run as running
from vitruvian.physiology.person import Person

pytestmark = pytest.mark.long  # numerics of minutes, compiled anew on a fresh machine

SEEN = (Observation("mean_pressure", 2.0), Observation("heart_rate", 1.0))
ONE = Filter(KESSEL, SEEN, Settings(members=32))
KEYS = [key_of(name) for name in ("ada", "ben", "cem", "dee", "eli")]
FIELDS = ("states", "theta", "bias", "track")


def course(one=ONE, keys=KEYS, ticks=4, values=(95.0, 75.0), rows=None):
    """The belief after some ticks of steady vitals that differ by patient."""
    belief = begin(one, keys)
    shift = np.array([KEYS.index(key) for key in keys])[:, None]
    for _ in range(ticks):
        belief, report = step_many(one, belief, np.array(values) + shift)
    return belief, report


def same(a, b):
    """Whether two beliefs agree bit by bit."""
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in FIELDS)


def test_result_does_not_depend_on_threads():
    threads = numba.get_num_threads()
    try:
        results = []
        for count in (1, min(2, threads)):
            numba.set_num_threads(count)
            results.append(course()[0])
    finally:
        numba.set_num_threads(threads)
    assert same(*results)


def test_patient_alone_is_as_among_others():
    together, _ = course()
    for n, key in enumerate(KEYS):
        assert same(together.rows([n]), course(keys=[key])[0])


def test_order_of_patients_does_not_matter():
    assert same(course()[0].rows([4, 0, 3, 1, 2]), course(keys=[KEYS[i] for i in (4, 0, 3, 1, 2)])[0])


def test_chunks_do_not_matter(monkeypatch):
    whole, _ = course()
    monkeypatch.setattr("vitruvian.estimation.enkf.CHUNK", 2)
    assert same(whole, course()[0])


def test_step_leaves_its_belief_alone():
    before = begin(ONE, KEYS)
    copies = {name: getattr(before, name).copy() for name in FIELDS}
    step_many(ONE, before, np.full((5, 2), 90.0))
    assert all(np.array_equal(copies[name], getattr(before, name)) for name in FIELDS)


def test_measurements_draw_the_prediction_near():
    _, first = course(ticks=1)
    _, last = course(ticks=15)
    target = np.array([95.0, 75.0]) + np.arange(5)[:, None]
    assert np.abs(last.expected - target).max() < 2.0
    assert (last.spread < first.spread / 3).all()


def test_nothing_measured_changes_nothing_but_the_drift():
    one = Filter(KESSEL, SEEN, Settings(members=32, walk_per_h=0.0))
    belief = begin(one, KEYS)
    after, report = step_many(one, belief, np.full((5, 2), np.nan))
    assert (report.fate == MISSING).all()
    assert np.array_equal(after.theta, belief.theta)
    assert (report.nis == 0).all()


def test_gross_outlier_is_rejected_and_at_last_believed():
    belief, _ = course(ticks=6)
    calm = np.array([95.0, 75.0]) + np.arange(5)[:, None]
    wild = calm.copy()
    wild[2, 0] = 210.0
    fates = []
    for _ in range(5):
        belief, report = step_many(ONE, belief, wild)
        fates.append(report.fate[2, 0])
        assert (np.delete(report.fate[:, 0], 2) == USED).all()
    assert fates == [REJECTED, REJECTED, REJECTED, YIELDED, YIELDED]
    belief, report = step_many(ONE, belief, calm)
    assert np.isfinite(belief.theta).all()


def test_estimates_keep_their_bounds_under_absurd_measurements():
    one = replace(ONE, settings=Settings(members=32, gate=1e9))
    belief = begin(one, KEYS)
    for values in ((400.0, 5.0), (1.0, 300.0), (250.0, 250.0)):
        belief, _ = step_many(one, belief, np.tile(values, (5, 1)))
        for e, parameter in enumerate(one.parameters):
            assert (belief.theta[:, :, e] >= parameter.low).all()
            assert (belief.theta[:, :, e] <= parameter.high).all()
        assert (belief.states[:, :, 0] > 0).all()
        assert ((belief.states[:, :, 1] > 10) & (belief.states[:, :, 1] < 300)).all()


def test_inputs_and_schedules_act_alike():
    belief = begin(ONE, KEYS)
    values = np.full((5, 2), np.nan)
    u = np.linspace(-2, 2, 5)[:, None]
    held, _ = step_many(ONE, belief, values, u)
    scheduled, _ = step_many(ONE, belief, values, [running.held(row) for row in u])
    assert same(held, scheduled)
    pressure = held.states[:, :, 0].mean(1) - belief.states[:, :, 0].mean(1)
    assert (np.diff(pressure) > 0).all()


def test_lost_members_take_the_place_of_others():
    belief = begin(ONE, KEYS)
    states = belief.states.copy()
    states[1, :5] = np.nan
    states[3] = np.nan
    before = replace(belief, states=states)
    after, report = step_many(ONE, before, np.full((5, 2), 90.0))
    assert report.lost.tolist() == [0, 5, 0, 32, 0]
    assert np.isfinite(after.states[1]).all()
    assert (report.fate[3] == MISSING).all()
    assert np.isnan(after.states[3]).all()
    assert health(ONE, after)[3].word == "lost"


def test_filter_says_how_it_is_doing():
    belief = begin(ONE, KEYS)
    assert {each.word for each in health(ONE, belief)} == {"blind"}
    rng = np.random.default_rng(4)
    for tick in range(40):
        values = np.array([95.0, 75.0]) + rng.normal(0, (2.0, 1.0), (5, 2))
        values[1] += 40.0 if tick % 2 else -40.0  # no patient of this model swings like that
        belief, _ = step_many(ONE, belief, values)
    words = health(ONE, belief)
    assert [each.word for each in words] == ["tracking", "lost", "tracking", "tracking", "tracking"]
    assert "mean pressure" in words[1].reason or "heart rate" in words[1].reason
    for _ in range(120):
        belief, _ = step_many(ONE, belief, np.full((5, 2), np.nan))
    assert health(ONE, belief)[0].word == "blind"


def test_parameter_that_no_person_has_is_named():
    belief = begin(ONE, KEYS)
    theta = belief.theta.copy()
    theta[0, :, 0] = 5.9
    track = belief.track.copy()
    track[:, :, 0] = track[:, :, 2] = 10.0
    words = health(ONE, replace(belief, theta=theta, track=track))
    assert words[0].word == "strained"
    assert "resistance" in words[0].reason
    assert words[1].word == "tracking"


@pytest.mark.long
def test_discrepancy_takes_what_the_model_cannot_explain():
    seen = (Observation("first_level", 0.05, bias_sd=1.0), Observation("second_level", 0.05))
    one = Filter(LINEAR, seen, Settings(members=128))
    belief = begin(one, [1])
    rng = np.random.default_rng(0)
    for _ in range(40):  # the model at rest shows 2 and 4: the first is read 1.5 too high
        belief, _ = step_many(one, belief, np.array([[3.5, 4.0]]) + rng.normal(0, 0.05, 2))
    assert belief.bias[0, :, 0].mean() == pytest.approx(1.5, abs=0.15)
    assert belief.theta.mean() == pytest.approx(1.0, abs=0.1)
    ahead = forecast(one, belief, [60.0, 1e6])
    shown = ahead.outputs[0, :, :, 0]
    assert shown[:, 0].mean() == pytest.approx(3.5, abs=0.15)
    assert shown[:, 0].std() < 0.3 < 0.7 < shown[:, 1].std()  # after 12 days it is forgotten, and unknown again


def test_persons_and_known_values_shape_the_prior():
    small = Person(30, "female", 155, 50)
    belief = begin(ONE, KEYS[:2], [small, Person()], changes=[{"stroke_volume": 40.0}, {}])
    assert np.median(belief.theta[0, :, 2]) == pytest.approx(40.0, rel=0.15)
    assert np.median(belief.theta[1, :, 2]) == pytest.approx(70.0, rel=0.15)


def test_considered_parameters_widen_and_do_not_move():
    sure = Filter(KESSEL, SEEN, Settings(members=64), estimated=("resistance", "intrinsic_rate"), considered=())
    wary = replace(sure, considered=("*",))
    assert wary.considered == ("compliance", "stroke_volume", "gain")
    beliefs = {one.considered: begin(one, KEYS) for one in (sure, wary)}
    first = beliefs[wary.considered].theta.copy()
    for _ in range(8):
        for one in (sure, wary):
            beliefs[one.considered], _ = step_many(one, beliefs[one.considered], np.full((5, 2), (95.0, 75.0)))
    after = beliefs[wary.considered]
    assert np.array_equal(after.theta[:, :, 2:], first[:, :, 2:])
    assert not np.array_equal(after.theta[:, :, :2], first[:, :, :2])
    spread = {key: belief.theta[:, :, 0].std(1).mean() for key, belief in beliefs.items()}
    assert spread[wary.considered] > 2 * spread[()]  # stroke volume unknown, resistance is less known


@pytest.mark.parametrize(
    "make",
    [
        lambda: Filter(KESSEL, ()),
        lambda: Filter(KESSEL, (Observation("albumin", 1.0),)),
        lambda: Filter(KESSEL, SEEN, estimated=("length",)),
        lambda: Observation("mean_pressure", 0.0),
        lambda: Observation("mean_pressure", -1.0),
        lambda: Observation("mean_pressure", 1.0, bias_h=0.0),
        lambda: Settings(members=2),
        lambda: Settings(relax_states=1.5),
        lambda: Settings(walk_per_h=-1.0),
        lambda: begin(ONE, KEYS, [Person()]),
        lambda: step_many(ONE, begin(ONE, KEYS), np.zeros((5, 3))),
        lambda: step_many(ONE, begin(ONE, KEYS), np.zeros((5, 2)), np.zeros(4)),
        lambda: step_many(ONE, begin(ONE, KEYS), np.zeros((5, 2)), [running.nothing(KESSEL)]),
        lambda: forecast(ONE, begin(ONE, KEYS), [60.0, 30.0]),
    ],
)
def test_what_does_not_fit_is_refused(make):
    with pytest.raises(ModelError, match="expected"):
        make()
