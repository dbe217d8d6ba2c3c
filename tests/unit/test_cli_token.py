"""Tokens from the command line: what is printed opens, what is revoked does not, and the file keeps no token."""

from __future__ import annotations

import json
import multiprocessing
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from vitruvian.cli import app
from vitruvian.core.errors import ConfigurationError, NotFoundError
from vitruvian.trust import Role, TokenStore
from vitruvian.trust import tokens as tokens_module
from vitruvian.trust.token_file import add_token, revoke_token


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["token", *map(str, arguments)])


def answer(*arguments: object) -> Any:
    done = invoke(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_what_is_issued_opens_and_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    done = invoke("issue", "--file", path, "--name", "station-3", "--role", "clinician")
    token = done.stdout.strip()
    assert (done.exit_code, len(token)) == (0, 47)
    assert "station-3, clinician" in done.stderr
    assert token not in path.read_text()
    found = TokenStore(path).principal(token)
    assert found is not None
    assert (found.name, found.role) == ("station-3", Role.CLINICIAN)


def test_days_are_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tokens.toml"
    made = answer("issue", "--file", path, "--name", "a", "--role", "viewer", "--days", 2)
    assert made["expires"].endswith("Z")
    store = TokenStore(path)
    assert store.principal(made["token"]) is not None
    now_s = time.time()
    monkeypatch.setattr(tokens_module.time, "time", lambda: now_s + 2 * 86_400 - 60)
    assert store.principal(made["token"]) is not None
    monkeypatch.setattr(tokens_module.time, "time", lambda: now_s + 2 * 86_400 + 1)
    assert store.principal(made["token"]) is None
    assert answer("list", "--file", path)["tokens"][0]["expired"]
    assert "expired" in invoke("list", "--file", path).stdout


def test_a_running_service_takes_what_is_issued_and_drops_what_is_revoked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens_module, "_CHECK_EVERY_S", 0.0)
    path = tmp_path / "tokens.toml"
    first = add_token(path, "first", Role.ADMIN)
    inode = path.stat().st_ino
    store = TokenStore(path)
    second = add_token(path, "second", Role.VIEWER)
    assert store.principal(second) is not None
    assert answer("revoke", "--file", path, "--name", "first") == {"revoked": "first"}
    assert store.principal(first) is None
    assert store.principal(second) is not None
    assert [one["name"] for one in answer("list", "--file", path)["tokens"]] == ["second"]
    assert path.stat().st_ino == inode  # a container that has the file mounted sees the change
    revoke_token(path, "second")
    assert "no tokens" in invoke("list", "--file", path).stdout


def test_what_people_wrote_into_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    digests = [f"{n:064x}" for n in range(3)]
    before = f'# ours\n\n[a]\nrole = "viewer"\nsha256 = "{digests[0]}"  # door [b]\n'
    path.write_text(f'{before}["b"]\nrole = "admin"\nsha256 = "{digests[1]}"', "utf-8")
    add_token(path, "c", Role.INTEGRATOR)
    assert path.read_text().startswith(before)
    revoke_token(path, "b")
    assert path.read_text().startswith(before)
    assert [one["name"] for one in answer("list", "--file", path)["tokens"]] == ["a", "c"]


def test_what_only_a_person_can_edit_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    text = f'a = {{ role = "viewer", sha256 = "{1:064x}" }}\nb = {{ role = "viewer", sha256 = "{2:064x}" }}\n'
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match="by hand"):
        revoke_token(path, "a")
    assert path.read_text() == text


@pytest.mark.parametrize("name", ["", "a b", "a.b", 'a"]\nrole="admin', "[x]", "-a", "é", "x" * 65, "a\n"])
def test_a_name_cannot_write_into_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "tokens.toml"
    with pytest.raises(ConfigurationError, match="token name"):
        add_token(path, name, Role.VIEWER)
    assert not path.exists()


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    add_token(path, "a", Role.VIEWER)
    before = path.read_bytes()
    with pytest.raises(ConfigurationError, match="already"):
        add_token(path, "a", Role.ADMIN)
    with pytest.raises(NotFoundError, match="no token"):
        revoke_token(path, "z")
    with pytest.raises(ConfigurationError, match="days"):
        add_token(path, "b", Role.VIEWER, 0)
    assert path.read_bytes() == before
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        revoke_token(tmp_path / "none.toml", "a")
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        add_token(tmp_path / "no" / "folder.toml", "a", Role.VIEWER)
    path.write_text("not toml [", "utf-8")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        add_token(path, "b", Role.VIEWER)
    assert path.read_text() == "not toml ["
    assert invoke("issue", "--file", path, "--name", "a", "--role", "root").exit_code == 2


def _issue_five(path: Path, start: int) -> None:
    for n in range(start, start + 5):
        add_token(path, f"t{n}", Role.VIEWER)


def test_several_at_once_lose_none(tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    processes = multiprocessing.get_context("spawn").Pool(3)
    with processes:
        processes.starmap(_issue_five, [(path, 0), (path, 5), (path, 10)])
    assert len(TokenStore(path)) == 15
