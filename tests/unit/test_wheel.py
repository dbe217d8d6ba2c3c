"""The wheel carries what a ward needs: every file of the package, the browser library, and nothing of the workshop."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support import REPOSITORY, missing

VENDORED = "vitruvian/dashboard/static/vendor/uplot/"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as scripts/build does."""
    if not (REPOSITORY / "src" / VENDORED).is_dir():
        missing("no browser library in the package: scripts/setup brings it")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    command = ["git", "ls-files", "-z", "--", "src/vitruvian"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout.decode().split("\0")
    kept = {name.removeprefix("src/") for name in listed if name and (REPOSITORY / name).is_file()}
    assert kept
    assert kept - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_wheel_has_the_browser_library_and_its_licence(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {VENDORED + each for each in ("uPlot.esm.js", "uPlot.min.css", "LICENSE")} <= names
    assert not [name for name in names if name.endswith((".db", ".log")) or "node_modules" in name]
    assert {name.split("/", 1)[0].split("-", 1)[0] for name in names} == {"vitruvian"}


def test_the_wheel_serves_its_tables_from_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    program = (
        "import vitruvian; from vitruvian.core.vocabulary import VOCABULARY;"
        "print(vitruvian.__file__, VOCABULARY['heart_rate'].name)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))
    assert done.stdout.strip().endswith("heart_rate")
