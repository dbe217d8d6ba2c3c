"""The container files, checked without an engine: what they name exists, and nothing is opened without need."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import REPOSITORY, find_program, free_port, require_program

COMPOSE_FILES = ("compose.yaml", "compose.mosquitto.yaml")
PINNED_IMAGE = re.compile(r"^[\w./-]+:(?!latest)[\w.-]*\d[\w.-]*$")


def dockerfile() -> list[tuple[str, str]]:
    """(instruction, arguments) of the Dockerfile, comments dropped and continued lines joined."""
    text = (REPOSITORY / "Dockerfile").read_text("utf-8")
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """Both compose files, the second laid over the first as `docker compose -f ... -f ...` does for what we check."""
    base, over = (yaml.safe_load((REPOSITORY / name).read_text("utf-8")) for name in COMPOSE_FILES)
    services = dict(base["services"])
    for name, service in over["services"].items():
        services[name] = {**services.get(name, {}), **service}
    return {**base, "services": services, "volumes": {**base["volumes"], **over["volumes"]}}


def test_what_the_image_copies_exists_and_is_let_through() -> None:
    ignores = (REPOSITORY / ".dockerignore").read_text("utf-8").splitlines()
    allowed = [line[1:] for line in ignores if line.startswith("!")]
    for instruction, arguments in dockerfile():
        if instruction != "COPY" or "--from=" in arguments:
            continue
        *sources, _ = shlex.split(arguments)
        for source in sources:
            assert (REPOSITORY / source).exists(), f"COPY {source}: not in the repository"
            assert any(Path(source).match(pattern) for pattern in allowed), f".dockerignore keeps {source} out"


def test_stages_are_named_before_they_are_copied_from() -> None:
    stages: set[str] = set()
    for instruction, arguments in dockerfile():
        if instruction == "FROM":
            image, *alias = re.split(r"\s+AS\s+", arguments)
            assert PINNED_IMAGE.match(image), f"base image without a version: {image}"
            stages.update(alias)
        for name in re.findall(r"--from=(\S+)", arguments):
            assert name in stages, f"COPY --from={name}: no such stage yet"


def test_the_image_runs_as_nobody_in_particular_and_says_how_it_is() -> None:
    instructions = [name for name, _ in dockerfile()]
    final = dockerfile()[len(instructions) - instructions[::-1].index("FROM") :]
    users = [arguments for name, arguments in final if name == "USER"]
    assert users, "no USER in the final stage"
    assert users[-1].isdigit()
    assert int(users[-1]) > 0
    assert any(name == "HEALTHCHECK" for name, _ in final)
    assert not any(name == "ADD" for name in instructions)
    pip = [arguments for name, arguments in dockerfile() if name == "RUN" and "pip install" in arguments]
    assert pip
    assert all("--require-hashes" in each or "--no-deps" in each for each in pip), pip


def test_containers_are_reached_from_this_machine_only(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert published
    assert all(str(port).startswith("127.0.0.1:") for port in published), published
    hosts = [str(port).rsplit(":", 1)[0] for port in published]
    assert len(set(hosts)) == len(hosts), f"one host port twice: {hosts}"


def test_containers_are_bounded_and_unprivileged(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert "mem_limit" in service, f"{name}: no memory limit"
        assert not service.get("privileged"), name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "network_mode" not in service, name
        assert "build" in service or PINNED_IMAGE.match(service["image"]), f"{name}: {service['image']}"


def test_what_compose_names_is_declared(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":", 1)[0]
            if source.startswith("."):
                assert (REPOSITORY / source).exists(), f"{name}: {source} is not there"
            else:
                assert source in compose["volumes"], f"{name}: volume {source} is not declared"
        assert set(service.get("secrets", [])) <= set(compose["secrets"]), name


def test_a_service_waits_only_for_one_that_says_it_is_well(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for other, how in service.get("depends_on", {}).items():
            assert other in compose["services"], f"{name} waits for {other}"
            assert how["condition"] == "service_healthy"
            assert "healthcheck" in compose["services"][other], other


def test_secrets_stay_out_of_the_repository(compose: dict[str, Any]) -> None:
    for secret in compose["secrets"].values():
        ignored = subprocess.run(["git", "check-ignore", "-q", secret["file"]], cwd=REPOSITORY, check=False)
        assert ignored.returncode == 0, f"{secret['file']} is not git-ignored"
    for name in COMPOSE_FILES:
        assert "PASSWORD:" not in (REPOSITORY / name).read_text("utf-8")


def wait_until_it_accepts(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether the process listens on the port before it ends or ten seconds pass."""
    deadline_s = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


def test_mosquitto_takes_the_configuration(tmp_path: Path) -> None:
    program = require_program("mosquitto")
    port = free_port()
    text = (REPOSITORY / "deploy" / "mosquitto.conf").read_text("utf-8")
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1").replace("/mosquitto/data/", f"{tmp_path}/")
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(text, "utf-8")
    command = [program, "-c", str(configuration)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as broker:
        try:
            accepts = wait_until_it_accepts(port, broker)
        finally:
            broker.terminate()
        said = broker.communicate(timeout=10)[0].decode()
    assert accepts, said


def test_hadolint_finds_nothing() -> None:
    program = find_program(str(REPOSITORY / ".venv" / "bin" / "hadolint"), "hadolint")
    if program is None:
        pytest.skip("no hadolint for this platform")
    command = [program, "--config", "deploy/hadolint.yaml", "Dockerfile"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
