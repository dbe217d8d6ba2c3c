"""A Transformers model built on the spot, read from its folder with no network at all."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from vitruvian.core.errors import ConfigurationError
from vitruvian.explanation.llm.base import LanguageModel, ModelBusy, ModelSilent, Prompt
from vitruvian.explanation.llm.local import TransformersModel

WORDS = ["<unk>", "<end>", "the", "risk", "rose", "fell", "to", "high", ".", "\n", "say", "that", "one", "sentence"]
TEMPLATE = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "{{ m['content'] }} {% endfor %}"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Llama of random weights with a vocabulary of words, as the library itself saves one."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    place = tmp_path_factory.mktemp("tiny-llama")
    words = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="<unk>", eos_token="<end>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(place)
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=512,
        eos_token_id=None,
        bos_token_id=None,
    )
    LlamaForCausalLM(config).save_pretrained(place)
    return place


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every attempt to reach anything over a socket fails, and is kept."""
    tried: list[Any] = []

    def refuse(*arguments: Any, **_: Any) -> Any:
        tried.append(arguments)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tried


def test_it_answers_from_its_files_alone(folder: Path, no_network: list[Any]) -> None:
    model = TransformersModel(folder)
    assert isinstance(model, LanguageModel)
    assert (model.name, model.remote, len(model.digest)) == (folder.name, False, 64)
    prompt = Prompt("say one sentence .", "say that the risk rose .", tokens_max=12, stop=())
    first = model.complete(prompt, 60.0)
    assert first
    assert set(first.split()) <= set(WORDS)
    assert len(first.split()) <= 12
    assert model.complete(prompt, 60.0) == first  # greedy
    assert TransformersModel(folder).complete(prompt, 60.0) == first
    assert no_network == []
    model.close()
    with pytest.raises(ModelSilent, match="closed"):
        model.complete(prompt, 60.0)


def test_it_stops_at_a_stop_and_at_its_limit(folder: Path) -> None:
    model = TransformersModel(folder)
    whole = model.complete(Prompt("", "the risk rose", tokens_max=20, stop=()), 60.0)
    last = whole.split()[-1]
    cut = model.complete(Prompt("", "the risk rose", tokens_max=20, stop=(last,)), 60.0)
    assert cut == whole[: whole.index(last)]
    short = model.complete(Prompt("", "the risk rose", tokens_max=3, stop=()), 60.0)
    assert 0 < len(short) < len(whole)
    assert whole.startswith(short)


def test_the_deadline_is_kept_between_words(folder: Path) -> None:
    model = TransformersModel(folder)
    model.complete(Prompt("", "the risk", tokens_max=1), 60.0)
    with pytest.raises(ModelSilent, match="in time"):
        model.complete(Prompt("", "the risk", tokens_max=480, stop=()), 0.05)
    assert model.complete(Prompt("", "the risk", tokens_max=2, stop=()), 60.0)


def test_loading_goes_on_after_the_deadline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vitruvian.explanation.llm import local

    go_on = threading.Event()
    real = local._load
    monkeypatch.setattr(local, "_load", lambda place: (go_on.wait(30), real(place))[1])
    model = TransformersModel(folder)
    with pytest.raises(ModelSilent, match="still being loaded"):
        model.complete(Prompt("", "the risk"), 0.05)
    go_on.set()
    assert model.complete(Prompt("", "the risk", tokens_max=2, stop=()), 60.0)


def test_one_answer_at_a_time(folder: Path) -> None:
    model = TransformersModel(folder)
    with model._lock, pytest.raises(ModelBusy):
        model.complete(Prompt("", "the risk"), 0.05)


def test_folders_without_a_model_are_refused(folder: Path, tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ConfigurationError, match="without a Transformers model"):
            TransformersModel(place)


def copied(folder: Path, to: Path) -> Path:
    for path in folder.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
    return to


def test_damaged_weights_and_foreign_code_are_silence(folder: Path, tmp_path: Path) -> None:
    import json

    damaged = copied(folder, tmp_path)
    whole = TransformersModel(damaged)
    (damaged / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-100])
    model = TransformersModel(damaged)
    assert model.digest != whole.digest
    for _ in range(2):
        with pytest.raises(ModelSilent, match="could not be loaded"):
            model.complete(Prompt("", "the risk"), 60.0)

    ran = tmp_path / "ran"
    (damaged / "evil.py").write_text(f"open({str(ran)!r}, 'w').close()")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "evil.Model", "AutoConfig": "evil.Config"}
    config["model_type"] = "evil"
    (damaged / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelSilent, match="could not be loaded"):
        TransformersModel(damaged).complete(Prompt("", "the risk"), 60.0)
    assert not ran.exists()


def test_a_pickle_is_not_read(folder: Path, tmp_path: Path) -> None:
    place = copied(folder, tmp_path)
    (place / "model.safetensors").rename(place / "pytorch_model.bin")
    with pytest.raises(ConfigurationError, match="safetensors"):
        TransformersModel(place)
