"""Which samples of a request are still to be drawn: what retry and fallback share."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace

from agentkit.errors import ServerError
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.parts import parts, placed
from agentkit.types import Delta, GenerateRequest, Sample, Usage


class Missing:
    """The samples of ``request`` that nobody has drawn yet, and how many calls have failed on the way to each.

    A failed call is counted in the usage of the sample that was drawn in the end, so that usage tells all that was sent.
    """

    def __init__(self, request: GenerateRequest) -> None:
        self._request = request
        self._failures = dict.fromkeys(range(request.n), 0)

    async def draw(self, model: Model) -> SampleStream:
        """What is missing, from ``model``, each under its place in the request; ``ServerError`` when it gives too few."""
        for request, places in parts(self._request, sorted(self._failures)):
            async with aclosing(model.generate(request)) as stream:
                async for item in stream:
                    yield self._count(placed(item, places, model.name))
        if self._failures:
            raise ServerError(f"{model.name} ended its answer {len(self._failures)} of {self._request.n} samples short")

    def failed(self) -> None:
        """Count a failed call against every sample still missing."""
        self._failures = {place: count + 1 for place, count in self._failures.items()}

    def _count(self, item: Sample | Delta) -> Sample | Delta:
        if isinstance(item, Delta):
            return item
        failures = self._failures.pop(item.index, 0)
        return replace(item, usage=item.usage + Usage(calls=failures)) if failures else item
