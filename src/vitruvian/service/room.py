"""How much may wait at once, shared out first come, first served."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass

from vitruvian.core.errors import JournalUnavailable


@dataclass(slots=True, eq=False)
class _Turn:
    size: int
    loop: asyncio.AbstractEventLoop
    came: asyncio.Future[None]
    granted: bool = False


class Room:
    """A bounded number of places. `take` waits on its own event loop; any thread may `give` back.

    Whoever waits is served in order, so that a stream of small requests cannot keep a large one waiting for ever.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._free = size
        self._closed = False
        self._lock = threading.Lock()
        self._turns: deque[_Turn] = deque()

    @property
    def used(self) -> int:
        """Places taken."""
        return self.size - self._free

    async def take(self, size: int) -> None:
        """Wait for `size` places (at most all of them). Raises JournalUnavailable once closed."""
        loop = asyncio.get_running_loop()
        with self._lock:
            self._check()
            if not self._turns and self._free >= size:
                self._free -= size
                return
            turn = _Turn(size, loop, loop.create_future())
            self._turns.append(turn)
        try:
            await turn.came
        except BaseException:
            self._leave(turn)
            raise
        if not turn.granted:
            self._check()

    def give(self, size: int) -> None:
        """Give places back, and serve whoever waits."""
        with self._lock:
            self._free += size
            self._serve()

    def close(self) -> None:
        """Serve nobody any more: who waits gets JournalUnavailable."""
        with self._lock:
            self._closed = True
            turns, self._turns = list(self._turns), deque()
        for turn in turns:
            _tell(turn)

    def _check(self) -> None:
        if self._closed:
            raise JournalUnavailable("the ward is stopping: nothing was committed; send again when it is back")

    def _leave(self, turn: _Turn) -> None:
        """A caller gave up waiting: its places, or its turn, go to the next."""
        with self._lock:
            if turn.granted:
                self._free += turn.size
            elif turn in self._turns:
                self._turns.remove(turn)
            self._serve()

    def _serve(self) -> None:
        while self._turns and self._free >= self._turns[0].size:
            turn = self._turns.popleft()
            turn.granted = _tell(turn)
            if turn.granted:
                self._free -= turn.size


def _tell(turn: _Turn) -> bool:
    """Wake a caller on its own loop; False where that loop is gone."""
    try:
        turn.loop.call_soon_threadsafe(_wake, turn.came)
    except RuntimeError:
        return False
    return True


def _wake(came: asyncio.Future[None]) -> None:
    if not came.done():
        came.set_result(None)
