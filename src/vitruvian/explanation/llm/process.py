"""A child process that holds a language model: started, asked, and killed. Every wait has an end."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from vitruvian.explanation.llm import child as protocol
from vitruvian.explanation.llm.base import ModelSilent, Prompt
from vitruvian.explanation.llm.child import Answer, Ask, Ready, Refused, Reply, cut_frame, framed

__all__ = ["ChildLost", "ModelProcess"]

_MARGIN_S: Final = 1.0  # before the deadline, at most, in which the child is to stop by itself and live
_MARGIN: Final = 0.2  # of what is left until the deadline
_END_S: Final = 5.0  # for a killed process to be gone
_READ_BYTES: Final = 65_536
_REPLIES: Final[msgspec.json.Decoder[Reply]] = msgspec.json.Decoder(Reply)


INHERITED: Final = (  # of the environment: what a process needs to start; a ward's tokens and keys are not its business
    "HOME", "LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONHOME", "PYTHONPATH", "SYSTEMROOT", "TMPDIR", "VIRTUAL_ENV",
)  # fmt: skip


class ChildLost(ModelSilent):
    """A child that died, hung, or said what is no answer: it is of no more use. `lasting`: nor would be another."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        super().__init__(reason)
        self.lasting = lasting


class ModelProcess:
    """One run of the child. Not thread-safe. After ChildLost it is to be killed."""

    def __init__(
        self, weights: Path, sha256: str, *, threads: int, context_tokens: int, load_deadline_s: float, engine: str
    ) -> None:
        """Start it; loading goes on by itself. `engine`: see child.py, empty for llama.cpp."""
        self.ready: Ready | None = None
        self._asked = 0
        self._load_by_s = time.monotonic() + load_deadline_s
        self._received = bytearray()
        command = [sys.executable, "-P", str(protocol.__file__), "--weights", str(weights), "--sha256", sha256]
        command += ["--threads", str(threads), "--context-tokens", str(context_tokens)]
        command += ["--load-s", str(int(load_deadline_s) + 1), "--engine", engine]
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- our own file and arguments, no shell
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env={name: value for name, value in os.environ.items() if name in INHERITED},
            )
        except OSError as error:
            raise ChildLost(f"the language model's process could not be started ({error.strerror})") from None
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def wait_ready(self, until_s: float) -> Ready:
        """What it said when the weights were loaded, waited for until `until_s` (monotonic).

        Raises ModelSilent where it is still loading by then and may go on; ChildLost where it failed or took longer
        than it may.
        """
        if self.ready is not None:
            return self.ready
        reply = self._receive(min(until_s, self._load_by_s))
        if reply is None:
            if time.monotonic() >= self._load_by_s:
                raise ChildLost("the language model did not load in time")
            raise ModelSilent("the language model is still being loaded")
        if isinstance(reply, Refused):
            raise ChildLost(f"the language model could not be loaded: {reply.reason}", lasting=reply.lasting)
        if not isinstance(reply, Ready):
            raise ChildLost("the language model's process answered before it was asked")
        self.ready = reply
        return reply

    def ask(self, prompt: Prompt, until_s: float) -> Answer:
        """The answer, waited for until `until_s` (monotonic).

        Raises ModelSilent where it refuses and can be asked again, ChildLost where it cannot.
        """
        self._asked += 1
        left_s = max(0.0, until_s - time.monotonic())
        wanted = msgspec.structs.asdict(prompt)
        own_s = left_s - min(_MARGIN_S, _MARGIN * left_s)
        request = framed(Ask(number=self._asked, deadline_s=own_s, **wanted))
        if len(request) > protocol.FRAME_BYTES_MAX:
            raise ModelSilent("the prompt is too long for the language model")
        self._send(request, until_s)
        reply = self._receive(until_s)
        if reply is None:
            raise ChildLost(f"the language model did not answer within {left_s:.1f} s")
        if isinstance(reply, Ready) or reply.number != self._asked:
            raise ChildLost("the language model's process answered something that was not asked")
        if isinstance(reply, Refused):
            raise ModelSilent(f"the language model refused: {reply.reason}")
        return reply

    def stop(self) -> None:
        """Tell the kernel to end it, and do not wait: whoever waits for its answer hears that it is gone."""
        self._process.kill()

    def kill(self) -> None:
        """End it at once, whatever it does, and let go of it; idempotent."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _send(self, message: bytes, until_s: float) -> None:
        view = memoryview(message)
        while view:
            if not _waited(self._to, select.POLLOUT, until_s):
                raise ChildLost("the language model's process does not listen")
            try:
                view = view[os.write(self._to, view) :]
            except OSError:
                raise ChildLost(self._ended()) from None

    def _receive(self, until_s: float) -> Reply | None:
        """The next message; None where none is whole by then."""
        while True:
            try:
                frame = cut_frame(self._received)
                if frame is not None:
                    return _REPLIES.decode(frame)
            except (ValueError, msgspec.DecodeError):
                raise ChildLost("the language model's process said what is no answer") from None
            if not _waited(self._from, select.POLLIN, until_s):
                return None
            piece = os.read(self._from, _READ_BYTES)
            if not piece:
                raise ChildLost(self._ended())
            self._received += piece

    def _ended(self) -> str:
        """Why there is nothing more to hear."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return f"the language model's process ended with status {self._process.wait(_END_S)}"
        return "the language model's process closed its output"


def _waited(pipe: int, event: int, until_s: float) -> bool:
    """Whether the pipe became ready (or was closed) by then. By poll: select knows no descriptor above 1,023."""
    poll = select.poll()
    poll.register(pipe, event)
    return bool(poll.poll(max(0.0, until_s - time.monotonic()) * 1e3))
