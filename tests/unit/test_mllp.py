"""HL7 v2 over a real socket: answers follow commits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.unit.test_hl7v2_reader import PID, message, obx
from vitruvian.core.time import ManualClock, parse_hl7
from vitruvian.records.base import Context
from vitruvian.records.hl7v2.message import Message, parse
from vitruvian.streams.mllp import Hl7Intake, MllpServer
from vitruvian.testing.sink import MemorySink

RESULT = message("ORU^R01", PID, "OBR|1||F1", obx("8867-4^HR^LN", "60", "/min"))
NOW = ManualClock(parse_hl7("20260131120000+0000").us)


@asynccontextmanager
async def listening(sink: MemorySink) -> AsyncIterator[tuple[MllpServer, Hl7Intake]]:
    intake = Hl7Intake(sink, Context(), NOW)
    server = MllpServer(intake, port=0, message_bytes_max=20_000, idle_s_max=5)
    await server.start()
    try:
        yield server, intake
    finally:
        await server.close()


async def exchange(server: MllpServer, *messages: bytes) -> list[Message]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"".join(b"\x0b" + data + b"\x1c\r" for data in messages))
    answers = [parse((await reader.readuntil(b"\x1c\r")).strip(b"\x0b\x1c\r")) for _ in messages]
    writer.close()
    return answers


def code(answer: Message) -> str:
    msa = answer.first("MSA")
    assert msa is not None
    return msa.get(1)


async def test_answers_aa_only_after_the_commit() -> None:
    sink = MemorySink(commit_s=0.05)
    async with listening(sink) as (server, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"\x0b" + RESULT + b"\x1c\r")
        await asyncio.sleep(0.02)
        assert not sink.entries
        answer = parse((await reader.readuntil(b"\x1c\r")).strip(b"\x0b\x1c\r"))
        assert code(answer) == "AA"
        assert len([one for one in sink.entries if one.source_id.startswith("OBX|")]) == 1
        writer.close()


async def test_a_duplicate_is_acknowledged_and_kept_once() -> None:
    sink = MemorySink()
    async with listening(sink) as (server, intake):
        answers = await exchange(server, RESULT, RESULT)
        assert [code(answer) for answer in answers] == ["AA", "AA"]
        assert len([one for one in sink.entries if one.source_id.startswith("OBX|")]) == 1
        assert intake.counts["AA"] == 2


async def test_bad_messages_get_ae_with_the_reason_and_are_quarantined() -> None:
    sink = MemorySink()
    async with listening(sink) as (server, _):
        wrong_unit = message("ORU^R01", PID, obx("8867-4^HR^LN", "60", "kg"))
        ahead = message("ORU^R01", PID, obx("8867-4^HR^LN", "60", "/min", at="20300101"))
        answers = await exchange(server, b"rubbish", wrong_unit, ahead)
        assert [code(answer) for answer in answers] == ["AE", "AE", "AE"]
        assert [refusal.reason for refusal in sink.refusals] == ["syntax", "unit", "future"]
        assert not sink.entries


async def test_what_has_no_home_yet_is_kept_before_aa() -> None:
    sink = MemorySink()
    async with listening(sink) as (server, _):
        (answer,) = await exchange(server, message("SIU^S12", PID))
        assert code(answer) == "AA"
        assert [refusal.reason for refusal in sink.refusals] == ["no-home"]


async def test_a_full_disk_answers_ar_and_keeps_nothing() -> None:
    sink = MemorySink()
    sink.unavailable = True
    async with listening(sink) as (server, _):
        (answer,) = await exchange(server, RESULT)
        assert code(answer) == "AR"
        sink.unavailable = False
        (answer,) = await exchange(server, RESULT)
        assert code(answer) == "AA"


async def test_a_message_in_hand_is_answered_before_the_listener_hangs_up() -> None:
    sink = MemorySink(commit_s=0.2)
    async with listening(sink) as (server, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"\x0b" + RESULT + b"\x1c\r")
        await asyncio.sleep(0.05)
        await server.close()
        assert b"MSA|AA" in await reader.read()
        writer.close()


async def test_noise_oversize_and_a_peer_that_leaves_do_not_stop_the_listener() -> None:
    sink = MemorySink()
    async with listening(sink) as (server, _):
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"\x0bhalf a mess")
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"\x0b" + b"A" * 50_000)
        assert await reader.read() == b""
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"noise\r\n\x0b" + RESULT + b"\x1c\r")
        assert b"MSA|AA" in await reader.readuntil(b"\x1c\r")
        writer.close()
        assert server.counts["noise_bytes"] == 7
        assert server.counts["dropped"] == 1
