"""A model that is watched: every sample and every piece of one becomes an event."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass

from agentkit.events import Emit, Event, SampleDrawn, Scope, TokenDrawn
from agentkit.protocols import Model, SampleStream
from agentkit.types import Capabilities, Delta, GenerateRequest, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Tells ``emit`` of each ``TokenDrawn`` and ``SampleDrawn`` before it passes them on."""

    model: Model
    emit: Emit
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
        """The model's stream, unchanged."""
        async with aclosing(self.model.generate(request)) as stream:
            async for item in stream:
                if isinstance(item, Sample) or item.text:
                    self.emit(self._event(item))
                yield item

    def _event(self, item: Sample | Delta) -> Event:
        if isinstance(item, Delta):
            return TokenDrawn(scope=self.scope, model=self.name, text=item.text, index=item.index)
        return SampleDrawn(
            scope=self.scope,
            model=item.model or self.name,
            text=item.text,
            finish_reason=item.finish_reason,
            usage=item.usage,
            recorded=item.recorded,
        )
