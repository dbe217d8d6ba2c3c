"""Which language model it is: by file, environment and command line; and none that nobody asked for."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.llm_support import sha256
from vitruvian.core.errors import ConfigurationError, NotFoundError
from vitruvian.explanation.llm.embedded import EmbeddedModel
from vitruvian.explanation.llm.install import install
from vitruvian.explanation.llm.openai import OpenAiModel
from vitruvian.explanation.llm.settings import LlmSettings
from vitruvian.explanation.llm.weights import choose_default

GGUF = b"GGUF and nothing else"


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A GGUF file, not installed; xllamacpp counts as installed and no weights are."""
    monkeypatch.setenv("VITRUVIAN_MODELS", str(tmp_path / "models"))
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: real("json") if name == "xllamacpp" else real(name))
    path = tmp_path / "brought.gguf"
    path.write_bytes(GGUF)
    return path


def read(file: Path | None = None, environment: dict[str, str] | None = None, **given: Any) -> LlmSettings:
    return LlmSettings.read(file, environment or {}, **given)


def test_nothing_said_and_nothing_installed_is_none_and_opens_nothing(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any, **_: Any) -> Any:
        raise AssertionError(f"a socket was made: {arguments}")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    settings = read()
    assert (settings.home, settings.send, settings.deadline_s) == ("", "skeletons", 15.0)
    assert settings.build() is None
    install(str(weights), name="mine")
    model = settings.build()
    assert isinstance(model, EmbeddedModel)
    assert (model.name, model.digest, model.pid, model.remote) == ("mine", sha256(GGUF), None, False)


def test_weights_without_what_runs_them_are_none(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(str(weights), name="mine")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert read().build() is None
    with pytest.raises(ConfigurationError, match=r"pip install 'vitruvian\[llm\]'"):
        read(home="embedded").build()


def test_none_stays_none_where_weights_are(weights: Path) -> None:
    install(str(weights), name="mine")
    assert read(home="none").build() is None
    choose_default(None)
    assert read().build() is None
    with pytest.raises(ConfigurationError, match="vitruvian model install"):
        read(home="embedded").build()
    named = read(home="embedded", model="mine").build()
    assert named is not None
    assert named.name == "mine"


def test_the_embedded_home_by_name_and_by_path(weights: Path) -> None:
    with pytest.raises(NotFoundError, match="vitruvian model install other"):
        read(home="embedded", model="other").build()
    model = read(home="embedded", path=str(weights)).build()
    assert model is not None
    assert (model.name, model.digest) == ("brought", sha256(GGUF))
    with pytest.raises(ConfigurationError, match="expected a GGUF file"):
        read(home="embedded", path=str(weights) + "x").build()


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "vitruvian.toml"
    file.write_text('[language_model]\nhome = "openai"\nurl = "https://a/v1"\nmodel = "file"\ndeadline_s = 5\n')
    environment = {"VITRUVIAN_LLM_MODEL": "environment", "VITRUVIAN_LLM_GRAMMAR": "true", "VITRUVIAN_LLM_URL": ""}
    settings = read(file, {**environment, "VITRUVIAN_LLM_DEADLINE_S": "7.5"}, model=None)
    assert settings == LlmSettings(home="openai", url="https://a/v1", model="environment", grammar=True, deadline_s=7.5)
    assert read(file, environment, model="given").model == "given"


def test_an_endpoint_is_built_and_its_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(home="openai", url="https://models.example/v1", model="m", key_variable="MODELS_KEY", send="facts")
    assert settings.send == "facts"
    monkeypatch.delenv("MODELS_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="found no MODELS_KEY"):
        settings.build()
    monkeypatch.setenv("MODELS_KEY", "s3cret\n")
    model = settings.build()
    assert isinstance(model, OpenAiModel)
    assert model.remote
    assert "s3cret" not in repr(settings)


def test_facts_do_not_travel_in_the_clear() -> None:
    with pytest.raises(ConfigurationError, match="use https"):
        read(home="openai", url="http://models.example/v1", model="m", send="facts").build()
    for url in ("https://models.example/v1", "http://127.0.0.1:11434/v1"):
        assert read(home="openai", url=url, model="m", send="facts").build() is not None
    assert read(home="openai", url="http://models.example/v1", model="m").build() is not None


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"home": "cloud"}, "does not fit"),
        ({"home": "openai"}, "without url and model"),
        ({"home": "openai", "url": "https://a/v1"}, "without model"),
        ({"home": "transformers"}, "without path"),
        ({"url": "https://a/v1"}, "no home with url"),
        ({"home": "embedded", "url": "https://a/v1"}, "'embedded' with url"),
        ({"home": "none", "model": "m"}, "'none' with model"),
        ({"send": "everything"}, "does not fit"),
        ({"home": "embedded", "send": "facts"}, "'embedded' with send"),
        ({"deadline_s": 0}, "deadline of 0"),
        ({"deadline_s": "soon"}, "does not fit"),
        ({"deadline_s": float("nan")}, "deadline of nan"),
        ({"colour": "blue"}, "does not fit"),
    ],
)
def test_settings_that_do_not_fit_are_refused(given: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        read(**given)


@pytest.mark.parametrize("text", ["home = ", "[model]\n", "language_model = 3\n", "[language_model]\nhome = 3\n"])
def test_files_that_do_not_fit_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "vitruvian.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError):
        read(file)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read(tmp_path / "nowhere.toml")


def test_weights_that_cannot_be_read_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "model.gguf"
    weights.write_bytes(b"GGUF")
    real = Path.open

    def refuses(path: Path, *given: Any, **named: Any) -> Any:
        if path == weights:
            raise PermissionError(13, "Permission denied")
        return real(path, *given, **named)

    monkeypatch.setattr(Path, "open", refuses)
    with pytest.raises(ConfigurationError, match=r"model\.gguf that cannot be read \(Permission denied\)"):
        read(home="embedded", path=str(weights)).build()
