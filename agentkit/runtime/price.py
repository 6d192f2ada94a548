"""What tokens and GPU seconds cost, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agentkit.errors import ConfigError
from agentkit.types import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD per input token, per output token, per cached input token (None: as any input) and per second of model time.

    ``Price()`` is free, as a model on your own machine is unless you say what its seconds cost. A price that is not
    known is None in place of a ``Price``, never a guess.
    """

    input: float = 0.0
    output: float = 0.0
    cached_input: float | None = None
    per_second: float = 0.0

    def __post_init__(self) -> None:
        for name in ("input", "output", "cached_input", "per_second"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < float("inf"):
                raise ConfigError(f"price.{name} must be USD of at least 0, not {value!r}")

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Price:
        """The price written as ``as_data`` writes it."""
        return cls(**data)

    def as_data(self) -> dict[str, float | None]:
        """The four numbers by name."""
        names = ("input", "output", "cached_input", "per_second")
        return {name: getattr(self, name) for name in names}

    def cost(self, usage: Usage) -> float:
        """USD for ``usage``; cached tokens are a part of its input tokens, reasoning tokens of its output tokens."""
        cached = min(usage.cached_tokens, usage.input_tokens)
        cached_rate = self.input if self.cached_input is None else self.cached_input
        tokens = (usage.input_tokens - cached) * self.input + cached * cached_rate + usage.output_tokens * self.output
        return tokens + usage.seconds * self.per_second


FREE = Price()
"""Nothing costs anything."""


def price_of(model: object) -> Price | None:
    """The price that a model states as its attribute ``price``; None when it does not know."""
    price = getattr(model, "price", None)
    return price if isinstance(price, Price) else None


def priced(usage: Usage, price: Price | None) -> Usage:
    """``usage`` with its ``usd`` filled in, or its calls counted as unpriced; an amount the provider named itself is kept."""
    if usage.usd or usage.unpriced_calls:
        return usage
    if price is None:
        return replace(usage, unpriced_calls=usage.calls)
    usd = price.cost(usage)
    return replace(usage, usd=usd) if usd else usage
