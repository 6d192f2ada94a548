"""The places of a server that draws so many samples at once, and what each place still knows."""

from __future__ import annotations

import asyncio
import threading
from bisect import bisect_left
from collections import deque
from concurrent.futures import Future


class Slots:
    """Numbered places, granted in the order of asking; any thread and any event loop may take and give.

    Each remembers the prompt that was read in it last, and whoever takes one gets the free place that knows most of his.
    """

    def __init__(self, total: int) -> None:
        self._free = list(range(total))
        self._known = [""] * total
        self._waiting: deque[tuple[str, Future[int]]] = deque()
        self._lock = threading.RLock()

    async def take(self, prompt: str) -> int:
        """Wait for a place and take it."""
        future: Future[int] = Future()
        with self._lock:
            self._waiting.append((prompt, future))
            self._grant()
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if not future.cancel():  # granted in the moment of the cancellation
                self.give(future.result())
            raise

    def give(self, slot: int) -> None:
        """Put a place back."""
        with self._lock:
            self._free.append(slot)
            self._grant()

    def learn(self, slot: int, prompt: str) -> None:
        """The whole prompt has been read in this place; the empty text: nothing that can be relied on."""
        self._known[slot] = prompt

    def knows(self, slot: int, prompt: str) -> bool:
        """Whether the whole prompt has been read in this place."""
        return self._known[slot] == prompt

    def _grant(self) -> None:
        while self._free and self._waiting:
            prompt, future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                slot = max(self._free, key=lambda one: shared(self._known[one], prompt))
                self._free.remove(slot)
                future.set_result(slot)


def shared(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    return bisect_left(range(1, min(len(one), len(other)) + 1), True, key=lambda length: one[:length] != other[:length])
