"""Which samples of a request are still to be drawn: what retry and fallback share."""

from __future__ import annotations

from contextlib import aclosing

from agentkit.errors import ServerError
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.parts import parts, placed
from agentkit.types import GenerateRequest, Sample


class Missing:
    """The samples of ``request`` that nobody has drawn yet."""

    def __init__(self, request: GenerateRequest) -> None:
        self._request = request
        self._places = set(range(request.n))

    async def draw(self, model: Model) -> SampleStream:
        """What is missing, from ``model``, each under its place in the request; ``ServerError`` when it gives too few."""
        for request, places in parts(self._request, sorted(self._places)):
            async with aclosing(model.generate(request)) as stream:
                async for item in stream:
                    item = placed(item, places, model.name)
                    if isinstance(item, Sample):
                        self._places.discard(item.index)
                    yield item
        if self._places:
            raise ServerError(f"{model.name} ended its answer {len(self._places)} of {self._request.n} samples short")
