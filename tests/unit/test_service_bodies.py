"""Bodies over HTTP: what is answered, what is refused and how, and what is kept."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.service_support import application, client
from vitruvian.core.errors import Overloaded
from vitruvian.scenarios import Scenario
from vitruvian.service import bodies as module
from vitruvian.testing.ward import MemoryWard

WHAT_IF = "/api/v1/patients/sim-003/what-if"
BOLUS: dict[str, Any] = {
    "actions": [{"name": "crystalloid", "value": 1_000, "unit": "mL", "duration_s": 3_600}],
    "horizon_s": 7_200,
}


@pytest.fixture(scope="module")
def ward() -> MemoryWard:
    return MemoryWard(5, history_h=2)


@pytest.fixture
async def api(ward: MemoryWard) -> AsyncIterator[httpx.AsyncClient]:
    ward.bodies.standing.clear()
    ward.bodies.without.clear()
    async with client(application(ward)) as made:
        yield made


async def test_the_body_says_what_it_estimates_and_what_may_be_asked(api: httpx.AsyncClient) -> None:
    answer = await api.get("/api/v1/patients/sim-003/body")
    body = answer.json()["body"]
    assert body["status"] == "tracking" and body["simulated"] is True and body["members"] == 32
    for one in body["estimates"]:
        assert one["low"] <= one["low50"] <= one["median"] <= one["high50"] <= one["high"]
        assert 0 <= one["from_data"] <= 1 and one["measured"] is False
    fluid = next(one for one in body["interventions"] if one["name"] == "crystalloid")
    assert [(one["unit"], one["means"]) for one in fluid["units"]] == [("mL/min", "rate"), ("mL", "amount")]
    colloid = next(one for one in body["interventions"] if one["name"] == "colloid")
    assert [(one["unit"], one["means"]) for one in colloid["units"]] == [("mL", "at once")]
    edits = {one["name"]: one for one in body["edits"]}
    assert edits["heart_rate"]["moves_body"] and edits["heart_rate"]["now"] > 0
    assert not edits["lactate"]["moves_body"]
    assert {one["kind"] for one in edits.values()} == {"personal", "vital", "lab", "parameter"}


async def test_a_forecast_is_bands_over_time(api: httpx.AsyncClient, ward: MemoryWard) -> None:
    forecast = (await api.get("/api/v1/patients/sim-003/forecast?hours=2")).json()["forecast"]
    assert forecast["times_us"][-1] - forecast["times_us"][0] == 7_200_000_000
    assert forecast["times_us"][0] == forecast["at_us"] <= ward.now_us()
    for one in forecast["outputs"]:
        assert len(one["bands"]) == 5 and {len(row) for row in one["bands"]} == {len(forecast["times_us"])}
        for low, middle, high in zip(one["bands"][0], one["bands"][2], one["bands"][4], strict=True):
            assert low <= middle <= high
    assert (await api.get("/api/v1/patients/sim-003/forecast?hours=1000")).status_code == 422


async def test_a_what_if_is_answered_in_full(api: httpx.AsyncClient) -> None:
    answer = await api.post(WHAT_IF, json=BOLUS)
    found = answer.json()["what_if"]
    assert answer.status_code == 200 and found["standing"] == "answered" and found["simulated"] is True
    names = [one["concept"] for one in found["outputs"]]
    assert names[:2] == ["heart_rate", "mean_pressure"]
    pressure = found["outputs"][1]
    assert pressure["effect"]["verdict"] == "rises" and 0 <= pressure["effect"]["from_data"] <= 1
    for arm in ("baseline", "scenario", "difference"):
        assert len(pressure[arm]) == 5 and {len(row) for row in pressure[arm]} == {len(found["times_s"])}
    risks = {one["name"]: one for one in found["risks"]}
    assert risks["sepsis_risk"]["label"] == "the model's sensitivity, not a causal effect"
    assert found["risks"][0]["name"] == "sepsis_risk"
    assert found["scenario"]["actions"][0] == {**BOLUS["actions"][0], "start_s": 0.0}


async def test_only_the_outputs_asked_for(api: httpx.AsyncClient) -> None:
    found = (await api.post(WHAT_IF, json={**BOLUS, "outputs": ["blood_volume"]})).json()["what_if"]
    assert [one["concept"] for one in found["outputs"]] == ["blood_volume"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"actions": [{"name": "magic", "value": 1}]}, 422, "no intervention"),
        ({"actions": [{"name": "crystalloid", "value": 1, "unit": "kg"}]}, 422, "'kg'"),
        ({"actions": [{"name": "crystalloid", "value": -1}]}, 422, "greater than"),
        ({"edits": {"zork": 1}}, 422, "to edit"),
        ({"horizon_s": 1}, 422, "horizon_s"),
        ({"horizon_s": 1e9}, 422, "horizon_s"),
        ({"outputs": ["zork"]}, 404, "zork"),
        ({"colour": "red"}, 422, "colour"),
    ],
)
async def test_what_makes_no_sense_is_a_problem_that_helps(
    api: httpx.AsyncClient, body: dict[str, Any], status: int, said: str
) -> None:
    answer = await api.post(WHAT_IF, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]


async def test_outside_the_domain_there_is_no_answer_but_a_reason(api: httpx.AsyncClient, ward: MemoryWard) -> None:
    child = (await api.post(WHAT_IF, json={"edits": {"age_years": 4}})).json()["what_if"]
    assert child["standing"] == "outside" and "adults" in child["outside"][0] and child["outputs"] == []
    ward.bodies.standing[3] = ("lost", "the measurements contradict it")
    lost = (await api.post(WHAT_IF, json=BOLUS)).json()["what_if"]
    assert lost["outside"] == ["the measurements contradict it"]
    assert (await api.get("/api/v1/patients/sim-003/body")).json()["body"]["status"] == "lost"
    forecast = (await api.get("/api/v1/patients/sim-003/forecast?hours=1")).json()["forecast"]
    assert forecast["outputs"] == [] and forecast["reason"] == "the measurements contradict it"


async def test_without_a_body_it_says_so(api: httpx.AsyncClient, ward: MemoryWard) -> None:
    ward.bodies.without.add(3)
    body = (await api.get("/api/v1/patients/sim-003/body")).json()["body"]
    assert body["status"] == "none" and "no body" in body["reason"]
    assert "no body" in (await api.get("/api/v1/patients/sim-003/forecast")).json()["forecast"]["reason"]
    assert (await api.post(WHAT_IF, json=BOLUS)).status_code == 404
    page = await api.get("/patients/sim-003", headers={"Accept": "text/html"})
    assert page.status_code == 200 and "No body" in page.text


async def test_nobody_is_404_everywhere(api: httpx.AsyncClient) -> None:
    for path in ("body", "forecast"):
        assert (await api.get(f"/api/v1/patients/nobody/{path}")).status_code == 404
    assert (await api.post("/api/v1/patients/nobody/what-if", json=BOLUS)).status_code == 404
    assert (await api.post("/api/v1/scenarios", json={**BOLUS, "name": "x", "patient": "nobody"})).status_code == 404


async def test_scenarios_are_kept_listed_read_and_forgotten(api: httpx.AsyncClient) -> None:
    kept = (await api.post("/api/v1/scenarios", json={**BOLUS, "name": "bolus", "patient": "sim-003"})).json()[
        "scenario"
    ]
    general = (await api.post("/api/v1/scenarios", json={**BOLUS, "name": "bolus"})).json()["scenario"]
    listed = (await api.get("/api/v1/scenarios?patient=sim-003")).json()["scenarios"]
    assert [one["id"] for one in listed] == [kept["id"], general["id"]]
    other = (await api.get("/api/v1/scenarios?patient=sim-001")).json()["scenarios"]
    assert [one["id"] for one in other] == [general["id"]]
    assert (await api.get(f"/api/v1/scenarios/{kept['id']}")).json()["scenario"] == kept
    for one in (kept, general):
        assert (await api.delete(f"/api/v1/scenarios/{one['id']}")).status_code == 200
        assert (await api.get(f"/api/v1/scenarios/{one['id']}")).status_code == 404


async def test_a_scenario_without_a_name_or_content_is_not_kept(api: httpx.AsyncClient) -> None:
    assert (await api.post("/api/v1/scenarios", json={**BOLUS, "name": " "})).status_code == 422
    assert (await api.post("/api/v1/scenarios", json={"name": "nothing"})).status_code == 422


def test_too_many_at_once_wait_and_are_then_refused(ward: MemoryWard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_S", 0.05)
    answers = ward.body_answers
    assert isinstance(answers, module.BodyAnswers)
    entered, let_go = threading.Barrier(module.AT_ONCE + 1), threading.Event()

    def slow(*args: object, **kwargs: object) -> None:
        entered.wait(10)
        let_go.wait(10)
        raise RuntimeError("done")

    monkeypatch.setattr(module, "what_if", slow)

    def ask() -> None:
        with pytest.raises(RuntimeError):
            answers.what_if("sim-003", Scenario())

    threads = [threading.Thread(target=ask) for _ in range(module.AT_ONCE)]
    for one in threads:
        one.start()
    entered.wait(10)
    with pytest.raises(Overloaded):
        answers.what_if("sim-003", Scenario())
    let_go.set()
    for one in threads:
        one.join(10)
