"""Places on a server that draws so many completions at once."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future


class Slots:
    """A count of free slots, taken in the order of asking; any thread and any event loop may take and give."""

    def __init__(self, total: int) -> None:
        self._free = total
        self._waiting: deque[tuple[int, Future[int]]] = deque()
        self._lock = threading.RLock()

    async def take(self, most: int) -> int:
        """Between one and ``most`` slots, as many as are free once it is our turn."""
        future: Future[int] = Future()
        with self._lock:
            self._waiting.append((most, future))
            self._grant()
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if not future.cancel():  # granted in the moment of the cancellation
                self.give(future.result())
            raise

    def give(self, count: int) -> None:
        """Put ``count`` slots back."""
        with self._lock:
            self._free += count
            self._grant()

    def _grant(self) -> None:
        while self._free and self._waiting:
            most, future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                granted = min(most, self._free)
                self._free -= granted
                future.set_result(granted)
