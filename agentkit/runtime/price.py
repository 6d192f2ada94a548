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

    ``reasoning`` is the price of an output token that is thought (None: as any output). A call whose prompt has more than
    ``long_from`` tokens (0: no such bound) is billed at the ``long_`` prices, each as the short one where it is None.

    ``Price()`` is free, as a model on your own machine is unless you say what its seconds cost. A price that is not
    known is None in place of a ``Price``, never a guess.
    """

    input: float = 0.0
    output: float = 0.0
    cached_input: float | None = None
    per_second: float = 0.0
    reasoning: float | None = None
    long_from: int = 0
    long_input: float | None = None
    long_output: float | None = None
    long_cached_input: float | None = None

    def __post_init__(self) -> None:
        for name in _NAMES:
            value = getattr(self, name)
            if value is not None and not 0 <= value < float("inf"):
                raise ConfigError(f"price.{name} must be USD of at least 0, not {value!r}")

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Price:
        """The price written as ``as_data`` writes it."""
        return cls(**data)

    def as_data(self) -> dict[str, float | None]:
        """The numbers by name, without those of the later ones that are not set."""
        always = {name: getattr(self, name) for name in _NAMES[:4]}
        return always | {name: value for name in _NAMES[4:] if (value := getattr(self, name)) not in (None, 0)}

    def cost(self, usage: Usage) -> float:
        """USD for one call; cached tokens are a part of its input tokens, reasoning tokens of its output tokens."""
        rates = self._long if 0 < self.long_from < usage.input_tokens else self
        cached = min(usage.cached_tokens, usage.input_tokens)
        thought = min(usage.reasoning_tokens, usage.output_tokens)
        tokens = (usage.input_tokens - cached) * rates.input + cached * _or(rates.cached_input, rates.input)
        tokens += (usage.output_tokens - thought) * rates.output + thought * _or(rates.reasoning, rates.output)
        return tokens + usage.seconds * self.per_second

    @property
    def _long(self) -> Price:
        """What a long call costs."""
        return Price(
            input=_or(self.long_input, self.input),
            output=_or(self.long_output, self.output),
            cached_input=self.cached_input if self.long_cached_input is None else self.long_cached_input,
            reasoning=self.reasoning,
        )


_NAMES = (
    *("input", "output", "cached_input", "per_second", "reasoning"),
    *("long_from", "long_input", "long_output", "long_cached_input"),
)


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


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
