"""Reference settings of the circulation and the fluids: published values, and the standard man."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

import vitruvian.physiology.circulation as circulation
import vitruvian.physiology.fluids as fluids
from benchmarks.circulation_fit import MAN, steady_beats
from vitruvian.physiology.bodies.compose import compose
from vitruvian.physiology.circulation import BEATS, CIRCULATION, reflex
from vitruvian.physiology.fluids import FLUIDS
from vitruvian.physiology.simulate import Action, simulate

BLOOD = compose("blood", "Circulation and fluids", [CIRCULATION, FLUIDS], settle=900.0, first_step=0.5, rtol=1e-4)


def setting(room, name):
    return tomllib.loads((Path(room.__file__).parent / "reference" / f"{name}.toml").read_text("utf-8"))


def test_the_baroreflex_rests_where_the_paper_s_does():
    """The effect that each published basal value implies, against ours at the paper's set pressure."""
    known = setting(circulation, "ursino_1998")
    implied = np.array([(one["basal"] - one["zero"]) / one["gain"] for one in known["effector"]])
    assert np.ptp(implied) < 0.06  # the paper agrees with itself
    firing = reflex.afferent(known["set_pressure"], known["set_pressure"])
    ours = reflex.sympathetic(firing, 0.0) + reflex.SIGMA_REST
    assert abs(ours / implied.mean() - 1) * 100 < known["reached_percent"]
    period = known["period"]
    vagal = reflex.vagal(firing, 0.0) + reflex.V_REST
    s = period["zero_s"] + period["sympathetic_gain_s"] * ours + period["vagal_gain"] * vagal
    assert s == pytest.approx(period["basal_s"], rel=0.05)


def test_the_open_loop_is_a_falling_sigmoid():
    """Ursino 1998: sympathetic outflow falls and vagal outflow rises with sinus pressure; firing is steepest at Pn."""
    pressures = np.arange(40.0, 181.0, 1.0)
    firing = np.array([reflex.afferent(one, 92.0) for one in pressures])
    sympathetic = np.array([reflex.sympathetic(one, 0.0) for one in firing])
    vagal = np.array([reflex.vagal(one, 0.0) for one in firing])
    assert np.all(np.diff(firing) > 0) and np.all(np.diff(sympathetic) <= 0) and np.all(np.diff(vagal) > 0)
    assert abs(pressures[np.argmax(np.diff(firing))] - 92.0) <= 1.0
    assert firing[0] == pytest.approx(2.52, abs=0.6) and firing[-1] == pytest.approx(47.78, abs=0.1)


def test_the_standard_man_beat_by_beat():
    (seen,) = steady_beats(BEATS.parameter_values()[None])
    for name, (value, _) in MAN.items():
        assert seen[name] == pytest.approx(value, rel=0.05), name
    assert 55.3 < seen["stroke_volume"] < 93.1


def test_the_standard_man_averaged():
    seen = simulate(CIRCULATION, for_s=60)
    for name, value in {
        "heart_rate": 72.0,
        "systolic_pressure": 114.0,
        "diastolic_pressure": 73.5,
        "cardiac_output": 5.6,
        "cardiac_index": 3.0,
        "ejection_fraction": 55.0,
    }.items():
        assert seen.of(name)[0, -1] == pytest.approx(value, rel=0.05), name
    for name, low, high in (
        ("mean_pressure", 70, 105),
        ("stroke_volume", 55.3, 93.1),
        ("central_venous_pressure", 2, 6),
        ("pulmonary_artery_mean", 9, 18),
        ("pulmonary_wedge_pressure", 4, 12),
    ):
        assert low < seen.of(name)[0, -1] < high, name


CLASSES = {
    "I": (90, 0, 550, 4_675, 700),
    "II": (140, 0, 560, 4_190, 630),
    "III": (200, 30, 605, 3_600, 575),
    "IV": (200, 30, 680, 3_400, 500),
}


def bled(which):
    rate, begin, end, _, _ = CLASSES[which]
    seen = simulate(BLOOD, [Action("blood_loss", rate, "mL/min", begin, end - begin)], for_s=end)
    return {name: (seen.of(name)[0, 0], seen.of(name)[0, -1]) for name in seen.names}


@pytest.mark.long
def test_haemorrhage_classes_one_to_four():
    seen = {which: bled(which) for which in CLASSES}
    pressure = {which: one["mean_pressure"][1] / one["mean_pressure"][0] for which, one in seen.items()}
    flow = {which: one["cardiac_output"][1] / one["cardiac_output"][0] for which, one in seen.items()}
    for which, (*_, volume_ml, mass_g) in CLASSES.items():
        assert seen[which]["blood_volume"][1] == pytest.approx(volume_ml, rel=0.10)
        assert seen[which]["hemoglobin_mass"][1] == pytest.approx(mass_g, rel=0.10)
    assert pressure["I"] > 0.90 and flow["I"] > 0.895  # within 10 %, to rounding
    assert 0.72 < pressure["II"] < 0.88 and 0.65 < flow["II"] < 0.705
    assert pressure["II"] > pressure["III"] > pressure["IV"]
    assert 0.45 - 0.005 < flow["III"] < 0.55 and flow["IV"] < 0.5
    rates = [seen[which]["heart_rate"][1] for which in CLASSES]
    assert rates == sorted(rates)


def test_blood_given_back():
    actions = [Action("blood_loss", 140, "mL/min", 0, 560), Action("red_cells", 500, "mL", 560, 600)]
    seen = simulate(BLOOD, actions, for_s=1_160, every_s=10)
    at = 56
    assert seen.of("blood_volume")[0, -1] == pytest.approx(4_590, rel=0.10)
    assert seen.of("hemoglobin_mass")[0, -1] == pytest.approx(690, rel=0.10)
    assert seen.of("mean_pressure")[0, -1] > 1.05 * seen.of("mean_pressure")[0, at]
    assert seen.of("cardiac_output")[0, -1] > 1.1 * seen.of("cardiac_output")[0, at]


def test_crystalloid_is_distributed_as_published():
    known = setting(fluids, "hahn_2010")
    seen = simulate(
        FLUIDS, [Action("crystalloid", 480, "mL/min", 0, known["given_ml"] / 480 * 60)], for_s=5_400, every_s=10
    )
    grown = seen.of("blood_volume")[0] - seen.of("blood_volume")[0, 0]
    final, most = grown[-1], grown.argmax()
    assert known["left_share"][0] < final / known["given_ml"] < known["left_share"][1]
    half = most + np.argmax(grown[most:] - final < 0.5 * (grown[most] - final))
    assert known["half_time_min"][0] < (half - most) * 10 / 60 < known["half_time_min"][1]
