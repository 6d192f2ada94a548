"""A server that keeps failing is left alone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, field

from agentkit.errors import CircuitOpenError, ConfigError, ModelError
from agentkit.models.fan import fan_out
from agentkit.protocols import Model, SampleStream
from agentkit.runtime.price import Price, price_of
from agentkit.types import Capabilities, GenerateRequest


@dataclass
class Circuit:
    """Whether calls may be sent: closed (yes), open (no), half open (one, to see whether the server is back)."""

    failures: int = 0
    opened: float | None = None
    probing: bool = False


@dataclass(frozen=True)
class CircuitBreaker:
    """A model that is not asked for ``cooldown`` seconds once ``failures`` calls in a row have failed (Nygard 2007).

    While the circuit is open every call fails at once with ``CircuitOpenError``, so that a fallback or another replica
    answers without the wait. After the cooldown one call goes through as a probe: if it succeeds the circuit closes, if it
    fails the cooldown begins anew. Only failures that another try can mend count; a request that is itself wrong says
    nothing about the server. Share one ``CircuitBreaker`` between all that use a server.
    """

    model: Model
    _: KW_ONLY
    failures: int = 5
    cooldown: float = 30.0
    clock: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)
    _circuit: Circuit = field(default_factory=Circuit, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.failures < 1 or self.cooldown <= 0:
            raise ConfigError("a circuit breaker needs at least 1 failure and a cooldown above 0 seconds")

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

    @property
    def closed(self) -> bool:
        """Whether a call would be sent now."""
        return self._left() == 0.0

    def generate(self, request: GenerateRequest) -> SampleStream:
        """The model's samples; raises ``CircuitOpenError`` at once while the circuit is open."""
        return fan_out(self._draw, request)

    async def _draw(self, request: GenerateRequest) -> SampleStream:
        probe = self._admit()
        try:
            async with aclosing(self.model.generate(request)) as stream:
                async for item in stream:
                    yield item
        except ModelError as error:
            if error.retryable:
                self._failed(probe)
            else:
                self._succeeded()
            raise
        finally:
            if probe:
                self._circuit.probing = False
        self._succeeded()

    def _admit(self) -> bool:
        """Whether the call is a probe."""
        left = self._left()
        if left > 0:
            raise CircuitOpenError(
                f"{self.name} failed {self._circuit.failures} times in a row and is not asked for another {left:.1f} s",
                retry_after=left,
            )
        self._circuit.probing = probe = self._circuit.opened is not None
        return probe

    def _left(self) -> float:
        """Seconds until a call may be sent; a probe under way keeps others out a moment more."""
        circuit = self._circuit
        if circuit.opened is None:
            return 0.0
        left = circuit.opened + self.cooldown - self.clock()
        return left if left > 0 else (1.0 if circuit.probing else 0.0)

    def _failed(self, probe: bool) -> None:
        self._circuit.failures += 1
        if probe or (self._circuit.failures >= self.failures and self._circuit.opened is None):
            self._circuit.opened = self.clock()

    def _succeeded(self) -> None:
        self._circuit.failures, self._circuit.opened = 0, None
