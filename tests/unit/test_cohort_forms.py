"""Every form of labelled data through the one door: what is taken, and what is refused with a sentence that helps."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests import synthetic_cohort
from tests.support import require_data
from vitruvian.core.errors import ConfigurationError, ModelError, ReadingError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import ORIGIN_US, UNKNOWN, Cohort
from vitruvian.prediction.cohorts.labelled import write_labelled
from vitruvian.prediction.cohorts.open import FORMS, form_of, open_cohort
from vitruvian.prediction.cohorts.simulated import simulate_cohort
from vitruvian.prediction.cohorts.split import apart, folds_of, patients_of, pseudo_sites
from vitruvian.prediction.inputs.table import table_of
from vitruvian.prediction.tasks import TASKS, task

ROWS = {"patient": ["b", "a", "a"], "hour": [5, 2, 0], "label": [1, 0, 0], "heart_rate": [120.0, 80.0, None]}


def labelled(path: Path, **columns: object) -> Path:
    """A small labelled table with some columns changed (None: left out)."""
    table = {name: column for name, column in (ROWS | columns).items() if column is not None}
    pl.DataFrame(table).write_csv(path)
    return path


# --- a labelled table --------------------------------------------------------


def test_a_labelled_table(tmp_path: Path) -> None:
    path = labelled(
        tmp_path / "site.csv", age=[70, 50, 50], sex=["M", "female", "F"], weight_kg=[80.0, None, None],
        **{"body_temperature [degF]": [98.6, None, 212.0], "unit": ["MICU", None, None]},
    )  # fmt: skip
    cohort = open_cohort("cardiac_event", path)
    assert cohort.ids == ("b", "a")
    assert cohort.patient.tolist() == [0, 1, 1, 1] and cohort.hour.tolist() == [5, 0, 1, 2]
    assert cohort.label.tolist() == [1, 0, UNKNOWN, 0], "an hour that is left out is an empty one"
    assert cohort.scored.tolist() == [True, True, False, True]
    assert cohort.age_years.tolist() == [70, 50] and cohort.male.tolist() == [1, 0]
    assert cohort.groups["unit"] == ("MICU", "unknown")
    assert cohort.admission["weight_kg"][0] == 80 and np.isnan(cohort.admission["weight_kg"][1])
    temperature = cohort.samples.concept == VOCABULARY["body_temperature"].index
    assert cohort.samples.value[temperature].tolist() == pytest.approx([37.0, 100.0])
    assert not cohort.simulated
    assert table_of(cohort, ("heart_rate",)).rejected == 1, "100 Cel is refused by the tracker, and counted"


def test_a_stays_outcome_stands_on_all_its_rows(tmp_path: Path) -> None:
    hours = list(range(1, 31))
    path = labelled(
        tmp_path / "stay.csv", patient=["a"] * 30, hour=hours, heart_rate=[80.0] * 30, label=[None] * 29 + [1]
    )
    cohort = open_cohort("mortality24", path)
    assert np.flatnonzero(cohort.scored).tolist() == [23] and cohort.label[23] == 1 and cohort.hour.max() == 24


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"hart_rate": [1.0, 2.0, 3.0]}, "did you mean heart_rate"),
        ({"hour": [5, 2, 2]}, "hour twice"),
        ({"hour": [5.5, 2, 0]}, "not whole numbers"),
        ({"hour": [-1, 2, 0]}, "not whole numbers"),
        ({"hour": [2160, 2, 0]}, "not whole numbers from 0 to 2159"),
        ({"label": [2, 0, 0]}, "found label 2"),
        ({"label": ["yes", "no", "no"]}, "found text in column 'label'"),
        ({"label": [None, None, None]}, "without a single known label"),
        ({"label": None}, "only deterioration and aki"),
        ({"patient": ["b", None, "a"]}, "rows of nobody"),
        ({"heart_rate": None}, "without any concept"),
        ({"creatinine [furlong]": [1.0, 1.0, 1.0]}, "creatinine"),
        ({"heart_rate": ["fast", "80", "1"]}, "found text in column 'heart_rate'"),
    ],
)
def test_what_a_labelled_table_may_not_be(columns: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(ReadingError, match=said):
        open_cohort("cardiac_event", labelled(tmp_path / "bad.csv", **columns))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_cohort_written_as_a_labelled_table_comes_back(suffix: str, tmp_path: Path) -> None:
    first = simulate_cohort(TASKS["cardiac_event"], 30, 3)
    again = open_cohort("cardiac_event", write_labelled(first, tmp_path / f"cohort.{suffix}"))
    names = ("heart_rate", "lactate", "age_years", "male", "hospital_before_icu_h")
    np.testing.assert_allclose(table_of(first, names).values, table_of(again, names).values, rtol=1e-6)
    for name in ("patient", "hour", "label"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert first.groups["unit"] == again.groups["unit"]


# --- simulated patients ------------------------------------------------------


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_task_has_simulated_patients_of_both_kinds(name: str) -> None:
    cohort = open_cohort(name, "simulated:120:1")
    assert cohort.simulated and "simulated" in cohort.data
    assert set(cohort.label[cohort.scored].tolist()) >= {0, 1}
    again = open_cohort(task(name), "simulated:120:1")
    np.testing.assert_array_equal(cohort.samples.value, again.samples.value)
    assert simulate_cohort(TASKS[name], 120, 2).samples.value.size != cohort.samples.value.size


def test_too_many_simulated_patients_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="found 1000000 simulated patients"):
        open_cohort("sepsis", "simulated:1000000")


# --- FHIR --------------------------------------------------------------------


def fhir(folder: Path) -> Path:
    """One Synthea patient as NDJSON: a stay of 30 h with sepsis after 10 h, dead two hours after its end."""

    def line(kind: str, **content: object) -> str:
        return json.dumps({"resourceType": kind, **content})

    subject, encounter = {"reference": "Patient/p"}, {"reference": "Encounter/e"}
    system = "https://github.com/synthetichealth/synthea"

    def condition(number: int, code: str, at: str) -> str:
        coding = {"coding": [{"system": "http://snomed.info/sct", "code": code}]}
        return line("Condition", id=f"c{number}", subject=subject, encounter=encounter, code=coding, onsetDateTime=at)

    def rate(number: int, at: str, issued: str, value: float) -> str:
        coding = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
        quantity = {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}
        return line(
            "Observation", id=f"o{number}", status="final", subject=subject, encounter=encounter, code=coding,
            effectiveDateTime=at, issued=issued, valueQuantity=quantity,
        )  # fmt: skip

    lines = [
        line("Patient", id="p", gender="female", birthDate="1960-05-05", deceasedDateTime="2020-03-02T18:00:00Z",
             identifier=[{"system": system, "value": "p"}]),
        line("Encounter", id="e", status="finished", subject=subject, **{"class": {"code": "IMP"}},
             period={"start": "2020-03-01T10:00:00Z", "end": "2020-03-02T16:00:00Z"}),
        condition(1, "91302008", "2020-03-01T20:00:00Z"),
        condition(2, "22298006", "2019-01-01T00:00:00Z"),
        rate(1, "2020-03-01T11:00:00Z", "2020-03-01T13:30:00Z", 88.0),
        rate(2, "2019-06-01T11:00:00Z", "2019-06-01T11:00:00Z", 70.0),
    ]  # fmt: skip
    path = folder / "all.ndjson.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def test_fhir_of_synthea(tmp_path: Path) -> None:
    path = fhir(tmp_path)
    cohort = open_cohort("sepsis", path)
    assert cohort.simulated and cohort.data.startswith("Synthea (synthetic patients)")
    assert cohort.hour.tolist() == list(range(1, 31)) and cohort.age_years.tolist() == [59] and cohort.male[0] == 0
    assert np.flatnonzero(cohort.label)[0] == 3, "from 6 h before the condition at 10 h on: hour 4"
    assert ((cohort.samples.at_us - ORIGIN_US) / HOUR_US).tolist() == [3.5], "known when it was issued"
    assert not open_cohort("cardiac_event", path).label.any(), "an infarction of the year before is none of this stay"
    assert open_cohort("mortality24", path).label[23] == 1
    with pytest.raises(ReadingError, match="no inpatient or emergency stay of 48 h"):
        open_cohort("mortality", path)


@pytest.mark.data
def test_synthea_bundles_and_what_they_do_not_hold() -> None:
    cohort = open_cohort("cardiac_event", require_data("fhir/synthea"))
    assert cohort.simulated and cohort.patients == 20
    assert np.unique(cohort.patient[cohort.label == 1]).size == 1, "the one cardiac arrest within a stay"


# --- published sets ----------------------------------------------------------


def test_challenge_hours_in_each_of_their_forms(tmp_path: Path) -> None:
    synthetic_cohort.write_psv(tmp_path / "psv", patients=6, hours=12)
    (tmp_path / "folder").mkdir()
    one = synthetic_cohort.write_parquet(tmp_path / "folder" / "training_setA.parquet", patients=6, hours=12)
    cohorts = [open_cohort("sepsis", path) for path in (tmp_path / "psv", one, tmp_path / "folder")]
    for cohort in cohorts[1:]:
        np.testing.assert_array_equal(cohort.label, cohorts[0].label)
    made = open_cohort("aki", one)
    assert "KDIGO" in made.notes[-1]
    with pytest.raises(ReadingError, match="say nothing of cardiac_event"):
        open_cohort("cardiac_event", one)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "path", "patients", "with_outcome"),
    [
        ("sepsis", "icu_demo", 896, 63), ("aki", "icu_demo/aki", 1988, 698), ("mortality24", "icu_demo", 1367, 70),
        ("mortality", "physionet2012", 4000, 554),
    ],
)  # fmt: skip
def test_published_sets(name: str, path: str, patients: int, with_outcome: int) -> None:
    cohort = open_cohort(name, require_data(path))
    assert cohort.patients == patients and not cohort.simulated
    assert np.unique(cohort.patient[cohort.scored & (cohort.label == 1)]).size == with_outcome


@pytest.mark.data
def test_labels_can_be_made_where_a_set_brings_none() -> None:
    cohort = open_cohort("deterioration", require_data("icu_demo"))
    assert set(cohort.label[cohort.scored].tolist()) == {0, 1}
    assert open_cohort("aki", require_data("physionet2012")).label.max() == 1


def test_a_path_in_no_known_form_is_refused_with_the_list(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello", "utf-8")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(ReadingError, match="in no known form") as refused:
            form_of(path)
        assert all(form.name in str(refused.value) for form in FORMS)
    with pytest.raises(ReadingError, match="found nothing at"):
        form_of(tmp_path / "absent")
    with pytest.raises(ConfigurationError, match="found task 'luck'"):
        open_cohort("luck", "simulated")


# --- splits ------------------------------------------------------------------


def test_roles_and_folds_are_shares_of_names_and_keep() -> None:
    names = [f"p{number}" for number in range(20_000)]
    sizes = {role: patients_of(names, role).size / len(names) for role in ("train", "calibrate", "test")}  # type: ignore[arg-type]
    assert sizes["train"] == pytest.approx(0.7, abs=0.01) and sizes["test"] == pytest.approx(0.2, abs=0.01)
    folds = folds_of(names)
    assert np.bincount(folds).size == 5 and (abs(np.bincount(folds) / len(names) - 0.2) < 0.01).all()
    assert (folds_of(names[::-1])[::-1] == folds).all(), "a patient's fold does not depend on who else is there"
    with pytest.raises(ModelError, match=r"2 patients on both sides of a split \(p1, p2\)"):
        apart(["p0", "p1", "p2"], ["p2", "p3", "p1"])


def test_pseudo_sites_are_parts_that_differ(tmp_path: Path) -> None:
    cohort = open_cohort("sepsis", synthetic_cohort.write_parquet(tmp_path / "a.parquet", patients=200, hours=12))
    found = {site.name: site.patients for site in pseudo_sites(cohort)}
    assert {"unit medical", "unit surgical", "early admission", "late admission", "dense measurement"} <= set(found)
    before = cohort.admission["hospital_before_icu_h"]
    assert before[found["early admission"]].max() < before[found["late admission"]].min()
    assert not set(found["dense measurement"]) & set(found["sparse measurement"])
    assert pseudo_sites(_few(cohort)) == ()


def _few(cohort: Cohort) -> Cohort:
    return cohort.of(np.arange(15))
