"""Another model where one fails."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, field, fields

from agentkit.errors import ConfigError, ModelError
from agentkit.events import Emit, Retried, Scope, ignore
from agentkit.models.missing import Missing
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.price import Price, price_of
from agentkit.types import Capabilities, GenerateRequest


@dataclass(frozen=True)
class Fallback:
    """Models in order of preference: what one fails to draw, the next draws.

    Samples already yielded are kept. Put ``Retrying`` inside, around each, to try harder before moving on. A move is announced
    to ``emit`` as ``Retried``; ``Sample.model`` tells who answered.
    """

    models: tuple[Model, ...]
    _: KW_ONLY
    emit: Emit = field(default=ignore, repr=False, compare=False)
    scope: Scope = field(default_factory=Scope, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.models:
            raise ConfigError("a fallback needs at least one model")

    @property
    def name(self) -> str:
        """``fallback(FIRST, NEXT, ...)``."""
        return f"fallback({', '.join(model.name for model in self.models)})"

    @property
    def capabilities(self) -> Capabilities:
        """What every one of them can honour."""
        able = [model.capabilities for model in self.models]
        return Capabilities(**{one.name: all(getattr(each, one.name) for each in able) for one in fields(Capabilities)})

    @property
    def price(self) -> Price | None:
        """The highest of theirs, so that an estimate holds whoever answers; None when one is not known."""
        prices = [price_of(model) for model in self.models]
        known = [price for price in prices if price is not None]
        return dearest(known) if len(known) == len(prices) else None

    async def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` samples; raises ``ModelError`` that tells how each model failed when all did."""
        missing = Missing(request)
        failures: list[ModelError] = []
        for model in self.models:
            if failures:
                self.emit(self._moved(failures))
            try:
                async with aclosing(missing.draw(model)) as stream:
                    async for item in stream:
                        yield item
                return
            except ModelError as error:
                failures.append(error)
        told = "; ".join(f"{model.name}: {error}" for model, error in zip(self.models, failures, strict=True))
        raise ModelError(f"every model failed: {told}") from failures[-1]

    def _moved(self, failures: list[ModelError]) -> Retried:
        failed = self.models[len(failures) - 1]
        return Retried(scope=self.scope, model=failed.name, attempt=len(failures), delay=0.0, error=str(failures[-1]))


def dearest(prices: Sequence[Price]) -> Price:
    """A price that none of ``prices`` exceeds for any work."""
    cached = [price.input if price.cached_input is None else price.cached_input for price in prices]
    return Price(
        input=max(price.input for price in prices),
        output=max(price.output for price in prices),
        cached_input=max(cached),
        per_second=max(price.per_second for price in prices),
    )
