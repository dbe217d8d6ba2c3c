"""Notes under attack: who may, texts made to break out or to hide, too much at once, and nothing of them in a log."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.service_support import ORIGIN, application, client, token_file
from vitruvian.testing.ward import MemoryWard

NOTES = "/api/v1/patients/sim-001/notes"
PAGE = "/patients/sim-001/notes"
MARKUP = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{7*7}}",
    '"></textarea><b>x</b>', "</mark></p><b>x</b>",
    "javascript:alert(1)", "&lt;b&gt;",
)  # fmt: skip
HIDDEN = ("\u202e", "\u2066", "\u200b", "\x1b[31m", "\x00")


@pytest.fixture
def ward() -> MemoryWard:
    return MemoryWard(2, history_h=1)


@pytest.fixture
def app(ward: MemoryWard) -> FastAPI:
    return application(ward)


async def test_each_role_may_what_the_table_says(ward: MemoryWard, tmp_path: Path) -> None:
    app = application(ward, tokens=token_file(tmp_path, "viewer", "integrator", "clinician", "admin"))
    note = ward.notes.post("sim-001", "Pneumonia with secretword.", None, "", "someone")
    decide = {"suggestions": [note.suggestions[0].id]}
    for role, reads, acts in (("", 401, 401), ("integrator", 403, 403), ("viewer", 200, 403)):
        async with client(app, role=role) as http:
            for path in (NOTES, PAGE):
                answer = await http.get(path)
                assert answer.status_code == reads, (role, path)
                assert (reads == 200) == ("secretword" in answer.text)
            for path in (NOTES, f"{NOTES}/{note.id}/accept", f"{NOTES}/{note.id}/reject"):
                assert (await http.post(path, json={"text": "x"} if path == NOTES else decide)).status_code == acts
            for path in (PAGE, f"{PAGE}/{note.id}"):
                form = {"text": "Sepsis.", "accept": note.suggestions[0].id}
                assert (await http.post(path, data=form)).status_code == acts
            if role == "viewer":
                page = (await http.get(PAGE)).text
                main = page.split("<main")[1]
                assert "<button" not in main and "<textarea" not in main, "a viewer is offered nothing to decide"
    assert [one.status for one in ward.notes.waiting("sim-001")[0].suggestions] == ["waiting"]
    for role in ("clinician", "admin"):
        async with client(app, role=role) as http:
            done = await http.post(f"{NOTES}/{note.id}/accept", json=decide)
            assert (done.status_code, done.json()["decisions"][0]["by"]) == (200, "clinician")


@pytest.mark.parametrize("text", MARKUP)
async def test_markup_stays_text(app: FastAPI, text: str) -> None:
    async with client(app) as http:
        answer = await http.post(NOTES, json={"text": f"Pneumonia {text} sepsis {text}", "title": text})
        assert answer.status_code == 200
        page = await http.get(PAGE)
        again = await http.post(PAGE, data={"text": text + " sepsis", "title": text, "at": "never"})
        assert (page.status_code, again.status_code) == (200, 422)
        for one in (page.text, again.text):
            for broken in ("<script>alert", "<img src=x", "</textarea><b>", "<b>x</b>", "</mark></p><b>"):
                assert broken not in one
            assert text != "{{7*7}}" or text in one


@pytest.mark.parametrize("char", HIDDEN)
async def test_what_is_hidden_is_shown_and_keeps_its_place(app: FastAPI, char: str) -> None:
    text = f"Pneu{char}monia. {char}Sepsis{char}. HR 90."
    async with client(app) as http:
        note = (await http.post(NOTES, json={"text": text})).json()["note"]
        for one in note["suggestions"]:
            assert text[one["start"] : one["end"]] == one["text"]
        page = (await http.get(PAGE)).text
        assert char not in page and f"[U+{ord(char[0]):04X}]" in page


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"text": "\\ud800 sepsis"}', b'{"text": 1}', b'{"text": null}', b'{"text": "a", "at": 7}']
)
async def test_what_is_no_note_is_refused(app: FastAPI, body: bytes) -> None:
    async with client(app) as http:
        answer = await http.post(NOTES, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
        assert "found" in answer.json()["detail"]


async def test_forms_that_make_no_sense_are_answered_in_words(app: FastAPI, ward: MemoryWard) -> None:
    note = ward.notes.post("sim-001", "Pneumonia.", None, "", "someone")
    async with client(app) as http:
        for data, status in (
            ({}, 400), ({"decision": "accept"}, 400), ({"decision": "delete", "suggestion": "0" * 24}, 400),
            ({"accept": "x" * 5_000}, 404), ({"reject": "\x00"}, 404),
            ({"decision": "accept", "suggestion": ["0" * 24] * 999}, 404),
        ):  # fmt: skip
            answer = await http.post(f"{PAGE}/{note.id}", data=data)
            assert answer.status_code == status, (data, answer.status_code)
        assert (await http.post(f"{PAGE}/{note.id}", content=b"a=&" * 5_000)).status_code == 400
        assert (await http.post(PAGE, data={"text": "x" * 20_001})).status_code == 413
        assert (await http.get(f"{PAGE}?entered=<b>")).status_code == 422
    assert ward.notes.count("sim-001") == 1


async def test_another_site_can_neither_post_nor_decide(app: FastAPI, ward: MemoryWard) -> None:
    note = ward.notes.post("sim-001", "Pneumonia.", None, "", "someone")
    form = {"text": "Sepsis.", "accept": note.suggestions[0].id}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        async with client(app, **headers) as http:
            for path in (NOTES, f"{NOTES}/{note.id}/accept", PAGE, f"{PAGE}/{note.id}"):
                assert (await http.post(path, data=form)).status_code == 403
    assert ward.notes.count("sim-001") == 1
    async with client(app, Origin=ORIGIN) as http:
        done = await http.post(f"{PAGE}/{note.id}", data=form)
        assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}?entered=1#note-{note.id}")


async def test_no_words_of_a_note_reach_a_log(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with client(app) as http:
        note = (await http.post(NOTES, json={"text": "Pneumonia of Zebulon.", "title": "Zebulon"})).json()["note"]
        which = {"suggestions": [one["id"] for one in note["suggestions"]]}
        await http.post(f"{NOTES}/{note['id']}/accept", json=which)
        refused = await http.post(NOTES, json={"text": "Zebulon " * 5_000})
        assert "Zebulon" not in refused.text
        again = await http.post(f"{NOTES}/{note['id']}/reject", json=which)
        assert again.status_code == 422 and "neumonia" not in again.text
    ours = [one.getMessage() for one in caplog.records if one.name.startswith(("vitruvian", "uvicorn"))]
    assert not any("Zebulon" in one or "neumonia" in one for one in ours)


async def test_notes_do_not_pile_up_without_end(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitruvian.service.note_texts.PER_PATIENT_MAX", 3)
    async with client(app) as http:
        told = [(await http.post(NOTES, json={"text": f"Sepsis {number}."})).status_code for number in range(4)]
        assert told == [200, 200, 200, 413]
        assert (await http.post("/api/v1/patients/sim-002/notes", json={"text": "Sepsis."})).status_code in (200, 404)
