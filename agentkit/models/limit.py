"""At most so many calls of a server at once."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, field
from functools import partial

from agentkit.errors import ConfigError
from agentkit.models.fan import fan_out
from agentkit.models.loops import PerLoop
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.price import Price, price_of
from agentkit.types import Capabilities, GenerateRequest


@dataclass(frozen=True)
class Limited:
    """A model with at most ``concurrency`` calls in flight, in the order in which they were asked for.

    Each sample is a call of its own. Its permit is given back the moment the call ends, whether or not the consumer has
    taken the sample, so a consumer may ask the same model in between. Share one ``Limited`` between all that use a server.
    """

    model: Model
    _: KW_ONLY
    concurrency: int = 8
    _gates: PerLoop[asyncio.Semaphore] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ConfigError(f"concurrency must be 1 or more, not {self.concurrency}")
        object.__setattr__(self, "_gates", PerLoop(partial(asyncio.Semaphore, self.concurrency)))

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

    async def _draw(self, request: GenerateRequest) -> SampleStream:
        async with self._gates.get():
            async with aclosing(self.model.generate(request)) as stream:
                async for item in stream:
                    yield item
