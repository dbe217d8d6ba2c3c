"""Explanations and answers over HTTP: of the ward's own numbers, drafts at once, a model's words where it has them."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI

from tests.service_support import application, client
from tests.support import limit_s
from vitruvian import dashboard
from vitruvian.explanation import Evidence, draft
from vitruvian.explanation.drafts import LANGUAGES
from vitruvian.explanation.llm.base import ModelSilent, Prompt
from vitruvian.explanation.narrate import Narrator
from vitruvian.service.app import create_app
from vitruvian.service.asking import Asked
from vitruvian.service.words import Home, Words
from vitruvian.testing.ward import MemoryWard

PATIENT = "/api/v1/patients/sim-003"
BOLUS = {"actions": [{"name": "crystalloid", "value": 500, "unit": "mL", "duration_s": 3600}], "horizon_s": 7200}


@pytest.fixture(scope="module")
def ward() -> MemoryWard:
    made = MemoryWard(6, history_h=8)
    made.set_value("sim-003", "heart_rate", 140.0)
    return made


@pytest.fixture
def app(ward: MemoryWard) -> FastAPI:
    return application(ward)


async def got(app: FastAPI, path: str, body: Any = None) -> dict[str, Any]:
    async with client(app) as http:
        answer = await (http.get(path) if body is None else http.post(path, json=body))
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def packet_of(told: dict[str, Any]) -> Evidence:
    return msgspec.convert(told["evidence"], Evidence)


def check_cites(told: dict[str, Any]) -> None:
    """Every cited stretch lies in its sentence, its fact is in the packet, and its footnote is there."""
    facts = packet_of(told).by_id
    said = told["explanation"]
    assert said["sentences"]
    for sentence in said["sentences"]:
        for start, end, fact, _facet in (one[-4:] for one in sentence["cites"]):
            assert 0 <= start < end <= len(sentence["text"])
            assert fact in facts
            assert fact in said["footnotes"]


@pytest.mark.parametrize("reader", ["clinician", "patient"])
@pytest.mark.parametrize(
    "path",
    [
        f"{PATIENT}/explanation",
        f"{PATIENT}/explanation?about=risk:aki",
        f"{PATIENT}/explanation?about=risk:mortality24",
        f"{PATIENT}/explanation?about=alerts",
        f"{PATIENT}/explanation?about=timeline:12",
        f"{PATIENT}/explanation?about=forecast",
        "/api/v1/handover",
        "/api/v1/models/sepsis/explanation",
    ],
)
async def test_everything_is_explained_for_both_readers(app: FastAPI, path: str, reader: str) -> None:
    told = await got(app, f"{path}{'&' if '?' in path else '?'}for={reader}")
    check_cites(told)
    evidence = packet_of(told)
    assert told["explanation"]["text"] == draft(evidence, reader).text  # type: ignore[arg-type]
    assert told["explanation"]["audience"] == reader
    assert (told["explanation"]["status"], told["explanation"]["pending"]) == ("draft", False)


async def test_a_risk_reads_as_the_card_says(app: FastAPI, ward: MemoryWard) -> None:
    told = await got(app, f"{PATIENT}/explanation")
    risk = ward.risk_cards("sim-003")[0].probability
    assert risk is not None
    assert packet_of(told).by_id["risk"].value == risk
    assert f"{100 * risk:.0f} %" in told["explanation"]["text"]
    note = told["explanation"]["footnotes"]["risk"]
    assert note["value"] == f"{100 * risk:.0f} %"
    assert "learned model" in note["standing"]


async def test_a_packet_goes_out_and_comes_back_the_same(app: FastAPI) -> None:
    paths = [f"{PATIENT}/explanation?about={about}" for about in ("risk:sepsis", "alerts", "timeline:24", "forecast")]
    for path in (*paths, "/api/v1/handover", "/api/v1/models/sepsis/explanation"):
        told = await got(app, path)
        back = await got(app, "/api/v1/explanations", told["evidence"])
        assert packet_of(back).facts == packet_of(told).facts, path
        claims, again = ([one["claim"] for one in shown["explanation"]["sentences"]] for shown in (told, back))
        assert claims == again, path
        if path.endswith(("risk:sepsis", "forecast")):  # elsewhere words of sources come back in quotation marks
            assert back["explanation"]["text"] == told["explanation"]["text"], path


async def test_every_language_is_answered_and_others_are_refused(app: FastAPI) -> None:
    for language in LANGUAGES:
        told = await got(app, f"{PATIENT}/explanation?language={language}")
        assert told["explanation"]["language"] == language
    async with client(app) as http:
        answer = await http.get(f"{PATIENT}/explanation?language=xx")
        assert answer.status_code == 422
        assert "|".join(LANGUAGES) in answer.json()["detail"]
        assert (await http.get(f"{PATIENT}/explanation?for=nobody")).status_code == 422
        assert (await http.get(f"{PATIENT}/explanation?about=everything")).status_code == 422
        assert (await http.get(f"{PATIENT}/explanation?about=risk:nonsense")).status_code == 404
        assert (await http.get("/api/v1/patients/nobody/explanation")).status_code == 404
        assert (await http.get("/api/v1/handover?ward=nowhere")).status_code == 404
        assert (await http.get("/api/v1/models/nonsense/explanation")).status_code == 404


async def test_a_what_if_comes_with_its_words(app: FastAPI) -> None:
    told = await got(app, f"{PATIENT}/what-if/explanation", BOLUS)
    check_cites(told)
    assert told["what_if"]["standing"] == "answered"
    effects = {one["concept"]: one["effect"]["most"][2] for one in told["what_if"]["outputs"]}
    differences = [fact for fact in packet_of(told).facts if fact.role == "difference"]
    assert differences
    for fact in differences:
        assert fact.value == pytest.approx(effects[fact.name], abs=1e-3)
    assert "would" in told["explanation"]["text"]
    async with client(app) as http:
        answer = await http.post(f"{PATIENT}/what-if/explanation", json={"actions": [{"name": "magic", "value": 1}]})
        assert answer.status_code == 422


@pytest.mark.parametrize(
    ("question", "intent", "answered"),
    [
        ("When was the last lactate?", "latest", True),
        ("What is missing?", "missing", True),
        ("Which alarms are open?", "alarms", True),
        ("Should I give norepinephrine?", "forbidden", False),
        ("Who won the cup?", "unanswerable", False),
    ],
)
async def test_questions_are_answered_from_facts_or_refused(
    app: FastAPI, ward: MemoryWard, question: str, intent: str, answered: bool
) -> None:
    told = await got(app, f"{PATIENT}/ask", {"question": question})
    assert (told["intent"], told["answered"]) == (intent, answered)
    check_cites(told)
    if intent == "latest":
        rows = ward.twin("sim-003").rows
        value = next(one.value for one in rows if one.concept == "lactate")
        assert value is not None
        assert f"{value:.1f} mmol/L" in told["explanation"]["text"]


async def test_the_status_says_which_model_words(app: FastAPI) -> None:
    told = (await got(app, "/api/v1/explanations/status"))["status"]
    assert (told["home"], told["model"], told["remote"], told["sent"]) == ("none", "", False, "nothing")


class Copier:
    """A language model that says the draft's words again after a while, in the form that it is asked for."""

    name, digest, remote = "copier", "c" * 64, False

    def __init__(self, pause_s: float, *, silent: bool = False) -> None:
        self.pause_s, self.silent, self.asked, self.closed = pause_s, silent, 0, False

    def complete(self, prompt: Prompt, deadline_s: float) -> str:
        self.asked += 1
        time.sleep(self.pause_s)
        if self.silent:
            raise ModelSilent("found a model that does not answer")
        return prompt.user.strip().splitlines()[-1]

    def close(self) -> None:
        self.closed = True


async def test_a_slow_model_makes_nobody_wait_and_wait_waits(ward: MemoryWard) -> None:
    model = Copier(0.3)
    app = create_app(
        ward, None, [dashboard.attach], Words(Narrator(model, deadline_s=8.0), Home("own", deadline_s=8.0))
    )
    async with client(app) as http:
        began_s = time.perf_counter()
        first = (await http.get(f"{PATIENT}/explanation")).json()
        assert time.perf_counter() - began_s < 0.3
        assert first["explanation"]["pending"]
        assert first["explanation"]["status"] == "draft"
        waited = asyncio.gather(*(http.get(f"{PATIENT}/explanation?wait=1") for _ in range(60)))
        began_s = time.perf_counter()
        assert (await http.get("/api/v1/patients")).status_code == 200
        assert time.perf_counter() - began_s < 5.0, "sixty who wait hold no thread"
        answers = await waited
        assert {one.status_code for one in answers} == {200}
        assert not answers[0].json()["explanation"]["pending"]
        assert model.asked <= len(first["explanation"]["sentences"]) + 1, "they share one answer"
        status = (await http.get("/api/v1/explanations/status")).json()["status"]
        assert status["model"] == "copier"
        assert status["accepted"] + sum(status["refused"].values()) > 0
    app.state.words.close()
    assert model.closed


async def test_a_silent_model_changes_nothing_but_fluency(ward: MemoryWard) -> None:
    app = create_app(ward, None, [dashboard.attach], Words(Narrator(Copier(0.0, silent=True), deadline_s=2.0)))
    told = await got(app, f"{PATIENT}/explanation?wait=1")
    assert told["explanation"]["text"] == draft(packet_of(told)).text
    assert (told["explanation"]["status"], told["explanation"]["pending"]) == ("draft", False)
    assert (await got(app, "/api/v1/explanations/status"))["status"]["refused"]["silent"] >= 1
    app.state.words.close()


async def test_pages_are_in_words_without_a_script(app: FastAPI) -> None:
    async with client(app, Origin="http://127.0.0.1") as http:
        page = (await http.get("/patients/sim-003?for=patient")).text
        told = (await http.get(f"{PATIENT}/explanation?for=patient")).json()
        notes = told["explanation"]["footnotes"]
        assert all(note["what"] in page for note in notes.values())
        assert page.count('role="tooltip"') >= len(notes)
        answer = await http.post(
            "/patients/sim-003/ask", data={"question": "When was the last lactate?", "for": "clinician"}
        )
        assert answer.status_code == 200
        value = (await http.post(f"{PATIENT}/ask", json={"question": "When was the last lactate?"})).json()
        assert all(note["value"] in answer.text for note in value["explanation"]["footnotes"].values())
        handover = (await http.get("/handover")).text
        assert handover.count("bed-words") == 6
        part = await http.post("/explained", content=json.dumps(told["evidence"]))
        assert part.status_code == 200
        assert 'class="explanation"' in part.text


async def test_the_page_of_a_handover_names_and_links_the_patient_that_each_story_is_of(
    ward: MemoryWard, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [msgspec.structs.replace(row, bed="ICU 1") for row in ward.rows(ward.now_us())]
    monkeypatch.setattr(ward, "rows", lambda now_us, patients=None: rows)
    async with client(app) as http:
        page = (await http.get("/handover")).text
    for row in rows:
        assert f'<a href="/patients/{row.id}">{row.id} ICU 1 · {row.name}</a>' in page


async def test_questions_that_wait_for_a_turn_hold_up_nothing_else(ward: MemoryWard, app: FastAPI) -> None:
    real, gate = app.state.asking, threading.Event()

    class Slow:
        def answer(self, *asked: Any) -> Asked:
            gate.wait(60.0)
            answer: Asked = real.answer(*asked)
            return answer

    app.state.asking = Slow()
    question = {"question": "When was the last lactate?"}
    async with client(app) as http:
        asked = [asyncio.create_task(http.post(f"{PATIENT}/ask", json=question)) for _ in range(50)]
        try:
            await asyncio.sleep(0.5)
            other = await asyncio.wait_for(http.get(f"{PATIENT}/explanation"), limit_s(3.0))
            assert not any(one.done() for one in asked)
        finally:
            gate.set()
            answers = await asyncio.gather(*asked)
    assert other.status_code == 200
    assert {one.status_code for one in answers} <= {200, 503}
    assert sum(one.status_code == 200 for one in answers) >= 4
