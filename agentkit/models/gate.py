"""Gates that calls of one server pass: how many at once, and how many a minute."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from agentkit.errors import ConfigError, ModelTimeoutError, RateLimitError, ServerError

_START, _MOST = 8.0, 1000.0
_OVERLOAD = (RateLimitError, ModelTimeoutError, ServerError)


@dataclass
class Gate:
    """Lets at most ``limit`` calls in at once, in the order in which they came."""

    limit: float
    inside: int = 0
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque, repr=False)

    async def enter(self) -> None:
        """Wait for room and take it."""
        if self.inside < int(self.limit) and not self._waiting:
            self.inside += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # called in, and gone in the same moment
                self.inside -= 1
            self._call_in()
            raise

    def leave(self) -> None:
        """Give the room back."""
        self.inside -= 1
        self._call_in()

    def _call_in(self) -> None:
        while self._waiting and self.inside < int(self.limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self.inside += 1
                turn.set_result(None)


@dataclass
class Adaptive(Gate):
    """A gate that finds its own limit: up by one a round of calls that filled it, down by half when the server is overloaded.

    Additive increase, multiplicative decrease (Chiu and Jain 1989). Calls that were under way at the last decrease do not
    lower it again.
    """

    limit: float = _START
    _lowered: int = 0
    _calls: int = 0

    def started(self) -> int:
        """The number of a call that begins now."""
        self._calls += 1
        return self._calls

    def succeeded(self) -> None:
        """A call ended well."""
        if self.inside >= int(self.limit):
            self.limit = min(_MOST, self.limit + 1 / self.limit)

    def failed(self, number: int, error: Exception) -> None:
        """Call ``number`` failed; only what tells of overload counts."""
        if isinstance(error, _OVERLOAD) and number > self._lowered:
            self.limit, self._lowered = max(1.0, self.limit / 2), self._calls


@dataclass
class Pace:
    """At most ``per_minute`` units a minute, evenly: whoever comes too early learns how long to wait.

    A bucket that holds ten seconds' worth and may go into debt by whoever takes more at once than it holds.
    """

    per_minute: float
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    _level: float = field(init=False, repr=False)
    _seen: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.per_minute <= 0:
            raise ConfigError(f"a rate must be above 0 a minute, not {self.per_minute:g}")
        self._level, self._seen = self._room, self.clock()

    def take(self, amount: float) -> float:
        """Take ``amount`` units; the seconds to wait before using them."""
        now = self.clock()
        self._level = min(self._room, self._level + (now - self._seen) * self.per_minute / 60)
        self._seen = now
        self._level -= amount
        return max(0.0, -self._level * 60 / self.per_minute)

    def give_back(self, amount: float) -> None:
        """Return units that were not used after all; a negative amount takes those that were used unannounced."""
        self._level += amount

    @property
    def _room(self) -> float:
        return max(1.0, self.per_minute / 6)
