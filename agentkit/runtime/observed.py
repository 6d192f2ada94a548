"""A model that is watched: every sample and every piece of one becomes an event."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass

from agentkit.events import Emit, Event, SampleDrawn, Scope, TokenDrawn
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.redact import Redactor, Tail
from agentkit.types import Capabilities, Delta, GenerateRequest, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """Tells ``emit`` of each ``TokenDrawn`` and ``SampleDrawn`` before it passes them on.

    With ``redact`` the tokens are told without the secrets it knows, however the stream cuts them; a token that may be a
    part of one is told later.
    """

    model: Model
    emit: Emit
    scope: Scope
    redact: Redactor | None = None

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
        tails: dict[int, Tail] = {}
        async with aclosing(self.model.generate(request)) as stream:
            async for item in stream:
                if isinstance(item, Sample):
                    if item.index in tails:
                        self._token(tails.pop(item.index).end(), item.index)
                    self.emit(self._drawn(item))
                elif item.text:
                    self._token(self._certain(tails, item), item.index)
                yield item

    def _certain(self, tails: dict[int, Tail], item: Delta) -> str:
        """What may be told now of a sample's text."""
        if self.redact is None:
            return item.text
        if item.index not in tails:
            tails[item.index] = Tail(self.redact)
        return tails[item.index].feed(item.text)

    def _token(self, text: str, index: int) -> None:
        if text:
            self.emit(TokenDrawn(scope=self.scope, model=self.name, text=text, index=index))

    def _drawn(self, sample: Sample) -> Event:
        return SampleDrawn(
            scope=self.scope,
            model=sample.model or self.name,
            text=sample.text,
            finish_reason=sample.finish_reason,
            usage=sample.usage,
            recorded=sample.recorded,
        )
