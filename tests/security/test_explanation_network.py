"""By default nothing is connected to: every socket but the machine's own plumbing is refused, and explanations stand.

In a process of its own, whose `socket.connect` and name lookups raise: a plain install's explanation of a packet, of
every kind and language; and one worded by a tiny Transformers model that is built on the spot.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

BLOCKED = """
import socket, sys
def refused(*arguments, **options):
    raise AssertionError(f"a connection was tried: {arguments}")
socket.socket.connect = socket.socket.connect_ex = refused
socket.create_connection = socket.getaddrinfo = refused
socket.socket.sendto = refused
"""

BY_DEFAULT = """
from itertools import islice
from vitruvian.explanation.drafting import AUDIENCES
from vitruvian.explanation.drafts import LANGUAGES
from vitruvian.explanation.llm.settings import LlmSettings
from vitruvian.explanation.narrate import Narrator
from vitruvian.testing.packets import KINDS, packets

model = LlmSettings.read().build()
narrator = Narrator(model)
count = 0
for kind in KINDS:
    for packet in packets(4_021, 3, kind):
        for audience in AUDIENCES:
            for language in LANGUAGES:
                made = narrator.explain(packet, audience, language, wait=True)
                assert made.status == "draft", made
                count += len(made.sentences)
assert count > 100
print("explained", count)
"""

TINY = """
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

folder = sys.argv[1]
words = ["<unk>", "the", "risk", "of", "is", "now", "at", "model", "puts", ".", "<RISK>", "<OUTCOME>", "up", "down"]
tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>").save_pretrained(folder)
torch.manual_seed(0)
small = GPT2Config(vocab_size=len(words), n_positions=2048, n_embd=16, n_layer=1, n_head=2)
GPT2LMHeadModel(small).save_pretrained(folder)

from vitruvian.explanation.drafting import draft
from vitruvian.explanation.llm.settings import LlmSettings
from vitruvian.explanation.narrate import Narrator
from vitruvian.testing.packets import packets

model = LlmSettings(home="transformers", path=folder).build()
narrator = Narrator(model, deadline_s=60.0)
packet = next(iter(packets(4_021, 1, "risk")))
made, plain = narrator.explain(packet, wait=True), draft(packet)
assert made.model and sum(narrator.counts.values()) >= len(made.sentences), narrator.counts
for worded, drafted in zip(made.sentences, plain.sentences, strict=True):
    # Untrained weights say nothing that passes; whatever they said, the reader sees what is true.
    assert worded.text == drafted.text or worded.origin == "model"
assert sum(made.refused.values()) + sum(1 for one in made.sentences if one.origin == "model") >= 1
print("explained", made.status, dict(made.refused))
"""


def run(body: str, folder: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("VITRUVIAN_LLM")}
    environment |= {"VITRUVIAN_MODELS": str(folder / "none"), "HF_HUB_OFFLINE": "0", "XDG_CONFIG_HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(BLOCKED) + textwrap.dedent(body), str(folder / "tiny")],
        capture_output=True,
        text=True,
        timeout=240,
        env=environment,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout


def test_nothing_is_connected_to_by_default(tmp_path: Path) -> None:
    assert "explained" in run(BY_DEFAULT, tmp_path)


def test_a_tiny_transformers_model_words_or_is_refused_with_the_network_blocked(tmp_path: Path) -> None:
    assert "explained" in run(TINY, tmp_path)


def test_the_block_blocks(tmp_path: Path) -> None:
    """The test above could fail: what it blocks is what a connection needs."""
    body = """
    import urllib.request
    try:
        urllib.request.urlopen("http://192.0.2.1/")
    except AssertionError:
        print("explained")
    """
    assert "explained" in run(body, tmp_path)
