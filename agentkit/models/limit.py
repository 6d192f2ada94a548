"""At most so many calls of a server at once, and so many requests and tokens a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from agentkit.errors import ConfigError
from agentkit.models.fan import fan_out
from agentkit.models.gate import Adaptive, Gate, Pace
from agentkit.models.loops import PerLoop
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.estimate import share
from agentkit.runtime.price import Price, price_of
from agentkit.types import Capabilities, GenerateRequest, Sample


@dataclass(frozen=True)
class Limited:
    """A model with at most ``concurrency`` calls in flight, in the order in which they were asked for.

    ``auto`` finds the number itself: it grows while the server keeps up and halves when it answers 429, 5xx or not in time.
    ``requests_per_minute`` and ``tokens_per_minute`` spread calls out evenly; tokens are estimated before a call and
    settled after it. None sets no limit.

    Each sample is a call of its own. Its permit is given back the moment the call ends, whether or not the consumer has
    taken the sample, so a consumer may ask the same model in between. Share one ``Limited`` between all that use a server.
    """

    model: Model
    _: KW_ONLY
    concurrency: int | Literal["auto"] | None = 8
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    clock: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)
    sleep: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep, repr=False, compare=False)
    _gates: PerLoop[Gate] = field(init=False, repr=False, compare=False)
    _requests: Pace | None = field(init=False, repr=False, compare=False)
    _tokens: Pace | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.concurrency, int) and self.concurrency < 1:
            raise ConfigError(f"concurrency must be 1 or more, not {self.concurrency}")
        object.__setattr__(self, "_gates", PerLoop(self._gate))
        for name, rate in (("_requests", self.requests_per_minute), ("_tokens", self.tokens_per_minute)):
            object.__setattr__(self, name, None if rate is None else Pace(rate, self.clock))

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

    def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` samples, each as soon as there is room for its call."""
        return fan_out(self._draw, request)

    def _gate(self) -> Gate:
        if self.concurrency == "auto":
            return Adaptive()
        return Gate(float("1e9") if self.concurrency is None else self.concurrency)

    async def _draw(self, request: GenerateRequest) -> SampleStream:
        async with self._admitted() as gate:
            estimated = share(request, None).tokens if self._tokens else 0
            await self._wait(estimated)
            number = gate.started() if isinstance(gate, Adaptive) else 0
            try:
                async with aclosing(self.model.generate(request)) as stream:
                    async for item in stream:
                        if isinstance(item, Sample) and self._tokens:
                            self._tokens.give_back(estimated - item.usage.tokens)
                        yield item
            except Exception as error:
                if isinstance(gate, Adaptive):
                    gate.failed(number, error)
                raise
            if isinstance(gate, Adaptive):
                gate.succeeded()

    async def _wait(self, tokens: int) -> None:
        """Until both rates have room for a call of so many tokens."""
        waits = [self._requests.take(1)] if self._requests else []
        waits += [self._tokens.take(tokens)] if self._tokens else []
        if seconds := max(waits, default=0.0):
            await self.sleep(seconds)

    @asynccontextmanager
    async def _admitted(self) -> AsyncGenerator[Gate, None]:
        gate = self._gates.get()
        await gate.enter()
        try:
            yield gate
        finally:
            gate.leave()
