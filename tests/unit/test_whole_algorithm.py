"""One patient through the whole algorithm of the source paper, by public interfaces only, each step leaving a trace.

collect (FHIR), train (`vitruvian train`), stream in (MQTT), preprocess and series (the API), risk, its evidence, its
explanation for both readers, a question, the page, and a what-if with its words. The model is trained on simulated
patients within the test, and runs on a real ward in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from tests.support import REPOSITORY
from vitruvian.core.time import MINUTE_US
from vitruvian.testing.ward_process import WardProcess

MRN = {"system": "http://hospital.example/mrn", "value": "4711"}
HISTORY_MIN = 360
STEP_MIN = 5
WAIT_S_MAX = 120
# From six hours ago to now, in a straight line: somebody who is getting worse.
COURSE = {
    "heart_rate": (88, 124, "/min"), "respiratory_rate": (16, 27, "/min"), "oxygen_saturation": (97, 92, "%"),
    "systolic_pressure": (118, 92, "mm[Hg]"), "diastolic_pressure": (66, 52, "mm[Hg]"),
    "body_temperature": (37.2, 38.9, "Cel"),
}  # fmt: skip


class Trace:
    """A folder with a numbered JSON file for each step."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.steps = folder, list[str]()
        folder.mkdir()

    def keep(self, step: str, found: Any) -> Any:
        """Write what a step gave."""
        self.steps.append(step)
        path = self.folder / f"{len(self.steps):02d}_{step}.json"
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False), "utf-8")
        return found


def vitruvian(*arguments: str) -> str:
    program = Path(sys.executable).with_name("vitruvian")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def until(found: Callable[[], Any]) -> Any:
    ends = time.monotonic() + WAIT_S_MAX
    while not (answer := found()):
        assert time.monotonic() < ends, "waited too long"
        time.sleep(0.2)
    return answer


def messages(now_us: int) -> list[dict[str, Any]]:
    """What a monitor says over six hours."""
    said = []
    for minute in range(0, HISTORY_MIN + 1, STEP_MIN):
        part = minute / HISTORY_MIN
        at_us = now_us - (HISTORY_MIN - minute) * MINUTE_US
        values = {name: [round(a + part * (b - a), 1), unit] for name, (a, b, unit) in COURSE.items()}
        said.append({"id": f"m{minute}", "time": at_us, "values": values, "simulated": True})
    said[6]["values"]["heart_rate"] = [900, "/min"]  # an artefact, to be kept out of series and scores
    return said


def stream(url: str, now_us: int) -> int:
    """Publish the association and the course over a real broker; how many messages it took over."""
    host, port = url.removeprefix("mqtt://").split(":")
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="whole-algorithm")
    client.connect(host, int(port))
    client.loop_start()
    whose = {"id": "a1", "time": now_us - 7 * 60 * MINUTE_US, "action": "start", "patient": [MRN]}
    sent = [client.publish("vitruvian/v1/monitor-1/association", json.dumps(whose), qos=1)]
    for one in messages(now_us):
        sent.append(client.publish("vitruvian/v1/monitor-1/observations", json.dumps(one), qos=1))
    for one in sent:
        one.wait_for_publish(30)
    client.disconnect()
    client.loop_stop()
    return len(sent)


def cited(explanation: dict[str, Any]) -> set[str]:
    return {cite[2] for sentence in explanation["sentences"] for cite in sentence["cites"]}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "sepsis"
    vitruvian("train", "sepsis", "--data", "simulated:240:3", "--out", str(out), "--quick")
    return out


def test_one_patient_through_the_whole_algorithm(model: Path, tmp_path: Path) -> None:
    trace, journal = Trace(tmp_path / "trace"), tmp_path / "journal.db"
    bundle = str(REPOSITORY / "examples" / "bundle.json")
    collected = json.loads(vitruvian("ingest", bundle, "--journal", str(journal), "--json"))
    trace.keep("collect", collected)
    trace.keep("train", json.loads((model / "evaluation.json").read_text("utf-8")))
    with WardProcess(journal, "--model", f"sepsis={model}") as ward:
        ward.start()
        now_us = int(time.time() * 1e6)
        trace.keep("stream", {"messages": stream(ward.mqtt, now_us)})
        patient = until(lambda: [row["id"] for row in ward.get("patients")["patients"] if row["vitals"]])[0]
        path = f"patients/{patient}"
        check_series(trace.keep("series", ward.get(f"{path}/observations?concept=heart_rate&points=0")))
        card = until(lambda: told(ward, path))
        trace.keep("risk", card)
        check_words(trace, ward, path, card)
        page = read(f"{ward.url}/patients/{patient}")
        trace.keep("dashboard", {"bytes": len(page)})
        assert card["target"] in page and "not a medical device" in page
        check_what_if(trace, ward, path)
    assert trace.steps == [
        "collect", "train", "stream", "series", "risk", "evidence", "explanation", "plain", "question", "dashboard",
        "what_if", "what_if_words",
    ]  # fmt: skip
    assert all(path.stat().st_size > 2 for path in trace.folder.iterdir())


def told(ward: WardProcess, path: str) -> dict[str, Any] | None:
    risks = ward.get(path)["patient"]["risks"]
    found = [one for one in risks if one["task"] == "sepsis" and one["probability"] is not None]
    return found[0] if found else None


def check_series(found: dict[str, Any]) -> None:
    (series,) = found["series"]
    assert len(series["value"]) >= HISTORY_MIN // STEP_MIN
    assert series["value"][-1] == COURSE["heart_rate"][1]
    # The artefact is kept and flagged; nothing that is shown as a trend has it.
    marked = [quality for value, quality in zip(series["value"], series["quality"], strict=True) if value > 300]
    assert all(marked)


def check_words(trace: Trace, ward: WardProcess, path: str, card: dict[str, Any]) -> None:
    answer = ward.get(f"{path}/explanation?about=risk:sepsis&for=clinician")
    evidence, explanation = answer["evidence"], answer["explanation"]
    trace.keep("evidence", evidence)
    trace.keep("explanation", explanation)
    facts = {fact["id"]: fact for fact in evidence["facts"]}
    assert facts["risk"]["value"] == pytest.approx(card["probability"], abs=0.05)  # the ward moves on between two asks
    assert cited(explanation) <= set(facts)
    assert len(explanation["sentences"]) <= 4
    red = {fact["id"] for fact in evidence["facts"] if {"critical", "missing_key"} & set(fact.get("flags", ()))}
    assert red <= cited(explanation)
    plain = ward.get(f"{path}/explanation?about=risk:sepsis&for=patient")["explanation"]
    trace.keep("plain", plain)
    assert " in 100" in " ".join(one["text"] for one in plain["sentences"])
    status, asked = ward.post(f"{path}/ask", {"question": "When was the last lactate?"})
    trace.keep("question", asked)
    assert status == 200 and "lactate" in json.dumps(asked)


def check_what_if(trace: Trace, ward: WardProcess, path: str) -> None:
    until(lambda: ward.get(f"{path}/body")["body"]["status"] in ("tracking", "learning", "strained"))
    scenario = {"actions": [{"name": "crystalloid", "value": 500, "unit": "mL", "duration_s": 1800}], "horizon_s": 7200}
    status, found = ward.post(f"{path}/what-if", scenario)
    assert status == 200, found
    trace.keep("what_if", {**found["what_if"], "outputs": len(found["what_if"]["outputs"])})
    status, words = ward.post(f"{path}/what-if/explanation", scenario)
    assert status == 200, words
    trace.keep("what_if_words", words)
    assert words["explanation"]["simulated"] is True


def read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode()
    return text
