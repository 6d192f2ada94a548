"""What one strategy asks of a model, call after call: seeds of their own, what came, what failed, what is left to spend."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from agentkit.errors import AgentkitError, BudgetExceededError, ServerError
from agentkit.protocols import Model
from agentkit.runtime.sampling import samples
from agentkit.strategies.drawing import HOPELESS, seeded, spent
from agentkit.types import JSON, GenerateRequest, Message, Sample, Usage


class Sampling(Protocol):
    """The options that say how samples are drawn."""

    @property
    def temperature(self) -> float:
        """Of every sample that is not judged."""
        ...

    @property
    def max_tokens(self) -> int | None:
        """Of one sample."""
        ...

    @property
    def seed(self) -> int:
        """Of the first sample."""
        ...


@dataclass(slots=True, kw_only=True)
class Asking:
    """Asks a model and keeps the account. A call that fails gives nothing; after a spent budget nothing is asked any more."""

    model: Model
    seed: int = 0
    temperature: float | None = None
    max_tokens: int | None = None
    samples: list[Sample] = field(default_factory=list)
    errors: list[AgentkitError] = field(default_factory=list)
    drawn: int = 0
    exhausted: bool = False

    @classmethod
    def of(cls, options: Sampling, model: Model) -> Asking:
        """An account for a strategy with these options."""
        return cls(model=model, seed=options.seed, temperature=options.temperature, max_tokens=options.max_tokens)

    async def ask(
        self,
        messages: Sequence[Message],
        count: int = 1,
        *,
        model: Model | None = None,
        temperature: float | None = None,
    ) -> list[Sample]:
        """Up to ``count`` samples, as many as came; raises only what every call would meet."""
        if self.exhausted:
            return []
        request = self._request(model or self.model, messages, count, temperature)
        arrived: list[Sample] = []
        try:
            async with aclosing(samples(model or self.model, request)) as stream:
                async for sample in stream:
                    arrived.append(sample)
        except HOPELESS:
            raise
        except AgentkitError as error:
            self.errors.append(error)
            self.exhausted = self.exhausted or isinstance(error, BudgetExceededError)
        self.samples += arrived
        return arrived

    def _request(
        self, model: Model, messages: Sequence[Message], count: int, temperature: float | None
    ) -> GenerateRequest:
        seed = seeded(model, self.seed, self.drawn)
        self.drawn += count
        return GenerateRequest(
            messages=tuple(messages),
            n=count,
            temperature=self.temperature if temperature is None else temperature,
            max_tokens=self.max_tokens,
            seed=seed,
        )

    def must_have_come(self) -> None:
        """Raise the first error where not one sample came."""
        if not self.samples:
            raise self.errors[0] if self.errors else ServerError(f"{self.model.name} gave no samples")

    @property
    def usage(self) -> Usage:
        """What all of it cost."""
        return spent(self.samples)

    @property
    def failed(self) -> dict[str, JSON]:
        """The errors as metadata; empty where there were none."""
        return {"errors": [str(error) for error in self.errors]} if self.errors else {}
