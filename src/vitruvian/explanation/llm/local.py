"""A Transformers model in a folder of this machine, such as MedGemma: loaded from its files alone.

Nothing is fetched and no code of the model's folder is run: weights are read as safetensors only. It lives in this
process, where it can be stopped between two words and not within one.
"""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path
from typing import Any, Final

from vitruvian.core.errors import ConfigurationError
from vitruvian.explanation.llm.base import ModelBusy, ModelSilent, Prompt
from vitruvian.explanation.llm.weights import digest_of

__all__ = ["TransformersModel"]

_NEEDED: Final = ("config.json", "tokenizer_config.json")
_READ: Final = frozenset({".json", ".jinja", ".model", ".safetensors", ".txt"})


class TransformersModel:
    """A causal language model of the Transformers library (see LanguageModel). Loading starts with the first question,
    on a thread of its own, and goes on when the questioner's deadline has passed.
    """

    remote: Final = False

    def __init__(self, folder: Path, name: str = "") -> None:
        """Raises ConfigurationError where the folder holds no such model. Reads all its files once, for the digest."""
        files = sorted(path for path in folder.glob("*") if path.suffix in _READ and path.is_file())
        names = {path.name for path in files}
        if not all(one in names for one in _NEEDED) or not any(one.endswith(".safetensors") for one in names):
            raise ConfigurationError(
                f"found {folder} without a Transformers model, expected {', '.join(_NEEDED)} and weights as safetensors"
            )
        stated = "\n".join(f"{path.name} {digest_of(path)}" for path in files)
        self._digest = hashlib.sha256(stated.encode()).hexdigest()
        self._folder, self._name = folder, name or folder.resolve().name
        self._lock = threading.Lock()
        self._loading: threading.Thread | None = None
        self._loaded: tuple[Any, Any] | None = None
        self._failed = ""
        self._closed = False

    @property
    def name(self) -> str:
        """The folder's name, or the one given."""
        return self._name

    @property
    def digest(self) -> str:
        """SHA-256 over the names and digests of the files that are read."""
        return self._digest

    def complete(self, prompt: Prompt, deadline_s: float) -> str:
        """The answer, unverified; a grammar is not forced. Raises ModelBusy where another is being written,
        ModelSilent for all else.
        """
        until_s = time.monotonic() + deadline_s
        if not self._lock.acquire(timeout=max(0.0, deadline_s)):
            raise ModelBusy("the language model is writing another answer")
        try:
            tokenizer, model = self._ready(until_s)
            return _written(tokenizer, model, prompt, lambda: self._closed or time.monotonic() > until_s)
        except ModelSilent:
            raise
        except Exception as error:  # a third party's library: whatever it raises, the draft stays
            raise ModelSilent(f"the language model failed ({type(error).__name__})") from error
        finally:
            self._lock.release()

    def close(self) -> None:
        """Stop the answer being written and let go of the weights; idempotent."""
        self._closed = True
        with self._lock:
            self._loaded = None

    def _ready(self, until_s: float) -> tuple[Any, Any]:
        if self._closed:
            raise ModelSilent("the language model was closed")
        if self._loaded is None and self._loading is None and not self._failed:
            self._loading = threading.Thread(target=self._load, name="language-model", daemon=True)
            self._loading.start()
        if self._loading is not None:
            self._loading.join(max(0.0, until_s - time.monotonic()))
            if self._loading.is_alive():
                raise ModelSilent("the language model is still being loaded")
            self._loading = None
        if self._loaded is None:
            raise ModelSilent(self._failed)
        return self._loaded

    def _load(self) -> None:
        try:
            self._loaded = _load(self._folder)
        except ImportError as error:
            self._failed = f"{error.name or 'transformers'} is not installed: pip install 'vitruvian[transformers]'"
        except Exception as error:  # of the library or the files: said to whoever asks
            self._failed = f"the language model could not be loaded ({type(error).__name__}: {error})"[:500]


def _library() -> Any:
    import transformers

    return transformers


def _load(folder: Path) -> tuple[Any, Any]:
    import torch

    library = _library()
    library.utils.logging.disable_progress_bar()
    tokenizer = library.AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    model = library.AutoModelForCausalLM.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype="auto"
    )
    return tokenizer, model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def _written(tokenizer: Any, model: Any, prompt: Prompt, over: Any) -> str:
    """The words the model continues the prompt with, greedily, up to the first stop. Raises ModelSilent when over."""
    import torch

    library = _library()
    tokens = tokenizer(_conversation(tokenizer, prompt), return_tensors="pt", add_special_tokens=False).to(model.device)
    before = tokens["input_ids"].shape[1]

    def new_text(ids: Any) -> str:
        return str(tokenizer.decode(ids[0, before:], skip_special_tokens=True))

    def stop(ids: Any, _scores: Any, **_: Any) -> Any:
        done = over() or any(mark in new_text(ids) for mark in prompt.stop)
        return torch.full((ids.shape[0],), done, dtype=torch.bool, device=ids.device)

    # Greedy, whatever the model's own settings ask for; its marks of an end are kept.
    own = model.generation_config
    settings = library.GenerationConfig(
        max_new_tokens=prompt.tokens_max,
        do_sample=False,
        repetition_penalty=1.0,
        bos_token_id=own.bos_token_id,
        eos_token_id=own.eos_token_id,
        pad_token_id=own.pad_token_id if own.pad_token_id is not None else tokenizer.eos_token_id,
    )
    with torch.inference_mode():
        ids = model.generate(
            input_ids=tokens["input_ids"],
            attention_mask=tokens["attention_mask"],
            generation_config=settings,
            stopping_criteria=library.StoppingCriteriaList([stop]),
        )
    if over():
        raise ModelSilent("the language model did not finish in time")
    text = new_text(ids)
    ends = [at for mark in prompt.stop if (at := text.find(mark)) >= 0]
    return text[: min(ends)] if ends else text


def _conversation(tokenizer: Any, prompt: Prompt) -> str:
    """The prompt as the model wants it told; models without a system's part get it before the user's."""
    joined = f"{prompt.system}\n\n{prompt.user}"
    if not tokenizer.chat_template:
        return f"{joined}\n"
    from jinja2.exceptions import TemplateError

    told = ({"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user})
    for messages in (list(told), [{"role": "user", "content": joined}]):
        try:
            return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
        except TemplateError:
            continue
    raise ModelSilent("the model's chat template takes no question")
