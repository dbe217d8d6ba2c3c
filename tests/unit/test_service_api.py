"""The HTTP API: fresh answers, errors that help, and 2xx only for what is durable."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.service_support import application, client
from vitruvian.core.time import HOUR_US, isoformat
from vitruvian.testing.ward import MemoryWard


@pytest.fixture(scope="module")
def ward() -> MemoryWard:
    return MemoryWard(8, history_h=6)


@pytest.fixture
async def api(ward: MemoryWard) -> AsyncIterator[httpx.AsyncClient]:
    ward.unavailable = False
    async with client(application(ward)) as made:
        yield made


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    return body


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/patients",
        "/api/v1/patients/sim-003",
        "/api/v1/patients/sim-003/observations",
        "/api/v1/patients/sim-003/twin",
        "/api/v1/patients/sim-003/risk",
        "/api/v1/patients/sim-003/timeline",
        "/api/v1/alerts",
        "/api/v1/quarantine",
        "/api/v1/streams",
        "/api/v1/health",
        "/api/v1/health/ready",
    ],
)
async def test_every_answer_states_its_freshness(api: httpx.AsyncClient, ward: MemoryWard, path: str) -> None:
    answer = await api.get(path)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["schema"], body["seq"], body["now_us"]) == (1, ward.seq(), ward.now_us())
    assert body["as_of"] == isoformat(ward.now_us())
    assert answer.headers["cache-control"] == "no-store"


async def test_the_list_holds_what_the_rows_show(api: httpx.AsyncClient, ward: MemoryWard) -> None:
    body = (await api.get("/api/v1/patients")).json()
    assert len(body["patients"]) == 8
    assert [column["concept"] for column in body["columns"]][:2] == ["heart_rate", "respiratory_rate"]
    one = next(row for row in body["patients"] if row["id"] == "sim-003")
    assert one["vitals"]["heart_rate"]["value"] == ward.rows(ward.now_us(), ["sim-003"])[0].vitals["heart_rate"].value


async def test_observations_over_a_range_are_thinned_and_ordered(api: httpx.AsyncClient, ward: MemoryWard) -> None:
    start = isoformat(ward.now_us() - 2 * HOUR_US)
    query = {"concept": ["heart_rate", "lactate"], "start": start, "points": 20}
    body = (await api.get("/api/v1/patients/sim-003/observations", params=query)).json()
    heart, lactate = body["series"]
    assert heart["concept"] == "heart_rate"
    assert heart["samples"] == 120
    assert 10 <= len(heart["at_us"]) <= 24
    assert heart["thinned"]
    assert heart["at_us"] == sorted(heart["at_us"])
    assert min(heart["at_us"]) >= ward.now_us() - 2 * HOUR_US
    assert lactate["samples"] == 1  # on the start of the range, which belongs to it


@pytest.mark.parametrize(
    "query",
    [
        {"start": "yesterday"},
        {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        {"points": "-1"},
        {"points": "10001"},
        {"points": "0", "start": "2020-01-01", "end": "2026-01-01"},
        {"concept": "no_such_thing"},
        {"known_by": "2026-13-45T99:00:00Z"},
    ],
)
async def test_a_range_that_makes_no_sense_is_explained(api: httpx.AsyncClient, query: dict[str, str]) -> None:
    body = problem(await api.get("/api/v1/patients/sim-003/observations", params=query), 422)
    assert "expected" in body["detail"] or "does not fit" in body["detail"]


async def test_a_twin_now_as_it_was_and_as_it_was_known(api: httpx.AsyncClient, ward: MemoryWard) -> None:
    past = isoformat(ward.now_us() - 3 * HOUR_US)
    for how, basis in (({}, "live"), ({"as_of": past}, "as_of"), ({"as_known": past}, "as_known")):
        twin = (await api.get("/api/v1/patients/sim-003/twin", params=how)).json()["twin"]
        assert twin["basis"] == basis
        assert twin["at_us"] == (ward.now_us() - 3 * HOUR_US if how else ward.now_us())
        assert all(row["at_us"] <= twin["at_us"] for row in twin["rows"])
    problem(await api.get("/api/v1/patients/sim-003/twin", params={"as_of": past, "as_known": past}), 422)


async def test_everyone_is_found_by_name_number_or_identifier(api: httpx.AsyncClient, ward: MemoryWard) -> None:
    async def found(**query: Any) -> list[str]:
        answer = await api.get("/api/v1/patients", params=query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["patients"]]

    row = ward.rows(ward.now_us(), ["sim-003"])[0]
    family, given = row.name.split(", ")
    assert await found(scope="all", find=f"{given.upper()} {family.lower()}") == ["sim-003"]
    assert await found(scope="ward", find=family.lower()) == ["sim-003"]
    assert await found(scope="all", find="SIM-003") == ["sim-003"]
    assert await found(identifier="urn:vitruvian:test|sim-003") == ["sim-003"]
    assert await found(identifier="urn:vitruvian:test|sim-00") == []
    assert await found(scope="all", find="nobody at all") == []
    everyone, after = [], ""
    while True:
        body = (await api.get("/api/v1/patients", params={"scope": "all", "limit": 3, "after": after})).json()
        assert len(body["patients"]) <= 3
        assert body["total"] == 8
        everyone += body["patients"]
        if not (after := body["next"]):
            break
    assert sorted(one["id"] for one in everyone) == [f"sim-{number:03d}" for number in range(8)]
    assert [one["name"] for one in everyone] == sorted(one["name"] for one in everyone)
    assert set(everyone[0]) == {
        "id", "name", "birth", "sex", "identifiers", "location", "newest_us", "on_ward",
    }  # fmt: skip
    for query in ({"identifier": "12345"}, {"scope": "all", "limit": 5000}, {"scope": "none"}):
        problem(await api.get("/api/v1/patients", params=query), 422)
    problem(await api.get("/api/v1/patients", params={"scope": "all", "after": "nobody"}), 404)


async def test_the_page_of_all_patients_finds_without_a_script(api: httpx.AsyncClient, ward: MemoryWard) -> None:
    name = ward.rows(ward.now_us(), ["sim-003"])[0].name
    page = (await api.get("/patients", params={"find": name})).text
    assert 'href="/patients/sim-003"' in page
    assert 'href="/patients/sim-002"' not in page
    assert "<script>" not in (await api.get("/patients", params={"find": "<script>x"})).text


@pytest.mark.parametrize("path", ["/api/v1/patients/nobody", "/api/v1/patients/nobody/twin", "/api/v1/nothing"])
async def test_what_is_not_there_is_404(api: httpx.AsyncClient, path: str) -> None:
    problem(await api.get(path), 404)


def observation(**more: Any) -> dict[str, Any]:
    return {
        "id": "a1", "time": "2026-01-01T09:00:00Z", "device": "sim-002", "values": {"heart_rate": [133, "/min"]},
    } | more  # fmt: skip


async def test_what_was_written_is_read_next(api: httpx.AsyncClient, ward: MemoryWard) -> None:
    answer = await api.post("/api/v1/observations", json=observation())
    assert answer.status_code == 200
    (receipt,) = answer.json()["receipts"]
    assert (receipt["id"], receipt["outcome"]) == ("a1", "committed")
    assert answer.json()["seq"] >= receipt["seq"]
    row = (await api.get("/api/v1/patients/sim-002")).json()["patient"]["row"]
    assert row["vitals"]["heart_rate"]["value"] == 133.0


async def test_units_are_converted_to_the_concepts(api: httpx.AsyncClient, ward: MemoryWard) -> None:
    body = observation(id="t1", values={"body_temperature": [100.4, "[degF]"], "consciousness": "voice"})
    assert (await api.post("/api/v1/observations", json=body)).json()["receipts"][0]["outcome"] == "committed"
    cells = (await api.get("/api/v1/patients/sim-002")).json()["patient"]["row"]["vitals"]
    assert cells["body_temperature"]["value"] == pytest.approx(38.0)
    assert cells["consciousness"]["value"] == 2.0


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"values": {"hart_rate": [80, "/min"]}}, "unknown-concept"),
        ({"values": {"heart_rate": [80, "mg/dL"]}}, "unit"),
        ({"values": {"heart_rate": [80, ""]}}, "unit"),
        ({"values": {"heart_rate": [1e308, "/min"]}}, "not-a-number"),
        ({"values": {"consciousness": "asleep"}}, "unknown-answer"),
        ({"values": {"consciousness": "x" * 5000}}, "too-long"),
        ({"values": {"norepinephrine": [0.1, "ug/kg/min"]}}, "not-an-observation"),
        ({"device": ""}, "no-subject"),
        ({"time": "2031-01-01T00:00:00Z"}, "future"),
        ({"time": "the day after"}, "unreadable"),
        ({"id": "\u0007"}, "unreadable"),
    ],
)
async def test_what_makes_no_sense_is_quarantined_with_its_reason(
    api: httpx.AsyncClient, changed: dict[str, Any], reason: str
) -> None:
    answer = await api.post("/api/v1/observations", json=[observation(**changed), observation(id="ok")])
    assert answer.status_code == 200
    bad, good = answer.json()["receipts"]
    assert (bad["outcome"], bad["reason"]) == ("quarantined", reason)
    assert good["outcome"] == "committed"
    kept = (await api.get("/api/v1/quarantine")).json()["quarantine"][0]
    assert kept["reason"] == reason


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"nonsense", 400),
        (b'{"id":"a","time":"2026-01-01","values":{"heart_rate":[NaN,"/min"]}}', 400),
        (b"[]", 422),
        (b"{}", 422),
        (b"null", 422),
        (b'{"id":"a","time":"2026-01-01","values":{}}', 422),
        (b'{"id":"a","time":"2026-01-01","values":{"heart_rate":["x","/min"]}}', 422),
        (b'{"id":"a","time":"2026-01-01","values":{"heart_rate":[80,"/min"]},"extra":1}', 422),
        (b"\xff\xfe{}", 400),
    ],
)
async def test_what_is_not_an_observation_is_the_senders_to_mend(
    api: httpx.AsyncClient, body: bytes, status: int
) -> None:
    problem(await api.post("/api/v1/observations", content=body), status)


async def test_nothing_is_acknowledged_that_is_not_durable(api: httpx.AsyncClient, ward: MemoryWard) -> None:
    ward.unavailable = True
    answer = await api.post("/api/v1/observations", json=observation(id="lost"))
    problem(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    problem(await api.get("/api/v1/health/ready"), 503)
    assert (await api.get("/api/v1/patients")).status_code == 200  # reading goes on
    ward.unavailable = False
    assert (await api.post("/api/v1/observations", json=observation(id="lost"))).status_code == 200


async def test_an_alarm_is_acknowledged_with_a_reason(ward: MemoryWard, api: httpx.AsyncClient) -> None:
    ward.set_value("sim-004", "heart_rate", 150.0)
    first = next(a for a in (await api.get("/api/v1/alerts")).json()["alerts"] if a["patient"] == "sim-004")
    path = f"/api/v1/alerts/{first['id']}"
    problem(await api.post(f"{path}/acknowledge", json={}), 422)
    problem(await api.post(f"{path}/acknowledge", json={"reason": ""}), 422)
    problem(await api.post(f"{path}/snooze", json={"reason": "x", "minutes": 0}), 422)
    problem(await api.post("/api/v1/alerts/none/acknowledge", json={"reason": "x"}), 404)
    done = (await api.post(f"{path}/acknowledge", json={"reason": "seen"})).json()["alert"]
    assert (done["state"], done["by"], done["reason"]) == ("acknowledged", "local user", "seen")
    silent = (await api.post(f"{path}/snooze", json={"reason": "expected", "minutes": 15})).json()["alert"]
    assert silent["until_us"] == ward.now_us() + 15 * 60_000_000
    resolved = (await api.get("/api/v1/alerts", params={"patient": "sim-004"})).json()["alerts"]
    assert {alert["patient"] for alert in resolved} == {"sim-004"}


async def test_hl7v2_is_counted_and_what_cannot_be_read_is_kept(api: httpx.AsyncClient) -> None:
    message = (
        "MSH|^~\\&|LAB|H|V|H|20260101090000||ORU^R01|M1|P|2.5\rPID|1||sim-001^^^H^MR\rOBR|1||F1|24323-8^BMP^LN|||20260101083000\r"
        "OBX|1|NM|2951-2^Sodium^LN||140|mmol/L|135-145|N|||F|||20260101083000\r"
    )
    answer = await api.post("/api/v1/hl7v2", content=message.encode())
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["read"], body["quarantined"], body["events"]) == (1, 0, 1)
    refused = problem(await api.post("/api/v1/hl7v2", content=b"not a message"), 422)
    assert refused["quarantined"] == 1
    problem(await api.post("/api/v1/hl7v2", content=b"  "), 400)


async def test_metrics_are_prometheus_text(api: httpx.AsyncClient) -> None:
    answer = await api.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "vitruvian_beds 8" in answer.text


async def test_the_api_describes_itself(api: httpx.AsyncClient) -> None:
    described = (await api.get("/openapi.json")).json()
    assert described["openapi"].startswith("3.")
    page = await api.get("/docs", headers={"Accept": "text/html"})
    assert page.status_code == 200
    for path in described["paths"]:
        assert path in page.text, f"{path} is not on the page"


@pytest.mark.parametrize(
    "path", ["/", "/patients", "/patients/sim-003", "/patients/sim-003?at=2026-01-01T06:00&basis=as_known", "/data"]
)
async def test_pages_are_whole_without_a_script(api: httpx.AsyncClient, path: str) -> None:
    page = await api.get(path, headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "not a medical device" in page.text
    assert "style=" not in page.text
    assert "<script>" not in page.text


async def test_a_page_that_is_not_there_says_so_to_people(api: httpx.AsyncClient) -> None:
    page = await api.get("/patients/nobody", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "Back to the ward" in page.text
    bad = await api.get("/patients/sim-003?at=soon", headers={"Accept": "text/html"})
    assert bad.status_code == 422


async def test_assets_are_kept_as_long_as_they_are_the_same(api: httpx.AsyncClient) -> None:
    page = await api.get("/", headers={"Accept": "text/html"})
    path = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
    asset = await api.get(path)
    assert "immutable" in asset.headers["cache-control"]
    assert asset.headers["content-encoding"] == "gzip"
    again = await api.get(path, headers={"If-None-Match": asset.headers["etag"]})
    assert again.status_code == 304
    old = await api.get(path.replace(path.split("/")[2], "0" * 12))
    assert old.headers["cache-control"] == "no-cache"
    for wrong in ("../pages.py", "..%2f..%2fpages.py", "css", ""):
        assert (await api.get(f"/static/x/{wrong}")).status_code == 404
