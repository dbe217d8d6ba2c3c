"""Every operation of the API against its own description: what fits it, and what does not, by schemathesis.

The ward is a process of its own with a journal on disk. Checked: no 5xx, only documented statuses, media types and
shapes, and that what the description forbids is refused. What fits the description and makes no clinical sense (an
unknown concept, a unit that does not convert) is refused too, so that acceptance of what fits is not asked for.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from benchmarks._hostile_ward import Attack, Ward, associate, running_ward
from vitruvian.service.app import create_app
from vitruvian.testing.ward import MemoryWard

load_all_checks()
ENDLESS = "/api/v1/stream"  # it has no end to wait for; its refusals are in test_service_access.py
NOT_ASKED = CHECKS.get_by_names(["positive_data_acceptance"])
EXAMPLES = settings().max_examples // 10  # of each operation and mode, by the profile
DESCRIBED = create_app(MemoryWard(1, history_h=0.1)).openapi()["paths"]
OPERATIONS = [(method.upper(), path) for path, methods in DESCRIBED.items() for method in methods if path != ENDLESS]
CASES = [(method, path, GenerationMode.POSITIVE) for method, path in OPERATIONS]
CASES += [  # of an operation that asks for nothing, nothing can be wrong
    (method, path, GenerationMode.NEGATIVE)
    for method, path in OPERATIONS
    if DESCRIBED[path][method.lower()].keys() & {"parameters", "requestBody"}
]


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    with running_ward(tmp_path_factory.mktemp("ward")) as running:
        yield running


@pytest.fixture(scope="module")
def api(ward: Ward) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{ward.port}/openapi.json")


def test_all_operations_are_here(api: schemathesis.BaseSchema) -> None:
    assert len(OPERATIONS) >= 18
    assert len(OPERATIONS) + 1 == sum(1 for _ in api.get_all_operations())


@pytest.mark.parametrize(("method", "path", "mode"), CASES, ids=lambda one: getattr(one, "value", one))
def test_every_operation_keeps_to_its_description(
    api: schemathesis.BaseSchema, method: str, path: str, mode: GenerationMode
) -> None:
    operation = api[path][method]

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def one(case: schemathesis.Case) -> None:
        case.call_and_validate(excluded_checks=NOT_ASKED, timeout=60)

    one()


def test_what_is_said_of_a_patient_is_as_described(api: schemathesis.BaseSchema, ward: Ward) -> None:
    attack = Attack(ward)
    associate(attack)
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    values = (
        b'{"heart_rate":[151,"/min"],"oxygen_saturation":[84,"%"],"respiratory_rate":[30,"/min"],'
        b'"body_temperature":[38.9,"Cel"],"creatinine":[2.1,"mg/dL"],"consciousness":"alert"}'
    )
    body = b'{"id":"s1","time":"%b","device":"hostile-0","values":%b}' % (now.encode(), values)
    assert json.loads(attack.http.post(b"/api/v1/observations", body).body)["receipts"][0]["outcome"] == "committed"
    listed = json.loads(attack.http.get("/api/v1/patients", "application/json").body)["patients"]
    patient = next(row["id"] for row in listed if row["vitals"])
    # What was committed is scored a moment later; there is nothing to give reasons of before.
    deadline = time.monotonic() + 60
    reasons = f"http://127.0.0.1:{ward.port}/api/v1/patients/{patient}/risk/reasons"
    while httpx.get(reasons, timeout=60).status_code != 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    attack.close()
    older = {"name": "older", "edits": {"age_years": 80}}
    kept = httpx.post(f"http://127.0.0.1:{ward.port}/api/v1/scenarios", json=older, timeout=60).json()
    named = {"patient": patient, "scenario": kept["scenario"]["id"], "task": "sepsis"}
    asked = 0
    for path in DESCRIBED:
        if "get" in DESCRIBED[path] and path != ENDLESS:
            case = api[path]["GET"].Case(path_parameters={key: named[key] for key in named if f"{{{key}}}" in path})
            assert case.call_and_validate(timeout=60).status_code == 200, path
            asked += 1
    assert asked >= 17


def test_the_ward_lived_through_it(ward: Ward) -> None:
    assert ward.alive
    said = ward.logs()
    assert "Traceback" not in said, said[:2000]
    assert " ERROR " not in said, said[:2000]
