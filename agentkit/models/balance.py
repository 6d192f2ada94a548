"""Several replicas of one model: each call goes to the one with the least to do."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field

from agentkit.errors import CircuitOpenError, ConfigError
from agentkit.models.circuit_breaker import CircuitBreaker
from agentkit.models.fan import fan_out
from agentkit.models.together import common, highest
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.price import Price
from agentkit.types import Capabilities, GenerateRequest


@dataclass(frozen=True, kw_only=True)
class Balance:
    """The replicas ``models`` as one: a call goes to the one with the fewest calls in flight, of equals to the one that
    has waited longest.

    A replica that fails ``failures`` times in a row gets no calls for ``cooldown`` seconds, then one to see whether it is
    back. A failed call is not sent to another replica here; the model's ``retry`` sends it again, and by then another one
    is chosen. Raises ``CircuitOpenError`` when every replica is left alone.
    """

    shared = True  # one for all runs of a Kit, since what it knows is who is busy now

    models: tuple[Model, ...]
    failures: int = 3
    cooldown: float = 30.0
    _replicas: tuple[CircuitBreaker, ...] = field(init=False, repr=False, compare=False)
    _busy: list[int] = field(init=False, repr=False, compare=False)
    _turns: list[int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.models:
            raise ConfigError("balance needs at least one of 'models'")
        replicas = tuple(CircuitBreaker(model, failures=self.failures, cooldown=self.cooldown) for model in self.models)
        object.__setattr__(self, "_replicas", replicas)
        object.__setattr__(self, "_busy", [0] * len(replicas))
        object.__setattr__(self, "_turns", [0] * len(replicas))

    @property
    def name(self) -> str:
        """``balance(FIRST, SECOND, ...)``."""
        return f"balance({', '.join(model.name for model in self.models)})"

    @property
    def capabilities(self) -> Capabilities:
        """What every replica can honour."""
        return common(self.models)

    @property
    def price(self) -> Price | None:
        """The highest of theirs; None when one is not known."""
        return highest(self.models)

    def generate(self, request: GenerateRequest) -> SampleStream:
        """``request.n`` samples, each from the replica that is least busy when its call is sent."""
        return fan_out(self._draw, request)

    async def _draw(self, request: GenerateRequest) -> SampleStream:
        place = self._choose()
        self._turns[place] = max(self._turns) + 1
        self._busy[place] += 1
        try:
            async with aclosing(self._replicas[place].generate(request)) as stream:
                async for item in stream:
                    yield item
        finally:
            self._busy[place] -= 1

    def _choose(self) -> int:
        able = [place for place, replica in enumerate(self._replicas) if replica.closed]
        if not able:
            raise CircuitOpenError(f"every replica of {self.name} keeps failing", retry_after=self.cooldown)
        return min(able, key=lambda place: (self._busy[place], self._turns[place]))
