"""The child process of the embedded home: it holds the weights and answers over its standard input and output.

Run by its path, `python child.py --weights FILE --sha256 HEX`, and therefore on its own: it imports nothing of this
package, whose import would cost more time and memory than small weights do. The parent imports the messages from
here. Each message is a length (4 bytes, big-endian) and JSON.

llama.cpp can crash, hang or fill the memory; here it takes only this process with it. Its server insists on an
address: it gets a Unix socket in a folder that only this user can enter, unlinked as soon as it listens, so that
nothing can connect to it. The process ends when its standard input does, which is when its parent is gone.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import os
import queue
import select
import signal
import struct
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

__all__ = ["FRAME_BYTES_MAX", "Answer", "Ask", "Engine", "Engines", "Ready", "Refused", "Reply", "cut_frame", "framed"]

LENGTH: Final = struct.Struct(">I")
FRAME_BYTES_MAX: Final = 256 * 1024
_LOOK_S: Final = 2.0  # between looks at whether the parent is still there
_NICE: Final = 5  # the ward goes first


class Ask(msgspec.Struct, frozen=True):
    """A prompt, and how long its answer may take from when it arrives."""

    number: int
    system: str
    user: str
    grammar: str
    tokens_max: int
    stop: tuple[str, ...]
    deadline_s: float


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The weights are loaded."""

    load_s: float
    threads: int


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """What the model wrote, and what it took: tokens read (those not remembered) and written, seconds of each."""

    number: int
    text: str
    read_tokens: int = 0
    written_tokens: int = 0
    read_s: float = 0.0
    written_s: float = 0.0


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """No answer, and why; `lasting`: asking or starting again will not help. `number` 0: it could not be loaded."""

    number: int
    reason: str
    lasting: bool = False


Reply = Ready | Answer | Refused


class Engine(Protocol):
    """What writes the answers."""

    def answer(self, ask: Ask) -> Answer:
        """The answer; raises whatever it likes where there is none."""
        ...


Engines = Callable[[Path, int, int], Engine]  # weights, threads, context in tokens


class _Late(Exception):
    pass


class _Llama:
    """llama.cpp by xllamacpp."""

    def __init__(self, weights: Path, threads: int, context_tokens: int) -> None:
        import xllamacpp

        settings = xllamacpp.CommonParams()
        settings.model.path = str(weights)
        settings.offline = True
        settings.n_ctx = context_tokens
        settings.n_batch = settings.n_ubatch = 64
        settings.n_parallel = 1
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = threads
        settings.n_gpu_layers = 0  # the same words on every machine
        settings.fit_params = False
        settings.cache_ram_mib = settings.n_ctx_checkpoints = 0
        settings.enable_reasoning = 0
        settings.verbosity = -1
        settings.ui = settings.endpoint_slots = False
        settings.n_threads_http = 1
        with tempfile.TemporaryDirectory(prefix="vitruvian-") as folder:  # only this user can enter it
            settings.hostnames = [str(Path(folder) / "unused.sock")]
            self._server = xllamacpp.Server(settings)

    def answer(self, ask: Ask) -> Answer:
        until = time.monotonic() + ask.deadline_s
        body: dict[str, Any] = {
            "messages": [{"role": "system", "content": ask.system}, {"role": "user", "content": ask.user}],
            "max_tokens": ask.tokens_max,
            "temperature": 0.0,
            "top_k": 1,
            "seed": 0,
            "stop": list(ask.stop),
            "stream": True,
            "return_progress": True,  # so that the deadline is looked at while the prompt is read, too
        }
        if ask.grammar:
            body["grammar"] = ask.grammar
        pieces: list[str] = []
        last: dict[str, Any] = {}

        def hear(chunk: Any) -> bool:
            if not isinstance(chunk, dict):
                return False
            for choice in chunk.get("choices", ()):
                pieces.append(choice.get("delta", {}).get("content") or "")
            last.update({key: chunk[key] for key in ("error", "timings") if key in chunk})
            return time.monotonic() > until  # true stops it

        said = self._server.handle_chat_completions(body, hear)
        error = last.get("error") or (said.get("error") if isinstance(said, dict) else None)
        if error:
            raise ValueError(str(error.get("message", error) if isinstance(error, dict) else error))
        if time.monotonic() > until:
            raise _Late
        spent = last.get("timings", {})
        return Answer(
            ask.number,
            "".join(pieces),
            spent.get("prompt_n", 0),
            spent.get("predicted_n", 0),
            spent.get("prompt_ms", 0.0) / 1e3,
            spent.get("predicted_ms", 0.0) / 1e3,
        )


def main(arguments: list[str] | None = None) -> int:
    """Load the weights, answer until standard input ends, and return the exit status."""
    parser = argparse.ArgumentParser(description="A language model's process; started by Vitruvian.")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--sha256", required=True, help="of the weights, compared before they are used")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--context-tokens", type=int, default=2048)
    parser.add_argument("--load-s", type=int, default=60, help="the process ends itself when loading takes longer")
    parser.add_argument("--engine", default="", help="module:factory of an Engine, in place of llama.cpp")
    options = parser.parse_args(arguments)
    out = _own_output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the parent's to answer
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    asked: queue.SimpleQueue[Ask] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(asked, os.getppid()), daemon=True).start()
    began = time.monotonic()
    # Loading holds the interpreter's lock, so that only the kernel can end it; it does, whatever hangs.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(max(1, options.load_s))
    try:
        _check(options.weights, options.sha256)
        engine = _engines(options.engine)(options.weights, options.threads, options.context_tokens)
    except Exception as error:
        lasting = isinstance(error, ImportError | OSError | _Changed)
        _send(out, Refused(0, f"{type(error).__name__}: {error}"[:500], lasting))
        return 1
    signal.alarm(0)
    _send(out, Ready(time.monotonic() - began, options.threads))
    while True:
        _send(out, _answered(engine, asked.get()))


class _Changed(Exception):
    """The weights are not those that were installed."""


def _answered(engine: Engine, ask: Ask) -> Reply:
    try:
        return engine.answer(ask)
    except _Late:
        return Refused(ask.number, f"it did not finish within {ask.deadline_s:.1f} s")
    except Exception as error:
        return Refused(ask.number, f"{type(error).__name__}: {error}"[:500])


def _engines(spec: str) -> Engines:
    if not spec:
        return _Llama
    module, _, name = spec.partition(":")
    made: Engines = getattr(importlib.import_module(module), name)
    return made


def _check(weights: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    with weights.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    if digest.hexdigest() != sha256:
        raise _Changed(f"{weights} was changed or cut short since it was installed; install it again")


def _own_output() -> int:
    """A descriptor for messages that nothing else prints to: what was standard output goes nowhere from here on."""
    out = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return out


def _listen(asked: queue.SimpleQueue[Ask], parent: int) -> None:
    """Take in what is asked, and end the process when nobody can ask any more, or what comes is no message."""
    status = 2
    try:
        received = bytearray()
        while True:
            heard, _, _ = select.select([0], [], [], _LOOK_S)
            piece = os.read(0, 65_536) if heard else None
            if piece == b"" or (piece is None and os.getppid() != parent):
                status = 0
                return
            received += piece or b""
            while (frame := cut_frame(received)) is not None:
                asked.put(msgspec.json.decode(frame, type=Ask))
    finally:
        os._exit(status)


def cut_frame(received: bytearray) -> bytes | None:
    """Take the first whole message off what was received; None where it is not all there.

    Raises ValueError where it would be longer than FRAME_BYTES_MAX.
    """
    if len(received) < LENGTH.size:
        return None
    size: int = LENGTH.unpack_from(received)[0]
    if size > FRAME_BYTES_MAX:
        raise ValueError(f"found a message of {size} bytes, expected at most {FRAME_BYTES_MAX}")
    if len(received) < LENGTH.size + size:
        return None
    frame = bytes(received[LENGTH.size : LENGTH.size + size])
    del received[: LENGTH.size + size]
    return frame


def framed(message: msgspec.Struct) -> bytes:
    """A message as it goes over the pipe."""
    content = msgspec.json.encode(message)
    return LENGTH.pack(len(content)) + content


def _send(out: int, reply: Reply) -> None:
    view = memoryview(framed(reply))
    while view:
        view = view[os.write(out, view) :]


if __name__ == "__main__":
    sys.exit(main())
