"""Another model where one fails."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, field

from agentkit.errors import ConfigError, ModelError
from agentkit.events import Emit, Retried, Scope, ignore
from agentkit.models.missing import Missing
from agentkit.models.together import common, highest
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.price import Price
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
        return common(self.models)

    @property
    def price(self) -> Price | None:
        """The highest of theirs, so that an estimate holds whoever answers; None when one is not known."""
        return highest(self.models)

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
