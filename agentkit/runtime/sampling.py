"""Draw from a model without caring for streams: what strategies and nodes call."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from agentkit.errors import ServerError
from agentkit.protocols import Model
from agentkit.types import GenerateRequest, Sample


async def samples(model: Model, request: GenerateRequest) -> AsyncGenerator[Sample, None]:
    """The finished samples of ``request``, without its deltas; use it inside ``aclosing`` when you may leave early."""
    async with aclosing(model.generate(request)) as stream:
        async for item in stream:
            if isinstance(item, Sample):
                yield item


async def draw(model: Model, request: GenerateRequest) -> Sample:
    """One sample of ``request`` (its ``n`` is taken as 1)."""
    async with aclosing(samples(model, replace(request, n=1))) as stream:
        async for sample in stream:
            return sample
    raise ServerError(f"{model.name} ended its answer without a sample")


async def draw_all(model: Model, request: GenerateRequest) -> list[Sample]:
    """All ``request.n`` samples, in the order of their index."""
    async with aclosing(samples(model, request)) as stream:
        drawn = [sample async for sample in stream]
    return sorted(drawn, key=lambda sample: sample.index)
