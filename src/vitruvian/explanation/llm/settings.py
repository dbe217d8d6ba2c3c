"""Which language model words explanations: by a file, the environment and the command line, the last first.

    [language_model]
    home = "openai"                        # none, embedded, openai, transformers
    url = "https://models.example/v1"      # of openai
    model = "some-model"                   # its name at the endpoint; for embedded, the name of installed weights
    path = "/srv/models/medgemma"          # of transformers: its folder; for embedded, a GGUF file
    key_variable = "MODELS_KEY"            # the environment variable that holds the key
    grammar = true                         # the endpoint takes llama.cpp's grammars
    send = "skeletons"                     # or "facts": a patient's values may be sent
    deadline_s = 15.0

In the environment each is `VITRUVIAN_LLM_` and its name. Where nothing says which home, it is the default weights of
this machine if there are any, else none: no connection is ever opened unless an endpoint was configured.
"""

from __future__ import annotations

import importlib.util
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from vitruvian.core.errors import ConfigurationError
from vitruvian.explanation.llm.audit import Send
from vitruvian.explanation.llm.base import DEADLINE_S, LanguageModel
from vitruvian.explanation.llm.weights import default_weights, digest_of, named

__all__ = ["Home", "LlmSettings", "Send"]

Home = Literal["none", "embedded", "openai", "transformers"]

_PREFIX: Final = "VITRUVIAN_LLM_"
_TABLE: Final = "language_model"
_DEADLINE_MAX_S: Final = 600.0
_USED: Final[dict[str, frozenset[str]]] = {  # besides home, deadline_s
    "": frozenset(),
    "none": frozenset(),
    "embedded": frozenset({"model", "path"}),
    "openai": frozenset({"url", "model", "key_variable", "grammar", "send"}),
    "transformers": frozenset({"path", "model"}),
}


class LlmSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the language model (the module's docstring says what each is). `home` "": whatever is there."""

    home: Home | Literal[""] = ""
    url: str = ""
    model: str = ""
    path: str = ""
    key_variable: str = ""
    grammar: bool = False
    send: Send = "skeletons"
    deadline_s: float = DEADLINE_S

    @classmethod
    def read(cls, file: Path | None = None, environment: Mapping[str, str] | None = None, **given: Any) -> LlmSettings:
        """Settings from a TOML file, the environment (this process's by default) and what was given, None left out.

        Raises ConfigurationError for a file that cannot be read, a setting unknown or out of range, and one that the
        chosen home does not use: an endpoint that is named and not used is a mistake.
        """
        values: dict[str, Any] = {} if file is None else _table(file)
        for key, text in (os.environ if environment is None else environment).items():
            if key.startswith(_PREFIX) and text:
                values[key.removeprefix(_PREFIX).lower()] = text
        values.update({key: value for key, value in given.items() if value is not None})
        try:
            # Not strict: the environment has only text for numbers and switches.
            settings = msgspec.convert(values, cls, strict=False)
        except msgspec.ValidationError as error:
            known = ", ".join(cls.__struct_fields__)
            raise ConfigurationError(
                f"found a language model's setting that does not fit: {error}; known are {known}"
            ) from None
        settings._check()
        return settings

    def _check(self) -> None:
        if not 0.0 < self.deadline_s <= _DEADLINE_MAX_S:
            raise ConfigurationError(f"found a deadline of {self.deadline_s} s, expected up to {_DEADLINE_MAX_S:.0f} s")
        plain = LlmSettings()
        unused = [
            name
            for name in self.__struct_fields__
            if name not in _USED[self.home] | {"home", "deadline_s"} and getattr(self, name) != getattr(plain, name)
        ]
        if unused:
            home = f"home {self.home!r}" if self.home else "no home"
            raise ConfigurationError(
                f"found {home} with {', '.join(unused)}, which it does not use; set the home or drop it"
            )
        wanted = {"openai": ("url", "model"), "transformers": ("path",)}.get(self.home, ())
        lacking = [name for name in wanted if not getattr(self, name)]
        if lacking:
            raise ConfigurationError(f"found home {self.home!r} without {' and '.join(lacking)}; set it")

    def build(self) -> LanguageModel | None:
        """The language model; None for none. Nothing is started and no connection opened until it is asked.

        Raises ConfigurationError, NotFoundError or WeightsChanged where what was named is not there or does not fit.
        """
        if self.home == "none":
            return None
        if self.home == "openai":
            return self._endpoint()
        if self.home == "transformers":
            from vitruvian.explanation.llm.local import TransformersModel

            return TransformersModel(Path(self.path).expanduser(), self.model)
        return self._embedded()

    def _endpoint(self) -> LanguageModel:
        from vitruvian.explanation.llm.openai import OpenAiModel

        key = os.environ.get(self.key_variable, "").strip() if self.key_variable else ""
        if self.key_variable and not key:
            raise ConfigurationError(f"found no {self.key_variable} in the environment, expected the endpoint's key")
        model = OpenAiModel(self.url, self.model, key=key, grammar=self.grammar)
        if self.send == "facts" and model.remote and not self.url.startswith("https:"):
            raise ConfigurationError('found send = "facts" for an http endpoint elsewhere; use https')
        return model

    def _embedded(self) -> LanguageModel | None:
        from vitruvian.explanation.llm.embedded import EmbeddedModel

        chosen = self.home == "embedded"
        if importlib.util.find_spec("xllamacpp") is None:
            if chosen:
                raise ConfigurationError("found no xllamacpp, which runs weights: pip install 'vitruvian[llm]'")
            return None
        if self.path:
            path = Path(self.path).expanduser()
            if not path.is_file():
                raise ConfigurationError(f"found no file {path}, expected a GGUF file")
            try:
                digest = digest_of(path)
            except OSError as error:
                raise ConfigurationError(f"found {path} that cannot be read ({error.strerror}); check it") from None
            return EmbeddedModel(self.model or path.stem, path, digest)
        weights = named(self.model) if self.model else default_weights()
        if weights is None:
            if chosen:
                raise ConfigurationError("found no weights to use: `vitruvian model install` fetches smollm2")
            return None
        if weights.kind != "gguf":
            raise ConfigurationError(f"found {weights.name}, expected weights that write sentences")
        return EmbeddedModel(weights.name, weights.path, weights.digest)


def _table(file: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"found {file} that cannot be read as TOML ({error}); check the path") from None
    table = document.get(_TABLE, {})
    others = sorted(set(document) - {_TABLE})
    if not isinstance(table, dict) or others:
        raise ConfigurationError(f"found {file} with {', '.join(others) or 'no table'}, expected one table [{_TABLE}]")
    return table
