"""The one owner of retries: nothing below it ever sends a request twice."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from agentkit.errors import (
    ConfigError,
    ModelError,
    ModelTimeoutError,
    ModelUnreachableError,
    RateLimitError,
    ServerError,
)
from agentkit.events import Emit, Retried, Scope, ignore
from agentkit.models.missing import Missing
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.price import Price, price_of
from agentkit.types import Capabilities, GenerateRequest

Cause = Literal["rate_limit", "timeout", "unreachable", "server"]

_CAUSES: dict[Cause, type[ModelError]] = {
    "rate_limit": RateLimitError,
    "timeout": ModelTimeoutError,
    "unreachable": ModelUnreachableError,
    "server": ServerError,
}


@dataclass(frozen=True)
class Retrying:
    """A model that is asked again, at most ``attempts`` times more, when it fails in a way that another try can mend.

    ``on`` names the failures to try again after (none named: every retryable one; a request that is itself wrong is never sent
    again). It waits as long as the provider says, else a random time up to ``first_delay`` seconds, doubled with every attempt
    ("full jitter", Brooker 2015), never beyond ``max_delay``: a provider that wants more is not asked again. ``deadline`` bounds
    the whole in seconds.

    Samples already yielded are kept; only the missing ones are drawn again. A sample that broke off after some of its
    deltas begins anew, and so do its deltas. Each retry is announced to ``emit`` as ``Retried``.
    """

    model: Model
    _: KW_ONLY
    attempts: int = 2
    on: tuple[Cause, ...] = ()
    deadline: float | None = None
    first_delay: float = 0.5
    max_delay: float = 60.0
    rng: random.Random = field(default_factory=random.Random, repr=False, compare=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep, repr=False, compare=False)
    emit: Emit = field(default=ignore, repr=False, compare=False)
    scope: Scope = field(default_factory=Scope, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.attempts < 0:
            raise ConfigError(f"attempts must be 0 or more, not {self.attempts}")
        if unknown := sorted(set(self.on) - set(_CAUSES)):
            raise ConfigError(f"cannot retry on {', '.join(unknown)} (known: {', '.join(_CAUSES)})")

    @property
    def name(self) -> str:
        """The model's own."""
        return self.model.name

    @property
    def capabilities(self) -> Capabilities:
        """The model's own."""
        return self.model.capabilities

    @property
    def price(self) -> Price | None:
        """The model's own."""
        return price_of(self.model)

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` samples; raises the last error when the attempts or the time are used up."""
        missing, attempt = Missing(request), 0
        end = None if self.deadline is None else self.clock() + self.deadline
        while True:
            try:
                async with aclosing(self._in_time(missing.draw(self.model), end)) as stream:
                    async for item in stream:
                        yield item
                return
            except ModelError as error:
                attempt += 1
                delay = self._delay(error, attempt, end)
                if delay is None:
                    raise
                reason = str(error)
            self.emit(Retried(scope=self.scope, model=self.name, attempt=attempt, delay=delay, error=reason))
            await self.sleep(delay)

    def _delay(self, error: ModelError, attempt: int, end: float | None) -> float | None:
        """Seconds to wait before attempt number ``attempt``, None when there shall be none."""
        if attempt > self.attempts or not self._mendable(error):
            return None
        asked = getattr(error, "retry_after", None)
        if asked is not None and asked > self.max_delay:
            return None
        most = min(self.max_delay, self.first_delay * 2 ** (attempt - 1))
        # a little more than asked, so that all who were told the same do not come back at the same moment
        delay = self.rng.uniform(0, most) if asked is None else asked + self.rng.uniform(0, self.first_delay)
        return None if end is not None and self.clock() + delay >= end else delay

    def _mendable(self, error: ModelError) -> bool:
        return error.retryable and (not self.on or isinstance(error, tuple(_CAUSES[cause] for cause in self.on)))

    async def _in_time(self, stream: SampleStream, end: float | None) -> SampleStream:
        """The stream, or ``ModelTimeoutError`` when it has not come to its end at ``end``."""
        async with aclosing(stream):
            while True:
                try:
                    async with asyncio.timeout(None if end is None else max(0.0, end - self.clock())):
                        item = await anext(stream)
                except StopAsyncIteration:
                    return
                except TimeoutError:
                    raise ModelTimeoutError(
                        f"{self.name} did not answer within the deadline of {self.deadline:g} s"
                    ) from None
                yield item
