"""From the running ward to packets: every number in a packet is the one that the ward answers with."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.journal_support import at, mrn
from tests.unit.test_runtime import admitted, id_of, lab, opened, reading, round_of, say
from vitruvian.core.errors import ConfigurationError, NotFoundError, VitruvianError
from vitruvian.core.events import Dose, Entry, Event
from vitruvian.core.time import HOUR_US, ManualClock
from vitruvian.explanation.drafting import AUDIENCES, draft
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.evidence.packet import read_packet
from vitruvian.physiology.actions import Action
from vitruvian.scenarios import Scenario
from vitruvian.service.explaining import Explaining, places_of
from vitruvian.service.views import LANES
from vitruvian.testing.ward import MemoryWard

ABOUTS = ("risk:sepsis", "risk", "forecast", "alerts", "timeline:24", "timeline", "handover", "model:sepsis")
FLUID = Scenario("fluid", (Action("crystalloid", 500.0, "mL", 0.0, 1_800.0),), (), 3_600.0)


@pytest.fixture(scope="module")
def ward() -> MemoryWard:
    made = MemoryWard(4)
    made.step(60)
    made.set_value("sim-003", "systolic_pressure", 82.0)
    return made


@pytest.fixture(scope="module")
def explaining(ward: MemoryWard) -> Explaining:
    return Explaining(ward)


@pytest.mark.parametrize("about", ABOUTS)
@pytest.mark.parametrize("patient", ["sim-000", "sim-003"])
def test_every_packet_is_one_that_anyone_may_bring_and_can_be_explained(
    explaining: Explaining, patient: str, about: str
) -> None:
    evidence = explaining.evidence(patient, about)
    told = read_packet(msgspec.json.encode(evidence))
    assert [one.value for one in told.facts] == [one.value for one in evidence.facts]
    for audience in AUDIENCES:
        assert draft(evidence, audience).sentences


def test_a_forecast_holds_what_the_page_draws(ward: MemoryWard, explaining: Explaining) -> None:
    view, evidence = ward.body_answers.forecast("sim-000", 6.0), explaining.evidence("sim-000", "forecast")
    assert view.outputs
    begun = set()
    for one in view.outputs:
        expected = evidence.by_id[f"expected-{one.concept}"]
        assert (expected.value, expected.unit, expected.horizon_h) == (one.bands[2][-1], one.unit, 6.0)
        ends = [evidence.by_id[f"{end}-expected-{one.concept}"].value for end in ("low", "high")]
        assert ends == [one.bands[0][-1], one.bands[4][-1]]
        now = evidence.by_id[f"now-{one.concept}"]
        measured = {row.concept: row.value for row in ward.twin("sim-000").rows}
        assert now.value == (one.bands[2][0] if now.role == "estimate" else measured[one.concept])
        begun.add(now.role)
    assert begun == {"estimate", "measurement"}
    assert (evidence.at_us, evidence.simulated) == (view.at_us, True)


def test_a_what_if_holds_what_was_answered(ward: MemoryWard, explaining: Explaining) -> None:
    view = ward.body_answers.what_if("sim-000", FLUID)
    evidence = explaining.evidence("sim-000", "what_if", view)
    assert evidence == explaining.what_if(view)
    for one in view.outputs:
        difference = evidence.by_id[f"difference-{one.concept}"]
        assert difference.value == one.effect.most[2]
        assert [evidence.by_id[f"{end}-{difference.id}"].value for end in ("low", "high")] == [
            one.effect.most[0], one.effect.most[4],
        ]  # fmt: skip
        shares = [share.value for share in evidence.of_role("from_data", of=difference.id)]
        assert shares == ([] if one.effect.from_data is None else [one.effect.from_data])
    told = {one.name: one for one in evidence.of_role("probability", "score") if not one.of}
    for risk in view.risks:
        if risk.name in told:
            after = evidence.by_id[f"after-{risk.name}"]
            assert (told[risk.name].value, after.value) == (risk.baseline[2][-1], risk.scenario[2][-1])
            assert ("sensitivity" in after.flags) == (risk.basis == "sensitivity")
    action = evidence.by_id["action-1"]
    assert (action.name, action.value, action.unit, action.text) == ("crystalloid", 500.0, "mL", "for 30 min")
    assert evidence.simulated


def test_alarms_are_the_open_ones(ward: MemoryWard, explaining: Explaining) -> None:
    views, evidence = ward.alerts(patient="sim-003"), explaining.evidence("sim-003", "alerts")
    told = evidence.of_role("alarm")
    assert views
    assert {(one.name, one.at_us) for one in told} == {(one.concept, one.raised_us) for one in views}
    course = ward.series(
        "sim-003", ["systolic_pressure"], start_us=ward.now_us() - 6 * HOUR_US, end_us=ward.now_us() + 1
    )
    first, last = evidence.by_id["first-systolic_pressure"], evidence.by_id["last-systolic_pressure"]
    assert (first.value, first.at_us) == (course[0].value[0], course[0].at_us[0])
    assert (last.value, last.at_us) == (82.0, ward.now_us())


def test_a_handover_holds_the_rows_of_the_ward(ward: MemoryWard, explaining: Explaining) -> None:
    rows, evidence = {row.bed: row for row in ward.rows(ward.now_us())}, explaining.handover()
    assert {one.label for one in evidence.of_role("place")} == set(rows)
    for place in evidence.of_role("place"):
        row = rows[place.label]
        mine = {one.role: one for one in evidence.facts if one.of == place.id}
        assert mine["score"].value == row.news2.value
        assert mine["probability"].value == row.risk.probability
        for one in evidence.of_role("measurement", of=place.id):
            if one.name in row.vitals:
                assert one.value == row.vitals[one.name].value
    first = evidence.of_role("place")[0]
    assert rows[first.label].lane == min((row.lane for row in rows.values()), key=LANES.index)
    assert explaining.handover("Ward 4").of_role("place")
    with pytest.raises(NotFoundError, match="nobody on a ward called 'Mars'"):
        explaining.handover("Mars")


def test_two_patients_on_one_bed_are_two_stories_and_one_without_a_bed_has_its_own(
    ward: MemoryWard, explaining: Explaining, monkeypatch: pytest.MonkeyPatch
) -> None:
    beds = {"sim-001": "ICU 1", "sim-003": "ICU 1", "sim-002": ""}
    rows = [msgspec.structs.replace(row, bed=beds.get(row.id, row.bed)) for row in ward.rows(ward.now_us())]
    monkeypatch.setattr(ward, "rows", lambda now_us, patients=None: rows)
    places, told = places_of(rows), explaining.handover()
    assert places["sim-001"] == "sim-001 ICU 1"
    assert places["sim-002"] == "sim-002"
    assert sorted(one.label for one in told.of_role("place")) == sorted(places.values())
    (critical,) = [one for one in told.of_role("measurement") if one.name == "systolic_pressure"]
    assert told.by_id[critical.of].label == places["sim-003"] == "sim-003 ICU 1"


@pytest.mark.parametrize(
    ("patient", "about", "error"),
    [
        ("nobody", "risk:sepsis", NotFoundError),
        ("nobody", "forecast", NotFoundError),
        ("nobody", "alerts", NotFoundError),
        ("nobody", "timeline:24", NotFoundError),
        ("sim-000", "risk:happiness", NotFoundError),
        ("sim-000", "model:happiness", NotFoundError),
        ("sim-000", "what_if", NotFoundError),
        ("sim-000", "", NotFoundError),
        ("sim-000", "forecast:12", NotFoundError),
        ("sim-000", "everything" * 40, NotFoundError),
        ("sim-000", "timeline:0", ConfigurationError),
        ("sim-000", "timeline:-3", ConfigurationError),
        ("sim-000", "timeline:1e3", ConfigurationError),
    ],
)
def test_what_is_not_there_is_said_in_a_line(
    explaining: Explaining, patient: str, about: str, error: type[VitruvianError]
) -> None:
    with pytest.raises(error) as raised:
        explaining.evidence(patient, about)
    assert "found" in str(raised.value)
    assert len(str(raised.value)) < 300


# --- the real ward -------------------------------------------------------------------------


def given_dose(minute: float, number: int, name: str, amount: float, unit: str) -> Entry:
    dose = Dose(amount, unit)
    event = Event("administration", name, dose, at(minute))
    return Entry("pharmacy", f"{name}-{minute}", (event,), subject=mrn(number))


async def test_the_running_wards_packets_hold_what_came_in(journal_path: Path) -> None:
    clock = ManualClock(at(0))
    async with opened(journal_path, clock) as ward:
        await say(ward, clock, 0, *admitted(1), *admitted(2), round_of(0, 1))
        for minute in range(0, 61, 5):
            await say(ward, clock, minute, reading(minute, "monitor-1", heart_rate=88.0 + minute))
        await say(
            ward, clock, 61, lab("lac", 40, "lactate", 4.6, "mmol/L", 1), lab("k", 41, "potassium", 4.1, "mmol/L", 1),
            lab("crea", 42, "creatinine", 1.8, "mg/dL", 1), given_dose(50, 1, "crystalloid", 500.0, "mL"),
            reading(61, "monitor-1", heart_rate=148.0),
        )  # fmt: skip
        patient, other, explaining = id_of(ward, 1), id_of(ward, 2), Explaining(ward)
        _risk_is_the_cards(explaining.evidence(patient, "risk:sepsis"), ward.risk_cards(patient)[0].probability)
        _last_hours(explaining.evidence(patient, "timeline:6"))
        alarms = explaining.evidence(patient, "alerts")
        views = ward.alerts(patient=patient)
        assert {(one.text, one.at_us, one.value) for one in alarms.of_role("alarm")} == {
            (_plain(view.text), view.raised_us, view.value) for view in views
        }
        assert any(one.role == "limit" for one in alarms.facts)
        quiet = explaining.evidence(other, "risk:sepsis")
        assert not quiet.of_role("probability")
        assert draft(quiet).text
        handover = explaining.handover()
        assert {one.label for one in handover.of_role("place")} == {"ICU 1 1", "ICU 1 2"}
        assert {one.of for one in handover.of_role("missing")} == {handover.of_role("place")[1].id}
        forecast = explaining.evidence(other, "forecast")
        assert forecast.of_role("words")
        assert not forecast.of_role("expected")
        _every_packet_reads(explaining, patient)


def _plain(text: str) -> str:
    for sign, words in ((">=", "at least"), ("<=", "at most"), (">", "above"), ("<", "below")):
        text = text.replace(sign, words)
    return text


def _risk_is_the_cards(evidence: Evidence, probability: float | None) -> None:
    risk = evidence.by_id["risk"]
    assert probability is not None
    assert risk.value == pytest.approx(probability)
    critical = {one.name: (one.value, one.at_us) for one in evidence.facts if "critical" in one.flags}
    assert critical["lactate"] == (4.6, at(40))
    assert critical["heart_rate"][0] == 148.0


def _last_hours(evidence: Evidence) -> None:
    results = {one.name: one for one in evidence.of_role("measurement") if one.id.startswith("result-")}
    assert {name: (one.value, one.at_us) for name, one in results.items() if name != "creatinine"} == {
        "lactate": (4.6, at(40)), "potassium": (4.1, at(41)),
    }  # fmt: skip
    creatinine = results["creatinine"]
    assert (creatinine.value, creatinine.unit) == (1.8, "mg/dL")
    assert "high" in creatinine.flags
    given = next(one for one in evidence.of_role("event") if one.name == "crystalloid")
    assert (given.text, given.at_us, given.source) == ("500 mL", at(50), "pharmacy")
    first, last = evidence.by_id["first-heart_rate"], evidence.by_id["last-heart_rate"]
    assert (first.value, first.at_us, last.value, last.at_us) == (88.0, at(0), 148.0, at(61))
    assert last.direction == "rising"
    assert evidence.by_id["window-heart_rate"].value == pytest.approx(61 / 60, abs=0.01)


def _every_packet_reads(explaining: Explaining, patient: str) -> None:
    for about in ABOUTS:
        evidence = explaining.evidence(patient, about)
        read_packet(msgspec.json.encode(evidence))
        for audience in AUDIENCES:
            assert draft(evidence, audience).sentences
    card = explaining.card("sepsis")
    assert card.by_id["figure-auroc"].value == pytest.approx(0.832, abs=0.01)
    assert card.by_id["patients"].value == 20_336
    assert any("one hospital" in one.text.casefold() for one in card.of_role("words"))


async def test_an_alarm_that_ended_is_not_told_as_open(journal_path: Path) -> None:
    clock = ManualClock(at(0))
    async with opened(journal_path, clock) as ward:
        await say(ward, clock, 0, *admitted(1), round_of(0, 1), reading(0, "monitor-1"))
        for minute in range(1, 61):
            await say(ward, clock, minute, reading(minute, "monitor-1", heart_rate=170.0 if minute < 20 else 80.0))
        patient, explaining = id_of(ward, 1), Explaining(ward)
        ended = [one for one in ward.alerts(patient=patient, resolved=True) if one.state == "resolved"]
        assert ended
        evidence = explaining.evidence(patient, "timeline:6")
        still = {one.raised_us for one in ward.alerts(patient=patient)}
        assert {one.at_us for one in evidence.of_role("alarm")} == still
        told = {one.at_us for one in evidence.of_role("event") if "ended" in one.label}
        assert told == {one.raised_us for one in ended}


async def test_what_was_taken_back_is_not_told(journal_path: Path) -> None:
    clock = ManualClock(at(0))
    async with opened(journal_path, clock) as ward:
        await say(ward, clock, 0, *admitted(1), round_of(0, 1))
        dose = given_dose(1, 1, "furosemide", 40.0, "mg")
        await say(ward, clock, 2, dose)
        await say(ward, clock, 3, msgspec.structs.replace(dose, status="entered-in-error", source_version="2"))
        evidence = Explaining(ward).evidence(id_of(ward, 1), "timeline:6")
        assert not [one for one in evidence.of_role("event") if one.name == "furosemide"]
