"""A model under a journal: a recorded sample is read, a new one is committed before anyone sees it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from agentkit.events import Scope
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.calls import Claim
from agentkit.runtime.codec import request_key
from agentkit.runtime.journal import Journal
from agentkit.runtime.parts import parts, placed, replayed
from agentkit.types import Capabilities, GenerateRequest, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Journaled:
    """Yields what the journal holds for a request in the order in which it was drawn, then asks the model for the rest.

    The key of a sample is the run, ``scope``, the request (with the model's name, without ``n``) and its ordinal among
    equal requests in that scope: N equal requests of a vote stay distinct, and it does not matter which comes first.
    """

    model: Model
    journal: Journal
    scope: Scope

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    @property
    def capabilities(self) -> Capabilities:
        """The model's."""
        return self.model.capabilities

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` samples; those with ``recorded`` set cost nothing."""
        calls = self.journal.calls
        claim = calls.claim(self.scope, request_key(self.name, request), request.n)
        for index, row in claim.recorded:
            for item in replayed(replace(calls.read(row), index=index), stream=request.stream):
                yield item
        if not claim.missing:
            return
        try:
            for asked, places in parts(request, claim.missing):
                async with aclosing(self._draw(asked, claim, places)) as stream:
                    async for item in stream:
                        yield item
        except Exception:
            calls.surrender(claim)
            raise

    async def _draw(self, request: GenerateRequest, claim: Claim, places: Sequence[int]) -> SampleStream:
        async with aclosing(self.model.generate(request)) as stream:
            async for item in stream:
                item = placed(item, places, self.name)
                yield self.journal.calls.record(claim, item.index, item) if isinstance(item, Sample) else item
