"""A bundle as it is served: the sums by hand, batch against stream, late data, and folders that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from tests.bundle_support import FEATURES, MEDIANS, WEIGHTS, make_bundle
from tests.synthetic_cohort import write_parquet
from vitruvian.core.errors import ModelError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import ORIGIN_US
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.inputs.blocks import Asked, columns
from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H, window
from vitruvian.prediction.inputs.table import table_of
from vitruvian.prediction.serve import selftest
from vitruvian.prediction.serve.bundle import FILE, Bundle
from vitruvian.prediction.serve.gate import NOT_ADULT, REQUIRED, SUFFICIENT, TOO_EARLY, TOO_FEW_VITALS
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.signals.tracker import Tracker

BASE = -3.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("bundle") / "sepsis")


@pytest.fixture(scope="module")
def predictor(folder: Path) -> Predictor:
    return Predictor.load(folder)


def some(predictor: Predictor, rows: int, seed: int = 1) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Values by `needed` and hours of made-up patients, some of both missing."""
    rng = np.random.default_rng(seed)
    middle = dict(zip(FEATURES, MEDIANS, strict=True)) | {"mean_pressure": 80.0, "age_years": 60.0}
    usual = np.array([middle[name] for name in predictor.needed])
    values = (usual * rng.normal(1.0, 0.1, (rows, usual.size))).astype(np.float32)
    values[rng.random(values.shape) < 0.15] = np.nan
    hours = rng.normal([85, 18, 97, 37, 120, 65, 82], [10, 4, 2, 0.5, 15, 10, 12], (rows, CONTEXT_H, len(CHANNELS)))
    hours[rng.random(hours.shape) < 0.3] = np.nan
    return values, hours.astype(np.float32)


def by_hand(folder: Path, values: NDArray[np.float32], hours: NDArray[np.float32]) -> NDArray[np.float64]:
    """The members' log-odds (n, 2) by plain numpy in double precision, from the numbers within the graphs."""
    read = np.nan_to_num(values.astype(np.float64), nan=np.inf)
    read = np.where(np.isinf(read), MEDIANS, read) - MEDIANS
    from_features = read @ np.array(WEIGHTS)
    held = {
        one.name: numpy_helper.to_array(one).astype(np.float64)
        for one in onnx.load(folder / "gru.onnx").graph.initializer
    }
    state = np.zeros((len(values), held["out"].size))
    for hour in range(CONTEXT_H):
        seen = hours[:, hour].astype(np.float64)
        x = (np.where(np.isnan(seen), held["hour_center"], seen) - held["hour_center"]) / held["hour_scale"]
        gate = 1 / (1 + np.exp(-(x @ held["gate_w"] + state @ held["gate_u"])))
        state = state + gate * (np.tanh(x @ held["fresh_w"] + state @ held["fresh_u"]) - state)
    return np.column_stack([from_features + BASE, from_features + state @ held["out"] + BASE])


def test_the_sums_by_hand(folder: Path, predictor: Predictor) -> None:
    """Members, their calibration, the ensemble, the interval and the contributions, against plain numpy."""
    values, hours = some(predictor, 300)
    found = predictor.score(values, predictor.needed, hours)
    places = [predictor.needed.index(name) for name in FEATURES]
    members = 1.1 * by_hand(folder, values[:, places], hours) - 0.1
    logit = 0.9 * members.mean(axis=1) + 0.05
    half = 1.959964 * np.sqrt(members.var(axis=1) + 0.2**2)
    for column, expected in ((found.probability, logit), (found.low, logit - half), (found.high, logit + half)):
        np.testing.assert_allclose(column, 1 / (1 + np.exp(-expected)), atol=2e-6)
    np.testing.assert_allclose(found.member_probability, 1 / (1 + np.exp(-members)), atol=2e-6)
    assert (found.explained, found.names) == ("logistic", FEATURES)
    np.testing.assert_allclose(found.contributions.sum(axis=1), members[:, 0] - (1.1 * BASE - 0.1), atol=1e-4)
    assert float(np.ptp(found.probability)) > 0.2  # the patients do differ


def test_one_member_alone_has_its_own_calibration_and_the_floor(folder: Path) -> None:
    alone = Predictor.load(folder, serves="standard/gru")
    values, hours = some(alone, 50)
    found = alone.score(values, alone.needed, hours)
    places = [alone.needed.index(name) for name in FEATURES]
    logit = 1.1 * by_hand(folder, values[:, places], hours)[:, 1] - 0.1
    np.testing.assert_allclose(found.probability, 1 / (1 + np.exp(-logit)), atol=2e-6)
    np.testing.assert_allclose(np.log(found.high / (1 - found.high)) - logit, 1.959964 * 0.2, atol=1e-4)
    assert found.explained == "logistic"  # it cannot say itself; its neighbour's drivers are named as such


def test_a_sites_curve_comes_last(tmp_path: Path, predictor: Predictor) -> None:
    """Straight between its knots, flat beyond; the interval goes through it too."""
    folder = make_bundle(tmp_path / "m")
    told = json.loads((folder / FILE).read_text())
    told["variants"]["standard"]["curve"] = [[-4.0, -5.0], [-2.0, -2.0], [0.0, -1.0]]
    (folder / FILE).write_text(json.dumps(told))
    values, hours = some(predictor, 200)
    plain = predictor.score(values, predictor.needed, hours)
    found = Predictor.load(folder).score(values, predictor.needed, hours)
    for before, after in ((plain.probability, found.probability), (plain.low, found.low), (plain.high, found.high)):
        expected = np.interp(np.log(before / (1 - before)), [-4, -2, 0], [-5, -2, -1])
        np.testing.assert_allclose(np.log(after / (1 - after)), expected, atol=1e-9)
    _edited(folder, variants={"standard": told["variants"]["standard"] | {"curve": [[1, 0], [0, 1]]}})
    with pytest.raises(ModelError, match="do not rise"):
        Predictor.load(folder)


def test_a_variant_that_cannot_say_what_moves_it_borrows_the_logistic_regression(tmp_path: Path) -> None:
    """But not one that reads of how care is given, where the variant does not."""
    for features, explained in ((FEATURES, "logistic"), ((*FEATURES, "tests_per_day"), "")):
        folder = make_bundle(tmp_path / f"m{len(features)}")
        told = json.loads((folder / FILE).read_text())
        told["members"][0] |= {"settings": {"family": "logistic"}, "features": list(features)}
        told["variants"]["lstm"] = told["variants"]["standard"] | {"members": {"gru": 1.0}}
        (folder / FILE).write_text(json.dumps(told))
        if len(features) > len(FEATURES):
            wider = make_bundle(tmp_path / "wider", members=["logistic"], features=features)
            (folder / "logistic.onnx").write_bytes((wider / "logistic.onnx").read_bytes())
        served = Predictor.load(folder, serves="lstm")
        values, hours = some(served, 5)
        found = served.score(values, served.needed, hours)
        assert (found.members, found.explained) == (("gru",), explained)
        assert found.contributions.shape == (5, len(FEATURES) if explained else 0)


def test_nothing_is_said_where_nothing_may_be(tmp_path: Path, predictor: Predictor) -> None:
    values, hours = some(predictor, 4)
    values[:] = np.where(np.isnan(values), 1.0, values)
    places = {name: place for place, name in enumerate(predictor.needed)}
    values[:, places["age_years"]] = (70, 9, np.nan, 70)
    for names in REQUIRED[:3]:
        values[3, [places[name] for name in names]] = np.nan
    found = predictor.predict(values, predictor.needed, hours)
    assert found.reason.tolist() == [SUFFICIENT, NOT_ADULT, SUFFICIENT, TOO_FEW_VITALS]
    assert np.isnan(found.probability).tolist() == [False, True, False, True]
    assert (
        np.isnan(found.contributions[1]).all() and np.isnan(found.low[3]) and np.isnan(found.member_probability[3, 1])
    )
    assert found.missing[3].tolist() == [True, True, True, False, False]
    assert "insufficient data" in found.why(3) and found.why(0) == ""
    told = Predictor.load(make_bundle(tmp_path / "m", "mortality24", members=["logistic"]), "mortality24")
    early = told.predict(
        values[:, [places[name] for name in told.needed]], told.needed, observed_h=np.array([23.9, 30, np.nan, 48.0])
    )
    assert early.reason.tolist() == [TOO_EARLY, NOT_ADULT, TOO_EARLY, TOO_FEW_VITALS]
    assert "24 h" in early.why(0)


def test_a_row_does_not_depend_on_its_batch(predictor: Predictor) -> None:
    values, hours = some(predictor, 700)
    whole = predictor.score(values, predictor.needed, hours).probability
    for row in (0, 255, 256, 511, 512, 699):
        one = predictor.score(values[row : row + 1], predictor.needed, hours[row : row + 1])
        assert abs(one.probability[0] - whole[row]) <= 1e-6
    assert predictor.score(values[:0], predictor.needed, hours[:0]).probability.shape == (0,)


def test_a_table_and_the_live_ward_say_the_same(tmp_path: Path, predictor: Predictor) -> None:
    """Every row of a cohort, scored as a table and hour by hour from a tracker with carried states."""
    cohort = read_challenge2019(write_parquet(tmp_path / "a.parquet", patients=40, hours=36))
    table = table_of(cohort, predictor.needed)
    batch = predictor.over(table)
    tracker, states = Tracker(cohort.patients), predictor.new_states()
    took, said = cohort.samples, 0
    for hour in np.unique(cohort.hour).tolist():
        rows = np.flatnonzero(cohort.hour == hour)
        now = np.full(rows.size, ORIGIN_US + hour * HOUR_US)
        due = (
            np.flatnonzero((took.at_us <= now[0]) & (took.at_us > now[0] - HOUR_US))
            if hour
            else np.flatnonzero(took.at_us <= now[0])
        )
        due = due[np.isin(took.patient[due], cohort.patient[rows])]
        tracker.update(took.patient[due], took.concept[due], took.at_us[due], took.value[due])
        who = cohort.patient[rows]
        for _ in range(2):  # asked about twice in the hour: the second time the states are kept
            values = columns(predictor.needed, Asked(tracker, who, now, cohort.age_years[who], cohort.male[who]))
            live = predictor.score(values, predictor.needed, window(tracker, who, now), keys=who, states=states)
            np.testing.assert_allclose(live.probability, batch.probability[rows], atol=1e-6)
            np.testing.assert_allclose(live.high, batch.high[rows], atol=1e-6)
            assert live.reason.tolist() == batch.reason[rows].tolist()
            said += rows.size
    assert said == 2 * len(table.values) > 1_000
    assert states.carried >= len(table.values) * 0.5 and states.kept >= len(table.values)
    part = np.array([5, 77, 300])
    np.testing.assert_allclose(predictor.over(table, part).probability, batch.probability[part], atol=1e-6)


def fed(samples: list[tuple[float, float]]) -> Tracker:
    """A tracker that heard (hour, heart rate) in the order of time."""
    tracker = Tracker(1)
    for hour, value in sorted(samples):
        concept = np.array([VOCABULARY["heart_rate"].index])
        tracker.update(np.zeros(1, np.int64), concept, np.array([int(hour * HOUR_US)]), np.array([value]))
    return tracker


def test_late_data_that_changes_a_closed_hour_changes_the_state_and_nothing_else_does(predictor: Predictor) -> None:
    """Live, replayed and corrected afterwards, the risk is the same function of what was measured."""
    start = 480_000.0
    samples = [(start + hour + 0.5, 80.0 + 3 * hour) for hour in range(12)]
    late = (start + 6.7, 150.0)
    row, key, now = np.array([0]), np.array([3]), np.array([int((start + 11.9) * HOUR_US)])
    values = np.full((1, len(predictor.needed)), 1.0, np.float32)
    states = predictor.new_states()

    def asked(tracker: Tracker, at: NDArray[np.int64] = now) -> float:
        hours = window(tracker, row, at)
        return float(predictor.score(values, predictor.needed, hours, keys=key, states=states).probability[0])

    def replayed(tracker: Tracker, at: NDArray[np.int64] = now) -> float:
        return float(predictor.score(values, predictor.needed, window(tracker, row, at)).probability[0])

    before = asked(fed(samples))
    assert (states.carried, states.kept) == (1, 0)
    more = fed([*samples, (start + 11.8, 140.0)])  # in the hour that runs: the state stays, the risk moves
    assert asked(more) == replayed(more) != before
    assert (states.carried, states.kept) == (1, 1)
    corrected = fed([*samples, late])
    assert asked(corrected) == replayed(corrected) != before
    assert states.carried == 2
    assert asked(fed(samples)) == before  # the late value was withdrawn
    next_hour = now + HOUR_US
    assert asked(corrected, next_hour) == replayed(corrected, next_hour)
    carried = states.carried
    states.forget([3])
    assert asked(corrected, next_hour) == replayed(corrected, next_hour)
    assert states.carried == carried + 1


def test_states_of_many_patients_are_kept_apart(predictor: Predictor) -> None:
    """Random arrivals, departures and changed hours, in any order, against carrying everything anew."""
    rng = np.random.default_rng(11)
    states = predictor.new_states()
    values, hours = some(predictor, 60, 3)
    for _ in range(40):
        who = rng.choice(60, rng.integers(1, 40), replace=False)
        changed = rng.choice(60, 5)
        hours[changed, rng.integers(0, CONTEXT_H), :] += 1.0
        states.forget(rng.choice(60, 3).tolist())
        kept = predictor.score(values[who], predictor.needed, hours[who], keys=who * 7, states=states)
        anew = predictor.score(values[who], predictor.needed, hours[who])
        np.testing.assert_allclose(kept.probability, anew.probability, atol=1e-6)
    assert states.kept > 100


def test_a_self_test_passes_where_it_was_made_and_fails_after_a_change(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "m")
    predictor = Predictor.load(folder)
    assert len(selftest.check(predictor)) == 2  # folders without kept rows are checked as far as can be
    values, hours = some(predictor, 20)
    selftest.write(predictor, values, predictor.needed, hours)
    assert any("as when it was made" in said for said in selftest.check(Predictor.load(folder)))
    selftest.check(Predictor.load(folder, serves="standard/gru"))
    other = make_bundle(tmp_path / "other", base=-2.9)
    (folder / "gru.onnx").write_bytes((other / "gru.onnx").read_bytes())
    with pytest.raises(ModelError, match="differ by"):
        selftest.check(Predictor.load(folder))
    (folder / selftest.FILE).write_text("{}")
    with pytest.raises(ModelError, match="cannot be read"):
        selftest.check(Predictor.load(folder))


def test_what_training_keeps_is_of_nobody_and_finds_a_changed_graph(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "m")
    path = selftest.keep(Bundle.read(folder))
    told = json.loads(path.read_text())
    assert len(told["values"]) == selftest.ROWS_MAX and np.ptp(told["probability"]) > 0.01
    assert path.read_text() == selftest.keep(Bundle.read(folder)).read_text()
    assert any("as when it was made" in said for said in selftest.check(Predictor.load(folder)))
    other = make_bundle(tmp_path / "other", base=-2.99)
    (folder / "logistic.onnx").write_bytes((other / "logistic.onnx").read_bytes())
    with pytest.raises(ModelError, match="differ by"):
        selftest.check(Predictor.load(folder))


def test_a_model_that_gives_no_number_is_refused(tmp_path: Path) -> None:
    folder = make_bundle(tmp_path / "m", base=float("nan"))
    with pytest.raises(ModelError, match="no number"):
        selftest.check(Predictor.load(folder))


def _edited(folder: Path, **told: object) -> Path:
    kept = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(kept | told))
    return folder


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda path: (path / "bundle.json").unlink(), "found no model"),
        (lambda path: _edited(path, members=None), "no plain names"),
        (lambda path: _edited(path, members=[{"name": "../elsewhere"}]), "no plain names"),
        (lambda path: _edited(path, format=9), "format 9"),
        (lambda path: _edited(path, task="aki"), "model of aki"),
        (lambda path: _edited(path, serves="standard/lstm"), "to serve"),
        (lambda path: _edited(path, members=[]), "gru|logistic"),
        (lambda path: _edited(path, version=None, variants={"standard": {}}), "lacks"),
        (lambda path: (path / "gru.onnx").write_bytes(b"no graph"), "refuses"),
        (lambda path: (path / "gru.carry.onnx").unlink(), "refuses"),
        (lambda path: (path / "logistic.onnx").write_bytes((path / "gru.onnx").read_bytes()), "with inputs"),
    ],
)
def test_a_bad_folder_is_refused_with_what_is_wrong(tmp_path: Path, break_it: object, said: str) -> None:
    folder = make_bundle(tmp_path / "m")
    assert callable(break_it)
    break_it(folder)
    with pytest.raises(ModelError, match=said):
        Predictor.load(folder)


def test_features_that_are_not_there_are_an_error(tmp_path: Path, predictor: Predictor) -> None:
    values, hours = some(predictor, 2)
    with pytest.raises(ModelError, match="shape"):
        predictor.predict(values[:, 1:], predictor.needed, hours)
    with pytest.raises(ModelError, match="which the model needs"):
        predictor.predict(values[:, 1:], predictor.needed[1:], hours)
    with pytest.raises(ModelError, match="hours of shape"):
        predictor.predict(values, predictor.needed)
    folder = make_bundle(tmp_path / "m", members=["logistic"], features=[*FEATURES, "horoscope"])
    with pytest.raises(ModelError, match="horoscope"):
        Predictor.load(folder)


def test_the_shipped_model_loads_and_passes() -> None:
    shipped = Predictor.load()
    assert shipped.task.name == "sepsis"
    assert selftest.check(shipped)
