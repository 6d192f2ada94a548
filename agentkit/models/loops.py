"""Things that belong to one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Makes one ``T`` for each event loop that asks: sockets and semaphores cannot be shared between loops."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[asyncio.AbstractEventLoop, T] = {}

    def get(self) -> T:
        """The one of the running loop; those of closed loops are forgotten."""
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            for closed in [one for one in list(self._made) if one.is_closed()]:
                self._made.pop(closed, None)
            self._made[loop] = self._make()
        return self._made[loop]
