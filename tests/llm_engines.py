"""Engines for the language model's child process that misbehave on request; run inside the child, see child.py."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from pathlib import Path
from typing import Any

child: Any = sys.modules["__main__"]  # child.py runs as a script; importing it again would give other classes


class Echo:
    """Answers with the prompt's last word."""

    def __init__(self, weights: Path, threads: int, context_tokens: int) -> None:
        self.threads = threads

    def answer(self, ask: Any) -> Any:
        return child.Answer(ask.number, ask.user.split()[-1])


class OnRequest(Echo):
    """Does what the prompt's first word says, and answers with the last one where it still can."""

    def answer(self, ask: Any) -> Any:
        what = ask.user.split()[0]
        if what == "die":
            os._exit(3)
        elif what == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif what == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif what == "hang":
            time.sleep(600)
        elif what == "raise":
            raise RuntimeError("out of words")
        elif what == "print":
            print("llama: loading", flush=True)
            os.write(1, b"\0\0\0\4oops")
        elif what == "babble":
            babble(b"I am not a message at all" * 8)
        elif what == "garble":
            babble(b'\0\0\0\4{"a}')
        elif what == "huge":
            return child.Answer(ask.number, "x" * (child.FRAME_BYTES_MAX + 1))
        elif what == "other":
            return child.Answer(ask.number + 1, "an answer to another question")
        elif what == "threads":
            return child.Answer(ask.number, str(self.threads))
        elif what == "mind":
            return child.Answer(ask.number, str(os.nice(0)))
        return super().answer(ask)


class DiesOnLoad:
    """Ends the process while it is loaded."""

    def __init__(self, *_: object) -> None:
        os._exit(4)


class HangsOnLoad:
    """Never finishes loading, with signals and other threads shut out as far as Python can."""

    def __init__(self, *_: object) -> None:
        time.sleep(600)


class SlowToLoad(Echo):
    """Takes a second and a half to load."""

    def __init__(self, *arguments: Any) -> None:
        time.sleep(1.5)
        super().__init__(*arguments)


class RefusesToLoad:
    """Raises while it is loaded."""

    def __init__(self, *_: object) -> None:
        raise RuntimeError("not a model that I know")


def babble(content: bytes) -> None:
    """Write to every pipe the process could have for its messages."""
    for descriptor in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.write(descriptor, content)
        except OSError:
            continue
