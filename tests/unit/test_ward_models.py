"""The running ward with models of several targets: cards, what is issued, exchanging them over HTTP, and a restart."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.bundle_support import make_bundle
from tests.journal_support import at
from tests.mqtt_support import eventually
from tests.service_support import client, token_file
from tests.unit.test_runtime import admitted, id_of, reading, round_of, row_of, say
from vitruvian import dashboard
from vitruvian.core.time import ManualClock
from vitruvian.service.app import create_app
from vitruvian.service.model_settings import Chosen, ModelSettings
from vitruvian.service.risk_views import RiskCard
from vitruvian.service.runtime import Ward, WardSettings
from vitruvian.service.settings import ServiceSettings

DAY_MIN = 24 * 60


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_bundle(folder / "a", version="a", base=-4.0, simulated=False)
    make_bundle(folder / "b", version="b", base=1.0, simulated=False)
    make_bundle(folder / "aki", "aki", version="k", members=["logistic"])
    make_bundle(folder / "death", "mortality24", version="d", members=["logistic"])
    make_bundle(folder / "heart", "cardiac_event", version="h", members=["gru"])
    make_bundle(folder / "bad", version="bad", base=float("nan"))
    (folder / "a" / "evaluation.json").write_text(json.dumps({"auroc": 0.81, "calibration_slope": 1.02}))
    return folder


@contextlib.asynccontextmanager
async def opened(path: Path, clock: ManualClock, directory: Path) -> AsyncIterator[Ward]:
    told = {"sepsis": "a", "aki": "aki", "mortality24": "death", "cardiac_event": "heart"}
    champions = {task: Chosen(directory / folder) for task, folder in told.items()}
    settings = WardSettings(path, models=ModelSettings(champions, {}, directory), bodies=0)
    async with Ward.open(settings, clock) as ward:
        yield ward


def application(ward: Ward, tmp_path: Path) -> FastAPI:
    tokens = token_file(tmp_path, "admin", "clinician", "viewer", "integrator")
    return create_app(ward, ServiceSettings(tokens=tokens), [dashboard.attach])


def cards(ward: Ward, number: int = 1) -> dict[str, RiskCard]:
    return {one.task: one for one in ward.patient(id_of(ward, number)).risks}


async def minutes(ward: Ward, clock: ManualClock, begin: int, end: int, every: int = 1) -> None:
    for minute in range(begin, end, every):
        await say(ward, clock, minute, reading(minute, "monitor-1"))


async def test_every_target_has_a_card_and_what_is_told_is_kept(journal_path: Path, directory: Path) -> None:
    clock = ManualClock(at(0))
    async with opened(journal_path, clock, directory) as ward:
        await say(ward, clock, 0, *admitted(1), round_of(0, 1))
        detail = ward.patient(id_of(ward, 1))
        assert detail.risk is detail.risks[0] and detail.risk.task == "sepsis"
        assert all(one.probability is None and one.insufficient for one in detail.risks)
        await minutes(ward, clock, 1, 62)
        found = cards(ward)
        assert next(iter(found)) == "sepsis" and set(found) >= {"aki", "mortality24", "cardiac_event"}
        sepsis = found["sepsis"]
        assert sepsis.probability is not None and sepsis.low is not None and sepsis.high is not None
        assert 0 < sepsis.low < sepsis.probability < sepsis.high < 1
        assert (set(sepsis.members), sepsis.explained) == ({"logistic", "gru"}, "logistic")
        assert sepsis.attributions and not sepsis.notes and "slope 1.02" in sepsis.calibration
        assert "sepsis" in sepsis.sentence and "6 h" in sepsis.sentence
        assert "acute kidney injury" in found["aki"].sentence
        assert any("simulated" in note for note in found["aki"].notes)
        heart = found["cardiac_event"]
        assert not heart.validated and any(note.startswith("Not validated") for note in heart.notes)
        assert heart.probability is not None and not heart.attributions and "Associated" not in heart.sentence
        death = found["mortality24"]
        assert (death.probability, death.horizon_h) == (None, None)
        assert death.insufficient == "too early: told once 24 h have been observed; so far 1 h"
        assert row_of(ward, 1).risk.probability == pytest.approx(sepsis.probability, abs=6e-4)
        # An hour: sepsis about every minute, others every ten, and nothing of what was not told.
        span = {"start_us": at(-60), "end_us": at(70)}
        await eventually(lambda: len(ward.risk_history(id_of(ward, 1), **span)) >= 50)
        assert 5 <= len(ward.risk_history(id_of(ward, 1), **span, target="aki")) <= 8
        assert not ward.risk_history(id_of(ward, 1), **span, target="mortality24")


async def test_late_data_is_as_if_it_had_come_in_time_also_for_what_carries_hours(
    tmp_path: Path, directory: Path
) -> None:
    """Five hours in order; the same with the second hour delivered last; and that ward again after a restart."""
    steps = range(0, 301, 5)
    fast = {"heart_rate": 128.0, "respiratory_rate": 27.0}
    found: dict[str, list[float | None]] = {}
    for order in ("in order", "late"):
        clock, path = ManualClock(at(0)), tmp_path / f"{order}.db"
        async with opened(path, clock, directory) as ward:
            await say(ward, clock, 0, *admitted(1))
            held = []
            for minute in steps:
                one = reading(minute, "monitor-1", **(fast if 60 <= minute < 120 else {}))
                if order == "late" and 60 <= minute < 120:
                    held.append(one)
                    continue
                await say(ward, clock, minute, one)
            lacking = cards(ward)["sepsis"].probability
            await say(ward, clock, 301, *held)
            states = ward.follower.assessor.scoring._states["sepsis"][1]
            assert states.kept > 40 and states.carried <= 8  # once an hour, and once for the late one
            clock.advance_to(at(302))
            ward.follower.look()
            found[order] = [one.probability for one in ward.patient(id_of(ward, 1)).risks]
            if order == "late":
                assert lacking is not None and abs(found["in order"][0] - lacking) > 1e-4  # type: ignore[operator]
        async with opened(path, clock, directory) as ward:
            found[f"{order}, restarted"] = [one.probability for one in ward.patient(id_of(ward, 1)).risks]
    expected = found.pop("in order")
    assert expected[0] is not None
    for name, told in found.items():
        assert told == pytest.approx(expected, abs=1e-7), name


async def test_other_risks_are_made_less_often_and_anew_where_their_model_is(
    journal_path: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(at(0))
    async with opened(journal_path, clock, directory) as ward:
        await say(ward, clock, 0, *admitted(1), *admitted(2))

        async def made(minute: float) -> tuple[float, float]:
            await say(ward, clock, minute, reading(minute, "monitor-1"))
            found = cards(ward)
            return tuple((found[task].made_us - at(0)) / 60e6 for task in ("sepsis", "aki"))  # type: ignore[return-value]

        assert await made(5) == (5, 5)
        assert await made(5.5) == (5.5, 5)
        assert await made(6) == (6, 6)
        assert await made(6.25) == (6.25, 6)
        ward.load_model("aki", "aki", "champion", "test")
        assert await made(6.5) == (6.5, 6.5)
        monkeypatch.setattr("vitruvian.service.assess.OTHERS_ROWS_MAX", 1)  # a crowd that is all due takes turns
        await say(ward, clock, 9, reading(9, "monitor-1"), reading(9, "monitor-2"))
        with ward.follower.lock:
            assessor, everyone = ward.follower.assessor, ward.twins.pids
            first = assessor._others(everyone, at(20), assessor.models.running)
            assert len(everyone) == 2 and len(first) == 1
        clock.advance_to(at(30))
        await eventually(lambda: all(cards(ward, number)["aki"].made_us == at(30) for number in (1, 2)))


async def test_death_is_told_once_a_day_was_observed_and_its_course_outlives_a_restart(
    journal_path: Path, directory: Path
) -> None:
    clock = ManualClock(at(0))
    async with opened(journal_path, clock, directory) as ward:
        await say(ward, clock, 0, *admitted(1), round_of(0, 1))
        await minutes(ward, clock, 1, DAY_MIN, 60)
        assert cards(ward)["mortality24"].insufficient.startswith("too early")
        await minutes(ward, clock, DAY_MIN + 1, DAY_MIN + 62, 10)
        death = cards(ward)["mortality24"]
        assert death.probability is not None and not death.insufficient
        assert "death in hospital" in death.sentence and "the end of the stay" in death.sentence
        assert any("24 h" in note for note in death.notes)
        span = {"start_us": at(0), "end_us": at(DAY_MIN + 70), "target": "mortality24"}
        await eventually(lambda: len(ward.risk_history(id_of(ward, 1), **span)) >= 5)
        before = cards(ward)
    async with opened(journal_path, clock, directory) as ward:
        again = cards(ward)
        for task, one in before.items():
            assert again[task].probability == pytest.approx(one.probability, abs=1e-6), task
        assert [point for point in again["mortality24"].spark if point is not None]
        await minutes(ward, clock, DAY_MIN + 65, DAY_MIN + 66)
        assert len(ward.risk_history(id_of(ward, 1), **span)) <= 9


async def test_models_are_exchanged_over_http_without_a_pause_and_a_restart_keeps_the_choice(
    journal_path: Path, tmp_path: Path, directory: Path
) -> None:
    clock = ManualClock(at(0))
    async with opened(journal_path, clock, directory) as ward:
        await say(ward, clock, 0, *admitted(1), round_of(0, 1))
        await minutes(ward, clock, 1, 5)
        app = application(ward, tmp_path)
        async with client(app, role="admin") as api:
            listed = (await api.get("/api/v1/models")).json()["models"]
            sepsis = next(one for one in listed if one["task"] == "sepsis")
            assert (sepsis["version"], sepsis["role"], sepsis["figures"]["auroc"]) == ("a", "champion", 0.81)
            assert sepsis["checked"] and sepsis["by"] == "the command line"
            low = cards(ward)["sepsis"].probability
            done = await api.post("/api/v1/models/sepsis", json={"folder": "b", "role": "shadow"})
            assert done.status_code == 200
            await minutes(ward, clock, 5, 9)
            assert cards(ward)["sepsis"].probability == pytest.approx(low, abs=0.02)  # never the shadow's
            assert ward.follower.assessor.scoring.shadows.settle()
            listed = (await api.get("/api/v1/models")).json()["models"]
            shadow = next(one for one in listed if one["role"] == "shadow")
            assert shadow["disagreement"]["compared"] >= 1 and shadow["disagreement"]["mean_distance"] > 0.1
            assert shadow["last"]
            text = (await api.get("/metrics")).text
            assert 'vitruvian_shadow_compared_total{task="sepsis"}' in text
            assert 'vitruvian_model{role="champion",task="aki",version="k"} 1.0' in text

            stop = asyncio.Event()

            async def pour() -> int:
                minute = 10.0
                while not stop.is_set():
                    await say(ward, clock, minute, reading(minute, "monitor-1"))
                    minute += 0.25
                return int(ward.intake.counts["follow_errors"])

            pouring = asyncio.create_task(pour())
            for turn in range(6):  # data comes in all the while
                answered = await api.post("/api/v1/models/sepsis", json={"folder": "ab"[turn % 2]})
                assert (answered.status_code, answered.json()["model"]["version"]) == (200, "ab"[turn % 2])
                refused = await api.post("/api/v1/models/sepsis", json={"folder": "bad"})
                assert refused.status_code == 422 and "no number" in refused.json()["detail"]
            stop.set()
            assert await pouring == 0
            await say(ward, clock, 2_000, reading(2_000, "monitor-1"))
            high = cards(ward)["sepsis"]
            assert high.model == "b" and high.probability is not None and low is not None
            assert high.probability > low + 0.2
            assert (await api.delete("/api/v1/models/sepsis/shadow")).status_code == 200
            assert (await api.delete("/api/v1/models/sepsis/shadow")).status_code == 404
            target = await api.get(f"/api/v1/patients/{id_of(ward, 1)}/risk?target=acute-kidney-injury")
            assert target.json()["target"] == "aki"
            assert (await api.get(f"/api/v1/patients/{id_of(ward, 1)}/risk?target=luck")).status_code == 404
            answered = await api.get(f"/api/v1/patients/{id_of(ward, 1)}/risk/reasons")
            reasons = answered.json()["reasons"]
            assert (reasons["model"], reasons["members"]) == ("b", ["logistic", "gru"])
            added = sum(row["contribution"] for row in reasons["rows"])
            assert reasons["base"] + added + reasons["rest"] == pytest.approx(reasons["logit"], abs=1e-9)
            assert 1 / (1 + math.exp(-reasons["logit"])) == pytest.approx(high.probability, abs=1e-5)
            assert any("hour by hour" in row["label"] for row in reasons["rows"])
            assert abs(reasons["rest"]) < 0.05
            early = await api.get(f"/api/v1/patients/{id_of(ward, 1)}/risk/reasons?target=sepsis&target=luck")
            assert early.status_code == 404
            page = await api.get(f"/patients/{id_of(ward, 1)}/risks/sepsis")
            assert page.status_code == 200 and "hour by hour" in page.text
            part = await api.get(f"/patients/{id_of(ward, 1)}/risks")
            assert part.text.count("<section") == len(cards(ward)) and "<script" not in part.text
            page = await api.get(f"/patients/{id_of(ward, 1)}")
            assert page.status_code == 200 and 'data-task="mortality24"' in page.text
        what_if = ward.body_answers._risk_models.hourly()
        assert what_if["sepsis"].version == "b" and "mortality24" not in what_if
    async with opened(journal_path, clock, directory) as ward:
        assert cards(ward)["sepsis"].model == "b"
        assert {one.role for one in ward.models()} == {"champion"}
        assert ward.health()["models"] == "running"


@pytest.mark.parametrize("role", ["clinician", "viewer", "integrator", ""])
async def test_only_who_may_operate_sees_and_exchanges_models(
    journal_path: Path, tmp_path: Path, directory: Path, role: str
) -> None:
    async with opened(journal_path, ManualClock(at(0)), directory) as ward:
        async with client(application(ward, tmp_path), role=role) as api:
            answers: list[httpx.Response] = [
                await api.get("/api/v1/models"),
                await api.post("/api/v1/models/sepsis", json={"folder": "b"}),
                await api.delete("/api/v1/models/sepsis/shadow"),
            ]
        assert {one.status_code for one in answers} == {403 if role else 401}
        assert {one.version for one in ward.models() if one.task == "sepsis"} == {"a"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"folder": "nowhere"}, 404), ({"folder": "../a"}, 404), ({"folder": ""}, 422), ({}, 422),
        ({"folder": "a", "role": "king"}, 422), ({"folder": "a", "serves": "standard/oracle"}, 422),
        ({"folder": "a", "more": 1}, 422), ({"folder": "aki"}, 422),
    ],
)  # fmt: skip
async def test_what_cannot_be_loaded_is_a_problem_that_says_so(
    journal_path: Path, tmp_path: Path, directory: Path, body: dict[str, object], status: int
) -> None:
    async with opened(journal_path, ManualClock(at(0)), directory) as ward:
        async with client(application(ward, tmp_path), role="admin") as api:
            answered = await api.post("/api/v1/models/sepsis", json=body)
        assert answered.status_code == status and answered.json()["detail"]
        assert {one.version for one in ward.models() if one.task == "sepsis"} == {"a"}
