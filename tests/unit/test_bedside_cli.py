"""`vitruvian broker` and `vitruvian monitors`, as a user starts and stops them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tests.mqtt_support import MemorySink, eventually, intake

VITRUVIAN = [sys.executable, "-c", "from vitruvian.cli import main; main()"]


async def test_a_broker_of_its_own_and_monitors_to_it(tmp_path: Path) -> None:
    log = (tmp_path / "log").open("w+")
    broker = subprocess.Popen(
        [*VITRUVIAN, "broker", "--port", "0", "--folder", str(tmp_path / "broker"), "--no-sync"], stdout=log, stderr=log
    )
    try:
        text = tmp_path / "log"
        await eventually(lambda: re.search(r"mqtt://127\.0\.0\.1:\d+", text.read_text()) is not None, 30)
        url = re.search(r"mqtt://127\.0\.0\.1:\d+", text.read_text())
        assert url is not None
        sink = MemorySink()
        async with intake(url[0], sink):
            done = await asyncio.to_thread(
                subprocess.run,
                [*VITRUVIAN, "monitors", "--patients", "5", "--rate", "10", "--duration", "1"],
                env=os.environ | {"VITRUVIAN_MQTT": url[0]},
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stderr
            told = re.search(r"(\d+) messages published", done.stdout)
            assert told is not None and int(told[1]) > 5 * 5
            await eventually(lambda: len(sink.kept) > 5 * 5)
        broker.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(broker.wait, 20) == 0
    finally:
        broker.kill()
        log.close()
    assert not (tmp_path / "broker" / "broker.pid").exists()


def test_what_cannot_work_is_said_in_one_line(tmp_path: Path) -> None:
    for arguments, expected in [
        (["broker", "--host", "0.0.0.0", "--folder", str(tmp_path)], "loopback"),
        (["broker", "--user", "x", "--folder", str(tmp_path)], "VITRUVIAN_MQTT_PASSWORD"),
        (["monitors", "--mqtt", "http://h", "--patients", "1"], "mqtt://"),
        (["monitors", "--rate", "0"], "Hz"),
        (["monitors", "--mqtt", "mqtt://127.0.0.1:1", "--light", "--patients", "1"], "is it running"),
    ]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("VITRUVIAN_MQTT")}
        done = subprocess.run([*VITRUVIAN, *arguments], capture_output=True, text=True, env=environment)
        assert done.returncode == 2 and expected in done.stderr and done.stderr.count("\n") == 1, done.stderr
