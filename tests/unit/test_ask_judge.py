"""Sentence vectors by NumPy are those of the reference; the classifier goes with its examples and weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.llm_support import required
from vitruvian.core.errors import ModelError
from vitruvian.explanation.ask import judge
from vitruvian.explanation.ask.bert import Bert, erf
from vitruvian.explanation.ask.embed import Embedder, installed_embedder
from vitruvian.explanation.ask.fit import fit, spread
from vitruvian.explanation.ask.grams import PLACES, grams, placed
from vitruvian.explanation.ask.judge import examples, kept_judge
from vitruvian.explanation.ask.route import route


def test_erf_is_the_error_function() -> None:
    from math import erf as exact

    x = np.linspace(-5, 5, 1_001, dtype=np.float32)
    assert np.abs(erf(x) - [exact(float(one)) for one in x]).max() < 5e-7  # the approximation's 1.5e-7 and rounding


def test_padding_changes_nothing() -> None:
    chance = np.random.default_rng(1)
    shapes = {"embeddings.word_embeddings.weight": (30, 64), "embeddings.position_embeddings.weight": (8, 64),
              "embeddings.token_type_embeddings.weight": (2, 64)}  # fmt: skip
    head = "encoder.layer.0"
    for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
        shapes |= {f"{head}.{name}.weight": (64, 64), f"{head}.{name}.bias": (64,)}
    shapes |= {f"{head}.intermediate.dense.weight": (96, 64), f"{head}.intermediate.dense.bias": (96,)}
    shapes |= {f"{head}.output.dense.weight": (64, 96), f"{head}.output.dense.bias": (64,)}
    for name in ("embeddings.LayerNorm", f"{head}.attention.output.LayerNorm", f"{head}.output.LayerNorm"):
        shapes |= {f"{name}.weight": (64,), f"{name}.bias": (64,)}
    bert = Bert({name: chance.normal(size=shape).astype(np.float32) for name, shape in shapes.items()})
    alone = bert(np.array([[4, 9, 2]]), np.ones((1, 3), bool))
    padded = bert(np.array([[4, 9, 2, 0, 0], [1, 2, 3, 4, 5]]), np.array([[1, 1, 1, 0, 0], [1] * 5], bool))
    assert np.abs(padded[0, :3] - alone[0]).max() < 1e-4


@pytest.mark.long
def test_the_encoder_is_that_of_the_reference() -> None:
    """Random weights of MiniLM's shape, against Hugging Face's BertModel, padding included."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    torch.manual_seed(1)
    torch.set_num_threads(1)
    shape = transformers.BertConfig(vocab_size=120, hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
                                    intermediate_size=96, max_position_embeddings=32)  # fmt: skip
    reference = transformers.BertModel(shape).eval()
    tokens = np.array([[5, 17, 99, 3, 0, 0], [7, 8, 9, 10, 11, 12]])
    mask = np.array([[1, 1, 1, 1, 0, 0], [1] * 6], bool)
    with torch.no_grad():
        wanted = reference(torch.tensor(tokens), torch.tensor(mask.astype(int))).last_hidden_state.numpy()
    weights = {name: value.numpy() for name, value in reference.state_dict().items()}
    assert np.abs(Bert(weights)(tokens, mask) - wanted)[mask].max() < 1e-4


def test_weights_of_something_else_are_refused() -> None:
    with pytest.raises(ModelError, match="expected those of a BERT encoder"):
        Bert({"head.weight": np.zeros((2, 2), np.float32)})


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    with pytest.raises(ModelError, match="vitruvian model install minilm"):
        Embedder.load(tmp_path)


def test_without_installed_weights_there_is_no_embedder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRUVIAN_MODELS", str(tmp_path))
    assert installed_embedder() is None


def test_what_was_learned_is_of_these_examples() -> None:
    """After a change of the examples, or of how questions are read: python -m vitruvian.explanation.ask.fit."""
    with np.load(Path(judge.__file__).with_name(judge.FILE)) as kept:
        assert str(kept["examples"]) == examples().digest


def test_other_sentence_weights_are_refused() -> None:
    with pytest.raises(ModelError, match="install them again"):
        kept_judge(lambda texts: np.zeros((len(texts), 384), np.float32), "0" * 64)


def test_a_regression_learns_what_can_be_told_apart() -> None:
    chance = np.random.default_rng(3)
    y = chance.integers(0, 3, 300)
    x = chance.normal(size=(300, 5)) + 4 * np.eye(5)[y]
    weights, bias = fit(x, y, 3)
    assert ((x @ weights + bias).argmax(axis=1) == y).mean() > 0.97


def test_a_ridge_in_the_space_of_the_rows_is_the_ridge_itself() -> None:
    chance = np.random.default_rng(4)
    x = chance.normal(size=(20, 60))
    small, back = spread(x)
    assert small.shape[1] == 20
    assert np.abs(small @ back - x).max() < 1e-6
    assert np.abs(back @ back.T - np.eye(20)).max() < 1e-6


def test_pieces_of_words_are_placed_alike_wherever_they_stand() -> None:
    at, sizes = placed("what was the M T")
    assert at.max() < PLACES
    assert np.linalg.norm(sizes) == pytest.approx(np.sqrt(2), abs=1e-5)  # pieces and runs, each of length 1
    (row,) = grams(["what was the M T"])
    assert np.array_equal(np.sort(row[at]), np.sort(sizes)) and np.count_nonzero(row) == len(at)
    near, far = grams(["what was teh M T", "who won the match"]) @ row
    assert near > far
    assert placed("")[0].size <= 1


def test_with_the_real_weights_unseen_words_find_their_intent(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    pytest.importorskip("safetensors")
    found = required("minilm", tmp_path)
    embed = Embedder.load(found.path.parent, found.digest)
    made = kept_judge(embed, embed.digest)
    question = "could somebody fill me in on how the night went"
    shares = made.shares(question, question)
    assert sum(shares.values()) == pytest.approx(1, abs=1e-5)
    assert max(shares, key=lambda name: shares[name]) == "events"
    assert route("how high would you put the danger of sepsis at the moment?", 0, "UTC", made).intent == "risk_now"
    assert route("would you be so kind as to write up some fluids", 0, "UTC", made).intent == "forbidden"
    assert route("which team won the cup", 0, "UTC", made).intent == "unanswerable"
